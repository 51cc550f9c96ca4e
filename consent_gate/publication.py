"""The rules that say when a picture is published, stays published, is recalled or returns.

``policy.decide`` says who may be shown today. ``next_step`` compares this verdict with the history
of one picture in one channel and returns the next step. ``TRANSITIONS`` lists every step that
changes the state of a publication. Both depend on their arguments only. ``now`` is written with a
step. No rule compares it with another time, because a clock may be set back.

The rules, in the order of the code:

1.  A picture is published only after a decision that follows a new examination or an answer of a
    member of staff. A picture that could be published for another reason, such as a new consent, is
    examined again first (docs/adr/0002-recall.md).
2.  A picture is published with the covers and the crop that staff want now, a film with the parts
    and the sound that they keep, with the covers of the gate where the channel asks for them, and
    in the size that the channel's limit for faces allows. If one of these changes, the published
    picture is recalled and a new one is made.
3.  A hold recalls a published picture, unless each of its reasons concerns new pictures only. To
    withdraw a consent is as easy as to give it (UK GDPR art. 7(3)).
4.  A picture is recalled when the approval that released it is withdrawn, unless it is cleared
    without the approval and keeps its appearance. It is also recalled when a new examination finds
    other faces, because this deletes the covers and the crop of staff. Then rule 5 applies: the
    picture without them waits for an approval. An examination that recognises a face as a pupil
    whom staff did not name withdraws the approvals of the picture.
5.  A recalled picture is published again only after a member of staff has approved it since. An
    approval that stood at a recall never counts again, whatever the clocks say. Neither age nor the
    state of the recall ends it.
6.  A picture that a person stopped before it was published counts as recalled. So does a picture
    that lost its approval or its covers then (rule 4), and a picture whose recall was repeated
    after a restore (docs/adr/0008-restore.md).
7.  A recall ends without an approval only in two cases: staff changed the covered faces or the
    crop, or staff withdrew their own refusal.
8.  A picture that was never published is cancelled. A picture that is or was published is recalled,
    so that the list of the channel names it as withdrawn for its readers.
9.  A picture gets its name in the folder only if everybody shown is cleared at this moment, its
    appearance is the one that staff want, and no recall waits for an approval.
10. A picture whose file is missing or changed leaves the list. It passes every check of a new
    picture before it is listed again. So does one whose covers staff took back and the gate keeps.
    Both wait for this, also while a reason holds that concerns new pictures only.
11. No step leads from a recalled or cancelled publication back to a published one.
12. The list names a recalled picture until the files are removed and everybody who may have a copy
    has confirmed that it is deleted.
13. After a restore, a recalled publication that this home does not know is recorded as recalled.
14. If a face that a published picture shows is not cleared any more, and the gate would cover
    it, the picture is recalled for the reason of the face, as without covers. It does not return by
    itself with the cover (rule 5). It does where the face only is too recognisable.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from consent_gate.model import (
    Box,
    ChannelRules,
    Evidence,
    Examined,
    FilmSpan,
    Hold,
    KeptSound,
    Reason,
    Release,
    StaffInput,
    TagKind,
    Verdict,
)
from consent_gate.policy import HOLDS_NEW_ONLY, must_recall, published_sound, smaller_side


class PublicationState(StrEnum):
    """The life of a publication.

    A release goes through intended, written, listed and live. A recall goes through withdrawing and
    removed. It ends in closed, some time after all copies are confirmed gone, when the manifest no
    longer lists it. A release that is stopped before it is listed is cancelled, and
    cancelled_cleaned after its files are deleted.
    """

    INTENDED = "intended"
    WRITTEN = "written"
    LISTED = "listed"
    LIVE = "live"
    WITHDRAWING = "withdrawing"
    REMOVED = "removed"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    CANCELLED_CLEANED = "cancelled_cleaned"


PENDING = (PublicationState.INTENDED, PublicationState.WRITTEN)
IN_MANIFEST = (PublicationState.LISTED, PublicationState.LIVE)
OPEN = (*PENDING, *IN_MANIFEST)
RECALLED = (PublicationState.WITHDRAWING, PublicationState.REMOVED)


class ChannelStatus(StrEnum):
    """The outcome of the last decision about a picture in a channel."""

    RELEASED = "released"
    HELD = "held"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


BY_HAND = "taken_back_by_hand"
"""Cause of a recall that a person asked for."""

APPEARANCE_CHANGED = "look_changed"
"""Cause of a recall that is followed by the same picture with other redactions or another crop."""

APPROVAL_WITHDRAWN = "approval_taken_back"
"""Cause of a recall of a picture whose approval by a person was withdrawn."""

RECALLED_BEFORE = "recalled_before_restore"
"""Cause of a recall that happened after the backup of a restored home."""

NEED_A_NEW_APPROVAL = frozenset({BY_HAND, RECALLED_BEFORE})
"""Causes with which a person stopped the picture itself, so that its copies are held too."""

COUNT_BEFORE_RELEASE = NEED_A_NEW_APPROVAL | {APPROVAL_WITHDRAWN}
"""Rule 6: causes that count as a recall even if the picture was not out yet."""

ENDED_BY_A_CHANGE = frozenset({APPEARANCE_CHANGED, Reason.REFUSED_BY_STAFF.value})
"""Rule 7: causes that no longer count once staff change the picture, or their answer, again."""


SAME_FACE = 0.5
"""Intersection over union from which a face found again is the face that was covered before."""


@dataclass(frozen=True)
class GateCover:
    """A face that the gate covers itself, and why it is not cleared."""

    box: Box
    reason: Reason


@dataclass(frozen=True)
class Appearance:
    """Redactions and crop, in pixels of the upright original, the size, and the parts and the sound
    of a film."""

    redactions: tuple[Box, ...] = ()
    """Boxes of redacted faces; ``publish.rendering.redact`` extends each to the whole head."""
    crop: Box | None = None
    """The part that is published. None: all of it."""
    side: int | None = None
    """Longest side in pixels, where a face would be too large at the channel's. None: the
    channel's."""
    kept: tuple[FilmSpan, ...] | None = None
    """The parts of a film that are published. None: all of it."""
    covered: tuple[int, ...] = ()
    """Faces of a film that are covered in all frames, by their index in the evidence."""
    sound: KeptSound | None = None
    """The sound of a film. None: it is silent."""
    by_gate: tuple[GateCover, ...] = field(default=(), compare=False)
    """Those of the redactions that the gate wants. Not compared: the pixels are the same whoever
    wants the cover."""


def wanted_appearance(
    evidence: Evidence,
    staff: StaffInput,
    channel: ChannelRules | None = None,
    verdict: Verdict | None = None,
) -> Appearance:
    """Return the appearance that staff's tags, crop and cuts, and a channel's rules, ask for.

    Args:
        evidence: What was found in the picture.
        staff: What staff said of it.
        channel: Rules of the channel, which may ask for a smaller picture. None: of no channel.
        verdict: Today's verdict in the channel, which may ask for covers. None: of no channel.
    """
    faces = evidence.faces if isinstance(evidence, Examined) else ()
    boxes = [*(face.box for face in faces), *staff.added_faces]
    by_gate = verdict.covered if verdict is not None else {}
    blurred = [index for index, tag in staff.tags.items() if tag.kind is TagKind.BLURRED]
    covered = tuple(index for index in range(len(boxes)) if index in blurred or index in by_gate)
    side = None
    if channel is not None and isinstance(evidence, Examined):
        side = smaller_side(evidence, staff, channel, by_gate)
    kept = staff.film_edit.kept if staff.film_edit is not None else None
    if isinstance(evidence, Examined) and evidence.film is not None:
        sound = published_sound(evidence, staff, channel) if channel is not None else None
        return Appearance((), staff.crop, side, kept, covered, sound)
    return Appearance(
        tuple(boxes[index] for index in covered),
        staff.crop,
        side,
        kept,
        by_gate=tuple(GateCover(boxes[i], reasons[0]) for i, reasons in sorted(by_gate.items())),
    )


# --- the history of one picture in one channel ---------------------------------------------


@dataclass(frozen=True)
class PastRecall:
    """A publication that was recalled, or cancelled before it was published."""

    cause: str
    was_out: bool
    approval: datetime | None = None
    """Time of the approval that stood at the recall; it identifies the approval."""


@dataclass(frozen=True)
class OpenPublication:
    """The publication that is published, or is being made."""

    appearance: Appearance
    was_out: bool
    """Whether it is in the folder, or was before it had to be made again."""


@dataclass(frozen=True)
class History:
    """Everything but the verdict that the next step depends on."""

    last_status: ChannelStatus | None = None
    """Status of the last decision; None when there was none."""
    current: OpenPublication | None = None
    recalls: tuple[PastRecall, ...] = ()
    approval: datetime | None = None
    """Time of the approval that stands now; None if no member of staff approves the channel."""
    approval_withdrawn: bool = False
    """Whether the channel's approval, or staff's covers and crop, went in this round."""

    @property
    def was_recalled(self) -> bool:
        """Rules 5 to 7: whether a recall counts that only an approval ends."""
        return self.last_status is ChannelStatus.WITHDRAWN or any(
            recall.cause not in ENDED_BY_A_CHANGE
            and (recall.was_out or recall.cause in COUNT_BEFORE_RELEASE)
            for recall in self.recalls
        )

    @property
    def awaits_approval(self) -> bool:
        """Rule 5: whether only a new approval can publish the picture again."""
        approved = self.approval is not None and self.approval not in {
            recall.approval for recall in self.recalls
        }
        return self.was_recalled and not approved

    def after(self, step: Step) -> History:
        """Return the history after this step."""
        if isinstance(step, Open):
            return replace(self, current=OpenPublication(step.appearance, was_out=False))
        if self.current is None or not isinstance(step, Recall | Cancel):
            return self
        recall = PastRecall(step.cause, isinstance(step, Recall), self.approval)
        counts = isinstance(step, Recall) and step.cause not in ENDED_BY_A_CHANGE
        status = ChannelStatus.WITHDRAWN if counts else self.last_status
        return replace(self, current=None, recalls=(*self.recalls, recall), last_status=status)


# --- steps ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Open:
    """Publish the picture: make it, check it and list it."""

    appearance: Appearance
    at: datetime


@dataclass(frozen=True)
class Keep:
    """Leave everything as it is."""

    status: ChannelStatus


@dataclass(frozen=True)
class ReExamine:
    """Examine the picture again; the decision after that may publish it."""

    status: ChannelStatus


@dataclass(frozen=True)
class Recall:
    """Take a published picture out of the list, then delete its files."""

    cause: str
    at: datetime


@dataclass(frozen=True)
class Cancel:
    """Stop a publication whose picture was never in the folder."""

    cause: str


@dataclass(frozen=True)
class Write:
    """The files are written under temporary names."""

    sha256: str
    """Of the JPEG, as hexadecimal digits."""
    size: int
    """Of the JPEG, in bytes."""
    width: int
    height: int
    siblings: tuple[Mapping[str, str | int | float], ...] = ()
    """The same picture in other formats. Each has the keys kind, sha256 and bytes (its size)."""


@dataclass(frozen=True)
class WriteAgain:
    """The temporary files were lost: make them again."""


@dataclass(frozen=True)
class List:
    """The files have their names in the folder."""

    at: datetime


@dataclass(frozen=True)
class Announce:
    """The manifest that lists the picture is written."""


@dataclass(frozen=True)
class Remake:
    """A file is missing or changed, or was not examined with its covers: make the picture again."""


@dataclass(frozen=True)
class RemoveFiles:
    """The files are removed from the folder."""


@dataclass(frozen=True)
class Close:
    """Every copy is confirmed gone: remove the recall from the manifest."""


@dataclass(frozen=True)
class RecordLost:
    """A recall that was recorded since the backup concerns a publication that is not known."""

    at: datetime
    cause: str = RECALLED_BEFORE


WrittenStep = (
    Open | Recall | Cancel | Write | WriteAgain | List | Announce | Remake | RemoveFiles | Close
    | RecordLost
)  # fmt: skip
"""Steps that change the state of a publication."""
Step = WrittenStep | Keep | ReExamine


def next_step(
    verdict: Verdict, history: History, wanted: Appearance, may_open: bool, now: datetime
) -> Step:
    """Return the next step that brings the channel in line with the verdict.

    Args:
        verdict: Today's verdict of ``policy.decide``.
        history: The picture in this channel so far.
        wanted: The appearance that staff want now.
        may_open: Whether this round may publish, because the picture was just examined or reviewed.
        now: The time that is written with the step.
    """
    if isinstance(verdict, Release):
        return _step_on_release(history, wanted, may_open, now)
    return _step_on_hold(verdict, history, wanted, now)


def _step_on_release(history: History, wanted: Appearance, may_open: bool, now: datetime) -> Step:
    current = history.current
    if history.awaits_approval:  # rule 5
        if current is not None:
            return recall_or_cancel(current.was_out, APPROVAL_WITHDRAWN, now)
        return Keep(ChannelStatus.WITHDRAWN)
    if current is not None:
        if current.appearance == wanted:
            return Keep(ChannelStatus.RELEASED)
        cause = APPROVAL_WITHDRAWN if history.approval_withdrawn else APPEARANCE_CHANGED
        lost = _no_longer_cleared(current, wanted)
        return recall_or_cancel(current.was_out, lost or cause, now)  # rules 2, 4 and 14
    if may_open:
        return Open(wanted, now)
    last = history.last_status
    status = ChannelStatus.HELD if last in (None, ChannelStatus.RELEASED) else last
    return Keep(status) if history.was_recalled else ReExamine(status)  # rule 1


def _step_on_hold(verdict: Hold, history: History, wanted: Appearance, now: datetime) -> Step:
    current = history.current
    if current is not None:
        stays = current.was_out and not must_recall(verdict)  # rule 3
        fits = current.appearance == wanted and not history.approval_withdrawn  # rules 2 and 4
        if stays and fits:
            return Keep(ChannelStatus.RELEASED)
        recalling = [reason for reason in verdict.reasons if reason not in HOLDS_NEW_ONLY]
        lost = _no_longer_cleared(current, wanted)
        cause = recalling[0].value if recalling else lost or verdict.reasons[0].value
        refused = Reason.REFUSED_BY_STAFF in verdict.reasons
        if history.approval_withdrawn and not (current.was_out or refused):  # rule 6
            cause = APPROVAL_WITHDRAWN
        return recall_or_cancel(current.was_out, cause, now)
    if Reason.REFUSED_BY_STAFF in verdict.reasons:
        return Keep(ChannelStatus.REFUSED)
    withdrawn = history.last_status is ChannelStatus.WITHDRAWN
    return Keep(ChannelStatus.WITHDRAWN if withdrawn else ChannelStatus.HELD)


def _no_longer_cleared(current: OpenPublication, wanted: Appearance) -> str:
    """Rule 14: why a face that the publication shows is not cleared; empty if there is none."""
    before = current.appearance.redactions
    for cover in wanted.by_gate:
        was_covered = any(cover.box.overlap(box) >= SAME_FACE for box in before)
        if not was_covered and cover.reason is not Reason.TOO_RECOGNISABLE:
            return cover.reason.value
    return ""


def remaining_steps(
    verdict: Verdict, history: History, wanted: Appearance, may_open: bool, now: datetime
) -> tuple[list[WrittenStep], Keep | ReExamine]:
    """Return every step until nothing is left to do, and the last step, which has the status."""
    steps: list[WrittenStep] = []
    step = next_step(verdict, history, wanted, may_open, now)
    while not isinstance(step, Keep | ReExamine):
        steps.append(step)
        history = history.after(step)
        step = next_step(verdict, history, wanted, may_open, now)
    return steps, step


def may_be_listed(verdict: Verdict | None, history: History, wanted: Appearance) -> bool:
    """Rule 9: whether a written picture may get its name in the folder now."""
    current = history.current
    fits = current is not None and current.appearance == wanted
    return isinstance(verdict, Release) and fits and not history.awaits_approval


def recall_or_cancel(was_out: bool, cause: str, now: datetime) -> Recall | Cancel:
    """Rule 8: return the step that ends an open publication."""
    return Recall(cause, now) if was_out else Cancel(cause)


# --- the transitions -----------------------------------------------------------------------


@dataclass(frozen=True)
class Transition:
    """One change of state that a step may make, and what is written with it."""

    step: type[WrittenStep]
    before: tuple[PublicationState, ...]
    """States in which the step is possible; empty if it makes a new row."""
    after: PublicationState
    audit: str = ""
    """Action of the audit entry; empty writes none."""
    changes_manifest: bool = False
    renders: bool = False
    """Whether the files have to be made."""
    was_out: bool | None = None
    """Whether the publication must have been out, or must not; None if it does not matter."""
    confirmed: bool = False
    """Whether everybody who may have a copy must have confirmed that it is deleted."""


_S = PublicationState
TRANSITIONS = (
    Transition(Open, (), _S.INTENDED, audit="publication.intended", renders=True),
    Transition(Write, (_S.INTENDED,), _S.WRITTEN),
    Transition(WriteAgain, (_S.WRITTEN,), _S.INTENDED, renders=True),
    Transition(List, (_S.WRITTEN,), _S.LISTED, audit="publication.released", changes_manifest=True),
    Transition(Announce, (_S.LISTED,), _S.LIVE),
    Transition(
        Remake,
        IN_MANIFEST,
        _S.INTENDED,
        audit="publication.remade",
        changes_manifest=True,
        renders=True,
    ),
    Transition(Cancel, PENDING, _S.CANCELLED, audit="publication.abandoned", was_out=False),
    Transition(
        Recall,
        OPEN,
        _S.WITHDRAWING,
        audit="publication.recalled",
        changes_manifest=True,
        was_out=True,
    ),
    Transition(RemoveFiles, (_S.CANCELLED,), _S.CANCELLED_CLEANED),
    Transition(RemoveFiles, (_S.WITHDRAWING,), _S.REMOVED),
    Transition(
        Close,
        (_S.REMOVED,),
        _S.CLOSED,
        audit="recall.settled",
        changes_manifest=True,
        confirmed=True,
    ),
    Transition(RecordLost, (), _S.CLOSED),
)
"""Every change of state. A step that is not possible in a state changes nothing."""


def transitions_of(step: WrittenStep) -> Iterable[Transition]:
    """The rows of the table for this step."""
    return (row for row in TRANSITIONS if row.step is type(step))
