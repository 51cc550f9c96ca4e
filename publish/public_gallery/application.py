"""The gallery as a WSGI application: GET and HEAD of pages, pictures and films, nothing else."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import parse_qs

from publish.feed.byte_ranges import answer_range
from publish.feed.file_parts import FilePart
from publish.public_gallery import pages
from publish.public_gallery.approved import ApprovedFolder, NothingToShow, Picture
from publish.public_gallery.sizes import SizeRefused, Sizes

log = logging.getLogger("consent_gate.public_gallery")

_BLOCK = 64 << 10
"""Bytes of a film that are read at once."""

_PATH = re.compile(
    r"/gallery/(?P<channel>[a-z][a-z0-9-]{0,30})/"
    r"(?:(?P<id>[a-z2-7]{26})/(?P<file>(?:480|960|full)\.jpg|film\.mp4)?)?"
)


@dataclass(frozen=True)
class GalleryChannel:
    """One channel that the public gallery shows."""

    title: str
    folder: ApprovedFolder


@dataclass(frozen=True)
class Response:
    """Status, media type and body."""

    status: HTTPStatus
    media_type: str
    body: bytes | FilePart
    headers: Mapping[str, str] = field(default_factory=dict)
    """Further headers."""


class GalleryApplication:
    """Answers requests from the approved folders."""

    def __init__(self, channels: dict[str, GalleryChannel], frame_ancestors: Iterable[str]) -> None:
        """Keep the channels that are shown.

        Args:
            channels: The channels by their names.
            frame_ancestors: Origins of websites that may show the gallery in a frame.
        """
        self._channels, self._sizes = channels, Sizes()
        self._headers = security_headers(frame_ancestors)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request by the WSGI protocol (PEP 3333)."""
        method = environ["REQUEST_METHOD"]
        if method in {"GET", "HEAD"}:
            answer = self._answer(environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", ""))
        else:
            answer = _text(HTTPStatus.METHOD_NOT_ALLOWED, "Only GET and HEAD are answered.")
        body = answer.body
        if isinstance(body, FilePart):
            answer = _in_range(answer, body, environ)
        headers = [
            ("Content-Type", answer.media_type),
            *({"Content-Length": str(len(body)), **answer.headers}.items()),
            *self._headers,
        ]
        start_response(f"{answer.status.value} {answer.status.phrase}", headers)
        if isinstance(body, bytes):
            return [] if method == "HEAD" else [body]
        if method == "HEAD" or not len(body):
            body.close()
            return []
        # waitress sends the file itself, so that a slow reader keeps no thread waiting.
        wrapper = environ.get("wsgi.file_wrapper")
        if wrapper is None:
            return iter(partial(body.read, _BLOCK), b"")
        return cast(Iterable[bytes], wrapper(body, _BLOCK))

    def _answer(self, path: str, query: str) -> Response:
        if path == "/gallery/style.css":
            return Response(HTTPStatus.OK, "text/css; charset=utf-8", pages.STYLE.encode())
        wanted = _PATH.fullmatch(path)
        channel = self._channels.get(wanted["channel"]) if wanted else None
        if wanted is None or channel is None:
            return _not_found()
        try:
            listed = channel.folder.pictures()
        except NothingToShow as error:
            log.error("%s", error)
            self._sizes.forget_others(set())
            sentence = "The pictures cannot be shown at the moment."
            page = pages.message(channel.title, sentence)
            return _html(page, HTTPStatus.SERVICE_UNAVAILABLE)
        if not wanted["id"]:
            return self._index(channel, list(listed.values()), query)
        picture = listed.get(wanted["id"])
        if picture is None:
            self._sizes.forget_others(self._all_listed())
            return _not_found()
        if not wanted["file"]:
            return _html(pages.picture_page(channel.title, picture, list(listed.values())))
        if wanted["file"] == "film.mp4":
            return self._film(channel, picture)
        return self._picture(channel, picture, wanted["file"])

    def _index(self, channel: GalleryChannel, listed: list[Picture], query: str) -> Response:
        try:
            given = parse_qs(query, max_num_fields=10)
        except ValueError:
            return _not_found()
        album, number = given.get("album", [""])[0], given.get("page", ["1"])[0]
        is_number = re.fullmatch("[1-9][0-9]{0,5}", number)
        if not is_number or (album and all(p.album != album for p in listed)):
            return _not_found()
        return _html(pages.index_page(channel.title, listed, album, int(number)))

    def _picture(self, channel: GalleryChannel, picture: Picture, name: str) -> Response:
        data = channel.folder.read(picture)
        if data is None:
            log.error("The file of picture %s is missing or was changed.", picture.id)
            return _not_found()
        if name != "full.jpg":
            try:
                data = self._sizes.scaled(picture, data, int(name.removesuffix(".jpg")))
            except (SizeRefused, OSError, ValueError):
                log.exception("A smaller size of picture %s cannot be made.", picture.id)
                return _not_found()
        return Response(HTTPStatus.OK, "image/jpeg", data)

    def _film(self, channel: GalleryChannel, picture: Picture) -> Response:
        if picture.film is None:
            return _not_found()
        film = channel.folder.open_film(picture.film)
        if film is None:
            log.error("The file of film %s is missing or was changed.", picture.id)
            return _not_found()
        tag = {"ETag": f'"{picture.film.sha256}"'}
        return Response(HTTPStatus.OK, "video/mp4", film, tag)

    def _all_listed(self) -> set[str]:
        listed = set()
        for channel in self._channels.values():
            try:
                listed |= {picture.sha256 for picture in channel.folder.pictures().values()}
            except NothingToShow:
                continue
        return listed


def _in_range(answer: Response, film: FilePart, environ: Mapping[str, Any]) -> Response:
    """The answer with the range of the film that the request asks for."""
    asked, if_range = environ.get("HTTP_RANGE", ""), environ.get("HTTP_IF_RANGE")
    method = environ["REQUEST_METHOD"]
    found = answer_range(method, asked, if_range, answer.headers["ETag"], len(film))
    film.limit(found.sent)
    headers = {**answer.headers, **found.headers}
    return replace(answer, status=HTTPStatus(found.status), headers=headers)


def security_headers(frame_ancestors: Iterable[str]) -> list[tuple[str, str]]:
    """Headers of every answer: no copy in a cache, no script, frames of the named sites only."""
    framers = " ".join(frame_ancestors) or "'none'"
    policy = (
        "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'self'; base-uri 'none';"
        f" form-action 'none'; frame-ancestors {framers}"
    )
    return [
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", policy),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Permissions-Policy", "camera=(), microphone=(), geolocation=(), browsing-topics=()"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Robots-Tag", "noindex, noimageindex, noarchive"),
    ]


def _html(page: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(status, "text/html; charset=utf-8", page.encode())


def _text(status: HTTPStatus, sentence: str) -> Response:
    return Response(status, "text/plain; charset=utf-8", sentence.encode())


def _not_found() -> Response:
    return _html(pages.message("Not found", "There is nothing here."), HTTPStatus.NOT_FOUND)
