"""A channel's folder over HTTP, for readers elsewhere: the manifest, the pictures, and the answer
that a withdrawn picture's copies are gone.

Everything is asked of the ledger in the request itself, so a picture is out of the feed in the
instant it is called back, even while its file is still being removed. Whatever is not to be had is
404 with the same words: an id teaches nothing. Each picture handed out is noted for its token.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from functools import wraps
from typing import cast

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from consent_gate.db.models import FeedDownload, FeedToken, Publication
from consent_gate.db.models.publications import IN_MANIFEST, RECALLED
from consent_gate.home.home import Home
from publish.channel import manifest
from publish.channel.files import PublishedFile, files_of, named
from publish.channel.folder import FolderUnavailable, folder_of
from publish.feed import byte_ranges
from publish.feed.byte_ranges import NotSatisfiable, parse_range
from publish.feed.rate_limit import RateLimit
from publish.feed.tokens import token_of
from publish.recall import tickets
from publish.rendering.render import ImageFormat

log = logging.getLogger("consent_gate")

REQUESTS = RateLimit(per_minute=600, burst=300)
"""Of one token: a site that fills its gallery for the first time asks for hundreds."""
FAILURES = RateLimit(per_minute=10, burst=20)
"""Of one address without a valid token; a valid one is never refused for them."""

View = Callable[..., HttpResponse]


def _for_token_holders(view: View) -> View:
    """Runs the view with the home and the token; everybody else learns nothing."""

    @wraps(view)
    def guarded(request: HttpRequest, channel: str, **rest: str) -> HttpResponse:
        home = cast(Home, getattr(settings, "CONSENT_GATE_HOME"))  # noqa: B009
        scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
        token = token_of(home, presented.strip(), channel) if scheme == "Bearer" else None
        if token is None:
            return _unknown(request)
        if not REQUESTS.allows(token.pk):
            return _too_many()
        FeedToken.objects.filter(pk=token.pk).update(last_used_at=home.now())
        known = channel in home.settings.channels
        return view(request, home, token, **rest) if known else _nothing()

    return cast(View, login_not_required(csrf_exempt(guarded)))


@_for_token_holders
@require_safe
def feed_manifest(request: HttpRequest, home: Home, token: FeedToken) -> HttpResponse:
    """What is in the channel now. ``ETag`` stays the same as long as the content does."""
    now = manifest.build_now(home, token.channel)
    content = manifest.as_bytes(now | {"generated_at": ""})
    etag = f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'
    if etag in _listed(request.headers.get("If-None-Match", "")):
        return _with_tag(HttpResponse(status=304), etag)
    body = HttpResponse(manifest.as_bytes(now), content_type="application/json")
    return _with_tag(body, etag)


@_for_token_holders
@require_safe
def feed_file(
    request: HttpRequest, home: Home, token: FeedToken, month: str, name: str
) -> HttpResponse:
    """A released picture, whole or in part. Never other bytes than those that were released."""
    rows = Publication.objects.filter(channel=token.channel, state__in=IN_MANIFEST)
    wanted = f"{month}/{name}"
    row = rows.filter(file=named(wanted, ImageFormat.JPEG)).first()
    part = next((p for p in files_of(row) if p.file == wanted), None) if row else None
    if row is None or part is None:
        return _nothing()
    data = _bytes_of(home, row, part)
    if data is None:
        return HttpResponse("Try again later.", status=503, content_type="text/plain")
    etag = f'"{part.sha256}"'
    if etag in _listed(request.headers.get("If-None-Match", "")):
        return _with_tag(HttpResponse(status=304), etag)
    response = _with_tag(_answer(request, data, part.kind.media_type, etag), etag)
    handed_out = request.method == "GET" and response.status_code in {200, 206}
    if handed_out and not _note_read(home, row, token):
        return _nothing()
    return response


@_for_token_holders
@require_POST
def feed_confirm(
    _request: HttpRequest, home: Home, token: FeedToken, publication_id: str
) -> HttpResponse:
    """The consumer says that its copies of a withdrawn picture are gone."""
    rows = Publication.objects.filter(channel=token.channel, state__in=RECALLED)
    row = rows.filter(pk=publication_id).first()
    if row is None:
        return _nothing()
    tickets.confirm(home, [row], token.consumer, "feed")
    return _with_tag(JsonResponse({"id": row.pk, "confirmed": True}), None)


def _bytes_of(home: Home, row: Publication, part: PublishedFile) -> bytes | None:
    try:
        path = folder_of(home, row.channel) / part.file
        data = path.read_bytes() if not path.is_symlink() else b""
    except (OSError, FolderUnavailable):
        return None
    if hashlib.sha256(data).hexdigest() != part.sha256:
        log.error("Publication %s is not as it was released and is not handed out.", row.pk)
        return None
    return data


def _answer(request: HttpRequest, data: bytes, media_type: str, etag: str) -> HttpResponse:
    """All of it, or the part that was asked for (RFC 9110, 14)."""
    asked = request.headers.get("Range", "")
    if request.headers.get("If-Range", etag) != etag:
        asked = ""
    try:
        part = parse_range(asked, len(data))
    except NotSatisfiable:
        refused = HttpResponse(status=416)
        refused["Content-Range"] = f"bytes */{len(data)}"
        return refused
    if part is None:
        part, status = byte_ranges.ByteRange(0, len(data)), 200
    else:
        status = 206
    response = HttpResponse(data[part.start : part.end], media_type, status)
    response["Accept-Ranges"] = "bytes"
    if status == 206:
        response["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{len(data)}"
    return response


def _note_read(home: Home, row: Publication, token: FeedToken) -> bool:
    """Before the picture leaves: a recall must never miss a copy. False when one came meanwhile."""
    now = home.now()
    with transaction.atomic():
        if not Publication.objects.filter(pk=row.pk, state__in=IN_MANIFEST).exists():
            return False
        read, new = FeedDownload.objects.select_for_update().get_or_create(
            publication=row, token=token, defaults={"first_at": now, "last_at": now}
        )
        if not new:
            again = FeedDownload.objects.filter(pk=read.pk)
            again.update(last_at=now, count=F("count") + 1)
    return True


def _with_tag(response: HttpResponse, etag: str | None) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    if etag:
        response["ETag"] = etag
    return response


def _listed(header: str) -> set[str]:
    """Entity tags of an ``If-None-Match``."""
    return {tag.strip() for tag in header.split(",")}


def _unknown(request: HttpRequest) -> HttpResponse:
    if not FAILURES.allows(request.META.get("REMOTE_ADDR", "")):
        return _too_many()
    response = HttpResponse("A valid token is needed.", status=401, content_type="text/plain")
    response["WWW-Authenticate"] = 'Bearer realm="feed"'
    return _with_tag(response, None)


def _too_many() -> HttpResponse:
    response = HttpResponse("Too many requests.", status=429, content_type="text/plain")
    response["Retry-After"] = "60"
    return _with_tag(response, None)


def _nothing() -> HttpResponse:
    body = HttpResponse("There is nothing here.", status=404, content_type="text/plain")
    return _with_tag(body, None)
