"""Settings that decide were changed: what is out is decided again under the new ones."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from django.db import transaction

from consent_gate import __version__
from consent_gate.db import audit_log
from consent_gate.db.models import AuditEntry, Item, Publication
from consent_gate.db.models.publications import IN_MANIFEST, OPEN, PublicationState
from consent_gate.decisions.apply import apply_decisions
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.errors import SettingsInvalid
from consent_gate.home.home import Home
from consent_gate.model import Rules
from consent_gate.register.repository import load_register

CHANGED = "rules.changed"
"""Action in the audit trail; its newest entry tells by which rules everything out was decided."""


def apply_rule_changes(home: Home) -> int:
    """Decide what is out, or on its way, by today's settings where they are others than last time.

    Takes back what they no longer let out (docs/adr/0002-recall.md). What they newly would let out
    is examined again first. Returns how many were recalled.
    """
    rules = _digest(home.settings.rules_for_decide())
    last = AuditEntry.objects.filter(action=CHANGED).order_by("-sequence").first()
    if last is not None and last.detail.get("rules") == rules:
        return 0
    with transaction.atomic():
        out = Publication.objects.filter(state__in=OPEN).values("item")
        ctx = DecisionContext(home, load_register(home.now().date()), home.now())
        recalled = apply_decisions(ctx, Item.objects.filter(pk__in=out).exclude(evidence=None))
        audit_log.record(home, CHANGED, "home", {"rules": rules, "recalled": recalled})
    return recalled


def check_channels(home: Home) -> None:
    """Raises SettingsInvalid where pictures are out in a channel that is in the settings no more.

    Nobody could take them back: the gate does not know where they lie.
    """
    there = Publication.objects.filter(state__in=(*IN_MANIFEST, PublicationState.WITHDRAWING))
    lost = there.exclude(channel__in=home.settings.channels).order_by("channel").first()
    if lost is not None:
        name = lost.channel
        words = f"Pictures are out in the channel '{name}', which is no longer in the settings: put"
        words += f" it back, take them back with 'consent-gate recall --channel {name} --confirm',"
        raise SettingsInvalid(f"{words} then take it out.")


def _digest(rules: Rules) -> str:
    """Tells one set of rules from another. Cameras that staff confirm are decided on at once."""
    values = asdict(rules) | {"registered_devices": sorted(rules.registered_devices)}
    values["program"] = __version__  # a newer one may hold more
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()
