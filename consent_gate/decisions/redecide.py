"""Decide pictures again after something changed about pupils who may be in them."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q

from consent_gate.db.models import Item, Lookalike, Publication, PupilEntry, PupilInItem
from consent_gate.decisions.apply import apply_decisions
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.home.home import Home
from consent_gate.publication import OPEN
from consent_gate.register.repository import load_register


def redecide(home: Home, numbers: Collection[str], actor: str) -> int:
    """Decide every picture again in which one of these pupils may be.

    Also decides again the pictures of their siblings (``sibling_guard``) and lookalikes, and those
    with a covered face if one of the pupils must never be published (rule 18d): the gate may keep
    the cover that staff took back. A picture that could newly be published is examined again
    first. Call inside a transaction.

    Args:
        home: the school's home.
        numbers: admission numbers.
        actor: who is named in the audit trail.

    Returns:
        How many publications were recalled.
    """
    shown = set(PupilInItem.objects.values_list("admission_number", flat=True).distinct())
    affected = shown & _with_lookalikes(_with_siblings(numbers)) if shown else set()
    items = PupilInItem.objects.filter(admission_number__in=affected).values("item")
    wanted = Q(pk__in=items) if affected else Q(pk__in=())
    marked = PupilEntry.objects.filter(admission_number__in=numbers, never_publish=True)
    if marked.exists():
        covered = Publication.objects.filter(state__in=OPEN).exclude(redactions=[])
        wanted |= Q(pk__in=covered.values("item"))
    elif not affected:
        return 0
    ctx = DecisionContext(home, load_register(home.now().date()), home.now(), actor)
    return apply_decisions(ctx, Item.objects.filter(wanted).exclude(evidence=None))


def _with_siblings(numbers: Collection[str]) -> set[str]:
    rows = list(
        PupilEntry.objects.exclude(family_group="").values_list("admission_number", "family_group")
    )
    families = {group for number, group in rows if number in numbers}
    return set(numbers) | {number for number, group in rows if group in families}


def _with_lookalikes(numbers: set[str]) -> set[str]:
    pairs = list(
        Lookalike.objects.values_list("first__admission_number", "second__admission_number")
    )
    return numbers | {n for pair in pairs if not numbers.isdisjoint(pair) for n in pair}
