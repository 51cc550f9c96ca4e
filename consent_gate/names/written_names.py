"""Compare a text that somebody wrote with the names of the pupils. Pure.

It is for titles, descriptions and names of folders: ``visible_names`` compares what a machine read
in a picture, and allows for its mistakes. Both split texts and compare letters alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from consent_gate.names.name_index import NameIndex, key_of, separate_words, words_of

MAX_WORDS_BETWEEN = 2
"""Words allowed between forename and surname, for middle names: "Ann Mary Louise Archer"."""

MAX_NAME_WORDS = 3
"""Words that one forename or surname may be written in: "Mary Jane" or "de la Cruz". A school with
a longer recorded name searches for as many words."""

MIN_GLUED = 7
"""Letters of a forename and surname from which they are also found inside a longer word. Shorter
ones, such as "Al" and "Ly", are part of many words."""

MAX_SPLIT = 60
"""Letters up to which neighbouring words are read as one: "An n Arch er" is "Ann Archer"."""


def pupils_named(text: str, index: NameIndex, *, first_names_too: bool = False) -> frozenset[str]:
    """The admission numbers of the pupils whose full name occurs in ``text``.

    Case, accents, apostrophes and hyphens are ignored. A full name is found as "forename surname",
    with at most ``MAX_WORDS_BETWEEN`` words between, or as "surname forename". It is also found
    without the space, in letters that stand apart, and in letters of other scripts that look like
    Latin ones. A part of a double name counts like the whole.

    Args:
        text: Text that readers would see.
        index: The names of the pupils.
        first_names_too: Also return ``""`` where a pupil's forename stands alone.
    """
    found = frozenset[str]()
    longest = max(MAX_NAME_WORDS, index.most_words)
    for words in {tuple(words_of(text)), tuple(separate_words(text))}:
        found |= {*_separate(words, index, longest), *_joined(words, index)}
        if first_names_too and any(index.is_forename(words[a:b]) for a, b in _runs(words, longest)):
            found |= {""}
    return found


def names_across(index: NameIndex, fields: Sequence[str]) -> bool:
    """Whether the words of one recorded name stand in different fields, such as title and album.

    A name of which one field has all words is not counted here: ``pupils_named`` says whether they
    stand together.
    """
    if sum(bool(field.strip()) for field in fields) < 2:
        return False
    parts = [_keys(field) for field in fields]
    together = frozenset[str]().union(*parts)
    return any(not any(words <= part for part in parts) for words in index.words_of_names(together))


@lru_cache(maxsize=4096)
def _keys(text: str) -> frozenset[str]:
    return frozenset(key_of(word) for word in words_of(text))


def _separate(words: Sequence[str], index: NameIndex, longest: int) -> Iterator[str]:
    """Forename and surname as words of their own, each of at most ``longest`` words."""
    for start, end in _runs(words, longest):
        first = "".join(words[start:end])
        for begin in range(end, min(len(words), end + MAX_WORDS_BETWEEN + 1)):
            for stop in range(begin + 1, min(len(words), begin + longest) + 1):
                last = "".join(words[begin:stop])
                yield from index.in_order(first, last)
                if begin == end:
                    yield from index.in_order(last, first)


def _joined(words: Sequence[str], index: NameIndex) -> Iterator[str]:
    """Forename and surname in one word, or in words that are split elsewhere."""
    for word in words:
        key = key_of(word)
        yield from index.full(key)
        for start in range(len(key) - MIN_GLUED + 1):
            for end in range(start + MIN_GLUED, min(len(key), start + MAX_SPLIT) + 1):
                yield from index.full(key[start:end])
    for start in range(len(words)):
        letters = ""
        for word in words[start:]:
            letters += word
            if len(letters) > MAX_SPLIT:
                break
            if len(letters) >= MIN_GLUED:
                yield from index.full(key_of(letters))


def _runs(words: Sequence[str], longest: int) -> Iterator[tuple[int, int]]:
    """Start and end of every run of up to ``longest`` words."""
    for start in range(len(words)):
        for end in range(start + 1, min(len(words), start + longest) + 1):
            yield start, end
