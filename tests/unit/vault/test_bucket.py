"""The vault in a bucket: one object per original, nothing of an unfinished copy."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from consent_gate.vault.bucket import BucketVault, StoreUnavailable
from consent_gate.vault.interface import as_stream
from tests.support.bucket import Bucket, bucket

__all__ = ["bucket"]

KEY = bytes(32)


@pytest.fixture
def vault(bucket: Bucket) -> BucketVault:
    return BucketVault(KEY, f"{bucket.location}/vault", bucket.endpoint)


def test_an_original_is_one_object_named_after_its_item(vault: BucketVault, bucket: Bucket) -> None:
    key, _ = vault.new_key("photo")
    vault.write("photo", key, as_stream(b"a child's face" * 100))
    assert bucket.objects() == ["vault/originals/ph/photo"]


def test_a_writer_killed_in_the_middle_leaves_nothing_to_be_seen(
    vault: BucketVault, bucket: Bucket
) -> None:
    code = (
        "import sys; from consent_gate.vault.bucket import BucketVault;"
        "v = BucketVault(bytes(32), sys.argv[1], sys.argv[2]); k, _ = v.new_key('photo')\n"
        "class Slow:\n"
        "    n = 0\n"
        "    def read(self, size):\n"
        "        self.n += 1\n"
        "        if self.n == 65: print('far', flush=True); import time; time.sleep(60)\n"
        "        return bytes(size)\n"
        "v.write('photo', k, Slow())"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", code, vault.location, bucket.endpoint], stdout=subprocess.PIPE
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"far\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert not vault.exists("photo")
    assert bucket.objects() == []


def test_what_is_not_there_is_missing_and_a_store_that_is_away_is_not(
    vault: BucketVault, bucket: Bucket
) -> None:
    with pytest.raises(FileNotFoundError):
        vault.read("photo", KEY)
    assert not vault.exists("photo")
    vault.remove("photo")
    bucket.stop()
    for ask in (
        lambda: vault.exists("photo"),
        lambda: vault.read("photo", KEY),
        lambda: vault.remove("photo"),
        lambda: list(vault.item_ids()),
        lambda: vault.write("photo", KEY, as_stream(b"x")),
    ):
        with pytest.raises(StoreUnavailable):
            ask()
