"""Search a text for the names of pupils before it is published.

NSPCC guidance on photographing children says: never publish a child's full name with a picture.
A school may allow first names alone (setting ``publishing.first_names``).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from consent_gate.home.home import Home
from consent_gate.names.name_index import NameIndex
from consent_gate.names.written_names import names_across, pupils_named
from consent_gate.register.pupil_names import name_index


def contains_pupil_name(home: Home, text: str) -> bool:
    """Whether a text names a pupil of the register, so that it must not be published.

    A first name alone counts if the setting ``publishing.first_names`` is ``refuse``.
    """
    return bool(texts_with_pupil_names(home, [text]))


def fields_name_pupil(home: Home, *fields: str) -> bool:
    """Whether texts that readers see side by side name a pupil, alone or together.

    A forename in the title and the surname in the description or album tell as much as both in one
    of them. So a name counts here wherever its two parts stand, if they stand in different fields.

    Args:
        home: The installation.
        fields: Such as title, description and album. Empty ones are left out.
    """
    return bool(captions_with_names(home, [fields]))


def captions_with_names(
    home: Home, captions: Iterable[tuple[str, ...]]
) -> frozenset[tuple[str, ...]]:
    """Those of the captions that name a pupil, as ``fields_name_pupil`` says for one.

    Quick for captions that were checked before with the same register, as they are in each round.

    Args:
        home: The installation.
        captions: For each picture its texts that readers see side by side.
    """
    given = frozenset(captions)
    joined = {caption: "\n".join(field for field in caption if field.strip()) for caption in given}
    named = texts_with_pupil_names(home, joined.values())
    across = _named_across(given, name_index()) if given else frozenset()
    return across | {caption for caption, text in joined.items() if text in named}


def texts_with_pupil_names(home: Home, texts: Iterable[str]) -> frozenset[str]:
    """Those of the texts that ``contains_pupil_name`` refuses.

    Quick for texts that were checked before with the same register: a manifest is made often.
    """
    given = frozenset(text for text in texts if text.strip())
    if not given:
        return frozenset()
    refused = home.settings.publishing.first_names == "refuse"
    return _with_names(given, name_index(), first_names_too=refused)


@lru_cache(maxsize=8)
def _with_names(
    texts: frozenset[str], index: NameIndex, *, first_names_too: bool
) -> frozenset[str]:
    return frozenset(
        text for text in texts if pupils_named(text, index, first_names_too=first_names_too)
    )


@lru_cache(maxsize=8)
def _named_across(
    captions: frozenset[tuple[str, ...]], index: NameIndex
) -> frozenset[tuple[str, ...]]:
    return frozenset(caption for caption in captions if names_across(index, caption))
