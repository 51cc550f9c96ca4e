"""Find and follow every face of a film, and compare each with the gallery.

1. The scout (YuNet at ``SCOUT_SIDE``) searches every judged frame.
2. All detectors search at least once a second and at each scene's beginning, upright; and at every
   angle at each scene's beginning and every few seconds.
3. ``tracks`` links what they found. Both detectors search the enlarged best frame of each part of a
   track, to decide whether the track is a face or a possible face.
4. ``identity`` names each track from the best frame of each of its parts.

An examination can go on from a ``Checkpoint``. Then all frames are decoded once more from the first
one on, and the frames before the border are not searched. The result is that of an examination
without an interruption, or there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

from consent_gate.matching.gallery import Gallery
from consent_gate.model import FaceEvidence, Film
from ingest.faces.analyser import FaceAnalyser
from ingest.faces.finder import FaceFinder
from ingest.faces.protocols import RGB, Detector
from ingest.film.checkpoint import Checkpoint, CheckpointUnusable, ended_face, found_again
from ingest.film.followed import Found
from ingest.film.frame_hashes import FrameHashes
from ingest.film.frames import FrameReader, JudgedFrame
from ingest.film.presence import maybe_shown
from ingest.film.record import MAX_RECORD_BYTES, order, record_bytes
from ingest.film.search import FrameSearch, SearchedFrame
from ingest.film.sightings import sightings_of
from ingest.film.sound_check import SoundExamination
from ingest.film.staff_view import ViewEncoder, packed, strip_of, tile_of
from ingest.film.track_faces import TrackFaces
from ingest.film.window_search import WindowSearch

BORDER_SECONDS = 30.0
"""A border is set so long after the one before, where a scene begins or no face is followed."""
CUTTING_BORDER_SECONDS = 120.0
"""So long after the one before, a border may cut tracks."""
MAX_LIVE_TRACKS = 120
"""More faces than this at one moment are not followed: the film is held."""


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
            scout: Searches every frame.
            second: Searches the window of a face, with the scout.
            finder: The ensemble of photos.
            analyser: Measures and compares faces.
            gallery: The templates of enrolled pupils.
        """
        self._search = FrameSearch(scout, finder, turns=True)
        self._tracks = TrackFaces(WindowSearch((scout, second), finder), analyser, gallery)
        self._times: list[float] = []
        self._scene_starts: list[float] = []
        self._view = ViewEncoder()
        self._hashes = FrameHashes()
        self._sound = SoundExamination(None, None)
        self._poster: tuple[int, JudgedFrame] | None = None
        self._known: Checkpoint | None = None
        self._on_checkpoint: Callable[[Checkpoint], None] = lambda _: None
        self._tiles: dict[int, list[int]] = {}
        self._last_border = 0.0
        self._last_sha256 = ""

    def keep_checkpoints(self, on_checkpoint: Callable[[Checkpoint], None]) -> None:
        """Pass on what is known at each border, without ``basis`` and ``text_frames``."""
        self._on_checkpoint = on_checkpoint

    def go_on_from(self, known: Checkpoint) -> None:
        """Begin with the faces that were found before a border. Call before ``examine``.

        Raises:
            CheckpointUnusable: The numbers of the checkpoint do not fit together.
        """
        known.check()
        self._known = known
        self._last_border = known.border.time
        self._tracks.found = [found_again(one) for one in known.faces]
        self._tracks.border = known.border
        for index, one in enumerate(known.faces):
            if one.tile_frame is not None:
                self._tiles.setdefault(one.tile_frame, []).append(index)

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
            CheckpointUnusable: The checkpoint to go on from is of another film.
            DecodeError: The film cannot be decoded completely.
            TooManyFaces: More faces are shown at once than can be followed.
        """
        self._sound, reported, known = sound or self._sound, 0.0, self._known
        if known is not None:
            reported = known.border.time
            on_progress(reported, reader.facts.stated_seconds)
        with closing(self._search.frames(reader, known.frames if known else 0)) as frames:
            for searched in frames:
                self._examine_frame(searched, reader)
                on_frame(searched)
                if searched.frame.time >= reported + 1:
                    reported = searched.frame.time
                    on_progress(reported, reader.facts.stated_seconds)
        if known is not None and reader.frames_judged < known.frames:
            raise CheckpointUnusable
        self._tracks.end_all()
        return self._result(reader)

    def _result(self, reader: FrameReader) -> FilmResult:
        assert self._poster is not None  # noqa: S101  a film without a frame raises DecodeError
        rest = self._sound.until(reader.first_time, reader.seconds)
        film = self._film_of(reader)
        found = sorted(self._tracks.found, key=lambda one: order(one.face))
        faces = tuple(self._with_times(one) for one in found)
        if record_bytes(faces, film.scene_starts) > MAX_RECORD_BYTES:
            raise TooManyFaces
        shown = self._view.finish(reader.seconds, sound=rest)
        view = packed(strip_of([one.tile for one in found]), shown)
        return FilmResult(
            reader.facts.width,
            reader.facts.height,
            reader.frames_sha256,
            faces,
            replace(film, is_viewable=view is not None),
            self._poster[1].rgb,
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

    # --- one frame ---

    def _examine_frame(self, searched: SearchedFrame, reader: FrameReader) -> None:
        frame = searched.frame
        if frame.number == 0:
            scale = reader.facts.width / frame.rgb.shape[1]
            self._tracks.set_size(scale, (reader.facts.width, reader.facts.height))
        is_known = self._known is not None and frame.number < self._known.frames
        if not is_known and self._is_border(searched):
            checkpoint = self._checkpoint(frame)
            if checkpoint is not None:
                self._on_checkpoint(checkpoint)
        self._times.append(frame.time)
        self._last_sha256 = frame.sha256
        if searched.cut:
            self._scene_starts.append(frame.time)
        heard = self._sound.until(reader.first_time, frame.time)
        self._view.add(frame, heard, self._sound.channels)
        self._hashes.add(frame.rgb, searched.thumbnail)
        if is_known:
            self._repeat(frame)
        else:
            self._follow_faces(searched)

    def _follow_faces(self, searched: SearchedFrame) -> None:
        frame = searched.frame
        sightings = sightings_of(
            frame.rgb, searched.by_scout, searched.by_ensemble, searched.unverified
        )
        self._tracks.add(frame, sightings, cut=searched.cut)
        if len(self._tracks) > MAX_LIVE_TRACKS:
            raise TooManyFaces
        # Turned places are not verified yet, and most of them show no face.
        faces = sum(one.seen_by_scout or one.by_ensemble for one in sightings)
        if self._poster is None or faces > self._poster[0]:
            self._poster = faces, frame

    # --- borders ---

    def _is_border(self, searched: SearchedFrame) -> bool:
        """End all tracks before this frame, if a border is due and nothing speaks against it."""
        time = searched.frame.time
        since = time - self._last_border
        if since < BORDER_SECONDS or not self._tracks.end_at_border(
            time, cut=searched.cut, may_cut_tracks=since >= CUTTING_BORDER_SECONDS
        ):
            return False
        self._last_border = time
        return True

    def _checkpoint(self, frame: JudgedFrame) -> Checkpoint | None:
        """What is known before this frame; None if it is too much to be stored."""
        assert self._poster is not None  # noqa: S101  a border is behind the first frame
        faces = [one.face for one in self._tracks.found]
        if record_bytes(faces, self._scene_starts) > MAX_RECORD_BYTES:
            return None
        return Checkpoint(
            basis="",
            frames=frame.number,
            frames_sha256=self._last_sha256,
            scenes=len(self._scene_starts),
            poster_frame=self._poster[1].number,
            poster_faces=self._poster[0],
            faces=tuple(ended_face(one) for one in self._tracks.found),
            border=self._tracks.border,
        )

    def _repeat(self, frame: JudgedFrame) -> None:
        """Cut the pictures for staff out of a frame that was searched before.

        Raises:
            CheckpointUnusable: At the border, if these are not the frames that were searched.
        """
        assert self._known is not None  # noqa: S101  the frame lies before its border
        found = self._tracks.found
        for index in self._tiles.get(frame.number, ()):
            tile = tile_of(frame.rgb, self._known.faces[index].tile_place)
            found[index] = replace(found[index], tile=tile)
        if frame.number == self._known.poster_frame:
            self._poster = self._known.poster_faces, frame
        if frame.number == self._known.frames - 1:
            seen = self._last_sha256, len(self._scene_starts)
            if seen != (self._known.frames_sha256, self._known.scenes):
                raise CheckpointUnusable
