"""Every vault stores originals whole, encrypted and bound to their item."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from consent_gate.errors import DecryptionError
from consent_gate.vault.bucket import BucketVault
from consent_gate.vault.folder import FolderVault
from consent_gate.vault.interface import CHUNK, Vault, as_stream
from tests.support.bucket import Bucket, bucket

__all__ = ["bucket"]

KEY = bytes(32)


class FailingShare(io.BytesIO):
    """A share that goes away after so many reads."""

    def __init__(self, reads: int) -> None:
        super().__init__()
        self.left = reads

    def read(self, size: int | None = -1, /) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise OSError("the share went away")
        return bytes(size or 0)


def sealed(vault: Vault, item: str) -> bytes:
    """The encrypted bytes as the store has them."""
    with vault.open_encrypted(item, "original") as source:
        return source.read()


def put(vault: Vault, item: str, data: bytes) -> None:
    """Lay encrypted bytes somewhere, as whoever has the store could."""
    with vault.create(item, "original") as sink:
        sink.write(data)


class VaultContract:
    """A subclass gives the fixture ``vault``: one that is empty."""

    @pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 60 * CHUNK])
    def test_what_goes_in_comes_out(self, vault: Vault, size: int) -> None:
        data = (bytes(range(251)) * (size // 251 + 1))[:size]
        key, wrapped = vault.new_key("photo")
        assert vault.write("photo", key, as_stream(data)).size == size
        assert vault.read("photo", vault.unwrap("photo", wrapped)) == data

    @pytest.mark.parametrize("size", [1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5])
    def test_a_part_is_read_in_any_order(self, vault: Vault, size: int) -> None:
        data = (bytes(range(251)) * (size // 251 + 1))[:size]
        key, _ = vault.new_key("film")
        vault.write("film", key, as_stream(data))
        part = vault.open_part("film", key, size)
        for offset in (size - 1, 0, size // 2, max(0, size - 3 * CHUNK // 2)):
            assert part.read_at(offset, CHUNK) == data[offset : offset + CHUNK]
        assert part.read_at(size, 10) == b""
        part.close()

    @pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1, 2 * CHUNK + 5])
    def test_a_part_of_which_nobody_recorded_the_size_is_read(
        self, vault: Vault, size: int
    ) -> None:
        key, _ = vault.new_key("film")
        vault.write("film", key, as_stream(bytes(size)))
        part = vault.open_part("film", key, None)
        assert part.size == size
        assert part.read_at(max(0, size - 3), 10) == bytes(min(size, 3))
        part.close()

    def test_a_part_without_a_recorded_size_is_not_opened_once_it_was_cut_or_reordered(
        self, vault: Vault
    ) -> None:
        key, _ = vault.new_key("film")
        vault.write("film", key, as_stream(bytes(3 * CHUNK + 100)))
        whole, chunk = sealed(vault, "film"), CHUNK + 16
        for length in (0, 3, 12, 27, 12 + chunk, 12 + 2 * chunk, 12 + 3 * chunk, len(whole) - 1):
            put(vault, "film", whole[:length])
            with pytest.raises(DecryptionError):
                vault.open_part("film", key, None)
        swapped = whole[12 + chunk : 12 + 2 * chunk] + whole[12 : 12 + chunk]
        put(vault, "film", whole[:12] + swapped + whole[12 + 2 * chunk :])
        part = vault.open_part("film", key, None)
        for offset in (0, CHUNK):
            with pytest.raises(DecryptionError):
                part.read_at(offset, 10)
        part.close()

    def test_a_part_that_was_cut_short_or_altered_is_not_read(self, vault: Vault) -> None:
        key, _ = vault.new_key("film")
        size = 2 * CHUNK + 100
        vault.write("film", key, as_stream(bytes(size)))
        whole = sealed(vault, "film")
        put(vault, "cut", whole[: 12 + CHUNK + 16])
        for claimed in (size, CHUNK):
            with pytest.raises(DecryptionError):
                vault.open_part("cut", key, claimed).read_at(0, 10)
        altered = bytearray(whole)
        altered[CHUNK + 100] ^= 1
        vault.remove("film")
        put(vault, "film", bytes(altered))
        part = vault.open_part("film", key, size)
        assert part.read_at(0, 10) == bytes(10)
        with pytest.raises(DecryptionError):
            part.read_at(CHUNK, 10)
        with pytest.raises(DecryptionError):
            vault.open_part("film", bytes(32), size).read_at(0, 10)

    def test_the_store_sees_nothing_but_encrypted_bytes(self, vault: Vault) -> None:
        key, _ = vault.new_key("photo")
        vault.write("photo", key, as_stream(b"a child's face" * 100))
        assert b"child" not in sealed(vault, "photo")

    @pytest.mark.parametrize("keep", [0, 3, 12, 30, CHUNK + 28, CHUNK + 50])
    def test_a_copy_cut_short_is_never_read(self, vault: Vault, keep: int) -> None:
        key, _ = vault.new_key("photo")
        vault.write("photo", key, as_stream(bytes(2 * CHUNK)))
        put(vault, "photo", sealed(vault, "photo")[:keep])
        with pytest.raises(DecryptionError):
            vault.read("photo", key)

    def test_an_altered_byte_is_never_read(self, vault: Vault) -> None:
        key, _ = vault.new_key("photo")
        vault.write("photo", key, as_stream(b"pixels" * 50))
        data = bytearray(sealed(vault, "photo"))
        data[len(data) // 2] ^= 1
        put(vault, "photo", bytes(data))
        with pytest.raises(DecryptionError):
            vault.read("photo", key)

    def test_one_photo_is_never_read_in_the_place_of_another(self, vault: Vault) -> None:
        key, _ = vault.new_key("first")
        vault.write("first", key, as_stream(b"first"))
        put(vault, "second", sealed(vault, "first"))
        with pytest.raises(DecryptionError):
            vault.read("second", key)

    def test_a_preview_is_never_read_as_the_original(self, vault: Vault) -> None:
        key, _ = vault.new_key("photo")
        vault.write("photo", key, as_stream(b"small"), "preview")
        with vault.open_encrypted("photo", "preview") as source:
            put(vault, "photo", source.read())
        with pytest.raises(DecryptionError):
            vault.read("photo", key)

    def test_the_key_of_one_photo_does_not_open_another(self, vault: Vault) -> None:
        _, wrapped = vault.new_key("first")
        with pytest.raises(DecryptionError):
            vault.unwrap("second", wrapped)

    @pytest.mark.parametrize("reads", [0, 2, 70])
    def test_a_failed_copy_leaves_nothing_behind(self, vault: Vault, reads: int) -> None:
        key, _ = vault.new_key("photo")
        with pytest.raises(OSError, match="share"):
            vault.write("photo", key, FailingShare(reads))
        assert list(vault.item_ids()) == []
        assert not vault.exists("photo")
        assert vault.remove_partials() == 0

    def test_what_lies_there_is_named_part_by_part(self, vault: Vault) -> None:
        for item, part in (("first", "original"), ("second", "original"), ("first", "preview")):
            vault.write(item, vault.new_key(item)[0], as_stream(b"x"), part)
        assert sorted(vault.item_ids()) == ["first", "second"]
        assert list(vault.item_ids("preview")) == ["first"]
        assert (vault.exists("first", "preview"), vault.exists("second", "preview")) == (
            True,
            False,
        )

    def test_what_is_removed_is_gone_and_may_be_removed_again(self, vault: Vault) -> None:
        key, _ = vault.new_key("photo")
        vault.write("photo", key, as_stream(b"x"))
        vault.remove("photo")
        vault.remove("photo")
        assert vault.stat("photo") is None
        with pytest.raises(FileNotFoundError):
            vault.read("photo", key)


class TestFolder(VaultContract):
    """A folder on the school's own disk."""

    @pytest.fixture
    def vault(self, tmp_path: Path) -> Vault:
        return FolderVault(KEY, tmp_path)


class TestBucket(VaultContract):
    """A bucket that speaks S3."""

    @pytest.fixture
    def vault(self, bucket: Bucket) -> Vault:
        return BucketVault(KEY, f"{bucket.location}/vault", bucket.endpoint)
