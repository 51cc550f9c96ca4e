"""Cover everybody who is not cleared, and approve the picture, in one step.

``plan_covers`` says what would be covered and where the picture may go then. The page shows it
before anybody presses the key. ``cover_and_release`` saves exactly this plan in one transaction, or
nothing. The approval is judged by ``policy.decide`` like any other.

The step is for faces and readable names only. A picture that is held for another reason, such as
its camera or an earlier copy, needs an ordinary approval, because a cover does not answer it. In a
film each track is covered in all frames; a film with a readable name or with a track that cannot be
covered is not offered it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from consent_gate.db import audit_log
from consent_gate.db.models import FaceToRemember, Item, StaffApproval, StaffTag
from consent_gate.decisions.enrolments import delete_enrolments, enrolments_from
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.model import (
    Examined,
    Hold,
    Reason,
    StaffInput,
    Tag,
    TagKind,
    TextCheck,
    Verdict,
)
from consent_gate.policy import is_hidden
from consent_gate.publication import OPEN
from consent_gate.review.approvals import ChannelAnswer, cover_text, save_approval, save_tag
from consent_gate.review.transaction import Judge, ReviewAction, apply_review, judge_of
from consent_gate.review.validation import (
    CannotBeReleased,
    EditConflict,
    close_gap,
    examined_picture,
)

COVERED_BASIS = "Everyone who is not cleared is covered"
"""The basis of an approval that was given with the covers."""

ANSWERED_BY_COVERS = frozenset(
    {Reason.VISIBLE_NAME, Reason.UNREAD_TEXT, Reason.AWAITING_SECOND_PERSON}
)
"""Reasons of the picture as a whole with which the step is still offered. Names and text that could
not be read are covered too, and a second person is asked as for every approval."""


@dataclass(frozen=True)
class CoverPlan:
    """What one step would cover, and for which channels it would approve the picture."""

    faces: tuple[int, ...]
    """Indices of the faces, as in ``StaffInput.tags``."""
    names: tuple[int, ...]
    """Indices of the readable names, as in ``Examined.names``."""
    channels: tuple[str, ...]

    def covers(self, staff: StaffInput, picture: Examined) -> StaffInput:
        """Return the input of staff with these covers, without approvals and refusals."""
        count = len(picture.faces) + len(staff.added_faces)
        tags = dict(staff.tags)
        tags |= {index: _covered(staff.tags.get(index)) for index in self.faces}
        tags |= {count + at: Tag(TagKind.BLURRED) for at in range(len(self.names))}
        boxes = tuple(picture.names[index].box for index in self.names)
        return replace(
            staff,
            tags=tags,
            added_faces=(*staff.added_faces, *boxes),
            approvals={},
            refused=frozenset(),
        )


def plan_covers(
    picture: Examined, staff: StaffInput, judge: Judge, closed: Collection[str] = ()
) -> CoverPlan | None:
    """Work out what would be covered; None where covers do not help, or are not needed.

    Args:
        picture: The evidence.
        staff: What staff said so far.
        judge: Gives the verdicts for other input of staff.
        closed: Channels that are not asked about: the picture is out there, or refused.
    """
    if picture.text_check is TextCheck.FAILED:
        return None
    if not staff.approvals.keys().isdisjoint(closed):
        return None  # the covers would recall what a person released
    asked = judge.if_approved(staff)
    channels = {name: verdict for name, verdict in asked.items() if name not in closed}
    plan = _plan_for(picture, staff, channels)
    possible = _released(judge, plan.covers(staff, picture), plan.channels)
    if possible != plan.channels:  # do not cover anybody for a channel that stays closed
        plan = _plan_for(picture, staff, {name: channels[name] for name in possible})
        plan = replace(plan, channels=_released(judge, plan.covers(staff, picture), possible))
    return plan if plan.channels and (plan.faces or plan.names) else None


def _plan_for(picture: Examined, staff: StaffInput, channels: Mapping[str, Verdict]) -> CoverPlan:
    """Cover each face that holds one of these channels even with an approval, and each name."""
    held = {
        index
        for verdict in channels.values()
        if isinstance(verdict, Hold) and Reason.NEVER_PUBLISH not in verdict.reasons
        for index in verdict.faces
    }
    faces = CoverPlan(tuple(sorted(held)), (), tuple(channels))
    covered = faces.covers(staff, picture)
    names = (i for i, n in enumerate(picture.names) if not is_hidden(n.box, picture, covered))
    return replace(faces, names=tuple(names))


def _released(judge: Judge, covered: StaffInput, channels: Iterable[str]) -> tuple[str, ...]:
    """The channels to which an approval would release the covered picture by this step."""
    approved, alone = judge.if_approved(covered), judge.verdicts(covered)
    return tuple(
        name
        for name in channels
        if not isinstance(approved[name], Hold) and not _needs_a_person(alone[name])
    )


def _needs_a_person(verdict: Verdict) -> bool:
    """Whether the picture as a whole is held for a cause that covers do not answer."""
    if not isinstance(verdict, Hold):
        return False
    of_faces = {reason for reasons in verdict.faces.values() for reason in reasons}
    return not ANSWERED_BY_COVERS.union(of_faces).issuperset(verdict.reasons)


def _covered(tag: Tag | None) -> Tag:
    """The cover of a face. Who it is stays noted, so that no cover hides a never-publish mark."""
    return Tag(TagKind.BLURRED, tag.pupil if tag else None, tag.basis if tag else "")


def published_or_refused_channels(item: Item) -> frozenset[str]:
    """Channels in which the picture is out or on its way, and those that staff refused."""
    out = {row.channel for row in item.publications.all() if row.state in OPEN}
    refused = {row.channel for row in item.approvals.all() if row.refused}
    return frozenset(out | refused)


def cover_and_release(action: ReviewAction, shown: CoverPlan) -> None:
    """Cover what the page showed, and approve the picture for the channels in ``shown``.

    Args:
        action: Who acts on which revision.
        shown: The faces and names that the page said would be covered, and the channels that the
            person left ticked.

    Raises:
        CannotBeReleased: One of the channels cannot be opened by covers.
        EditConflict: Consent, rules or the picture changed since the page was shown.
    """

    def change(item: Item) -> None:
        picture, staff = examined_picture(item), load_staff_input(item)
        judge = judge_of(action.home, item, action.actor)
        plan = plan_covers(picture, staff, judge, published_or_refused_channels(item))
        if plan is None or not shown.channels or not set(plan.channels).issuperset(shown.channels):
            raise CannotBeReleased("Covering faces does not clear this picture for these places.")
        if (plan.faces, plan.names) != (shown.faces, shown.names):
            raise EditConflict("Consents or faces changed while you had this picture open.")
        now = action.home.now()
        StaffApproval.objects.filter(item=item, refused=False).delete()
        _cover_faces(action, item, plan.faces, staff.tags, now)
        for index in plan.names:
            cover_text(action, item, index, now)
        verdicts = judge.if_approved(load_staff_input(item))
        for channel in shown.channels:
            if isinstance(verdicts[channel], Hold):
                raise CannotBeReleased("Not everyone in the picture is cleared for this.")
            save_approval(action, item, ChannelAnswer(channel, COVERED_BASIS, now))

    apply_review(action, change, keeps_approvals=True)


def was_saved(action: ReviewAction, shown: CoverPlan) -> bool:
    """Whether this very step was saved already, so that pressing the key twice is no conflict."""
    rows = StaffApproval.objects.filter(
        item=action.item_id, actor=action.actor, basis=COVERED_BASIS, refused=False
    )
    if not set(rows.values_list("channel", flat=True)).issuperset(shown.channels):
        return False
    covers = StaffTag.objects.filter(
        item=action.item_id,
        kind=TagKind.BLURRED.value,
        created_at__in=rows.values("created_at"),
    )
    return (
        bool(shown.channels)
        and set(covers.values_list("face", flat=True)).issuperset(shown.faces)
        and Item.objects.filter(pk=action.item_id, revision=action.revision + 1).exists()
    )


def undo_answers(action: ReviewAction, channels: Iterable[str]) -> None:
    """Delete approvals and refusals, with the covers that were saved in the same step.

    A face that had an answer before it was covered gets it back. The picture waits again.
    """
    wanted = tuple(channels)

    def change(item: Item) -> None:
        answers = StaffApproval.objects.filter(item=item, channel__in=wanted)
        own = answers.filter(basis=COVERED_BASIS, actor=action.actor)
        moments = set(own.values_list("created_at", flat=True))
        answers.delete()
        detail: dict[str, object] = {"channels": list(wanted)}
        audit_log.record(action.home, "channel.reopened", action.subject, detail, action.actor)
        covers = StaffTag.objects.filter(
            item=item, kind=TagKind.BLURRED.value, actor=action.actor, created_at__in=moments
        )
        if covers:
            StaffApproval.objects.filter(item=item, refused=False).delete()
        for tag in covers.order_by("-face"):
            _uncover(action, item, tag)

    apply_review(action, change, keeps_approvals=True)


def _cover_faces(
    action: ReviewAction,
    item: Item,
    faces: Collection[int],
    before: Mapping[int, Tag],
    now: datetime,
) -> None:
    """Cover faces, and note the answer that each had. ``before`` has these answers by face."""
    FaceToRemember.objects.filter(tag__item=item, tag__face__in=faces).delete()
    for enrolled in set(enrolments_from(item).values_list("face", flat=True)).intersection(faces):
        delete_enrolments(action.home, item, action.actor, enrolled)
    rows = StaffTag.objects.filter(item=item, face__in=faces)
    answers = {row["face"]: row for row in rows.values("face", "kind", "actor", "created_at")}
    for index in faces:
        save_tag(action, item, index, _covered(before.get(index)), now)
    for index, said in answers.items():
        moment = said["created_at"].isoformat()
        noted = {"kind": said["kind"], "actor": said["actor"], "created_at": moment}
        rows.filter(face=index).update(before=noted)


def _uncover(action: ReviewAction, item: Item, tag: StaffTag) -> None:
    """Remove a cover. The answer from before comes back as it was, with who gave it.

    A drawn face stays drawn. Nobody is named who was not named before.
    """
    if tag.before is not None:
        kind = TagKind(tag.before["kind"])
        is_erased = kind is TagKind.PUPIL and not tag.admission_number
        tag.kind = (TagKind.CANNOT_TELL if is_erased else kind).value
        tag.actor = tag.before["actor"]
        tag.created_at = datetime.fromisoformat(tag.before["created_at"])
        tag.before = None
        tag.save(update_fields=["kind", "actor", "created_at", "before"])
    else:
        tag.delete()
        if tag.box is not None:
            close_gap(item, tag.face)
    audit_log.record(action.home, "face.untagged", action.subject, {"face": tag.face}, action.actor)
