"""A home's keys: private files, sealed values and pseudonyms."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_gate.errors import DecryptionError, KeyUnavailable
from consent_gate.home.keys import create_keys, decrypt, encrypt, load_keys, pseudonym

KEY = bytes(range(32))


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
