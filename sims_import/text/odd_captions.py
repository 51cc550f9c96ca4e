"""Finds headings of consents in which every word is usual and the meaning is not. Pure.

``Use of website`` may be about a pupil who uses the website, ``Website parent photo`` about
pictures of parents. The texts are the stems of a heading, with ``@`` in place of each use.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from sims_import.text.consent_words import PARENT_WORDS, PHOTO_WORDS, PUBLISH_WORDS
from sims_import.text.words import words

USE = "@"
"""What stands in place of the name of a use."""


def _any(found: Collection[str]) -> str:
    return f"(?:{'|'.join(sorted(found))})"


_PHOTO = _any(PHOTO_WORDS)
_PARENT = _any(PARENT_WORDS)
_CHILD = "(?:child|children|pupil|student|learner)"
_ARTICLES = "(?: (?:the|a|an|our|my|your|school|including|and|or))*"
_CONSENT = (
    "(?:consent|consented|permission|agree|agreed|agreement|authorise|authorised|answer|response|"
    "decision|given|give|status|granted|allow|i|we)"
)
_VERBS = re.compile(
    " (?:allow|allowed|allowing|can|could|may|will|would|put|posted|placed|feature|featured|show|"
    "shown|showing|appear|appearing|include|included|including|inclusion|take|taken|taking|happy|"
    "be|being) "
)
_ALLOW = re.compile(" (?:allow|allowed|allowing) ")
_PLACED = re.compile(f" (?:on|in|within|inside|around|for){_ARTICLES} {USE} ")
_USES = re.compile(" (?:use|usage|using|used) (?!(?:on|in|within|inside|around|for) )")
"""Somebody uses the website. ``Used on the website`` is another thing."""
_AGREEMENT = re.compile(" agreement ")
_OF_OTHERS = re.compile(f" (?:their|her|his|my) {USE} |(?<! our)(?<! school) own ")
_FOR_OTHERS = re.compile(
    f" {USE} (?:for|with|by|from)(?!{_ARTICLES} (?:{_CHILD}|{_PHOTO}) ) |"
    f" (?:{USE}|show|shown|showing|given|give) to{_ARTICLES} (?:{_CHILD}|{_PARENT}) "
)
_ANSWERS = re.compile(
    f" {_CONSENT}(?: (?:of|by|from|the|a|my|as|to|or|and|{_CHILD}|{_PARENT}))* {_PARENT}(?= )|"
    f" {_PARENT}(?: (?:or|and|of|the|a|{_PARENT}|{_PHOTO}))* {_CONSENT}(?= )|"
    f" {_PARENT}(?: \\w+){{1,5}} (?:i|we)(?= )"
)
"""A parent who answers."""
_PERSON = re.compile(r" (?:mother|father|mum|dad)(?= )")
_SHOWN = re.compile(
    f" {_PHOTO}(?: (?:of|the|a))* {_PARENT} | {_PARENT}(?: own)? {_PHOTO} |"
    f" (?:for|to|with|of)(?: (?:the|a))* {_PARENT} "
)
_OF_THE_CHILD = re.compile(
    r"^\s*(?:child|pupil|student|learner)\s*:|^\s*child\s+[-\u2013]\s|"
    r"\b(?:child|pupil|student|learner)(?:['\u2019]s|s['\u2019]) (?:own )?"
    r"(?:consent|permission|answer|response|decision|agreement|signature)\b|"
    r"\bchild (?:consent|agree[sd]?|consents|consented|happy|permission|answer|response)\b|"
    r"\b(?:consent|permission|answer|response|decision|agreement) (?:of|by|from) "
    r"(?:the |my |your )?(?:child|pupil|student|learner)\b(?!['\u2019]?s)",
    re.I,
)
"""The child answers, and not the parent."""
_DANGLING = re.compile(
    " (?:of|to|for|by|from|with|in|and|or|the|my|inside|within|around|to do|taken) $"
)
_PAST = re.compile(f" (?:was|had) (?!{_CONSENT} )")
_BELONGS = re.compile(f" {USE} of{_ARTICLES} {_CHILD} | {_PHOTO} of{_ARTICLES} {USE} $")
"""The website of a child, or a picture of the website."""
_NUMBERED = re.compile(rf"\b({_any(PARENT_WORDS)}|p) ?[12]\b", re.I)
"""``Parent 1`` is somebody who answers."""
_PLURAL = re.compile(r"\bweb ?sites\b")


def without_numbered_parents(text: str) -> str:
    """``text`` without ``Parent 1`` and the like."""
    return _NUMBERED.sub(" ", text)


def is_odd(text: str, stems: str, *, of_pictures: bool) -> bool:
    """Whether a heading whose words are all usual may be about something else.

    Args:
        text: The heading.
        stems: Its stems between spaces, with ``USE`` in place of each use.
        of_pictures: Whether it names a use of pictures, not only the matching of faces.
    """
    spoken = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    if _OF_THE_CHILD.search(spoken) or _DANGLING.search(stems) or _PAST.search(stems):
        return True
    return of_pictures and (_is_of_parents(stems) or _is_about_users(text, stems))


def _is_about_users(text: str, stems: str) -> bool:
    """Whether the heading may be about who uses the website, or about another website."""
    spoken = set(stems.split())
    shows = bool(spoken & (PHOTO_WORDS | PUBLISH_WORDS))
    if _PLURAL.search(" ".join(words(text))) or _OF_OTHERS.search(stems):
        return True
    if _FOR_OTHERS.search(stems) or _BELONGS.search(stems):
        return True
    if shows:
        return False
    doubtful = _USES.search(stems) or _AGREEMENT.search(stems) or _ALLOW.search(stems)
    your = f" your {USE} " in stems
    return bool(doubtful or your or (_VERBS.search(stems) and not _PLACED.search(stems)))


def _is_of_parents(stems: str) -> bool:
    """Whether the heading names a parent who may be shown or addressed, and does not answer."""
    rest = _ANSWERS.sub(" ", stems)
    if _SHOWN.search(rest):
        return True
    return bool(re.search(f" {_PARENT} ", _PERSON.sub(" ", rest)))
