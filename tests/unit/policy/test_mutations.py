"""Delete each rule of ``consent_gate/policy.py`` in turn: its plain test must see a wrong release.

The rules are deleted in a copy of the source, compiled in memory. Each replaced text must occur
exactly once, so a rewritten rule makes this file fail until its deletion is written anew.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from consent_gate import policy
from consent_gate.decisions.rules.rule_book import numbered_rules
from tests.unit.policy import test_rules
from tests.unit.policy.mutations import DELETIONS, Deletion

SOURCE = Path(policy.__file__).read_text(encoding="utf-8")

SHOW_THE_GATE_OPENS = {
    "test_people_who_are_not_cleared_are_covered_where_the_channel_says_so",
    "test_a_face_that_is_too_recognisable_is_covered_and_does_not_make_the_picture_smaller",
    "test_a_held_picture_that_staff_approve_goes_out_with_the_covers",
    "test_a_picture_with_a_large_face_goes_out_smaller_where_the_channel_says_so",
    "test_no_face_is_larger_than_the_limit_at_the_size_that_is_chosen",
    "test_the_size_is_chosen_for_the_crop_and_for_faces_that_staff_drew",
    "test_a_published_picture_stays_while_its_text_is_read_for_the_first_time",
    "test_a_channel_that_does_not_look_for_names_needs_no_text",
    "test_a_covered_name_of_a_pupil_never_to_publish_may_be_released",
    "test_staff_may_release_a_picture_with_a_name",
    "test_a_picture_of_consented_pupils_goes_out_by_itself",
    "test_a_stranger_goes_out_when_staff_vouch_and_sign",
    "test_a_face_too_small_to_recognise_may_be_excused_by_the_channel",
    "test_a_second_person_opens_a_four_eyes_channel",
    "test_a_pupil_may_be_shown_in_two_scenes_of_a_film",
    "test_a_covered_face_does_not_hold_a_film_that_staff_sign",
    "test_a_stranger_who_is_cut_out_does_not_hold_the_film_that_staff_sign",
    "test_a_stranger_who_is_cut_away_does_not_hold_what_staff_sign",
    "test_a_face_like_a_pupil_on_the_roll_goes_out_at_the_threshold_for_the_roll",
    "test_staff_release_a_film_in_which_they_named_everybody",
    "test_a_film_to_which_somebody_listened_goes_out_with_its_sound",
    "test_a_film_goes_out_without_sound_once_staff_say_so",
}


def without_the_rule(deletion: Deletion) -> ModuleType:
    """The policy module as it would be without one rule."""
    source = SOURCE
    for old, new in deletion.changes:
        assert source.count(old) == 1, f"rule {deletion.rule}: {old!r} is not there exactly once"
        source = source.replace(old, new)
    module = ModuleType(policy.__name__)
    exec(compile(source, "policy-without-a-rule", "exec"), module.__dict__)  # noqa: S102
    return module


@pytest.mark.parametrize("deletion", DELETIONS, ids=lambda d: f"{d.rule}-{d.test.__name__}")
def test_without_its_rule_the_gate_releases_wrongly(
    deletion: Deletion, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = without_the_rule(deletion)
    monkeypatch.setattr(policy, "decide", module.decide)
    monkeypatch.setattr(policy, "published_sound", module.published_sound)
    with pytest.raises(deletion.sees):
        deletion.test()


def test_every_rule_of_the_rule_book_is_deleted() -> None:
    book = policy.__doc__ or ""
    in_the_book = {rule.number for rule in numbered_rules(book)} - {"7"}  # rule 7 is its letters
    assert len(in_the_book) == 33
    assert {d.rule for d in DELETIONS} == in_the_book


def test_every_plain_test_guards_a_rule() -> None:
    written = {name for name in vars(test_rules) if name.startswith("test_")}
    assert written - SHOW_THE_GATE_OPENS == {d.test.__name__ for d in DELETIONS}
