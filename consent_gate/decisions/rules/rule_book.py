"""Both rule books as one plain text, with the settings and the thresholds in force.

For staff, governors and the data protection officer. The rules are those that the docstrings of
``consent_gate.policy`` and ``consent_gate.publication`` number. The SHA-256 of the text stands in
the audit entry of each decision. The text has no date of its printing, so it changes only with
what it describes.
"""

from __future__ import annotations

import hashlib
import re
import textwrap
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from typing import Any

from consent_gate import __version__, policy, publication
from consent_gate.decisions.rules.settings_sentences import (
    channel_sentences,
    comparison_sentences,
    school_sentences,
)
from consent_gate.home.home import Home
from consent_gate.messages import LABELS
from consent_gate.model import Rules

WIDTH = 100
"""Columns of the printed text."""


@dataclass(frozen=True)
class Rule:
    """One numbered rule."""

    number: str
    """``7``, or ``7a`` for a part of rule 7."""
    text: str


@dataclass(frozen=True)
class Chapter:
    """One part of the text: rules, or sentences about what is set."""

    title: str
    rules: tuple[Rule, ...] = ()
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True)
class RuleBook:
    """Everything that decides today whether a picture is shown."""

    school: str
    chapters: tuple[Chapter, ...]

    @cached_property
    def text(self) -> str:
        """The whole text, in lines of at most ``WIDTH`` columns."""
        return _text_of(self)

    @cached_property
    def sha256(self) -> str:
        """Digest of the text, as hexadecimal digits."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """The form of ``consent-gate rules --json``."""
        return {
            "school": self.school,
            "sha256": self.sha256,
            "chapters": [asdict(chapter) for chapter in self.chapters],
            "text": self.text,
        }


def rule_book(home: Home, rules: Rules) -> RuleBook:
    """The rules in force in a home.

    Args:
        home: The installation.
        rules: ``decisions.rules.rules_in_force`` of this home.
    """
    settings = home.settings
    chapters = (
        Chapter("Who may be shown", numbered_rules(policy.__doc__ or "")),
        Chapter(
            "What goes out, what stays out, and what comes back",
            numbered_rules(publication.__doc__ or ""),
            (_new_only(),),
        ),
        *(
            Chapter(
                f"What is set for {channel.title}",
                sentences=tuple(channel_sentences(name, channel)),
            )
            for name, channel in settings.channels.items()
        ),
        Chapter("What is set for all places", sentences=tuple(school_sentences(settings, rules))),
        Chapter("When two faces are the same person", sentences=tuple(comparison_sentences(home))),
        Chapter("The program", sentences=(f"consent-gate {__version__}.",)),
    )
    return RuleBook(settings.school.name, chapters)


@lru_cache(maxsize=4)  # every decision names the digest, and the rules rarely change
def _text_of(book: RuleBook) -> str:
    lines = [f"The rules of the gate at {book.school}", ""]
    for chapter in book.chapters:
        lines += [chapter.title, "-" * len(chapter.title), ""]
        for rule in chapter.rules:
            lines += _wrapped(f"{rule.number}.", rule.text)
        for sentence in chapter.sentences:
            lines += _wrapped("-", sentence)
        lines.append("")
    return "\n".join(lines)


@lru_cache
def numbered_rules(docstring: str) -> tuple[Rule, ...]:
    """The rules that a docstring numbers, each as one line of plain text."""
    rules: list[tuple[str, list[str]]] = []
    for line in docstring.splitlines():
        if found := re.match(r"(\d+)\. +(.*)", line):
            rules.append((found[1], [found[2]]))
        elif rules and (found := re.match(r" {4}([a-z])\. +(.*)", line)):
            number = re.sub(r"\D", "", rules[-1][0])
            rules.append((number + found[1], [found[2]]))
        elif rules and line.startswith("    "):
            rules[-1][1].append(line.strip())
    return tuple(Rule(number, _plain(" ".join(parts))) for number, parts in rules)


def _plain(text: str) -> str:
    """Without references to the documentation of the code, and without marks of emphasis."""
    return re.sub(r" \(docs/[^)]*\)", "", text).replace("*", "").replace("``", "")


def _wrapped(mark: str, text: str) -> list[str]:
    start = f"{mark:<4} "
    return textwrap.wrap(text, WIDTH, initial_indent=start, subsequent_indent=" " * len(start))


def _new_only() -> str:
    reasons = (label for reason, label in LABELS.items() if reason in policy.HOLDS_NEW_ONLY)
    return f"Reasons that hold new pictures only (rule 3): {', '.join(reasons)}."
