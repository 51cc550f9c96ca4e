"""Name the classes that were at an event.

Where classes are named, matching clears only the pupils of these classes.
"""

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
    """Every class that has a pupil on roll, in alphabetical order."""
    groups = PupilEntry.objects.filter(on_roll=True).exclude(reg_group="")
    return sorted(set(groups.values_list("reg_group", flat=True)))


def classes_at(event: str) -> tuple[str, ...]:
    """The classes named for the event. Empty means that every class may have been there."""
    named = roster_for(event)
    return tuple(named.reg_groups) if named else ()


def name_classes(home: Home, event: str, classes: Sequence[str], actor: str) -> None:
    """Set the classes of an event and of its subfolders, record it, and decide its pictures again.

    An empty list removes the classes that were named.
    """
    with transaction.atomic():
        detail: dict[str, object] = {"event": event, "classes": list(classes)}
        audit_log.record(home, "event.classes_named", event_subject(home, event), detail, actor)
        ctx = DecisionContext(home, load_register(home.now().date()), home.now(), actor)
        set_classes(ctx, event, classes)


def set_classes(ctx: DecisionContext, event: str, classes: Sequence[str]) -> None:
    """Set the classes and decide the pictures again, without an audit entry.

    Call inside a transaction.
    """
    if classes:
        values = {"reg_groups": list(classes), "actor": ctx.actor, "created_at": ctx.now}
        EventClasses.objects.update_or_create(event=event, defaults=values)
    else:
        EventClasses.objects.filter(event=event).delete()
    in_event = Q(event=event) | Q(event__startswith=f"{event}/")
    apply_decisions(ctx, Item.objects.filter(in_event).exclude(evidence=None))


def event_subject(home: Home, event: str) -> str:
    """The pseudonym of an event in the audit trail: a folder's name may be long or name a child."""
    return "event:" + pseudonym(home.keys.audit, event)


def known_events() -> set[str]:
    """Every folder that has pictures or named classes, and every folder above one."""
    events = {*Item.objects.values_list("event", flat=True).distinct()}
    events |= {*EventClasses.objects.values_list("event", flat=True)}
    return {e.rsplit("/", depth)[0] for e in events for depth in range(e.count("/") + 1)} - {""}
