"""Everything staff can say of a picture. Each call is one transaction, or nothing.

Whoever says something says it of the picture as it was on the screen: a stale ``revision`` is told
and nothing is overwritten. An approval speaks for the tags it was given on, so any change to a tag
takes the approvals away, and with them whatever is out on their strength.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from django.db import transaction

from consent_gate.bootstrap import Home
from consent_gate.db import trail
from consent_gate.db.decisions import settle, verdicts_of
from consent_gate.db.ledger import Round
from consent_gate.db.models import Item, ItemState, PupilEntry, StaffApproval, StaffTag
from consent_gate.db.register_store import load_register
from consent_gate.db.staff_store import load_staff_input
from consent_gate.errors import GateError
from consent_gate.evidence_codec import from_json
from consent_gate.model import Approval, Box, Examined, Hold, Tag, TagKind, Verdict
from consent_gate.web.names import names_in
from publish.recall import remove_withdrawn

SOMEBODY_ELSE = "(second person)"
"""Stands in for the second person when asking what would happen with one."""


class ChangedMeanwhile(GateError):
    """Somebody else saved something about the picture first."""

    next_step = "Look at it again; nothing of yours was saved."


class NotOpenForReview(GateError):
    """The picture is sealed, erased or being examined."""

    next_step = "Nothing was saved."


class CannotBeReleased(GateError):
    """Someone shown is not cleared for the channel."""

    next_step = "Nothing was released."


class NotUsable(GateError):
    """What was typed cannot be used."""

    next_step = ""


@dataclass(frozen=True)
class Said:
    """Who says something, and of which state of which picture."""

    home: Home
    by: str
    """Log-in name."""
    item_id: str
    revision: int
    """``Item.revision`` of the page on which it was said."""


def tag_face(said: Said, face: int, tag: Tag) -> None:
    """Say who or what a face is. Raises NotUsable, ChangedMeanwhile or NotOpenForReview."""
    _check(tag)

    def change(item: Item) -> None:
        if face not in range(_count_faces(item)):
            raise NotUsable("There is no such face in this picture.")
        StaffTag.objects.update_or_create(
            item=item,
            face=face,
            defaults={
                "kind": tag.kind.value,
                "admission_number": tag.pupil or "",
                "basis": tag.basis,
                "by": said.by,
                "at": said.home.now(),
            },
        )
        _record_tag(said, face, tag)

    _save(said, change, keeps_approvals=False)


def untag_face(said: Said, face: int) -> None:
    """Take back what staff said of a face; a face that staff drew goes altogether."""

    def change(item: Item) -> None:
        tag = StaffTag.objects.filter(item=item, face=face).first()
        if tag is None:
            return
        drawn = tag.box is not None
        tag.delete()
        if drawn:
            _close_gap(item, face)
        trail.record(said.home, "face.untagged", _subject(said), {"face": face}, said.by)

    _save(said, change, keeps_approvals=False)


def add_face(said: Said, box: Box) -> int:
    """A face the machine missed, drawn by staff. Holds the picture until it is tagged.

    Returns its index. Raises NotUsable when the box is not inside the picture.
    """
    drawn: list[int] = []

    def change(item: Item) -> None:
        index = _count_faces(item)
        StaffTag.objects.create(
            item=item,
            face=index,
            kind=TagKind.CANNOT_TELL.value,
            box=_inside(item, box).as_list(),
            by=said.by,
            at=said.home.now(),
        )
        drawn.append(index)
        trail.record(said.home, "face.added", _subject(said), {"face": index}, said.by)

    _save(said, change, keeps_approvals=False)
    return drawn[0]


def release(said: Said, channels: Iterable[str], basis: str) -> None:
    """Sign the release to these channels. All or none.

    In a channel that asks for two people, the second one's signature completes the first's.
    Raises CannotBeReleased where anyone shown is not cleared, NotUsable without a basis.
    """
    basis, wanted = basis.strip(), tuple(channels)
    _check_basis(basis)
    if not wanted:
        raise NotUsable("Tick at least one place.")

    def change(item: Item) -> None:
        verdicts = verdicts_if_approved(said.home, item, said.by)
        for channel in wanted:
            if channel not in verdicts or isinstance(verdicts[channel], Hold):
                raise CannotBeReleased("Not everyone in the picture is cleared for this.")
            second = _sign(said, item, channel, basis)
            detail = {"channel": channel, "basis": basis, "completes": second}
            trail.record(said.home, "channel.approved", _subject(said), detail, said.by)

    _save(said, change, keeps_approvals=True)


def refuse(said: Said, channels: Iterable[str], why: str = "") -> None:
    """Close these channels to the picture until somebody reopens them."""
    wanted = tuple(channels)
    if not wanted:
        raise NotUsable("Tick at least one place.")
    if names_in(why):
        raise NotUsable("Please leave full names of pupils out.")

    def change(item: Item) -> None:
        for channel in wanted:
            StaffApproval.objects.update_or_create(
                item=item,
                channel=channel,
                defaults=_answer(said, refused=True, basis=why.strip()),
            )
            detail = {"channel": channel, "why": why.strip()}
            trail.record(said.home, "channel.refused", _subject(said), detail, said.by)

    _save(said, change, keeps_approvals=True)


def reopen(said: Said, channels: Iterable[str]) -> None:
    """Take approvals and refusals back: the picture waits again, and comes back if it was out."""
    wanted = tuple(channels)

    def change(item: Item) -> None:
        StaffApproval.objects.filter(item=item, channel__in=wanted).delete()
        detail = {"channels": list(wanted)}
        trail.record(said.home, "channel.reopened", _subject(said), detail, said.by)

    _save(said, change, keeps_approvals=True)


def describe(said: Said, title: str, alt: str) -> None:
    """Title and description for readers. Raises NotUsable when a pupil's full name is in them."""
    found = names_in(f"{title}\n{alt}")
    if found:
        raise NotUsable(f"Please leave out the full name of a pupil: {found[0]}.")

    def change(item: Item) -> None:
        item.title, item.alt = title.strip()[:200], alt.strip()[:500]
        item.save(update_fields=["title", "alt"])
        trail.record(said.home, "item.described", _subject(said), {}, said.by)

    _save(said, change, keeps_approvals=True)


def verdicts_if_approved(home: Home, item: Item, by: str) -> dict[str, Verdict]:
    """What ``policy.decide`` would say today if this person signed for every channel.

    A refusal is left out of it, and so is the want of a second person.
    """
    staff = load_staff_input(item)
    register = load_register(home.now().date())
    signature = Approval(by, "asked in advance", SOMEBODY_ELSE)
    as_if = replace(
        staff,
        approvals=dict.fromkeys(home.settings.channels, signature),
        refused=frozenset(),
    )
    return verdicts_of(Round(home, register, home.now(), by), item, as_if)


def _save(said: Said, change: Callable[[Item], None], *, keeps_approvals: bool) -> None:
    """The one transaction: lock, change, decide, record. Afterwards what came back is removed."""
    with transaction.atomic():
        item = Item.objects.select_for_update().get(pk=said.item_id)
        if item.state != ItemState.DECIDED:
            raise NotOpenForReview("This picture is not open for review just now.")
        if item.revision != said.revision:
            raise ChangedMeanwhile("Somebody else changed this picture while you had it open.")
        change(item)
        if not keeps_approvals:
            StaffApproval.objects.filter(item=item, refused=False).delete()
        item.revision += 1
        item.save(update_fields=["revision"])
        now = said.home.now()
        this = Round(said.home, load_register(now.date()), now, said.by, may_open=True)
        settle(this, item)
    remove_withdrawn(said.home)


def _sign(said: Said, item: Item, channel: str, basis: str) -> bool:
    """Write the signature. True when it completes another person's."""
    first = StaffApproval.objects.filter(item=item, channel=channel, refused=False).first()
    two = said.home.settings.channels[channel].four_eyes
    if two and first and not first.second_person and first.by != said.by:
        first.second_person, first.at = said.by, said.home.now()
        first.save(update_fields=["second_person", "at"])
        return True
    StaffApproval.objects.update_or_create(
        item=item, channel=channel, defaults=_answer(said, refused=False, basis=basis)
    )
    return False


def _answer(said: Said, *, refused: bool, basis: str) -> dict[str, object]:
    return {
        "refused": refused,
        "by": said.by,
        "second_person": "",
        "basis": basis,
        "at": said.home.now(),
    }


def _check(tag: Tag) -> None:
    if tag.kind is TagKind.PUPIL:
        known = PupilEntry.objects.filter(admission_number=tag.pupil or "").exists()
        if not known:
            raise NotUsable("Choose a pupil from the list.")
    if tag.kind is TagKind.ADULT_WITH_AGREEMENT:
        _check_basis(tag.basis.strip())


def _check_basis(basis: str) -> None:
    if not basis:
        raise NotUsable("Say how you know, in a few words.")
    if names_in(basis):
        raise NotUsable("Please leave full names of pupils out.")


def _count_faces(item: Item) -> int:
    drawn = StaffTag.objects.filter(item=item).exclude(box=None).count()
    return len(_examined(item).faces) + drawn


def _examined(item: Item) -> Examined:
    evidence = from_json(item.evidence)
    if not isinstance(evidence, Examined):
        raise NotOpenForReview("This picture could not be examined.")
    return evidence


def _inside(item: Item, box: Box) -> Box:
    evidence = _examined(item)
    fits = box.x >= 0 and box.y >= 0 and box.width > 0 and box.height > 0
    if not fits or box.x + box.width > evidence.width or box.y + box.height > evidence.height:
        raise NotUsable("Draw the box inside the picture.")
    return box


def _close_gap(item: Item, gone: int) -> None:
    """Faces that staff drew are numbered without gaps, after the machine's."""
    later = StaffTag.objects.filter(item=item, face__gt=gone).exclude(box=None).order_by("face")
    for tag in later:
        tag.face -= 1
        tag.save(update_fields=["face"])


def _record_tag(said: Said, face: int, tag: Tag) -> None:
    detail: dict[str, object] = {"face": face, "kind": tag.kind.value}
    if tag.pupil:
        detail["pupil"] = trail.pupil_subject(said.home, tag.pupil)
    if tag.basis:
        detail["basis"] = tag.basis
    trail.record(said.home, "face.tagged", _subject(said), detail, said.by)


def _subject(said: Said) -> str:
    return f"item:{said.item_id}"
