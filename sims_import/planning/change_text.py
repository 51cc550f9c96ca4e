"""Words each change to a pupil as one sentence for staff."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from consent_gate.messages import purpose_title
from consent_gate.model import Consent
from sims_import.reconcile import TIGHTENING, Change, ChangeKind, Value

_NAMES = frozenset({"forename", "surname", "preferred_forename", "preferred_surname"})
_KEYS = frozenset({"family_key", "address_key"})
_FIELDS = {
    "upn": "UPN",
    "forename": "first name",
    "surname": "surname",
    "preferred_forename": "preferred first name",
    "preferred_surname": "preferred surname",
    "reg_group": "class",
    "year": "year",
    "date_of_birth": "date of birth",
    "family_key": "brothers and sisters",
    "address_key": "address",
}
_PLAIN = {
    ChangeKind.ADDED: "new on the register",
    ChangeKind.READMITTED: "is back at the school",
    ChangeKind.REPLACED: "the number is another child's now: portraits and pictures start afresh",
    ChangeKind.OBJECTED: "objection to face matching",
    ChangeKind.OBJECTION_LIFTED: "the objection to face matching is gone",
    ChangeKind.MARKED: "must never be published",
    ChangeKind.LIFT_ASKED: "no longer marked: the never-publish mark stays until two people agree",
    ChangeKind.LIFT_ENDED: "marked never to be published again",
    ChangeKind.LEFT: "has left",
}
_ABOUT_A_USE = {
    ChangeKind.GRANTED: "gains consent for {use}",
    ChangeKind.REDATED: "new dates of the consent for {use}",
    ChangeKind.SHORTENED: "the consent for {use} ends earlier",
    ChangeKind.WITHDRAWN: "loses consent for {use}",
    ChangeKind.EXPIRED: "the consent for {use} has run out",
    ChangeKind.REFUSED: "says no to {use}",
}


def describe_change(change: Change, titles: Mapping[str, str], *, names: bool = True) -> str:
    """Describe a change for staff. ``titles`` are the names of the purposes that staff see.

    Without ``names`` the sentence says that a name changed and quotes neither name, because the
    output of a console may be saved.
    """
    if change.kind in _ABOUT_A_USE:
        use = purpose_title(change.subject, titles)
        return _ABOUT_A_USE[change.kind].format(use=use) + _until(change.after)
    if change.kind is ChangeKind.RENUMBERED:
        return f"admission number {change.before} is now {change.after}"
    if change.kind is ChangeKind.FIELD:
        what = _FIELDS.get(change.subject, change.subject)
        hidden = change.subject in _KEYS or (change.subject in _NAMES and not names)
        return (
            f"{what} changed"
            if hidden
            else f"{what}: {_value_text(change.before)} → {_value_text(change.after)}"
        )
    return _PLAIN[change.kind]


def most_serious_first(changes: Iterable[Change]) -> list[Change]:
    """Sort tightening changes first, then loosening ones, then changed details of a pupil."""
    return sorted(changes, key=lambda c: (c.kind not in TIGHTENING, c.kind is ChangeKind.FIELD))


def _until(value: Value) -> str:
    ends = value.expires_on if isinstance(value, Consent) else None
    return f", until {_value_text(ends)}" if ends else ""


def _value_text(value: Value) -> str:
    if isinstance(value, date):
        return f"{value:%-d %B %Y}"
    return str(value) if value else "nothing"
