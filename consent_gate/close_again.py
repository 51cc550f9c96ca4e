"""Carrying out again what a list of closings tells of and the restored ledger does not know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from consent_gate.audit import Entry
from consent_gate.bootstrap import Home
from consent_gate.db import trail
from consent_gate.db.closings import CLOSING_ACTIONS
from consent_gate.db.decisions import settle
from consent_gate.db.ledger import Round, call_back, open_publication
from consent_gate.db.models import (
    AuditEntry,
    ChannelDecision,
    EnrolmentPhoto,
    Item,
    ItemState,
    PupilEntry,
    Shown,
    Sighting,
    StaffApproval,
    VerdictWord,
)
from consent_gate.db.originals import vault_of
from consent_gate.db.register_store import load_register
from consent_gate.keys import seal

AGAIN = "again"
"""In the detail of an entry: the mac of the lost entry that it repeats."""


def close_again(home: Home, entries: Iterable[Entry], by: str) -> dict[str, int]:
    """Carry out every closing the trail does not know, oldest first. Call inside a transaction.

    Returns how many of each action. What concerns nothing in this ledger is recorded all the same:
    it is then known, and the chain tells what was lost.
    """
    known = set(AuditEntry.objects.values_list("mac", flat=True).iterator())
    repeated = AuditEntry.objects.filter(action__in=CLOSING_ACTIONS, detail__has_key=AGAIN)
    known.update(row.detail[AGAIN] for row in repeated.iterator())
    lost = {entry.mac: entry for entry in entries if entry.mac not in known}
    work = _Work(home, by)
    for entry in sorted(lost.values(), key=lambda e: (e.at, e.sequence)):
        work.carry_out(entry)
    return dict(Counter(entry.action for entry in lost.values()))


@dataclass
class _Work:
    """One restore's closings; the register and the pseudonyms are read once."""

    home: Home
    by: str
    pupils: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.this = Round(
            self.home, load_register(self.home.now().date()), self.home.now(), self.by
        )
        rows = PupilEntry.objects.values_list("pk", "admission_number", "former_numbers")
        for key, number, former in rows.iterator():
            for name in (number, *former):
                self.pupils[trail.pupil_subject(self.home, name)] = key

    def carry_out(self, entry: Entry) -> None:
        """Close one thing again, and say so."""
        actions: dict[str, Callable[[Entry], None]] = {
            "templates.destroyed": self.destroy_templates,
            "publication.recalled": self.recall,
            "publication.abandoned": self.recall,
            "channel.refused": self.refuse,
            "item.sealed": self.seal,
            "item.erased": self.erase,
            "pupil.erased": self.erase_pupil,
        }
        actions[entry.action](entry)
        detail = {**entry.detail, AGAIN: entry.mac}
        trail.record(self.home, entry.action, entry.subject, detail, self.by)

    def destroy_templates(self, entry: Entry) -> None:
        """All of the pupil's: those enrolled afterwards were not in the backup."""
        EnrolmentPhoto.objects.filter(pupil=self.pupils.get(entry.subject, 0)).delete()

    def recall(self, entry: Entry) -> None:
        """Out of the channel, and out again only by a person's new word."""
        item = self.item(entry)
        if item is None:
            return
        channel = str(entry.detail.get("channel", ""))
        StaffApproval.objects.filter(item=item, channel=channel, refused=False).delete()
        self.settle_back(item, channel)

    def refuse(self, entry: Entry) -> None:
        item = self.item(entry)
        if item is None:
            return
        StaffApproval.objects.update_or_create(
            item=item,
            channel=str(entry.detail.get("channel", "")),
            defaults={"refused": True, "by": entry.actor, "basis": "", "at": self.home.now()},
        )
        settle(self.this, item)

    def seal(self, entry: Entry) -> None:
        """Wrapped for the sealed place, as ``web.sealing`` does: nothing else opens it."""
        item = self.item(entry)
        if item is None or item.state == ItemState.SEALED:
            return
        vault = vault_of(self.home)
        key = vault.unwrap(item.pk, bytes(item.wrapped_key or b""))
        item.wrapped_key = seal(self.home.keys.vault, key, f"sealed:{item.pk}")
        item.state, item.title, item.alt = ItemState.SEALED, "", ""
        item.save()
        settle(self.this, item)
        vault.remove(item.pk, "preview")

    def erase(self, entry: Entry) -> None:
        """The key first: without it no copy of the file says anything."""
        item = self.item(entry)
        if item is None:
            return
        item.evidence = item.wrapped_key = None
        item.source = item.event = item.title = item.alt = ""
        item.save()
        settle(self.this, item)
        Item.objects.filter(pk=item.pk).update(state=ItemState.ERASED)
        Sighting.objects.filter(item=item).delete()
        vault = vault_of(self.home)
        vault.remove(item.pk)
        vault.remove(item.pk, "preview")

    def erase_pupil(self, entry: Entry) -> None:
        """Consents, photos and templates go with the row; the pictures are decided again."""
        pupil = PupilEntry.objects.filter(pk=self.pupils.get(entry.subject, 0)).first()
        if pupil is None:
            return
        numbers = [pupil.admission_number, *pupil.former_numbers]
        shown = Shown.objects.filter(admission_number__in=numbers).values_list("item", flat=True)
        items = list(Item.objects.filter(pk__in=list(shown)))
        pupil.delete()
        self.this = Round(
            self.home, load_register(self.home.now().date()), self.home.now(), self.by
        )
        for item in items:
            settle(self.this, item)

    def settle_back(self, item: Item, channel: str) -> None:
        """Call back what the ledger still has out, and remember that it came back."""
        publication = open_publication(item, channel)
        if publication is not None:
            call_back(self.this, publication, "recalled_before_restore")
        ChannelDecision.objects.update_or_create(
            item=item,
            channel=channel,
            defaults={"verdict": VerdictWord.WITHDRAWN, "decided_at": self.home.now()},
        )

    def item(self, entry: Entry) -> Item | None:
        """The item an entry is about, unless it is erased or not in this ledger."""
        key = entry.subject.removeprefix("item:")
        return Item.objects.filter(pk=key).exclude(state=ItemState.ERASED).first()
