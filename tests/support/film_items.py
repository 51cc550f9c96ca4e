"""Items that are films, as if a worker had examined them."""

from __future__ import annotations

import io
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from consent_gate.db.models import Item
from consent_gate.model import Box, Examined, FaceEvidence, FaceKind, Film, Identity, Shown, Sound
from consent_gate.vault.interface import as_stream
from consent_gate.vault.originals import save_film_view, vault_of
from ingest.film.decode import FilmReader
from ingest.film.shared_file import SharedFile
from ingest.film.sound_check import SoundExamination
from ingest.film.staff_view import TILE, ViewEncoder, packed, strip_of
from tests.support.factories import World, with_text_read
from tests.support.films import drawn_frames, make_film


def make_film_item(
    world: World, *identities: Identity, is_viewable: bool = True, sound: Sound | None = None
) -> Item:
    """A film of two seconds with these faces, one after another, decided.

    With ``sound`` it has a tone, of which this is recorded.
    """
    drawn = _drawn(has_sound=sound is not None)
    film = Film(2.0, drawn.frames, 0, 2, 1, ("video h264",), is_viewable)
    if sound is not None and drawn.sound is not None:
        streams = ("video h264", "audio aac")
        film = replace(film, streams=streams, sound=replace(drawn.sound, speech=sound.speech))
    faces = tuple(_track(number, identity) for number, identity in enumerate(identities))
    evidence = with_text_read(
        Examined(drawn.width, drawn.height, drawn.frames_sha256, faces, film=film)
    )
    item = world.make_item(event="play", name="play.mp4", evidence=evidence)
    vault = vault_of(world.home)
    key = vault.unwrap(item.pk, bytes(item.wrapped_key or b""))
    stored = vault.write(item.pk, key, as_stream(drawn.original))
    item.sha256, item.size = stored.sha256, stored.size
    item.save(update_fields=["sha256", "size"])
    tiles = [np.full((TILE, TILE, 3), 40 * number, np.uint8) for number in range(len(faces))]
    both = packed(strip_of(tiles), drawn.view)
    assert both is not None
    if is_viewable:
        save_film_view(world.home, item, both)
    return item


@dataclass(frozen=True)
class _DrawnFilm:
    """A film of two seconds, and what a worker says of it."""

    original: bytes
    view: bytes | None
    """What staff see."""
    frames: int
    frames_sha256: str
    width: int
    height: int
    sound: Sound | None


@cache
def _drawn(*, has_sound: bool) -> _DrawnFilm:
    """Encode, decode and encode again: once a process."""
    original, view = make_film(drawn_frames(50), sound=has_sound), ViewEncoder()
    file = SharedFile(io.BytesIO(original))
    heard = SoundExamination(file.reader() if has_sound else None, None)
    with closing(heard), FilmReader(file.reader()) as reader:
        for frame in reader.frames():
            piece = heard.until(reader.first_time, frame.time)
            view.add(frame, piece, heard.channels)
        rest = heard.until(reader.first_time, reader.seconds)
        return _DrawnFilm(
            original,
            view.finish(sound=rest),
            reader.frames_judged,
            reader.frames_sha256,
            reader.facts.width,
            reader.facts.height,
            heard.result(reader.facts),
        )


def _track(number: int, identity: Identity) -> FaceEvidence:
    first = 0.3 * number
    box = Box(20 + 60 * number, 40, 40, 50)
    path = tuple((time, box.x, box.y, box.width, box.height) for time in (first, first + 0.25))
    around = (first - 0.2, first + 0.45)
    shown = Shown(first, first + 0.25, first, path, around, is_followed=True)
    return FaceEvidence(box, 0.95, FaceKind.FACE, identity, shown=shown)
