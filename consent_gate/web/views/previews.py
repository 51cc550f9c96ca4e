"""Views that serve pictures from the vault. No picture has a static URL."""

from __future__ import annotations

import io

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from PIL import Image

from consent_gate.db.models import Item, ItemState
from consent_gate.errors import DecryptionError
from consent_gate.register.portraits import portrait_of
from consent_gate.vault.originals import read_part
from consent_gate.web.request_context import current_home
from ingest.film.staff_view import unpacked
from publish.feed.byte_ranges import answer_range

THUMBNAIL_SIZE = 440
"""Long side in pixels: shown at 220, sharp on high-density screens."""


def preview(_request: HttpRequest, item_id: str) -> HttpResponse:
    """Serve the examined picture at screen size as JPEG."""
    return _jpeg(_preview_of(item_id))


def thumbnail(_request: HttpRequest, item_id: str) -> HttpResponse:
    """Serve a small preview as JPEG, made on request so that no second copy is stored."""
    output = io.BytesIO()
    with Image.open(io.BytesIO(_preview_of(item_id))) as picture:
        picture.draft("RGB", (THUMBNAIL_SIZE, THUMBNAIL_SIZE))
        picture.thumbnail((THUMBNAIL_SIZE, THUMBNAIL_SIZE))
        picture.convert("RGB").save(output, "JPEG", quality=80)
    return _jpeg(output.getvalue())


def film(request: HttpRequest, item_id: str) -> HttpResponse:
    """Serve the small, silent film that staff watch, or the requested range of it, as MP4."""
    data = _film_view_of(item_id)[1]
    asked = request.headers.get("Range", "")
    answer = answer_range(str(request.method), asked, None, "", len(data))
    body = data[answer.sent.start : answer.sent.end] if request.method == "GET" else b""
    response = HttpResponse(body, content_type="video/mp4", status=answer.status)
    for name, value in answer.headers.items():
        response[name] = value
    return response


def strip(_request: HttpRequest, item_id: str) -> HttpResponse:
    """Serve the faces of a film, one tile for each, as JPEG."""
    return _jpeg(_film_view_of(item_id)[0])


def portrait(_request: HttpRequest, number: str) -> HttpResponse:
    """Serve the portrait of a pupil as JPEG, for comparison with a face."""
    try:
        jpeg = portrait_of(current_home(), number)
    except DecryptionError as error:
        raise Http404("The portrait cannot be opened.") from error
    if jpeg is None:
        raise Http404("There is no portrait of this pupil.")
    return _jpeg(jpeg)


def _preview_of(item_id: str) -> bytes:
    """Return the preview as JPEG.

    Raises:
        Http404: There is no preview, or it was deleted.
    """
    item = get_object_or_404(Item, pk=item_id, state__in=(ItemState.RECEIVED, ItemState.DECIDED))
    try:
        return read_part(current_home(), item, "preview")
    except (OSError, DecryptionError) as error:
        raise Http404("There is no preview of this picture.") from error


def _film_view_of(item_id: str) -> tuple[bytes, bytes]:
    """Return strip and film.

    Raises:
        Http404: It is no film, or they were deleted.
    """
    item = get_object_or_404(Item, pk=item_id, state__in=(ItemState.RECEIVED, ItemState.DECIDED))
    try:
        return unpacked(read_part(current_home(), item, "film"))
    except (OSError, DecryptionError) as error:
        raise Http404("There is no film to watch.") from error


def _jpeg(data: bytes) -> HttpResponse:
    return HttpResponse(data, content_type="image/jpeg")
