"""Addresses for monitoring: no log-in, no cookies, nothing about anybody."""

from __future__ import annotations

from ipaddress import ip_address

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from consent_gate.operations.health import State, machine_findings, worst_state
from consent_gate.operations.metrics import as_text, has_token, token_opens
from consent_gate.web.request_context import current_home

FORWARDED = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip")
"""A request that carries one of these came through a proxy: it only looks local."""


@login_not_required
@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """200 while the gate works, 503 when something is bad; says which check, not why."""
    found = machine_findings(current_home())
    well = worst_state(found) is not State.BAD
    body = {"status": "ok" if well else "unwell", "checks": {f.code: f.state for f in found}}
    return JsonResponse(body, status=200 if well else 503)


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Figures for Prometheus: with the token, or from this machine while no token is set."""
    home = current_home()
    if not (_has_token(request) if has_token(home) else _is_local(request)):
        answer = HttpResponse("A token is needed: see docs/operating.md.\n", status=401)
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    return HttpResponse(as_text(home), content_type=CONTENT_TYPE_LATEST)


def _has_token(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and token_opens(current_home(), token.strip())


def _is_local(request: HttpRequest) -> bool:
    """From this machine, to this machine. Waitress takes some headers of a proxy away, so the name
    that was asked for is looked at as well."""
    if current_home().settings.web.https or any(name in request.headers for name in FORWARDED):
        return False
    name = request.get_host().removesuffix(f":{request.get_port()}").strip("[]")
    here = name == "localhost" or _is_loopback(name)
    return here and _is_loopback(request.META.get("REMOTE_ADDR", ""))


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
