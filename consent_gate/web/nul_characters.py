"""Refuse requests with NUL characters in the address, the query or a form.

PostgreSQL stores no text with a NUL and fails at a query with one. No name or title has one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, QueryDict

NUL = "\x00"


class NulCharactersMiddleware:
    """Middleware that answers 400 to such a request. It must come after the check for CSRF.

    Forms are read here, so a forged form must have been refused before.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, _view: Callable[..., Any], _args: Any, _kwargs: Any
    ) -> HttpResponse | None:
        """Return None to let the view run, or the response that refuses the request."""
        if NUL in request.path_info or _has_nul(request.GET) or _has_nul(request.POST):
            message = "The request has a character that no text has."
            return HttpResponseBadRequest(message, "text/plain")
        return None


def _has_nul(fields: QueryDict) -> bool:
    """Return whether a name or a value has a NUL."""
    return any(NUL in name or any(NUL in v for v in values) for name, values in fields.lists())
