"""Addresses for monitoring: no log-in, no cookies, nothing about anybody."""

from __future__ import annotations

from ipaddress import ip_address

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from consent_gate.health import State, machine_findings, worst
from consent_gate.metrics import as_text, token_opens
from consent_gate.web.current import the_home

FORWARDED = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip")
"""A request that carries one of these came through a proxy: it only looks local."""


@login_not_required
@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """200 while the gate works, 503 when something is bad; says which check, not why."""
    found = machine_findings(the_home())
    well = worst(found) is not State.BAD
    body = {"status": "ok" if well else "unwell", "checks": {f.code: f.state for f in found}}
    return JsonResponse(body, status=200 if well else 503)


@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Figures for Prometheus: with the token, or from this machine itself."""
    home = the_home()
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    allowed = scheme.lower() == "bearer" and token_opens(home, token.strip())
    if not allowed and (token or home.settings.web.https or not _is_local(request)):
        answer = HttpResponse("A token is needed: see docs/operating.md.\n", status=401)
        answer.headers["WWW-Authenticate"] = "Bearer"
        return answer
    return HttpResponse(as_text(home), content_type=CONTENT_TYPE_LATEST)


def _is_local(request: HttpRequest) -> bool:
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    return address.is_loopback and not any(name in request.headers for name in FORWARDED)
