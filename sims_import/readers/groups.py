"""Decides whether the name of a group of fields belongs to their captions. Pure.

In JSON and XML a pupil's answers may stand in a group. ``consents`` says nothing, and ``requested``
or ``history`` changes what the answers mean.
"""

from __future__ import annotations

from collections.abc import Iterable

from consent_gate.model import Answer
from sims_import.text.caution import negates, title_may_mean_no
from sims_import.text.title_years import names_year
from sims_import.text.values import read_answer
from sims_import.text.words import word_set, words

WRAPPERS = word_set(
    """data attributes answers fields details detail pupil student learner person personal identity
    record row rows properties value values items item entry entries people root dataroot dataset
    newdataset xml node object element array content output response consents consent
    permissions parentalconsents parentalconsent photoconsents photoconsent"""
)
"""Names, without spaces, of groups that do not change the meaning of their fields."""
_USUAL_TAGS = word_set("superstarreport")


def name_matters(name: str, texts: Iterable[str]) -> bool:
    """Whether a group's name has to stay with its captions.

    Args:
        name: The group's name.
        texts: The texts of its fields. A group without answers says who somebody is.
    """
    if negates(name):
        return True
    if "".join(words(name)) in WRAPPERS:
        return False
    return any(read_answer(text) in {Answer.GIVEN, Answer.REFUSED} for text in texts)


def telling_names(names: Iterable[str]) -> tuple[str, ...]:
    """The names of lists, roots and records that may change what they hold."""
    found = (name for name in names if "".join(words(name)) not in WRAPPERS | _USUAL_TAGS)
    return tuple(
        dict.fromkeys(name for name in found if title_may_mean_no(name) or names_year(name))
    )
