"""The vault in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

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
