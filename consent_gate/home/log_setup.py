"""Set up the log of the gate: one JSON object a line, in rotated files, without personal data.

Photo files are often named after children, and the text of an error may name its file. So the log
has the class and the lines of code of an error, but not its text. It has no path of a photo, and no
admission number in a URL. The audit trail records what happened to whom, under pseudonyms.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from datetime import UTC
from logging.handlers import RotatingFileHandler
from pathlib import Path

import structlog
from structlog.typing import EventDict, Processor

from consent_gate.errors import GateError
from consent_gate.home.home import Home
from consent_gate.names.printable import printable_line

FOLDER, FILE = "logs", "gate.log"
MAX_BYTES, MAX_FILES = 10 << 20, 9
"""At most 100 MB in all, with the file that is written to."""

QUIET_LOGGERS = (
    *("PIL", "exifread", "waitress.queue", "django.server", "watchdog", "asyncio"),
    *("procrastinate", "psycopg"),
)
"""Libraries that log from WARNING on: their other lines are of no use to a school or name files."""

PRIVATE_PATTERNS = (
    (re.compile(r"(/pupils/)[^/\s]+"), r"\1…"),
    (
        re.compile(
            r"[^\s'\"]*[/\\][^'\"\n]*?\.(?:jpe?g|mpo|png|hei[cf]|avif|tiff?|webp|gif|cr[23]|nef|arw|dng"
            r"|mp4|mov|csv|xlsx?|xml|zip|pdf)\b",
            re.IGNORECASE,
        ),
        "(file)",
    ),
)
"""Patterns and replacements of admission numbers in URLs and of paths of photos and exports."""


def start(home: Home) -> Path:
    """Log as JSON to a file in the home and in plain lines to standard error.

    Replaces the handlers of an earlier call. Returns the path of the file.
    """
    folder = home.root / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / FILE
    to_file = RotatingFileHandler(
        path, maxBytes=MAX_BYTES, backupCount=MAX_FILES, encoding="utf-8", delay=True
    )
    as_json = structlog.processors.JSONRenderer(ensure_ascii=False)
    log_to_stderr()
    _add(to_file, [_add_timestamp(home), as_json])
    return path


def log_to_stderr() -> None:
    """Log in plain lines to standard error only. Replaces the handlers of an earlier call.

    A file would lose lines if several machines wrote and rotated it.
    """
    stop()
    _add(logging.StreamHandler(sys.stderr), [_plain_line])
    logging.getLogger().setLevel(logging.INFO)
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)


def stop() -> None:
    """Remove the handlers that ``start`` set up and close the file."""
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h.formatter, _Formatter)]:
        root.removeHandler(handler)
        handler.close()


def _add_timestamp(home: Home) -> Processor:
    """Return a processor that adds the time of the home's clock."""

    def stamp(_logger: object, _method: str, event: EventDict) -> EventDict:
        event["timestamp"] = f"{home.clock().astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        return event

    return stamp


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """A class of our own, so that ``stop`` finds our handlers."""


def _add(handler: logging.Handler, last: list[Processor]) -> None:
    first: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        replace_error,
        remove_private_data,
        remove_unprintable,
    ]
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(_Formatter(processors=[*first, remove, *last], foreign_pre_chain=[]))
    handler.addFilter(_hide_error_text)
    logging.getLogger().addHandler(handler)


def replace_error(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Replace a traceback by the classes of the errors and the lines of code."""
    info = event.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)
        event["error"] = " from ".join(type(e).__name__ for e in _causes(error))
        event["where"] = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames]
    return event


def remove_private_data(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Replace everything in the event's text that matches ``PRIVATE_PATTERNS``."""
    text = str(event.get("event", ""))
    for pattern, replacement in PRIVATE_PATTERNS:
        text = pattern.sub(replacement, text)
    event["event"] = text
    return event


def remove_unprintable(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Make each text of the event one line without characters that command a terminal."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = printable_line(value)
        elif isinstance(value, list):
            event[key] = [printable_line(str(part)) for part in value]
    return event


def _hide_error_text(record: logging.LogRecord) -> bool:
    """Replace errors in a record's arguments by their class; our own errors keep their message."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            _error_label(a) if isinstance(a, BaseException) else a for a in record.args
        )
    return True


def _error_label(error: BaseException) -> str:
    if isinstance(error, GateError):
        return str(error)
    strerror = error.strerror if isinstance(error, OSError) else None
    return f"{type(error).__name__}: {strerror}" if strerror else type(error).__name__


def _causes(error: BaseException) -> list[BaseException]:
    """The error and the chain of its causes."""
    found: list[BaseException] = [error]
    while (cause := found[-1].__cause__ or found[-1].__context__) and cause not in found:
        found.append(cause)
    return found


def _plain_line(_logger: object, _method: str, event: EventDict) -> str:
    """Render an event for a terminal or the journal, without a time: the journal adds one."""
    where = f" ({event['error']} at {event['where'][-1]})" if event.get("where") else ""
    return f"{str(event.get('level', '')).upper()} {event['event']}{where}"
