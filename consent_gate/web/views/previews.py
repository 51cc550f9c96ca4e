"""Pictures of the vault, for those who may see them. Never under a static address."""

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

THUMBNAIL = 440
"""Long side in pixels: sharp at 220 on a doubled screen."""


def preview(_request: HttpRequest, item_id: str) -> HttpResponse:
    """The judged picture at screen size."""
    return _jpeg(_preview_of(item_id))


def thumbnail(_request: HttpRequest, item_id: str) -> HttpResponse:
    """The preview, small. Made on the way: no second copy of a child's picture is kept."""
    small = io.BytesIO()
    with Image.open(io.BytesIO(_preview_of(item_id))) as picture:
        picture.draft("RGB", (THUMBNAIL, THUMBNAIL))
        picture.thumbnail((THUMBNAIL, THUMBNAIL))
        picture.convert("RGB").save(small, "JPEG", quality=80)
    return _jpeg(small.getvalue())


def portrait(_request: HttpRequest, number: str) -> HttpResponse:
    """The enrolled face of a pupil, to compare a face in a picture with."""
    try:
        jpeg = portrait_of(current_home(), number)
    except DecryptionError as error:
        raise Http404("The portrait cannot be opened.") from error
    if jpeg is None:
        raise Http404("There is no portrait of this pupil.")
    return _jpeg(jpeg)


def _preview_of(item_id: str) -> bytes:
    """Raises Http404 when there is none, or none any more."""
    item = get_object_or_404(Item, pk=item_id, state__in=(ItemState.RECEIVED, ItemState.DECIDED))
    try:
        return read_part(current_home(), item, "preview")
    except (OSError, DecryptionError) as error:
        raise Http404("There is no preview of this picture.") from error


def _jpeg(data: bytes) -> HttpResponse:
    return HttpResponse(data, content_type="image/jpeg")
