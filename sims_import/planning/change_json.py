"""Converts changes to the JSON of the history, and back."""

from __future__ import annotations

from datetime import date
from typing import Any

from consent_gate.model import Answer, Consent
from sims_import.reconcile import Change, ChangeKind, Value


def as_json(change: Change) -> dict[str, Any]:
    """``{"kind", "subject", "before", "after"}``; ``from_json`` reads it back equal."""
    return {
        "kind": change.kind.value,
        "subject": change.subject,
        "before": _value_as_json(change.before),
        "after": _value_as_json(change.after),
    }


def from_json(pupil: str, stored: dict[str, Any]) -> Change:
    """A change of ``pupil`` (admission number) that ``as_json`` wrote."""
    return Change(
        pupil,
        ChangeKind(stored["kind"]),
        stored["subject"],
        _value_from_json(stored["before"]),
        _value_from_json(stored["after"]),
    )


def _value_as_json(value: Value) -> Any:
    if isinstance(value, Consent):
        return {
            "answer": value.answer.value,
            "given_on": _iso(value.given_on),
            "expires_on": _iso(value.expires_on),
        }
    return {"day": value.isoformat()} if isinstance(value, date) else value


def _value_from_json(stored: Any) -> Value:
    if not isinstance(stored, dict):
        found: Value = stored
        return found
    if "day" in stored:
        return date.fromisoformat(stored["day"])
    given_on, expires_on = (
        date.fromisoformat(text) if text else None
        for text in (stored["given_on"], stored["expires_on"])
    )
    return Consent(Answer(stored["answer"]), given_on, expires_on)


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
