"""Whether the gate is well, for the person who looks after the machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from consent_gate.bootstrap import Home
from consent_gate.db.models import AuditEntry, Item, ItemState, Publication, PublicationState
from consent_gate.db.register_store import last_exported_on

LOW_DISK = 5 << 30
"""Bytes: about a thousand photos of 12 MP with their previews."""

STUCK = timedelta(hours=1)
"""A picture takes seconds; one that waits an hour waits for something that will not come."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    state: str
    """``good``, ``look`` or ``bad``."""
    words: str


def findings(home: Home) -> list[Finding]:
    """All that was looked at, in the order of the page."""
    return [
        *_folders(home),
        _disk(home),
        _register(home),
        _waiting(home),
        _leaving(home),
        _last_sign_of_life(),
    ]


def _folders(home: Home) -> Iterator[Finding]:
    folders = [("Inbox", home.inbox), ("SIMS exports", home.sims), ("Safe store", home.vault)]
    folders += [(c.title, home.approved(name)) for name, c in home.settings.channels.items()]
    for name, path in folders:
        if not path.is_dir():
            yield Finding(name, "bad", f"The folder {path} is not there.")
        elif not os.access(path, os.W_OK):
            yield Finding(name, "bad", f"The folder {path} cannot be written.")
        else:
            yield Finding(name, "good", str(path))


def _disk(home: Home) -> Finding:
    free = shutil.disk_usage(home.root).free
    state = "good" if free > LOW_DISK else "bad"
    return Finding("Free space", state, f"{free / (1 << 30):.1f} GB")


def _register(home: Home) -> Finding:
    day = last_exported_on()
    if day is None:
        return Finding("Consent list", "bad", "No SIMS export has been imported yet.")
    age = (home.now().date() - day).days
    limit = home.settings.rules.register_max_age_days
    words = f"From {day:%-d %B %Y}, {age} days old; everything is held after {limit}."
    return Finding(
        "Consent list", "bad" if age > limit else "look" if age > limit - 14 else "good", words
    )


def _waiting(home: Home) -> Finding:
    waiting = Item.objects.filter(state=ItemState.RECEIVED)
    late = waiting.filter(received_at__lt=home.now() - STUCK).count()
    if late:
        return Finding("Being checked", "bad", f"{late} pictures have waited for over an hour.")
    return Finding("Being checked", "good", f"{waiting.count()} pictures")


def _leaving(home: Home) -> Finding:
    """Everything between a decision and a folder should take seconds."""
    moving = (PublicationState.INTENDED, PublicationState.WRITTEN, PublicationState.UNLISTED)
    rows = Publication.objects.filter(state__in=moving)
    late = rows.filter(intended_at__lt=home.now() - STUCK, withdrawn_at=None).count()
    late += rows.filter(withdrawn_at__lt=home.now() - STUCK).count()
    if late:
        return Finding("On the way", "bad", f"{late} pictures have not got where they should be.")
    return Finding("On the way", "good", f"{rows.count()} pictures going out or coming back")


def _last_sign_of_life() -> Finding:
    last = AuditEntry.objects.order_by("-sequence").first()
    return Finding(
        "Last entry in the audit trail", "good", last.at[:16].replace("T", " ") if last else "none"
    )
