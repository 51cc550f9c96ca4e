"""The rules that the docstrings number come out whole, in order and in plain words."""

from __future__ import annotations

import re

import pytest

from consent_gate import policy, publication
from consent_gate.decisions.rules.rule_book import Chapter, Rule, RuleBook, numbered_rules


def test_rules_have_their_parts_and_all_their_lines() -> None:
    docstring = (
        "The rules.\n\n1.  First, *given*\n    and more (docs/adr/0001.md).\n2.  Then:\n"
        "    a. one\n       thing;\n    b. another.\n3.  ``Third``.\n"
    )
    assert numbered_rules(docstring) == (
        Rule("1", "First, given and more."),
        Rule("2", "Then:"),
        Rule("2a", "one thing;"),
        Rule("2b", "another."),
        Rule("3", "Third."),
    )


@pytest.mark.parametrize("module", [policy, publication])
def test_no_rule_of_the_rule_books_is_left_out(module: object) -> None:
    book = module.__doc__ or ""
    rules = numbered_rules(book)
    numbers = [rule.number for rule in rules if rule.number.isdigit()]
    assert numbers == [str(n + 1) for n in range(len(re.findall(r"^\d+\. ", book, re.MULTILINE)))]
    last_words = re.sub(r"\s+", " ", book).strip().rstrip(".").split()[-4:]
    assert rules[-1].text.rstrip(".").split()[-4:] == last_words
    for rule in rules:
        assert not re.search(r"docs/|``|\*|  ", rule.text)
        assert rule.text[-1] in ".:;", rule


def test_another_word_gives_another_digest() -> None:
    one = RuleBook("Our school", (Chapter("Rules", (Rule("1", "Everybody is asked."),)),))
    two = RuleBook("Our school", (Chapter("Rules", (Rule("1", "Nobody is asked."),)),))
    assert one.sha256 != two.sha256
    assert (
        one.text
        == "The rules of the gate at Our school\n\nRules\n-----\n\n1.   Everybody is asked.\n"
    )


def test_the_text_fits_on_a_page() -> None:
    book = RuleBook("Our school", (Chapter("Rules", numbered_rules(policy.__doc__ or "")),))
    assert max(map(len, book.text.splitlines())) <= 100
