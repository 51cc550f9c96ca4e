"""The manifest follows its published schema."""

from __future__ import annotations

import json

import jsonschema
import pytest

from consent_gate.db.models import Publication
from consent_gate.home.home import Home
from consent_gate.vault.originals import read_part
from publish.channel.manifest import build
from publish.pull.errors import FeedInvalid
from publish.pull.manifest import parse
from publish.release import publish_pending
from tests.conftest import ROOT
from tests.support.fake_renderer import (
    FakeRenderer,
    make_film_item,
    make_photo,
    make_world_with_ann,
    read_manifest,
    withdraw_consent,
)

SCHEMA = json.loads((ROOT / "docs" / "manifest.schema.json").read_text())


def test_the_list_follows_the_schema_with_pictures_out_and_taken_back(home: Home) -> None:
    make_world_with_ann(home).make_pupil("000002", forename="Ben")
    publish_pending(home, FakeRenderer())
    jsonschema.validate(read_manifest(home), SCHEMA)
    make_photo(home, "000001", title="Sports day")
    make_photo(home, "000002")
    publish_pending(home, FakeRenderer())
    withdraw_consent(home, "000002")
    publish_pending(home, FakeRenderer())
    manifest = read_manifest(home)
    jsonschema.validate(manifest, SCHEMA)
    assert [item["title"] for item in manifest["items"]] == ["Sports day"]
    assert len(manifest["withdrawn"]) == 1


def test_the_list_says_nothing_of_people_files_or_cameras(home: Home) -> None:
    """Only what the schema names may be in it."""
    for kind in ("items", "withdrawn"):
        assert SCHEMA["properties"][kind]["items"]["additionalProperties"] is False
    assert SCHEMA["additionalProperties"] is False


def test_the_sequence_only_grows(home: Home) -> None:
    make_world_with_ann(home)
    seen = []
    for _ in range(3):
        make_photo(home, "000001")
        publish_pending(home, FakeRenderer())
        seen.append(read_manifest(home)["sequence"])
    assert seen == sorted(set(seen))


def test_a_film_is_listed_with_its_duration_and_its_poster_and_is_taken_back_whole(
    home: Home,
) -> None:
    make_world_with_ann(home)
    item = make_film_item(home, "000001")
    publish_pending(home, FakeRenderer())
    manifest = read_manifest(home)
    jsonschema.validate(manifest, SCHEMA)
    (entry,) = manifest["items"]
    assert (entry["kind"], entry["duration"]) == ("film", 2.0)
    assert "sound" not in entry
    folder = home.approved("website")
    film, poster = folder / entry["file"], folder / entry["poster"]["file"]
    assert (film.suffix, poster.suffix) == (".mp4", ".jpg")
    assert film.read_bytes() == read_part(home, item)
    assert film.stat().st_size == entry["bytes"]
    assert poster.stat().st_size == entry["poster"]["bytes"]
    withdraw_consent(home, "000001")
    publish_pending(home, FakeRenderer())
    manifest = read_manifest(home)
    jsonschema.validate(manifest, SCHEMA)
    assert manifest["items"] == []
    assert manifest["withdrawn"][0]["file"] == entry["file"]
    assert not film.exists()
    assert not poster.exists()


def test_a_film_with_sound_says_so_to_each_reader(home: Home) -> None:
    make_world_with_ann(home)
    make_film_item(home, "000001")
    publish_pending(home, FakeRenderer())
    row = Publication.objects.get(channel="website")
    row.sound = {"sha256": "ab" * 32, "muted": []}
    manifest = build("website", 1, home.now(), [row], {})
    jsonschema.validate(manifest, SCHEMA)
    (entry,) = manifest["items"]
    assert entry["sound"] is True
    parse(json.dumps(manifest).encode(), "website")
    for wrong in (False, 1, "yes", None):
        manifest["items"] = [{**entry, "sound": wrong}]
        with pytest.raises(FeedInvalid):
            parse(json.dumps(manifest).encode(), "website")
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(manifest, SCHEMA)


def test_a_reader_gets_the_film_and_its_poster(home: Home) -> None:
    make_world_with_ann(home)
    make_film_item(home, "000001")
    publish_pending(home, FakeRenderer())
    manifest = read_manifest(home)
    listed = parse(json.dumps(manifest).encode(), "website")
    (entry,) = manifest["items"]
    assert set(listed.files) == {entry["file"], entry["poster"]["file"]}


def test_a_film_with_a_covered_face_is_not_published(home: Home) -> None:
    make_world_with_ann(home)
    make_film_item(home, "000001")
    Publication.objects.update(redactions=[[0, 0, 10, 10]])
    publish_pending(home, FakeRenderer())
    assert read_manifest(home)["items"] == []
