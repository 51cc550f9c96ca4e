"""After a restore, apply again the revocations that were recorded since the backup."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from allauth.socialaccount.models import SocialAccount

from consent_gate.db import audit_log
from consent_gate.db.audit_chain import Entry
from consent_gate.db.event_folders import in_folder
from consent_gate.db.models import (
    AuditEntry,
    Camera,
    ChannelDecision,
    ChannelStatus,
    EnrolmentPhoto,
    EventClasses,
    FeedToken,
    Item,
    ItemState,
    Publication,
    PupilEntry,
    Role,
    StaffApproval,
    User,
)
from consent_gate.db.revocations import REVOKING_ACTIONS
from consent_gate.decisions.apply import apply_decision, apply_decisions
from consent_gate.decisions.copies.closed_pictures import sync_closed_picture
from consent_gate.decisions.copies.copy_traits import CopyTraits, stored_traits
from consent_gate.decisions.event_classes import event_subject, known_events, set_roll
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.decisions.publications import recall_or_cancel_rows, record_lost_publication
from consent_gate.decisions.sealing import seal_item
from consent_gate.decisions.staff_input import delete_approvals
from consent_gate.home.home import Home
from consent_gate.home.ids import new_id
from consent_gate.model import TagKind
from consent_gate.publication import OPEN, RECALLED_BEFORE, RecordLost
from consent_gate.register.event_names import NamedRoll
from consent_gate.register.repository import load_register
from consent_gate.register.thresholds import ACCEPTED, replay_acceptance
from consent_gate.vault.originals import remove_staff_parts
from publish.retention import erase_item

REPLAY_OF = "again"
"""Key in an audit entry's detail: the MAC of the lost entry that it repeats."""

NO_DOUBT = frozenset({kind.value for kind in TagKind} - {TagKind.PUPIL, TagKind.CANNOT_TELL})
"""Kinds of tags that only an approval makes count, and that are no reason to hold a picture."""

LOST_NAME = "a name that was lost in the restore"
"""Stands for what was named for an event and cannot be named again; it holds the event."""


@dataclass(frozen=True)
class ReplayResult:
    """The result of a replay."""

    counts: dict[str, int]
    """Number of replayed entries by audit action."""
    pupils_to_erase: tuple[str, ...]
    """Admission numbers to pass to ``subject_rights.erase.erase_pupil`` after the transaction."""


def replay_revocations(home: Home, entries: Iterable[Entry], actor: str) -> ReplayResult:
    """Apply every revocation that the audit trail does not hold, oldest first.

    An entry about something that this home does not hold is still recorded. It is then known at the
    next replay, and the audit trail shows what was lost. Call inside a transaction.
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
    """Replays entries; reads the register once, and computes the pseudonyms once."""

    home: Home
    actor: str
    pupils: dict[str, list[int]] = field(default_factory=dict)
    """By pseudonym: the primary keys of who has the number today, and of who had it."""
    to_erase: list[str] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    """Items that ``hold_answered`` holds."""

    def __post_init__(self) -> None:
        self.ctx = DecisionContext(
            self.home, load_register(self.home.now().date()), self.home.now(), self.actor
        )
        rows = PupilEntry.objects.values_list("pk", "admission_number", "former_numbers")
        self.events = {event_subject(self.home, event): event for event in known_events()}
        for key, number, former in rows.iterator():
            for name in former:
                self.pupils.setdefault(audit_log.pupil_subject(self.home, name), []).append(key)
            # First: an erasure is repeated for the pupil who has the number today.
            self.pupils.setdefault(audit_log.pupil_subject(self.home, number), []).insert(0, key)

    def replay(self, entry: Entry) -> None:
        """Apply one entry again and record it."""
        actions: dict[str, Callable[[Entry], None]] = {
            "templates.destroyed": self.destroy_templates,
            "publication.recalled": self.recall,
            "publication.abandoned": self.recall,
            "channel.refused": self.refuse,
            "item.sealed": self.seal,
            "item.erased": self.erase_item,
            "pupil.erased": self.queue_pupil_erasure,
            "feed.token_ended": self.end_token,
            "user.close": self.change_account,
            "user.role": self.change_account,
            "user.email": self.change_account,
            "user.password": self.change_account,
            "user.untie": self.change_account,
            "camera.registered": self.register_camera,
            "camera.removed": self.remove_camera,
            "event.classes_named": self.name_classes,
            "face.added": self.hold_answered,
            "face.tagged": self.hold_answered,
            ACCEPTED: self.accept_thresholds,
        }
        actions[entry.action](entry)
        detail = {**entry.detail, REPLAY_OF: entry.mac}
        audit_log.record(self.home, entry.action, entry.subject, detail, self.actor)

    def destroy_templates(self, entry: Entry) -> None:
        """Delete all templates of the pupil: the backup holds none that was enrolled later."""
        EnrolmentPhoto.objects.filter(pupil__in=self.pupils.get(entry.subject, ())).delete()

    def recall(self, entry: Entry) -> None:
        """Recall from the channel; only a person's new approval publishes the picture again."""
        item = self.item(entry)
        if item is None:
            return
        channel = str(entry.detail.get("channel", ""))
        StaffApproval.objects.filter(item=item, channel=channel, refused=False).delete()
        self.recall_channel(item, channel)
        key = str(entry.detail.get("publication") or new_id())
        record_lost_publication(item, channel, key, RecordLost(self.ctx.now))
        self.close_picture(item)

    def hold_answered(self, entry: Entry) -> None:
        """Hold a picture of which staff said who is shown, until a person approves it again.

        They may have drawn a face that the detectors missed, or named another pupil than the
        machine. The list says only that they did.
        """
        item = self.item(entry)
        is_positive = entry.detail.get("kind") in NO_DOUBT
        if item is None or item.pk in self.answered or is_positive:
            return
        self.answered.add(item.pk)
        delete_approvals(item)
        for channel in self.home.settings.channels:
            self.recall_channel(item, channel)
            record_lost_publication(item, channel, new_id(), RecordLost(self.ctx.now))

    def refuse(self, entry: Entry) -> None:
        """Refuse the picture for the channel, in the name of the person who did."""
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
        self.close_picture(item)

    def seal(self, entry: Entry) -> None:
        """Seal the picture; ``templates.destroyed`` entries replay what happened to enrolments."""
        item = self.item(entry)
        if item is None or item.state == ItemState.SEALED:
            return
        traits = stored_traits(self.home, item)
        seal_item(self.home, item)
        item.state = ItemState.SEALED
        item.save()
        apply_decision(self.ctx, item)
        remove_staff_parts(self.home, item.pk)
        self.close_picture(item, traits)

    def close_picture(self, item: Item, traits: CopyTraits | None = None) -> None:
        """Recognise copies of the picture again."""
        for copy in sync_closed_picture(self.ctx, item, traits):
            remove_staff_parts(self.home, copy.item.pk)

    def erase_item(self, entry: Entry) -> None:
        """Recall the picture and erase it; the next retention round deletes its files."""
        item = self.item(entry)
        if item is None:
            return
        rows = Publication.objects.filter(item=item, state__in=OPEN)
        recall_or_cancel_rows(self.home, rows, "erased", self.ctx.now, self.actor)
        erase_item(self.home, item, "erased_before_restore", self.actor)

    def end_token(self, entry: Entry) -> None:
        """End a feed token that was revoked."""
        ended = FeedToken.objects.filter(pk=str(entry.detail.get("token", "")))
        ended.update(ends_at=self.home.now())

    def change_account(self, entry: Entry) -> None:
        """Close an account, or remove its old role, password, address or sign-in provider."""
        user = User.objects.filter(username=entry.subject.removeprefix("user:")).first()
        if user is None:
            return
        if entry.action == "user.close":
            user.is_active = False
        elif entry.action == "user.role":
            user.role = Role(str(entry.detail["role"]))
        elif entry.action == "user.email":
            user.email = ""  # the log does not hold the new one
        elif entry.action == "user.password":
            user.set_unusable_password()  # the log does not hold the new one
        else:
            SocialAccount.objects.filter(user=user).delete()
        user.save()

    def register_camera(self, entry: Entry) -> None:
        """Register a camera: the first one turns the camera rule on."""
        values = {"actor": entry.actor, "created_at": self.home.now()}
        Camera.objects.get_or_create(device=str(entry.detail["camera"]), defaults=values)

    def remove_camera(self, entry: Entry) -> None:
        """Take a camera off the register."""
        Camera.objects.filter(device=str(entry.detail["camera"])).delete()

    def name_classes(self, entry: Entry) -> None:
        """Name the classes of an event again. From then on its roll can only hold pictures.

        Removing them is not replayed, because that would let other pupils be cleared.
        """
        event = self.events.get(entry.subject)
        classes, pupils = entry.detail.get("classes"), entry.detail.get("pupils", [])
        if not event or not isinstance(classes, list) or not isinstance(pupils, list):
            return
        keys = [self.pupils[subject][0] for subject in pupils if subject in self.pupils]
        found = PupilEntry.objects.filter(pk__in=keys).values_list("admission_number", flat=True)
        lost = bool(entry.detail.get("unknown")) or len(keys) < len(pupils)
        roll = NamedRoll(tuple(classes), tuple(found), (LOST_NAME,) if lost else ())
        if roll == NamedRoll():
            EventClasses.objects.filter(event=event).update(restored=True)
            apply_decisions(self.ctx, Item.objects.filter(in_folder(event)).exclude(evidence=None))
        else:
            set_roll(self.ctx, event, roll, restored=True)

    def accept_thresholds(self, entry: Entry) -> None:
        """Put the accepted thresholds in force again."""
        replay_acceptance(self.home, entry.detail, entry.actor)

    def queue_pupil_erasure(self, entry: Entry) -> None:
        """Remember a pupil to erase after the transaction, because erasing also changes files."""
        keys = self.pupils.get(entry.subject, [])[:1]
        found = PupilEntry.objects.filter(pk__in=keys).values_list("admission_number", flat=True)
        self.to_erase.extend(found)

    def recall_channel(self, item: Item, channel: str) -> None:
        """Recall the open publication, and set the decision of the channel to withdrawn."""
        rows = Publication.objects.filter(item=item, channel=channel, state__in=OPEN)
        recall_or_cancel_rows(self.home, rows, RECALLED_BEFORE, self.ctx.now, self.actor)
        ChannelDecision.objects.update_or_create(
            item=item,
            channel=channel,
            defaults={"verdict": ChannelStatus.WITHDRAWN, "decided_at": self.home.now()},
        )

    def item(self, entry: Entry) -> Item | None:
        """The item of an entry; None when it is erased or this home does not hold it."""
        key = entry.subject.removeprefix("item:")
        return Item.objects.filter(pk=key).exclude(state=ItemState.ERASED).first()
