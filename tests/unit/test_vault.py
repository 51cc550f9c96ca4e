"""Originals stay whole, private and in their place."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_gate.errors import Undecryptable
from consent_gate.vault import CHUNK, as_stream
from consent_gate.vault_folder import FolderVault


@pytest.fixture
def vault(tmp_path: Path) -> FolderVault:
    return FolderVault(bytes(32), tmp_path)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_goes_in_comes_out(vault: FolderVault, size: int) -> None:
    data = bytes(i % 251 for i in range(size))
    key, wrapped = vault.new_key("photo")
    stored = vault.write("photo", key, as_stream(data))
    assert stored.size == size
    assert vault.read("photo", vault.unwrap("photo", wrapped)) == data


def test_the_photo_cannot_be_read_from_the_disk(vault: FolderVault) -> None:
    key, _ = vault.new_key("photo")
    vault.write("photo", key, as_stream(b"a child's face" * 100))
    assert b"child" not in vault.path("photo").read_bytes()
    assert vault.path("photo").stat().st_mode & 0o077 == 0


@given(st.data())
def test_no_altered_byte_is_ever_read(data: st.DataObject) -> None:
    sink, key = io.BytesIO(), bytes(32)
    from consent_gate import vault as module

    module._encrypt(as_stream(b"pixels" * 50), sink, key, b"original:photo")
    stored = bytearray(sink.getvalue())
    at = data.draw(st.integers(0, len(stored) - 1))
    stored[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Undecryptable):
        list(module._decrypt(as_stream(bytes(stored)), key, b"original:photo"))


@pytest.mark.parametrize("keep", [0, 3, 12, 30, CHUNK + 28, CHUNK + 50])
def test_a_copy_cut_short_is_never_read(vault: FolderVault, keep: int) -> None:
    key, _ = vault.new_key("photo")
    vault.write("photo", key, as_stream(bytes(2 * CHUNK)))
    path = vault.path("photo")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(Undecryptable):
        vault.read("photo", key)


def test_one_photo_is_never_read_in_the_place_of_another(vault: FolderVault) -> None:
    key, _ = vault.new_key("first")
    vault.write("first", key, as_stream(b"first"))
    vault.path("second").parent.mkdir(parents=True, exist_ok=True)
    vault.path("second").write_bytes(vault.path("first").read_bytes())
    with pytest.raises(Undecryptable):
        vault.read("second", key)


def test_the_key_of_one_photo_does_not_open_another(vault: FolderVault) -> None:
    _, wrapped = vault.new_key("first")
    with pytest.raises(Undecryptable):
        vault.unwrap("second", wrapped)


def test_a_failed_copy_leaves_nothing_behind(vault: FolderVault) -> None:
    class Breaks(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("the share went away")

    key, _ = vault.new_key("photo")
    with pytest.raises(OSError, match="share"):
        vault.write("photo", key, Breaks())
    assert list(vault.names()) == []
    assert vault.remove_partials() == 0
