"""Carrying out again what a list of closings tells of and the restored ledger does not know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from allauth.socialaccount.models import SocialAccount

from consent_gate.audit import Entry
from consent_gate.db import audit_log
from consent_gate.db.models import (
    AuditEntry,
    Camera,
    ChannelDecision,
    ChannelStatus,
    EnrolmentPhoto,
    FeedToken,
    Item,
    ItemState,
    Publication,
    PublicationState,
    PupilEntry,
    Role,
    StaffApproval,
    User,
)
from consent_gate.db.models.publications import OPEN
from consent_gate.db.revocations import REVOKING_ACTIONS
from consent_gate.decisions.apply import apply_decision
from consent_gate.decisions.event_classes import event_subject, known_events, set_classes
from consent_gate.decisions.ledger import (
    RECALLED_BEFORE,
    DecisionContext,
    find_open_publication,
    recall_publication,
)
from consent_gate.home.home import Home
from consent_gate.home.keys import encrypt
from consent_gate.ids import new_id
from consent_gate.register.repository import load_register
from consent_gate.register.thresholds import ACCEPTED, replay_acceptance
from consent_gate.vault.originals import vault_of
from publish.retention import erase_item

REPLAY_OF = "again"
"""In the detail of an entry: the mac of the lost entry that it repeats."""


@dataclass(frozen=True)
class ReplayResult:
    """What was carried out again."""

    counts: dict[str, int]
    """By action of the audit trail."""
    pupils_to_erase: tuple[str, ...]
    """Admission numbers: for ``consent_gate.subject_rights.erase``, after the transaction."""


def replay_revocations(home: Home, entries: Iterable[Entry], actor: str) -> ReplayResult:
    """Carry out every closing the trail does not know, oldest first. Call inside a transaction.

    What concerns nothing in this ledger is recorded all the same: it is then known, and the chain
    tells what was lost.
    """
    known = set(AuditEntry.objects.values_list("mac", flat=True).iterator())
    repeated = AuditEntry.objects.filter(action__in=REVOKING_ACTIONS, detail__has_key=REPLAY_OF)
    known.update(row.detail[REPLAY_OF] for row in repeated.iterator())
    lost = {entry.mac: entry for entry in entries if entry.mac not in known}
    work = _RevocationReplay(home, actor)
    for entry in sorted(lost.values(), key=lambda e: (e.at, e.sequence)):
        work.replay(entry)
    counts = dict(Counter(entry.action for entry in lost.values()))
    return ReplayResult(counts, tuple(work.to_erase))


@dataclass
class _RevocationReplay:
    """One restore's closings; the register and the pseudonyms are read once."""

    home: Home
    actor: str
    pupils: dict[str, int] = field(default_factory=dict)
    to_erase: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ctx = DecisionContext(
            self.home, load_register(self.home.now().date()), self.home.now(), self.actor
        )
        rows = PupilEntry.objects.values_list("pk", "admission_number", "former_numbers")
        self.events = {event_subject(self.home, event): event for event in known_events()}
        for key, number, former in rows.iterator():
            for name in (number, *former):
                self.pupils[audit_log.pupil_subject(self.home, name)] = key

    def replay(self, entry: Entry) -> None:
        """Close one thing again, and say so."""
        actions: dict[str, Callable[[Entry], None]] = {
            "templates.destroyed": self.destroy_templates,
            "publication.recalled": self.recall,
            "publication.abandoned": self.recall,
            "channel.refused": self.refuse,
            "item.sealed": self.seal,
            "item.erased": self.erase_item,
            "pupil.erased": self.note_pupil,
            "feed.token_ended": self.end_token,
            "user.close": self.change_account,
            "user.role": self.change_account,
            "user.email": self.change_account,
            "user.password": self.change_account,
            "user.untie": self.change_account,
            "camera.registered": self.register_camera,
            "camera.removed": self.remove_camera,
            "event.classes_named": self.name_classes,
            ACCEPTED: self.accept_thresholds,
        }
        actions[entry.action](entry)
        detail = {**entry.detail, REPLAY_OF: entry.mac}
        audit_log.record(self.home, entry.action, entry.subject, detail, self.actor)

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
        self.recall_channel(item, channel)
        self.record_lost_publication(
            item, channel, str(entry.detail.get("publication") or new_id())
        )

    def refuse(self, entry: Entry) -> None:
        item = self.item(entry)
        if item is None:
            return
        StaffApproval.objects.update_or_create(
            item=item,
            channel=str(entry.detail.get("channel", "")),
            defaults={
                "refused": True,
                "actor": entry.actor,
                "basis": "",
                "created_at": self.home.now(),
            },
        )
        apply_decision(self.ctx, item)

    def seal(self, entry: Entry) -> None:
        """Wrapped for the sealed place, as ``web.sealing`` does: nothing else opens it."""
        item = self.item(entry)
        if item is None or item.state == ItemState.SEALED:
            return
        vault = vault_of(self.home)
        if item.wrapped_key is not None:
            key = vault.unwrap(item.pk, bytes(item.wrapped_key))
            item.wrapped_key = encrypt(self.home.keys.vault, key, f"sealed:{item.pk}")
        item.state, item.title, item.alt = ItemState.SEALED, "", ""
        item.save()
        apply_decision(self.ctx, item)
        vault.remove(item.pk, "preview")

    def erase_item(self, entry: Entry) -> None:
        """Back from wherever it is out, then forgotten; the files go with the next round."""
        item = self.item(entry)
        if item is None:
            return
        for publication in Publication.objects.filter(item=item, state__in=OPEN):
            recall_publication(self.ctx, publication, "erased")
        erase_item(self.home, item, "erased_before_restore", self.actor)

    def end_token(self, entry: Entry) -> None:
        """A token that was revoked, as one leaked is, opens nothing again."""
        ended = FeedToken.objects.filter(pk=str(entry.detail.get("token", "")))
        ended.update(ends_at=self.home.now())

    def change_account(self, entry: Entry) -> None:
        """Somebody who left does not come back in, nor do an old role, password or address."""
        user = User.objects.filter(username=entry.subject.removeprefix("user:")).first()
        if user is None:
            return
        if entry.action == "user.close":
            user.is_active = False
        elif entry.action == "user.role":
            user.role = Role(str(entry.detail["role"]))
        elif entry.action == "user.email":
            user.email = ""  # the new one is not in the list
        elif entry.action == "user.password":
            user.set_unusable_password()  # the new one is in no backup
        else:
            SocialAccount.objects.filter(user=user).delete()
        user.save()

    def register_camera(self, entry: Entry) -> None:
        """The first one turns the rule on."""
        values = {"actor": entry.actor, "created_at": self.home.now()}
        Camera.objects.get_or_create(device=str(entry.detail["camera"]), defaults=values)

    def remove_camera(self, entry: Entry) -> None:
        Camera.objects.filter(device=str(entry.detail["camera"])).delete()

    def name_classes(self, entry: Entry) -> None:
        """Not where they were taken back: that only lets more be cleared."""
        classes = entry.detail.get("classes")
        event = self.events.get(entry.subject)
        if event and isinstance(classes, list) and classes:
            set_classes(self.ctx, event, classes)

    def accept_thresholds(self, entry: Entry) -> None:
        replay_acceptance(self.home, entry.detail, entry.actor)

    def note_pupil(self, entry: Entry) -> None:
        """Erased once everything else is in order: that writes files as well."""
        key = self.pupils.get(entry.subject, 0)
        found = PupilEntry.objects.filter(pk=key).values_list("admission_number", flat=True)
        self.to_erase.extend(found)

    def recall_channel(self, item: Item, channel: str) -> None:
        """Call back what the ledger still has out, and remember that it came back."""
        publication = find_open_publication(item, channel)
        if publication is not None:
            recall_publication(self.ctx, publication, RECALLED_BEFORE)
        ChannelDecision.objects.update_or_create(
            item=item,
            channel=channel,
            defaults={"verdict": ChannelStatus.WITHDRAWN, "decided_at": self.home.now()},
        )

    def record_lost_publication(self, item: Item, channel: str, publication: str) -> None:
        """Of a publication that this ledger never had: that it came back. The last decision alone
        would forget it with the next answer by staff."""
        lost = {
            "item": item,
            "channel": channel,
            "state": PublicationState.CLOSED,
            "file": f"lost/{publication}",
            "cause": RECALLED_BEFORE,
            "intended_at": self.home.now(),
            "withdrawn_at": self.home.now(),
            "confirmed_at": self.home.now(),  # who had copies was lost with it
        }
        Publication.objects.get_or_create(pk=publication, defaults=lost)

    def item(self, entry: Entry) -> Item | None:
        """The item an entry is about, unless it is erased or not in this ledger."""
        key = entry.subject.removeprefix("item:")
        return Item.objects.filter(pk=key).exclude(state=ItemState.ERASED).first()
