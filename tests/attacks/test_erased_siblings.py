"""A pupil is erased and stays at the school: new pictures of her must not pass as her brother's.

The register knew her as his sister without an enrolment photo, or the models confuse the two. Once
her entry is gone, nothing of that is left, and the nearest template to her face is his.
"""

from __future__ import annotations

import pytest

from consent_gate.db.models import Lookalike, PupilEntry
from consent_gate.home.home import Home
from consent_gate.subject_rights.erase import erase_pupil
from publish.release import publish_pending
from tests.support.factories import World
from tests.support.fake_renderer import FakeRenderer, make_photo, published_counts
from tests.support.imports import HEADER, import_csv, make_template

PUPILS = [(f"{7000 + n:06d}", f"Name{n}", f"F{n}") for n in range(12)]
HIS, HERS = "007000", "007001"


def export(*without: str, family: str = "F0") -> str:
    """An export of twelve pupils who consent to everything; the first two are one family."""
    families = {HERS: family}
    return "\n".join(
        [
            HEADER,
            *(
                f"{number},,{name},Surname,3W,{families.get(number, key)},T,T,T,T,,"
                for number, name, key in PUPILS
                if number not in without
            ),
        ]
    )


@pytest.fixture
def school(home: Home) -> Home:
    """He has a template; she, his sister, has none."""
    import_csv(home, export())
    make_template(home, HIS)
    return home


def is_released(home: Home) -> bool:
    """Whether a new picture goes out in which the machine takes one face for his."""
    before = published_counts(home)["website"]
    make_photo(home, HIS)
    publish_pending(home, FakeRenderer())
    return published_counts(home)["website"] > before


@pytest.mark.dialect
def test_a_new_picture_of_an_erased_sister_is_held(school: Home) -> None:
    assert not is_released(school)
    erase_pupil(school, HERS, "d.officer")
    assert not is_released(school)


def test_a_new_picture_of_an_erased_sister_with_a_template_is_held(school: Home) -> None:
    """While her template was there, her face was nearer to it than to his."""
    make_template(school, HERS)
    assert is_released(school)
    erase_pupil(school, HERS, "d.officer")
    assert not is_released(school)


def test_a_new_picture_of_an_erased_lookalike_is_held(home: Home) -> None:
    world = World(home)
    import_csv(home, export(family="F1"))
    make_template(home, HIS)
    make_template(home, HERS)
    first, second = (PupilEntry.objects.get(admission_number=n) for n in (HIS, HERS))
    Lookalike.objects.create(first=first, second=second)
    erase_pupil(world.home, HERS, "d.officer")
    assert not is_released(home)


def test_the_next_export_says_whether_she_is_still_there(school: Home) -> None:
    erase_pupil(school, HERS, "d.officer")
    import_csv(school, export())
    assert not is_released(school), "she is on the register again, as his sister"


def test_her_brother_is_recognised_again_once_an_export_comes_without_her(school: Home) -> None:
    erase_pupil(school, HERS, "d.officer")
    import_csv(school, export(HERS))
    assert is_released(school)


def test_a_sister_who_had_left_before_holds_nothing(school: Home) -> None:
    PupilEntry.objects.filter(admission_number=HERS).update(on_roll=False)
    erase_pupil(school, HERS, "d.officer")
    assert is_released(school)


def test_a_file_about_one_class_does_not_end_the_guard(school: Home) -> None:
    """It does not say who is at the school."""
    erase_pupil(school, HERS, "d.officer")
    header, first, *_ = export().splitlines()
    import_csv(school, "\n".join([header, first]))
    assert not is_released(school)
