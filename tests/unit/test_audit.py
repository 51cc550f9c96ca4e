"""Keys are the home's own, and the audit trail cannot be rewritten."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_gate.audit import GENESIS, Anchor, Entry, chain, find_breaks
from consent_gate.errors import DecryptionError, KeyUnavailable
from consent_gate.home.keys import create_keys, decrypt, encrypt, load_keys, pseudonym

KEY = bytes(range(32))


def trail(length: int) -> list[Entry]:
    entries, mac = [], GENESIS
    for number in range(1, length + 1):
        entry = Entry(number, f"2026-11-22T10:00:{number:02}", "gate", "item.decided", "item:a", {})
        mac = chain(KEY, mac, entry)
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
    forged = replace(forged, mac=chain(bytes(32), GENESIS, forged))
    assert find_breaks(KEY, [forged], None)


def test_keys_are_readable_by_one_account_only(tmp_path: Path) -> None:
    create_keys(tmp_path / "secrets")
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert all(p.stat().st_mode & 0o777 == 0o600 for p in (tmp_path / "secrets").iterdir())
    first = load_keys(tmp_path / "secrets")
    create_keys(tmp_path / "secrets")
    assert load_keys(tmp_path / "secrets") == first, "existing keys are never replaced"


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    create_keys(tmp_path)
    (tmp_path / "vault.key").chmod(0o644)
    with pytest.raises(KeyUnavailable, match="other accounts"):
        load_keys(tmp_path)


@pytest.mark.parametrize("content", ["", "abc", "00" * 31, "zz" * 32])
def test_a_damaged_key_is_refused(tmp_path: Path, content: str) -> None:
    create_keys(tmp_path)
    (tmp_path / "audit.key").write_text(content)
    with pytest.raises(KeyUnavailable, match="damaged"):
        load_keys(tmp_path)


def test_keys_never_print_themselves(tmp_path: Path) -> None:
    create_keys(tmp_path)
    keys = load_keys(tmp_path)
    assert keys.vault.hex() not in repr(keys)
    assert str(keys.vault) not in f"{keys}"


@given(st.binary(max_size=200), st.text(max_size=20), st.text(max_size=20))
def test_a_sealed_value_opens_only_in_its_place(plain: bytes, place: str, other: str) -> None:
    sealed = encrypt(KEY, plain, place)
    assert decrypt(KEY, sealed, place) == plain
    if other != place:
        with pytest.raises(DecryptionError):
            decrypt(KEY, sealed, other)


def test_a_pseudonym_tells_nothing_without_the_key() -> None:
    assert pseudonym(KEY, "004123") == pseudonym(KEY, "004123")
    assert pseudonym(KEY, "004123") != pseudonym(bytes(32), "004123")
    assert "4123" not in pseudonym(KEY, "004123")
