"""Reads XML exports: CommandReporter (``<SuperStarReport><Record>``), similar files and CTF.

Each child of the root that has children or attributes is a record. Its leaves are the fields, and
the tags are the captions, with ``_x0020_`` for a space. In a CTF roster the records are the
``Pupil`` elements one level deeper. DTDs and entities are refused (defusedxml).
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from consent_gate.errors import ExportUnreadable
from sims_import.readers.csv import decode
from sims_import.readers.groups import name_matters, telling_names
from sims_import.readers.interface import MAX_COLUMNS, MAX_ROWS, Grid, Line
from sims_import.text.caution import sheet_may_mean_no
from sims_import.text.values import read_date
from sims_import.text.words import tidy, tidy_cell, words

MAX_DEPTH = 50
"""Deepest nesting of elements that is read."""
_ERROR = "commandreportererror"
"""Name of the element in which CommandReporter says that a report failed, in lower case."""
_RUN_DATE_TAGS = frozenset(
    {"rundate", "run", "datetime", "reportdate", "exportdate", "generated", "created"}
)
"""Names, without spaces, of elements and attributes that hold the run date."""


_STANDARD = "{http://www.w3.org/"
"""Beginning of the names of attributes that the standards of XML define."""
_OF_SCHEMA = frozenset({"version", "type", "nil", "xmlns", "encoding", "id", "dt"}) | {
    "schemaLocation",
    "noNamespaceSchemaLocation",
}
"""Attributes that say nothing about a pupil or the list."""


@dataclass
class _Found:
    """The records and the run date read so far."""

    root: str = ""
    """Name of the root element, in lower case."""
    records: list[list[tuple[str, str]]] = field(default_factory=list)
    run_on: date | None = None
    tags: dict[str, None] = field(default_factory=dict)
    """Captions of the root and of the records, in order."""
    texts: list[str] = field(default_factory=list)
    """Attributes of the root, fields beside the records, and comments."""


def read(data: bytes) -> Grid:
    """Read the records as one grid. Its first line holds the captions; row numbers count records.

    Raises:
        ExportUnreadable: The file is not well-formed, has a DTD, is too large or too deep, or is
            CommandReporter's error document, whose message the error repeats.
    """
    try:
        found = _read(data)
    except ParseError as error:
        repaired = _as_windows_1252(data)
        if repaired is None:
            raise ExportUnreadable("This XML file is cut short or damaged.") from error
        found = _retry(repaired)
    except DefusedXmlException as error:
        raise ExportUnreadable("This XML file declares entities, which no export does.") from error
    except (ValueError, LookupError, OverflowError) as error:
        raise ExportUnreadable("This XML file is damaged or in an unknown encoding.") from error
    text = decode(data)
    found.texts += [tidy(comment) for comment in re.findall(r"<!--(.*?)-->", text, re.S)]
    orders = (tidy(order) for order in re.findall(r"<\?(?!xml)(.*?)\?>", text, re.S))
    found.texts += [order for order in orders if sheet_may_mean_no(order)]
    return _grid(found)


def _retry(data: bytes) -> _Found:
    try:
        return _read(data)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise ExportUnreadable("This XML file is cut short or damaged.") from error


def _as_windows_1252(data: bytes) -> bytes | None:
    """``data`` as UTF-8 if it holds Windows-1252 text instead; None if it is UTF-8 already."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
        return re.sub(r"^\s*<\?xml[^>]*\?>", "", text).encode()
    return None


def _read(data: bytes) -> _Found:
    """Parse the file element by element, and drop each record's elements once it is read."""
    found, open_tags = _Found(), 0
    record_depth = 2
    for event, element in iterparse(io.BytesIO(data), events=("start", "end"), forbid_dtd=True):
        name = _local(element.tag)
        if event == "start":
            open_tags += 1
            if open_tags > MAX_DEPTH:
                raise ExportUnreadable("This XML file is nested deeper than any export.")
            if open_tags == 1:
                found.root = name.lower()
                found.tags[_caption(name)] = None
                found.texts += _attributes(element)
                _refuse_excel_2003(found.root)
                record_depth = 3 if found.root == "ctfile" else 2
            continue
        if name.lower() == _ERROR:
            _refuse_error(element)
        if found.root == _ERROR:
            continue
        if open_tags == record_depth and name.lower() != "schema":
            _add_record(element, name, found)
            element.clear()
        elif open_tags < record_depth:
            _find_run_date(element, name, found)
        open_tags -= 1
    return found


def _local(tag: object) -> str:
    """The name of a tag or attribute without its namespace."""
    return str(tag).rpartition("}")[2]


def _refuse_excel_2003(root: str) -> None:
    if root == "workbook":
        raise ExportUnreadable("This is Excel's old XML format; open it and save it as .xlsx.")


def _refuse_error(element: Element) -> None:
    message = tidy(" ".join(element.itertext()))[:500] or tidy(element.get("message", ""))
    raise ExportUnreadable(f"SIMS could not run the report. It said: {message or 'nothing more'}.")


def _add_record(element: Element, name: str, found: _Found) -> None:
    """Add an element at the depth of records: a record, or one that may hold the run date."""
    if not len(element) and not element.attrib:
        _find_run_date(element, name, found)
        return
    if found.root == "ctfile" and name.lower() != "pupil":
        for child in element.iter():
            _find_run_date(child, _local(child.tag), found)
        return
    found.tags[_caption(name)] = None
    found.records.append(list(_fields(element)))
    if len(found.records) > MAX_ROWS:
        raise ExportUnreadable("This file is far larger than a school's export.")


def _find_run_date(element: Element, name: str, found: _Found) -> None:
    """Take the run date from an element or its attributes, if none was found before."""
    if "".join(words(_caption(name))) in _RUN_DATE_TAGS and found.run_on is None:
        found.run_on = read_date(tidy(element.text or ""))
    elif not len(element) and tidy(element.text or "") and found.root != "ctfile":
        found.texts.append(f"{_caption(name)}: {tidy(element.text or '')}")
    for attribute, text in element.attrib.items():
        if "".join(words(_caption(_local(attribute)))) in _RUN_DATE_TAGS and found.run_on is None:
            found.run_on = read_date(tidy(text))


def _fields(record: Element) -> Iterator[tuple[str, str]]:
    for name, text in record.attrib.items():
        yield _caption(_local(name)), tidy_cell(text)
    yield from _leaves(record, "")


def _leaves(parent: Element, group: str) -> Iterator[tuple[str, str]]:
    """Captions and texts of all leaves below ``parent``.

    The caption of a group that says no is put before the captions inside it.
    """
    for element in parent:
        name = _caption(_local(element.tag))
        caption = f"{group} - {name}" if group else name
        yield from _said_by_attributes(element, caption)
        if len(element):
            texts = (tidy(leaf.text or "") for leaf in element.iter() if not len(leaf))
            yield from _leaves(element, caption if group or name_matters(name, texts) else "")
            if tidy(element.text or ""):
                yield caption, tidy_cell(element.text or "")
        else:
            yield caption, tidy_cell(element.text or "")
        if tidy(element.tail or ""):
            yield f"{caption} - text", tidy_cell(element.tail or "")


def _said_by_attributes(element: Element, caption: str) -> Iterator[tuple[str, str]]:
    """``Website - withdrawn`` for an attribute of ``Website``. Those of a schema say nothing."""
    for name, text in element.attrib.items():
        usual = _local(name) in _OF_SCHEMA and not _denies(_local(name), text, element)
        if not name.startswith(_STANDARD) and not usual:
            yield f"{caption} - {_caption(_local(name))}", tidy_cell(text)


def _denies(name: str, text: str, element: Element) -> bool:
    """Whether an attribute of a schema may say no to the element's text."""
    empty = name == "nil" and text in {"true", "1"}
    return sheet_may_mean_no(text) or (empty and bool(tidy(element.text or "")))


def _attributes(element: Element) -> list[str]:
    """The attributes of the root as lines of a report, without those of a schema."""
    return [
        f"{_caption(_local(name))}: {tidy(text)}"
        for name, text in element.attrib.items()
        if not name.startswith(_STANDARD) and _local(name) not in _OF_SCHEMA
    ]


def _caption(tag: str) -> str:
    """The caption that a tag encodes: ``Adm_x0020_No`` is ``Adm No``."""
    return tidy(re.sub(r"_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), tag))


def _grid(found: _Found) -> Grid:
    captions = list(dict.fromkeys(name for record in found.records for name, _ in record))
    if len(captions) > MAX_COLUMNS:
        raise ExportUnreadable("This file is far larger than a school's export.")
    columns = {name: column for column, name in enumerate(captions)}
    lines = [Line(0, tuple(captions))] if captions else []
    for number, record in enumerate(found.records, start=1):
        cells: list[list[str]] = [[] for _ in captions]
        for name, text in record:
            cells[columns[name]].append(text)
        # A field that comes twice in a record is a list of values. No value is dropped.
        lines.append(Line(number, tuple(", ".join(texts) for texts in cells)))
    ctf = found.root == "ctfile"
    texts = () if ctf else (*telling_names(found.tags), *found.texts)
    return Grid("", lines, headed=True, run_on=found.run_on, complete=not ctf, texts=texts)
