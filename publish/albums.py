"""Set the title under which the pictures of an event are published.

The manifest names it as the album of each picture. Like every published text it names no pupil.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.event_folders import in_folder, with_folders_above
from consent_gate.db.models import Album, Item, Publication
from consent_gate.decisions.event_classes import event_subject
from consent_gate.decisions.ledger import mark_manifest_dirty
from consent_gate.errors import GateError, ItemNotFound, StorageFull
from consent_gate.home.home import Home
from consent_gate.names.name_index import NameIndex
from consent_gate.names.written_names import names_across
from consent_gate.publication import IN_MANIFEST
from consent_gate.register.pupil_names import name_index
from publish.channel.albums import all_titles
from publish.channel.folder import folder_of, folder_problem, log_problems
from publish.channel.manifest import manifest_is_stale, write_manifest
from publish.name_check import texts_with_pupil_names

MAX_TITLE = 200
"""Characters; ``docs/manifest.schema.json`` has the same limit."""


class AlbumRefused(GateError):
    """The title of an album names a pupil."""

    next_step = "Choose a title without the full names of pupils. Nothing was saved."


def set_album(home: Home, event: str, title: str, actor: str) -> str:
    """Set, change or remove the album of an event and of its subfolders without an own title.

    The manifests that list its pictures are written again at once.

    Args:
        home: The installation.
        event: Folder below the inbox.
        title: The public title; empty removes the album.
        actor: Name for the audit log.

    Returns:
        The title as it is published: without line ends and control characters.

    Raises:
        AlbumRefused: The title names a pupil, alone or together with the title or description of
            a picture of the event.
        ItemNotFound: No picture came from this folder.
    """
    title = " ".join("".join(c if c.isprintable() else " " for c in title).split())[:MAX_TITLE]
    if texts_with_pupil_names(home, [title]):
        raise AlbumRefused("Please leave out the full names of pupils.")
    if not event or not Item.objects.filter(in_folder(event)).exists():
        raise ItemNotFound(f"There are no pictures in a folder '{event}' of the inbox.")
    if _names_with_a_picture(event, title):
        raise AlbumRefused(
            "Together with the title or description of a picture, this gives the full name of a"
            " pupil. Please change one of them."
        )
    with transaction.atomic():
        if title:
            values = {"title": title, "actor": actor, "created_at": home.now()}
            Album.objects.update_or_create(event=event, defaults=values)
        else:
            Album.objects.filter(event=event).delete()
        changed = _mark_manifests_dirty([event])
        audit_log.record(home, "event.album_set", event_subject(home, event), {}, actor)
    write_stale_manifests(home, changed)
    return title


def _names_with_a_picture(event: str, album: str) -> bool:
    """Whether the album gives a pupil's name together with the texts of one of its pictures."""
    texts = Item.objects.filter(in_folder(event)).exclude(title="", alt="")
    if not album:
        return False
    names = name_index()
    return any(
        names_across(names, (album, title, alt))
        for title, alt in texts.values_list("title", "alt").distinct()
    )


def remove_albums_with_names(home: Home) -> None:
    """Remove each album that names a pupil of the register as it is now. Safe to repeat.

    Its title may do so alone, or together with the title or description of a published picture. A
    pupil may have joined, or got another name, after they were chosen. Call it outside a
    transaction.
    """
    titles = all_titles()
    named = texts_with_pupil_names(home, titles.values())
    with_names = {event for event, title in titles.items() if title in named}
    events = sorted(with_names | _events_with_split_names(titles))
    if not events:
        return
    with transaction.atomic():
        Album.objects.filter(event__in=events).delete()
        changed = _mark_manifests_dirty(events)
        detail: dict[str, object] = {"cause": "visible_name"}
        audit_log.record_all(
            home,
            [
                audit_log.AuditEvent("event.album_removed", event_subject(home, event), detail)
                for event in events
            ],
        )
    write_stale_manifests(home, changed)


def _events_with_split_names(titles: Mapping[str, str]) -> set[str]:
    """The folders whose album gives a pupil's name together with a published picture's texts."""
    if not titles:
        return set()
    rows = Publication.objects.filter(state__in=IN_MANIFEST).exclude(title="", alt="")
    given = rows.values_list("item__event", "title", "alt").distinct()
    owners = {event: _folder_with_album(event, titles) for event, _, _ in given}
    texts = ((owners[event], title, alt) for event, title, alt in given)
    fields = frozenset(
        (folder, titles[folder], title, alt) for folder, title, alt in texts if folder
    )
    return set(_folders_with_names(fields, name_index()))


def _folder_with_album(event: str, titles: Mapping[str, str]) -> str:
    """The folder whose album the pictures of an event are in; empty if there is none."""
    return next((folder for folder in with_folders_above(event) if titles.get(folder)), "")


@lru_cache(maxsize=4)  # each round of releases asks, and the texts rarely change
def _folders_with_names(
    fields: frozenset[tuple[str, str, str, str]], names: NameIndex
) -> frozenset[str]:
    """Of entries of folder, album, title and description, the folders of those with a name."""
    return frozenset(folder for folder, *texts in fields if names_across(names, texts))


def _mark_manifests_dirty(events: Collection[str]) -> list[str]:
    """Have the manifests that list pictures of these events written again. Returns the channels."""
    channels: set[str] = set()
    for event in events:
        rows = Publication.objects.filter(in_folder(event, "item__event"), state__in=IN_MANIFEST)
        channels |= set(rows.values_list("channel", flat=True))
    for channel in sorted(channels):
        mark_manifest_dirty(channel)
    return sorted(channels)


def write_stale_manifests(home: Home, channels: Collection[str]) -> None:
    """Write those of these manifests that are behind the ledger.

    One that cannot be written is left to the next release round.
    """
    problems = []
    for channel in channels:
        try:
            folder_of(home, channel)
            if manifest_is_stale(home, channel):
                write_manifest(home, channel)
        except (OSError, StorageFull) as error:
            problems.append(folder_problem(channel, error))
    log_problems(problems)
