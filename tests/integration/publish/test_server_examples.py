"""The nginx and systemd examples of the manuals work word by word."""

from __future__ import annotations

import http.client
import re
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from consent_gate.home.clock import utc_now
from consent_gate.home.home import Home
from publish.channel.manifest import refresh_public_manifests
from publish.feed.tokens import new_token
from tests.conftest import ROOT
from tests.integration.publish.test_public_gallery import entries, gallery_process, two_out
from tests.support.certificates import write_self_signed
from tests.support.http_server import free_port, serve_home
from tests.support.settings_override import with_section

__all__ = ["two_out"]

MANUALS = ROOT / "docs" / "cms"
NGINX = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")

CONFIGURATION = """daemon off; pid {folder}/pid; error_log {folder}/log; events {{}}
http {{ access_log off; client_body_temp_path {folder}/t; proxy_temp_path {folder}/p;
fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
{example} }}"""


def nginx_example(manual: str) -> str:
    """The example as it stands in the manual."""
    text = (MANUALS / manual).read_text("utf-8")
    found = re.search(
        r"^( *)(?:limit_req_zone[^\n]*\n\1)?server \{\n.*?^\1\}$", text, re.MULTILINE | re.DOTALL
    )
    assert found
    return found[0]


@contextmanager
def nginx(folder: Path, example: str, ports: dict[str, int]) -> Iterator[int]:
    """Run the example. Only ports and the paths of the certificate are other than in the manual."""
    assert NGINX
    write_self_signed(folder / "cert.pem", utc_now())
    port = free_port()
    example = re.sub(r"(ssl_certificate(_key)? +)\S+;", rf"\1{folder}/cert.pem;", example)
    changes = {"listen 443": f"listen 127.0.0.1:{port}"}
    changes |= {f"127.0.0.1:{old};": f"127.0.0.1:{new};" for old, new in ports.items()}
    for old, new in changes.items():
        assert old in example
        example = example.replace(old, new)
    (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, example=example))
    process = subprocess.Popen([NGINX, "-c", folder / "nginx.conf"], stderr=subprocess.PIPE)
    try:
        for _ in range(2400):  # two minutes, on a busy machine
            try:
                http.client.HTTPConnection("127.0.0.1", port, timeout=30).connect()
                break
            except OSError:
                assert process.poll() is None, process.communicate()[1]
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.communicate(timeout=120)


def ask(port: int, path: str, host: str, token: str = "") -> http.client.HTTPResponse:
    context = ssl._create_unverified_context()  # noqa: S323  our own certificate
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=30)
    headers = {"Host": host} | ({"Authorization": f"Bearer {token}"} if token else {})
    connection.request("GET", path, headers=headers)
    return connection.getresponse()


ELSEWHERE = (
    *("/", "/queue/", "/login/", "/healthz", "/metrics", "/static/gate/gate.css"),
    *("/feeds/../queue/", "/feeds/%2e%2e/queue/", "/feeds/..%2fqueue/", "//queue/", "/Feeds/"),
    *("/feeds/website/../../login/", "/gallery/../login/", "/gallery/%2e%2e/login/"),
)


@pytest.mark.skipif(NGINX is None, reason="needs nginx: apt install nginx-light")
@pytest.mark.parametrize(
    ("manual", "host"),
    [("gallery.md", "photos.example.sch.uk"), ("wordpress.md", "gate.school.example")],
)
def test_nginx_publishes_the_feeds_and_the_gallery_and_nothing_else(
    two_out: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, manual: str, host: str
) -> None:
    home = with_section(two_out, "web", allowed_hosts=(host,))
    monkeypatch.setattr(settings, "ALLOWED_HOSTS", list(home.settings.web.allowed_hosts))
    refresh_public_manifests(home)
    token = new_token(home, "website", "site", timedelta(days=7), "t.smith")
    picture = entries(home)[0]
    with serve_home(home) as (address, _), gallery_process(home) as (_, gallery_port):
        ports = {"8000": int(address.rpartition(":")[2])}
        if manual == "gallery.md":
            ports["8010"] = gallery_port
        with nginx(tmp_path, nginx_example(manual), ports) as port:
            answer = ask(port, "/feeds/website/manifest.json", host, token)
            assert answer.status == 200
            assert answer.headers["Cache-Control"] == "no-store"
            assert ask(port, "/feeds/website/manifest.json", host).status == 401
            file = ask(port, f"/feeds/website/{picture['file']}", host, token)
            assert (file.status, len(file.read())) == (200, picture["bytes"])
            is_gallery = manual == "gallery.md"
            page = ask(port, "/gallery/website/", host)
            assert page.status == (200 if is_gallery else 404)
            assert (picture["id"].encode() in page.read()) == is_gallery
            for path in ELSEWHERE:
                assert ask(port, path, host).status in {401, 404}, path
                assert b"Log in" not in ask(port, path, host).read(), path


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd")
def test_systemd_accepts_the_service_and_the_timer_of_pull(tmp_path: Path) -> None:
    text = (MANUALS / "pull.md").read_text("utf-8")
    blocks = re.findall(r"```\n(\[Unit\].*?)```", text, re.S)
    assert len(blocks) == 2
    program = Path(sys.executable).with_name("consent-gate-pull")
    names = [tmp_path / f"consent-gate-pull.{kind}" for kind in ("service", "timer")]
    for path, block in zip(names, blocks, strict=True):
        path.write_text(block.replace("/opt/consent-gate-pull/bin/consent-gate-pull", str(program)))
    done = subprocess.run(
        ["systemd-analyze", "verify", *names], capture_output=True, text=True, check=False
    )
    found = [line for line in done.stderr.splitlines() if "consent-gate-pull" in line]
    assert (done.returncode, found) == (0, [])
