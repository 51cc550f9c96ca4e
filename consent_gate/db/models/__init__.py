"""All tables of the gate."""

from consent_gate.db.models.accounts import Role, User
from consent_gate.db.models.archive import Archive, ScreenedPicture
from consent_gate.db.models.audit import AuditEntry
from consent_gate.db.models.cameras import Camera
from consent_gate.db.models.items import (
    ChannelDecision,
    Item,
    ItemState,
    Priority,
    Shown,
    Sighting,
    StaffApproval,
    StaffTag,
    VerdictWord,
)
from consent_gate.db.models.matching import EventClasses, ThresholdSet
from consent_gate.db.models.never_publish import MarkLift
from consent_gate.db.models.notes import ReviewNote
from consent_gate.db.models.publications import (
    ChannelState,
    Confirmation,
    FeedRead,
    FeedToken,
    Publication,
    PublicationState,
)
from consent_gate.db.models.register import (
    ConsentAnswer,
    EnrolmentPhoto,
    ImportRun,
    Lookalike,
    Notice,
    Portrait,
    PupilChange,
    PupilEntry,
    SuspendedPurpose,
    Template,
)
from consent_gate.db.models.restores import Restore
from consent_gate.db.models.sealed import SealedExport

__all__ = [
    "Archive",
    "AuditEntry",
    "Camera",
    "ChannelDecision",
    "ChannelState",
    "Confirmation",
    "ConsentAnswer",
    "EnrolmentPhoto",
    "EventClasses",
    "FeedRead",
    "FeedToken",
    "ImportRun",
    "Item",
    "ItemState",
    "Lookalike",
    "MarkLift",
    "Notice",
    "Portrait",
    "Priority",
    "Publication",
    "PublicationState",
    "PupilChange",
    "PupilEntry",
    "Restore",
    "ReviewNote",
    "Role",
    "ScreenedPicture",
    "SealedExport",
    "Shown",
    "Sighting",
    "StaffApproval",
    "StaffTag",
    "SuspendedPurpose",
    "Template",
    "ThresholdSet",
    "User",
    "VerdictWord",
]
