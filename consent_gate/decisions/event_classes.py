"""Which classes were at an event: then only their pupils are cleared by the machine."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Q

from consent_gate.db import audit_log
from consent_gate.db.models import EventClasses, Item, PupilEntry
from consent_gate.decisions.apply import apply_decisions
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.decisions.staff_input import roster_for
from consent_gate.home.home import Home
from consent_gate.home.keys import pseudonym
from consent_gate.register.repository import load_register


def known_classes() -> list[str]:
    """Every class that has a pupil on roll."""
    groups = PupilEntry.objects.filter(on_roll=True).exclude(reg_group="")
    return sorted(set(groups.values_list("reg_group", flat=True)))


def classes_at(event: str) -> tuple[str, ...]:
    """The classes that were there; none: all may have been."""
    named = roster_for(event)
    return tuple(named.reg_groups) if named else ()


def name_classes(home: Home, event: str, classes: Sequence[str], actor: str) -> None:
    """Set the classes of an event and of the folders in it, and decide the pictures again.

    No class at all takes back what was named.
    """
    with transaction.atomic():
        detail: dict[str, object] = {"event": event, "classes": list(classes)}
        audit_log.record(home, "event.classes_named", event_subject(home, event), detail, actor)
        ctx = DecisionContext(home, load_register(home.now().date()), home.now(), actor)
        set_classes(ctx, event, classes)


def set_classes(ctx: DecisionContext, event: str, classes: Sequence[str]) -> None:
    """The same without the entry in the audit trail. Call inside a transaction."""
    if classes:
        values = {"reg_groups": list(classes), "actor": ctx.actor, "created_at": ctx.now}
        EventClasses.objects.update_or_create(event=event, defaults=values)
    else:
        EventClasses.objects.filter(event=event).delete()
    there = Q(event=event) | Q(event__startswith=f"{event}/")
    apply_decisions(ctx, Item.objects.filter(there).exclude(evidence=None))


def event_subject(home: Home, event: str) -> str:
    """What the trail calls an event: a folder's name may be long, and may name a child."""
    return "event:" + pseudonym(home.keys.audit, event)


def known_events() -> set[str]:
    """Every folder that has pictures or classes, and the folders above it."""
    events = {*Item.objects.values_list("event", flat=True).distinct()}
    events |= {*EventClasses.objects.values_list("event", flat=True)}
    return {e.rsplit("/", depth)[0] for e in events for depth in range(e.count("/") + 1)} - {""}
