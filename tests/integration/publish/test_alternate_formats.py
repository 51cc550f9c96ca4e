"""A channel with WebP and AVIF publishes all files of a picture or none."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from django.conf import settings
from django.test import Client
from PIL import Image

from consent_gate.db.models import FeedDownload, Publication
from consent_gate.home.home import Home
from consent_gate.matching.gallery import gallery_of
from ingest.decoding.decode import DecodeLimits, decode
from ingest.workers.analysis_pool import AnalysisPool
from publish.feed.tokens import new_token
from publish.integrity.check import integrity_round
from publish.recall.by_hand import RecallSelection, recall_selection
from publish.release import publish_pending
from publish.rendering.render import ImageFormat, RenditionSpec
from publish.renditions.rendition import Rendition, RenditionRefused, RenditionRequest
from publish.verification.verify import verify
from tests.conftest import HomeAfter
from tests.integration.publish.test_feed import WEEK
from tests.integration.publish.test_manifest import SCHEMA
from tests.support.cached_analysis import CachedPool
from tests.support.fake_renderer import (
    FakeRenderer,
    assert_folders_hold_just_the_manifest,
    make_photo,
    make_world_with_ann,
    published_files,
    read_manifest,
)
from tests.support.settings_override import with_channel


def asking_for(home: Home, *forms: str) -> Home:
    return with_channel(home, "website", also=forms)


def make_three_forms_out(home: Home) -> None:
    home = asking_for(home, "webp", "avif")
    make_world_with_ann(home)
    make_photo(home, "000001")
    publish_pending(home, FakeRenderer())


@pytest.fixture
def out(home_after: HomeAfter) -> Home:
    """Ann's picture is out; on the website in three forms."""
    return asking_for(home_after(make_three_forms_out), "webp", "avif")


def test_each_format_is_listed_clean_and_named_alike(out: Home) -> None:
    (entry,) = read_manifest(out)["items"]
    jsonschema.validate(read_manifest(out), SCHEMA)
    assert [each["type"] for each in entry["siblings"]] == ["image/webp", "image/avif"]
    names = [entry["file"], *(each["file"] for each in entry["siblings"])]
    assert len({name.rsplit(".", 1)[0] for name in names}) == 1
    assert sorted(published_files(out)) == sorted(names)
    assert all(verify(data) == [] for data in published_files(out).values())
    assert integrity_round(out, FakeRenderer()) == []


def test_a_channel_that_does_not_ask_has_the_jpeg_alone(out: Home) -> None:
    assert "siblings" not in read_manifest(out, "mag")["items"][0]
    assert len(published_files(out, "mag")) == 1


def test_a_recall_removes_every_format(out: Home) -> None:
    recall_selection(out, RecallSelection(pupils=["000001"]), "j.shaw")
    assert published_files(out) == {}
    assert_folders_hold_just_the_manifest(out)


def test_a_recall_removes_formats_that_the_channel_no_longer_asks_for(out: Home) -> None:
    recall_selection(asking_for(out), RecallSelection(pupils=["000001"]), "j.shaw")
    assert published_files(out) == {}


@pytest.mark.parametrize("ending", [".jpg", ".webp", ".avif"])
def test_a_lost_or_changed_format_is_made_again(out: Home, ending: str) -> None:
    before = published_files(out)
    (path,) = out.approved("website").rglob(f"*{ending}")
    path.unlink()
    assert [found.problem for found in integrity_round(out, FakeRenderer())] == ["missing"]
    assert published_files(out) == before
    path.write_bytes(path.read_bytes() + b"Robin Ashdown")
    assert [found.problem for found in integrity_round(out, FakeRenderer())] == ["changed"]
    assert published_files(out) == before
    assert integrity_round(out, FakeRenderer()) == []


def test_a_form_made_again_under_other_settings_leaves_nothing_of_the_old(out: Home) -> None:
    """The quality was changed since: all files are other ones now."""
    changed = with_channel(out, "website", quality=60)
    next(out.approved("website").rglob("*.webp")).unlink()
    integrity_round(changed, FakeRenderer())
    publish_pending(changed, FakeRenderer())
    assert_folders_hold_just_the_manifest(changed)
    assert len(published_files(changed)) == 3


def test_a_file_in_the_way_of_one_form_is_not_written_over(home: Home) -> None:
    home = asking_for(home, "webp")
    make_world_with_ann(home)
    make_photo(home, "000001")
    row = Publication.objects.get(channel="website")
    stray = home.approved("website") / Path(row.file).with_suffix(".webp")
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"somebody else's")
    publish_pending(home, FakeRenderer())
    publish_pending(home, FakeRenderer())
    (entry,) = read_manifest(home)["items"]
    assert stray.read_bytes() == b"somebody else's"
    assert entry["file"] != row.file
    assert len(published_files(home)) == 3


def test_the_feed_serves_each_format_and_counts_the_reader_once(out: Home) -> None:
    settings.CONSENT_GATE_HOME = out
    token = new_token(out, "website", "wordpress", WEEK, "t.smith")
    (entry,) = read_manifest(out)["items"]
    reader, bearer = Client(SERVER_NAME="localhost"), {"authorization": f"Bearer {token}"}
    for part in entry["siblings"]:
        answer = reader.get(f"/feeds/website/{part['file']}", headers=bearer)
        assert answer.content == published_files(out)[part["file"]]
        assert answer["Content-Type"] == part["type"]
        assert answer["ETag"] == f'"{part["sha256"]}"'
    assert FeedDownload.objects.get().publication_id == entry["id"]
    recall_selection(out, RecallSelection(channels=["website"]), "j.shaw")
    assert reader.get(f"/feeds/website/{part['file']}", headers=bearer).status_code == 404


def make_all_forms(
    home: Home, size: tuple[int, int], open_pool: type[CachedPool | AnalysisPool]
) -> None:
    """Order a picture, other pixels and the picture again, and check the three answers."""
    photo = io.BytesIO()
    Image.effect_mandelbrot(size, (-2, -1, 1, 1), 50).convert("RGB").save(photo, "JPEG", quality=90)
    pixels = decode(photo.getvalue(), DecodeLimits()).pixels_sha256
    order = RenditionRequest(
        RenditionSpec(max_side=3000), pixels, (), (ImageFormat.WEBP, ImageFormat.AVIF)
    )
    of_another = replace(order, pixels_sha256="0" * 64)
    with open_pool(home, gallery_of([])) as pool:
        made, refused, again = pool.start_renditions(photo.getvalue(), [order, of_another, order])()
    assert isinstance(made, Rendition)
    assert isinstance(refused, RenditionRefused), "not the pixels that were judged"
    assert again == made, "two channels get the same picture"
    assert [each.kind for each in made.alternates] == [ImageFormat.WEBP, ImageFormat.AVIF]


def test_a_worker_makes_every_form_of_the_judged_pixels_only(home: Home) -> None:
    make_all_forms(home, (320, 240), CachedPool)


@pytest.mark.slow
def test_the_sealed_off_workers_make_every_form_of_a_large_photo(home: Home) -> None:
    """The real processes, with their limits and without most system calls."""
    make_all_forms(home, (4000, 3000), AnalysisPool)
