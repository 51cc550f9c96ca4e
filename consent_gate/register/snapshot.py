"""The register as plain values, which ``load_snapshot`` reads and the import compares."""

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
"""Text fields of a pupil that both the register and an export have."""


@dataclass(frozen=True)
class RegisterPupil:
    """One pupil as stored. Unknown text fields are empty."""

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
    """Digest of surname and address (``values.address_key``); the address is not stored."""
    consents: dict[str, Consent] = field(default_factory=dict)
    """By purpose, ``biometric`` included."""
    biometric_objection: bool = False
    never_publish: bool = False
    lift_asked: bool = False
    """Somebody asked to lift the never-publish mark, and nobody has confirmed it yet."""
    on_roll: bool = True


@dataclass(frozen=True)
class RegisterSnapshot:
    """The whole register, with leavers who are not yet erased."""

    pupils: dict[str, RegisterPupil] = field(default_factory=dict)
    """By admission number."""
    exported_on: date | None = None
    """Run date of the newest export; the day of the import if the export had none."""
    suspended: frozenset[str] = frozenset()
    """Purposes that an earlier import suspended and that nobody has confirmed or corrected yet."""

    @property
    def on_roll(self) -> dict[str, RegisterPupil]:
        """Pupils who have not left, by admission number."""
        return {number: pupil for number, pupil in self.pupils.items() if pupil.on_roll}
