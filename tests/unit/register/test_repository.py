"""Old portraits give way to newer ones, and only to portraits."""

from __future__ import annotations

from datetime import date

from consent_gate.db.models import EnrolmentPhoto
from consent_gate.register.repository import without_old

LIMIT, OLD, NEW = date(2024, 1, 1), date(2021, 9, 1), date(2025, 9, 1)
TODAY, FUTURE = date(2026, 9, 1), date(2036, 9, 1)


def photo(pupil: int, taken_on: date | None, item: str | None = None) -> EnrolmentPhoto:
    return EnrolmentPhoto(
        pupil_id=pupil, taken_on=taken_on, first_imported_on=NEW, item_id=item, sha256=""
    )


def test_an_old_portrait_is_left_out_only_where_there_is_a_newer_one() -> None:
    old, new, only = photo(1, OLD), photo(1, NEW), photo(2, OLD)
    assert without_old([old, new, only], LIMIT, TODAY) == [new, only]


def test_a_portrait_dated_in_the_future_replaces_none() -> None:
    photos = [photo(1, OLD), photo(1, FUTURE)]
    assert without_old(photos, LIMIT, TODAY) == photos


def test_every_recent_portrait_stays() -> None:
    photos = [photo(1, NEW), photo(1, LIMIT), photo(1, None)]
    assert without_old(photos, LIMIT, TODAY) == photos


def test_a_remembered_face_replaces_no_portrait() -> None:
    """A pupil with remembered faces alone would lose the comparison with the portraits."""
    old, remembered = photo(1, OLD), photo(1, NEW, "a-picture")
    assert without_old([old, remembered], LIMIT, TODAY) == [old, remembered]


def test_an_old_remembered_face_goes_with_a_newer_portrait() -> None:
    remembered, new = photo(1, OLD, "a-picture"), photo(1, NEW)
    assert without_old([remembered, new], LIMIT, TODAY) == [new]
