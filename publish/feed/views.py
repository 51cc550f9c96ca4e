"""Views of a channel's feed: the manifest, pictures, films, and the confirmation of a recall.

Every request reads the ledger, so a recalled picture leaves the feed at once, even before its file
is removed. Everything that is not available gives the same 404, so a guessed id tells nothing.
Each download is recorded for its token.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from functools import wraps
from typing import TypeVar, cast

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.db.models import F
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from consent_gate.db.models import FeedDownload, FeedToken, Publication
from consent_gate.home.home import Home
from consent_gate.publication import IN_MANIFEST, RECALLED
from publish.channel import manifest
from publish.channel.files import FileKind, PublishedFile, file_in_format, files_of
from publish.channel.folder import FolderUnavailable, folder_of
from publish.feed.byte_ranges import ByteRange, answer_range
from publish.feed.file_parts import FilePart, WholeFiles
from publish.feed.rate_limit import RateLimit
from publish.feed.tokens import valid_token
from publish.recall import tickets

log = logging.getLogger("consent_gate")

REQUESTS = RateLimit(per_minute=600, burst=300)
"""For one token. A site that fills its gallery for the first time requests hundreds of pictures."""
FAILURES = RateLimit(per_minute=10, burst=20)
"""For one address without a valid token. Requests with a valid token are not counted."""

WHOLE_FILES = WholeFiles()

View = Callable[..., HttpResponseBase]
_Response = TypeVar("_Response", bound=HttpResponseBase)


def _for_token_holders(view: View) -> View:
    """Call the view with the home and the token; answer 401 if the token is not valid."""

    @wraps(view)
    def guarded(request: HttpRequest, channel: str, **rest: str) -> HttpResponseBase:
        home = cast(Home, getattr(settings, "CONSENT_GATE_HOME"))  # noqa: B009
        scheme, _, presented = request.headers.get("Authorization", "").partition(" ")
        token = valid_token(home, presented.strip(), channel) if scheme == "Bearer" else None
        if token is None:
            return _unauthorised(request)
        if not REQUESTS.allows(token.pk):
            return _too_many_requests()
        FeedToken.objects.filter(pk=token.pk).update(last_used_at=home.now())
        if channel not in home.settings.channels:
            return _not_found()
        return view(request, home, token, **rest)

    return cast(View, login_not_required(csrf_exempt(guarded)))


@_for_token_holders
@require_safe
def feed_manifest(request: HttpRequest, home: Home, token: FeedToken) -> HttpResponse:
    """The channel's current manifest. The ``ETag`` does not depend on ``generated_at``."""
    current = manifest.build_current(home, token.channel)
    content = manifest.encode(current | {"generated_at": ""})
    etag = f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'
    if etag in _entity_tags(request.headers.get("If-None-Match", "")):
        return _with_headers(HttpResponse(status=304), etag)
    response = HttpResponse(manifest.encode(current), content_type="application/json")
    return _with_headers(response, etag)


@_for_token_holders
@require_safe
def feed_file(
    request: HttpRequest, home: Home, token: FeedToken, month: str, name: str
) -> HttpResponseBase:
    """A released file, whole or in part. The bytes are those that were released, or none."""
    rows = Publication.objects.filter(channel=token.channel, state__in=IN_MANIFEST)
    wanted = f"{month}/{name}"
    row = rows.filter(file=file_in_format(wanted, FileKind.JPEG)).first()
    file = next((f for f in files_of(row) if f.name == wanted), None) if row else None
    if row is None or file is None:
        return _not_found()
    content = _open_verified(home, row, file)
    if content is None:
        return HttpResponse("Try again later.", status=503, content_type="text/plain")
    etag = f'"{file.sha256}"'
    if etag in _entity_tags(request.headers.get("If-None-Match", "")):
        content.close()
        return _with_headers(HttpResponse(status=304), etag)
    try:
        response = _with_headers(_file_response(request, content, file, etag), etag)
    except OSError:  # it was recalled at this moment
        content.close()
        return _not_found()
    sends_bytes = request.method == "GET" and response.status_code in {200, 206}
    if sends_bytes and not _record_download(home, row, token):
        response.close()
        return _not_found()
    return response


@_for_token_holders
@require_POST
def feed_confirm(
    _request: HttpRequest, home: Home, token: FeedToken, publication_id: str
) -> HttpResponse:
    """Record that the reader has deleted its copies of a withdrawn picture."""
    rows = Publication.objects.filter(channel=token.channel, state__in=RECALLED)
    row = rows.filter(pk=publication_id).first()
    if row is None:
        return _not_found()
    tickets.confirm(home, [row], token.reader, "feed")
    return _with_headers(JsonResponse({"id": row.pk, "confirmed": True}), None)


def _open_verified(home: Home, row: Publication, file: PublishedFile) -> FilePart | None:
    """The open file; None if it cannot be read or is not the one that was released."""
    try:
        path = folder_of(home, row.channel) / file.name
    except (FolderUnavailable, OSError):
        return None
    found = WHOLE_FILES.open(path, file.sha256)
    if found is None:
        log.error("The file of publication %s is missing or was changed.", row.pk)
        return None
    return FilePart(found, path, ByteRange(0, file.size))


def _file_response(
    request: HttpRequest, content: FilePart, file: PublishedFile, etag: str
) -> HttpResponseBase:
    """The whole file, or the requested range of it. An answer to HEAD has no bytes.

    A film is sent from the open file, a picture from memory.

    Raises:
        OSError: The file was recalled at this moment.
    """
    asked, if_range = request.headers.get("Range", ""), request.headers.get("If-Range")
    answer = answer_range(str(request.method), asked, if_range, etag, file.size)
    content.limit(answer.sent)
    is_sent = request.method == "GET" and answer.status != 416
    response: HttpResponseBase
    if is_sent and file.kind is FileKind.MP4:
        response = FileResponse(content)
    else:
        with content:
            response = HttpResponse(content.read() if is_sent else b"")
    response.status_code = answer.status
    response["Content-Type"] = file.kind.media_type
    for name, value in answer.headers.items():
        response[name] = value
    return response


def _record_download(home: Home, row: Publication, token: FeedToken) -> bool:
    """Record a download before the bytes are sent, so that a recall knows of every copy.

    Returns False if the picture has been recalled meanwhile; then nothing must be sent.
    """
    now = home.now()
    with transaction.atomic():
        if not Publication.objects.filter(pk=row.pk, state__in=IN_MANIFEST).exists():
            return False
        download, created = FeedDownload.objects.select_for_update().get_or_create(
            publication=row, token=token, defaults={"first_at": now, "last_at": now}
        )
        if not created:
            FeedDownload.objects.filter(pk=download.pk).update(last_at=now, count=F("count") + 1)
    return True


def _with_headers(response: _Response, etag: str | None) -> _Response:
    response["Cache-Control"] = "no-store"
    if etag:
        response["ETag"] = etag
    return response


def _entity_tags(header: str) -> set[str]:
    """The entity tags of an ``If-None-Match`` header."""
    return {tag.strip() for tag in header.split(",")}


def _unauthorised(request: HttpRequest) -> HttpResponse:
    if not FAILURES.allows(request.META.get("REMOTE_ADDR", "")):
        return _too_many_requests()
    response = HttpResponse("A valid token is needed.", status=401, content_type="text/plain")
    response["WWW-Authenticate"] = 'Bearer realm="feed"'
    return _with_headers(response, None)


def _too_many_requests() -> HttpResponse:
    response = HttpResponse("Too many requests.", status=429, content_type="text/plain")
    response["Retry-After"] = "60"
    return _with_headers(response, None)


def _not_found() -> HttpResponse:
    body = HttpResponse("There is nothing here.", status=404, content_type="text/plain")
    return _with_headers(body, None)
