"""Everything staff can say of a picture. Each call is one transaction, or nothing (``saving``)."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import Item, ItemState, StaffApproval, StaffTag
from consent_gate.decisions.apply import settle
from consent_gate.decisions.enrolments import forget_enrolments, made_from
from consent_gate.decisions.ledger import Round, reword
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.model import Box, Hold, Tag, TagKind
from consent_gate.register.relevant import register_for
from consent_gate.review import sealing
from consent_gate.review.transaction import Said, latest, locked, save, verdicts_if_approved
from consent_gate.review.validation import (
    CannotBeReleased,
    NotUsable,
    box_inside,
    check_basis,
    check_tag,
    check_words,
    close_gap,
    count_faces,
)
from publish.recall.withdraw import remove_withdrawn

__all__ = ["Said", "latest"]


def tag_face(said: Said, face: int, tag: Tag) -> None:
    """Say who or what a face is. Raises NotUsable, ChangedMeanwhile or NotOpenForReview."""
    check_tag(said.home, tag)

    def change(item: Item) -> None:
        if face not in range(count_faces(item)):
            raise NotUsable("There is no such face in this picture.")
        if made_from(item, face).exclude(pupil__admission_number=tag.pupil or "").exists():
            forget_enrolments(said.home, item, said.by, face)
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

    save(said, change, keeps_approvals=False)


def untag_face(said: Said, face: int) -> None:
    """Take back what staff said of a face; a face that staff drew goes altogether."""

    def change(item: Item) -> None:
        tag = StaffTag.objects.filter(item=item, face=face).first()
        if tag is None:
            return
        drawn = tag.box is not None
        forget_enrolments(said.home, item, said.by, face)
        tag.delete()
        if drawn:
            close_gap(item, face)
        audit_log.record(said.home, "face.untagged", said.subject, {"face": face}, said.by)

    save(said, change, keeps_approvals=False)


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
        audit_log.record(said.home, "face.added", said.subject, {"face": index}, said.by)

    save(said, change, keeps_approvals=False)
    return drawn[0]


def crop(said: Said, kept: Box | None) -> None:
    """Publish only this part of the picture, or all of it again.

    Raises NotUsable when the part is not inside the picture.
    """

    def change(item: Item) -> None:
        item.crop = box_inside(item, kept).as_list() if kept else None
        item.save(update_fields=["crop"])
        audit_log.record(said.home, "picture.cropped", said.subject, {"crop": item.crop}, said.by)

    save(said, change, keeps_approvals=False)


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
        verdicts = verdicts_if_approved(said.home, item, said.by, load_staff_input(item))
        for channel in wanted:
            if channel not in verdicts or isinstance(verdicts[channel], Hold):
                raise CannotBeReleased("Not everyone in the picture is cleared for this.")
            second = _sign(said, item, channel, basis)
            detail = {"channel": channel, "basis": basis, "completes": second}
            audit_log.record(said.home, "channel.approved", said.subject, detail, said.by)

    save(said, change, keeps_approvals=True)


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
            audit_log.record(said.home, "channel.refused", said.subject, detail, said.by)

    save(said, change, keeps_approvals=True, states=(ItemState.DECIDED, ItemState.RECEIVED))


def reopen(said: Said, channels: Iterable[str]) -> None:
    """Take approvals and refusals back: the picture waits again, and comes back if it was out."""
    wanted = tuple(channels)

    def change(item: Item) -> None:
        StaffApproval.objects.filter(item=item, channel__in=wanted).delete()
        detail = {"channels": list(wanted)}
        audit_log.record(said.home, "channel.reopened", said.subject, detail, said.by)

    save(said, change, keeps_approvals=True)


def describe(said: Said, title: str, alt: str) -> None:
    """Title and description for readers, also of what is out already.

    Raises NotUsable when a pupil's full name is in them.
    """
    check_words(said.home, f"{title}\n{alt}")

    def change(item: Item) -> None:
        item.title, item.alt = title.strip()[:200], alt.strip()[:500]
        item.save(update_fields=["title", "alt"])
        reword(item)
        audit_log.record(said.home, "item.described", said.subject, {}, said.by)

    save(said, change, keeps_approvals=True)


def seal(said: Said) -> None:
    """Lock a picture away: nobody sees it again here, and whatever is out comes back.

    For a picture that may be indecent. Nobody evaluates it; the safeguarding lead is told. It is
    kept, under a key that no other part of the gate opens (docs/adr/0007-web.md). Raises
    Undecryptable when its safe copy cannot be read, and then seals nothing.
    """
    with transaction.atomic():
        item = locked(said, (ItemState.DECIDED, ItemState.RECEIVED))
        intact = sealing.is_intact(said.home, item)
        sealing.lock_away(said.home, item)
        forget_enrolments(said.home, item, said.by)
        item.state = ItemState.SEALED
        item.revision += 1
        item.save(update_fields=["state", "revision", "wrapped_key", "title", "alt"])
        audit_log.record(said.home, "item.sealed", said.subject, {"intact": intact}, said.by)
        now = said.home.now()
        settle(Round(said.home, register_for(item, now.date()), now, said.by), item)
    remove_withdrawn(said.home)
    sealing.remove_copies(said.home, item, intact=intact)


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
        detail["pupil"] = audit_log.pupil_subject(said.home, tag.pupil)
    if tag.basis:
        detail["basis"] = tag.basis
    audit_log.record(said.home, "face.tagged", said.subject, detail, said.by)
