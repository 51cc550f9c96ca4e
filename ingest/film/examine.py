"""Find and follow every face of a film, and compare each with the gallery.

1. The scout (YuNet at ``SCOUT_SIDE``) searches every judged frame.
2. All detectors search at least once a second and at each scene's beginning, upright; and at every
   angle at each scene's beginning and every few seconds.
3. ``tracks`` links what they found. Both detectors search the enlarged best frame of each part of a
   track, to decide whether the track is a face or a possible face.
4. ``identity`` names each track from the best frame of each of its parts.

A few small crops are kept of each track that goes on, and only numbers of one that has ended.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import pairwise

from consent_gate.matching.gallery import Gallery
from consent_gate.model import Box, FaceEvidence, FaceKind, Film, NotMatched, Reason, Shown
from ingest.faces.analyser import FaceAnalyser
from ingest.faces.finder import FaceFinder
from ingest.faces.protocols import RGB, Detector
from ingest.faces.resolve import clipped
from ingest.film.candidates import keep_best, rank_of, search_window
from ingest.film.followed import Followed, Found
from ingest.film.frame_hashes import FrameHashes
from ingest.film.frames import FrameReader, JudgedFrame
from ingest.film.identity import Measurement, Named, name_track
from ingest.film.presence import maybe_shown
from ingest.film.record import MAX_RECORD_BYTES, order, path_entry, record_bytes
from ingest.film.search import FrameSearch, SearchedFrame
from ingest.film.sightings import sightings_of
from ingest.film.sound_check import SoundExamination
from ingest.film.staff_view import ViewEncoder, packed, strip_of, tile_of
from ingest.film.tracks import (
    PathPoint,
    Place,
    Sighting,
    Track,
    TrackLinker,
    path_between,
    surer_kind,
)

SCOUT_ALONE_FROM = 0.8
"""Score of the scout from which a track is a possible face although no other detector agrees."""
FOLLOWED_FROM = 0.5
"""Score of the scout in one frame of a track from which it would see the face in the neighbouring
frames too. Below, nobody knows how long the face is there."""
FIRST_PART_FRAMES = 3
"""Frames that are examined in the first part of a track; one in each later part."""
MAX_LIVE_TRACKS = 120
"""More faces than this at one moment are not followed: the film is held."""

CUT_OFF = NotMatched(Reason.LOW_QUALITY_FACE, "the edge of the picture cuts the face")


class TooManyFaces(Exception):
    """The film shows more faces than can be followed at once, or recorded."""


@dataclass(frozen=True)
class FilmResult:
    """What the examination found. Boxes are in pixels of the upright original."""

    width: int
    height: int
    frames_sha256: str
    faces: tuple[FaceEvidence, ...]
    film: Film
    poster: RGB
    """The judged frame that shows most faces."""
    view: bytes | None
    """What staff see of the film (``staff_view.packed``); None if it is too large to be shown."""
    hashes: bytes
    """``picture_hashes`` of frames that stand for all others (``frame_hashes``)."""


class FilmExaminer:
    """Examines one film. The models belong to the worker process."""

    def __init__(
        self,
        scout: Detector,
        second: Detector,
        finder: FaceFinder,
        analyser: FaceAnalyser,
        gallery: Gallery,
    ) -> None:
        """Keep the models.

        Args:
            scout: Measurements at every frame.
            second: Searches the window of a face, with the scout.
            finder: The ensemble of photos.
            analyser: Measures and compares faces.
            gallery: The templates of enrolled pupils.
        """
        self._scout = scout
        self._second = second
        self._search = FrameSearch(scout, finder)
        self._analyser = analyser
        self._gallery = gallery
        self._linker = TrackLinker()
        self._followed: dict[Track, Followed] = {}
        self._faces: list[Found] = []
        self._times: list[float] = []
        self._scene_starts: list[float] = []
        self._view = ViewEncoder()
        self._hashes = FrameHashes()
        self._sound = SoundExamination(None, None)
        self._scale = 1.0
        self._poster: tuple[int, RGB] | None = None

    def examine(
        self,
        reader: FrameReader,
        on_progress: Callable[[float, float], None] = lambda *_: None,
        on_frame: Callable[[SearchedFrame], None] = lambda _: None,
        sound: SoundExamination | None = None,
    ) -> FilmResult:
        """Examine all frames of an open film.

        Args:
            reader: The film.
            on_progress: Called once a second of the film with the seconds that are done, and
                those that the header states.
            on_frame: Called with each frame, in the order of time.
            sound: The sound of the film, not read yet; None where it is not examined.

        Raises:
            DecodeError: The film cannot be decoded completely.
            TooManyFaces: More faces are shown at once than can be followed.
        """
        self._sound, reported = sound or self._sound, 0.0
        with closing(self._search.frames(reader)) as frames:
            for searched in frames:
                self._examine_frame(searched, reader)
                on_frame(searched)
                if searched.frame.time >= reported + 1:
                    reported = searched.frame.time
                    on_progress(reported, reader.facts.stated_seconds)
        for track in self._linker.finish():
            self._end(track)
        assert self._poster is not None  # noqa: S101  a film without a frame raises DecodeError
        rest = self._sound.until(reader.first_time, reader.seconds)
        film = self._film_of(reader)
        self._faces.sort(key=lambda found: order(found.face))
        faces = tuple(self._with_times(found) for found in self._faces)
        if record_bytes(faces, film.scene_starts) > MAX_RECORD_BYTES:
            raise TooManyFaces
        shown = self._view.finish(reader.seconds, sound=rest)
        view = packed(strip_of([found.tile for found in self._faces]), shown)
        return FilmResult(
            reader.facts.width,
            reader.facts.height,
            reader.frames_sha256,
            faces,
            replace(film, is_viewable=view is not None),
            self._poster[1],
            view,
            self._hashes.hashes(),
        )

    def _film_of(self, reader: FrameReader) -> Film:
        """What is recorded of the film itself; ``is_viewable`` is not decided yet."""
        return Film(
            seconds=reader.seconds,
            frames=reader.frames_judged,
            frames_skipped=reader.frames_decoded - reader.frames_judged,
            ensemble_frames=self._search.ensemble_frames,
            scenes=self._search.scenes,
            streams=tuple(f"{s.kind} {s.codec}".strip() for s in reader.facts.streams),
            scene_starts=tuple(round(start, 3) for start in self._scene_starts),
            sound=self._sound.result(reader.facts),
        )

    # --- one frame ---

    def _examine_frame(self, searched: SearchedFrame, reader: FrameReader) -> None:
        frame, cut = searched.frame, searched.cut
        if frame.number == 0:
            self._scale = reader.facts.width / frame.rgb.shape[1]
            self._bounds = reader.facts.width, reader.facts.height
        self._times.append(frame.time)
        if cut:
            self._scene_starts.append(frame.time)
        heard = self._sound.until(reader.first_time, frame.time)
        self._view.add(frame, heard, self._sound.channels)
        self._hashes.see(frame.rgb)
        sightings = sightings_of(frame.rgb, searched.by_scout, searched.by_ensemble)
        step = self._linker.step(frame.time, sightings, cut=cut)
        for track in step.ended:
            self._end(track)
        if len(self._linker) > MAX_LIVE_TRACKS:
            raise TooManyFaces
        for track, sighting in step.seen:
            self._follow(track, sighting, frame)
        if self._poster is None or len(sightings) > self._poster[0]:
            self._poster = len(sightings), frame.rgb

    # --- one track ---

    def _follow(self, track: Track, sighting: Sighting, frame: JudgedFrame) -> None:
        followed = self._followed.setdefault(track, Followed())
        if track.part != followed.part:
            self._examine_candidates(followed)
            followed.part = track.part
        if sighting.by_ensemble:
            followed.kind = surer_kind(followed.kind, sighting.kind)
        followed.score = max(followed.score, sighting.score)
        rank = rank_of(frame.rgb, sighting)
        if rank > followed.best_rank:
            followed.best_rank, followed.best_time = rank, frame.time
            followed.best_place = sighting.place
            followed.tile = tile_of(frame.rgb, sighting.place)
        most = FIRST_PART_FRAMES if followed.part == 0 else 1
        keep_best(followed.candidates, most, rank, frame, sighting)

    def _examine_candidates(self, followed: Followed) -> None:
        """Search and measure the best frames of the part that has ended."""
        for candidate in followed.candidates:
            if followed.kind is not FaceKind.FACE:
                kind, score = search_window(candidate, (self._scout, self._second))
                followed.kind = surer_kind(followed.kind, kind)
                followed.score = max(followed.score, score)
            face = candidate.face
            measured = self._analyser.measure_in_film(candidate.window, face)
            refusal = CUT_OFF if candidate.cut_off else measured.refusal
            seen = (refusal, measured.quality, measured.vector, (candidate.window, face))
            followed.measurements.add(Measurement(candidate.time, candidate.rank, *seen))
        followed.candidates.clear()

    def _end(self, track: Track) -> None:
        """Find the identity of a track that has ended, and keep only its evidence."""
        followed = self._followed.pop(track)
        self._examine_candidates(followed)
        kind = followed.kind
        if kind is None and track.best_scout_score >= SCOUT_ALONE_FROM:
            kind = FaceKind.POSSIBLE
        if kind is None:
            return
        span = (track.first_time, track.last_time)
        if kind is FaceKind.POSSIBLE:
            entries = [Named(*span, NotMatched(Reason.POSSIBLE_FACE), None)]
        else:
            entries = name_track(followed.measurements, span, self._analyser, self._gallery)
        # Each part of a split track may show its face until the other part begins.
        begins = [span[0], *(earlier.to_s for earlier, _ in pairwise(entries))]
        ends = [*(later.from_s for _, later in pairwise(entries)), span[1]]
        for named, *found in zip(entries, begins, ends, strict=True):
            shows_it = named.from_s <= followed.best_time <= named.to_s
            times = (found[0], found[1])
            evidence = self._evidence(track, followed, kind, named, times)
            tile = followed.tile if shows_it else None
            is_followed = track.best_scout_score >= FOLLOWED_FROM
            self._faces.append(Found(evidence, tile, times, is_followed))

    def _with_times(self, found: Found) -> FaceEvidence:
        """The face with the times between which it may be shown."""
        shown = found.face.shown
        assert shown is not None  # noqa: S101  each face of a film has its times
        first, last = maybe_shown(
            self._times, self._scene_starts, found.times, is_followed=found.is_followed
        )
        maybe = (round(first, 3), round(last, 3))
        shown = replace(shown, maybe_s=maybe, is_followed=found.is_followed)
        return replace(found.face, shown=shown)

    def _evidence(
        self,
        track: Track,
        followed: Followed,
        kind: FaceKind,
        named: Named,
        times: tuple[float, float],
    ) -> FaceEvidence:
        points = path_between(track.path, *times)
        best = PathPoint(followed.best_time, followed.best_place)
        if points and not named.from_s <= best.time <= named.to_s:
            best = points[0]
        path = tuple(path_entry(point.time, self._box(point.place)) for point in points)
        return FaceEvidence(
            self._box(best.place),
            min(followed.score, 1.0),
            kind,
            named.identity,
            named.quality,
            Shown(round(named.from_s, 3), round(named.to_s, 3), round(best.time, 3), path),
        )

    def _box(self, place: Place) -> Box:
        """A box in pixels of the upright original."""
        box = clipped([value * self._scale for value in place], *self._bounds)
        return box or Box(0, 0, 1, 1)
