"""The connections of a web server: how long a client may take for each part of a request.

waitress closes only a connection that is silent. So a client that sends a byte now and then would
keep a connection for ever. This module sets a deadline for each part of a request, and limits the
connections of one address. It needs no Django and no database.
"""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from typing import Any

from waitress.channel import ClientDisconnected, HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError

IDLE_SECONDS = 60.0
"""Longest time between two requests on a connection."""
HEADER_SECONDS = 20.0
"""Longest time from a request's first byte to the end of its headers."""
BODY_SECONDS = 30.0
"""Longest time from the end of the headers to the end of the body."""
SEND_SECONDS = 60.0
SEND_BYTES = 64 << 10
"""Bytes of an answer that a client must read in each ``SEND_SECONDS``."""

MAX_CONNECTIONS = 400
"""Largest number of open connections. A browser opens up to six, so 60 people can work at once."""
MAX_FROM_ONE_ADDRESS = 100
"""Largest number of open connections from one address, except the proxy's."""

FOREVER = 10**9
"""waitress's own limit in seconds is off where this module has its own for each part."""


class TimedRequest(HTTPRequestParser):  # type: ignore[misc]
    """Receives one request, with its deadlines."""

    adj: Any  # the options of waitress

    def __init__(self, adj: Any) -> None:
        super().__init__(adj)
        self.started_at = time.monotonic()
        self.headers_at: float | None = None
        """Monotonic time in seconds at which the headers were complete; None before."""

    def parse_header(self, header_plus: bytes) -> None:
        """Read the headers.

        Raises:
            ParsingError: The headers are not valid; waitress answers 400.
        """
        try:
            super().parse_header(header_plus)
        except ValueError as error:  # a length of more digits than Python reads
            raise ParsingError("A number in the headers is too long.") from error
        self.headers_at = time.monotonic()

    def body_seconds(self) -> float:
        """Return how long the body may take."""
        return BODY_SECONDS

    def is_late(self, now: float) -> bool:
        """Return whether a deadline has passed. ``now`` is a monotonic time in seconds."""
        if self.headers_at is None:
            return now - self.started_at > HEADER_SECONDS
        return now - self.headers_at > self.body_seconds()


class TimedConnection(HTTPChannel):  # type: ignore[misc]
    """One connection.

    Args:
        proxy: Address of the proxy, which may open any number of connections; "*" means any.
        options: The arguments of waitress.
    """

    request: TimedRequest | None  # the request that is being received
    requests: list[TimedRequest]  # the requests that are not answered yet
    parser_class: Any = TimedRequest

    def __init__(self, proxy: str, *options: Any, **named: Any) -> None:
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
        with suppress(ClientDisconnected):
            super().service()
        self.waiting_since = time.monotonic()

    def _flush_outbufs_below_high_watermark(self) -> None:
        """Wait until the client has read most of a large answer.

        waitress calls this in the thread that answers, before it goes on with the next request. So
        clients that send two requests at once and read nothing could keep all threads waiting.
        Their connections are closed.

        Raises:
            ClientDisconnected: A further request waits, and much of an answer is not read.
        """
        if len(self.requests) > 1 and self.total_outbufs_len > self.adj.outbuf_high_watermark:
            self.will_close = True
            self.server.pull_trigger()
            raise ClientDisconnected
        super()._flush_outbufs_below_high_watermark()

    def handle_close(self) -> None:
        """Close the connection, and delete the part of the body that was stored."""
        request, self.request = self.request, None
        if request is not None:
            request.close()
        super().handle_close()

    def is_waiting(self) -> bool:
        """Return whether nothing is lost by closing: no request and no answer."""
        return not (self.requests or self.total_outbufs_len)

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

    def _all(self) -> list[Any]:
        return list(self.server.active_channels.values())


def limit_connections(server: Any, connection: Any, proxy: str) -> None:
    """Make a server of waitress open its connections as ``connection``, a ``TimedConnection``."""
    server.channel_class = partial(connection, proxy)
