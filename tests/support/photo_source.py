"""Enrolment photos in memory."""

from __future__ import annotations


class PhotosInMemory:
    """Photos in memory that remembers which were opened."""

    def __init__(self, photos: dict[str, bytes]) -> None:
        self.photos = photos
        self.opened: set[str] = set()

    def names(self) -> list[str]:
        return list(self.photos)

    def read(self, name: str) -> bytes:
        self.opened.add(name)
        return self.photos[name]
