"""How each rule of ``consent_gate/publication.py`` is deleted, and which test must then fail.

Data for ``test_each_rule_is_needed``: texts of the source, each of which occurs exactly once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.unit.publication import test_rules as t


class Deletion(NamedTuple):
    """A rule, the test that guards it, and the source change that makes it void."""

    rule: str
    test: Callable[[], None]
    old: str
    new: str


DELETIONS = [
    Deletion(
        "1", t.test_a_picture_that_an_import_clears_is_examined_first, "if may_open:", "if 1:"
    ),
    Deletion(
        "2",
        t.test_a_picture_goes_out_covered_as_staff_want,
        "return Open(wanted, now)",
        "return Open(Appearance(), now)",
    ),
    Deletion(
        "2",
        t.test_a_cover_that_is_added_replaces_the_picture_that_is_out,
        "if current.appearance == wanted:",
        "if True:",
    ),
    Deletion(
        "2",
        t.test_a_picture_without_the_cover_that_staff_want_does_not_stay_out,
        "fits = current.appearance == wanted and ",
        "fits = ",
    ),
    Deletion(
        "3",
        t.test_a_withdrawn_consent_recalls_the_picture,
        "stays = current.was_out and not must_recall(verdict)",
        "stays = current.was_out",
    ),
    Deletion(
        "4",
        t.test_a_picture_comes_back_with_the_approval_that_let_it_out,
        " and not history.approval_withdrawn",
        "",
    ),
    Deletion(
        "4",
        t.test_a_picture_whose_cover_was_deleted_waits_for_a_person,
        "cause = APPROVAL_WITHDRAWN if history.approval_withdrawn else APPEARANCE_CHANGED",
        "cause = APPEARANCE_CHANGED",
    ),
    Deletion(
        "5",
        t.test_a_recalled_picture_waits_for_a_person,
        "if history.awaits_approval:",
        "if False:",
    ),
    Deletion(
        "5",
        t.test_an_approval_from_before_the_recall_opens_nothing,
        "self.approval is not None and self.approval not in {\n"
        "            recall.approval for recall in self.recalls\n        }",
        "self.approval is not None",
    ),
    Deletion(
        "5",
        t.test_a_picture_published_by_an_approval_comes_back_when_that_is_undone,
        "if current is not None:\n            return recall_or_cancel(current.was_out, APPROVAL_W",
        "if False:\n            return recall_or_cancel(current.was_out, APPROVAL_W",
    ),
    Deletion(
        "6",
        t.test_a_picture_that_a_person_stopped_on_its_way_stays_back,
        "(recall.was_out or recall.cause in COUNT_BEFORE_RELEASE)",
        "recall.was_out",
    ),
    Deletion(
        "6",
        t.test_a_picture_stopped_by_a_hold_when_its_cover_was_deleted_waits_for_a_person,
        "if history.approval_withdrawn and not (current.was_out or refused):",
        "if False:",
    ),
    Deletion(
        "7",
        t.test_no_cause_but_a_change_by_staff_ends_by_itself,
        "frozenset({APPEARANCE_CHANGED, ",
        "frozenset({APPEARANCE_CHANGED, Reason.CONSENT_REFUSED.value, ",
    ),
    Deletion(
        "8",
        t.test_readers_are_told_of_a_picture_that_was_out,
        "Recall(cause, now) if was_out else Cancel(cause)",
        "Cancel(cause)",
    ),
    Deletion(
        "8",
        t.test_a_picture_that_was_out_is_never_cancelled,
        'audit="publication.abandoned", was_out=False',
        'audit="publication.abandoned"',
    ),
    Deletion(
        "9",
        t.test_a_picture_that_is_no_longer_cleared_is_not_listed,
        "return isinstance(verdict, Release) and fits",
        "return fits",
    ),
    Deletion(
        "9",
        t.test_a_picture_without_the_new_cover_is_not_listed,
        "fits = current is not None and current.appearance == wanted",
        "fits = current is not None",
    ),
    Deletion(
        "9",
        t.test_a_picture_whose_new_approval_was_undone_is_not_listed,
        "and fits and not history.awaits_approval",
        "and fits",
    ),
    Deletion(
        "10",
        t.test_a_damaged_picture_leaves_the_list_and_is_checked_anew,
        "Remake,\n        IN_MANIFEST,\n        _S.INTENDED,",
        "Remake,\n        IN_MANIFEST,\n        _S.LIVE,",
    ),
    Deletion(
        "10",
        t.test_a_damaged_picture_leaves_the_list_and_is_checked_anew,
        "Transition(List, (_S.WRITTEN,)",
        "Transition(List, (_S.INTENDED, _S.WRITTEN)",
    ),
    Deletion(
        "11",
        t.test_no_step_leads_back_from_a_recall,
        "Remake,\n        IN_MANIFEST,",
        "Remake,\n        (*IN_MANIFEST, *RECALLED),",
    ),
    Deletion(
        "12",
        t.test_a_recall_is_listed_until_every_copy_is_confirmed_gone,
        "        confirmed=True,\n",
        "",
    ),
    Deletion(
        "12",
        t.test_a_recall_is_listed_until_every_copy_is_confirmed_gone,
        "Close,\n        (_S.REMOVED,),",
        "Close,\n        RECALLED,",
    ),
    Deletion(
        "13",
        t.test_a_recall_that_the_home_had_lost_counts,
        "cause: str = RECALLED_BEFORE",
        'cause: str = ""',
    ),
    Deletion(
        "13",
        t.test_a_recall_that_the_home_had_lost_counts,
        "Transition(RecordLost, (), _S.CLOSED)",
        "Transition(RecordLost, (), _S.LIVE)",
    ),
    Deletion(
        "14",
        t.test_a_face_that_loses_its_consent_recalls_the_picture_and_is_not_merely_covered,
        "recall_or_cancel(current.was_out, lost or cause, now)",
        "recall_or_cancel(current.was_out, cause, now)",
    ),
    Deletion(
        "14",
        t.test_one_more_face_to_cover_recalls_a_covered_picture_for_its_own_reason,
        "cause = recalling[0].value if recalling else lost or verdict.reasons[0].value",
        "cause = (recalling or verdict.reasons)[0].value",
    ),
]
