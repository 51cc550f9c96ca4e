"""A real S3 protocol server on loopback, for tests of archives and vaults in buckets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import fsspec
import pytest
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem

ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "school",
    "AWS_SECRET_ACCESS_KEY": "school",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@dataclass
class Bucket:
    """One bucket of its own for the test."""

    server: ThreadedMotoServer
    endpoint: str
    location: str
    """``s3://name``."""

    def stop(self) -> None:
        """Stop the server. The fixture has the client give up at once, not after 6 seconds."""
        self.server.stop()

    def objects(self) -> list[str]:
        """Every object that can be seen, below the bucket."""
        store = fsspec.filesystem("s3", skip_instance_cache=True, endpoint_url=self.endpoint)
        name = self.location.removeprefix("s3://")
        return sorted(key.removeprefix(f"{name}/") for key in store.find(name))


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """An empty bucket; the environment has its address and key."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    for name, value in {**ACCOUNT, "AWS_ENDPOINT_URL": endpoint}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr(S3FileSystem, "retries", 1)
    name = f"bucket-{port}-{os.getpid()}"  # what a server held outlives it, within one process
    fsspec.filesystem("s3", skip_instance_cache=True, endpoint_url=endpoint).mkdir(name)
    yield Bucket(server, endpoint, f"s3://{name}")
    server.stop()
