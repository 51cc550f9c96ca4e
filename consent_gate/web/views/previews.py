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


def _jpeg(data: bytes) -> HttpResponse:
    return HttpResponse(data, content_type="image/jpeg")
