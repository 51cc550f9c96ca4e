"""Changes to the audit trail are found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_gate.db.audit_chain import GENESIS, Anchor, Entry, entry_mac, find_breaks

KEY = bytes(range(32))


def trail(length: int) -> list[Entry]:
    entries, mac = [], GENESIS
    for number in range(1, length + 1):
        entry = Entry(number, f"2026-11-22T10:00:{number:02}", "gate", "item.decided", "item:a", {})
        mac = entry_mac(KEY, mac, entry)
        entries.append(replace(entry, mac=mac))
    return entries


def test_an_untouched_trail_is_whole() -> None:
    entries = trail(5)
    assert find_breaks(KEY, entries, Anchor(5, entries[-1].mac)) == []
    assert find_breaks(KEY, [], None) == []


@given(st.integers(0, 4), st.sampled_from(["at", "actor", "action", "subject", "mac"]))
def test_any_edit_is_found(index: int, field: str) -> None:
    entries = trail(5)
    edit: dict[str, Any] = {field: "0" * 64}
    entries[index] = replace(entries[index], **edit)
    assert find_breaks(KEY, entries, None)


@given(st.integers(0, 3))
def test_any_deletion_is_found(index: int) -> None:
    entries = trail(5)
    del entries[index]
    assert find_breaks(KEY, entries, None)


@given(st.permutations(range(5)))
def test_any_reordering_is_found(order: list[int]) -> None:
    entries = trail(5)
    assert bool(find_breaks(KEY, [entries[i] for i in order], None)) == (order != [0, 1, 2, 3, 4])


@pytest.mark.parametrize("kept", range(5))
def test_cutting_off_the_newest_entries_is_found(kept: int) -> None:
    entries = trail(5)
    assert find_breaks(KEY, entries[:kept], Anchor(5, entries[-1].mac))


def test_nobody_without_the_key_can_write_an_entry() -> None:
    forged = replace(trail(1)[0], detail={"verdict": "released"})
    forged = replace(forged, mac=entry_mac(bytes(32), GENESIS, forged))
    assert find_breaks(KEY, [forged], None)
