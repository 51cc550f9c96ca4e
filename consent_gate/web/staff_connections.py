"""The connections of the staff pages, and who may send a large body on them.

waitress stores a request's body before Django sees the request, so anybody could fill the disk.
Only an account that may import, or bring in photos, sends a large body. ``web.connections`` has the
deadlines.
"""

from __future__ import annotations

import copy
from functools import partial
from http.cookies import CookieError
from typing import Any

from django.db import Error as DatabaseError
from django.urls import reverse
from waitress.utilities import RequestEntityTooLarge

from consent_gate.web.connections import TimedConnection, TimedRequest

SMALL_BODY = 1 << 20
"""Largest body in bytes that anybody may send: a form without files."""
LARGE_BODY = 256 << 20
"""Largest upload in bytes: a ZIP with the portraits of 700 pupils."""
MAX_UPLOADS = 4
"""Number of large bodies that are received at the same time from all accounts."""
MAX_UPLOADS_OF_ONE = 2
"""Number of large bodies that are received at the same time from one account."""
UPLOAD_PAGES = ("imports", "event_files")
"""Names of the addresses that take large bodies. A script uploads photos in small pieces."""
UPLOAD_BYTES_PER_SECOND = 128 << 10
"""Lowest average speed of an upload. A large body gets this much more time."""


class StaffRequest(TimedRequest):
    """Receives one request, and a large body only from an account that may upload it."""

    def __init__(self, connection: StaffConnection, adj: Any) -> None:
        super().__init__(adj)
        self._connection = connection
        self.uploader = 0
        """Primary key of the account that sends a large body; 0 for a small one."""

    def parse_header(self, header_plus: bytes) -> None:
        """Read the headers, and choose how large the body may be.

        Raises:
            ParsingError: The headers are not valid; waitress answers 400.
        """
        super().parse_header(header_plus)
        if not (self.chunked or self.content_length >= SMALL_BODY):
            return
        self.uploader = self._connection.admit_upload(self)
        if self.uploader:
            self.adj = copy.copy(self.adj)
            self.adj.max_request_body_size = LARGE_BODY

    def received(self, data: bytes) -> int:
        """Parse bytes of the request, and return how many were used."""
        taken: int = super().received(data)
        if isinstance(self.error, RequestEntityTooLarge):
            self.error.body = (
                "This request is too large. Log in again, and upload files on the page Imports or"
                " Events."
            )
        return taken

    def body_seconds(self) -> float:
        """Return how long the body may take: an upload in proportion to its size."""
        seconds = super().body_seconds()
        if self.uploader:
            seconds += (self.content_length or LARGE_BODY) / UPLOAD_BYTES_PER_SECOND
        return seconds


class StaffConnection(TimedConnection):
    """One connection."""

    request: StaffRequest | None  # the request that is being received

    def __init__(self, proxy: str, *options: Any, **named: Any) -> None:
        self.parser_class = partial(StaffRequest, self)
        super().__init__(proxy, *options, **named)

    def admit_upload(self, request: StaffRequest) -> int:
        """Return the primary key of the account that may send this large body; 0 refuses it."""
        others = [
            c.request.uploader for c in self._all() if c.request is not None and c is not self
        ]
        page = {reverse(name): name for name in UPLOAD_PAGES}.get(request.path)
        if sum(map(bool, others)) >= MAX_UPLOADS or page is None:
            return 0
        key = find_uploader(request.headers.get("COOKIE", ""), page)
        return key if others.count(key) < MAX_UPLOADS_OF_ONE else 0

    def is_waiting(self) -> bool:
        """Return whether nothing is lost by closing: no request, no answer, no upload."""
        uploads = self.request is not None and self.request.uploader
        return super().is_waiting() and not uploads


def find_uploader(cookies: str, page: str) -> int:
    """Return the key of the logged-in account that may upload to a page; 0 if there is none.

    ``cookies`` is the header of the request, ``page`` one of ``UPLOAD_PAGES``.
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
        if not isinstance(user, User) or not may_open(user, page) or needs_second_factor(user):
            return 0
        return user.pk
    except (DatabaseError, CookieError, ValueError):
        return 0  # a large body that cannot be checked is refused
    finally:
        close_old_connections()
