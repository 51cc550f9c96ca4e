"""Compares the register with what an export says, and lists the changes.

Pure: (register, roster, rules, today) -> plan. ``planning.import_blocks`` decides whether the plan
may be applied. Rules of the comparison:

- a blank or missing field erases nothing, but a blank *consent* withdraws a given one;
- a blank does not erase a refusal, because a tick box has no "refused" state;
- a purpose that the export does not mention is planned as withdrawn for everybody, so that
  accepting the block does what its message says;
- a pupil who returns has given only the consents in this export;
- a never-publish mark that the export no longer has stays until two people agree to lift it;
- a new admission number with a known UPN is the same pupil, unless it looks like another child;
- a known admission number with another child is a new start: nothing of the first child counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from consent_gate.messages import purpose_title
from consent_gate.model import BIOMETRIC, Answer, Consent, is_live
from consent_gate.register.snapshot import TEXT_FIELDS, RegisterPupil, RegisterSnapshot
from sims_import.matching import (
    Matched,
    differs,
    match_records,
    other_child,
    shared_upns,
    with_replaced,
)
from sims_import.roster.records import PupilRecord, Roster


class ChangeKind(StrEnum):
    """Kinds of change to a pupil."""

    ADDED = "added"
    """A new pupil, with identity only. The pupil's consents are separate changes."""
    READMITTED = "readmitted"
    RENUMBERED = "renumbered"
    """A new admission number for the same pupil; ``before`` is the old number."""
    REPLACED = "replaced"
    """The admission number was given to another child: nothing of the first one counts any more."""
    FIELD = "field"
    GRANTED = "granted"
    REDATED = "redated"
    """A consent that stays given, with new dates but no earlier expiry."""
    SHORTENED = "shortened"
    """A consent that stays given but now expires earlier."""
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    """Given, but its expiry date has passed."""
    REFUSED = "refused"
    """A refusal where nothing was stated before."""
    OBJECTED = "objected"
    OBJECTION_LIFTED = "objection_lifted"
    MARKED = "marked"
    """A new never-publish mark."""
    LIFT_ASKED = "lift_asked"
    """The export has no never-publish mark any more. The mark stays until two people agree."""
    LIFT_ENDED = "lift_ended"
    """The export has the mark again, so the request to lift it ends."""
    LEFT = "left"


TIGHTENING = frozenset(
    {
        ChangeKind.WITHDRAWN,
        ChangeKind.EXPIRED,
        ChangeKind.SHORTENED,
        ChangeKind.REFUSED,
        ChangeKind.OBJECTED,
        ChangeKind.MARKED,
        ChangeKind.LIFT_ENDED,
        ChangeKind.LEFT,
    }
)
"""Kinds of change that can only hold pictures. No block defers a few of them."""

_LOSES = frozenset({ChangeKind.WITHDRAWN, ChangeKind.EXPIRED, ChangeKind.REFUSED})

Value = str | bool | date | Consent | None


@dataclass(frozen=True)
class Change:
    """One change to one pupil."""

    pupil: str
    """Admission number after the import."""
    kind: ChangeKind
    subject: str = ""
    """The field for ``field``, the purpose for consents."""
    before: Value = None
    after: Value = None


@dataclass(frozen=True)
class ImportRules:
    """What the comparison and the blocks depend on."""

    channels: tuple[str, ...] = ("website", "mag", "displays")
    """Channel purposes, as in the settings."""
    share: float = 0.10
    """Share of the pupils on roll beyond which a change looks like an accident (ADR 5)."""
    titles: Mapping[str, str] = field(default_factory=dict)
    """What staff call each purpose, where they call it something else."""

    def title_of(self, purpose: str) -> str:
        """What staff call a purpose."""
        return purpose_title(purpose, self.titles)

    @property
    def purposes(self) -> tuple[str, ...]:
        """Channel purposes and ``biometric``."""
        return (*self.channels, BIOMETRIC)


@dataclass(frozen=True)
class Plan:
    """Everything an import would change, in an order in which it can be applied."""

    changes: tuple[Change, ...]
    records: dict[str, PupilRecord]
    """The export's records by admission number after the import."""
    unchanged: tuple[str, ...]
    """Admission numbers of pupils in the export without any change."""
    roster: Roster
    shared_upns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """UPNs that several pupils would have, with their admission numbers."""
    strangers: tuple[str, ...] = ()
    """Admission numbers under which the export names another child."""
    suspended_before: frozenset[str] = frozenset()
    """Purposes that an earlier import left suspended."""

    def of_kind(self, *kinds: ChangeKind) -> list[Change]:
        """The changes of these kinds."""
        return [change for change in self.changes if change.kind in kinds]

    def pupils(self, *kinds: ChangeKind) -> list[str]:
        """Admission numbers with a change of these kinds, each once, in order."""
        return list(dict.fromkeys(change.pupil for change in self.of_kind(*kinds)))

    @property
    def exported_on(self) -> date | None:
        """The export's own run date."""
        return self.roster.exported_on

    @property
    def is_authoritative(self) -> bool:
        """Whether the export covers the whole school, so that it ends earlier suspensions."""
        return bool(self.records) and self.roster.complete


def reconcile(register: RegisterSnapshot, roster: Roster, rules: ImportRules, today: date) -> Plan:
    """Plan what importing ``roster`` into ``register`` changes, and note what looks odd in it."""
    if not roster.records:
        return Plan((), {}, (), roster, suspended_before=register.suspended)
    matched = with_replaced(register, list(match_records(register, roster, today)))
    changes = [change for m in matched for change in _changes(m, roster, rules, today)]
    seen = {m.old.admission_number for m in matched if m.old is not None}
    unseen = [pupil for number, pupil in register.on_roll.items() if number not in seen]
    leavers = [pupil.admission_number for pupil in unseen] if roster.complete else []
    changes += [Change(number, ChangeKind.LEFT, before=True, after=False) for number in leavers]
    touched = {change.pupil for change in changes}
    return Plan(
        changes=tuple(changes),
        records={m.number: m.record for m in matched},
        unchanged=tuple(m.number for m in matched if m.number not in touched),
        roster=roster,
        shared_upns=shared_upns(matched, [] if roster.complete else unseen),
        strangers=tuple(
            m.number for m in matched if m.is_replaced or (m.old and other_child(m.old, m.record))
        ),
        suspended_before=register.suspended,
    )


# --- what changes about one pupil ----------------------------------------------------------


def _changes(matched: Matched, roster: Roster, rules: ImportRules, today: date) -> Iterator[Change]:
    old = matched.old or RegisterPupil(matched.number)
    if matched.old is None:
        yield Change(matched.number, ChangeKind.ADDED, after=True)
        if matched.brings_mark and not matched.record.never_publish:
            yield Change(matched.number, ChangeKind.MARKED, before=False, after=True)
    else:
        if old.admission_number != matched.number:
            yield Change(
                matched.number,
                ChangeKind.RENUMBERED,
                before=old.admission_number,
                after=matched.number,
            )
        if matched.is_replaced:
            yield Change(matched.number, ChangeKind.REPLACED, after=matched.brings_mark)
        if not old.on_roll:
            yield Change(matched.number, ChangeKind.READMITTED, before=False, after=True)
        yield from _fields(matched.number, old, matched.record)
    before = old.consents if old.on_roll else {}
    for purpose in rules.purposes:
        if not roster.complete and purpose not in roster.purposes:
            continue
        found = list(_consent(matched, purpose, before.get(purpose), roster, today))
        if matched.is_replaced and not any(change.kind in _LOSES for change in found):
            # A yes is a new one of the other child, whatever the first child had said.
            found = list(_consent(matched, purpose, None, roster, today))
        yield from found
    yield from _markers(matched.number, old, matched.record)


def _fields(number: str, old: RegisterPupil, record: PupilRecord) -> Iterator[Change]:
    for name in TEXT_FIELDS:
        before, after = getattr(old, name), getattr(record, name)
        if differs(before, after):
            yield Change(number, ChangeKind.FIELD, name, before, after)
    if record.date_of_birth not in {None, old.date_of_birth}:
        yield Change(
            number, ChangeKind.FIELD, "date_of_birth", old.date_of_birth, record.date_of_birth
        )


def _consent(
    matched: Matched, purpose: str, before: Consent | None, roster: Roster, today: date
) -> Iterator[Change]:
    old = before or Consent(Answer.NOT_STATED)
    new = _with_old_dates(matched.record.consents.get(purpose), old, purpose in roster.expiring)
    if new == old:
        return
    kind = _consent_kind(old, new, today)
    if kind is not None:
        yield Change(matched.number, kind, purpose, before, new)


def _with_old_dates(new: Consent | None, old: Consent, has_expiry: bool) -> Consent:
    """``new``, with the old dates of a consent that stays given if the export has no dates."""
    if new is None:
        return Consent(Answer.NOT_STATED)
    if new.answer is not Answer.GIVEN or old.answer is not Answer.GIVEN:
        return new
    expires = new.expires_on if has_expiry else old.expires_on
    return Consent(new.answer, new.given_on or old.given_on, expires)


def _consent_kind(old: Consent, new: Consent, today: date) -> ChangeKind | None:
    was, now = is_live(old, today), is_live(new, today)
    if now:
        if not was:
            return ChangeKind.GRANTED
        return (
            ChangeKind.SHORTENED if _sooner(new.expires_on, old.expires_on) else ChangeKind.REDATED
        )
    if new.answer is Answer.GIVEN:
        # A consent that begins in the future will be a yes, so a block defers it like a grant.
        return ChangeKind.EXPIRED if _sooner(new.expires_on, today) else ChangeKind.GRANTED
    if was or old.answer is Answer.GIVEN:
        return ChangeKind.WITHDRAWN
    return ChangeKind.REFUSED if new.answer is Answer.REFUSED else None


def _sooner(new: date | None, old: date | None) -> bool:
    return new is not None and (old is None or new < old)


def _markers(number: str, old: RegisterPupil, record: PupilRecord) -> Iterator[Change]:
    objection, never = record.biometric_objection, record.never_publish
    if objection is not None and objection is not old.biometric_objection:
        kind = ChangeKind.OBJECTED if objection else ChangeKind.OBJECTION_LIFTED
        yield Change(number, kind, before=old.biometric_objection, after=objection)
    if never and not old.never_publish:
        yield Change(number, ChangeKind.MARKED, before=False, after=True)
    elif never and old.lift_asked:
        yield Change(number, ChangeKind.LIFT_ENDED, before=True, after=True)
    elif never is False and old.never_publish and not old.lift_asked:
        yield Change(number, ChangeKind.LIFT_ASKED, before=True, after=True)
