"""Endpoints for monitoring: no log-in, no cookies, no personal data."""

from __future__ import annotations

from ipaddress import ip_address

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from consent_gate.operations.health.health import machine_findings
from consent_gate.operations.health.health_check import State, worst_state
from consent_gate.operations.health.metrics import as_text, has_token, token_opens
from consent_gate.web.request_context import current_home

FORWARDED = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip")
"""A request with one of these headers came through a proxy, so its address is not the client's."""


@login_not_required
@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """Return 200 while the gate works, else 503, with the state of each check but no details."""
    found = machine_findings(current_home())
    is_ok = worst_state(found) is not State.BAD
    body = {"status": "ok" if is_ok else "unwell", "checks": {f.code: f.state for f in found}}
    return JsonResponse(body, status=200 if is_ok else 503)


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Return Prometheus metrics: with the token, or to local requests when no token is set."""
    home = current_home()
    if not (_has_token(request) if has_token(home) else _is_local(request)):
        response = HttpResponse("A token is required: see docs/operating.md.\n", status=401)
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    return HttpResponse(as_text(home), content_type=CONTENT_TYPE_LATEST)


def _has_token(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and token_opens(current_home(), token.strip())


def _is_local(request: HttpRequest) -> bool:
    """Whether the request is from this computer and was sent to a loopback name.

    Waitress removes some proxy headers, so the requested host name is checked as well.
    """
    if current_home().settings.web.https or any(name in request.headers for name in FORWARDED):
        return False
    name = request.get_host().removesuffix(f":{request.get_port()}").strip("[]")
    is_local_name = name == "localhost" or _is_loopback(name)
    return is_local_name and _is_loopback(request.META.get("REMOTE_ADDR", ""))


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
