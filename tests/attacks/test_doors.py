"""Small ways in: numbers without end, terminal commands in names, names run together, addresses."""

# ruff: noqa: RUF001  letters that look alike are what is tested

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import URLPattern
from rich.console import Console
from typer.testing import CliRunner
from waitress.adjustments import Adjustments
from waitress.proxy_headers import proxy_headers_middleware

from consent_gate.cli import console
from consent_gate.cli.app import app
from consent_gate.errors import GateError
from consent_gate.home import log_setup
from consent_gate.home.home import Home
from consent_gate.model import Box
from consent_gate.names.name_index import NameIndex, PupilName
from consent_gate.names.printable import UNPRINTABLE, print_uncaught
from consent_gate.names.written_names import pupils_named
from consent_gate.web import server, urls
from consent_gate.web.forms import parse_box, parse_count
from publish.pull.main import main as pull_main
from tests.support.settings_override import with_section

NAMES = (("Ann", "Archer"), ("Zoë", "O'Brien"), ("Al", "Ly"), ("Sily", "King"))
INDEX = NameIndex(PupilName(str(number), *name) for number, name in enumerate(NAMES))


@pytest.mark.parametrize(
    "title",
    [
        "AnnArcher",
        "#annarcher2026",
        "ArcherAnn wins",
        "Ann\u200bArcher",
        "Ann\u00adArcher",
        "Ann\u2060\ufeffArcher",
        "A n n A r c h e r",
        "A.n.n. A-r-c-h-e-r",
        "ZoëO'Brien",
        "Al\u200bLy",
        "Аnn Аrcher",
        "Ａｎｎ Ａｒｃｈｅｒ",
        "ANN ΑRCΗER",
        "A\u0336n\u0336n\u0336 A\u0336r\u0336c\u0336h\u0336e\u0336r\u0336",
        "An\u20ddn Archer",
        "An\u115fn Arch\u3164er",
        "An n Arch er",
        "An\u2800n-Arch\u2800er",
        "Ann Arch\u202eer",
        "ᴀɴɴ ᴀʀᴄʜᴇʀ",
        "🅐🅝🅝 🅐🅡🅒🅗🅔🅡",
        "𝓐𝓷𝓷 𝓐𝓻𝓬𝓱𝓮𝓻",
        "ΖоëO'Вriеn",
        "S1ly Kìng",
        "SiIy Klng",
    ],
)
def test_a_name_that_is_run_together_or_spelled_out_is_found(title: str) -> None:
    assert pupils_named(title, INDEX)


@pytest.mark.parametrize(
    "title",
    ["Finally", "Ann wins", "An archer", "A B C of sports", "", "All of us", "Sports day 2026"],
)
def test_other_titles_may_go_out(title: str) -> None:
    assert not pupils_named(title, INDEX)


@pytest.mark.parametrize(
    "name",
    [
        *("\x1b]0;owned\x07", "\x1b[2J", "\x9b31m", "a\rb", "a\x08b", "\u202egpj.exe"),
        *("\u2066x\u2069", "a\u2028b", "\u200eb", "\udcff.jpg", "\U000e0041"),
    ],
)
def test_names_cannot_command_the_terminal(
    capsys: pytest.CaptureFixture[str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "console", Console(highlight=False))
    monkeypatch.setattr(console, "errors", Console(stderr=True, highlight=False))
    console.echo(f"before {name} after")
    console.echo_error(f"before {name} after")
    console.print_table("Files", ["name", "why"], [[name, "x"]])
    console.print_json({"file": name})
    output = capsys.readouterr()
    assert not UNPRINTABLE.search(output.out + output.err)
    assert json.loads(output.out.splitlines()[-1]) == {"file": name}


HOSTILE = "\x1b[2J\x9b31m\u202egpj\nERROR forged\r"


def test_log_lines_cannot_command_the_terminal(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    path = log_setup.start(home)
    log = logging.getLogger("consent_gate")
    log.warning("before %s after", HOSTILE)
    log.warning("%s", GateError(HOSTILE))
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        log.exception("failed at %s", HOSTILE)
    finally:
        log_setup.stop()
    for text in (path.read_text("utf-8"), capsys.readouterr().err):
        assert not UNPRINTABLE.search(text)
        assert not [line for line in text.splitlines() if line.startswith("ERROR forged")]
        assert len(text.splitlines()) == 3


def test_an_error_that_nothing_handles_cannot_command_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = ValueError(HOSTILE)
    print_uncaught(ValueError, error, None)
    assert not UNPRINTABLE.search(capsys.readouterr().err)


@pytest.mark.parametrize(
    "arguments",
    [
        ["user", "add", HOSTILE],
        ["user", "change", HOSTILE, "role", "dpo"],
        ["import-sims", f"/nowhere/{HOSTILE}.csv"],
        [HOSTILE],
        [f"--{HOSTILE}"],
        ["portraits", "sheet", HOSTILE],
    ],
)
def test_arguments_that_are_quoted_cannot_command_the_terminal(
    home: Home, arguments: list[str]
) -> None:
    result = CliRunner().invoke(app, ["--home", str(home.root), *arguments], input="x\n")
    assert result.exit_code != 0
    assert not UNPRINTABLE.search(result.output)


def test_a_reader_prints_no_commands_of_a_feed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        pull_main([f"https://127.0.0.1:1/feeds/{HOSTILE}", str(tmp_path / "new")])
    assert not UNPRINTABLE.search(capsys.readouterr().err)


@pytest.mark.parametrize("text", ["9" * 5000, "٣" * 5000, "-1", "1.5", "", "x", "²"])
def test_a_number_that_is_none_is_refused(text: str) -> None:
    assert parse_count(text) is None
    post = QueryDict(mutable=True)
    post.update(dict.fromkeys("xywh", text))
    assert parse_box(post, 100, 100) == Box(0, 0, 0, 0)


def paths_with_a_number() -> list[str]:
    """The path of every page whose address has a number, with ``{}`` in its place."""
    found = []
    for pattern in urls.urlpatterns:
        if isinstance(pattern, URLPattern) and "<int:" in str(pattern.pattern):
            path = re.sub(r"<int:[a-z_]+>", "{}", str(pattern.pattern))
            found.append("/" + re.sub(r"<[a-z:_]+>", "x", path))
    return found


def test_a_number_in_an_address_that_is_too_long_is_a_bad_request(home: Home) -> None:
    paths = paths_with_a_number()
    assert len(paths) > 10
    for path in paths:
        for number in ("9" * 5000, "9" * 19, "٣" * 5000):
            assert Client(HTTP_HOST="localhost").get(path.format(number)).status_code == 400, path
        assert Client(HTTP_HOST="localhost").get(path.format("9" * 18)).status_code in {
            302,
            404,
            405,
        }, path


@pytest.mark.parametrize("query", ["page={}", "revision=-{}", "q=+{}", "a=1&b={}"])
def test_a_number_in_a_query_that_is_too_long_is_a_bad_request(home: Home, query: str) -> None:
    assert (
        Client(HTTP_HOST="localhost").get("/pictures/?" + query.format("9" * 5000)).status_code
        == 400
    )
    assert Client(HTTP_HOST="localhost").get(
        "/pictures/?" + query.format("9" * 20)
    ).status_code in {302, 404}


@pytest.fixture
def behind_a_proxy(home: Home) -> Home:
    return with_section(home, "web", https=True)


def client_address(home: Home, peer: str, forwarded: str) -> str:
    """The address that the pages see for a request from ``peer`` with this header."""
    options = Adjustments(**server._proxy_options(home))
    seen: list[str] = []

    def application(environ: dict[str, Any], _start: Callable[..., Any]) -> list[bytes]:
        seen.append(environ["REMOTE_ADDR"])
        return []

    wrapped = proxy_headers_middleware(
        application,
        trusted_proxy=options.trusted_proxy,
        trusted_proxy_count=options.trusted_proxy_count,
        trusted_proxy_headers=options.trusted_proxy_headers,
        clear_untrusted=options.clear_untrusted_proxy_headers,
    )
    wrapped({"REMOTE_ADDR": peer, "REMOTE_HOST": peer, "HTTP_X_FORWARDED_FOR": forwarded}, print)
    return seen[0]


def test_wrong_passwords_count_for_the_client_and_not_for_the_proxy(behind_a_proxy: Home) -> None:
    assert client_address(behind_a_proxy, "127.0.0.1", "10.1.2.3") == "10.1.2.3"


def test_a_client_cannot_choose_its_address(behind_a_proxy: Home) -> None:
    assert client_address(behind_a_proxy, "10.6.6.6", "10.1.2.3") == "10.6.6.6"
    assert client_address(behind_a_proxy, "127.0.0.1", "10.1.2.3, 10.6.6.6") == "10.6.6.6"
