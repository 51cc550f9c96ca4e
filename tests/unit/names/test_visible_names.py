"""Text that was read in a picture, compared with the names of the pupils."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from consent_gate.model import Box, NamePart
from consent_gate.names.common_words import COMMON_WORDS, SMALL_WORDS
from consent_gate.names.lookalike_text import plain_letters
from consent_gate.names.name_index import NameIndex, PupilName
from consent_gate.names.text_lines import ReadLine
from consent_gate.names.visible_names import Options, find_names, is_near_face

PUPILS = (
    PupilName("1", "Zoë", "Archer"),
    PupilName("2", "Oluwaseun", "Adeyemi"),
    PupilName("3", "Siân", "O'Donnell"),
    PupilName("4", "Rose", "Hill"),
    PupilName("5", "Will", "Page"),
    PupilName("6", "Mary-Jane", "Barnes-Whitcombe"),
    PupilName("7", "Al", "Ly"),
    PupilName("8", "Grace", "Fernandes"),
    PupilName("10", "Theo", "Fernandes"),
    PupilName("9", "Grace", "Raghunathan"),
    PupilName("11", "Thomas", "O'Brien"),
    PupilName("12", "Łucja", "Wiśniewska"),
    PupilName("13", "Maria", "de la Cruz"),
    PupilName("14", "Bo", "Xu"),
    PupilName("15", "李", "伟"),
    PupilName("16", "Leo", "Khan"),
    PupilName("17", "Ibrahim", "Barnes-Wright"),
    PupilName("18", "Theo", "Green"),
    PupilName("19", "Isla", "Hill"),
)
SPLIT = (
    (("OLUWAS", "ASEUN ADEYEMI"), "2"),
    (("ASEUN ADEYEMI", "OLUWAS"), "2"),
    (("Grace Raghu", "unathan"), "9"),
    (("ara Featherst", "one"), None),
    (("BoXu3",), "14"),
    (("BoXu",), "14"),
    (("LeoKhan3B",), "16"),
    (("Leo Khan3B",), "16"),
    (("李伟",), "15"),
    (("prahim Barnes-Wrisht",), "17"),
)
INDEX = NameIndex(PUPILS)
FACE = Box(0, 0, 100, 100)
EVERYTHING = frozenset(NamePart)
PHRASES = ("Millfields Primary School", "Archer House", "Hill House")


def pupils_named(
    *texts: str, faces: Sequence[Box] = (), parts: frozenset[NamePart] = frozenset({NamePart.FULL})
) -> set[str | None]:
    """Whose names are found in these lines, one below the other, on the chest of the face."""
    lines = [ReadLine(text, Box(0, 150 + 30 * row, 200, 24)) for row, text in enumerate(texts)]
    marks = find_names(lines, INDEX, faces, Options(PHRASES, parts))
    return {mark.pupil for mark in marks}


@pytest.mark.parametrize(
    "lines",
    [
        ("Zoë Archer",),
        ("ZOE ARCHER 3B",),
        ("My name is Zoe Archer",),
        ("Archer, Zoe",),
        ("ZoeArcher",),
        ("zoearcher3b",),
        ("Z O E A R C H E R",),
        ("Zo e Arch er",),
        ("Zoe", "Archer"),
        ("Archer", "Zoe"),
        ("Zoe", "Archer 3B"),
        ("Zoe Arch-", "er"),
        ("Zo", "e Archer"),
        ("ZOE", "ARCHER"),
        ("Zoe Louise Archer",),
        ("Z0e Archer",),
        ("Zoe Arcner",),
        ("Zoe Archcr",),
        ("2oe Archer",),
    ],
)
def test_a_full_name_is_found_however_it_is_written(lines: tuple[str, ...]) -> None:
    assert pupils_named(*lines) == {"1"}


@pytest.mark.parametrize(
    ("text", "pupil"),
    [
        ("Oiuwaseun Adeyerni", "2"),
        ("0luwaseun Adeyemi", "2"),
        ("Sian ODonnell", "3"),
        ("Sian O'Donnell's tray", "3"),
        ("Mary Barnes", "6"),
        ("Jane Whitcombe", "6"),
        ("MaryJane Bames-Whitcombe", "6"),
        ("Al Ly", "7"),
        ("Tom O'Brien", "11"),
        ("TOMMY OBRIEN", "11"),
        ("Tom James O\u2019Brien", "11"),
        ("Thomas O Brien", "11"),
        ("THOMAS O' BRIEN", "11"),
        ("O'BRIEN Thomas", "11"),
        ("Thornas 0'Brlen", "11"),
        ("Lucja Wisniewska", "12"),
        ("ŁUCJA WIŚNIEWSKA", "12"),
        ("Maria De La Cruz", "13"),
        ("Maria delaCruz", "13"),
        ("M a r i a  d e l a C r u z", "13"),
        ("Mary Jane Barnes Whitcombe", "6"),
        ("Barnes-Whitcombe, Mary-Jane", "6"),
        ("Class 3B: Tom O'Brien (captain)", "11"),
    ],
)
def test_what_the_recogniser_confuses_is_one_letter(text: str, pupil: str) -> None:
    assert pupils_named(text) == {pupil}


@pytest.mark.parametrize(
    "lines",
    [
        ("Welcome to Year 3",),
        ("Millfields Primary School",),
        ("Rose Hill is a park in Oxford",),
        ("Will page 3 be read?",),
        ("Archer House", "Zoo"),
        ("Archers",),
        ("Reading corner", "Please be quiet"),
        ("Ally",),
        ("Grace and peace",),
        ("12 + 30 = 42",),
        ("Joe Archibald",),
        ("The Fernandes",),
    ],
)
def test_harmless_text_is_no_name(lines: tuple[str, ...]) -> None:
    assert pupils_named(*lines) == set()


@pytest.mark.parametrize(("lines", "pupil"), SPLIT)
def test_a_name_is_found_in_pieces_and_without_spaces(
    lines: tuple[str, ...], pupil: str | None
) -> None:
    assert pupils_named(*lines) == ({pupil} if pupil else set())


@pytest.mark.parametrize(
    "lines",
    [
        ("The Green Mile",),
        ("TheGreen Mile",),
        ("Rose Hill is", "a park in Oxford"),
        ("Rose Hill is a park", "Hill is a park"),
        ("Mark the hill", "is a boy"),
    ],
)
def test_pieces_of_a_text_are_no_name(lines: tuple[str, ...]) -> None:
    assert pupils_named(*lines) == set()


def test_forename_and_surname_on_two_badges_side_by_side_are_held() -> None:
    # Nobody can say which badge is whose: a wrong hold costs seconds.
    badges = [ReadLine("Zoe Smith", Box(0, 0, 90, 20)), ReadLine("Tom Archer", Box(100, 0, 90, 20))]
    assert [m.pupil for m in find_names(badges, INDEX, (), Options())] == ["1"]


def test_lines_of_two_frames_of_a_film_are_not_one_name() -> None:
    first, second = ReadLine("Zoe", Box(0, 0, 90, 20)), ReadLine("Archer", Box(0, 24, 90, 20))
    later = ReadLine("Archer", Box(0, 24, 90, 20), frame=30)
    assert find_names((first, second), INDEX, (), Options())
    assert not find_names((first, later), INDEX, (), Options())


def test_a_short_form_counts_like_the_forename() -> None:
    assert pupils_named("Tom", faces=[FACE], parts=EVERYTHING) == {"11"}
    assert pupils_named("Tom and Jerry O'Neil", faces=[FACE]) == set()


@pytest.mark.parametrize(
    "lines", [("T. O'Brien",), ("T O'Brien 3B",), ("O'Brien",), ("3B Thomas",)]
)
def test_an_initial_or_a_class_with_one_name_counts_only_where_single_names_do(
    lines: tuple[str, ...],
) -> None:
    assert pupils_named(*lines, faces=[FACE]) == set()
    assert pupils_named(*lines, faces=[FACE], parts=EVERYTHING) == {"11"}


def test_a_house_of_the_same_name_does_not_hide_the_pupil() -> None:
    assert pupils_named("Zoe Archer", "Archer House") == {"1"}
    assert pupils_named("Zoe", "Archer House") == set()
    assert pupils_named("Zoe Archer House") == {"1"}


def test_a_name_of_everyday_words_needs_a_second_sign() -> None:
    assert pupils_named("Will Page") == {"5"}
    assert pupils_named("We will page the", faces=[FACE]) == {"5"}
    assert pupils_named("See if they will page the nurse") == set()


def test_a_single_name_counts_near_a_face_only_where_it_is_wanted() -> None:
    assert pupils_named("Fernandes", faces=[FACE]) == set()
    assert pupils_named("Fernandes", faces=[FACE], parts=EVERYTHING) == {None}
    assert pupils_named("Fernandes", parts=EVERYTHING) == set()


def test_a_forename_of_several_pupils_names_none_of_them() -> None:
    assert pupils_named("Grace", faces=[FACE], parts=EVERYTHING) == {None}
    assert pupils_named("Grace is kind", faces=[FACE], parts=EVERYTHING) == set()


def test_only_the_nearest_pupil_is_named() -> None:
    index = NameIndex([PupilName("1", "Joanna", "Clarke"), PupilName("2", "Joanne", "Clarke")])
    line = ReadLine("Joanne Clarke", Box(0, 0, 200, 20))
    assert [mark.pupil for mark in find_names([line], index, [], Options())] == ["2"]


def test_two_pupils_of_one_name_are_both_named() -> None:
    index = NameIndex([PupilName("1", "Mia", "Clarke"), PupilName("2", "Mia", "Clarke")])
    line = ReadLine("Mia Clarke", Box(0, 0, 200, 20))
    assert {mark.pupil for mark in find_names([line], index, [], Options())} == {"1", "2"}


def marks_of_unread(*lines: ReadLine, faces: Sequence[Box] = (FACE,)) -> list[Box]:
    options = Options(parts=frozenset({NamePart.FULL, NamePart.UNREAD}))
    return [mark.box for mark in find_names(lines, INDEX, faces, options)]


def test_text_that_cannot_be_read_is_marked_near_a_face() -> None:
    badge = ReadLine("", Box(0, 150, 60, 20))
    assert marks_of_unread(badge) == [badge.box]
    assert marks_of_unread(badge, faces=()) == []
    assert find_names([badge], INDEX, [FACE], Options(parts=EVERYTHING - {NamePart.UNREAD})) == ()


def test_text_is_not_unread_where_another_reading_of_it_succeeded() -> None:
    box = Box(0, 150, 60, 20)
    assert marks_of_unread(ReadLine("", box), ReadLine("Year 3", Box(2, 152, 58, 18))) == []
    assert marks_of_unread(ReadLine("", box), ReadLine("", Box(2, 152, 58, 18))) == [box]


def test_lines_far_apart_are_not_one_name() -> None:
    lines = [ReadLine("Zoe", Box(0, 0, 60, 20)), ReadLine("Archer", Box(0, 400, 60, 20))]
    assert find_names(lines, INDEX, [], Options()) == ()


def test_the_box_of_a_name_in_two_lines_holds_both() -> None:
    lines = [ReadLine("Zoe", Box(10, 10, 60, 20)), ReadLine("Archer", Box(0, 35, 90, 20))]
    (mark,) = find_names(lines, INDEX, [], Options())
    assert mark.box == Box(0, 10, 90, 45)


def test_a_name_in_one_line_is_marked_once() -> None:
    lines = [
        ReadLine("Zoe Archer", Box(0, 0, 90, 20)),
        ReadLine("Zoe", Box(0, 25, 60, 20)),
        ReadLine("Archer 3B", Box(0, 50, 60, 20)),
    ]
    marks = find_names(lines, INDEX, [], Options())
    assert [mark.box for mark in marks] == [Box(0, 0, 90, 20), Box(0, 25, 60, 45)]


def test_a_name_that_is_read_twice_is_marked_around_both_readings() -> None:
    """A cover of the smaller reading alone would leave the larger one in the picture."""
    small, large = Box(0, 0, 50, 10), Box(10, 2, 200, 30)
    for boxes in ((small, large), (large, small)):
        lines = [ReadLine("Zoe Archer", box) for box in boxes]
        (mark,) = find_names(lines, INDEX, [], Options())
        assert mark.box.encloses(small)
        assert mark.box.encloses(large)


def test_a_badge_on_the_chest_is_near_the_face() -> None:
    assert is_near_face(Box(20, 300, 60, 20), [FACE])
    assert not is_near_face(Box(20, 900, 60, 20), [FACE])
    assert not is_near_face(Box(500, 50, 60, 20), [FACE])


LETTERS = st.text(st.sampled_from("abcdefghjkopqstuxyz"), min_size=4, max_size=12)


@given(LETTERS, LETTERS, st.data())
def test_every_long_name_is_found_with_one_wrong_letter(
    forename: str, surname: str, data: st.DataObject
) -> None:
    assume(not {forename, surname} <= COMMON_WORDS)  # these are found only exactly
    assume(SMALL_WORDS.isdisjoint({forename, surname}))  # and so is a name with one of these
    index = NameIndex([PupilName("1", forename.title(), surname.title())])
    written = f"{forename} {surname}"
    place = data.draw(st.integers(0, len(written) - 1).filter(lambda i: written[i] != " "))
    wrong = written[:place] + data.draw(st.sampled_from("abxyz")) + written[place + 1 :]
    marks = find_names([ReadLine(wrong, Box(0, 0, 200, 20))], index, [FACE], Options())
    assert [mark.pupil for mark in marks] == ["1"]


@given(st.lists(st.tuples(LETTERS, LETTERS), min_size=1, max_size=6), st.text(max_size=60))
def test_any_text_is_compared_and_gives_pupils_of_the_register(
    names: list[tuple[str, str]], text: str
) -> None:
    index = NameIndex(PupilName(str(i), *name) for i, name in enumerate(names))
    lines = [ReadLine(text, Box(0, 0, 200, 20)), ReadLine(names[0][1], Box(0, 25, 200, 20))]
    marks = find_names(lines, index, [FACE], Options((text,), EVERYTHING))
    assert {mark.pupil for mark in marks} <= {None, *(str(i) for i in range(len(names)))}


@given(LETTERS, LETTERS)
def test_upper_case_and_accents_make_no_difference(forename: str, surname: str) -> None:
    index = NameIndex([PupilName("1", forename, surname)])
    written = f"{forename.upper()} {surname}".replace("e", "é").replace("A", "Å")
    assert plain_letters(written) == f"{forename} {surname}"
    marks = find_names([ReadLine(written, Box(0, 0, 9, 9))], index, [], Options())
    assert [mark.pupil for mark in marks] == ["1"]
