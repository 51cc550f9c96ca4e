"""The meaning of a column comes from its caption, its cells or the school, and is never guessed."""

from __future__ import annotations

import pytest

from consent_gate.model import Answer
from sims_import.mapping.file import MappingInvalid, from_toml, to_toml
from sims_import.mapping.questions import QuestionTopic
from sims_import.mapping.understand import SavedMapping, Shape, apply_answers, map_columns
from sims_import.planning.prepare import ImportContext, read_export
from sims_import.readers.dispatch import read_table
from sims_import.text.vocabulary import DEFAULT_VOCABULARY, Meaning, Role
from tests.support.sims_school import (
    encode_csv,
    given_purposes,
    make_pupil,
    make_snapshot,
    prepare_import,
    wide_csv,
)


def asked(data: bytes, saved: SavedMapping | None = None) -> dict[str, tuple[str, ...]]:
    understanding = map_columns(read_table(data, "x"), saved)
    return {question.code: question.samples for question in understanding.questions}


WIDE = encode_csv([["Adno", "Surname", "Website"], ["4123", "Moss", "T"]])
CELL = encode_csv([["Adno", "Parental Consent"], ["4123", "Photograph Student, School Website"]])
LONG = encode_csv([["Adno", "Consent Type", "Consent Given"], ["4123", "School Website", "Yes"]])


@pytest.mark.parametrize(
    ("data", "shape"), [(WIDE, Shape.WIDE), (CELL, Shape.CELL), (LONG, Shape.LONG)]
)
def test_the_three_shapes_are_told_apart(data: bytes, shape: Shape) -> None:
    assert map_columns(read_table(data, "x")).shape is shape
    assert given_purposes(data) == {"004123": {"website"}}


def test_photograph_alone_is_asked_about_and_counts_as_not_stated() -> None:
    data = encode_csv(
        [["Adno", "Surname", "Photograph"], ["4123", "Moss", "T"], ["4124", "Page", "T"]]
    )
    assert asked(data) == {"column:Photograph": ("T",)}
    assert given_purposes(data) == {"004123": set(), "004124": set()}


def test_a_type_in_a_cell_that_names_no_use_is_asked_about() -> None:
    assert "type:Photograph Student" in asked(CELL)


def test_a_column_with_no_entries_is_not_asked_about() -> None:
    assert asked(encode_csv([["Adno", "Surname", "Photograph"], ["4123", "Moss", ""]])) == {}


def test_a_yes_and_no_column_without_types_covers_nothing() -> None:
    data = encode_csv([["Adno", "Surname", "Parental Consent"], ["4123", "Moss", "Yes"]])
    assert "column:Parental Consent" in asked(data)
    assert given_purposes(data) == {"004123": set()}


def test_a_type_column_whose_answers_hide_under_another_caption_grants_nothing() -> None:
    data = encode_csv([["Adno", "Consent Type", "Outcome"], ["4123", "School Website", "Nope"]])
    assert "column:Consent Type" in asked(data)
    assert given_purposes(data) == {"004123": set()}


def test_a_no_beside_a_listed_type_is_reason_to_ask() -> None:
    data = encode_csv([["Adno", "Parental Consent", "Outcome"], ["4123", "School Website", "No"]])
    assert given_purposes(data) == {"004123": set()}


def test_one_type_that_slipped_among_the_answers_makes_no_list_of_them() -> None:
    rows = [["4123", "School Website", "No"]] * 3 + [["4123", "Moss", "School Displays"]]
    assert given_purposes(encode_csv([["Adno", "Consent Type", "Consent Given"], *rows])) == {
        "004123": set()
    }


def test_answers_under_a_general_caption_belong_to_the_types_beside_them() -> None:
    rows = [["4123", "School Website", "Yes"], ["4123", "School Displays", "No"]]
    assert given_purposes(encode_csv([["Adno", "Consent Type", "Consent"], *rows])) == {
        "004123": {"website"}
    }


def test_an_answer_settles_the_question_for_next_term() -> None:
    data = encode_csv([["Adno", "Surname", "Photograph"], ["4123", "Moss", "T"]])
    answers = {"column:Photograph": "consent:website+displays"}
    saved = apply_answers(SavedMapping(), answers, DEFAULT_VOCABULARY)
    understanding = map_columns(read_table(data, "x"), saved)
    assert understanding.questions == ()
    assert understanding.columns[2].purposes == ("website", "displays")
    assert saved.version == 1


def test_an_answer_that_is_no_option_is_refused() -> None:
    with pytest.raises(ValueError, match="facebook"):
        apply_answers(SavedMapping(), {"column:Photograph": "consent:facebook"}, DEFAULT_VOCABULARY)


def test_a_type_once_settled_is_read_so_ever_after() -> None:
    saved = apply_answers(
        SavedMapping(), {"type:Photograph Student": "consent:displays"}, DEFAULT_VOCABULARY
    )
    school = ImportContext(saved=saved)
    table = read_export(CELL, "x", school)
    assert map_columns(table, saved).types["photograph student"].purposes == ("displays",)


def test_captions_nobody_has_seen_are_asked_for() -> None:
    data = encode_csv([["Kennung", "Nachname"], ["4123", "Moss"], ["4124", "Page"]])
    assert list(asked(data)) == ["missing:"]
    saved = apply_answers(SavedMapping(), {"missing:": "Kennung"}, DEFAULT_VOCABULARY)
    assert map_columns(read_table(data, "x"), saved).columns[0].role is Role.ADMISSION_NUMBER


def test_a_caption_that_changed_since_last_term_is_a_question() -> None:
    saved = map_columns(read_table(WIDE, "x")).mapping
    changed = encode_csv([["Adno", "Surname", "Photos for website"], ["4123", "Moss", "T"]])
    (question,) = map_columns(read_table(changed, "x"), saved).questions
    assert question.about is QuestionTopic.CHANGED
    assert question.caption == "Photos for website"
    assert question.was == ("website",)


def test_the_same_captions_next_term_raise_no_question_and_no_new_version() -> None:
    saved = map_columns(read_table(WIDE, "x")).mapping
    again = map_columns(read_table(WIDE, "x"), saved)
    assert again.questions == ()
    assert again.mapping == saved


def test_last_terms_mapping_goes_before_the_aliases() -> None:
    saved = SavedMapping({"website": Meaning(Role.IGNORE)}, version=1)
    assert map_columns(read_table(WIDE, "x"), saved).columns[2].role is Role.IGNORE


def test_columns_in_any_order_and_missing_columns_make_no_difference() -> None:
    shuffled = encode_csv([["Website", "Adno"], ["T", "4123"]])
    assert given_purposes(shuffled) == given_purposes(WIDE) == {"004123": {"website"}}


def test_arbor_and_bromcom_captions_are_known() -> None:
    arbor = (
        "Admission number,UPN,Legal First Name,Legal Last Name,Registration Form,Year Group,"
        "Consent: Photos on school website\n"
        "4123,E204340217648,Ravi,Moss,3W,Year 3,Consented\n"
    )
    bromcom = (
        "Admission No,First Name,Last Name,Tutor Group,Consent Description,Consent Status\n"
        "4123,Ravi,Moss,3W,Photograph - Website,Granted\n"
    )
    assert (
        given_purposes(arbor.encode())
        == given_purposes(bromcom.encode())
        == {"004123": {"website"}}
    )


def test_a_mapping_reads_back_from_toml_as_written() -> None:
    mapping = SavedMapping(
        {
            "photo website": Meaning(Role.CONSENT, ("website", "mag")),
            'odd "one"\\': Meaning(Role.UPN),
        },
        {"no photograph": Meaning(Role.REFUSAL)},
        {"agree": Answer.GIVEN, "x": Answer.REFUSED},
        ("a1 b2",),
        7,
    )
    read = from_toml(to_toml(mapping), DEFAULT_VOCABULARY)
    assert read.types == mapping.types
    assert read.answers == mapping.answers
    assert read.layouts == mapping.layouts
    assert read.version == 7
    assert read.columns["photo website"] == Meaning(Role.CONSENT, ("website", "mag"))


@pytest.mark.parametrize(
    "text",
    [
        "version = [",
        'version = "one"',
        "columns = 3",
        '[columns]\n"A" = "consent:facebook"',
        '[columns]\n"A" = 3',
        '[types]\n"A" = "perhaps"',
    ],
)
def test_a_mapping_file_with_a_mistake_is_refused(text: str) -> None:
    with pytest.raises(MappingInvalid):
        from_toml(text, DEFAULT_VOCABULARY)


def test_a_mapping_file_may_use_captions_as_they_are_in_the_export() -> None:
    text = '[columns]\n"Photo-Erlaubnis: WWW" = "consent:website"\n'
    school = ImportContext(saved=from_toml(text, DEFAULT_VOCABULARY))
    data = encode_csv([["Adno", "Photo-Erlaubnis: WWW"], ["4123", "T"], ["4124", ""]])
    prepared = prepare_import(data, school=school)
    assert prepared.plan.records["004123"].consents["website"].answer == "given"


def test_a_changed_heading_lets_withdrawals_through_and_keeps_grants() -> None:
    before = [make_pupil(n) for n in range(4001, 4040)] + [make_pupil(4040, given=())]
    saved = prepare_import(wide_csv(before)).understanding.mapping
    after = [
        make_pupil(4001, given=("mag", "displays", "biometric")),
        *before[1:-1],
        make_pupil(4040),
    ]
    data = wide_csv(after).replace(b"Photograph - Website", b"Website photos")
    prepared = prepare_import(data, make_snapshot(before), ImportContext(saved=saved))
    assert [brake.code for brake in prepared.blocks] == ["header-changed"]
