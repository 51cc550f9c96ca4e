"""How each rule of ``consent_gate/policy.py`` is deleted, and which test must then fail.

Data for ``test_each_rule_is_needed``: texts of the source, each of which occurs exactly once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tests.support.core_factories import WronglyReleased
from tests.unit.policy import test_rules as t


class Deletion(NamedTuple):
    """A rule, the test that guards it, and the source changes that make it void."""

    rule: str
    test: Callable[[], None]
    changes: tuple[tuple[str, str], ...]
    sees: type[BaseException] = WronglyReleased


NOBODY_KNOWN = "                reasons.append(Reason.UNKNOWN_FACE)\n        return reasons"
IS_OUTSIDE = "return self.is_outside(index)"
READ_TOO_LITTLE = (
    "elif not wanted.issubset(picture.looked_for) or not picture.text_side >= published:"
)
CUT_AWAY = "return bool(face and face.shown and is_cut_away(face.shown, edit.kept))"
IS_CUT_AWAY = "return self.approval is not None and self.is_outside(index)"
STILL_NEVER = "by_machine = [r for r in by_machine if r is Reason.NEVER_PUBLISH]"
HEAD_IS_APART = "return box.with_margin().is_apart_from(self.staff.crop)"

NOT_ABOUT_WHO = "if not ANSWERED_BY_A_COVER.issuperset(reasons):"
NOBODY_MARKED = "return is_certain or not self.may_show_never_publish()"

DELETIONS = [
    Deletion(
        "1",
        t.test_a_sealed_picture_goes_nowhere,
        (("if self.staff.sealed is not False:", "if False:"),),
    ),
    Deletion(
        "2",
        t.test_a_picture_that_was_not_examined_is_held_even_if_staff_approve,
        (("return Hold((_known_reason(self.evidence.reason),))", "return Release(())"),),
    ),
    Deletion(
        "3",
        t.test_a_channel_refused_by_staff_stays_closed,
        (("if self.channel.name in self.staff.refused:", "if False:"),),
    ),
    Deletion(
        "4",
        t.test_last_terms_register_releases_nothing,
        (("return not 0 <= age <= self.rules.register_max_age_days", "return age < 0"),),
    ),
    Deletion(
        "4",
        t.test_a_register_from_the_future_releases_nothing,
        (("not 0 <= age <= self.rules.reg", "not age <= self.rules.reg"),),
    ),
    Deletion(
        "4",
        t.test_a_register_without_a_date_releases_nothing,
        (
            (
                "exported_on is None:\n            return True",
                "exported_on is None:\n            return False",
            ),
        ),
    ),
    Deletion(
        "4",
        t.test_a_consent_that_vanished_from_the_import_releases_nothing,
        ((" or self.channel.purpose in self.register.suspended", ""),),
    ),
    Deletion(
        "4",
        t.test_no_match_clears_a_face_while_face_matching_consent_is_in_doubt,
        (("if BIOMETRIC in self.register.suspended:", "if False:"),),
    ),
    Deletion(
        "5",
        t.test_a_picture_without_faces_is_held,
        (("if no_faces and", "if False and"),),
    ),
    Deletion(
        "5",
        t.test_a_speck_that_is_excused_is_not_a_face_found,
        (
            (
                "no_faces = all(self.is_unrecognisable(i) or self.is_outside(i) for i in faces)",
                "no_faces = self.face_count == 0",
            ),
        ),
    ),
    Deletion(
        "6",
        t.test_a_picture_from_an_unknown_camera_is_held,
        (("if checked and", "if False and"),),
    ),
    Deletion(
        "6",
        t.test_a_camera_with_another_serial_number_is_another_camera,
        (
            (
                'camera in entries or camera[: camera.rfind("|") + 1] in entries',
                'any(e.startswith(camera[: camera.rfind("|") + 1]) for e in entries)',
            ),
        ),
    ),
    Deletion(
        "6",
        t.test_a_picture_that_names_no_camera_is_held,
        (
            (
                "if device is None:\n        return False",
                "if device is None:\n        return True",
            ),
        ),
    ),
    Deletion(
        "7a",
        t.test_a_face_the_detectors_disagree_on_is_held,
        (("if face.kind is not FaceKind.FACE:", "if False:"),),
    ),
    Deletion(
        "7a",
        t.test_a_face_too_poor_to_judge_is_held,
        (("reasons.append(_known_reason(reason))", "pass"),),
    ),
    Deletion(
        "7b",
        t.test_a_stranger_is_held,
        (
            (
                "case _:\n                reasons.append(Reason.UNKNOWN_FACE)",
                "case _:\n                pass",
            ),
        ),
    ),
    Deletion(
        "7b",
        t.test_a_face_between_two_pupils_is_held,
        (("reasons.append(Reason.AMBIGUOUS_MATCH)\n                reasons", "reasons"),),
    ),
    Deletion(
        "7b",
        t.test_a_match_without_any_margin_is_held,
        (("if not (isfinite(match.distance) and match.margin > 0):", "if False:"),),
    ),
    Deletion(
        "7b",
        t.test_a_face_drawn_by_staff_is_held_until_somebody_names_it,
        (("return [Reason.UNKNOWN_FACE]\n        reasons:", "return []\n        reasons:"),),
    ),
    Deletion(
        "7b",
        t.test_a_match_to_somebody_not_on_the_register_is_held,
        (
            (
                "return [Reason.CONSENT_MISSING]\n        reasons",
                "return []\n        reasons",
            ),
        ),
    ),
    Deletion(
        "7c",
        t.test_one_pupil_seen_twice_in_a_picture_is_held,
        (("if self.times_shown(index, pupil.admission_number) > 1:", "if False:"),),
    ),
    Deletion(
        "7d",
        t.test_a_match_without_consent_to_face_matching_is_held,
        (("if objected or not _is_given(pupil, BIOMETRIC, self.today):", "if objected:"),),
    ),
    Deletion(
        "7d",
        t.test_an_objection_to_face_matching_beats_the_consent_to_it,
        (("if objected or not", "if not"),),
    ),
    Deletion(
        "7e",
        t.test_a_pupil_with_an_unenrolled_sibling_is_held,
        (("if self.may_be_sibling(pupil):", "if False:"),),
    ),
    Deletion(
        "7f",
        t.test_a_pupil_whose_lookalike_refused_is_held,
        (("if any(not self.is_cleared(other) for other in pupil.lookalikes):", "if False:"),),
    ),
    Deletion(
        "7g",
        t.test_an_old_enrolment_photo_clears_nobody,
        (("return not 0 <= age <= self.rules.enrolment_max_age_days", "return age < 0"),),
    ),
    Deletion(
        "7g",
        t.test_an_enrolment_photo_dated_in_the_future_clears_nobody,
        (("not 0 <= age <= self.rules.enrol", "not age <= self.rules.enrol"),),
    ),
    Deletion(
        "7g",
        t.test_a_pupil_without_an_enrolment_photo_is_not_cleared_by_the_machine,
        (
            (
                "enrolled_on is None:\n            return True",
                "enrolled_on is None:\n            return False",
            ),
        ),
    ),
    Deletion(
        "7g",
        t.test_a_pupil_whose_enrolment_photo_nobody_confirmed_is_held,
        (("and pupil.enrolment_confirmed is not True:", "and False:"),),
    ),
    Deletion(
        "7h",
        t.test_a_pupil_of_a_class_that_was_not_there_is_held,
        (("if not self.is_at_event(match.pupil):", "if False:"),),
    ),
    Deletion(
        "7j",
        t.test_a_face_below_the_schools_threshold_is_held_where_no_roll_is_named,
        (
            (
                "if roll is None or self.staff.roll_threshold is not True:\n            return F",
                "if roll is None:\n            return near.roll_size > 0 or F",
            ),
        ),
    ),
    Deletion(
        "7j",
        t.test_a_roll_that_a_restore_named_makes_nothing_less_strict,
        (("or self.staff.roll_threshold is not True:", "or False:"),),
    ),
    Deletion(
        "7j",
        t.test_a_face_is_held_where_the_roll_has_more_pupils_than_its_score_suffices_for,
        (("return near.roll_size >= max(len(roll), MINIMUM_ROLL)", "return near.roll_size > 0"),),
    ),
    Deletion(
        "7j",
        t.test_a_short_roll_is_no_way_around_the_threshold,
        (("max(len(roll), MINIMUM_ROLL)", "len(roll)"),),
    ),
    Deletion(
        "7j",
        t.test_a_face_nearest_to_somebody_who_was_not_there_is_held,
        (
            (
                "return self.reaches_roll_threshold(near) and self.is_at_event(near.pupil)",
                "return self.reaches_roll_threshold(near)",
            ),
            ("if not self.is_at_event(match.pupil):", "if False:"),
        ),
    ),
    Deletion(
        "7j",
        t.test_a_classmate_without_consent_is_held_at_the_threshold_for_the_roll,
        (("return self.match_reasons(index, near)", "return []"),),
    ),
    Deletion(
        "7j",
        t.test_one_pupil_is_not_matched_twice_at_two_thresholds,
        (("as near if self.counts_on_roll(near):", "as near if False:"),),
    ),
    Deletion(
        "7e",
        t.test_a_sibling_without_a_photo_who_was_not_there_holds_unless_the_settings_say_so,
        (
            (
                "if self.rules.sibling_guard is not SiblingGuard.ROLL or roll is None",
                "if roll is None",
            ),
        ),
    ),
    Deletion(
        "7e",
        t.test_the_sibling_guard_holds_without_a_roll_whatever_the_settings_say,
        (
            ("or roll is None or not siblings:", "or not siblings:"),
            ("return not roll.isdisjoint(siblings)", "return bool(roll and roll & siblings)"),
        ),
    ),
    Deletion(
        "7e",
        t.test_a_sibling_without_a_photo_who_was_there_holds,
        (("return not roll.isdisjoint(siblings)", "return False"),),
    ),
    Deletion(
        "7e",
        t.test_a_sibling_whom_the_register_does_not_name_holds,
        (("or roll is None or not siblings:", "or roll is None:"),),
    ),
    Deletion(
        "10",
        t.test_a_face_near_a_pupil_who_must_not_be_published_holds_the_picture,
        (("return [reason, *self.never_publish(near.pupil)]", "return [reason]"),),
    ),
    Deletion(
        "15",
        t.test_an_event_with_a_class_that_is_not_on_the_register_is_held,
        (("if self.staff.roll_unclear is not False:", "if False:"),),
    ),
    Deletion(
        "7i",
        t.test_a_blank_consent_is_never_yes,
        (
            (" or consent.answer is Answer.NOT_STATED:", ":"),
            ("elif consent.answer is not Answer.GIVEN:", "elif consent.answer is Answer.REFUSED:"),
            ("or consent.answer is not Answer.GIVEN:", "or consent.answer is Answer.REFUSED:"),
        ),
    ),
    Deletion(
        "7i",
        t.test_a_consent_that_was_never_asked_for_is_never_yes,
        (
            (
                "if consent is None or left",
                "if consent is None:\n            pass\n        elif left",
            ),
        ),
    ),
    Deletion(
        "7i",
        t.test_a_refused_pupil_is_held,
        (
            ("elif consent.answer is not Answer.GIVEN:", "elif False:"),
            ("if consent is None or consent.answer is not Answer.GIVEN:", "if consent is None:"),
        ),
    ),
    Deletion(
        "7i",
        t.test_an_expired_consent_is_held,
        (("and (consent.expires_on is None or today <= consent.expires_on)", ""),),
    ),
    Deletion(
        "7i",
        t.test_a_consent_that_begins_tomorrow_is_held_today,
        (("return begun and", "return"),),
    ),
    Deletion(
        "7i",
        t.test_a_leaver_is_held,
        (("left = pupil.on_roll is not True", "left = False"),),
    ),
    Deletion(
        "8",
        t.test_a_small_stranger_is_held_unless_the_channel_says_otherwise,
        (
            (
                "published is not None and published < self.channel.unrecognisable_below_px",
                "True",
            ),
        ),
    ),
    Deletion(
        "8",
        t.test_a_small_face_that_was_recognised_is_not_excused,
        (("if isinstance(face.identity, Match | NearMatch):", "if False:"),),
    ),
    Deletion(
        "8",
        t.test_a_small_face_that_is_nearly_recognised_is_not_excused,
        (
            (
                "if isinstance(face.identity, Match | NearMatch):",
                "if isinstance(face.identity, Match):",
            ),
        ),
    ),
    Deletion(
        "8",
        t.test_a_small_face_like_two_pupils_is_not_excused,
        (
            (
                "Reason.UNKNOWN_FACE, Reason.POSSIBLE_FACE}",
                "Reason.UNKNOWN_FACE, Reason.POSSIBLE_FACE, Reason.AMBIGUOUS_MATCH}",
            ),
        ),
    ),
    Deletion(
        "8",
        t.test_a_small_face_staff_cannot_place_is_not_excused,
        ((" or index in self.staff.tags", ""),),
    ),
    Deletion(
        "8",
        t.test_a_face_without_a_size_is_not_excused,
        (
            (
                "if not all(size > 0 for size in (box.width, box.height, long_side, side)):",
                "if False:",
            ),
        ),
    ),
    Deletion(
        "8",
        t.test_a_crop_nobody_signed_clears_nobody,
        (("return self.approval is not None and self.is_outside(index)", IS_OUTSIDE),),
    ),
    Deletion(
        "8",
        t.test_a_stranger_left_in_the_crop_is_held,
        ((HEAD_IS_APART, "return True"),),
    ),
    Deletion(
        "8",
        t.test_a_stranger_cut_by_the_edge_of_the_crop_is_held,
        ((HEAD_IS_APART, "return box.x + box.width // 2 < self.staff.crop.x"),),
    ),
    Deletion(
        "8",
        t.test_a_stranger_whose_ear_is_in_the_crop_is_held,
        ((".with_margin().is_apart_from", ".is_apart_from"),),
    ),
    Deletion(
        "8",
        t.test_a_crop_that_keeps_no_face_is_held_like_a_picture_without_faces,
        ((" or self.is_outside(i) for i in faces", " for i in faces"),),
    ),
    Deletion(
        "8",
        t.test_a_crop_that_is_no_part_of_the_picture_is_held,
        (("if not self.crop_fits():", "if False:"),),
    ),
    Deletion(
        "8",
        t.test_a_speck_that_the_crop_makes_large_is_not_excused,
        (("shown, box = self.staff.crop or self.picture,", "shown, box = self.picture,"),),
    ),
    Deletion(
        "8",
        t.test_a_face_beside_the_picture_is_not_cut_away,
        ((" or box.is_apart_from(whole):", ":"),),
    ),
    Deletion(
        "9",
        t.test_a_tag_nobody_signed_clears_nobody,
        (("if self.approval is not None and tag.kind", "if tag.kind"),),
    ),
    Deletion(
        "9",
        t.test_an_approval_without_a_stated_basis_is_none,
        ((" and approval.basis.strip()", ""),),
    ),
    Deletion(
        "9",
        t.test_an_approval_without_a_name_is_none,
        (("approval.actor.strip() and ", ""),),
    ),
    Deletion(
        "9",
        t.test_an_approval_for_the_website_opens_no_other_channel,
        (
            ("approvals.get(channel.name)", "approvals.get('website')"),
            ("approvals[self.channel.name]", "approvals['website']"),
        ),
    ),
    Deletion(
        "9",
        t.test_an_approval_does_not_speak_for_a_face_nobody_named,
        (
            (
                "return by_machine\n        by_tag",
                "return [] if self.approval else by_machine\n        by_tag",
            ),
        ),
    ),
    Deletion(
        "9",
        t.test_staff_cannot_release_a_pupil_who_refused,
        (("return self.naming_reasons(index, pupil) if pupil else", "return [] if pupil else"),),
    ),
    Deletion(
        "9",
        t.test_staff_cannot_release_a_pupil_who_is_not_on_the_register,
        (("if pupil else [Reason.CONSENT_MISSING]", "if pupil else []"),),
    ),
    Deletion(
        "9",
        t.test_a_visitor_without_an_agreement_is_held,
        ((" and tag.basis.strip()", ""),),
    ),
    Deletion(
        "9",
        t.test_a_visitor_who_is_named_as_a_pupil_is_held,
        (("if tag.pupil is None and (agreed", "if (agreed"),),
    ),
    Deletion(
        "9",
        t.test_a_face_staff_cannot_place_is_held_although_the_machine_is_sure,
        (
            ("return [Reason.UNKNOWN_FACE, *self.never_publish(tag.pupil)]", "return []"),
            ("elif not (by_machine or by_tag) and", "elif False and"),
            ("_TAG_BASIS[tag.kind]", "tag.kind"),
        ),
    ),
    Deletion(
        "9",
        t.test_an_unsigned_tag_that_contradicts_the_machine_holds,
        (("elif not (by_machine or by_tag) and", "elif False and"),),
    ),
    Deletion(
        "9",
        t.test_a_tag_about_a_face_that_is_not_there_holds,
        (("if not self.tags_fit():", "if False:"),),
    ),
    Deletion(
        "9",
        t.test_staff_cannot_name_one_pupil_for_two_faces,
        (("if self.times_shown(index, pupil.admission_number) > 1:", "if False:"),),
    ),
    Deletion(
        "10",
        t.test_a_never_publish_pupil_is_never_published,
        (("reasons = self.never_publish(pupil.admission_number)", "reasons = []"),),
    ),
    Deletion(
        "10",
        t.test_no_tag_talks_a_never_publish_pupil_out,
        (("[r for r in by_machine if r is Reason.NEVER_PUBLISH]", "[]"),),
    ),
    Deletion(
        "10",
        t.test_a_never_publish_pupil_named_by_staff_is_never_published,
        (("reasons = self.never_publish(pupil.admission_number)", "reasons = []"),),
    ),
    Deletion(
        "10",
        t.test_a_never_publish_pupil_staff_would_blur_is_never_published,
        (("            return self.never_publish(tag.pupil)\n", "            return []\n"),),
    ),
    Deletion(
        "10",
        t.test_a_never_publish_pupil_who_would_be_cut_away_is_never_published,
        (("[*self.machine_reasons(index), *(self", "[*(self"),),
    ),
    Deletion(
        "10",
        t.test_a_never_publish_pupil_whom_staff_would_cut_away_is_never_published,
        (("*(self.never_publish(tag.pupil) if tag else ())", ""),),
    ),
    Deletion(
        "10",
        t.test_a_face_that_may_be_a_never_publish_pupil_is_never_published,
        (("for r in self.never_publish(number))", "for r in ())"),),
    ),
    Deletion(
        "11",
        t.test_a_four_eyes_channel_waits_for_a_second_person,
        (("if not reasons and self.needs_second_person():", "if False:"),),
    ),
    Deletion(
        "11",
        t.test_nobody_is_their_own_second_person,
        ((" or second == approval.actor.strip().casefold()", ""),),
    ),
    Deletion(
        "13",
        t.test_a_copy_of_a_refused_picture_is_held,
        (("if self.is_seen_before():", "if False:"),),
    ),
    Deletion(
        "13",
        t.test_a_picture_that_shows_a_sealed_one_is_held,
        (("self.staff.shows_sealed or ", ""),),
    ),
    Deletion(
        "12",
        t.test_a_fault_in_the_register_holds_the_picture,
        (("except Exception:", "except ZeroDivisionError:"),),
        sees=TypeError,
    ),
    Deletion(
        "12",
        t.test_a_pupil_filed_under_anothers_number_holds_the_picture,
        (("pupil is not None and pupil.admission_number != admission_number:", "False:"),),
    ),
    Deletion(
        "12",
        t.test_a_channel_set_up_twice_is_closed,
        (("Hold((Reason.NOT_EXAMINED,)) if duplicate else verdict", "verdict"),),
    ),
    Deletion(
        "7c",
        t.test_one_pupil_shown_twice_at_one_moment_of_a_film_is_held,
        (("return spans[0].shares_moment_with(spans[1])", "return False"),),
    ),
    Deletion(
        "7c",
        t.test_a_face_without_a_time_is_at_every_moment,
        (
            (
                "if spans[0] is None or spans[1] is None:\n            return True",
                "if spans[0] is None or spans[1] is None:\n            return False",
            ),
        ),
    ),
    Deletion(
        "14",
        t.test_a_cropped_film_is_held,
        (
            (
                "return False  # rule 14\n        if not isinstance(crop, Box)",
                "pass\n        if not isinstance(crop, Box)",
            ),
        ),
    ),
    *(
        Deletion("14", test, ((CUT_AWAY, "return True"),))
        for test in (
            t.test_a_cut_that_is_one_frame_too_short_holds_the_film,
            t.test_a_face_is_cut_away_only_where_it_is_known_in_which_frames_it_may_be,
        )
    ),
    Deletion(
        "8",
        t.test_a_cut_without_an_approval_lets_nobody_out,
        ((IS_CUT_AWAY, "return self.is_outside(index)"), ("if no_faces and", "if False and")),
    ),
    Deletion(
        "10",
        t.test_a_pupil_never_to_publish_holds_a_film_from_which_they_are_cut,
        (("if Reason.NEVER_PUBLISH in found else []", "if False else []"),),
    ),
    Deletion(
        "14",
        t.test_a_cut_for_other_frames_holds_the_film,
        (("if edit.frames_sha256 != self.picture.pixels_sha256:", "if False:"),),
    ),
    Deletion(
        "14",
        t.test_a_cut_that_does_not_fit_holds_the_film,
        (("return are_spans_of(edit.kept, film.seconds)", "return True"),),
    ),
    Deletion(
        "14",
        t.test_a_photo_cannot_be_cut_like_a_film,
        (
            (
                "if film is None or not isinstance(edit, FilmEdit):\n            return False",
                "if film is None:\n            return True",
            ),
            ("if self.picture.film is not None and edit is not None:", "if edit is not None:"),
        ),
    ),
    Deletion(
        "11",
        t.test_a_second_person_is_asked_about_a_film_that_was_cut,
        ((" or self.staff.film_edit is not None", ""),),
    ),
    Deletion(
        "14",
        t.test_no_approval_releases_a_film_that_staff_cannot_see,
        (("return None  # rule 14", "pass"),),
    ),
    Deletion(
        "14",
        t.test_a_face_of_a_film_that_nobody_followed_cannot_be_covered,
        (("if face is None or not _can_be_covered(face.shown):", "if face is None:"),),
    ),
    Deletion(
        "10",
        t.test_a_pupil_never_to_publish_holds_a_film_in_which_they_are_covered,
        ((STILL_NEVER, "by_machine = []"),),
    ),
    Deletion(
        "14",
        t.test_a_face_that_staff_drew_holds_a_film_whatever_they_say_of_it,
        (("film is not None and (face is None or is_cover):", "film is not None and is_cover:"),),
    ),
    Deletion(
        "14",
        t.test_a_track_that_may_be_two_people_cannot_be_named,
        (("film is not None and self.may_be_several(index)", "film is not None and False"),),
    ),
    Deletion(
        "14",
        t.test_no_face_of_a_film_is_excused_as_a_speck,
        (("return False  # rule 14\n        published", "pass\n        published"),),
    ),
    Deletion(
        "14",
        t.test_a_stranger_in_a_film_is_held,
        ((NOBODY_KNOWN, NOBODY_KNOWN.replace("reasons.append(Reason.UNKNOWN_FACE)", "pass")),),
    ),
    Deletion(
        "17",
        t.test_no_picture_is_made_too_small_to_see,
        (("return side if side >= SMALLEST_SIDE else None", "return side"),),
    ),
    Deletion(
        "17",
        t.test_a_film_is_not_made_smaller,
        (
            ("size = self.published_film_px(index) if is_film else self", "size = self"),
            (" or limit <= 0 or picture.film is not None:", ":"),
        ),
    ),
    *(
        Deletion("17", test, (("not self.is_too_recognisable(index, covered):", "True:"),))
        for test in (
            t.test_a_face_larger_than_the_channel_shows_is_held_also_after_an_approval,
            t.test_a_crop_that_enlarges_a_face_counts,
            t.test_a_face_that_staff_drew_is_measured_too,
        )
    ),
    Deletion(
        "17",
        t.test_a_face_of_an_impossible_size_is_too_large,
        (("return size is None or not size <=", "return size is not None and not size <="),),
    ),
    Deletion(
        "17",
        t.test_a_face_turned_to_the_camera_is_held_where_only_others_are_shown,
        (("channel.facing is not Facing.ANY and not self.is_turned_away(index)", "False"),),
    ),
    Deletion(
        "17",
        t.test_a_face_turned_to_the_camera_is_held_where_only_others_are_shown,
        (
            (
                "is_known = face.kind is FaceKind.FACE and isfinite(face.quality.yaw)",
                "is_known = True",
            ),
            (
                "return is_known and face.quality.yaw >= FACE_ON_BELOW",
                "return not face.quality.yaw < 0.35",
            ),
        ),
    ),
    Deletion(
        "17",
        t.test_a_possible_face_counts_as_turned_to_the_camera,
        (("face.kind is FaceKind.FACE and isfinite(", "isfinite("),),
        sees=AssertionError,
    ),
    Deletion(
        "17",
        t.test_a_face_of_which_the_turn_is_not_known_counts_as_turned_to_the_camera,
        (
            (
                "if face is None or face.quality is None or self.picture.film is not None:\n"
                "            return False",
                "if face is None or face.quality is None:\n            return True",
            ),
        ),
    ),
    Deletion(
        "17",
        t.test_a_covered_face_or_an_adult_who_agreed_may_be_large,
        (("tag.kind in EXEMPT_FROM_RULE_17:", "True:"),),
    ),
    Deletion(
        "17",
        t.test_a_face_of_a_film_is_measured_where_it_is_largest_and_is_never_turned_away,
        (("self.published_film_px(index) if is_film else", ""),),
    ),
    Deletion(
        "16",
        t.test_a_picture_in_which_a_full_name_can_be_read_is_held,
        (("if any(name.part in self.channel.visible_names.parts", "if any(False"),),
    ),
    Deletion(
        "16",
        t.test_the_name_of_an_erased_pupil_is_held,
        (("if any(name.part in", "if any(name.pupil and name.part in"),),
    ),
    Deletion(
        "16",
        t.test_a_name_is_held_in_every_channel,
        (("if any(name.part in", 'if self.channel.name != "mag" and any(name.part in'),),
    ),
    Deletion(
        "16",
        t.test_a_forename_or_surname_alone_is_held_by_the_setting_of_the_channel,
        (("name.part in self.channel.visible_names.parts", "name.part is NamePart.FULL"),),
    ),
    Deletion(
        "16",
        t.test_a_picture_whose_text_could_not_be_checked_is_held,
        (
            ("elif picture.text_check is not TextCheck.COMPARED:", "elif False:"),
            (READ_TOO_LITTLE, "elif False:"),
        ),
    ),
    Deletion(
        "16",
        t.test_a_picture_whose_text_was_not_looked_for_is_held,
        (
            (
                "if not wanted:\n            return reasons",
                "if picture.text_check is TextCheck.OFF:\n            return reasons",
            ),
        ),
    ),
    Deletion(
        "16",
        t.test_a_film_whose_text_was_not_read_is_held_until_it_is_approved,
        (
            (
                "if not wanted:\n            return reasons",
                "if not wanted or picture.film is not None:\n            return reasons",
            ),
        ),
    ),
    Deletion(
        "16",
        t.test_a_picture_examined_before_the_channel_asked_for_surnames_is_held,
        ((READ_TOO_LITTLE, "elif False:"),),
    ),
    Deletion(
        "16",
        t.test_text_that_was_read_smaller_than_it_is_published_is_held,
        ((READ_TOO_LITTLE, "elif not wanted.issubset(picture.looked_for):"),),
    ),
    Deletion(
        "16",
        t.test_text_that_a_crop_publishes_larger_than_it_was_read_is_held_until_somebody_signs,
        (("shown = self.staff.crop or self.picture\n", "shown = self.picture\n"),),
    ),
    Deletion(
        "16",
        t.test_text_beside_a_face_that_cannot_be_read_is_held_by_the_setting,
        (("if self.channel.unread_text and any(", "if False and any("),),
    ),
    Deletion(
        "16",
        t.test_the_name_of_a_pupil_never_to_publish_is_held_after_an_approval,
        (("elif any(self.is_forbidden(name)", "elif any(False"),),
    ),
    Deletion(
        "16",
        t.test_a_cover_beside_the_name_hides_nothing,
        (("boxes[i].encloses(box)", "True"),),
    ),
    Deletion(
        "16",
        t.test_a_cover_hides_no_name_in_a_film,
        (("if picture.film is not None:\n        return False\n    if", "if"),),
    ),
    Deletion(
        "16",
        t.test_a_crop_through_the_name_hides_nothing,
        (("and box.is_apart_from(staff.crop):", "and True:"),),
    ),
    Deletion(
        "18",
        t.test_nobody_is_covered_where_the_channel_does_not_say_so,
        (("if self.channel.uncleared is not Uncleared.COVER or not reasons:", "if not reasons:"),),
    ),
    Deletion(
        "18b",
        t.test_a_cover_answers_nothing_that_is_about_the_picture,
        (("reasons = [*self.picture_reasons(), *(r", "reasons = [*(r"),),
    ),
    Deletion(
        "18a",
        t.test_the_gate_covers_no_face_that_staff_drew,
        (("if face is None or face.in_rendition or", "if"),),
    ),
    Deletion(
        "18a",
        t.test_the_gate_covers_no_face_that_only_the_finished_picture_shows,
        (("if face is None or face.in_rendition or", "if face is None or"),),
    ),
    Deletion(
        "18a",
        t.test_the_gate_covers_nobody_in_a_film,
        (("face.in_rendition or self.picture.film is not None:", "face.in_rendition:"),),
    ),
    Deletion(
        "18a",
        t.test_the_gate_covers_no_face_that_staff_cannot_tell_or_that_was_of_an_erased_pupil,
        (("if tag is not None and tag.kind is TagKind.CANNOT_TELL:", "if False:"),),
    ),
    *(
        Deletion("18b", test, ((NOT_ABOUT_WHO, "if False:"), (NOBODY_MARKED, "return True")))
        for test in (
            t.test_a_pupil_never_to_publish_is_not_merely_covered,
            t.test_a_brother_without_a_photo_is_not_merely_covered,
            t.test_a_face_that_was_not_examined_is_not_merely_covered,
            t.test_an_old_portrait_does_not_cover_who_is_out,
        )
    ),
    Deletion(
        "18b",
        t.test_a_pupil_like_somebody_never_to_publish_is_not_merely_covered,
        (("return False  # a lookalike, or staff", "return True  # a lookalike, or staff"),),
    ),
    Deletion(
        "18c",
        t.test_somebody_who_is_not_on_the_register_is_not_merely_covered,
        (
            (
                "if any(self.pupil(number) is None for number in self.candidates(index)):",
                "if False:",
            ),
        ),
    ),
    Deletion(
        "18d",
        t.test_a_stranger_is_not_covered_where_a_pupil_never_to_publish_may_be_the_stranger,
        ((NOBODY_MARKED, "return True"),),
    ),
    Deletion(
        "18d",
        t.test_a_stranger_is_not_covered_where_a_pupil_never_to_publish_may_be_the_stranger,
        (("if self.staff.roll_is_whole is not True:", "if False:"),),
    ),
    Deletion(
        "18a",
        t.test_a_face_of_which_staff_and_the_machine_say_different_things_is_not_merely_covered,
        (
            (
                "if self.is_contradicted(index):\n            return False",
                "if False:\n            return False",
            ),
        ),
    ),
    Deletion(
        "18d",
        t.test_two_faces_like_one_pupil_may_be_somebody_never_to_publish,
        ((" and LACKS_CONSENT.issuperset(reasons)", ""),),
    ),
    Deletion(
        "18d",
        t.test_a_pupil_never_to_publish_counts_who_is_not_among_the_pupils_of_the_picture,
        (("        marked |= self.register.never_published\n", ""),),
    ),
    Deletion(
        "18e",
        t.test_a_picture_in_which_nobody_would_be_seen_is_held,
        (("return covered if is_seen else {}", "return covered"),),
    ),
    Deletion(
        "19",
        t.test_a_film_in_which_somebody_speaks_is_held_until_somebody_listened,
        (("if self.is_not_listened():", "if False:"),),
    ),
    Deletion(
        "19",
        t.test_a_part_to_which_nobody_listened_holds_the_film,
        (("if unheard_parts(film, review, kept):", "if False:"),),
    ),
    Deletion(
        "19",
        t.test_a_film_without_a_check_of_its_sound_must_be_heard_to_its_end,
        (("if unheard_parts(film, review, kept):", "if False:"),),
    ),
    Deletion(
        "19",
        t.test_a_film_that_staff_want_silent_is_silent,
        (("if review.is_off is not False or not film", "if not film"),),
    ),
    Deletion(
        "19",
        t.test_a_channel_that_asks_for_no_sound_gets_none,
        (
            (
                "channel.film_sound is not FilmSound.REVIEWED or film.sound is None",
                "film.sound is None",
            ),
        ),
    ),
    Deletion(
        "19",
        t.test_what_was_heard_of_another_film_counts_for_nothing,
        (("if (review.frames_sha256, review.sound_sha256) == digests:", "if True:"),),
    ),
    Deletion(
        "19",
        t.test_what_was_muted_stays_silent_when_the_sound_is_decoded_anew,
        ((", is_off=review.is_off, muted=review.muted)", ")"),),
    ),
    Deletion(
        "19",
        t.test_sound_that_could_not_be_decoded_is_never_published,
        ((" is not False or not film.sound.sha256:", " is not False:"),),
    ),
    Deletion(
        "19",
        t.test_nobody_can_have_heard_a_film_that_is_not_stored,
        (("if film.is_viewable is not True or (needs", "if (needs"),),
    ),
    Deletion(
        "19",
        t.test_one_person_who_listened_is_not_enough_where_two_are_needed,
        ((" or (needs_approval and not _is_signed(staff, channel)):", ":"),),
    ),
]
