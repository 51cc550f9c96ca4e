"""A film that the gate wrote plays in a real browser, with its sound, as a page of the gallery."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser
from waitress.server import create_server

from consent_gate.home.home import Home
from publish.public_gallery.application import GalleryApplication, GalleryChannel
from publish.public_gallery.approved import ApprovedFolder
from publish.rendering.film import FilmCodec, FilmEncoder
from publish.rendering.render import RenditionSpec, render
from tests.support.public_gallery import running

pytestmark = pytest.mark.browser

GREEN = np.full((144, 256, 3), (20, 180, 60), np.uint8)

PLAYED = """async video => {
    video.play();
    while (video.currentTime < 0.3) await new Promise(done => setTimeout(done, 20));
    video.pause();
    const canvas = document.createElement('canvas');
    canvas.width = video.videoWidth; canvas.height = video.videoHeight;
    const pen = canvas.getContext('2d');
    pen.drawImage(video, 0, 0);
    return {colour: [...pen.getImageData(100, 70, 1, 1).data.slice(0, 3)],
            width: video.videoWidth, sound: video.webkitAudioDecodedByteCount,
            muted: video.muted, volume: video.volume, error: video.error};
}"""


def film_with(codec: FilmCodec, channels: int) -> bytes:
    encoder = FilmEncoder(256, 144, channels, codec)
    tone = (8000 * np.sin(np.arange(48_000) / 20)).astype(np.int16)[None]
    for number in range(25):
        encoder.add(number / 25, GREEN)
    encoder.add_sound(np.repeat(tone, max(channels, 1), axis=0))
    return encoder.finish()


@pytest.fixture(scope="module")
def films() -> dict[str, bytes]:
    return {
        letter * 26: film_with(codec, channels)
        for letter, codec, channels in (("a", FilmCodec.H264, 2), ("b", FilmCodec.VP9, 2),
                                        ("c", FilmCodec.VP9, 0))
    }  # fmt: skip


@pytest.fixture
def address(home: Home, films: dict[str, bytes]) -> Iterator[str]:
    """A gallery with the films."""
    folder = home.approved("website")
    (folder / "2026-11").mkdir()
    items = [entry_of(folder, name, data) for name, data in films.items()]
    document = {"schema": "consent-gate/manifest@1", "channel": "website", "sequence": 1}
    document |= {"generated_at": home.clock().isoformat(), "items": items, "withdrawn": []}
    (folder / "manifest.json").write_text(json.dumps(document))
    approved = ApprovedFolder("website", folder, timedelta(hours=24), home.clock)
    application = GalleryApplication({"website": GalleryChannel("School website", approved)}, [])
    server = create_server(application, host="127.0.0.1", port=0, threads=2)
    with running(server):
        yield f"http://127.0.0.1:{server.effective_port}/gallery/website/"


def entry_of(folder: Path, name: str, data: bytes) -> dict[str, object]:
    poster = render(GREEN, RenditionSpec(max_side=256))
    parts = []
    for content, kind in ((data, "mp4"), (poster, "jpg")):
        file = f"2026-11/{name}.{kind}"
        (folder / file).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        parts.append({"file": file, "sha256": digest, "bytes": len(content)})
    return {
        "id": name, **parts[0], "kind": "film", "duration": 1.0, "poster": parts[1],
        "width": 256, "height": 144, "title": "", "alt": "",
        **({"sound": True} if name[0] != "c" else {}),
        "released_at": "2026-11-29T10:00:00+00:00",
    }  # fmt: skip


def test_each_film_plays_and_is_heard_where_it_has_sound(chromium: Browser, address: str) -> None:
    window = chromium.new_context(viewport={"width": 1200, "height": 800})
    page = window.new_page()
    page.goto(address)
    assert page.get_by_text("Film with sound, 0:01").count() == 2
    assert page.get_by_text("Film, 0:01").count() == 1
    for letter in "abc":
        page.goto(f"{address}{letter * 26}/")
        video = page.locator("video")
        assert video.evaluate("video => video.controls && !video.autoplay && video.paused")
        played = video.evaluate(PLAYED)
        assert played["error"] is None
        assert played["width"] == 256
        assert played["colour"] == pytest.approx(GREEN[0, 0].tolist(), abs=8), letter
        assert not played["muted"]
        assert played["volume"] == 1
        assert (played["sound"] > 0) == (letter != "c")
    window.close()
