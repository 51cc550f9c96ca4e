"""Views that serve pictures from the vault. No picture has a static URL."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from PIL import Image

from consent_gate.db.models import Item, ItemState
from consent_gate.errors import DecryptionError
from consent_gate.register.portraits import portrait_of
from consent_gate.vault.interface import PartReader
from consent_gate.vault.originals import open_film_view, read_part
from consent_gate.web.request_context import current_home
from consent_gate.web.sent_parts import SENT, SentFilm
from ingest.film.staff_view import LENGTH_BYTES, film_offset
from publish.feed.byte_ranges import answer_range, shortened
from publish.verification.mp4 import sound_in

LONGEST_RANGE = 4 << 20
"""Bytes of a film that are decrypted at once."""

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


def film(request: HttpRequest, item_id: str) -> HttpResponseBase:
    """Serve the small film that staff watch and hear, or a range of it, as MP4.

    Only the chunks that are sent are decrypted. A range is sent in parts of ``LONGEST_RANGE``.
    """
    view = _open_film_view(item_id)
    start = film_offset(view.read_at(0, LENGTH_BYTES))
    sent = _sent_film(request, item_id, view)
    asked = request.headers.get("Range", "")
    whole = answer_range(str(request.method), asked, None, "", view.size - start)
    answer = shortened(whole, LONGEST_RANGE)
    if request.method == "GET" and answer.status == 200:
        response: HttpResponseBase = StreamingHttpResponse(_parts(view, start, sent))
    else:
        with closing(view):
            length = answer.sent.end - answer.sent.start if answer.status == 206 else 0
            response = HttpResponse(view.read_at(start + answer.sent.start, length))
            SENT.add(sent, answer.sent.start, answer.sent.start + length)
    response.status_code = answer.status
    response["Content-Type"] = "video/mp4"
    for name, value in answer.headers.items():
        response[name] = value
    return response


def _parts(view: PartReader, start: int, sent: SentFilm) -> Iterator[bytes]:
    """Yield a file from an offset to its end, decrypted, and close it."""
    with closing(view):
        for offset in range(start, view.size, LONGEST_RANGE):
            part = view.read_at(offset, LONGEST_RANGE)
            yield part
            SENT.add(sent, offset - start, offset - start + len(part))


def was_sent(request: HttpRequest, item_id: str, from_ms: int, to_ms: int) -> bool:
    """Return whether the sound of a part of a film was sent to this person.

    False where there is nothing to hear: no film, no sound, or a part that lies behind the sound.
    """
    try:
        with closing(_open_film_view(item_id)) as view:
            start = film_offset(view.read_at(0, LENGTH_BYTES))
            ftyp = int.from_bytes(view.read_at(start, 4), "big")
            moov = int.from_bytes(view.read_at(start + ftyp, 4), "big")
            track = sound_in(view.read_at(start, ftyp + moov))
            sent = _sent_film(request, item_id, view)
    except (Http404, OSError, DecryptionError):
        return False
    if track is None:
        return False
    packets = track.packets_between(from_ms, to_ms)
    return packets is not None and SENT.has(sent, *packets)


def _sent_film(request: HttpRequest, item_id: str, view: PartReader) -> SentFilm:
    return SentFilm(int(request.user.pk or 0), item_id, view.written)


def strip(_request: HttpRequest, item_id: str) -> HttpResponse:
    """Serve the faces of a film, one tile for each, as JPEG."""
    with closing(_open_film_view(item_id)) as view:
        end = film_offset(view.read_at(0, LENGTH_BYTES))
        return _jpeg(view.read_at(LENGTH_BYTES, end - LENGTH_BYTES))


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


def _open_film_view(item_id: str) -> PartReader:
    """Open strip and film, as one file.

    Raises:
        Http404: It is no film, or they were deleted.
    """
    item = get_object_or_404(Item, pk=item_id, state__in=(ItemState.RECEIVED, ItemState.DECIDED))
    try:
        return open_film_view(current_home(), item)
    except (OSError, DecryptionError) as error:
        raise Http404("There is no film to watch.") from error


def _jpeg(data: bytes) -> HttpResponse:
    return HttpResponse(data, content_type="image/jpeg")
