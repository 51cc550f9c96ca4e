"""Reads JSON lists of pupils, as Wonde's interface and web forms write them.

Each object of the list is a record, and its leaves are the fields. A list of objects inside a
record, such as its consents, gives one row for each object.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from consent_gate.errors import ExportUnreadable
from sims_import.readers.csv import decode
from sims_import.readers.groups import WRAPPERS, name_matters, telling_names
from sims_import.readers.interface import MAX_COLUMNS, MAX_ROWS, Grid, Line
from sims_import.text.caution import sheet_may_mean_no
from sims_import.text.words import tidy, tidy_cell, words

_TOO_LARGE = "This file is far larger than a school's export."
_DAMAGED = "This JSON file is cut short or damaged."
_SHAPE = "This JSON file is no plain list of pupils."
_ABOUT_THE_FILE = frozenset({"meta", "links", "pagination", "schema", "success", "status", "code"})
"""Fields beside a list of pupils that an interface writes for programs."""
Field = tuple[str, str]


def is_json(data: bytes) -> bool:
    """Whether the first two characters begin a JSON list or object that is not an empty list."""
    head = data[:200].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    second = head[1:].lstrip(b" \t\r\n")[:1]
    return head[:1] in {b"[", b"{"} and second in {b"{", b'"', b"}"}


def read(data: bytes) -> Grid:
    """Read the records as one grid. Its first line holds the captions; row numbers count rows.

    Raises:
        ExportUnreadable: The file is damaged, or it holds no list or several lists of pupils.
    """
    try:
        found = json.loads(decode(data), object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise ExportUnreadable(_DAMAGED) from error
    name, texts, records = _records(found)
    rows = [row for record in records for row in _rows(record)]
    captions = list(dict.fromkeys(caption for row in rows for caption, _ in row))
    if len(rows) > MAX_ROWS or len(captions) > MAX_COLUMNS:
        raise ExportUnreadable(_TOO_LARGE)
    lines = [Line(0, tuple(captions))] if captions else []
    for number, row in enumerate(rows, start=1):
        cells: dict[str, list[str]] = {}
        for caption, text in row:
            cells.setdefault(caption, []).append(text)
        # A field that comes twice in a record is a list of values. No value is dropped.
        lines.append(Line(number, tuple(", ".join(cells.get(c, ())) for c in captions)))
    return Grid(name, lines, headed=True, texts=(*telling_names([name]), *texts))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object with these fields; refuses a field that comes twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ExportUnreadable("A field comes twice in one record of this JSON file.")
    return found


def _records(found: Any) -> tuple[str, list[str], list[dict[str, Any]]]:
    """The name of the only list of objects, the fields around it as texts, and its records."""
    name, texts = "", list[str]()
    while isinstance(found, dict):
        lists = {key: value for key, value in found.items() if isinstance(value, (list, dict))}
        rows = {key: value for key, value in lists.items() if _holds_objects(value)}
        if len(rows) != 1:
            raise ExportUnreadable(_SHAPE)
        ((key, inner),) = rows.items()
        texts += _texts_beside({k: value for k, value in found.items() if k != key})
        found = inner
        name = name if key.lower() in WRAPPERS else f"{name} {_caption(key)}".strip()
    if not isinstance(found, list) or not all(isinstance(record, dict) for record in found):
        raise ExportUnreadable(_SHAPE)
    return name, texts, found


def _texts_beside(found: dict[str, Any]) -> list[str]:
    """The fields beside a list of pupils as lines of a report: ``school: Millfields``."""
    texts = []
    for name, value in found.items():
        if name.lower().lstrip("$") in _ABOUT_THE_FILE:
            if isinstance(value, str) and sheet_may_mean_no(value):
                texts.append(f"{_caption(name)}: {_text(value)}")
            continue
        if isinstance(value, dict):
            texts += [f"{_caption(name)} {text}" for text in _texts_beside(value)]
        elif isinstance(value, list):
            texts += [f"{_caption(name)}: {_text(inner)}" for inner in value]
        else:
            texts.append(f"{_caption(name)}: {_text(value)}")
    return texts


def _holds_objects(value: Any) -> bool:
    """Whether a list of objects is in ``value`` or anywhere in its objects."""
    if isinstance(value, dict):
        return any(_holds_objects(inner) for inner in value.values())
    return isinstance(value, list) and any(isinstance(inner, dict) for inner in value)


def _rows(record: dict[str, Any]) -> Iterator[list[Field]]:
    """The record as one row, or as one row for each object of its list."""
    plain: list[Field] = []
    nested: list[tuple[str, list[Any]]] = []
    _sort(record, "", plain, nested)
    if len(nested) > 1:
        raise ExportUnreadable("Each pupil in this JSON file has several lists of objects.")
    entries = [(group, entry) for group, listed in nested for entry in listed]
    if not entries:
        yield plain
    for group, entry in entries:
        if not isinstance(entry, dict):
            raise ExportUnreadable(_SHAPE)
        own: list[Field] = []
        deeper: list[tuple[str, list[Any]]] = []
        _sort(entry, "", own, deeper)
        if deeper:
            raise ExportUnreadable("A list inside a list of this JSON file holds objects.")
        yield [*plain, *((_in_group(group, caption), text) for caption, text in own)]


def _sort(
    value: dict[str, Any],
    group: str,
    plain: list[Field],
    nested: list[tuple[str, list[Any]]],
) -> None:
    """Put the leaves of an object into ``plain`` and its lists of objects into ``nested``."""
    for name, inner in value.items():
        caption = f"{group} - {_caption(name)}" if group else _caption(name)
        if isinstance(inner, dict):
            # The name of a group that says no, or holds answers, is put before their captions.
            known = not name_matters(_caption(name), map(_text, inner.values()))
            _sort(inner, group if known else caption, plain, nested)
        elif isinstance(inner, list) and _holds_objects(inner):
            nested.append((caption, inner))
        elif isinstance(inner, list):
            plain.append((caption, ", ".join(map(_text, inner))))
        else:
            plain.append((caption, _text(inner)))


def _in_group(group: str, caption: str) -> str:
    """``consent type`` for ``type`` in ``consents``."""
    singular = group.removesuffix("s")
    if set(words(singular)) <= set(words(caption)):
        return caption
    return f"{singular} {caption}"


def _caption(name: str) -> str:
    return tidy(name)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return tidy_cell(str(value))
