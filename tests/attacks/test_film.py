"""Films on their whole way through confined workers: hostile ones cost one item, and nothing of the
original but the judged pictures comes out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from consent_gate.db.models import Item
from consent_gate.decisions.item_report import item_as_dict
from consent_gate.home.home import Home
from consent_gate.model import FilmSound, WhenNoFaces
from ingest.pipeline import ingest_once
from publish.verification.mp4 import plain_structure
from publish.verification.verify import verify
from tests.conftest import ROOT
from tests.support.animations import animation
from tests.support.factories import World
from tests.support.films import drawn_frames, make_film
from tests.support.images import jpeg
from tests.support.settings_override import with_channel, with_section

SCHEMA = json.loads((ROOT / "docs" / "manifest.schema.json").read_text())
SECRET = "Mia Ashdown"


def lenient(home: Home) -> Home:
    """The website takes films in which nobody is seen and nobody speaks, so that a drawn film goes
    out by itself, with its tone."""
    values = {"when_no_faces": WhenNoFaces.RELEASE, "film_sound": FilmSound.REVIEWED}
    return with_channel(home, "website", **values)


def drop(home: Home, **films: bytes) -> None:
    folder = home.inbox / "play"
    folder.mkdir(parents=True)
    for name, data in films.items():
        (folder / name.replace("_", ".")).write_bytes(data)


def by_name() -> dict[str, dict[str, Any]]:
    return {item.source.split("/")[1]: item_as_dict(item) for item in Item.objects.all()}


def bomb() -> bytes:
    """A small file with pictures of ten million pixels."""
    return make_film([np.zeros((2400, 4200, 3), np.uint8)] * 2)


def test_films_go_in_and_out_through_confined_workers(home: Home) -> None:
    good, moving = good_film(), animation(drawn_frames(3), "GIF")
    films_go_in_and_out(
        home,
        good_mp4=good,
        cut_mp4=good[: len(good) // 2],
        cut_gif=moving[: len(moving) // 2],
        still_gif=animation(drawn_frames(1), "GIF"),
        moving_gif=moving,
    )


@pytest.mark.slow
def test_films_of_every_damage_go_in_and_out_through_confined_workers(home: Home) -> None:
    good, noise = good_film(), np.random.default_rng(5).bytes
    films_go_in_and_out(
        home,
        good_mp4=good,
        cut_mp4=good[: len(good) // 2],
        damaged_mp4=good[: len(good) // 3] + noise(3000) + good[len(good) // 3 + 3000 :],
        bomb_mp4=bomb(),
        noise_mp4=good[:32] + noise(20_000),
        playlist_mp4=b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        twofilms_mkv=make_film(drawn_frames(5), container="matroska", second_video=True),
    )


def good_film() -> bytes:
    """Its tone is too quiet to hide a voice."""
    words = {"title": SECRET, "comment": SECRET}
    return make_film(drawn_frames(30), sound=True, loudness=0.01, metadata=words)


def films_go_in_and_out(home: Home, **files: bytes) -> None:
    """Only the film ``good_mp4``, the animated picture ``moving_gif`` and what is still are
    published. The others are held."""
    World(home).make_import()
    home = with_section(lenient(home), "analysis", workers=1)  # a second one only costs its start
    drop(home, **files, still_jpg=jpeg() + files["good_mp4"])
    ingest_once(home, lambda *_: None)
    items = by_name()
    assert len(items) == len(files) + 1
    assert items["good.mp4"]["kind"] == "film"
    assert items["good.mp4"]["duration"] == pytest.approx(1.2, abs=0.05)
    assert "kind" not in items.get("still.gif", {})
    for name in set(items) - {"good.mp4", "moving.gif", "still.jpg", "still.gif"}:
        channels = items[name]["channels"].values()
        assert {c["verdict"] for c in channels} == {"held"}, name
        reasons = {reason for c in channels for reason in c["reasons"]}
        assert reasons <= {"not_examined", "unsupported_format"}, name
    assert "kind" not in items["still.jpg"]  # a motion photo: its film is never looked at
    check_what_came_out(home, items["good.mp4"], seconds=1.2, channels=2)
    if "moving.gif" in items:
        assert items["moving.gif"]["kind"] == "film"
        check_what_came_out(home, items["moving.gif"], seconds=0.3)


def check_what_came_out(
    home: Home, item: dict[str, Any], seconds: float, channels: int = 0
) -> None:
    folder = home.approved("website")
    manifest = json.loads((folder / "manifest.json").read_text())
    jsonschema.validate(manifest, SCHEMA)
    file = item["channels"]["website"]["file"]
    (entry,) = [entry for entry in manifest["items"] if entry["file"] == file]
    assert entry["kind"] == "film"
    assert entry["file"].endswith(".mp4")
    assert entry["duration"] == pytest.approx(seconds, abs=0.05)
    film, poster = folder / entry["file"], folder / entry["poster"]["file"]
    structure = plain_structure(film.read_bytes())
    assert structure is not None
    assert structure.channels == channels
    for path, listed in ((film, entry), (poster, entry["poster"])):
        data = path.read_bytes()
        assert len(data) == listed["bytes"]
        assert verify(data) == []
        assert SECRET.encode() not in data
    listed = {file for e in manifest["items"] for file in files_of(e)}
    assert {p.relative_to(folder).as_posix() for p in files_in(folder)} == listed


def files_of(entry: dict[str, Any]) -> list[str]:
    return [entry["file"], *([entry["poster"]["file"]] if "poster" in entry else [])]


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.glob("*/*") if path.is_file()]
