"""View model of the review page: one picture with its faces, channels and blockers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import prefetch_related_objects

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import ChannelDecision, ChannelStatus, Item, PupilEntry
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.home.home import Home
from consent_gate.messages import LABELS, reason_message
from consent_gate.model import (
    Box,
    Examined,
    Hold,
    NamePart,
    NotExamined,
    StaffInput,
    TextCheck,
    Verdict,
)
from consent_gate.policy import is_hidden
from consent_gate.publication import IN_MANIFEST, OPEN, PENDING
from consent_gate.review.covering import CoverPlan, plan_covers, published_or_refused_channels
from consent_gate.review.transaction import judge_of
from consent_gate.web.pages.picture_faces import (
    FaceView,
    face_views,
    reading_order,
    reasons_by_face,
)
from consent_gate.web.pages.picture_film import FilmView, film_view
from consent_gate.web.pages.picture_sound import SoundView, sound_view
from consent_gate.web.pages.pupil_choices import choices
from publish.rendering.heads import clip, head_of, heads_of


@dataclass(frozen=True)
class Blocker:
    """One reason that keeps channels closed."""

    sentence: str
    label: str
    """Short form of ``sentence``."""
    faces: tuple[int, ...]
    """Numbers of the faces; empty when the reason is about the whole picture."""
    channels: tuple[str, ...]
    """Titles of the channels; empty for all channels."""


@dataclass(frozen=True)
class ChannelView:
    """One channel on the review page."""

    name: str
    title: str
    state: str
    """``published``, ``publishing``, ``held``, ``refused`` or ``withdrawn``."""
    can_release: bool
    """Whether this user's approval would release the picture to it now."""
    second_needed: bool
    """Whether one person has approved and a second approval is required."""
    covered: tuple[int, ...] = ()
    """Numbers of the faces that the gate covers there."""


@dataclass(frozen=True)
class NameView:
    """A pupil's name that can be read in the picture, or text that could not be read."""

    index: int
    """Index in the evidence."""
    box: Box
    whose: str
    """The pupil's name for staff; empty where several pupils have it, or nobody on the register."""
    is_hidden: bool
    """Whether a cover or the crop hides it."""
    is_unread: bool
    """Whether it is text near a face that could not be read."""


@dataclass(frozen=True)
class CoverView:
    """What one key would cover, and where the picture would be released then."""

    plan: CoverPlan
    faces: tuple[int, ...]
    """Numbers of the faces on the page."""
    heads: tuple[Box, ...]
    """What would be covered, in pixels of the original: whole heads and names. Not for a film."""
    titles: tuple[str, ...]
    """Titles of the channels."""


@dataclass(frozen=True)
class PictureView:
    """One picture on the review page."""

    item: Item
    width: int
    height: int
    faces: tuple[FaceView, ...]
    channels: tuple[ChannelView, ...]
    blockers: tuple[Blocker, ...]
    crop: Box | None
    """The part to publish, in pixels of the original; None for the whole picture."""
    problem: str
    """Why the picture could not be examined; empty when it was."""
    names: tuple[NameView, ...] = ()
    text_failed: bool = False
    """Whether it is not known which names can be read."""
    cover: CoverView | None = None
    """None where covers alone do not help."""
    cover_colour: str = ""
    """Colour in which the page draws covers, as #RRGGBB."""
    is_film: bool = False
    film: FilmView | None = None
    """None for a picture, and for a film that staff cannot see."""
    sound: SoundView | None = None
    """None for a picture, a silent film, and where no channel publishes sound."""

    @property
    def unit(self) -> float:
        """A hundredth of the long side in pixels; labels are scaled by it."""
        return max(self.width, self.height) / 100

    @property
    def cut_path(self) -> str:
        """SVG path of the part that the crop removes; empty without a crop."""
        if self.crop is None:
            return ""
        hole = f"M{self.crop.x} {self.crop.y}h{self.crop.width}v{self.crop.height}"
        return f"M0 0H{self.width}V{self.height}H0Z{hole}h{-self.crop.width}Z"

    @property
    def cut(self) -> dict[str, float]:
        """Per cent that the crop cuts off each side, by form field name."""
        box = self.crop or Box(0, 0, self.width, self.height)
        right, bottom = self.width - box.x - box.width, self.height - box.y - box.height
        sides = {"left": box.x, "right": right}, {"top": box.y, "bottom": bottom}
        lengths = (self.width or 1, self.height or 1)
        return {
            name: round(100 * pixels / length, 2)
            for pair, length in zip(sides, lengths, strict=True)
            for name, pixels in pair.items()
        }

    @property
    def releasable(self) -> tuple[ChannelView, ...]:
        """Channels that this user's approval would open now."""
        return tuple(
            c for c in self.channels if c.can_release and c.state not in ("published", "publishing")
        )


def picture_view(home: Home, item: Item, actor: str) -> PictureView:
    """Build the view model, with verdicts as if ``actor`` approved the picture now."""
    prefetch_related_objects(
        [item], "tags", "approvals", "seen_before__earlier", "decisions", "publications"
    )
    evidence = from_json(item.evidence)
    staff = load_staff_input(item)
    judge = judge_of(home, item, actor)
    verdicts = judge.if_approved(staff)
    if isinstance(evidence, NotExamined):
        channels, blockers = _channels(home, item, verdicts, {}), _blockers(home, verdicts, {})
        return PictureView(item, 0, 0, (), channels, blockers, None, evidence.detail)
    numbers = reading_order([*(f.box for f in evidence.faces), *staff.added_faces])
    if evidence.film is not None:
        numbers = {index: index + 1 for index in sorted(numbers)}  # in the order of time
    faces = face_views(home, evidence, staff, numbers, reasons_by_face(verdicts))
    return PictureView(
        item=item,
        width=evidence.width,
        height=evidence.height,
        faces=faces,
        channels=_channels(home, item, verdicts, numbers),
        blockers=_blockers(home, verdicts, numbers),
        crop=staff.crop,
        problem="",
        names=_names(home, evidence, staff),
        text_failed=evidence.text_check is TextCheck.FAILED,
        cover=_cover(
            home,
            plan_covers(evidence, staff, judge, published_or_refused_channels(item)),
            [*(f.box for f in evidence.faces), *staff.added_faces],
            evidence,
            numbers,
        ),
        cover_colour=home.settings.publishing.cover_on_pages,
        is_film=evidence.film is not None,
        film=film_view(evidence, staff.film_edit, faces),
        sound=sound_view(home, evidence, staff),
    )


def _cover(
    home: Home,
    plan: CoverPlan | None,
    boxes: list[Box],
    evidence: Examined,
    numbers: Mapping[int, int],
) -> CoverView | None:
    if plan is None:
        return None
    covered = [boxes[index] for index in plan.faces]
    covered += [evidence.names[index].box for index in plan.names]
    known = heads_of(evidence)
    regions = (known.get(box) or head_of(box) for box in covered)
    heads = (clip(region, evidence.width, evidence.height) for region in regions)
    return CoverView(
        plan=plan,
        faces=tuple(sorted(numbers[index] for index in plan.faces)),
        heads=tuple(head for head in heads if head is not None),
        titles=tuple(home.settings.channels[name].title for name in plan.channels),
    )


def _names(home: Home, evidence: Examined, staff: StaffInput) -> tuple[NameView, ...]:
    numbers = {name.pupil for name in evidence.names if name.pupil}
    pupils = PupilEntry.objects.filter(admission_number__in=numbers)
    known = {choice.number: choice.name for choice in choices(home, pupils)} if numbers else {}
    return tuple(
        NameView(
            index,
            name.box,
            known.get(name.pupil or "", ""),
            is_hidden(name.box, evidence, staff),
            name.part is NamePart.UNREAD,
        )
        for index, name in enumerate(evidence.names)
    )


def _channels(
    home: Home, item: Item, verdicts: Mapping[str, Verdict], numbers: Mapping[int, int]
) -> tuple[ChannelView, ...]:
    decisions = {d.channel: d for d in item.decisions.all()}
    approvals = {a.channel: a for a in item.approvals.all() if not a.refused}
    states = {p.channel: p.state for p in item.publications.all() if p.state in OPEN}
    return tuple(
        ChannelView(
            name=name,
            title=channel.title,
            state=_state(decisions.get(name), states.get(name)),
            can_release=name in verdicts and not isinstance(verdicts[name], Hold),
            second_needed=channel.four_eyes
            and name in approvals
            and not approvals[name].second_person
            and states.get(name) is None,
            covered=tuple(sorted(numbers[i] for i in verdicts[name].covered))
            if name in verdicts
            else (),
        )
        for name, channel in home.settings.channels.items()
    )


def _state(decision: ChannelDecision | None, publication: str | None) -> str:
    if publication in IN_MANIFEST:
        return "published"
    if publication in PENDING:
        return "publishing"
    if decision is None or decision.verdict == ChannelStatus.RELEASED:
        return "held"
    return decision.verdict


def _blockers(
    home: Home, verdicts: Mapping[str, Verdict], numbers: Mapping[int, int]
) -> tuple[Blocker, ...]:
    """Each reason once, with its faces and the channels that it closes."""
    holds = {name: v for name, v in verdicts.items() if isinstance(v, Hold)}
    found = []
    for reason in dict.fromkeys(r for hold in holds.values() for r in hold.reasons):
        holding = {name: hold for name, hold in holds.items() if reason in hold.reasons}
        faces = {
            numbers[i] for hold in holding.values() for i, rs in hold.faces.items() if reason in rs
        }
        titles = (
            ()
            if len(holding) == len(verdicts)
            else tuple(home.settings.channels[name].title for name in holding)
        )
        label = LABELS[reason]
        found.append(Blocker(reason_message(reason), label, tuple(sorted(faces)), titles))
    return tuple(found)
