"""Originals stay whole, private and in their place."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_gate.errors import DecryptionError
from consent_gate.vault.folder import FolderVault
from consent_gate.vault.interface import as_stream


@pytest.fixture
def vault(tmp_path: Path) -> FolderVault:
    return FolderVault(bytes(32), tmp_path)


def test_the_photo_cannot_be_read_from_the_disk(vault: FolderVault) -> None:
    key, _ = vault.new_key("photo")
    vault.write("photo", key, as_stream(b"a child's face" * 100))
    assert b"child" not in vault.path("photo").read_bytes()
    assert vault.path("photo").stat().st_mode & 0o077 == 0


@given(st.data())
def test_no_altered_byte_is_ever_read(data: st.DataObject) -> None:
    sink, key = io.BytesIO(), bytes(32)
    from consent_gate.vault import interface as module

    module._encrypt(as_stream(b"pixels" * 50), sink, key, b"original:photo")
    stored = bytearray(sink.getvalue())
    at = data.draw(st.integers(0, len(stored) - 1))
    stored[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DecryptionError):
        list(module._decrypt(as_stream(bytes(stored)), key, b"original:photo"))
