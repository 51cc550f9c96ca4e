"""Screening an archive or a live website gives a verdict on every picture and changes nothing."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from pathlib import Path
from unittest import mock

import cv2
import fsspec
import pytest
from typer.testing import CliRunner

from consent_gate.bootstrap import configure_django
from consent_gate.db.models import (
    Archive,
    ConsentAnswer,
    Item,
    Publication,
    ScreenedPicture,
    Template,
)
from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery
from consent_gate.model import Answer, Box, Examined, FaceEvidence, FaceKind
from ingest.archive.screen import ScreeningOptions, ScreeningRun, screen_archive
from ingest.archive.sources import ArchiveUnavailable, in_shard, open_archive
from ingest.workers.examination import Examination
from tests.support.bucket import Bucket
from tests.support.cached_analysis import CachedPool
from tests.support.factories import World, matches
from tests.support.fake_analysis import FakePool, examine_without_faces
from tests.support.films import drawn_frames, make_film
from tests.support.images import scene

configure_django()

from consent_gate.cli.app import app  # noqa: E402  models must be importable first


def a_photo(number: int) -> bytes:
    return bytes(cv2.imencode(".jpg", scene(seed=number))[1])


@pytest.fixture
def archive(demo_school: Home, tmp_path: Path) -> Path:
    """The demonstration's pictures, as if they were an old archive; and a file of Windows."""
    folder = tmp_path / "old pictures"
    shutil.copytree(demo_school.inbox, folder)
    (folder / "Thumbs.db").write_bytes(b"x")
    return folder


def backfill(home: Home, location: object, *options: str, exit_code: int = 1) -> dict[str, object]:
    with mock.patch.object(os, "nice") as nice:  # else all later tests of this process are slower
        found = CliRunner().invoke(
            app, ["--home", str(home.root), "backfill", str(location), "--json", *options]
        )
    assert found.exit_code == exit_code, found.output  # 1: a picture is not clear
    nice.assert_called_once_with(10)
    answer: dict[str, object] = json.loads(found.stdout.splitlines()[-1])
    return answer


def verdicts(answer: dict[str, object]) -> dict[str, str]:
    with Path(str(answer["table"])).open(encoding="utf-8-sig", newline="") as table:
        return {Path(row["Picture"]).name: row["School website"] for row in csv.DictReader(table)}


@pytest.mark.slow
def test_the_confined_workers_judge_an_archive_as_the_gate_would(
    demo_school: Home, archive: Path
) -> None:
    assert_judged_as_by_the_gate(demo_school, archive)


def test_an_archive_is_judged_as_the_gate_would_and_nothing_is_taken_in(
    demo_school: Home, archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "ingest.archive.screen.screen_archive", partial(screen_archive, open_pool=CachedPool)
    )
    assert_judged_as_by_the_gate(demo_school, archive)


def assert_judged_as_by_the_gate(demo_school: Home, archive: Path) -> None:
    before = (Item.objects.count(), Publication.objects.count(), _files(demo_school.inbox))
    found = verdicts(backfill(demo_school, archive))
    assert (Item.objects.count(), Publication.objects.count(), _files(demo_school.inbox)) == before
    assert "Thumbs.db" not in found
    expected = {
        Path(item.source).name: item.decisions.get(channel="website").verdict == "released"
        for item in Item.objects.all()
    }
    assert {name: words == "clear" for name, words in found.items()} == expected
    assert any(expected.values())


@pytest.mark.slow
def test_a_live_picture_of_a_pupil_whose_family_withdrew_is_named_first(
    demo_school: Home,
) -> None:
    live = demo_school.approved("website")
    assert set(verdicts(backfill(demo_school, live)).values()) >= {"clear"}
    ConsentAnswer.objects.filter(purpose="website").update(answer=Answer.REFUSED)
    answer = backfill(demo_school, live)
    pictures = {n: w for n, w in verdicts(answer).items() if n.endswith(".jpg")}
    assert pictures
    assert set(pictures.values()) == {"shows someone without consent"}
    page = Path(str(answer["page"])).read_text()
    assert all(name in page for name in pictures)


class SeesRobin(FakePool):
    """An analysis that recognises Robin of the demonstration in every picture."""

    def examine(self, data: bytes) -> Future[Examination]:
        face = FaceEvidence(Box(1, 1, 20, 24), 0.95, FaceKind.FACE, matches("000101"))
        examined = self._executor.submit(examine_without_faces, data).result().evidence
        assert isinstance(examined, Examined)
        done: Future[Examination] = Future()
        done.set_result(Examination(replace(examined, faces=(face,)), None, lines=()))
        return done


def test_a_picture_of_a_pupil_whose_family_withdrew_is_named_in_the_report(
    demo_school: Home, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "ingest.archive.screen.screen_archive", partial(screen_archive, open_pool=SeesRobin)
    )
    assert set(verdicts(backfill(demo_school, pictures, exit_code=0)).values()) == {"clear"}
    ConsentAnswer.objects.filter(purpose="website").update(answer=Answer.REFUSED)
    answer = backfill(demo_school, pictures)
    assert set(verdicts(answer).values()) == {"shows someone without consent"}
    page = Path(str(answer["page"])).read_text()
    assert all(path.name in page for path in pictures.iterdir())


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def look(home: Home, folder: Path, stop_after: int = 0, **wishes: object) -> ScreeningRun:
    """A look with an analysis that costs nothing, stopped by hand after so many pictures."""

    def progress(done: int) -> None:
        if stop_after and done >= stop_after:
            raise KeyboardInterrupt

    source = open_archive(str(folder))
    return screen_archive(home, source, ScreeningOptions(**wishes), progress, FakePool)  # type: ignore[arg-type]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(12):
        (folder / f"{number:02}.jpg").write_bytes(a_photo(number))
    return folder


def test_a_stopped_screening_resumes_where_it_was(home: Home, pictures: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        look(home, pictures, stop_after=5)
    assert Archive.objects.get().finished_at is None
    rest = look(home, pictures)
    assert (rest.examined, rest.unchanged) == (7, 5)
    assert ScreenedPicture.objects.count() == 12


def test_a_finished_screening_starts_afresh_and_forgets_pictures_that_are_gone(
    home: Home, pictures: Path
) -> None:
    assert look(home, pictures).examined == 12
    (pictures / "00.jpg").unlink()
    assert look(home, pictures).examined == 11
    assert not ScreenedPicture.objects.filter(path="00.jpg").exists()


def test_only_new_skips_unchanged_pictures(home: Home, pictures: Path) -> None:
    look(home, pictures)
    os.utime(pictures / "03.jpg", ns=(1, 1))
    again = look(home, pictures, only_new=True)
    assert (again.examined, again.unchanged) == (1, 11)


def test_a_new_consent_list_has_every_picture_screened_again(home: Home, pictures: Path) -> None:
    look(home, pictures)
    World(home).make_import()
    assert look(home, pictures, only_new=True).examined == 12


def test_templates_withdrawn_during_a_screening_leave_the_workers(
    demo_school: Home, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.archive.screen.CHECK_INTERVAL", 0.0)
    enrolled = []

    class Watched(FakePool):
        def __init__(self, home: Home, gallery: Gallery) -> None:
            enrolled.append(len(gallery.pupils))
            super().__init__(home, gallery)

    def withdraw(_: int) -> None:
        Template.objects.all().delete()

    source = open_archive(str(pictures))
    screen_archive(demo_school, source, ScreeningOptions(), withdraw, Watched)
    assert enrolled[0] > 0
    assert enrolled[1:] == [0]
    assert ScreenedPicture.objects.count() == 12


def test_the_shares_of_several_machines_cover_every_picture(home: Home, pictures: Path) -> None:
    done = [look(home, pictures, shard=f"{n}/3").examined for n in (1, 2, 3)]
    assert sum(done) == 12
    assert max(done) < 12
    paths = list(ScreenedPicture.objects.values_list("path", flat=True))
    assert len(paths) == len(set(paths)) == 12
    assert not any(in_shard("1/3", p) and in_shard("2/3", p) for p in paths)


def test_pictures_are_copied_into_the_inbox_only_when_asked(home: Home, pictures: Path) -> None:
    look(home, pictures)
    assert _files(home.inbox) == []
    look(home, pictures, inbox_folder="many")
    copies = {path.name: path.read_bytes() for path in (home.inbox / "archive/many").iterdir()}
    assert copies == {path.name: path.read_bytes() for path in pictures.iterdir()}


def test_films_of_an_archive_are_examined_as_films_in_parts_where_they_are_large(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    film = make_film(drawn_frames(50))
    (folder / "small.mp4").write_bytes(film)
    (folder / "large.jpg").write_bytes(film + b"\x00\x00\x10\x00free" + bytes(4088))
    monkeypatch.setattr("ingest.archive.screen.IN_PARTS_FROM", len(film) + 1)
    look(home, folder, inbox_folder="many")
    reasons = {row.path: row.reasons["website"] for row in ScreenedPicture.objects.all()}
    assert reasons.keys() == {"small.mp4", "large.jpg"}
    assert all("unsupported_format" not in found for found in reasons.values())
    assert all("no_faces_found" in found for found in reasons.values())
    copies = {path.name: path.read_bytes() for path in (home.inbox / "archive/many").iterdir()}
    assert copies == {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_throttled_screening_takes_longer(home: Home, pictures: Path) -> None:
    import time

    started = time.monotonic()
    look(home, pictures, max_per_minute=1200)
    assert time.monotonic() - started >= 11 * 60 / 1200


def test_a_missing_folder_is_reported(home: Home, tmp_path: Path) -> None:
    with pytest.raises(ArchiveUnavailable):
        look(home, tmp_path / "nowhere")
    with pytest.raises(ArchiveUnavailable):
        open_archive("ftp://example/pictures")


def test_an_archive_in_a_bucket_is_screened_like_a_folder(
    home: Home, pictures: Path, bucket: Bucket
) -> None:
    store = fsspec.filesystem("s3", skip_instance_cache=True)
    archive = f"{bucket.location}/2019"
    for path in pictures.iterdir():
        store.pipe_file(f"{archive}/sports day/{path.name}", path.read_bytes())
    store.pipe_file(f"{archive}/.DS_Store", b"x")
    store.pipe_file(f"{bucket.location}/2020/other.jpg", b"x")
    done = screen_archive(home, open_archive(archive), ScreeningOptions(), lambda _: None, FakePool)
    assert done.examined == 12
    paths = set(ScreenedPicture.objects.values_list("path", flat=True))
    assert paths == {f"sports day/{path.name}" for path in pictures.iterdir()}
    again = ScreeningOptions(only_new=True)
    assert (
        screen_archive(home, open_archive(archive), again, lambda _: None, FakePool).examined == 0
    )


def test_a_bucket_that_cannot_be_read_is_reported_and_not_taken_for_empty(
    home: Home, bucket: Bucket
) -> None:
    nowhere = open_archive("s3://nowhere/2019")
    with pytest.raises(ArchiveUnavailable):
        screen_archive(home, nowhere, ScreeningOptions(), lambda _: None, FakePool)


def test_a_name_in_a_bucket_cannot_lead_out_of_the_inbox(home: Home) -> None:
    class Hostile:
        location = "s3://hostile"

        def files(self) -> Iterator[object]:
            from ingest.archive.sources import ArchiveFile

            yield ArchiveFile("../../../outside.jpg", "", "1", 10)

        def read(self, one: object) -> bytes:
            return a_photo(1)

    wishes = ScreeningOptions(inbox_folder="many")
    screen_archive(home, Hostile(), wishes, lambda _: None, FakePool)  # type: ignore[arg-type]
    assert not list(home.root.rglob("outside.jpg"))


def test_an_archive_without_a_picture_is_not_called_clear(home: Home, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    channels = backfill(home, empty)["channels"]  # which expects exit code 1
    assert channels == {"School website": {}, "Millfields Mag": {}, "School displays": {}}
