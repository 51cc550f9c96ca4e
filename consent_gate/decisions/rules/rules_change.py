"""Decide open publications again after the rules in the settings changed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from django.db import transaction
from django.db.models import Q

from consent_gate import __version__
from consent_gate.db import audit_log
from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import (
    AuditEntry,
    ChannelDecision,
    ChannelStatus,
    Item,
    ItemState,
    Publication,
)
from consent_gate.decisions.apply import apply_decisions, lacks_examined_sound
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.errors import SettingsInvalid
from consent_gate.home.home import Home
from consent_gate.model import FilmSound, Rules
from consent_gate.publication import IN_MANIFEST, OPEN, PublicationState
from consent_gate.register.repository import load_register

RULES_CHANGED = "rules.changed"
"""Audit action. Its newest entry holds the digest of the rules that everything was decided by."""


def apply_rule_changes(home: Home) -> int:
    """Decide open publications again if the rules differ from those of the last time.

    Recalls pictures that the new rules hold (docs/adr/0002-recall.md). A picture that they would
    newly publish is examined again first. Decides the films again too of which the sound was never
    examined, so that it is, where a channel newly publishes sound. Returns how many publications
    were recalled.
    """
    rules = _digest(home.settings.rules_for_decide())
    last = AuditEntry.objects.filter(action=RULES_CHANGED).order_by("-sequence").first()
    if last is not None and last.detail.get("rules") == rules:
        return 0
    with transaction.atomic():
        wanted = Q(pk__in=Publication.objects.filter(state__in=OPEN).values("item"))
        wanted |= Q(pk__in=_films_without_examined_sound(home))
        ctx = DecisionContext(home, load_register(home.now().date()), home.now())
        recalled = apply_decisions(ctx, Item.objects.filter(wanted).exclude(evidence=None))
        audit_log.record(home, RULES_CHANGED, "home", {"rules": rules, "recalled": recalled})
    return recalled


def _films_without_examined_sound(home: Home) -> list[str]:
    """The held films with sound that was not examined; none where no channel publishes sound."""
    channels = home.settings.channels.items()
    with_sound = [name for name, c in channels if c.film_sound is FilmSound.REVIEWED]
    held = ChannelDecision.objects.filter(channel__in=with_sound, verdict=ChannelStatus.HELD)
    films = Item.objects.filter(
        state=ItemState.DECIDED, pk__in=held.values("item"), evidence__examined__has_key="film"
    )
    rows = films.values_list("pk", "evidence").iterator()
    return [pk for pk, stored in rows if lacks_examined_sound(from_json(stored))]


def check_channels(home: Home) -> None:
    """Refuse settings that lack a channel in which pictures are published.

    The gate could not recall these pictures, because it no longer knows the channel's folder.

    Raises:
        SettingsInvalid: Pictures are out in a channel that the settings do not name.
    """
    published = Publication.objects.filter(state__in=(*IN_MANIFEST, PublicationState.WITHDRAWING))
    lost = published.exclude(channel__in=home.settings.channels).order_by("channel").first()
    if lost is not None:
        name = lost.channel
        raise SettingsInvalid(
            f"Pictures are published in the channel '{name}', which is no longer in the settings."
            f" Put the channel back, recall its pictures with 'consent-gate recall --channel {name}"
            " --confirm', then remove the channel."
        )


def _digest(rules: Rules) -> str:
    """Digest of the rules and the program's version.

    Cameras that staff confirm are left out: ``decisions.cameras`` decides again at once.
    """
    values = asdict(rules) | {"registered_devices": sorted(rules.registered_devices)}
    values["program"] = __version__  # a newer one may hold more
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()
