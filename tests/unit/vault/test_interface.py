"""Altered encrypted bytes are never decrypted."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_gate.errors import DecryptionError
from consent_gate.vault.interface import as_stream


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
