"""What readers are told of an event's pictures: the album's title, and descriptions."""

from __future__ import annotations

from dataclasses import dataclass

from consent_gate.home.home import Home
from consent_gate.review.descriptions import published_of, undescribed
from consent_gate.web.pages.queue import event_title
from publish.channel.albums import album_of, all_titles
from publish.name_check import contains_pupil_name


@dataclass(frozen=True)
class EventWords:
    """One event on the page of albums."""

    name: str
    """Folder below the inbox."""
    title: str
    """Of the folder, for staff."""
    pictures: int
    """Published ones."""
    album: str
    """The public title of this folder; empty if none was chosen."""
    inherited: str
    """The title of a folder above, which counts where ``album`` is empty."""
    undescribed: int
    """Published pictures without a description."""
    offer: str
    """A description to start from; empty if there is none without a pupil's name."""


def event_words(home: Home, event: str) -> EventWords:
    """The album and the descriptions of one event."""
    titles = all_titles()
    return EventWords(
        name=event,
        title=event_title(event),
        pictures=published_of(event).count(),
        album=titles.get(event, ""),
        inherited=album_of(event, titles),
        undescribed=undescribed(event).count(),
        offer=offered_description(home, event),
    )


def offered_description(home: Home, event: str) -> str:
    """A description made from the event's album, or else from its folder, for staff to improve.

    Empty for pictures without a folder, and where the folder names a pupil.
    """
    title = album_of(event, all_titles()) or (event_title(event) if event else "")
    text = f"Photo from {title}" if title else ""
    return "" if contains_pupil_name(home, text) else text
