"""What answers in the gate's place: another certificate, and answers without an end."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from consent_gate.home.clock import utc_now
from tests.support.certificates import write_self_signed
from tests.support.wordpress import is_installed
from tests.wordpress.site import POST, RUN, Site

pytestmark = [
    pytest.mark.wordpress,
    pytest.mark.skipif(
        not is_installed(), reason="WordPress is not installed: make wordpress-check"
    ),
]

MEBIBYTE = b"x" * (1 << 20)
HEAD = b'{"schema":"consent-gate/manifest@1","withdrawn":[],"items":[]'
SET = """$s = get_option('consent_gate_settings'); $s['feed'] = $given['feed'];
return update_option('consent_gate_settings', $s);"""

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def server_that_answers(answer: Answer, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """A server on loopback. Gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                answer(self)
            except OSError:
                self.close_connection = True

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if context:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}/feeds/website"
    server.shutdown()
    server.server_close()


def self_signed(folder: Path) -> ssl.SSLContext:
    write_self_signed(folder / "cert.pem", utc_now())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem")
    return context


def send(handler: BaseHTTPRequestHandler, head: bytes, mebibytes: int, status: int = 200) -> None:
    handler.send_response(status)
    handler.end_headers()
    handler.wfile.write(head)
    for _ in range(mebibytes):
        handler.wfile.write(MEBIBYTE)


def test_another_certificate_is_told_and_deletes_nothing_for_days(
    site: Site, tmp_path: Path
) -> None:
    site.run()
    post = site.wordpress.php(POST, text="[consent_gate_pictures]")
    heard: list[str] = []
    with server_that_answers(lambda h: heard.append(h.path), self_signed(tmp_path)) as feed:
        site.wordpress.php(SET, feed=feed)
        problem = site.run()
        assert "cannot be reached" in problem
        assert "certificate" in problem
        assert heard == []  # the token was not sent
        assert len(site.files()) == 2
        assert site.wordpress.page(f"/?p={post}").count("/consent-gate/") == 2
        site.wordpress.php(
            """$s = get_option('consent_gate_status'); $s['heard'] = time() - 8 * DAY_IN_SECONDS;
            return update_option('consent_gate_status', $s);"""
        )
        assert "hidden" in site.run()
        assert site.files() == {}
        assert "/consent-gate/" not in site.wordpress.page(f"/?p={post}")


def test_an_answer_of_400_megabytes_stays_below_128_megabytes_of_memory(site: Site) -> None:
    site.run()
    for status, problem in ((200, "not a list"), (500, "code 500")):
        with server_that_answers(partial(send, head=HEAD, mebibytes=400, status=status)) as feed:
            site.wordpress.php(SET, feed=feed)
            assert problem in site.wordpress.php(RUN, memory="128M")
            assert len(site.files()) == 2


def test_a_redirect_is_not_followed(site: Site) -> None:
    """It would carry the token to another machine."""
    site.run()
    heard: list[str | None] = []

    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        heard.append(handler.headers["Authorization"])
        send(handler, HEAD + b"}", 0)

    with server_that_answers(elsewhere) as other:

        def redirect(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(302)
            handler.send_header("Location", other)
            handler.end_headers()

        with server_that_answers(redirect) as feed:
            site.wordpress.php(SET, feed=feed)
            assert "code 302" in site.run()
    assert heard == []
    assert len(site.files()) == 2


def test_a_picture_of_400_megabytes_fills_no_disk(site: Site) -> None:
    site.run()
    name = f"2026-11/{'b' * 26}.jpg"
    item = {"id": "b" * 26, "file": name, "sha256": "0" * 64, "bytes": 1000}
    manifest = {"schema": "consent-gate/manifest@1", "withdrawn": []} | {
        "items": [item | {"width": 1, "height": 1}]
    }

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if handler.path.endswith("manifest.json"):
            send(handler, json.dumps(manifest).encode(), 0)
        else:
            send(handler, b"", 400)

    with server_that_answers(answer) as feed:
        site.wordpress.php(SET, feed=feed)
        problem, stored = site.wordpress.php(
            """$size = 0; add_filter('http_response', function ($answer, $asked) use (&$size) {
                if (!empty($asked['filename'])) { clearstatcache();
                    $size = filesize($asked['filename']); }
                return $answer; }, 10, 2);
            consent_gate_run(); return array(consent_gate_problem(), $size);""",
            memory="128M",
        )
        assert "could not be stored" in problem
        assert 0 < stored <= 1001
        assert site.files() == {}


def test_a_long_answer_to_a_confirmation_stays_below_128_megabytes_of_memory(site: Site) -> None:
    site.run()
    manifest = {"schema": "consent-gate/manifest@1", "items": []} | {
        "withdrawn": [{"id": "b" * 26, "file": f"2026-11/{'b' * 26}.jpg"}]
    }

    def answer(handler: BaseHTTPRequestHandler) -> None:
        is_list = handler.path.endswith("manifest.json")
        send(handler, json.dumps(manifest).encode() if is_list else b"", 0 if is_list else 400)

    with server_that_answers(answer) as feed:
        site.wordpress.php(SET, feed=feed)
        assert site.wordpress.php(RUN, memory="128M") == ""


def test_a_list_as_long_as_is_accepted_is_read_with_128_megabytes(site: Site) -> None:
    text = "t" * 150
    items = [
        {"id": f"{n:026d}".translate(str.maketrans("0189", "abcd")), "sha256": "0" * 64}
        | {"bytes": 10**8, "width": 1, "height": 1, "title": text, "alt": text}
        | {"released_at": "2026-11-29T10:00:00+00:00"}
        for n in range(20_000)
    ]
    for item in items:
        item["file"] = f"2026-11/{item['id']}.jpg"
    manifest = {"schema": "consent-gate/manifest@1", "items": items, "withdrawn": []}
    with server_that_answers(lambda h: send(h, json.dumps(manifest).encode(), 0)) as feed:
        site.wordpress.php(SET, feed=feed)
        assert "larger" in site.wordpress.php(RUN, memory="128M")
