"""The words of the gate: what was seen in a picture, who is on the register, what was decided.

Plain frozen values. No clock, no files, no framework: everything here can be built by hand in
a test and compared with ``==``.

Coordinates are pixels of the *upright* original (EXIF orientation applied), origin top left.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Reason(StrEnum):
    """Why a picture is held. The identifiers are a contract; sentences are in ``wording``."""

    NOT_EXAMINED = "not_examined"
    UNSUPPORTED_FORMAT = "unsupported_format"
    NO_FACES_FOUND = "no_faces_found"
    UNKNOWN_FACE = "unknown_face"
    AMBIGUOUS_MATCH = "ambiguous_match"
    LOW_QUALITY_FACE = "low_quality_face"
    POSSIBLE_FACE = "possible_face"
    SAME_PUPIL_TWICE = "same_pupil_twice"
    SIBLING_GUARD = "sibling_guard"
    ENROLMENT_TOO_OLD = "enrolment_too_old"
    CONSENT_MISSING = "consent_missing"
    CONSENT_REFUSED = "consent_refused"
    CONSENT_EXPIRED = "consent_expired"
    BIOMETRIC_CONSENT_MISSING = "biometric_consent_missing"
    NEVER_PUBLISH = "never_publish"
    REGISTER_STALE = "register_stale"
    UNREGISTERED_DEVICE = "unregistered_device"
    VISIBLE_NAME = "visible_name"
    SEALED = "sealed"
    AWAITING_SECOND_PERSON = "awaiting_second_person"
    REFUSED_BY_STAFF = "refused_by_staff"


# --- what was seen -------------------------------------------------------------------------


@dataclass(frozen=True)
class Box:
    """A rectangle in whole pixels of the upright original."""

    x: int
    y: int
    width: int
    height: int

    def as_list(self) -> list[int]:
        """The contract's form: ``[x, y, width, height]``."""
        return [self.x, self.y, self.width, self.height]

    def with_margin(self) -> Box:
        """The whole head around a face's box; may reach beyond the picture."""
        dx, dy = round(self.width * HEAD_MARGIN) + 1, round(self.height * HEAD_MARGIN) + 1
        return Box(self.x - dx, self.y - dy, self.width + 2 * dx, self.height + 2 * dy)

    def is_apart_from(self, other: Box) -> bool:
        """Whether the two have no pixel in common."""
        return (
            self.x + self.width <= other.x
            or other.x + other.width <= self.x
            or self.y + self.height <= other.y
            or other.y + other.height <= self.y
        )


HEAD_MARGIN = 0.15
"""Each side of a face's box is moved outwards by this share of its width or height, where a head
is covered or cut away: boxes end at brow and chin, and hair, ears and a name badge's edge are
recognisable too."""


class FaceKind(StrEnum):
    """Whether the detectors agree that this is a face."""

    FACE = "face"
    POSSIBLE = "possible"


@dataclass(frozen=True)
class Match:
    """The enrolled pupil a face was matched to, well inside the threshold and the margin."""

    pupil: str
    """Admission number."""
    distance: float
    """Fused distance to the pupil's nearest template; smaller is more alike."""
    margin: float
    """How much farther the next pupil is."""


@dataclass(frozen=True)
class Unknown:
    """Nobody enrolled is close enough. A first-class answer: never the nearest by default."""


@dataclass(frozen=True)
class Ambiguous:
    """Several enrolled pupils are too close to tell apart."""

    pupils: tuple[str, ...]


@dataclass(frozen=True)
class NotMatched:
    """The face could not be compared. Can only hold."""

    reason: Reason
    """``low_quality_face`` where the picture is too poor, ``not_examined`` where we failed."""
    detail: str = ""


Identity = Match | Unknown | Ambiguous | NotMatched


@dataclass(frozen=True)
class Quality:
    """Measurements of one face, each with its unit; see ``ingest/faces/quality.py``."""

    height_px: int
    """Box height in pixels of the original."""
    sharpness: float
    """Variance of the Laplacian of the aligned 112x112 crop."""
    yaw: float
    """Nose offset from the eyes' midpoint in eye distances; 0 frontal, about 0.5 at 45 degrees."""
    brightness: float
    """Mean luma of the aligned crop, 0-255."""
    contrast: float
    """Standard deviation of the luma of the aligned crop."""
    mirror_agreement: float
    """Cosine similarity of the embeddings of the crop and its mirror image."""


@dataclass(frozen=True)
class FaceEvidence:
    """One face, or possible face, and what the machine makes of it."""

    box: Box
    score: float
    """Detector confidence, 0-1."""
    kind: FaceKind
    identity: Identity
    quality: Quality | None = None


@dataclass(frozen=True)
class Examined:
    """A picture whose every pixel was looked at."""

    width: int
    height: int
    pixels_sha256: str
    """SHA-256 of the judged RGB pixels: what is published is checked against it."""
    faces: tuple[FaceEvidence, ...]
    device: str | None = None
    """Camera make, model and serial as ``make|model|serial``, when the file tells."""
    templates_from: str = ""
    """Version of the models and thresholds that judged it."""


@dataclass(frozen=True)
class NotExamined:
    """A picture that could not be examined. Can only hold."""

    reason: Reason
    """``not_examined`` or ``unsupported_format``."""
    detail: str
    """One plain sentence for staff."""


Evidence = Examined | NotExamined


# --- who is on the register ----------------------------------------------------------------


class Answer(StrEnum):
    """What the parents answered for one purpose. Blank is never yes."""

    GIVEN = "given"
    REFUSED = "refused"
    NOT_STATED = "not_stated"


@dataclass(frozen=True)
class Consent:
    """One answer for one purpose."""

    answer: Answer
    given_on: date | None = None
    expires_on: date | None = None


def is_live(consent: Consent | None, today: date) -> bool:
    """Whether a consent counts today: given, begun and not expired. It holds on its last day."""
    if consent is None or consent.answer is not Answer.GIVEN:
        return False
    if consent.given_on is not None and consent.given_on > today:
        return False
    return consent.expires_on is None or consent.expires_on >= today


BIOMETRIC = "biometric"
"""The purpose of face matching itself (Protection of Freedoms Act 2012 ss.26-28)."""


@dataclass(frozen=True)
class Pupil:
    """What the decision needs to know of one pupil; no name, no date of birth."""

    admission_number: str
    consents: dict[str, Consent] = field(default_factory=dict)
    """By purpose. A purpose that is absent was never stated."""
    biometric_objection: bool = False
    """A parent's written objection or the child's own, at any age, beats every consent."""
    never_publish: bool = False
    on_roll: bool = True
    has_unenrolled_sibling: bool = False
    enrolled_on: date | None = None
    """Date of the newest enrolment photo; None when the pupil has no template."""
    lookalikes: tuple[str, ...] = ()
    """Admission numbers of enrolled pupils whom the models confuse with this one."""


@dataclass(frozen=True)
class Register:
    """The pupils, as of an export's date."""

    pupils: dict[str, Pupil]
    exported_on: date | None
    """Run date of the newest export that was applied; None before the first import."""
    suspended: frozenset[str] = frozenset()
    """Purposes that vanished from an import in a way that looks like an accident: nothing new
    goes out on them, nothing live is recalled for them, until a person says which it was."""


# --- what the school has set ---------------------------------------------------------------


class WhenNoFaces(StrEnum):
    """What a channel does with a picture in which no face was found."""

    HOLD = "hold"
    RELEASE = "release"


class DeviceRule(StrEnum):
    """What an unregistered camera means."""

    HOLD = "hold"
    WARN = "warn"
    OFF = "off"


def is_camera(entry: str) -> bool:
    """Whether a text can stand in the register of cameras: ``make|model|serial``, the serial may
    be empty. A make alone would let the phones of a maker of cameras in."""
    parts = [part.strip() for part in entry.split("|")]
    return len(parts) == 3 and all(parts[:2])


@dataclass(frozen=True)
class ChannelRules:
    """The rules of one channel."""

    name: str
    purpose: str
    """Consent type that must be given by everyone shown."""
    when_no_faces: WhenNoFaces = WhenNoFaces.HOLD
    max_side: int = 1600
    """Long side of the published rendition in pixels."""
    unrecognisable_below_px: int = 0
    """Faces lower than this *in the published rendition* are not held as too poor to judge or
    unknown; 0 (the default) means every face counts."""
    four_eyes: bool = False
    """A staff release needs a second person."""


@dataclass(frozen=True)
class Rules:
    """Everything configurable that ``decide`` depends on."""

    channels: tuple[ChannelRules, ...]
    register_max_age_days: int = 130
    enrolment_max_age_days: int = 548
    """18 months."""
    devices: DeviceRule = DeviceRule.HOLD
    registered_devices: frozenset[str] = frozenset()
    """``make|model|serial``, where an empty serial stands for every camera of the model; an empty
    register switches the camera rule off."""


# --- what staff said -----------------------------------------------------------------------


class TagKind(StrEnum):
    """What a member of staff says of one face in one picture."""

    PUPIL = "pupil"
    ADULT_WITH_AGREEMENT = "adult_with_agreement"
    NOT_A_FACE = "not_a_face"
    BLURRED = "blurred"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True)
class Tag:
    """A statement about one face of one picture. It speaks for nothing else."""

    kind: TagKind
    pupil: str | None = None
    """Admission number, for ``pupil``."""
    basis: str = ""
    """Why an adult or visitor may be shown, in the reviewer's words."""


@dataclass(frozen=True)
class Approval:
    """A member of staff asks for release to one channel, saying on what basis."""

    actor: str
    basis: str
    second_person: str | None = None


@dataclass(frozen=True)
class StaffInput:
    """All that staff have said of one picture; separate from the evidence, never merged."""

    tags: dict[int, Tag] = field(default_factory=dict)
    """By index into ``Examined.faces``, then on into ``added_faces``."""
    added_faces: tuple[Box, ...] = ()
    """Faces that staff drew because the machine missed them."""
    approvals: dict[str, Approval] = field(default_factory=dict)
    """By channel."""
    refused: frozenset[str] = frozenset()
    """Channels to which staff refuse the picture."""
    crop: Box | None = None
    """The part that is published, in pixels of the upright original; None: all of it."""
    sealed: bool = False
    roster: frozenset[str] | None = None
    """Admission numbers of the classes staff named for the event: nobody else can be cleared by
    the machine. None when no class was named."""


# --- what was decided ----------------------------------------------------------------------


@dataclass(frozen=True)
class FaceBasis:
    """Why one person may be shown in this channel."""

    face: int
    """Index of the face."""
    basis: str
    """``consent`` (machine match), ``tagged`` (staff named the pupil), ``agreement``,
    ``not_a_face``, ``blurred``, ``cut_away`` (outside the crop) or ``unrecognisable``."""
    pupil: str | None = None


@dataclass(frozen=True)
class Release:
    """Everyone shown is cleared for this channel."""

    basis: tuple[FaceBasis, ...]
    approved_by: str | None = None
    """Staff member, where the machine alone would have held it."""


@dataclass(frozen=True)
class Hold:
    """Not released. ``reasons`` is never empty."""

    reasons: tuple[Reason, ...]
    faces: dict[int, tuple[Reason, ...]] = field(default_factory=dict)
    """Which face is held for what, by index."""

    def __post_init__(self) -> None:
        if not self.reasons:
            raise ValueError("a hold states at least one reason")


Verdict = Release | Hold
