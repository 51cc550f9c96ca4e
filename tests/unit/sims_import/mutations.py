"""How each rule of the closed world would be deleted, and which plain test would see it.

Data for ``test_each_rule_of_the_closed_world``: texts of one module, each of which occurs exactly
once (docs/adr/0014-closed-world-import.md).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import NamedTuple

from sims_import.mapping import columns, doubts, layout, school_doubts
from sims_import.planning import import_blocks, reading_blocks
from sims_import.readers import body
from sims_import.roster import dates, merge, rows, statements
from sims_import.text import caption_meaning, caution, cells, values, words
from tests.support.consent_files import EVERYTHING
from tests.unit.sims_import import test_closed_world as t


class Deletion(NamedTuple):
    """A rule, the module it is in, the test that guards it, and the change that makes it void."""

    rule: str
    module: ModuleType
    test: Callable[[], None]
    old: str
    new: str


DELETIONS = [
    Deletion(
        "an unknown answer is no yes",
        values,
        partial(t.test_a_sign_in_a_cell_is_an_answer_and_never_a_yes, "2"),
        "_NO_SENTENCE.fullmatch(plain) else None",
        "_NO_SENTENCE.fullmatch(plain) else Answer.GIVEN",
    ),
    Deletion(
        "an unknown answer stops grants",
        doubts,
        t.test_an_unknown_answer_is_asked_about_once_and_stops_grants,
        "*_open_answers(unknown),",
        "",
    ),
    Deletion(
        "a negative word governs its clause",
        cells,
        partial(t.test_nothing_is_left_over_in_a_list_of_types, f"No consent for {EVERYTHING}"),
        "governing = Answer.REFUSED\n",
        "pass\n",
    ),
    Deletion(
        "an answer before a list governs it",
        cells,
        t.test_a_negative_word_governs_up_to_the_semicolon,
        "return answer, match[2]",
        "return Answer.GIVEN, match[2]",
    ),
    Deletion(
        "an answer on its own line governs the lines below",
        cells,
        partial(t.test_nothing_is_left_over_in_a_list_of_types, f"Refused:\n{EVERYTHING}"),
        "pieces = [_governed(piece, heading) for piece in pieces]",
        "pass",
    ),
    Deletion(
        "an answer at the end of a list may be about all of it",
        cells,
        partial(t.test_nothing_is_left_over_in_a_list_of_types, f"{EVERYTHING} (withdrawn)"),
        "            pieces = [_in_doubt(earlier, clause) for earlier in pieces]\n"
        "        pieces.append(piece)",
        "            pass\n        pieces.append(piece)",
    ),
    Deletion(
        "brackets around a list are asked about",
        cells,
        partial(t.test_nothing_is_left_over_in_a_list_of_types, f"({EVERYTHING})"),
        "if _BRACKETED_LIST.search(clause):",
        "if False:",
    ),
    Deletion(
        "a sign before a type is read or asked about",
        cells,
        t.test_a_sign_before_a_type_that_nobody_knows_stops_grants,
        'return Piece(text, None, f"{marker} \\u2026")',
        "return Piece(text, answer)",
    ),
    Deletion(
        "an open column that may mean no stops grants",
        doubts,
        partial(t.test_an_open_column_that_may_mean_no_stops_grants, "Overall", "No"),
        "*_open_columns(table, columns, vocabulary),",
        "",
    ),
    Deletion(
        "notes are read for what may mean no",
        doubts,
        partial(
            t.test_an_open_column_that_may_mean_no_stops_grants,
            "Notes",
            "Mum rang, no photos any more",
        ),
        "elif meaning.role is Role.NOTE and",
        "elif False and",
    ),
    Deletion(
        "a column without a heading stops grants",
        doubts,
        partial(t.test_an_open_column_that_may_mean_no_stops_grants, "", "No"),
        "if not key(caption):",
        "if not key(caption):\n            continue\n        if False:",
    ),
    Deletion(
        "what undoes a consent includes face matching",
        statements,
        partial(
            t.test_what_undoes_a_consent_undoes_every_consent_of_its_row, "Consent withdrawn", "Y"
        ),
        "every = (*self._names, BIOMETRIC)",
        "every = self._names",
    ),
    Deletion(
        "an end date without a use ends every consent of the row",
        dates,
        partial(
            t.test_what_undoes_a_consent_undoes_every_consent_of_its_row, "End Date", "01/06/2026"
        ),
        "for name in meaning.purposes or tuple(consents):",
        "for name in meaning.purposes:",
    ),
    Deletion(
        "every answer column counts",
        statements,
        t.test_every_answer_column_counts_and_the_strictest_wins,
        "for at in self._answers:",
        "for at in self._answers[:1]:",
    ),
    Deletion(
        "a withdrawal in a row about one type is about that type",
        statements,
        t.test_a_date_of_withdrawal_counts_for_the_type_of_its_row_alone,
        "whole = tuple(stated.consents) if self._has_type_rows and stated.consents else every",
        "whole = every",
    ),
    Deletion(
        "a blank parent says nothing",
        statements,
        t.test_one_parents_no_beats_the_others_yes_and_a_blank_parent_says_nothing,
        "and at in self._parent_columns",
        "and False",
    ),
    Deletion(
        "a day alone is no answer",
        columns,
        t.test_only_dates_of_a_consent_are_asked_about,
        "only = meaning.role is Role.GIVEN_ON and set(meaning.purposes) - answered",
        "only = False",
    ),
    Deletion(
        "a listed consent without its day is not given",
        statements,
        t.test_a_listed_consent_without_the_day_that_others_have_is_not_given,
        "if answer is Answer.GIVEN and self._lacks_date(row):",
        "if False:",
    ),
    Deletion(
        "the later of two dated answers counts",
        merge,
        t.test_a_later_yes_beats_an_earlier_no_only_where_both_are_dated,
        "return new.consents[name]",
        "pass",
    ),
    Deletion(
        "near misses of never publish count",
        caption_meaning,
        partial(
            t.test_a_typing_error_in_never_publish_is_no_reason_to_pass_it_over, "Nver publish"
        ),
        "return denies and bool(get_close_matches(squashed, NEVER_PUBLISH, 1, 0.9))",
        "return False",
    ),
    Deletion(
        "no sign in a heading is dropped",
        words,
        partial(t.test_a_heading_with_something_left_over_grants_nothing, " \u2717"),
        "c not in _PLAIN_SIGNS and not _mark(c)",
        "False",
    ),
    Deletion(
        "a heading of a section may say no",
        caution,
        t.test_a_tick_below_a_section_that_says_no_is_a_refusal,
        "return bool(OPT_OUT.search(plain) or found & (NEGATIONS | FOREIGN_NEGATIONS))",
        "return False",
    ),
    Deletion(
        "a heading of a section may say no in the plural",
        caution,
        t.test_a_tick_below_a_section_that_says_no_is_a_refusal,
        "for word in (one, _without_plural(one))",
        "for word in (one,)",
    ),
    Deletion(
        "a title with a word that is not usual in titles stops grants",
        caution,
        partial(t.test_a_title_that_says_no_stops_grants, "Names in blue"),
        'or not is_usual_title(_without_key(text) or "", names)',
        "",
    ),
    Deletion(
        "a key that gives answers another meaning stops grants",
        caution,
        partial(t.test_a_title_that_says_no_stops_grants, "N = yes"),
        "            return None\n        rest = rest",
        "            pass\n        rest = rest",
    ),
    Deletion(
        "more after a key stops grants",
        caution,
        partial(t.test_a_title_that_says_no_stops_grants, "Y = yes (2024 form)"),
        "if not all(map(_is_harmless_after_key",
        "if False and not all(map(_is_harmless_after_key",
    ),
    Deletion(
        "a heading of usual words in an unusual order is asked about",
        caption_meaning,
        t.test_a_heading_about_something_else_is_asked_about,
        "film_only or _is_odd(text, stems, purposes, vocabulary):",
        "film_only:",
    ),
    Deletion(
        "the name of another school stops grants",
        school_doubts,
        t.test_the_name_of_another_school_stops_grants,
        "    yield from _other_schools(lines, classes, vocabulary)\n",
        "",
    ),
    Deletion(
        "a tick below a heading that says no is a refusal",
        body,
        t.test_a_tick_below_a_section_that_says_no_is_a_refusal,
        'refused_by = _joined(line) if negates(_joined(line)) else ""',
        'refused_by = ""',
    ),
    Deletion(
        "a second heading row is followed",
        body,
        t.test_a_second_heading_row_in_another_order_is_followed,
        "elif self._is_other_header(line):",
        "elif False:",
    ),
    Deletion(
        "rows below other headings are named",
        body,
        t.test_a_second_heading_row_with_other_headings_stops_grants,
        "left_out=body.left_out(),",
        "",
    ),
    Deletion(
        "two lists side by side stop grants",
        doubts,
        t.test_two_lists_side_by_side_stop_grants,
        "*_two_lists(table, columns),",
        "",
    ),
    Deletion(
        "staff are left out",
        rows,
        t.test_staff_are_no_pupils,
        "if self._is_staff(row):",
        "if False:",
    ),
    Deletion(
        "several schools stop grants",
        doubts,
        t.test_several_schools_in_one_file_stop_grants,
        "*_schools(table, columns, vocabulary),",
        "",
    ),
    Deletion(
        "an undecided order of dates stops grants",
        reading_blocks,
        t.test_dates_that_fit_both_orders_and_decide_about_today_stop_grants,
        "if plan.roster.unsure_dates:",
        "if False:",
    ),
    Deletion(
        "headings that changed places are seen in the layout",
        layout,
        t.test_two_headings_that_changed_places_stop_grants,
        "return not self.known and (self.explained or self.reordered)",
        "return not self.known and self.explained",
    ),
    Deletion(
        "answers that changed places are seen in the register",
        reading_blocks,
        t.test_two_headings_that_changed_places_stop_grants,
        "return crossed_one > own_one and crossed_other > own_other",
        "return False",
    ),
    Deletion(
        "an unreadable row makes nobody a leaver",
        reading_blocks,
        t.test_an_unreadable_number_makes_nobody_a_leaver,
        "if plan.roster.errors and plan.of_kind(ChangeKind.LEFT):",
        "if False:",
    ),
    Deletion(
        "what stops in the reading reaches the plan",
        import_blocks,
        t.test_several_schools_in_one_file_stop_grants,
        "        *reading,\n",
        "",
    ),
]
