"""Imports exports and portraits that the office drops into ``HOME/sims``.

An export that has stopped changing is imported as far as no block stops it, then moved to
``done`` with a note, or to ``waiting`` where a person has to say something. Withdrawals are in
force either way. Portraits lie in ``photos``, or in a ZIP dropped with or without the export.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from consent_gate.db.models import ImportRun
from consent_gate.errors import ExportUnreadable, GateError, ItemNotFound
from consent_gate.home.filesystem import replace_with, set_modified
from consent_gate.home.home import Home
from ingest.enrolment.enrol import PhotoBatch, enrol_all, photos_report
from ingest.enrolment.plan import ListedPhoto
from ingest.enrolment.sources import (
    FolderOfPhotos,
    Photos,
    ZipOfPhotos,
    contains_export,
    contains_photos,
)
from ingest.enrolment.upload_queue import enrol_queued, record_photos
from ingest.enrolment.zip_contents import EXPORTS
from sims_import.applying.apply import ExportFile, photo_listing_file
from sims_import.applying.history import find_run
from sims_import.applying.run import run_import
from sims_import.planning.preview import answer_lines
from sims_import.readers.dispatch import read_table
from sims_import.readers.photo_list import read_photo_list

log = logging.getLogger(__name__)

DROP_FOLDER_ACTOR = "drop folder"
_DOCUMENTS = frozenset({".doc", ".docx", ".odt", ".pdf", ".rtf"})
"""No exports: they wait with a note that says how to make one of them."""
_WANTED = EXPORTS | _DOCUMENTS | {".htm", ".html", ".json", ".zip"}


def process_drop_folder(home: Home) -> list[dict[str, Any]]:
    """Import what was dropped and has settled; returns the contract's report of each export.

    Waits for the settling time where there is something new, and returns at once where not.
    Exports go first, so that a withdrawal never waits for photos that cannot be read.
    """
    dropped = list(_stable_files(home))
    photos = [path for path in dropped if _holds_photos_alone(path)]
    results = _process_all(home, [path for path in dropped if path not in photos])
    enrol_queued(home)
    results += _process_all(home, photos)
    if _photos_are_new(home):
        enrolled = photos_report(enrol_all(home, _photo_folder(home), DROP_FOLDER_ACTOR))
        _write_note(home, home.sims / "done", "photos", enrolled)
        _remember_photos(home)
    return results


def accept_blocked(
    home: Home, number: int, accepted: Collection[str], actor: str
) -> dict[str, Any]:
    """Import a waiting file again with the codes that a person accepts.

    Raises ItemNotFound where nothing waits under that number.
    """
    run = find_run(number)
    path = blocked_file(home, run)
    if path is None:
        raise ItemNotFound(f"No file of import {number} is waiting.")
    export = ExportFile(run.file_name, path.read_bytes())
    result = run_import(home, export, accepted, actor, _photos_for(home, path)).report
    if result["status"] != "blocked":
        finish_blocked(home, number, result)
    return result


def finish_blocked(home: Home, number: int, result: dict[str, Any]) -> None:
    """A waiting file was imported as a whole: put it away with a note. Raises ItemNotFound."""
    run = find_run(number)
    path = blocked_file(home, run)
    if path is not None:
        (path.parent / f"{path.name}.txt").unlink(missing_ok=True)
        _archive_file(home, path, "done", run.file_name, result)


def blocked_file(home: Home, run: ImportRun) -> Path | None:
    """The dropped file that waits for a person under this import's number."""
    found = sorted((home.sims / "waiting").glob(f"{run.pk} *"))
    return next((path for path in found if path.suffix.lower() in _WANTED), None)


def _stable_files(home: Home) -> Iterator[Path]:
    """Files whose bytes are the same at two looks, the settling time apart."""
    first = {path: _digest(path) for path in _list(home)}
    if not first:
        return
    time.sleep(home.settings.inbox.settle_seconds)
    for path, digest in first.items():
        if digest and _digest(path) == digest:
            yield path


def _list(home: Home) -> list[Path]:
    if not home.sims.is_dir():
        return []
    return sorted(
        path
        for path in home.sims.iterdir()
        if path.suffix.lower() in _WANTED
        and not path.name.startswith((".", "~$"))
        and path.is_file()
        and not path.is_symlink()
    )


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def _process_all(home: Home, paths: Iterable[Path]) -> list[dict[str, Any]]:
    results = []
    for path in paths:
        try:
            result = _process(home, path)
        except OSError as error:
            log.warning("A file in the drop folder cannot be read yet (%s).", type(error).__name__)
            continue
        results += [result] if result else []
    return results


def _holds_photos_alone(path: Path) -> bool:
    return contains_photos(path) and not contains_export(path)


def _process(home: Home, path: Path) -> dict[str, Any] | None:
    """Import one file and put it away. None for a ZIP of photos alone."""
    if _holds_photos_alone(path):
        run = _enter(home, path.name, _digest(path), ImportRun.Status.QUEUED)
        _archive_file(home, path, "done", path.name, record_photos(home, run, path))
        return None
    last = ImportRun.objects.order_by("-pk").first()
    if last and last.actor == DROP_FOLDER_ACTOR and last.file_sha256 == _digest(path):
        result: dict[str, Any] = last.summary  # imported already; only the file could not be moved
    else:
        result = _import(home, path)
        last = ImportRun.objects.order_by("-pk").first()
    blocked = result["status"] == "blocked"
    name = f"{last.pk} {path.name}" if blocked and last else path.name
    _archive_file(home, path, "waiting" if blocked else "done", name, result)
    return result


def _import(home: Home, path: Path) -> dict[str, Any]:
    export = ExportFile(path.name, path.read_bytes())
    try:
        result = run_import(home, export, (), DROP_FOLDER_ACTOR, _photos_for(home, path)).report
    except ExportUnreadable as error:
        return _enter_unreadable(home, export, error)
    _remember_photos(home)
    return result


def _enter_unreadable(home: Home, export: ExportFile, error: GateError) -> dict[str, Any]:
    """A file that is no export waits for a person like one that was stopped."""
    message = str(error)
    result: dict[str, Any] = {
        "status": "blocked",
        "blocked": [{"code": "unreadable", "message": message}],
        "errors": [{"row": 0, "column": "", "message": message}],
    }
    digest = hashlib.sha256(export.data).hexdigest()
    run = _enter(home, export.name, digest, ImportRun.Status.BLOCKED)
    run.summary = result
    run.save(update_fields=["summary"])
    return result


def _enter(home: Home, name: str, sha256: str, status: ImportRun.Status) -> ImportRun:
    """A dropped file that changes nothing on the register by itself."""
    return ImportRun.objects.create(
        file_name=name,
        file_sha256=sha256,
        status=status,
        complete=False,
        actor=DROP_FOLDER_ACTOR,
        created_at=home.now(),
    )


# --- photos --------------------------------------------------------------------------------


def _photos_for(home: Home, path: Path) -> PhotoBatch:
    """The photo folder, and the photos inside the ZIP that the export came in."""
    folder = _photo_folder(home)
    inside: list[Photos] = [ZipOfPhotos(path)] if contains_photos(path) else []
    return PhotoBatch([*folder.sources, *inside], folder.listed)


def _photo_folder(home: Home) -> PhotoBatch:
    root = home.sims / "photos"
    if not root.is_dir():
        return PhotoBatch()
    listed: dict[str, ListedPhoto] = {}
    for path in sorted(root.glob("*.csv")):
        listed |= read_photo_list(read_table(path.read_bytes(), path.name))
    return PhotoBatch([FolderOfPhotos(root)], listed)


def _photos_are_new(home: Home) -> bool:
    """Whether the photo folder has changed since it was last examined."""
    listing = _listing(home)
    return bool(listing) and listing != _photo_listing_file(home)


def _listing(home: Home) -> str:
    """A digest of the photos' names, sizes and times; nothing is opened, no name is kept."""
    root = home.sims / "photos"
    files = [p for p in root.rglob("*") if p.is_file()] if root.is_dir() else []
    facts = [(p.relative_to(root).as_posix(), p.stat()) for p in sorted(files)]
    text = json.dumps([(name, s.st_size, s.st_mtime_ns) for name, s in facts])
    return hashlib.sha256(text.encode()).hexdigest() if facts else ""


def _photo_listing_file(home: Home) -> str:
    path = photo_listing_file(home)
    return path.read_text("utf-8") if path.exists() else ""


def _remember_photos(home: Home) -> None:
    replace_with(photo_listing_file(home), _listing(home).encode(), 0o600)


# --- afterwards ----------------------------------------------------------------------------


def _archive_file(home: Home, path: Path, folder: str, name: str, result: dict[str, Any]) -> None:
    """Move the file to ``folder`` without replacing another file, and write its note."""
    target = home.sims / folder / name
    target.parent.mkdir(exist_ok=True)
    if target.exists() and target != path:
        target = target.with_name(f"{home.now():%Y-%m-%d %H%M%S} {name}")
    path.replace(target)
    with suppress(PermissionError):  # somebody else's file on a share keeps its own date
        set_modified(target, home.clock())
    _write_note(home, target.parent, target.name, result)


def _write_note(home: Home, folder: Path, name: str, result: dict[str, Any]) -> None:
    """In plain words, with admission numbers only."""
    path = folder / f"{name}.txt"
    replace_with(path, result_note(home, name, result).encode(), 0o600)
    set_modified(path, home.clock())


_COUNTED = {
    "added": "New pupils",
    "changed": "Pupils with changes",
    "withdrawn": "Pupils who lost a consent",
    "leavers": "Pupils who have left",
    "enrolled": "Enrolled for face matching",
}


def _problem_line(problem: dict[str, Any]) -> str:
    where = [f"row {problem['row']}"] if problem.get("row") else []
    where += [f"'{problem['column']}'"] if problem.get("column") else []
    return f"- {', '.join(where)}: {problem['message']}" if where else f"- {problem['message']}"


def _open_question_lines(questions: list[dict[str, Any]]) -> list[str]:
    """The questions as the page puts them, without cells of the file."""
    if not questions:
        return []
    asked = [f"- {question['message']}" for question in questions]
    return ["Open questions. Until somebody answers, it counts as not stated:", *asked, ""]


def _preview_lines(uses: list[dict[str, Any]]) -> list[str]:
    """What the file says of every use, beside the register."""
    if not uses:
        return []
    lines = ["What the file says of each use (in brackets: what the register says now):"]
    for line in answer_lines(uses):
        such = f", such as {', '.join(line.pupils)}" if line.pupils else ""
        lines.append(f"- {line.title}, {line.answer}: {line.count} ({line.last}){such}")
    return [*lines, ""]


def result_note(home: Home, name: str, result: dict[str, Any]) -> str:
    """The note on a dropped file for the office: what was applied, what waits and what is asked."""
    lines = [f"{name}, read on {home.now():%d/%m/%Y at %H:%M}", ""]
    if result.get("status") == "blocked":
        lines += ["This import waits for a person. Withdrawals and refusals are in force already."]
        lines += [f"- {block['message']} ({block['code']})" for block in result["blocked"]]
        lines += ["Open the page Imports, or use 'consent-gate imports accept'.", ""]
    lines += _open_question_lines(result.get("questions", []))
    lines += _preview_lines(result.get("preview", []))
    lines += [f"{words}: {len(result[key])}" for key, words in _COUNTED.items() if key in result]
    if "recalled" in result:
        lines.append(f"Published pictures withdrawn: {result['recalled']}")
    left_out = result.get("not_enrolled", [])
    lines += ["", f"Photos left out: {len(left_out)}"] if left_out else []
    lines += [f"- {left['pupil']}: {left['reason']}" for left in left_out]
    problems = [*result.get("errors", []), *result.get("warnings", [])]
    lines += [_problem_line(problem) for problem in problems]
    return "\n".join(lines) + "\n"
