"""The models of the gate: all its database tables."""

from consent_gate.db.models.accounts import LogInAttempt, Role, User
from consent_gate.db.models.archive import Archive, ScreenedPicture
from consent_gate.db.models.audit import AuditEntry
from consent_gate.db.models.cameras import Camera
from consent_gate.db.models.closed import ClosedPicture, SeenBefore
from consent_gate.db.models.items import (
    ChannelDecision,
    InboxSighting,
    Item,
    ItemState,
    Priority,
    PupilInItem,
    StaffApproval,
    StaffTag,
)
from consent_gate.db.models.matching import EventClasses, EventPupil, ThresholdSet
from consent_gate.db.models.never_publish import NeverPublishLift
from consent_gate.db.models.notes import ReviewNote
from consent_gate.db.models.publications import (
    Album,
    ChannelState,
    Confirmation,
    FeedDownload,
    FeedToken,
    Publication,
)
from consent_gate.db.models.register import (
    ConsentAnswer,
    EnrolmentPhoto,
    ImportRun,
    Lookalike,
    Portrait,
    PupilChange,
    PupilEntry,
    SentReminder,
    SuspendedPurpose,
    Template,
)
from consent_gate.db.models.remembered import FaceToRemember
from consent_gate.db.models.restores import Restore
from consent_gate.db.models.sealed import SealedExport
from consent_gate.publication import ChannelStatus, PublicationState

__all__ = [
    "Album",
    "Archive",
    "AuditEntry",
    "Camera",
    "ChannelDecision",
    "ChannelState",
    "ChannelStatus",
    "ClosedPicture",
    "Confirmation",
    "ConsentAnswer",
    "EnrolmentPhoto",
    "EventClasses",
    "EventPupil",
    "FaceToRemember",
    "FeedDownload",
    "FeedToken",
    "ImportRun",
    "InboxSighting",
    "Item",
    "ItemState",
    "LogInAttempt",
    "Lookalike",
    "NeverPublishLift",
    "Portrait",
    "Priority",
    "Publication",
    "PublicationState",
    "PupilChange",
    "PupilEntry",
    "PupilInItem",
    "Restore",
    "ReviewNote",
    "Role",
    "ScreenedPicture",
    "SealedExport",
    "SeenBefore",
    "SentReminder",
    "StaffApproval",
    "StaffTag",
    "SuspendedPurpose",
    "Template",
    "ThresholdSet",
    "User",
]
