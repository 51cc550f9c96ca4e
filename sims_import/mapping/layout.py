"""Decides whether the layout of an export was applied before. Pure.

A layout is the order of the captions and the meaning of each. Its name holds two digests: one of
the captions in their order, and one of the sorted captions. So an exchange of two headings is
found even if both are understood.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sims_import.readers.interface import Table
from sims_import.text.vocabulary import Meaning, Role
from sims_import.text.words import key

MAX_LAYOUTS = 20
"""Largest number of layouts that a school's mapping saves, the newest last."""


@dataclass(frozen=True)
class LayoutState:
    """The layout of an export, compared with those that were applied before."""

    name: str = ""
    """The name that the mapping saves."""
    known: bool = True
    """Whether it was applied before."""
    explained: bool = False
    """Whether a person's answer decides the meaning of something in it."""
    reordered: bool = False
    """Whether the same captions were applied in another order."""

    @property
    def needs_a_person(self) -> bool:
        """Whether a person has to check the preview before the export may grant anything."""
        return not self.known and (self.explained or self.reordered)


def layout_of(
    table: Table, columns: Iterable[Meaning], before: Collection[str], *, explained: bool
) -> LayoutState:
    """The layout of ``table``; ``before`` are the names of those applied before."""
    captions = [
        f"{key(caption)}={meaning}"
        for caption, meaning in zip(table.captions, columns, strict=True)
        if meaning.role is not Role.IGNORE
    ]
    alone = _digest(sorted(captions))
    name = f"{_digest(captions)} {alone}"
    return LayoutState(
        name=name,
        known=name in before,
        explained=explained,
        reordered=any(other.endswith(alone) for other in before),
    )


def _digest(texts: Iterable[str]) -> str:
    return hashlib.blake2b("\n".join(texts).encode(), digest_size=8).hexdigest()
