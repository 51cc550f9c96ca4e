"""A real S3 protocol server on loopback, for tests of archives and vaults in buckets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from uuid import uuid4

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
        """Stop the server. The next test gets another one."""
        _server.cache_clear()
        self.server.stop()

    def objects(self) -> list[str]:
        """Every object that can be seen, below the bucket."""
        store = fsspec.filesystem("s3", skip_instance_cache=True, endpoint_url=self.endpoint)
        name = self.location.removeprefix("s3://")
        return sorted(key.removeprefix(f"{name}/") for key in store.find(name))


@cache
def _server() -> ThreadedMotoServer:
    """The server of all tests of this process. It ends with the process."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    return server


@cache
def _store(endpoint: str) -> S3FileSystem:
    """The client that makes the buckets: one for each server, since a new one takes long."""
    return S3FileSystem(
        key=ACCOUNT["AWS_ACCESS_KEY_ID"],
        secret=ACCOUNT["AWS_SECRET_ACCESS_KEY"],
        endpoint_url=endpoint,
        skip_instance_cache=True,
    )


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket; the environment has its address and key.

    The client gives up at once where the server is away, not after 6 seconds.
    """
    server = _server()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    variables = {**ACCOUNT, "AWS_ENDPOINT_URL": endpoint, "AWS_MAX_ATTEMPTS": "1"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(S3FileSystem, "retries", 1)
    name = f"bucket-{uuid4().hex}"
    _store(endpoint).mkdir(name)
    return Bucket(server, endpoint, f"s3://{name}")
