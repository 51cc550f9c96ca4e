"""A film that goes on after an interruption is judged as one that was not interrupted."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise

import numpy as np
import pytest

from consent_gate.matching.gallery import gallery_of
from consent_gate.model import Box, FaceEvidence, FaceKind, Match, NotMatched, Reason
from ingest.faces.measured_face import MeasuredFace
from ingest.faces.protocols import RGB, Detection, FoundFace
from ingest.film import examine
from ingest.film.checkpoint import Border, Checkpoint, CheckpointUnusable, CutTrack
from ingest.film.examine import BORDER_SECONDS, FilmExaminer, FilmResult
from ingest.film.frames import JudgedFrame
from ingest.film.search import SearchedFrame
from ingest.film.sound_cut import Published
from ingest.film.staff_view import ViewEncoder
from ingest.workers import answers, film_checkpoint
from tests.support import drawn_people
from tests.support.drawn_people import (
    ANN,
    BEN,
    STRANGER,
    DrawnAnalyser,
    DrawnDetector,
    DrawnFinder,
    found_in,
    scene,
)
from tests.support.listed_film import ListedFilm

pytestmark = pytest.mark.costly

Film = tuple[list[RGB], list[float]]


class Killed(Exception):
    """Something ended the process."""


class FrameScout(DrawnDetector):
    """Counts the whole frames that it searched."""

    def __init__(self) -> None:
        super().__init__("yunet")
        self.frames = 0

    def detect(self, rgb: RGB) -> list[Detection]:
        self.frames += rgb.shape == (240, 320, 3)
        return super().detect(rgb)


@pytest.fixture(autouse=True)
def _short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examine, "BORDER_SECONDS", 0.3)
    monkeypatch.setattr(examine, "CUTTING_BORDER_SECONDS", 0.7)
    monkeypatch.setattr(examine, "ViewEncoder", DigestedView)
    monkeypatch.setattr(drawn_people, "found_in", coarsely_found_in)


def coarsely_found_in(rgb: RGB) -> list[Box]:
    """``found_in`` at a quarter of the size, which costs less."""
    small = found_in(np.ascontiguousarray(rgb[::4, ::4]))
    return [Box(4 * b.x, 4 * b.y, 4 * b.width, 4 * b.height) for b in small]


class DigestedView(ViewEncoder):
    """A digest of all that staff would see, which costs less than a film."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()

    def add(self, frame: JudgedFrame, sound: Published | None = None, channels: int = 0) -> None:
        self._digest.update(f"{frame.time}".encode() + frame.rgb.tobytes())

    def finish(self, ends_at: float | None = None, *, sound: Published | None = None) -> bytes:
        return self._digest.digest()


class Run:
    """One examination, which may go on from a checkpoint and may be killed."""

    def __init__(
        self,
        film: Film,
        known: Checkpoint | None = None,
        *,
        finder: DrawnFinder | None = None,
        analyser: DrawnAnalyser | None = None,
        kill_at: int | None = None,
    ) -> None:
        self.checkpoints: list[Checkpoint] = []
        self.scout = FrameScout()
        self.result: FilmResult | None = None
        examiner = FilmExaminer(
            self.scout,
            DrawnDetector("centerface"),
            finder or DrawnFinder(),  # type: ignore[arg-type]
            analyser or DrawnAnalyser(),  # type: ignore[arg-type]
            gallery_of(()),
        )
        examiner.keep_checkpoints(self.checkpoints.append)
        if known is not None:
            # As it is stored.
            examiner.go_on_from(film_checkpoint.decoded(film_checkpoint.encoded(known)))

        def watch(searched: SearchedFrame) -> None:
            if searched.frame.number == kill_at:
                raise Killed

        try:
            self.result = examiner.examine(ListedFilm(*film), on_frame=watch)
        except Killed:
            return


def whole(film: Film, known: Checkpoint | None = None) -> FilmResult:
    result = Run(film, known).result
    assert result is not None
    return result


def assert_same(one: FilmResult, other: FilmResult) -> None:
    """The evidence, what staff see, and the poster."""
    assert one.faces == other.faces
    assert one.film == other.film
    assert one.frames_sha256 == other.frames_sha256
    assert one.view == other.view
    assert one.hashes == other.hashes
    assert np.array_equal(one.poster, other.poster)


def random_film(seed: int, count: int = 70) -> Film:
    """People who come, walk and leave at any moment, cuts, and frames at uneven times."""
    rng = random.Random(seed)  # noqa: S311  the same film each time
    walks = [
        (
            rng.choice((ANN, BEN, STRANGER)) if n else ANN,
            rng.randrange(0, count - 5),
            rng.choice((1, 3, 12, 40, count)),
            (rng.randrange(5, 250), (5, 70, 140, 185)[n]),
            rng.choice((-2, 0, 1, 3)),
        )
        for n in range(4)
    ]
    cuts = sorted(rng.sample(range(1, count), rng.randrange(0, 3)))
    frames = []
    for number in range(count):
        people = {
            colour: (colour, min(max(x + speed * (number - begin), 0), 270), y)
            for colour, begin, length, (x, y), speed in walks
            if begin <= number < begin + length
        }
        grey = 128 if sum(cut <= number for cut in cuts) % 2 == 0 else 40
        frames.append(scene(*people.values(), grey=grey))
    steps = [rng.choice((0.04, 0.04, 0.04, 0.033, 0.1)) for _ in range(count - 1)]
    return frames, [round(time, 3) for time in accumulate([0.0, *steps])]


def walks_across() -> Film:
    """Two people stay for the whole film, and a stranger for two frames at each border."""
    frames = []
    for number in range(60):
        people = [(ANN, 10 + 2 * number, 30), (BEN, 10 + 2 * number, 120)]
        if number in {17, 18, 35, 36}:
            people.append((STRANGER, 250, 180))
        frames.append(scene(*people))
    return frames, [0.04 * number for number in range(60)]


def different(frames: list[RGB]) -> int:
    """How many frames are not as the one before."""
    return 1 + sum(not np.array_equal(a, b) for a, b in pairwise(frames))


def goes_on_after_each_border(film: Film) -> int:
    """Kill after each border and go on. Returns the number of borders."""
    first = Run(film)
    assert first.result is not None
    for at, known in enumerate(first.checkpoints):
        again = Run(film, known)
        assert again.result is not None
        assert_same(first.result, again.result)
        assert again.checkpoints == first.checkpoints[at + 1 :]
        assert again.scout.frames == different(film[0][known.frames :]), "each is searched once"
    return len(first.checkpoints)


def test_people_at_the_border_are_judged_as_without_an_interruption() -> None:
    assert goes_on_after_each_border(walks_across()) >= 2


@pytest.mark.parametrize("seed", [1])
def test_an_examination_that_goes_on_ends_as_one_without_an_interruption(seed: int) -> None:
    assert goes_on_after_each_border(random_film(seed)) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 60))
def test_many_more_films_end_as_without_an_interruption(seed: int) -> None:
    goes_on_after_each_border(random_film(seed, count=110))


def killed_at_random(seed: int) -> None:
    film, rng = random_film(seed), random.Random(seed)  # noqa: S311  the same each time
    expected, known = whole(film), None
    for _ in range(4):
        run = Run(film, known, kill_at=rng.randrange(len(film[0])))
        known = run.checkpoints[-1] if run.checkpoints else known
    assert_same(expected, whole(film, known))


def test_kills_at_any_frame_change_nothing() -> None:
    killed_at_random(1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 130))
def test_many_more_kills_at_any_frame_change_nothing(seed: int) -> None:
    killed_at_random(seed)


def is_cleared(result: FilmResult) -> bool:
    return all(isinstance(face.identity, Match) for face in result.faces)


def never_looser(monkeypatch: pytest.MonkeyPatch, seeds: Sequence[int], count: int) -> None:
    for seed in seeds:
        film = random_film(seed, count)
        with_borders = whole(film)
        with monkeypatch.context() as without:
            without.setattr(examine, "BORDER_SECONDS", float("inf"))
            plain = whole(film)
        assert is_cleared(plain) or not is_cleared(with_borders)
        for face in plain.faces:
            # Whoever needs an answer has a face there that needs one.
            if not isinstance(face.identity, Match):
                assert any(shares(face, other) for other in with_borders.faces)


def shares(face: FaceEvidence, other: FaceEvidence) -> bool:
    """Whether ``other`` is held, and is shown in a frame of ``face``."""
    assert face.shown is not None
    assert other.shown is not None
    is_held = not isinstance(other.identity, Match)
    return is_held and face.shown.shares_moment_with(other.shown)


def test_borders_release_nobody_who_is_held_without_them(monkeypatch: pytest.MonkeyPatch) -> None:
    never_looser(monkeypatch, range(2), 50)


@pytest.mark.slow
def test_borders_release_nobody_in_many_more_films(monkeypatch: pytest.MonkeyPatch) -> None:
    never_looser(monkeypatch, range(200, 260), 100)


def standing(colours: Sequence[tuple[int, int, int]]) -> Film:
    """One person after another at the same place."""
    return [scene((c, 100, 100)) for c in colours], [0.04 * n for n in range(len(colours))]


def at_the_border(film: Film) -> int:
    """The first frame behind the first border."""
    return Run(film).checkpoints[0].frames


def test_two_pupils_on_the_sides_of_a_border_are_ambiguous(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As in one track, whose frames do not agree. The cut between them is not seen."""
    monkeypatch.setattr("ingest.film.scenes.is_cut", lambda *_: False)
    border = at_the_border(standing([ANN] * 30))
    film = standing([ANN] * border + [BEN] * 15)
    first = Run(film)
    assert first.result is not None
    assert [face.kind for face in first.result.faces] == [FaceKind.FACE] * 2
    assert not any(isinstance(face.identity, Match) for face in first.result.faces)
    assert_same(first.result, whole(film, first.checkpoints[0]))


def test_a_face_that_goes_on_behind_a_border_is_never_dropped() -> None:
    """Behind it only the quick detector sees it, and not clearly enough for a new face."""
    film = standing([ANN] * 40)
    border = at_the_border(film)

    class SeesFirst(DrawnFinder):
        def find(self, rgb: RGB) -> list[FoundFace]:
            self.calls += 1
            return super().find(rgb) if self.calls == 1 else []

    faces = faintly_seen(film, SeesFirst(), faint_from=border)
    assert [face.kind for face in faces][:2] == [FaceKind.FACE, FaceKind.POSSIBLE]
    assert faces[-1].shown is not None
    assert faces[-1].shown.to_s == pytest.approx(film[1][-1])


def test_there_is_no_border_in_a_track_that_may_be_a_face() -> None:
    """Its first part would be dropped, and all detectors see the face behind it only."""

    class SeesLate(DrawnFinder):
        def find(self, rgb: RGB) -> list[FoundFace]:
            self.calls += 1
            return super().find(rgb) if self.calls > 2 else []

    frames, times = standing([ANN] * 60)
    for number, frame in enumerate(frames):  # a picture that is repeated is searched once
        frame[0, 0] = number
    (face, *_) = faintly_seen((frames, times), SeesLate(), faint_from=0)
    assert face.kind is FaceKind.FACE
    assert face.shown is not None
    assert face.shown.from_s == 0


def faintly_seen(film: Film, finder: DrawnFinder, faint_from: int) -> tuple[FaceEvidence, ...]:
    """The faces of a film in which the quick detector is not sure from some frame on."""

    class Faint(FrameScout):
        def detect(self, rgb: RGB) -> list[Detection]:
            found = super().detect(rgb)
            is_faint = self.frames > faint_from or rgb.shape != (240, 320, 3)
            return [replace(one, score=0.4) if is_faint else one for one in found]

    examiner = FilmExaminer(
        Faint(),
        DrawnDetector("centerface", score=0),
        finder,  # type: ignore[arg-type]
        DrawnAnalyser(),  # type: ignore[arg-type]
        gallery_of(()),
    )
    return examiner.examine(ListedFilm(*film)).faces


@pytest.mark.parametrize(
    ("poor", "is_held"),
    [((-1.0, 0.0), False), ((-2.0, 0.0), True), ((0.0, 1.0), False), ((0.0, 2.0), True)],
)
def test_on_each_side_of_a_border_a_face_may_be_poor_for_half_as_long(
    monkeypatch: pytest.MonkeyPatch, poor: tuple[float, float], is_held: bool
) -> None:
    """From and to so many seconds after the border. In one track it would be three seconds."""
    monkeypatch.setattr(examine, "CUTTING_BORDER_SECONDS", 2.4)
    film = standing([ANN] * (115 if poor[1] > 0 else 65))
    border = next(time for time in film[1] if time >= 2.4)

    class PoorInPink(DrawnAnalyser):
        def measure_in_film(self, rgb: RGB, face: FoundFace) -> MeasuredFace:
            y, x = face.box.y + face.box.height // 2, face.box.x + face.box.width // 2
            if rgb[y, x, 1] > 60:
                return MeasuredFace(NotMatched(Reason.LOW_QUALITY_FACE, "too poor"))
            return super().measure_in_film(rgb, face)

    frames = [
        scene(((220, 80, 80) if poor[0] <= time - border < poor[1] else ANN, 100, 100))
        for time in film[1]
    ]
    run = Run((frames, film[1]), analyser=PoorInPink())
    assert run.result is not None
    assert run.checkpoints[0].border.time == border
    assert isinstance(run.result.faces[poor[1] > 0].identity, Match) is not is_held


def test_a_film_that_was_changed_begins_anew() -> None:
    film = walks_across()
    known = Run(film).checkpoints[1]
    changed = [frame.copy() for frame in film[0]]
    changed[3][0, 0] += 1
    with pytest.raises(CheckpointUnusable):
        whole((changed, film[1]), known)
    late = [time + 0.001 * (number > 3) for number, time in enumerate(film[1])]
    with pytest.raises(CheckpointUnusable):
        whole((film[0], late), known)
    fewer = film[0][: known.frames - 1], film[1][: known.frames - 1]
    with pytest.raises(CheckpointUnusable):
        whole(fewer, known)
    with pytest.raises(CheckpointUnusable):
        whole(random_film(3), known)


def forged(known: Checkpoint) -> Iterator[Checkpoint]:
    yield replace(known, frames=known.frames - 1)
    yield replace(known, frames=0)
    yield replace(known, frames_sha256="0" * 64)
    yield replace(known, scenes=known.scenes + 1)
    yield replace(known, poster_frame=known.frames)
    yield replace(known, text_frames=(-1,))
    yield replace(known, border=Border(-1.0))
    yield replace(known, border=Border(1.0, (CutTrack((1.0, 1.0, 9.0, 9.0), 99),)))
    yield replace(known, faces=(replace(known.faces[0], tile_frame=known.frames),))


def test_a_checkpoint_whose_numbers_do_not_fit_is_not_used() -> None:
    film = walks_across()
    for known in forged(Run(film).checkpoints[1]):
        with pytest.raises(CheckpointUnusable):
            whole(film, known)


def test_a_checkpoint_has_no_picture_and_no_vector() -> None:
    """Not even of a pupil with consent. A worker's answer has such data in blobs."""
    known = Run(walks_across()).checkpoints[-1]
    assert known.faces
    data = film_checkpoint.encoded(known)
    length = int.from_bytes(data[: answers.LENGTH_BYTES], "big")
    _, content, blobs = json.loads(data[answers.LENGTH_BYTES :])
    assert length + answers.LENGTH_BYTES == len(data)
    assert blobs == []
    longest = max(_lists_of_numbers(content), default=0)
    assert longest <= max(5, len(known.text_frames))


def _lists_of_numbers(content: object) -> Iterator[int]:
    """The length of each list that has numbers alone."""
    if isinstance(content, dict):
        for inner in content.values():
            yield from _lists_of_numbers(inner)
    elif isinstance(content, list):
        if content and all(isinstance(one, int | float) for one in content):
            yield len(content)
        for inner in content:
            yield from _lists_of_numbers(inner)


def test_a_film_that_is_shorter_than_a_segment_has_no_border(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(examine, "BORDER_SECONDS", BORDER_SECONDS)
    assert Run(walks_across()).checkpoints == []
