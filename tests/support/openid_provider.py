"""An OpenID Connect provider on loopback that answers as Google or Microsoft would."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from consent_gate.home.clock import utc_now

CLIENT, SECRET = "the-gate", "a secret of the gate and its provider"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Provider(ThreadingHTTPServer):
    """Whoever comes is the person of ``claims``."""

    daemon_threads = True

    def __init__(self, path: str) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.address = f"http://127.0.0.1:{self.server_address[1]}"
        self.issuer = f"{self.address}{path}"
        self.claims: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}

    def token_for(self) -> str:
        """The signed ID token (OpenID Connect Core 1.0, "ID Token")."""
        now = int(utc_now().timestamp())
        usual = {"iss": self.issuer, "aud": CLIENT, "sub": "1001", "iat": now, "exp": now + 300}
        return jwt.encode({**usual, **self.claims}, KEY, "RS256", headers={"kid": "1"})


class _Answer(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        at = urlsplit(self.path)
        asked = {key: values[0] for key, values in parse_qs(at.query).items()}
        if at.path.endswith("/.well-known/openid-configuration"):
            self._json(self._discovery())
        elif at.path == "/keys":
            key = json.loads(RSAAlgorithm.to_jwk(KEY.public_key()))
            self._json({"keys": [{**key, "kid": "1", "alg": "RS256", "use": "sig"}]})
        elif at.path == "/authorize":
            code = secrets.token_hex(8)
            self.server.codes[code] = asked
            back = urlencode({"code": code, "state": asked["state"]})
            self.send_response(302)
            self.send_header("Location", f"{asked['redirect_uri']}?{back}")
            self.end_headers()
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        sent = {key: values[0] for key, values in parse_qs(body).items()}
        asked = self.server.codes.pop(sent.get("code", ""), None)
        if asked is None or not _is_the_same(asked, sent):
            self._json({"error": "invalid_grant"}, 400)
            return
        token = {"access_token": "of no use", "token_type": "Bearer", "expires_in": 300}
        self._json({**token, "id_token": self.server.token_for()})

    def _discovery(self) -> dict[str, Any]:
        here = self.server.address
        return {
            "issuer": self.server.issuer,
            "authorization_endpoint": f"{here}/authorize",
            "token_endpoint": f"{here}/token",
            "jwks_uri": f"{here}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def _json(self, body: dict[str, Any], status: int = 200) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Tests are quiet."""


def _is_the_same(asked: dict[str, str], sent: dict[str, str]) -> bool:
    """Same client, same address, and the secret half of PKCE (RFC 7636)."""
    digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    return (
        sent.get("client_id") == asked["client_id"] == CLIENT
        and sent.get("client_secret") == SECRET
        and sent.get("redirect_uri") == asked["redirect_uri"]
        and asked.get("code_challenge") == challenge
    )


@contextmanager
def provider(path: str = "") -> Iterator[Provider]:
    """One that answers until the end of the block."""
    with Provider(path) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
