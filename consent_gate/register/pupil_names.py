"""The names of all pupils on the register, prepared for comparisons with texts."""

from __future__ import annotations

import json
from functools import lru_cache
from itertools import product
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Aggregate, TextField
from django.db.models.functions import Cast, JSONArray
from django.db.models.sql.compiler import SQLCompiler

from consent_gate.db.models import PupilEntry
from consent_gate.names.name_index import NameIndex, PupilName

RecordedName = tuple[str, str, str, str]
"""Forename, preferred forename, surname, preferred surname of one pupil."""

FIELDS = ("admission_number", "forename", "preferred_forename", "surname", "preferred_surname")


class _AsList(Aggregate):
    """All rows as one JSON list."""

    function = "JSON_GROUP_ARRAY"
    output_field = TextField()

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **context: Any
    ) -> tuple[str, Any]:
        return self.as_sql(compiler, connection, function="JSON_AGG", **context)


def recorded_names() -> frozenset[RecordedName]:
    """The names of all pupils as they are on the register now."""
    rows = PupilEntry.objects.values_list(
        "forename", "preferred_forename", "surname", "preferred_surname"
    )
    return frozenset(rows)


def name_index() -> NameIndex:
    """The index of the names as they are on the register now.

    It is built once for each state of the register. The names themselves are the version, so no
    change of a name can be missed. The database gives them as one text, because Python would take
    several times as long to make an object of each of 25 000 rows.
    """
    names = PupilEntry.objects.order_by().aggregate(
        names=Cast(_AsList(JSONArray(*FIELDS)), TextField())
    )["names"]
    return _index(names or "[]")


@lru_cache(maxsize=2)
def _index(names: str) -> NameIndex:
    """All combinations of every pupil's recorded forenames and surnames.

    ``names`` is a JSON list with the values of ``FIELDS`` for each pupil, in any order.
    """
    return NameIndex(
        PupilName(number, first, last)
        for number, forename, preferred, surname, other in sorted(json.loads(names))
        for first, last in product(
            sorted({forename, preferred} - {""}) or [""], sorted({surname, other} - {""}) or [""]
        )
    )
