"""Types for the meaning of a column or a consent type, and for the school's purposes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from consent_gate.model import BIOMETRIC


class Role(StrEnum):
    """What a column or a consent type is for. The mapping file uses these names."""

    ADMISSION_NUMBER = "admission_number"
    UPN = "upn"
    FORENAME = "forename"
    SURNAME = "surname"
    PREFERRED_FORENAME = "preferred_forename"
    PREFERRED_SURNAME = "preferred_surname"
    DISPLAY_NAME = "display_name"
    REG_GROUP = "reg_group"
    YEAR = "year"
    DATE_OF_BIRTH = "date_of_birth"
    FAMILY = "family"
    ADDRESS = "address"
    LEFT_ON = "left_on"
    LEAVER = "leaver"
    """Any text but a blank or a plain no means that the pupil has left."""
    ROLL_STATUS = "roll_status"
    """Says in words whether the pupil is on roll."""
    SCHOOL = "school"
    """More than one value means that the export holds several schools."""
    NOTE = "note"
    """Free text beside a consent. It grants nothing. Text that may mean no is asked about."""
    CONSENT = "consent"
    """A yes is a yes for the named purposes."""
    REFUSAL = "refusal"
    """Any text but a blank or a plain no is a refusal of the named purposes."""
    GIVEN_ON = "given_on"
    EXPIRES_ON = "expires_on"
    OBJECTION = "objection"
    """A parent's or the child's objection to face matching."""
    NEVER_PUBLISH = "never_publish"
    CONSENT_LIST = "consent_list"
    """One cell holds the types that were given."""
    CONSENT_TYPE = "consent_type"
    """The consent type, in an export with one row per pupil and type."""
    CONSENT_ANSWER = "consent_answer"
    """The answer, in an export with one row per pupil and type."""
    GENERAL = "general"
    """About consent but no purpose. Its cells decide the role; otherwise a person is asked."""
    UNCLEAR = "unclear"
    """About consent, in unknown words. A person is asked; until then it counts as not stated."""
    UNKNOWN = "unknown"
    """An unknown caption. It is asked about if its cells may mean no."""
    IGNORE = "ignore"


@dataclass(frozen=True)
class Meaning:
    """A role and the purposes it is for."""

    role: Role
    purposes: tuple[str, ...] = ()
    """For a refusal or a date, empty means every consent of the row, ``biometric`` included. In a
    row with one consent type it means only that type."""

    def __str__(self) -> str:
        """As written in the mapping file: ``consent:website+mag``."""
        return f"{self.role}:{'+'.join(self.purposes)}" if self.purposes else str(self.role)


@dataclass(frozen=True)
class Purpose:
    """A use of pictures for which parents are asked for consent."""

    name: str
    """The name in the settings, for example ``website``."""
    aliases: tuple[str, ...] = ()
    """The school's own words for it, such as a magazine's title, beside the built-in ones."""
    title: str = ""
    """The name that staff see; empty means ``name``."""


@dataclass(frozen=True)
class Vocabulary:
    """The purposes of the school's channels. ``biometric`` is always known too."""

    purposes: tuple[Purpose, ...]
    school: str = ""
    """The school's name in the settings."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the channel purposes, without ``biometric``."""
        return tuple(purpose.name for purpose in self.purposes)


DEFAULT_VOCABULARY = Vocabulary(
    (
        Purpose("website"),
        Purpose("mag", ("Millfields Mag", "Millfields Magazine")),
        Purpose("displays"),
    )
)
"""The three purposes on the Millfields form (docs/domain.md)."""


def parse_meaning(text: str, vocabulary: Vocabulary) -> Meaning | None:
    """Parse a meaning as written in a mapping file. None if it is invalid."""
    role, _, rest = text.strip().partition(":")
    purposes = tuple(part for part in rest.split("+") if part)
    if role not in set(Role) or not set(purposes) <= {*vocabulary.names, BIOMETRIC}:
        return None
    if Role(role) is Role.CONSENT and not purposes:
        return None
    return Meaning(Role(role), purposes)
