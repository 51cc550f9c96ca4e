"""Folders of the inbox as names of events: the folders above one, and the items in one."""

from __future__ import annotations

from django.db.models import Q


def with_folders_above(event: str) -> list[str]:
    """Return the folder and each folder above it, the nearest first: "a/b" gives "a/b" and "a"."""
    return [event.rsplit("/", depth)[0] for depth in range(event.count("/") + 1)]


def in_folder(event: str, path: str = "event") -> Q:
    """Return the condition that an item came from the folder or from a folder below it.

    Args:
        event: Folder below the inbox.
        path: Lookup of the item's event from the model that is filtered.
    """
    return Q(**{path: event}) | Q(**{f"{path}__startswith": f"{event}/"})
