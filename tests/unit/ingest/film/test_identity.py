"""A track in which two people take turns is never compared as one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from ingest.film.identity import first_stranger

ANN, BEN = np.eye(128, dtype=np.float32)[:2]


class Cosine:
    """The likeness of SFace."""

    def likeness(
        self, first: NDArray[np.float32], second: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        a = first / np.linalg.norm(first, axis=1, keepdims=True)
        b = second / np.linalg.norm(second, axis=1, keepdims=True)
        return np.asarray(a @ b.T, np.float32)


def stranger_at(vectors: NDArray[np.float32], seconds: float = 0.5) -> int | None:
    """What is found in frames that lie so many seconds apart."""
    times = seconds * np.arange(len(vectors))
    return first_stranger(vectors, times, Cosine())  # type: ignore[arg-type]


def stranger(turns: str, noise: float = 0.0) -> int | None:
    rng = np.random.default_rng(1)
    rows = [{"A": ANN, "B": BEN}[who] for who in turns]
    noisy = np.stack(rows) + rng.normal(0, noise, (len(rows), 128))
    return stranger_at(noisy.astype(np.float32))


@pytest.mark.parametrize(
    "turns",
    [
        "AB",
        "AAB",
        "AABB",
        "AAABBB",
        "AAAAABBBBB",
        "AAAAAAAAAB",
        "BAAAAAAAAA",
        "AAAABAAAA",
        "AAABBBAAA",
        "AAABBBBAAA",
        "AAABBBAAABBB",
        "A" * 40 + "BBBB" + "A" * 40,
        "A" * 300 + "B" * 300,
    ],
)
def test_two_people_in_one_track_are_seen_however_they_take_turns(turns: str) -> None:
    assert stranger(turns) is not None
    assert stranger(turns, noise=0.03) is not None


def test_a_person_who_comes_and_goes_in_a_dissolve_is_seen() -> None:
    """The frames between show both people, and agree with either."""
    blended = [0.75 * ANN + 0.66 * BEN, 0.7 * ANN + 0.71 * BEN]
    vectors = np.stack([ANN, ANN, blended[0], BEN, blended[1]])
    assert stranger_at(vectors) is not None


def test_one_person_changes_less_in_two_seconds_than_in_a_long_track() -> None:
    """Somebody blended over a pupil is a little like the pupil."""
    blended = 0.3 * ANN + np.sqrt(1 - 0.3**2) * BEN
    between = 0.7 * ANN + 0.6 * blended
    vectors = np.stack([ANN, ANN, between, blended, between, ANN, ANN]).astype(np.float32)
    assert stranger_at(vectors, seconds=0.5) == 3
    assert stranger_at(vectors, seconds=3.0) is None


@pytest.mark.parametrize("count", [1, 2, 3, 4, 10, 300])
def test_one_person_is_not_split(count: int) -> None:
    assert stranger("A" * count) is None
    assert stranger("A" * count, noise=0.06) is None
