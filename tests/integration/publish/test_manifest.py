"""The manifest follows its published schema."""

from __future__ import annotations

import json

import jsonschema

from consent_gate.home.home import Home
from publish.release import publish_pending
from tests.conftest import ROOT
from tests.support.fake_renderer import (
    FakeRenderer,
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
