"""Make the faces of a film: follow each track, measure its best frames and find whose face it is.

A few small crops are kept of each track that goes on, and only numbers of one that has ended.

A long film has borders at which all tracks are ended, so that an examination that is interrupted
can go on there (``checkpoint``). Every examination has them at the same frames. A track that is cut
at a border is a face on each side. The rules there are such that two faces are never held less
than one would be:

- Only tracks are cut that are a face or a possible face already. What may be the same face behind
  the border is at least a possible face.
- The face may be unrecognisable for half as long on each side of the border.
- If both sides are matched with different pupils, both are ambiguous.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from consent_gate.matching.gallery import Gallery
from consent_gate.model import (
    Ambiguous,
    Box,
    FaceEvidence,
    FaceKind,
    Identity,
    Match,
    NearMatch,
    NotMatched,
    Reason,
    Shown,
)
from ingest.faces.analyser import FaceAnalyser
from ingest.faces.resolve import clipped
from ingest.film.candidates import keep_best, rank_of
from ingest.film.checkpoint import Border, CutTrack
from ingest.film.followed import Followed, Found
from ingest.film.frames import JudgedFrame
from ingest.film.identity import MAX_SECONDS_UNSEEN, Measurement, Named, name_track
from ingest.film.record import path_entry
from ingest.film.staff_view import tile_of
from ingest.film.tracks import (
    MAX_ENSEMBLE_GAP_SECONDS,
    MIN_OVERLAP,
    PathPoint,
    Place,
    Sighting,
    Track,
    TrackLinker,
    overlap,
    path_between,
    surer_kind,
)
from ingest.film.window_search import WindowSearch

SCOUT_ALONE_FROM = 0.8
"""Score of the scout from which a track is a possible face although no other detector agrees."""
FOLLOWED_FROM = 0.5
"""Score of the scout in one frame of a track from which it would see the face in the neighbouring
frames too. Below, nobody knows how long the face is there."""
FIRST_PART_FRAMES = 3
"""Frames that are examined in the first part of a track; one in each later part."""

CUT_OFF = NotMatched(Reason.LOW_QUALITY_FACE, "the edge of the picture cuts the face")


class TrackFaces:
    """The tracks of one film, and the faces of those that have ended."""

    def __init__(self, windows: WindowSearch, analyser: FaceAnalyser, gallery: Gallery) -> None:
        """Keep the models.

        Args:
            windows: Searches the window of a face.
            analyser: Measures and compares faces.
            gallery: The templates of enrolled pupils.
        """
        self.found: list[Found] = []
        """In the order in which their tracks ended."""
        self.border = Border()
        self._windows = windows
        self._analyser = analyser
        self._gallery = gallery
        self._linker = TrackLinker()
        self._followed: dict[Track, Followed] = {}
        self._scale, self._bounds = 1.0, (1, 1)

    def __len__(self) -> int:
        """Return the number of tracks that have not ended."""
        return len(self._linker)

    def set_size(self, scale: float, bounds: tuple[int, int]) -> None:
        """Say how large the upright original is.

        Args:
            scale: Its width divided by that of the judged frames.
            bounds: Its width and height in pixels.
        """
        self._scale, self._bounds = scale, bounds
        self._windows.set_side(max(bounds) / scale)

    def add(self, frame: JudgedFrame, sightings: Sequence[Sighting], *, cut: bool) -> None:
        """Follow the faces of the next frame. ``cut`` says whether a scene begins with it."""
        if cut:
            self.border = replace(self.border, cut=())
        step = self._linker.step(frame.time, sightings, cut=cut)
        for track in step.ended:
            self._end(track)
        for track, sighting in step.seen:
            self._follow(track, sighting, frame)

    def end_all(self) -> None:
        """End all tracks, after the last frame."""
        for track in self._linker.finish():
            self._end(track)

    def end_at_border(self, time: float, *, cut: bool, may_cut_tracks: bool) -> bool:
        """End all tracks before the frame at this time, if that is allowed.

        Args:
            time: Seconds of the frame, which is not added yet.
            cut: Whether a scene begins with it.
            may_cut_tracks: Whether tracks may be ended that would go on.

        Returns:
            Whether there is a border now. If not, nothing has changed.
        """
        live = () if cut else self._linker.live_at(time)
        if live and not (may_cut_tracks and all(self._followed[one].kind for one in live)):
            return False
        cuts = []
        for track in self._linker.finish():
            self._end(track, cut_at=time if track in live else None)
            if track in live:
                cuts.append(CutTrack(_plain(track.last.place), len(self.found) - 1))
        self.border = Border(time, tuple(cuts))
        return True

    # --- one track ---

    def _follow(self, track: Track, sighting: Sighting, frame: JudgedFrame) -> None:
        followed = self._followed.get(track)
        if followed is None:
            before = self._cut_before(frame.time, sighting.place)
            kind = FaceKind.POSSIBLE if before else None
            followed = self._followed[track] = Followed(kind=kind, continues=before)
        if track.part != followed.part:
            self._examine_candidates(followed)
            followed.part = track.part
        if sighting.by_ensemble:
            followed.kind = surer_kind(followed.kind, sighting.kind)
        followed.score = max(followed.score, sighting.score)
        rank = rank_of(frame.rgb, sighting)
        if rank > followed.best_rank:
            followed.best_rank, followed.best_time = rank, frame.time
            followed.best_frame, followed.best_place = frame.number, sighting.place
            followed.best_patch = sighting.patch
            followed.tile = tile_of(frame.rgb, sighting.place)
        most = FIRST_PART_FRAMES if followed.part == 0 else 1
        keep_best(followed.candidates, most, rank, frame, sighting)
        followed.keep_unlike(frame, sighting, rank)

    def _cut_before(self, time: float, place: Place) -> tuple[int, ...]:
        """The faces of tracks cut at the border which a face at this place may go on from."""
        if time - self.border.time > MAX_ENSEMBLE_GAP_SECONDS:
            return ()
        cuts = self.border.cut
        return tuple(one.face for one in cuts if overlap(place, one.place) >= MIN_OVERLAP)

    def _examine_candidates(self, followed: Followed) -> None:
        """Search and measure the best frames of the part that has ended."""
        for candidate in followed.take_candidates():
            is_certain = followed.kind is FaceKind.FACE
            found = self._windows.find(candidate, is_certain=is_certain)
            followed.kind = surer_kind(followed.kind, found.kind)
            followed.score = max(followed.score, found.score)
            face = found.face
            if face is None:
                continue
            measured = self._analyser.measure_in_film(candidate.window, face)
            followed.measurements.add(
                Measurement(
                    candidate.time,
                    candidate.rank,
                    CUT_OFF if candidate.cut_off else measured.refusal,
                    measured.quality,
                    measured.vector,
                    (candidate.window, face),
                )
            )

    def _end(self, track: Track, cut_at: float | None = None) -> None:
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
            unseen = self._unseen(span, followed, cut_at)
            entries = name_track(followed.measurements, span, unseen, self._analyser, self._gallery)
        first = len(self.found)
        self._add_faces(track, followed, kind, entries)
        for before in followed.continues:
            self._compare_with_part_before(before, first)

    def _unseen(
        self, span: tuple[float, float], followed: Followed, cut_at: float | None
    ) -> tuple[float, float]:
        """The span, with half of the time unrecognised that is allowed behind each border."""
        half = MAX_SECONDS_UNSEEN / 2
        begin = self.border.time - half if followed.continues else span[0]
        return begin, span[1] if cut_at is None else cut_at + half

    def _add_faces(
        self, track: Track, followed: Followed, kind: FaceKind, entries: Sequence[Named]
    ) -> None:
        # Each part of a split track may show its face until the other part begins.
        begins = [track.first_time, *(earlier.to_s for earlier, _ in pairwise(entries))]
        ends = [*(later.from_s for _, later in pairwise(entries)), track.last_time]
        is_followed = track.best_scout_score >= FOLLOWED_FROM
        tile_at = followed.best_frame, _plain(followed.best_place)
        for named, *found in zip(entries, begins, ends, strict=True):
            shows_it = named.from_s <= followed.best_time <= named.to_s
            times = (found[0], found[1])
            evidence = self._evidence(track, followed, kind, named, times)
            shown = (followed.tile, tile_at) if shows_it else (None, None)
            self.found.append(Found(evidence, shown[0], times, is_followed, shown[1]))

    def _compare_with_part_before(self, before: int, after: int) -> None:
        """Make the two sides of a border ambiguous if they are matched with different pupils."""
        pupils = [_pupil(self.found[index].face.identity) for index in (before, after)]
        if None in pupils or pupils[0] == pupils[1]:
            return
        unclear = Ambiguous(tuple(str(pupil) for pupil in pupils))
        for index in (before, after):
            one = self.found[index]
            self.found[index] = replace(one, face=replace(one.face, identity=unclear))

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


def _pupil(identity: Identity) -> str | None:
    return identity.pupil if isinstance(identity, Match | NearMatch) else None


def _plain(place: Place) -> Place:
    """A place in Python's own numbers, which JSON writes and reads without a loss."""
    x, y, width, height = (float(value) for value in place)
    return x, y, width, height
