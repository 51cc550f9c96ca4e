"""Value types of the gate: evidence of a picture, the register, rules, staff input, verdicts.

All are frozen dataclasses or enumerations without a clock, files or a framework. A test can build
them by hand and compare them with ``==``.

Coordinates are pixels of the *upright* original (EXIF orientation applied), origin top left.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Reason(StrEnum):
    """Why a picture is held. The identifiers are a contract; ``messages`` has texts for staff."""

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
    ENROLMENT_UNCONFIRMED = "enrolment_unconfirmed"
    CONSENT_MISSING = "consent_missing"
    CONSENT_REFUSED = "consent_refused"
    CONSENT_EXPIRED = "consent_expired"
    BIOMETRIC_CONSENT_MISSING = "biometric_consent_missing"
    NEVER_PUBLISH = "never_publish"
    REGISTER_STALE = "register_stale"
    UNREGISTERED_DEVICE = "unregistered_device"
    VISIBLE_NAME = "visible_name"
    UNREAD_TEXT = "unread_text"
    TEXT_NOT_READ = "text_not_read"
    TOO_RECOGNISABLE = "too_recognisable"
    SEALED = "sealed"
    AWAITING_SECOND_PERSON = "awaiting_second_person"
    REFUSED_BY_STAFF = "refused_by_staff"
    SEEN_BEFORE = "seen_before"
    NOT_AT_EVENT = "not_at_event"
    EVENT_ROLL_UNCLEAR = "event_roll_unclear"
    NOT_LISTENED = "not_listened"


# --- evidence of a picture -----------------------------------------------------------------


FAR_SMALLER = 0.4
"""A face of less than this share of the height of a larger one is a face of its own, as of a child
before a poster: eyes and nose that a detector takes for a face are larger. See docs/adr/0003."""


@dataclass(frozen=True)
class Box:
    """A rectangle in whole pixels of the upright original."""

    x: int
    y: int
    width: int
    height: int

    def as_list(self) -> list[int]:
        """Return ``[x, y, width, height]``, the form of the contract."""
        return [self.x, self.y, self.width, self.height]

    def with_margin(self) -> Box:
        """Return the box with a margin that hides its contents; it may reach beyond the picture."""
        dx, dy = round(self.width * HEAD_MARGIN) + 1, round(self.height * HEAD_MARGIN) + 1
        return Box(self.x - dx, self.y - dy, self.width + 2 * dx, self.height + 2 * dy)

    @property
    def middle(self) -> tuple[float, float]:
        """The point (x, y) in the middle of the box."""
        return self.x + self.width / 2, self.y + self.height / 2

    def contains(self, point: tuple[float, float]) -> bool:
        """Whether the point (x, y) lies in the box or on its edge."""
        x, y = point
        return self.x <= x <= self.x + self.width and self.y <= y <= self.y + self.height

    def is_place_of(self, face: Box) -> bool:
        """Whether a face found here may be this face: its middle lies in the box, and it is not far
        smaller, as a child before a poster is."""
        return self.contains(face.middle) and face.height >= FAR_SMALLER * self.height

    def encloses(self, other: Box) -> bool:
        """Whether the other box lies wholly inside this one."""
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.x + other.width <= self.x + self.width
            and other.y + other.height <= self.y + self.height
        )

    def overlap(self, other: Box) -> float:
        """Return the intersection over union of the two boxes; 0 for empty ones."""
        across = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        down = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        shared = max(across, 0) * max(down, 0)
        whole = self.width * self.height + other.width * other.height - shared
        return shared / whole if whole > 0 else 0.0

    def is_apart_from(self, other: Box) -> bool:
        """Whether the two boxes have no pixel in common."""
        return (
            self.x + self.width <= other.x
            or other.x + other.width <= self.x
            or self.y + self.height <= other.y
            or other.y + other.height <= self.y
        )


HEAD_MARGIN = 0.15
"""Share of the width and height of a face or a readable name by which each side of its box is moved
outwards before it counts as cut away, or a name as covered. ``publish.rendering.heads`` covers
heads with more."""


class FaceKind(StrEnum):
    """Whether the detectors agree that a box is a face."""

    FACE = "face"
    POSSIBLE = "possible"


@dataclass(frozen=True)
class Match:
    """The enrolled pupil a face was matched to, well inside the threshold and the margin."""

    pupil: str
    """Admission number."""
    distance: float
    """1 minus the score with the average of the pupil's templates; smaller is more alike."""
    margin: float
    """How much larger the distance to the next pupil is."""


MINIMUM_ROLL = 10
"""A roll with fewer pupils counts as one of so many: a shorter list of names should not make the
comparison much less strict."""


@dataclass(frozen=True)
class NearMatch:
    """A face below the threshold for the whole school that is nearest to one pupil by the margin.

    It counts as a match only at an event of which the school named the pupils who were there.
    """

    pupil: str
    """Admission number of the nearest pupil of the whole school."""
    distance: float
    """As for ``Match``."""
    margin: float
    """As for ``Match``: the next pupil is looked for in the whole school."""
    roll_size: int
    """The largest number of pupils on a roll for whose threshold the score suffices."""


@dataclass(frozen=True)
class Unknown:
    """No enrolled pupil is close enough. The nearest pupil is never assumed."""


@dataclass(frozen=True)
class Ambiguous:
    """Several enrolled pupils are too close to tell apart."""

    pupils: tuple[str, ...]
    """Their admission numbers."""


@dataclass(frozen=True)
class NotMatched:
    """The face could not be compared. It can only hold the picture."""

    reason: Reason
    """``low_quality_face`` where the face is too unclear, ``not_examined`` after a failure."""
    detail: str = ""
    """One sentence for staff."""


Identity = Match | NearMatch | Unknown | Ambiguous | NotMatched


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
class Shown:
    """When and where a film shows a face. Times are seconds since the film's first frame."""

    from_s: float
    to_s: float
    """Time of the last frame that shows it."""
    best_s: float
    """Time of the frame to which ``FaceEvidence.box`` belongs."""
    path: tuple[tuple[float, int, int, int, int], ...] = ()
    """Time, x, y, width and height in pixels of the upright original, in the order of time. Between
    two entries the face moves on a line."""
    maybe_s: tuple[float, float] | None = None
    """Times between which frames may show the face although it was not found in them. They lie
    before ``from_s`` and after ``to_s`` by one judged frame or more. None where it is not known."""
    is_followed: bool = False
    """Whether the detector that searches every frame has seen it clearly, so that it can be
    covered."""

    def shares_moment_with(self, other: Shown) -> bool:
        """Whether both faces may be in one frame."""
        return self.from_s <= other.to_s and other.from_s <= self.to_s


@dataclass(frozen=True)
class FilmSpan:
    """A part of a film, in whole milliseconds since its first frame."""

    from_ms: int
    to_ms: int
    """The first millisecond behind it."""


@dataclass(frozen=True)
class FaceEvidence:
    """One face or possible face, and the identity that matching gave it.

    In a film it is one track: a face that was followed through the frames of one scene.
    """

    box: Box
    score: float
    """Detector confidence, 0-1."""
    kind: FaceKind
    identity: Identity
    quality: Quality | None = None
    shown: Shown | None = None
    """None in a picture."""
    in_rendition: bool = False
    """Whether it was found in the rendered picture, and not by the examination."""


@dataclass(frozen=True)
class Sound:
    """What was examined of a film's sound. The sound itself is not recorded."""

    sha256: str
    """SHA-256 of the decoded samples; empty where they could not be decoded completely. Sound
    without it is never published."""
    speech: tuple[FilmSpan, ...] | None
    """Where somebody may speak. None where nobody knows it: anywhere."""


@dataclass(frozen=True)
class Film:
    """What was examined of a film."""

    seconds: float
    frames: int
    """Frames that were judged. Only these are published."""
    frames_skipped: int
    """Frames that were decoded and left out, as they lie closer than a fortieth of a second."""
    ensemble_frames: int
    """Frames in which all detectors searched."""
    scenes: int
    streams: tuple[str, ...]
    """Kind and codec of each stream of the file, e.g. ``audio aac``. One video stream is used."""
    is_viewable: bool = False
    """Whether staff can see the film and a strip of its faces in the queue."""
    scene_starts: tuple[float, ...] = ()
    """Seconds at which each scene begins."""
    sound: Sound | None = None
    """None where the film has none, and where it was examined before there was a check of sound."""


class NamePart(StrEnum):
    """Which part of a pupil's name can be read."""

    FULL = "full"
    SURNAME = "surname"
    FORENAME = "forename"
    UNREAD = "unread"
    """Text near a face was found and could not be read, so it may be any part of a name."""


class TextCheck(StrEnum):
    """Whether the text in a picture was compared with the names of the pupils."""

    OFF = "off"
    """It was not looked for: a film, the setting, or an examination before there was the rule. It
    releases nothing in a channel that wants names to be looked for."""
    COMPARED = "compared"
    FAILED = "failed"
    """It can only hold the picture."""


@dataclass(frozen=True)
class VisibleName:
    """A pupil's name that can be read in a picture. The text itself is not kept."""

    box: Box
    pupil: str | None
    """Admission number; None where several pupils have this forename or surname, where the pupil
    was erased, and where the text could not be read."""
    part: NamePart
    """A forename or surname alone, or text that could not be read, is noted only near a face."""


@dataclass(frozen=True)
class Examined:
    """A picture or film that was examined completely."""

    width: int
    height: int
    """Width and height of the upright original in pixels."""
    pixels_sha256: str
    """SHA-256 of the examined RGB pixels; a rendition is made from these pixels only."""
    faces: tuple[FaceEvidence, ...]
    device: str | None = None
    """``make|model|serial`` of the camera; None where the metadata has no make and model."""
    templates_from: str = ""
    """Version of the models and thresholds that it was examined with."""
    film: Film | None = None
    """None for a picture."""
    text_check: TextCheck = TextCheck.OFF
    names: tuple[VisibleName, ...] = ()
    """Names of pupils who were on the register at the examination."""
    text_side: int = 0
    """Longer side, in pixels, up to which the text was read; 0 where none was looked for."""
    looked_for: tuple[NamePart, ...] = ()
    """What ``names`` would have if it could be seen; empty unless the text was compared."""


@dataclass(frozen=True)
class NotExamined:
    """A picture that could not be examined. It can only be held."""

    reason: Reason
    """``not_examined`` or ``unsupported_format``."""
    detail: str
    """One sentence for staff."""


Evidence = Examined | NotExamined


# --- the register of pupils ----------------------------------------------------------------


class Answer(StrEnum):
    """What the parents answered for one purpose. A blank answer is ``not_stated``, never yes."""

    GIVEN = "given"
    REFUSED = "refused"
    NOT_STATED = "not_stated"


@dataclass(frozen=True)
class Consent:
    """One answer for one purpose."""

    answer: Answer
    given_on: date | None = None
    """First day on which it counts; None where the export has no date."""
    expires_on: date | None = None
    """Last day on which it counts; None where it does not expire."""


def is_live(consent: Consent | None, today: date) -> bool:
    """Whether a consent counts today: it is given, has begun and has not expired.

    A consent still counts on its last day.
    """
    if consent is None or consent.answer is not Answer.GIVEN:
        return False
    if consent.given_on is not None and consent.given_on > today:
        return False
    return consent.expires_on is None or consent.expires_on >= today


BIOMETRIC = "biometric"
"""The purpose of face matching itself (Protection of Freedoms Act 2012 ss.26-28)."""


@dataclass(frozen=True)
class Pupil:
    """The facts about one pupil that the decision needs. It has no name and no date of birth."""

    admission_number: str
    consents: dict[str, Consent] = field(default_factory=dict)
    """By purpose. A missing purpose counts as ``not_stated``."""
    biometric_objection: bool = False
    """Whether a parent objected in writing, or the child at any age; it overrides every consent."""
    never_publish: bool = False
    on_roll: bool = True
    has_unenrolled_sibling: bool = False
    """Also true where a brother, sister or lookalike was erased since the last import."""
    enrolled_on: date | None = None
    """Date of the newest enrolment photo in force; None when the pupil has no template."""
    enrolment_confirmed: bool = False
    """Whether a person said that the enrolment photos in force show this pupil."""
    lookalikes: tuple[str, ...] = ()
    """Admission numbers of enrolled pupils whom the models confuse with this one."""
    unenrolled_siblings: frozenset[str] = frozenset()
    """Admission numbers of the brothers and sisters who make ``has_unenrolled_sibling`` true."""


@dataclass(frozen=True)
class Register:
    """The pupils, as of the date of an export."""

    pupils: dict[str, Pupil]
    """By admission number."""
    exported_on: date | None
    """Run date of the newest export that was applied; None before the first import."""
    suspended: frozenset[str] = frozenset()
    """Purposes whose consents disappeared in an import, probably by accident. Until a person
    confirms or corrects this, nothing new is released on them, and nothing is recalled for them."""
    never_published: frozenset[str] = frozenset()
    """Admission numbers of all pupils of the school marked "never publish", also of those who are
    not in ``pupils``, where that has only the pupils of one picture."""


# --- the rules a school has set ------------------------------------------------------------


class WhenNoFaces(StrEnum):
    """What a channel does with a picture in which no face was found."""

    HOLD = "hold"
    RELEASE = "release"


class VisibleNames(StrEnum):
    """Which names in a picture hold it. A single name counts only near a face."""

    OFF = "off"
    FULL = "full"
    SURNAME = "surname"
    """Full names and surnames."""
    ANY = "any"
    """Full names, surnames and forenames."""

    @property
    def parts(self) -> frozenset[NamePart]:
        """The parts of a name that hold a picture."""
        return frozenset(
            {
                VisibleNames.OFF: set[NamePart](),
                VisibleNames.FULL: {NamePart.FULL},
                VisibleNames.SURNAME: {NamePart.FULL, NamePart.SURNAME},
                VisibleNames.ANY: {NamePart.FULL, NamePart.SURNAME, NamePart.FORENAME},
            }[self]
        )


class Facing(StrEnum):
    """Which faces a channel shows."""

    ANY = "any"
    NOT_FACE_ON = "not_face_on"
    """Only faces that are turned away from the camera."""


class LargeFaces(StrEnum):
    """What a channel does with a picture in which a face is too large."""

    HOLD = "hold"
    SMALLER = "smaller"
    """Publish the picture so small that no face is."""


Colour = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

COVER_GREY: Colour = (96, 96, 96)
"""Colour of covers, where the school chose none."""


class CoverStyle(StrEnum):
    """What covered heads and texts look like. No style shows anything of what it covers."""

    GREY = "grey"
    COLOUR = "colour"
    """One colour, which the school chooses."""
    CELLS = "cells"
    """Large square cells in the colours around the cover."""


class Uncleared(StrEnum):
    """What a channel does with a picture in which somebody is not cleared."""

    HOLD = "hold"
    COVER = "cover"
    """Publish the picture with these heads covered."""


class FilmSound(StrEnum):
    """Whether a channel publishes the sound of films."""

    OFF = "off"
    """Films are silent."""
    REVIEWED = "reviewed"
    """With sound, once a person has listened to every part in which somebody may speak."""


class DeviceRule(StrEnum):
    """What happens to a picture from an unregistered camera."""

    HOLD = "hold"
    WARN = "warn"
    OFF = "off"


class SiblingGuard(StrEnum):
    """Which brothers and sisters without an enrolment photo hold a picture."""

    SCHOOL = "school"
    """All who are on roll."""
    ROLL = "roll"
    """At an event with named pupils, only those who were there."""


def is_camera(entry: str) -> bool:
    """Whether ``entry`` is a valid entry of the camera register: ``make|model|serial``.

    The serial may be empty, the model may not: some makers of cameras also make phones.
    """
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
    """Longest side of the published rendition in pixels."""
    unrecognisable_below_px: int = 0
    """Faces smaller than this in the published rendition, in pixels, do not hold the picture as
    too unclear or unknown. 0, the default, means that every face counts."""
    four_eyes: bool = False
    """Whether a release by staff needs a second person."""
    visible_names: VisibleNames = VisibleNames.FULL
    """Which names of pupils in a picture hold it."""
    unread_text: bool = False
    """Whether text near a face that cannot be read holds the picture."""
    largest_face_px: int = 0
    """Longer side of the largest face that may be published, in pixels of the rendition; 0: any."""
    large_faces: LargeFaces = LargeFaces.HOLD
    """What happens to a picture with a larger face."""
    facing: Facing = Facing.ANY
    """Which faces may be published."""
    uncleared: Uncleared = Uncleared.HOLD
    """What happens to a picture with faces that are not cleared."""
    film_sound: FilmSound = FilmSound.OFF
    """Whether films are published with sound."""

    @property
    def text_marks(self) -> frozenset[NamePart]:
        """What has to be looked for in the text of a picture."""
        unread = {NamePart.UNREAD} if self.unread_text else set()
        return self.visible_names.parts | unread


@dataclass(frozen=True)
class Rules:
    """All settings that ``policy.decide`` depends on."""

    channels: tuple[ChannelRules, ...]
    register_max_age_days: int = 130
    enrolment_max_age_days: int = 548
    """18 months."""
    devices: DeviceRule = DeviceRule.HOLD
    registered_devices: frozenset[str] = frozenset()
    """``make|model|serial``. An empty serial stands for every camera of the model. An empty
    register switches the camera rule off."""
    sibling_guard: SiblingGuard = SiblingGuard.SCHOOL


# --- staff input ---------------------------------------------------------------------------


class TagKind(StrEnum):
    """What a member of staff said about one face in one picture."""

    PUPIL = "pupil"
    ADULT_WITH_AGREEMENT = "adult_with_agreement"
    NOT_A_FACE = "not_a_face"
    BLURRED = "blurred"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True)
class Tag:
    """A statement by staff about one face of one picture. It applies to no other picture."""

    kind: TagKind
    pupil: str | None = None
    """Admission number, for ``pupil``."""
    basis: str = ""
    """Why an adult or visitor may be shown, in the reviewer's words."""


@dataclass(frozen=True)
class Approval:
    """A signed request by staff to release a picture to one channel."""

    actor: str
    """Account name."""
    basis: str
    """Why it may be released, in the reviewer's words."""
    second_person: str | None = None
    """Account name of the colleague who approved it too."""


@dataclass(frozen=True)
class FilmEdit:
    """How staff cut a film."""

    kept: tuple[FilmSpan, ...]
    """The parts that stay, in the order of time."""
    frames_sha256: str
    """``Examined.pixels_sha256`` of the film that they saw. The edit is for no other film."""


@dataclass(frozen=True)
class SoundReview:
    """What staff said about the sound of a film."""

    frames_sha256: str
    """``Examined.pixels_sha256`` of the film that they saw. Of other frames nothing was heard."""
    sound_sha256: str
    """``Sound.sha256`` of what they heard. Of another sound nothing was heard."""
    is_off: bool = False
    """Whether the film is published without sound."""
    heard: tuple[FilmSpan, ...] = ()
    """Parts to which a person listened."""
    muted: tuple[FilmSpan, ...] = ()
    """Parts that are silent in the published film."""


@dataclass(frozen=True)
class KeptSound:
    """The sound with which a film is published."""

    sha256: str
    """``Sound.sha256`` of the original's sound."""
    muted: tuple[FilmSpan, ...] = ()
    """Parts of the original that are silent."""


@dataclass(frozen=True)
class StaffInput:
    """Everything that staff said about one picture. It is kept apart from the evidence."""

    tags: dict[int, Tag] = field(default_factory=dict)
    """By index of the face: first ``Examined.faces``, then ``added_faces``."""
    added_faces: tuple[Box, ...] = ()
    """Boxes that staff drew around faces that the detectors missed."""
    approvals: dict[str, Approval] = field(default_factory=dict)
    """By channel."""
    refused: frozenset[str] = frozenset()
    """Channels to which staff refuse the picture."""
    crop: Box | None = None
    """The part to publish, in pixels of the upright original; None means the whole picture."""
    film_edit: FilmEdit | None = None
    """None means the whole film."""
    sound_review: SoundReview | None = None
    """None where nobody said anything about the sound of the film."""
    sealed: bool = False
    roster: frozenset[str] | None = None
    """The roll of the event: admission numbers of the pupils who were there, as staff named them.
    The machine alone clears no other pupil. None where nobody was named."""
    roll_threshold: bool = False
    """Whether a face may be matched at the threshold for as many pupils as are on the roll."""
    roll_is_whole: bool = False
    """Whether every pupil marked "never publish" who may have been at the event is on the roll: no
    restore repeated it, and no such pupil is in one of its classes and not on it."""
    roll_unclear: bool = False
    """Whether the school named classes or pupils for the event that are not on the register."""
    seen_before: frozenset[str] = frozenset()
    """Channels from which a person refused or recalled an earlier copy of this picture."""
    shows_sealed: bool = False
    """Whether it may show a sealed picture in part, on a screen or tilted."""


# --- verdicts ------------------------------------------------------------------------------


@dataclass(frozen=True)
class FaceBasis:
    """Why one person may be shown in a channel."""

    face: int
    """Index of the face, as in ``StaffInput.tags``."""
    basis: str
    """``consent`` (machine match), ``tagged`` (staff named the pupil), ``agreement``,
    ``not_a_face``, ``blurred`` (covered by staff), ``covered`` (by the gate), ``cut_away`` (outside
    the crop, or only in parts of a film that are cut out) or ``unrecognisable``."""
    pupil: str | None = None


@dataclass(frozen=True)
class Release:
    """Everyone shown is cleared for the channel."""

    basis: tuple[FaceBasis, ...]
    approved_by: str | None = None
    """Account name, where the machine alone would have held the picture; else None."""
    covered: dict[int, tuple[Reason, ...]] = field(default_factory=dict)
    """Faces that the gate has to cover, by index, each with the reasons why it is not cleared."""


@dataclass(frozen=True)
class Hold:
    """The picture is not released. ``reasons`` is never empty."""

    reasons: tuple[Reason, ...]
    faces: dict[int, tuple[Reason, ...]] = field(default_factory=dict)
    """Reasons of each face that is held, by its index."""
    covered: dict[int, tuple[Reason, ...]] = field(default_factory=dict)
    """As for ``Release``. These faces would not hold the picture, as the gate would cover them."""

    def __post_init__(self) -> None:
        if not self.reasons:
            raise ValueError("a hold states at least one reason")


Verdict = Release | Hold
