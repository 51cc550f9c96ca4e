"""The connections of the web server: what a client may send, and how long it may take.

waitress closes only a connection that is silent, and stores a request's body before Django sees
the request. So a client that sends a byte now and then would keep a connection for ever, and
anybody could fill the disk. This module sets a deadline for each part of a request, and lets only
an account that may import send a large body.
"""

from __future__ import annotations

import copy
import time
from functools import partial
from http.cookies import CookieError
from typing import Any

from django.db import Error as DatabaseError
from django.urls import reverse
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.utilities import RequestEntityTooLarge

SMALL_BODY = 1 << 20
"""Largest body in bytes that anybody may send: a form without files."""
LARGE_BODY = 256 << 20
"""Largest upload in bytes: a ZIP with the portraits of 700 pupils."""
MAX_UPLOADS = 4
"""Number of large bodies that are received at the same time from all accounts."""
MAX_UPLOADS_OF_ONE = 2
"""Number of large bodies that are received at the same time from one account."""

IDLE_SECONDS = 60.0
"""Longest time between two requests on a connection."""
HEADER_SECONDS = 20.0
"""Longest time from a request's first byte to the end of its headers."""
BODY_SECONDS = 30.0
"""Longest time from the end of the headers to the end of the body. An upload gets more: its size
divided by ``UPLOAD_BYTES_PER_SECOND``."""
UPLOAD_BYTES_PER_SECOND = 128 << 10
"""Lowest average speed of an upload."""
SEND_SECONDS = 60.0
SEND_BYTES = 64 << 10
"""Bytes of an answer that a client must read in each ``SEND_SECONDS``."""

MAX_CONNECTIONS = 400
"""Largest number of open connections. A browser opens up to six, so 60 people can work at once."""
MAX_FROM_ONE_ADDRESS = 100
"""Largest number of open connections from one address, except the proxy's."""


class RequestParser(HTTPRequestParser):  # type: ignore[misc]
    """Receives one request, with its deadlines."""

    adj: Any  # the options of waitress

    def __init__(self, channel: Channel, adj: Any) -> None:
        super().__init__(adj)
        self._channel = channel
        self.started_at = time.monotonic()
        self.headers_at: float | None = None
        """Monotonic time in seconds at which the headers were complete; None before."""
        self.uploader = 0
        """Primary key of the account that sends a large body; 0 for a small one."""

    def parse_header(self, header_plus: bytes) -> None:
        """Read the headers, and choose how large the body may be.

        Raises:
            ParsingError: The headers are not valid; waitress answers 400.
        """
        try:
            super().parse_header(header_plus)
        except ValueError as error:  # a length of more digits than Python reads
            raise ParsingError("A number in the headers is too long.") from error
        self.headers_at = time.monotonic()
        if not (self.chunked or self.content_length >= SMALL_BODY):
            return
        self.uploader = self._channel.admit_upload(self)
        if self.uploader:
            self.adj = copy.copy(self.adj)
            self.adj.max_request_body_size = LARGE_BODY

    def received(self, data: bytes) -> int:
        """Parse bytes of the request, and return how many were used."""
        taken: int = super().received(data)
        if isinstance(self.error, RequestEntityTooLarge):
            self.error.body = (
                "This request is too large. Log in again, and upload files on the page Imports."
            )
        return taken

    def is_late(self, now: float) -> bool:
        """Return whether a deadline has passed. ``now`` is a monotonic time in seconds."""
        if self.headers_at is None:
            return now - self.started_at > HEADER_SECONDS
        allowed = BODY_SECONDS
        if self.uploader:
            allowed += (self.content_length or LARGE_BODY) / UPLOAD_BYTES_PER_SECOND
        return now - self.headers_at > allowed


class Channel(HTTPChannel):  # type: ignore[misc]
    """One connection.

    Args:
        proxy: Address of the proxy, which may open any number of connections; "*" means any.
        options: The arguments of waitress.
    """

    request: RequestParser | None  # the request that is being received

    def __init__(self, proxy: str, *options: Any, **named: Any) -> None:
        self.parser_class = partial(RequestParser, self)
        self.waiting_since = time.monotonic()
        """Monotonic time in seconds since which the server has waited for the client."""
        self._sending_since: float | None = None
        self._bytes_sent = 0
        super().__init__(*options, **named)
        self._make_room(proxy)

    def readable(self) -> bool:
        """Return whether more may be read. Closes the connection if a deadline has passed."""
        if not self.connected:
            return False
        if self._is_late(time.monotonic()):
            self.handle_close()
            return False
        return bool(super().readable())

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Send bytes to the client, and return how many were sent."""
        sent: int = super().send(data, do_close=do_close)
        self._bytes_sent += sent
        return sent

    def service(self) -> None:
        """Answer one request."""
        super().service()
        self.waiting_since = time.monotonic()

    def handle_close(self) -> None:
        """Close the connection, and delete the part of the body that was stored."""
        request, self.request = self.request, None
        if request is not None:
            request.close()
        super().handle_close()

    def admit_upload(self, request: RequestParser) -> int:
        """Return the primary key of the account that may send this large body; 0 refuses it."""
        others = [
            c.request.uploader for c in self._all() if c.request is not None and c is not self
        ]
        if sum(map(bool, others)) >= MAX_UPLOADS or request.path != reverse("imports"):
            return 0
        key = importer(request.headers.get("COOKIE", ""))
        return key if others.count(key) < MAX_UPLOADS_OF_ONE else 0

    def is_waiting(self) -> bool:
        """Return whether nothing is lost by closing: no request, no answer, no upload."""
        uploads = self.request is not None and self.request.uploader
        return not (self.requests or self.total_outbufs_len or uploads)

    def _is_late(self, now: float) -> bool:
        if self._cannot_be_sent(now):
            return True
        if self.requests or self.total_outbufs_len:
            self.waiting_since = now
            if self.request is not None:
                self.request.started_at = now  # it waits for the request before it
            return False
        if self.request is not None:
            return self.request.is_late(now)
        return now - self.waiting_since > IDLE_SECONDS

    def _cannot_be_sent(self, now: float) -> bool:
        """Return whether the client reads its answer too slowly."""
        if not self.total_outbufs_len:
            self._sending_since = None
            return False
        if self._sending_since is None:
            self._sending_since, self._bytes_sent = now, 0
        if now - self._sending_since <= SEND_SECONDS:
            return False
        is_slow = self._bytes_sent < SEND_BYTES
        self._sending_since, self._bytes_sent = now, 0
        return is_slow

    def _make_room(self, proxy: str) -> None:
        """Close the connection that has waited longest if there are too many."""
        everybody = self._all()
        neighbours = [channel for channel in everybody if channel.addr[0] == self.addr[0]]
        is_crowded = proxy not in {"*", self.addr[0]} and len(neighbours) > MAX_FROM_ONE_ADDRESS
        if not is_crowded and len(everybody) <= MAX_CONNECTIONS:
            return
        waiting = [c for c in (neighbours if is_crowded else everybody) if c.is_waiting()]
        min(waiting, key=lambda channel: channel.waiting_since, default=self).handle_close()

    def _all(self) -> list[Channel]:
        return list(self.server.active_channels.values())


def importer(cookies: str) -> int:
    """Return the key of the logged-in account that may import; 0 if there is none.

    ``cookies`` is the header of the request.
    """
    from django.conf import settings
    from django.contrib.auth import get_user
    from django.contrib.sessions.backends.db import SessionStore
    from django.db import close_old_connections
    from django.http import HttpRequest, parse_cookie

    from consent_gate.db.models import User
    from consent_gate.web.accounts.permissions import may_open, needs_second_factor

    close_old_connections()
    request = HttpRequest()
    try:
        request.session = SessionStore(parse_cookie(cookies).get(settings.SESSION_COOKIE_NAME))
        user = get_user(request)
        if not isinstance(user, User) or not may_open(user, "imports") or needs_second_factor(user):
            return 0
        return user.pk
    except (DatabaseError, CookieError, ValueError):
        return 0  # a large body that cannot be checked is refused
    finally:
        close_old_connections()
