"""Feeds that attack ``consent-gate-pull``, and folders in which it must delete nothing foreign."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publish.pull import feed as feed_module
from publish.pull import main as main_module
from publish.pull.errors import FeedInvalid, PullSettingInvalid
from publish.pull.feed import checked_address
from publish.pull.folder import PulledFolder
from publish.pull.main import main
from publish.pull.manifest import parse
from tests.conftest import ROOT
from tests.support.feed_server import FeedServer, file_name, picture_id, send, serve_feed


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> Iterator[FeedServer]:
    monkeypatch.setattr("publish.pull.main.time.sleep", lambda _: None)
    with serve_feed() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "site" / "photos"


def pull(feed: FeedServer, folder: Path, *options: str) -> int:
    """Run the command in this process. Returns its exit code."""
    os.environ["CONSENT_GATE_TOKEN"] = "a.token"
    try:
        main([feed.address, str(folder), *options])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def pictures(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.glob("2*/*")}


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/cron.d/x.jpg",
        "/etc/x.jpg",
        "2026-11/../x.jpg",
        "2026-11\\x.jpg",
        "2026-11/CON.jpg",
        "2026-11/" + "a" * 26 + ".php",
        "2026-11/" + "a" * 26 + ".jpg\n",
        "2026-11/" + "A" * 26 + ".jpg",
        "٢٠٢٦-11/" + "a" * 26 + ".jpg",
        None,
        ["2026-11"],
    ],
)
def test_a_name_that_could_leave_the_folder_is_refused(
    feed: FeedServer, folder: Path, name: object
) -> None:
    feed.publish(1)
    feed.change_list = lambda document: document["items"][0].update(file=name)
    assert pull(feed, folder) == FeedInvalid.exit_code
    written = {p.name for p in folder.parent.rglob("*") if p.is_file()}
    assert written == {"lock", "state.json"}


def break_items(document: dict[str, Any]) -> None:
    del document["items"]


def other_channel(document: dict[str, Any]) -> None:
    document["channel"] = "mag"


def twice(document: dict[str, Any]) -> None:
    document["items"] *= 2


def huge_file(document: dict[str, Any]) -> None:
    document["items"][0]["bytes"] = 1 << 40


@pytest.mark.parametrize("change", [break_items, other_channel, twice, huge_file])
def test_a_list_that_is_not_right_changes_nothing(
    feed: FeedServer, folder: Path, change: Any
) -> None:
    name = feed.publish(1)
    assert pull(feed, folder) == 0
    feed.publish(2)
    feed.change_list = change
    assert pull(feed, folder) == FeedInvalid.exit_code
    assert list(pictures(folder)) == [name]


@pytest.mark.parametrize(
    "data", [b"", b"<html>", b"[]", b"[" * 200_000, b'{"items": 1' + b"0" * 9000]
)
def test_bytes_that_are_no_list_are_refused(data: bytes) -> None:
    with pytest.raises(FeedInvalid):
        parse(data, "website")


def test_the_token_does_not_follow_a_redirect(feed: FeedServer, folder: Path) -> None:
    with serve_feed() as elsewhere:

        def redirect(request: BaseHTTPRequestHandler) -> bool:
            send(request, 302, b"", {"Location": f"{elsewhere.address}/manifest.json"})
            return True

        feed.misbehave = redirect
        assert pull(feed, folder) == 61
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "http://photos.example/feeds/website",
        "http://127.0.0.1.example/feeds/website",
        "http://localhost@photos.example/feeds/website",
        "ftp://photos.example/feeds/website",
        "file:///feeds/website",
        "https://photos.example/",
        "https://photos.example/feeds/website?x=1",
        "https://photos.example/feeds/../feeds/website\r\nX: y",
        "",
    ],
)
def test_an_address_that_would_show_the_token_is_refused(address: str) -> None:
    with pytest.raises(PullSettingInvalid):
        checked_address(address)


def test_a_huge_list_is_not_read_to_its_end(
    feed: FeedServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "MAX_LIST_BYTES", 1000)
    feed.misbehave = lambda request: send(request, 200, b" " * 100_000)
    assert pull(feed, folder) == FeedInvalid.exit_code


@pytest.mark.parametrize("wrong", [b"another picture", b"picture 1 " * 200 + b"extra", b"x" * 2000])
def test_bytes_that_the_list_does_not_name_are_not_kept(
    feed: FeedServer, folder: Path, wrong: bytes
) -> None:
    name, other = feed.publish(1), feed.publish(2)

    def send_wrong(request: BaseHTTPRequestHandler) -> bool:
        return request.path.endswith(name) and send(request, 200, wrong)

    feed.misbehave = send_wrong
    assert pull(feed, folder) in {60, 67}
    assert name not in pictures(folder)
    feed.misbehave = lambda _: False
    assert pull(feed, folder) == 0
    assert set(pictures(folder)) == {name, other}


def test_a_picture_that_was_cut_off_is_resumed(feed: FeedServer, folder: Path) -> None:
    name = feed.publish(1, os.urandom(300_000))
    cut = iter([100_000, 50_000])

    def send_part(request: BaseHTTPRequestHandler) -> bool:
        length = next(cut, None) if request.path.endswith(".jpg") else None
        if length is None:
            return False
        data, wanted = feed.pictures[name], request.headers["Range"]
        start = int(wanted[6:-1]) if wanted else 0
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(data) - start))
        request.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        request.end_headers()
        request.wfile.write(data[start : start + length])
        request.close_connection = True
        return True

    feed.misbehave = send_part
    assert pull(feed, folder) == 0
    assert pictures(folder) == feed.pictures
    assert sum(".jpg" in line for line in feed.requests) == 3


def test_an_answer_that_drips_is_cut(
    feed: FeedServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "ANSWER_SECONDS", 0.3)
    monkeypatch.setattr(feed_module, "ATTEMPTS", 2)
    wait = time.monotonic

    def drip(request: BaseHTTPRequestHandler) -> bool:
        request.send_response(200)
        request.send_header("Content-Length", "100000")
        request.end_headers()
        end = wait() + 100
        try:
            while wait() < end:
                request.wfile.write(b" ")
                request.wfile.flush()
                __import__("threading").Event().wait(0.02)
        except OSError:
            pass
        request.close_connection = True
        return True

    feed.misbehave = drip
    begun = wait()
    assert pull(feed, folder) == 60
    assert wait() - begun < 60


def test_a_feed_that_is_busy_is_asked_again(feed: FeedServer, folder: Path) -> None:
    feed.publish(1)
    refusals = iter([429, 503, 500])

    def busy(request: BaseHTTPRequestHandler) -> bool:
        status = next(refusals, None)
        return status is not None and send(request, status, b"", {"Retry-After": "60"})

    feed.misbehave = busy
    assert pull(feed, folder) == 0
    assert pictures(folder) == feed.pictures


def test_five_thousand_withdrawn_entries_are_no_hindrance(feed: FeedServer, folder: Path) -> None:
    """Nothing is confirmed that this folder never had."""
    feed.withdrawn = [
        f"{n:05}".translate(str.maketrans("01", "ab"))
        .replace("8", "c")
        .replace("9", "d")
        .ljust(26, "a")
        for n in range(5000)
    ]
    name = feed.publish(700)
    assert pull(feed, folder) == 0
    assert list(pictures(folder)) == [name]
    assert feed.confirmed == []
    assert len(feed.requests) == 2


def test_a_withdrawn_picture_never_comes_back(feed: FeedServer, folder: Path) -> None:
    name = feed.publish(1)
    before = feed.list()
    assert pull(feed, folder) == 0
    feed.withdraw(name)
    assert pull(feed, folder) == 0
    assert feed.confirmed == [picture_id(name)]
    old = lambda request: request.path.endswith(".json") and send(request, 200, before)  # noqa: E731
    feed.misbehave = old
    assert pull(feed, folder) == 0
    assert pictures(folder) == {}


def test_a_folder_with_files_of_others_is_refused(feed: FeedServer, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "index.html").write_text("ours")
    assert pull(feed, folder) == 63
    assert [p.name for p in folder.iterdir()] == ["index.html"]


def test_links_and_folders_in_the_way_are_left_alone(
    feed: FeedServer, folder: Path, tmp_path: Path
) -> None:
    first = feed.publish(1)
    assert pull(feed, folder) == 0
    elsewhere = tmp_path / "elsewhere"
    (folder / "2026-11").rename(elsewhere)
    (folder / "2026-11").symlink_to(elsewhere)
    feed.withdraw(first)
    feed.publish(2)
    assert pull(feed, folder) == 67
    assert [p.name for p in elsewhere.iterdir()] == [first[8:]], "nothing is done through a link"
    assert feed.confirmed == [], "the copy is still there"


def test_nothing_is_confirmed_before_the_hook_has_succeeded(
    feed: FeedServer, folder: Path, tmp_path: Path
) -> None:
    name = feed.publish(1)
    assert pull(feed, folder, "--hook", "true") == 0
    feed.withdraw(name)
    for _ in range(2):
        assert pull(feed, folder, "--hook", "false") == 66
        assert pictures(folder) == {}
        assert feed.confirmed == []
    built = tmp_path / "built"
    hook = f"sh -c 'ls $CONSENT_GATE_FOLDER > {built}; test -z \"$CONSENT_GATE_TOKEN\"'"
    assert pull(feed, folder, "--hook", hook) == 0
    assert feed.confirmed == [picture_id(name)]
    assert built.read_text() == "pictures.json\n"
    built.unlink()
    assert pull(feed, folder, "--hook", hook) == 0
    assert not built.exists(), "nothing changed, so nothing is built"


def test_a_withdrawal_is_confirmed_although_another_picture_cannot_be_fetched(
    feed: FeedServer, folder: Path
) -> None:
    name = feed.publish(1)
    assert pull(feed, folder) == 0
    feed.withdraw(name)
    other = feed.publish(2)
    feed.misbehave = lambda r: r.path.endswith(other) and send(r, 500, b"")
    assert pull(feed, folder) == 60
    assert feed.confirmed == [picture_id(name)]


def test_a_full_disk_does_not_keep_a_withdrawn_picture(
    feed: FeedServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = feed.publish(1)
    assert pull(feed, folder) == 0
    feed.withdraw(name)
    feed.publish(2)
    real = os.fsync

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert pull(feed, folder) == 65
    assert pictures(folder) == {}
    monkeypatch.setattr(os, "fsync", real)
    assert pull(feed, folder) == 0
    assert pictures(folder) == feed.pictures
    assert set(feed.confirmed) == {picture_id(name)}


def test_pictures_are_hidden_when_the_list_was_unreadable_for_long(
    feed: FeedServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed.publish(1)
    assert pull(feed, folder) == 0
    feed.misbehave = lambda request: send(request, 401, b"")
    assert pull(feed, folder) == 61
    assert pictures(folder) == feed.pictures
    now = main_module._now
    monkeypatch.setattr(main_module, "_now", lambda: now() + timedelta(days=8))
    assert pull(feed, folder, "--hide-after", "0") == 61
    assert pictures(folder) == feed.pictures
    assert pull(feed, folder) == 61
    assert pictures(folder) == {}
    feed.misbehave = lambda _: False
    assert pull(feed, folder) == 0
    assert pictures(folder) == feed.pictures
    assert feed.confirmed == []


def test_a_damaged_copy_is_fetched_again(feed: FeedServer, folder: Path) -> None:
    name = feed.publish(1)
    assert pull(feed, folder) == 0
    (folder / name).write_bytes(b"half")
    assert pull(feed, folder) == 0
    assert pictures(folder) == feed.pictures


def test_a_kill_at_any_moment_leaves_a_folder_that_the_next_run_completes(
    feed: FeedServer, folder: Path
) -> None:
    for number in range(30):
        feed.publish(number, os.urandom(20_000))
    rng = random.Random(5)  # noqa: S311
    environment = {**os.environ, "CONSENT_GATE_TOKEN": "a.token"}
    command = [sys.executable, "-m", "publish.pull", feed.address, str(folder)]
    withdrawn = []
    for number in range(8):
        process = subprocess.Popen(command, env=environment, cwd=ROOT)
        try:
            process.wait(0.08 + rng.random() * 0.25)
        except subprocess.TimeoutExpired:
            process.kill()
        process.wait()
        for name, data in pictures(folder).items():
            assert name in withdrawn or data == feed.pictures[name], "never half a picture"
        withdrawn.append(file_name(number))
        feed.withdraw(withdrawn[-1])
    assert pull(feed, folder) == 0
    assert pictures(folder) == feed.pictures
    assert not list((folder / ".consent-gate-pull" / "partial").iterdir())


FOREIGN = st.sampled_from(
    ["index.html", "2026-11/own.jpg", "2026-10/a.jpg", file_name(3), "old/x.jpg", file_name(9)]
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.integers(0, 5)),
        st.tuples(st.just("withdraw"), st.integers(0, 5)),
        st.tuples(st.just("foreign"), FOREIGN),
        st.tuples(st.just("pull"), st.just(0)),
    ),
    max_size=14,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_files_of_others_are_never_changed_or_deleted(
    steps: list[tuple[str, Any]], tmp_path_factory: pytest.TempPathFactory, monkeypatch: Any
) -> None:
    monkeypatch.setattr("publish.pull.main.time.sleep", lambda _: None)
    folder = tmp_path_factory.mktemp("site")
    foreign: set[str] = set()
    with serve_feed() as feed:
        assert pull(feed, folder) == 0
        for step, what in [*steps, ("pull", 0)]:
            name = file_name(what) if isinstance(what, int) else what
            if step == "publish" and picture_id(name) not in feed.withdrawn:
                feed.publish(what)
            elif step == "withdraw" and name in feed.pictures:
                feed.withdraw(name)
            elif step == "foreign" and not (folder / name).exists():
                if name in feed.pictures and _is_recorded(folder, name):
                    continue
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_bytes(b"of somebody else")
                foreign.add(name)
            elif step == "pull":
                assert pull(feed, folder) in {0, 67}
            assert all((folder / f).read_bytes() == b"of somebody else" for f in foreign)


def _is_recorded(folder: Path, name: str) -> bool:
    return name in (folder / ".consent-gate-pull" / "state.json").read_text()


def test_only_own_files_can_be_removed(tmp_path: Path) -> None:
    from publish.pull.state import PullState

    folder = PulledFolder(tmp_path, PullState("https://x.example/feeds/website"), -1)
    with pytest.raises(ValueError, match="not our file"):
        folder.remove(file_name(1))
