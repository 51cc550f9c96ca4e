"""Search the whole home for a pupil, to prove an erasure.

The search compares the pupil's admission numbers, UPN and full names with every text column, every
file name and every readable file of the home. Files in the vault are encrypted: each must belong to
an item that still has its key.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from django.apps import apps
from django.db import connection
from django.db.models import CharField, JSONField, Model, TextField

from consent_gate.db.models import Item, PupilEntry
from consent_gate.home.home import Home
from consent_gate.subject_rights.access import numbers_of
from consent_gate.vault.originals import ALL_PARTS, vault_of

READABLE = frozenset(
    {".json", ".jsonl", ".toml", ".html", ".csv", ".tsv", ".txt", ".log", ".xml", ".md"}
)
"""Suffixes of files whose content is searched; rotated logs end in ``.log.1``."""
FROM_SCHOOL = frozenset({"inbox", "sims"})
"""Folders that the school fills."""


@dataclass
class ErasureSearch:
    """Counts of what was searched, and the places of the finds, never the text found."""

    rows: int = 0
    tables: int = 0
    files: int = 0
    vault_files: int = 0
    found: Counter[str] = field(default_factory=Counter)
    """Number of finds by place, such as ``table gate_item`` or ``names of files in inbox``."""
    unread: Counter[str] = field(default_factory=Counter)
    """Number of workbooks, ZIPs and photos by place, whose content this search cannot read."""


def search_terms(entry: PupilEntry) -> re.Pattern[str]:
    """A pattern of the pupil's numbers and full names, as whole words in any case."""
    firsts = {entry.forename, entry.preferred_forename} - {""}
    lasts = {entry.surname, entry.preferred_surname} - {""}
    names = [
        (a, b) for first, last in product(firsts, lasts) for a, b in ((first, last), (last, first))
    ]
    keys = [*numbers_of(entry), entry.upn]
    patterns = [rf"{re.escape(a)}[\s,_-]+{re.escape(b)}" for a, b in names]
    patterns += [re.escape(key) for key in keys if key]
    return re.compile(rf"(?<![\w.])(?:{'|'.join(patterns)})(?!\w)", re.IGNORECASE)


def search_all_stores(home: Home, terms: re.Pattern[str]) -> ErasureSearch:
    """Search every table and every file of the home. Changes nothing."""
    result = ErasureSearch()
    existing = set(connection.introspection.table_names())
    for model in apps.get_models():
        if model._meta.db_table in existing:  # only PostgreSQL has the tables of jobs
            _search_table(model, terms, result)
    _search_files(home, terms, result)
    _search_vault(home, result)
    return result


def _search_table(model: type[Model], terms: re.Pattern[str], result: ErasureSearch) -> None:
    fields = [
        f.attname
        for f in model._meta.concrete_fields
        if isinstance(f, CharField | TextField | JSONField)
    ]
    result.tables += 1
    for row in model._default_manager.values_list(*fields).iterator() if fields else ():
        result.rows += 1
        if terms.search(" ".join(str(value) for value in row)):
            result.found[f"table {model._meta.db_table}"] += 1


def _search_files(home: Home, terms: re.Pattern[str], result: ErasureSearch) -> None:
    for place, path in _files(home):
        result.files += 1
        if terms.search(path.name) or terms.search(path.parent.name):
            result.found[f"names of files in {place}"] += 1
        elif not READABLE & {suffix.lower() for suffix in path.suffixes}:
            if place in FROM_SCHOOL:
                result.unread[place] += 1
        elif terms.search(_decoded(path.read_bytes())):
            result.found[f"files in {place}"] += 1


def _decoded(data: bytes) -> str:
    """The text of a file. Excel writes UTF-16; other bytes that are not UTF-8 are replaced."""
    is_utf_16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if is_utf_16 else "utf-8", "replace")


def _files(home: Home) -> Iterator[tuple[str, Path]]:
    """Every file outside the vault, with the name of its folder."""
    elsewhere = {"inbox": home.inbox, "sims": home.sims}
    elsewhere |= {f"approved/{name}": home.approved(name) for name in home.settings.channels}
    left_out = (home.vault, home.secrets, home.database, *elsewhere.values())
    for place, folder in ({"the home": home.root} | elsewhere).items():
        for path in _below(folder, left_out if folder == home.root else ()):
            yield place, path


def _below(folder: Path, left_out: Iterable[Path]) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
        inside = any(path == other or other in path.parents for other in left_out)
        if not inside and path.is_file():
            yield path


def _search_vault(home: Home, result: ErasureSearch) -> None:
    vault = vault_of(home)
    alive = set(Item.objects.exclude(wrapped_key=None).values_list("pk", flat=True))
    for part in ALL_PARTS:
        for name in vault.item_ids(part):
            result.vault_files += 1
            if name not in alive:
                result.found["vault: files without a key"] += 1
