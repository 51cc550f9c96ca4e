"""Checks a person's answers to the questions about an export, and words the possible answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from consent_gate.errors import GateError
from consent_gate.messages import purpose_title
from sims_import.mapping.questions import Question, QuestionTopic
from sims_import.mapping.understand import SavedMapping as SchoolMapping
from sims_import.mapping.understand import apply_answers
from sims_import.planning.prepare import ImportContext
from sims_import.text.vocabulary import Meaning, Role, parse_meaning


class InvalidAnswer(GateError):
    """The answer is none of those that were offered."""

    next_step = "Please look at the questions again."


def open_questions(questions: Iterable[Question]) -> list[Question]:
    """Each question once, because two columns may have the same caption."""
    return list({question.code: question for question in questions}.values())


def with_answers(
    school: ImportContext, questions: Iterable[Question], answers: Mapping[str, str]
) -> SchoolMapping:
    """The school's mapping with a person's answers added.

    Args:
        school: The school's vocabulary and saved mapping.
        questions: The questions that were asked.
        answers: Options by ``Question.code``; a blank one leaves its question open.

    Raises:
        InvalidAnswer: An answer was not offered. No answer is used.
    """
    offered = {question.code: question.options for question in questions}
    given = {code: answer for code, answer in answers.items() if answer}
    for code, answer in given.items():
        if answer not in offered.get(code, ()):
            raise InvalidAnswer("One of the answers does not belong to its question.")
    return apply_answers(school.saved, given, school.vocabulary) if given else school.saved


def option_text(
    question: Question, option: str, school: ImportContext, titles: Mapping[str, str]
) -> str:
    """The text of an option, for staff. ``titles`` are the names of the channels by purpose."""
    if question.about is QuestionTopic.ANSWER:
        return _ANSWERS[option]
    meaning = parse_meaning(option, school.vocabulary)
    if question.about is QuestionTopic.MISSING or meaning is None:
        return f"The column '{option}'"
    if meaning.role is Role.CONSENT_LIST and len(question.options) == _YES_OR_IGNORE:
        return "Yes: what is named there was given"
    if meaning.role is Role.CONSENT:
        return f"Consent for {_uses(meaning, titles)}"
    if meaning.role is Role.REFUSAL:
        return f"A refusal of {_uses(meaning, titles) or 'every use'}"
    if meaning.role is Role.EXPIRES_ON:
        return f"The last day of consent for {_uses(meaning, titles) or 'everything'}"
    return _WORDS.get(meaning.role, f"The {meaning.role.value.replace('_', ' ')}")


def _uses(meaning: Meaning, titles: Mapping[str, str]) -> str:
    *most, last = [purpose_title(name, titles) for name in meaning.purposes] or [""]
    return f"{', '.join(most)} and {last}" if most else last


_YES_OR_IGNORE = 2
"""Number of options of the question whether a listed consent means yes."""
_ANSWERS = {
    "given": "Yes: consent was given",
    "refused": "No: consent was refused or withdrawn",
    "not_stated": "Neither: nobody has answered",
}
_WORDS = {
    Role.OBJECTION: "An objection to face matching",
    Role.NEVER_PUBLISH: "Never to be published at all",
    Role.CONSENT_LIST: "The list of everything that was given",
    Role.CONSENT_TYPE: "The name of a consent, one in each row",
    Role.CONSENT_ANSWER: "The answer to the consent named beside it",
    Role.UPN: "The UPN",
    Role.LEAVER: "Anything there means that the pupil has left",
    Role.GIVEN_ON: "The day on which consent was given",
    Role.IGNORE: "Nothing to do with consent for pictures: pass over it",
}
