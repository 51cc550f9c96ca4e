"""Read a feed over HTTP, with limits of size and time, without redirects, and with repetition."""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import os
import random
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPResponse
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from consent_gate.errors import GateError
from publish.pull.errors import (
    FeedInvalid,
    FeedRefused,
    FeedUnreachable,
    FolderUnwritable,
    PullSettingInvalid,
)
from publish.pull.manifest import FeedList, ListedFile, parse

MAX_LIST_BYTES = 128 << 20
"""The list of 100 000 pictures has about 40 MB."""
ATTEMPTS = 5
"""How often a request is made before it counts as failed."""
SILENCE_SECONDS = 30
"""The longest silence of the feed in one answer."""
ANSWER_SECONDS = 300
"""The longest time for one answer, also if bytes arrive all the time."""
MAX_PAUSE_SECONDS = 120.0
"""The longest pause between two attempts in seconds, also if the feed asks for a longer one."""
CHUNK = 1 << 16

Answer = TypeVar("Answer")


class PictureMissing(GateError):
    """The feed does not have a picture, or has it no longer."""

    next_step = "The next run asks for the list again."


class PictureDamaged(GateError):
    """The bytes of a picture are not those of the list."""

    next_step = "The next run fetches it again."


class _TryAgain(Exception):
    """The request failed, and may succeed if it is repeated."""

    def __init__(self, message: str, after: float = 0) -> None:
        super().__init__(message)
        self.after = after
        """Seconds that the feed asked to wait."""


class Feed:
    """One channel's feed. Keeps one connection open between requests."""

    def __init__(self, address: str, token: str, pause: Callable[[float], None]) -> None:
        """
        Args:
            address: ``https://HOST/feeds/CHANNEL``; http is allowed to this machine only.
            token: The reader's token.
            pause: Waits for a number of seconds.

        Raises:
            PullSettingInvalid: The address or the token cannot be used.
        """
        self.address = checked_address(address)
        if not re.fullmatch(r"[\x21-\x7e]{1,300}", token):
            raise PullSettingInvalid("The token is empty or has a space or a line end in it.")
        parts = urlsplit(self.address)
        self.channel = parts.path.rpartition("/")[2]
        self._path, self._token, self._pause = parts.path, token, pause
        if parts.scheme == "https":
            self._connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                parts.netloc, timeout=SILENCE_SECONDS, context=ssl.create_default_context()
            )
        else:
            self._connection = http.client.HTTPConnection(parts.netloc, timeout=SILENCE_SECONDS)

    def read_list(self) -> FeedList:
        """Fetch and check the list.

        Raises:
            FeedUnreachable: The feed does not answer.
            FeedRefused: It does not accept the token, or redirects.
            FeedInvalid: Its answer is no list.
        """
        try:
            return parse(self._repeat(self._get_list), self.channel)
        except PictureMissing as error:
            raise FeedInvalid(f"There is no feed at {self.address}.") from error

    def download(self, file: ListedFile, partial: Path) -> None:
        """Fetch a picture into ``partial``, which may hold its beginning from an earlier run.

        Raises:
            PictureDamaged: Its bytes are not those of the list. ``partial`` is deleted.
            PictureMissing: It was withdrawn meanwhile.
            FeedUnreachable, FeedRefused: As above.
            OSError: ``partial`` cannot be written.
        """
        self._repeat(lambda: self._get_file(file, partial))

    def confirm(self, picture: str) -> None:
        """Tell the feed that the copies of a withdrawn picture are deleted.

        Raises:
            PictureMissing: The feed does not expect this confirmation.
            FeedUnreachable, FeedRefused: As above.
        """
        self._repeat(lambda: self._post(f"withdrawn/{picture}/confirm"))

    def _repeat(self, attempt: Callable[[], Answer]) -> Answer:
        """Make a request up to ``ATTEMPTS`` times, with growing pauses of random length."""
        for number in range(ATTEMPTS):
            try:
                return attempt()
            except _TryAgain as error:
                self._connection.close()
                if number == ATTEMPTS - 1:
                    raise FeedUnreachable(f"{self.address}: {error}.") from error
                seconds = random.uniform(0.1, 1) * 2**number  # noqa: S311  no secret
                self._pause(min(MAX_PAUSE_SECONDS, max(seconds, error.after)))
        raise AssertionError("unreachable")

    def _get_list(self) -> bytes:
        with self._answer("GET", "manifest.json") as response:
            data = response.read(MAX_LIST_BYTES + 1)
            if len(data) > MAX_LIST_BYTES:
                raise FeedInvalid("The feed's list is too large.")
            if response.length:  # bytes that were announced and did not come
                raise _TryAgain("the list was cut off")
            return data

    def _post(self, path: str) -> None:
        with self._answer("POST", path) as response:
            response.read(CHUNK)

    def _get_file(self, file: ListedFile, partial: Path) -> None:
        have = partial.stat().st_size if partial.is_file() else 0
        if have >= file.size:
            have = 0
        headers = {"Range": f"bytes={have}-", "If-Range": f'"{file.sha256}"'} if have else {}
        with self._answer("GET", file.name, headers) as response:
            sent = response.headers.get("Content-Range", "")
            resumes = response.status == 206 and sent == f"bytes {have}-{file.size - 1}/{file.size}"
            if response.status == 206 and not resumes:
                partial.unlink(missing_ok=True)
                raise _TryAgain("it sent another part than was asked for")
            _write(response, file, partial, have if resumes else 0)
        if _sha256(partial) != file.sha256:
            partial.unlink()
            if resumes:
                raise _TryAgain("the parts of a picture do not fit")
            raise PictureDamaged(f"{file.name} is not the picture that the list names.")

    @contextmanager
    def _answer(
        self, method: str, path: str, headers: dict[str, str] | None = None
    ) -> Iterator[HTTPResponse]:
        """Make one request. The connection is cut after ``ANSWER_SECONDS``."""
        is_late = threading.Event()
        timer = threading.Timer(ANSWER_SECONDS, lambda: None)
        try:
            if self._connection.sock is None:
                self._connection.connect()
            timer = threading.Timer(ANSWER_SECONDS, _cut, [self._connection.sock, is_late])
            timer.daemon = True
            timer.start()
            sent = {"Authorization": f"Bearer {self._token}", "Accept-Encoding": "identity"}
            self._connection.request(method, f"{self._path}/{path}", headers=sent | (headers or {}))
            response = self._connection.getresponse()
            _check_status(response)
            yield response
            if not response.isclosed():
                self._connection.close()  # the rest of this answer must not begin the next one
        except ssl.SSLCertVerificationError as error:
            raise FeedRefused(f"The certificate of {self.address} is not valid.") from error
        except (OSError, http.client.HTTPException) as error:
            message = str(error) or type(error).__name__
            raise _TryAgain("it answered too slowly" if is_late.is_set() else message) from error
        except BaseException:
            self._connection.close()
            raise
        finally:
            timer.cancel()


def _cut(connection: socket.socket, is_late: threading.Event) -> None:
    """Close a connection, also while another thread reads from it."""
    is_late.set()
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def checked_address(address: str) -> str:
    """The feed's address without a slash at the end.

    Raises:
        PullSettingInvalid: It is no https address of a feed; http is for this machine only.
    """
    try:
        parts = urlsplit(address.rstrip("/").removesuffix("/manifest.json"))
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise PullSettingInvalid(f"{address!r} is not an address.") from error
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        message = f"{address!r} must begin with https://, or the token could be read on the way."
        raise PullSettingInvalid(message)
    is_plain = not (parts.query or parts.fragment or "@" in parts.netloc)
    if not (host and is_plain and re.fullmatch(r"(/[\w.-]+)*/feeds/[a-z][a-z0-9-]*", parts.path)):
        raise PullSettingInvalid(f"{address!r} is not like https://photos.example/feeds/website.")
    return parts.geturl()


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_status(response: HTTPResponse) -> None:
    if response.status in {200, 206}:
        return
    if response.status in {401, 403}:
        raise FeedRefused("The feed does not accept the token.")
    if response.status in {404, 410}:
        raise PictureMissing("The feed does not have this.")
    if response.status == 429 or response.status >= 500:
        wanted = response.headers.get("Retry-After", "")
        after = float(wanted) if re.fullmatch(r"\d{1,6}", wanted) else 0.0
        raise _TryAgain(f"it answered with status {response.status}", after)
    raise FeedRefused(f"The feed answered with status {response.status}, which is not followed.")


def _write(response: HTTPResponse, file: ListedFile, partial: Path, start: int) -> None:
    """Write the answer into ``partial`` from the byte ``start``, never more than the list says."""
    total = start
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(partial, flags, 0o600), "wb") as target:
            target.truncate(start)
            target.seek(start)
            for chunk in _chunks(response, file.size - start + 1):
                total += len(chunk)
                target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
    except OSError as error:
        raise FolderUnwritable(f"A picture cannot be written: {error.strerror}.") from error
    if total > file.size:
        partial.unlink()
        raise PictureDamaged(f"{file.name} is larger than the list says.")
    if total < file.size:
        raise _TryAgain("a picture was cut off")


def _chunks(response: HTTPResponse, limit: int) -> Iterator[bytes]:
    """The body of an answer, at most ``limit`` bytes. Ends early where the connection ends."""
    while limit > 0:
        try:
            chunk = response.read(min(CHUNK, limit))
        except (OSError, http.client.HTTPException):
            return  # what arrived is kept: the next attempt resumes it
        if not chunk:
            return
        limit -= len(chunk)
        yield chunk


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
