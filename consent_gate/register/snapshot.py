"""The register as plain values: what ``load_snapshot`` reads and ``reconcile`` compares."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from consent_gate.model import Consent

TEXT_FIELDS = (
    "upn",
    "forename",
    "surname",
    "preferred_forename",
    "preferred_surname",
    "reg_group",
    "year",
    "family_key",
    "address_key",
)
"""What the register and an export say of a pupil in plain text."""


@dataclass(frozen=True)
class RegisterPupil:
    """One pupil as stored. Text fields are empty where nothing is known."""

    admission_number: str
    upn: str = ""
    forename: str = ""
    surname: str = ""
    preferred_forename: str = ""
    preferred_surname: str = ""
    reg_group: str = ""
    year: str = ""
    """``Year 5``; ``Reception`` and the like as exported."""
    date_of_birth: date | None = None
    family_key: str = ""
    """The record system's sibling or family key."""
    address_key: str = ""
    """Digest of surname and address (``values.address_key``); the address itself isn't kept."""
    consents: dict[str, Consent] = field(default_factory=dict)
    """By purpose, ``biometric`` included."""
    biometric_objection: bool = False
    never_publish: bool = False
    lift_asked: bool = False
    """Somebody asked for the never-publish mark to be lifted; nobody has confirmed it yet."""
    on_roll: bool = True


@dataclass(frozen=True)
class RegisterSnapshot:
    """The whole register, leavers not yet erased included."""

    pupils: dict[str, RegisterPupil] = field(default_factory=dict)
    """By admission number."""
    exported_on: date | None = None
    """Run date of the newest export applied; the day of the import where that had none."""
    suspended: frozenset[str] = frozenset()
    """Purposes suspended by an earlier import that nobody has settled yet."""

    @property
    def on_roll(self) -> dict[str, RegisterPupil]:
        """Pupils who have not left, by admission number."""
        return {number: pupil for number, pupil in self.pupils.items() if pupil.on_roll}
