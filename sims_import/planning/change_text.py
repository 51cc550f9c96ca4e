"""What an import changes about a pupil, one plain sentence a change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from consent_gate.messages import purpose_called
from consent_gate.model import Consent
from sims_import.reconcile import TIGHTENING, Change, Kind, Value

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
    Kind.ADDED: "new on the register",
    Kind.READMITTED: "is back at the school",
    Kind.OBJECTED: "objection to face matching",
    Kind.OBJECTION_LIFTED: "the objection to face matching is gone",
    Kind.MARKED: "must never be published",
    Kind.LIFT_ASKED: "no longer marked: the never-publish mark stays until two people agree",
    Kind.LIFT_ENDED: "marked never to be published again",
    Kind.LEFT: "has left",
}
_ABOUT_A_USE = {
    Kind.GRANTED: "gains consent for {use}",
    Kind.REDATED: "new dates of the consent for {use}",
    Kind.SHORTENED: "the consent for {use} ends earlier",
    Kind.WITHDRAWN: "loses consent for {use}",
    Kind.EXPIRED: "the consent for {use} has run out",
    Kind.REFUSED: "says no to {use}",
}


def told(change: Change, titles: Mapping[str, str], *, names: bool = True) -> str:
    """The change in words. ``titles``: what staff call each purpose.

    Without ``names`` a changed name is told without saying either name: for a console, whose
    output may be kept.
    """
    if change.kind in _ABOUT_A_USE:
        use = purpose_called(change.subject, titles)
        return _ABOUT_A_USE[change.kind].format(use=use) + _until(change.after)
    if change.kind is Kind.RENUMBERED:
        return f"admission number {change.before} is now {change.after}"
    if change.kind is Kind.FIELD:
        what = _FIELDS.get(change.subject, change.subject)
        hidden = change.subject in _KEYS or (change.subject in _NAMES and not names)
        return (
            f"{what} changed"
            if hidden
            else f"{what}: {_said(change.before)} → {_said(change.after)}"
        )
    return _PLAIN[change.kind]


def most_serious_first(changes: Iterable[Change]) -> list[Change]:
    """Withdrawals and marks, then what loosens, then names and classes; each in its order."""
    return sorted(changes, key=lambda c: (c.kind not in TIGHTENING, c.kind is Kind.FIELD))


def _until(value: Value) -> str:
    ends = value.expires_on if isinstance(value, Consent) else None
    return f", until {_said(ends)}" if ends else ""


def _said(value: Value) -> str:
    if isinstance(value, date):
        return f"{value:%-d %B %Y}"
    return str(value) if value else "nothing"
