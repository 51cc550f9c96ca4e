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
from consent_gate.db.models import Item, ItemState, StaffApproval, StaffTag
from consent_gate.db.register_part import register_for
from consent_gate.db.staff_store import load_staff_input
from consent_gate.model import Approval, Box, Hold, Tag, TagKind, Verdict
from consent_gate.web import sealing
from consent_gate.web.review_checks import (
    CannotBeReleased,
    ChangedMeanwhile,
    NotOpenForReview,
    NotUsable,
    box_inside,
    check_basis,
    check_tag,
    check_words,
    close_gap,
    count_faces,
)
from publish.recall import remove_withdrawn

SOMEBODY_ELSE = "(second person)"
"""Stands in for the second person when asking what would happen with one."""


@dataclass(frozen=True)
class Said:
    """Who says something, and of which state of which picture."""

    home: Home
    by: str
    """Log-in name."""
    item_id: str
    revision: int
    """``Item.revision`` of the page on which it was said."""


def latest(home: Home, by: str, item_id: str) -> Said:
    """For words about a picture whatever its state, such as a recall: they rest on no page."""
    return Said(home, by, item_id, Item.objects.values_list("revision", flat=True).get(pk=item_id))


def tag_face(said: Said, face: int, tag: Tag) -> None:
    """Say who or what a face is. Raises NotUsable, ChangedMeanwhile or NotOpenForReview."""
    check_tag(said.home, tag)

    def change(item: Item) -> None:
        if face not in range(count_faces(item)):
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
            close_gap(item, face)
        trail.record(said.home, "face.untagged", _subject(said), {"face": face}, said.by)

    _save(said, change, keeps_approvals=False)


def add_face(said: Said, box: Box) -> int:
    """A face the machine missed, drawn by staff. Holds the picture until it is tagged.

    Returns its index. Raises NotUsable when the box is not inside the picture.
    """
    drawn: list[int] = []

    def change(item: Item) -> None:
        index = count_faces(item)
        StaffTag.objects.create(
            item=item,
            face=index,
            kind=TagKind.CANNOT_TELL.value,
            box=box_inside(item, box).as_list(),
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
    check_basis(said.home, basis)
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
    check_words(said.home, why)

    def change(item: Item) -> None:
        for channel in wanted:
            StaffApproval.objects.update_or_create(
                item=item,
                channel=channel,
                defaults=_answer(said, refused=True, basis=why.strip()),
            )
            detail = {"channel": channel, "why": why.strip()}
            trail.record(said.home, "channel.refused", _subject(said), detail, said.by)

    _save(said, change, keeps_approvals=True, states=(ItemState.DECIDED, ItemState.RECEIVED))


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
    check_words(said.home, f"{title}\n{alt}")

    def change(item: Item) -> None:
        item.title, item.alt = title.strip()[:200], alt.strip()[:500]
        item.save(update_fields=["title", "alt"])
        trail.record(said.home, "item.described", _subject(said), {}, said.by)

    _save(said, change, keeps_approvals=True)


def seal(said: Said) -> None:
    """Lock a picture away: nobody sees it again here, and whatever is out comes back.

    For a picture that may be indecent. Nobody evaluates it; the safeguarding lead is told. It is
    kept, under a key that no other part of the gate opens (docs/adr/0007-web.md). Raises
    Undecryptable when its safe copy cannot be read, and then seals nothing.
    """
    with transaction.atomic():
        item = _locked(said, (ItemState.DECIDED, ItemState.RECEIVED))
        intact = sealing.is_intact(said.home, item)
        sealing.lock_away(said.home, item)
        item.state = ItemState.SEALED
        item.revision += 1
        item.save(update_fields=["state", "revision", "wrapped_key", "title", "alt"])
        trail.record(said.home, "item.sealed", _subject(said), {"intact": intact}, said.by)
        now = said.home.now()
        settle(Round(said.home, register_for(item, now.date()), now, said.by), item)
    remove_withdrawn(said.home)
    sealing.remove_copies(said.home, item, intact=intact)


def verdicts_if_approved(home: Home, item: Item, by: str) -> dict[str, Verdict]:
    """What ``policy.decide`` would say today if this person signed for every channel.

    A refusal is left out of it, and so is the want of a second person.
    """
    staff = load_staff_input(item)
    register = register_for(item, home.now().date())
    signature = Approval(by, "asked in advance", SOMEBODY_ELSE)
    as_if = replace(
        staff,
        approvals=dict.fromkeys(home.settings.channels, signature),
        refused=frozenset(),
    )
    return verdicts_of(Round(home, register, home.now(), by), item, as_if)


def _save(
    said: Said,
    change: Callable[[Item], None],
    *,
    keeps_approvals: bool,
    states: tuple[ItemState, ...] = (ItemState.DECIDED,),
) -> None:
    """The one transaction: lock, change, decide, record. Afterwards what came back is removed."""
    with transaction.atomic():
        item = _locked(said, states)
        if item.revision != said.revision:
            raise ChangedMeanwhile("Somebody else changed this picture while you had it open.")
        if item.evidence is None:
            raise NotOpenForReview("This picture has not been checked yet.")
        change(item)
        if not keeps_approvals:
            StaffApproval.objects.filter(item=item, refused=False).delete()
        item.revision += 1
        item.save(update_fields=["revision"])
        now = said.home.now()
        looked_at = item.state == ItemState.DECIDED
        this = Round(said.home, register_for(item, now.date()), now, said.by, may_open=looked_at)
        settle(this, item)
    remove_withdrawn(said.home)


def _locked(said: Said, states: tuple[ItemState, ...]) -> Item:
    item = Item.objects.select_for_update().get(pk=said.item_id)
    if item.state not in states:
        raise NotOpenForReview("This picture is not open for review just now.")
    return item


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


def _record_tag(said: Said, face: int, tag: Tag) -> None:
    detail: dict[str, object] = {"face": face, "kind": tag.kind.value}
    if tag.pupil:
        detail["pupil"] = trail.pupil_subject(said.home, tag.pupil)
    if tag.basis:
        detail["basis"] = tag.basis
    trail.record(said.home, "face.tagged", _subject(said), detail, said.by)


def _subject(said: Said) -> str:
    return f"item:{said.item_id}"
