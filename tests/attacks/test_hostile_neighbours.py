"""One bad file in a folder stops nothing else that lies there."""

from __future__ import annotations

import errno
import functools
import io
import itertools
import os
import shutil
import socket
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consent_gate.db.models import ConsentAnswer, ImportRun, Item
from consent_gate.errors import ExportUnreadable
from consent_gate.home import filesystem
from consent_gate.home.home import Home
from ingest.enrolment import upload_queue
from ingest.enrolment.enrol import PhotoBatch
from ingest.enrolment.enrolment_report import EnrolmentReport
from ingest.enrolment.zip_contents import MAX_MEMBERS, open_zip, read_tables
from ingest.inbox.stability import NotReadyReason
from ingest.intake import Intake, intake_once
from sims_import.applying import drop_files, drop_folder
from sims_import.applying.run import run_import
from tests.support.images import jpeg
from tests.support.imports import consent_csv, drop_folder_names, import_csv

PORTRAIT = b"a portrait"
WITHDRAWN = consent_csv(_007039="T,,T,T,,")
ONE_TEBIBYTE = 1 << 40


def packed(members: dict[str, bytes], declared: int | None = None, flags: int = 0) -> bytes:
    """A ZIP. ``declared``: the size that it claims for each member."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        for member in archive.infolist():
            member.flag_bits |= flags
            if declared is not None:
                member.file_size = declared
    return file.getvalue()


@functools.cache
def many_members() -> bytes:
    return packed({f"{number}.csv": b"" for number in range(MAX_MEMBERS + 1)})


@functools.cache
def huge_directory() -> bytes:
    """A ZIP whose last record says that the list of members has 4 GB."""
    data = bytearray(packed({"a.csv": b"x"}))
    at = data.rindex(b"PK\x05\x06")
    data[at + 12 : at + 16] = b"\xfe\xff\xff\xff"
    return bytes(data)


def write(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def sparse(size: int, start: bytes = b"") -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(start)
        os.truncate(path, size)

    return make


def listen(path: Path) -> None:
    """A socket; its own path may be too long, so it is made elsewhere and moved."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as end:
        end.bind(f"{folder}/socket")
        shutil.move(f"{folder}/socket", path)


NEIGHBOURS: dict[str, tuple[bytes, Callable[[Path], object]]] = {
    "name that is not UTF-8": (b"\xff\xfe.csv", write(b"nothing")),
    "name with a newline": (b"a\n\x1b[2Jb.csv", write(b"nothing")),
    "name of 255 bytes": (b"n" * 251 + b".csv", write(b"nothing")),
    "name of 255 bytes, not UTF-8": (b"\xe9" * 251 + b".zip", write(b"nothing")),
    "empty": (b"list.csv", write(b"")),
    "zero bytes": (b"zero.xlsx", write(bytes(5000))),
    "folder": (b"x.csv", Path.mkdir),
    "FIFO": (b"pipe.csv", os.mkfifo),
    "FIFO called a ZIP": (b"pipe.zip", os.mkfifo),
    "socket": (b"socket.xml", listen),
    "link out of the folder": (b"out.csv", lambda path: path.symlink_to("/etc/passwd")),
    "link to itself": (b"loop.csv", lambda path: path.symlink_to(path)),
    "sparse file of 6 GB": (b"large.csv", sparse(6 << 30)),
    "sparse ZIP of 6 GB": (b"large.zip", sparse(6 << 30, b"PK\x03\x04")),
    "60 members of 250 MB": (
        b"bomb.zip",
        write(packed({f"{n}.csv": b"x" * 999 for n in range(60)}, declared=250 << 20)),
    ),
    "60 photos of 250 MB": (
        b"photos-bomb.zip",
        write(packed({f"{n}.jpg": b"x" * 999 for n in range(60)}, declared=250 << 20)),
    ),
    "more members than any school": (
        b"many.zip",
        lambda path: path.write_bytes(many_members()),
    ),
    "directory of 4 GB": (b"directory.zip", write(huge_directory())),
    "ZIP in a ZIP": (b"nested.zip", write(packed({"a.zip": packed({"b.csv": b"c"})}))),
    "names out of the folder": (
        b"names.zip",
        write(packed({"../../a.csv": b"x", "/etc/b.csv": b"y", "c\n.jpg": b"z", "/": b""})),
    ),
    "encrypted": (b"secret.zip", write(packed({"a.csv": b"x", "007001.jpg": b"y"}, flags=1))),
    "cut short": (b"cut.zip", write(packed({"consent.csv": WITHDRAWN.encode()})[:300])),
    "workbook bomb": (
        b"bomb.xlsx",
        write(packed({"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b" " * 9999}, 2**31 - 1)),
    ),
    "XML of many levels": (b"deep.xml", write(b"<a>" * 100_000)),
    "not an export": (b"letter.csv", write(b"\x00\x01 Dear parents")),
    "vanishes": (b"vanishing.csv", write(b"a,b")),
    "changes": (b"changing.csv", write(b"a,b")),
    "locked by another program": (b"locked.csv", write(b"a,b")),
}

IN_PHOTOS: tuple[str, ...] = (
    "empty",
    "zero bytes",
    "folder",
    "FIFO",
    "link to itself",
    "not an export",
)
IN_PHOTOS += ("name that is not UTF-8", "sparse file of 6 GB", "name with a newline")


@pytest.fixture
def photos_read(home: Home, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The photos that enrolment reads; faces are not measured."""
    read: list[bytes] = []

    def enrol_all(_home: Home, batch: PhotoBatch, *_: object) -> EnrolmentReport:
        left_out = []
        for source in batch.sources:
            for name in source.names():
                try:
                    read.append(source.read(name))
                except OSError:
                    left_out.append((filesystem.printable_name(name), "cannot be read"))
        return EnrolmentReport((), tuple(left_out), 0, ())

    def between_the_two_times(_seconds: float) -> None:
        (home.sims / "vanishing.csv").unlink(missing_ok=True)
        if (home.sims / "changing.csv").exists():
            with (home.sims / "changing.csv").open("a") as more:
                more.write("more")

    def open_unless_locked(path: Path) -> Any:
        if path.name.startswith("locked"):
            raise PermissionError(13, "locked")
        return filesystem.open_regular_file(path)

    monkeypatch.setattr(drop_folder, "enrol_all", enrol_all)
    monkeypatch.setattr(upload_queue, "enrol_all", enrol_all)
    monkeypatch.setattr(drop_files, "open_regular_file", open_unless_locked)
    monkeypatch.setattr(time, "sleep", between_the_two_times)
    return read


def has_withdrawn() -> bool:
    mag = ConsentAnswer.objects.get(pupil__admission_number="007039", purpose="mag")
    return mag.answer != "given"


NUMBERS = itertools.count(1)


def drop_with(home: Home, kinds: set[str], in_photos: set[str], export: str) -> None:
    """Drop neighbours, and one good export and one good photo."""
    shutil.rmtree(home.sims)
    (home.sims / "photos").mkdir(parents=True)
    # Each example begins with the same answers, which count as older ones from the second on.
    import_csv(home, consent_csv() + "\n" * next(NUMBERS), "export-older")
    assert not has_withdrawn()
    for folder, chosen in ((home.sims, kinds), (home.sims / "photos", in_photos)):
        for kind in sorted(chosen):
            name, make = NEIGHBOURS[kind]
            make(folder / os.fsdecode(name))
    (home.sims / export).write_text(WITHDRAWN + "\n" * next(NUMBERS))
    (home.sims / "photos" / "007000.jpg").write_bytes(PORTRAIT)


@pytest.mark.parametrize("kind", NEIGHBOURS)
def test_a_bad_neighbour_stops_neither_withdrawal_nor_photo(
    home: Home, photos_read: list[bytes], kind: str
) -> None:
    in_photos = {kind} & set(IN_PHOTOS)
    drop_with(home, {kind}, in_photos, "m-consent.csv")
    drop_folder.process_drop_folder(home)
    assert has_withdrawn()
    assert PORTRAIT in photos_read
    assert "m-consent.csv" in drop_folder_names(home, "done")
    if kind not in {"vanishes", "changes", "locked by another program"}:
        left = [p for p in home.sims.iterdir() if p.suffix in {".csv", ".zip", ".xlsx", ".xml"}]
        assert left == [], "put aside, so that it is not tried for ever"
    if kind not in {"vanishes", "changes"}:
        assert [n for n in drop_folder_names(home, "waiting") if n.endswith(".txt")] or [
            n for n in drop_folder_names(home, "done") if "consent" not in n
        ], "the office is told"


@settings(
    max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(
    kinds=st.sets(st.sampled_from(sorted(NEIGHBOURS)), max_size=6),
    in_photos=st.sets(st.sampled_from(sorted(IN_PHOTOS))),
    export=st.sampled_from(["0.csv", "m.csv", "zz.csv"]),
)
def test_any_bad_neighbours_stop_neither_withdrawal_nor_photo(
    home: Home, photos_read: list[bytes], kinds: set[str], in_photos: set[str], export: str
) -> None:
    drop_with(home, kinds, in_photos, export)
    photos_read.clear()
    drop_folder.process_drop_folder(home)
    assert has_withdrawn()
    assert PORTRAIT in photos_read


@pytest.mark.dialect
def test_a_fault_in_a_reader_costs_one_file(
    home: Home, photos_read: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = run_import

    def fail(home: Home, export: Any, *arguments: Any) -> Any:
        if export.name == "a.csv":
            raise IndexError
        return real(home, export, *arguments)

    drop_with(home, set(), set(), "b.csv")
    (home.sims / "a.csv").write_text(consent_csv())
    monkeypatch.setattr(drop_folder, "run_import", fail)
    drop_folder.process_drop_folder(home)
    assert has_withdrawn()
    assert any(name.endswith("a.csv") for name in drop_folder_names(home, "waiting"))


class Killed(BaseException):
    """Stands for a power cut."""


@pytest.mark.dialect
def test_a_crash_while_photos_are_enrolled_loses_none_of_them(
    home: Home, photos_read: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    import_csv(home, consent_csv())
    members = {"consent.csv": WITHDRAWN.encode(), "007001.jpg": PORTRAIT}
    (home.sims / "all.zip").write_bytes(packed(members))

    def stop(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as crashing:
        crashing.setattr(upload_queue, "enrol_all", stop)
        with pytest.raises(Killed):
            drop_folder.process_drop_folder(home)
    assert has_withdrawn()
    before = ImportRun.objects.count()
    drop_folder.process_drop_folder(home)
    assert photos_read == [PORTRAIT]
    assert ImportRun.objects.count() == before, "the register is not imported twice"
    drop_folder.process_drop_folder(home)
    assert photos_read == [PORTRAIT]


@pytest.mark.dialect
@pytest.mark.parametrize("at", ["archive_file", "contains_photos"])
def test_a_crash_before_the_file_is_moved_loses_no_photo(
    home: Home, photos_read: list[bytes], monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    import_csv(home, consent_csv())
    members = {"consent.csv": WITHDRAWN.encode(), "007001.jpg": PORTRAIT}
    (home.sims / "all.zip").write_bytes(packed(members))

    def stop(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as crashing:
        crashing.setattr(drop_folder, at, stop)
        with pytest.raises(Killed):
            drop_folder.process_drop_folder(home)
    before = ImportRun.objects.count()
    drop_folder.process_drop_folder(home)
    assert photos_read == [PORTRAIT]
    assert ImportRun.objects.count() == before


@pytest.mark.dialect
def test_every_register_is_imported_before_the_first_photo(
    home: Home, photos_read: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    import_csv(home, consent_csv())
    first = packed({"consent.csv": consent_csv().encode(), "007001.jpg": PORTRAIT})
    (home.sims / "a.zip").write_bytes(first)
    (home.sims / "b.csv").write_text(WITHDRAWN)
    at_first_photo = []
    real: Callable[..., EnrolmentReport] = vars(upload_queue)["enrol_all"]

    def enrol_all(*arguments: Any) -> EnrolmentReport:
        at_first_photo.append(has_withdrawn())
        return real(*arguments)

    monkeypatch.setattr(upload_queue, "enrol_all", enrol_all)
    drop_folder.process_drop_folder(home)
    assert at_first_photo == [True]


def test_a_withdrawal_that_arrives_while_photos_are_enrolled_does_not_wait_for_them(
    home: Home, photos_read: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    import_csv(home, consent_csv())
    (home.sims / "photos.zip").write_bytes(packed({"007001.jpg": PORTRAIT}))
    seen = []

    def enrol_all(home: Home, _batch: object, _actor: str, progress: Any) -> EnrolmentReport:
        (home.sims / "b.csv").write_text(WITHDRAWN)
        progress(1, 700)
        seen.append(has_withdrawn())
        return EnrolmentReport((), (), 0, ())

    monkeypatch.setattr(drop_folder, "CHECK_WHILE_ENROLLING", 0.0)
    monkeypatch.setattr(upload_queue, "enrol_all", enrol_all)
    drop_folder.process_drop_folder(home)
    assert seen == [True]


def test_tables_of_a_large_zip_are_read_without_its_photos() -> None:
    """Most of a ZIP with portraits never comes into memory."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("consent.csv", WITHDRAWN)
        for number in range(7):
            archive.writestr(f"{number}.jpg", os.urandom(10 << 20))
    tables = read_tables(file)
    assert len(tables) < 1 << 20
    with zipfile.ZipFile(io.BytesIO(tables)) as archive:
        assert archive.namelist() == ["consent.csv"]


@pytest.mark.parametrize("data", [many_members, huge_directory], ids=["members", "directory"])
def test_a_list_of_members_is_bounded_before_it_is_parsed(data: Callable[[], bytes]) -> None:
    with pytest.raises(ExportUnreadable):
        open_zip(io.BytesIO(data()))


# --- the inbox -----------------------------------------------------------------------------


def _in_the_future(path: Path) -> None:
    path.write_bytes(jpeg() + b"future")
    try:
        os.utime(path, (16_725_225_600, 16_725_225_600))
    except OverflowError:
        pytest.skip("this disk has no such dates")


def _deep(path: Path) -> None:
    folder = path
    for number in range(14):
        folder /= f"{number}" * 100
    folder.mkdir(parents=True)
    (folder / ("n" * 200 + ".jpg")).write_bytes(jpeg() + b"deep")


INBOX_NEIGHBOURS: dict[str, tuple[bytes, Callable[[Path], object]]] = {
    "film of 2 TB": (b"film.mov", sparse(2 * ONE_TEBIBYTE)),
    "photo of 2 TB": (b"photo.jpg", sparse(2 * ONE_TEBIBYTE, b"\xff\xd8\xff")),
    "FIFO": (b"pipe.jpg", os.mkfifo),
    "socket": (b"socket.jpg", listen),
    "folder": (b"folder.jpg", Path.mkdir),
    "link out of the folder": (b"out.jpg", lambda path: path.symlink_to("/etc/passwd")),
    "link to itself": (b"loop.jpg", lambda path: path.symlink_to(path)),
    "name that is not UTF-8": (b"\xff\xfe.jpg", write(jpeg())),
    "name with a newline": (b"a\n\x1b[2Jb.jpg", write(jpeg())),
    "name of 255 bytes": (b"\xe9" * 251 + b".jpg", write(jpeg())),
    "empty": (b"empty.jpg", write(b"")),
    "date of the year 2500": (b"future.jpg", _in_the_future),
    "path of 3000 bytes": (b"deep", _deep),
}


@pytest.mark.parametrize("afterwards", ["leave", "move", "delete"])
@pytest.mark.parametrize("kind", INBOX_NEIGHBOURS)
def test_a_bad_file_in_the_inbox_stops_no_photo(home: Home, kind: str, afterwards: str) -> None:
    object.__setattr__(home.settings.inbox, "afterwards", afterwards)
    name, make = INBOX_NEIGHBOURS[kind]
    make(home.inbox / os.fsdecode(name))
    (home.inbox / "m.jpg").write_bytes(jpeg() + b"good")
    intake_once(home)
    assert Item.objects.filter(source="m.jpg").exists()


@settings(
    max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(kinds=st.sets(st.sampled_from(sorted(INBOX_NEIGHBOURS)), min_size=2), number=st.integers())
def test_any_bad_files_in_the_inbox_stop_no_photo(home: Home, kinds: set[str], number: int) -> None:
    shutil.rmtree(home.inbox)
    home.inbox.mkdir()
    for kind in sorted(kinds):
        name, make = INBOX_NEIGHBOURS[kind]
        make(home.inbox / os.fsdecode(name))
    photo = jpeg() + str(number).encode()
    (home.inbox / "m.jpg").write_bytes(photo)
    intake_once(home)
    digests = {item.size for item in Item.objects.filter(sightings__source="m.jpg")}
    assert digests == {len(photo)}


def test_a_film_of_two_terabytes_is_never_opened_and_is_named(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    sparse(2 * ONE_TEBIBYTE)(home.inbox / "film.mov")
    intake = Intake(home, patience=0)
    intake.scan()
    assert intake.claim_due().new == 0
    (waiting,) = intake.pending_files()
    assert waiting.reason is NotReadyReason.TOO_LARGE
    assert intake.next_due() is None


def test_a_file_that_grows_while_it_is_copied_is_read_to_its_first_size_only(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home.inbox / "grows.jpg"
    path.write_bytes(jpeg())
    real = filesystem.open_regular_file

    def grow(opened: Path) -> Any:
        file = real(opened)
        os.truncate(path, ONE_TEBIBYTE)
        return file

    monkeypatch.setattr("ingest.inbox.claim.open_regular_file", grow)
    intake_once(home)
    assert not Item.objects.exists()


@pytest.fixture(autouse=True)
def _no_sparse_files_left(tmp_path: Path) -> Iterator[None]:
    """Sparse files would make later copies of the folder endless."""
    yield
    for path in tmp_path.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.stat().st_size > 1 << 30:
            path.unlink()


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EROFS, "can only be read"),
        (errno.EACCES, "Close other programs"),
        (errno.EIO, "reported a fault"),
    ],
)
def test_the_note_on_a_file_that_waits_names_the_true_cause(
    home: Home, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    (home.sims / "consent.csv").write_text(WITHDRAWN)

    def fails(_path: Path) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(drop_files, "open_regular_file", fails)
    drop_folder.process_drop_folder(home)
    assert said in (home.sims / "waiting" / "consent.csv (not read yet).txt").read_text()
    assert (home.sims / "consent.csv").exists()
