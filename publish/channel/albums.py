"""The albums of published pictures: the titles that staff gave to events.

An event's folder name is never published. Staff choose the title (``publish.albums``).
"""

from __future__ import annotations

from collections.abc import Mapping

from consent_gate.db.event_folders import with_folders_above
from consent_gate.db.models import Album, Publication
from consent_gate.home.home import Home
from consent_gate.names.written_names import names_across
from consent_gate.publication import IN_MANIFEST
from consent_gate.register.pupil_names import name_index
from publish.name_check import texts_with_pupil_names


def albums_of_channel(home: Home, channel: str) -> dict[str, str]:
    """The albums of the pictures in a channel's manifest, by publication id.

    A publication without an album is absent. So is one whose album's title names a pupil, alone or
    together with the picture's title and description: the register may have changed since they
    were chosen.
    """
    titles = all_titles()
    named = texts_with_pupil_names(home, titles.values())
    titles = {event: title for event, title in titles.items() if title not in named}
    if not titles:
        return {}
    names = name_index()
    rows = Publication.objects.filter(channel=channel, state__in=IN_MANIFEST)
    found = {}
    for pk, event, title, alt in rows.values_list("pk", "item__event", "title", "alt"):
        album = album_of(event, titles)
        if album and not names_across(names, (album, title, alt)):
            found[pk] = album
    return found


def album_of(event: str, titles: Mapping[str, str]) -> str:
    """The title of the event's folder, or else of the nearest folder above it; empty if none has.

    Args:
        event: Folder below the inbox.
        titles: Titles by folder.
    """
    folders = with_folders_above(event)
    return next((titles[folder] for folder in folders if titles.get(folder)), "")


def all_titles() -> dict[str, str]:
    """The titles that staff chose, by folder."""
    return dict(Album.objects.values_list("event", "title"))
