"""Links siblings, so that a match to one child never hides an unenrolled other.

Pupils are linked by the record system's family key, by surname and address, and by the school's own
list. One link too many means one more review. One link too few can show a child (docs/domain.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from consent_gate.register.identifiers import read_admission_number
from consent_gate.register.snapshot import RegisterPupil
from sims_import.readers.interface import Table


def sibling_links(
    pupils: Iterable[RegisterPupil], own_list: Collection[Collection[str]] = ()
) -> dict[str, frozenset[str]]:
    """Each pupil's siblings, by admission number. Pupils without siblings are left out.

    ``own_list`` holds the school's own groups of admission numbers. Links are transitive: if A is a
    sibling of B and B of C, then A is a sibling of C.
    """
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for pupil in pupils:
        number = pupil.admission_number
        for kind, text in (("family", pupil.family_key), ("address", pupil.address_key)):
            if text:
                groups[kind, text.casefold()].append(number)
    return _closed([*groups.values(), *own_list])


def _closed(groups: Iterable[Collection[str]]) -> dict[str, frozenset[str]]:
    family: dict[str, set[str]] = {}
    for group in groups:
        together = set(group).union(*(family.get(number, ()) for number in group))
        family.update(dict.fromkeys(together, together))
    return {n: frozenset(together - {n}) for n, together in family.items() if len(together) > 1}


def read_sibling_list(table: Table) -> tuple[tuple[str, ...], ...]:
    """Read the school's own list, in which each row names the admission numbers of one family.

    Cells that are no admission numbers, such as names, are ignored.
    """
    rows = ((read_admission_number(cell) for cell in row.cells) for row in table.rows)
    groups = (tuple(number for number in row if number is not None) for row in rows)
    return tuple(group for group in groups if len(group) > 1)
