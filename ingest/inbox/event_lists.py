"""Read ``classes.txt`` in an event's folder: the classes or pupils who were at the event.

Who copies the photos may put the file beside them. It counts like a click on the queue page, but it
never replaces what a person named there. A name that is not on the register holds the event's
pictures until it is corrected.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable

from consent_gate.db.models import EventClasses
from consent_gate.decisions.event_classes import name_roll, school_names
from consent_gate.home.filesystem import open_regular_file
from consent_gate.home.home import Home
from consent_gate.register.event_names import NamedRoll, split_names, understand_names
from ingest.inbox.scanner import InboxFile

log = logging.getLogger("consent_gate")

MAX_BYTES = 64 << 10
"""A longer file is no list of classes; its event is held."""

ACTOR = "classes.txt"
"""Who named the classes, in the audit trail."""

TOO_LONG = NamedRoll(unknown=("the file is too long",))


def read_event_lists(home: Home, files: Iterable[InboxFile]) -> list[InboxFile]:
    """Name the classes of each event whose file is new or changed. Returns the files read.

    A file that was read before changes nothing, so that it does not undo what staff chose later.
    """
    done = []
    for file in files:
        event = file.source.rpartition("/")[0]
        try:
            with open_regular_file(file.path) as source:
                data = source.read(MAX_BYTES + 1)
        except OSError:
            log.warning("A classes.txt cannot be read; the gate tries again.")
            continue
        done.append(file)
        digest = hashlib.sha256(data).hexdigest()
        row = EventClasses.objects.filter(event=event).first()
        if not event or (row is not None and row.file_sha256 == digest):
            continue
        if row is not None and row.actor != ACTOR and row.names_anybody:
            log.info("A classes.txt was left unread: staff named the classes of its event.")
            continue
        roll = _roll(data)
        if roll != NamedRoll():  # a file that is empty, or still being written, removes no name
            name_roll(home, event, roll, ACTOR, file_sha256=digest)
    return done


def _roll(data: bytes) -> NamedRoll:
    if len(data) > MAX_BYTES:
        return TOO_LONG
    return understand_names(split_names(_text(data)), school_names())


def _text(data: bytes) -> str:
    """The text as Windows, Excel or a Mac saved it; what is no UTF-8 is read as Windows-1252."""
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")
