"""Refuse addresses with numbers that are too long for any row or page."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest

MAX_PATH_DIGITS = 18
"""Digits of a number that every database stores in 64 bits."""

MAX_QUERY_DIGITS = 100
"""A search may be for a file whose name is a long number."""


def long_numbers_middleware(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that answers 400 where a part of the path or a query value is too long a number.

    Numbers in forms are read by ``forms.parse_count``, which has a limit of its own.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        parts = request.path_info.removesuffix(".jpg").split("/")
        values = [value for _, given in request.GET.lists() for value in given]
        if any(_is_longer(part, MAX_PATH_DIGITS) for part in parts) or any(
            _is_longer(value, MAX_QUERY_DIGITS) for value in values
        ):
            return HttpResponseBadRequest("A number in the address is too long.", "text/plain")
        return get_response(request)

    return middleware


def _is_longer(text: str, digits: int) -> bool:
    number = text.strip().lstrip("+-")
    return len(number) > digits and number.isdecimal()
