"""The gate's log: one JSON object a line, kept short by rotation, and nobody's name in it.

Photos are called after children, and an error's own text names the file it is about. So of an
error only its kind and where it happened are written, never its text; of an address that ends in an
admission number only the beginning, and of a photo's path nothing. What happened to whom is in the
audit trail, under pseudonyms.
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

FOLDER, FILE = "logs", "gate.log"
MAX_BYTES, MAX_FILES = 10 << 20, 9
"""100 MB in all, the file being written among them."""

QUIET = (
    *("PIL", "exifread", "waitress.queue", "django.server", "watchdog", "asyncio"),
    *("procrastinate", "psycopg"),
)
"""Libraries whose lines below a warning say nothing to a school, or quote files."""

PRIVATE = (
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
"""What is never written: admission numbers in addresses, paths of photos and exports."""


def start(home: Home) -> Path:
    """Log to the home's folder as JSON, and in plain lines to standard error. Returns the file.

    Replaces what a former call set up.
    """
    folder = home.root / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / FILE
    to_file = RotatingFileHandler(
        path, maxBytes=MAX_BYTES, backupCount=MAX_FILES, encoding="utf-8", delay=True
    )
    as_json = structlog.processors.JSONRenderer(ensure_ascii=False)
    log_to_stderr()
    _add(to_file, [_stamped_by(home), as_json])
    return path


def log_to_stderr() -> None:
    """Log in plain lines to standard error alone: a file that several machines write and rotate
    would lose lines. Replaces what a former call set up.
    """
    stop()
    _add(logging.StreamHandler(sys.stderr), [_plain_line])
    logging.getLogger().setLevel(logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def stop() -> None:
    """Take away what ``start`` set up and close the file."""
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h.formatter, _Formatter)]:
        root.removeHandler(handler)
        handler.close()


def _stamped_by(home: Home) -> Processor:
    """Adds the time by the home's clock."""

    def stamp(_logger: object, _method: str, event: EventDict) -> EventDict:
        event["timestamp"] = f"{home.clock().astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        return event

    return stamp


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Of our own kind, so that ``stop`` finds it."""


def _add(handler: logging.Handler, last: list[Processor]) -> None:
    first: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        error_without_its_text,
        without_private_words,
    ]
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(_Formatter(processors=[*first, remove, *last], foreign_pre_chain=[]))
    handler.addFilter(_errors_as_kinds)
    logging.getLogger().addHandler(handler)


def error_without_its_text(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Instead of a traceback: the kinds of error, and the lines where they happened."""
    info = event.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)
        event["error"] = " from ".join(type(e).__name__ for e in _causes(error))
        event["where"] = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames]
    return event


def without_private_words(_logger: object, _method: str, event: EventDict) -> EventDict:
    """The event's text without what ``PRIVATE`` finds."""
    text = str(event.get("event", ""))
    for pattern, instead in PRIVATE:
        text = pattern.sub(instead, text)
    event["event"] = text
    return event


def _errors_as_kinds(record: logging.LogRecord) -> bool:
    """Errors that are arguments of a message are written by kind; ours have plain sentences."""
    if isinstance(record.args, tuple):
        record.args = tuple(_kind(a) if isinstance(a, BaseException) else a for a in record.args)
    return True


def _kind(error: BaseException) -> str:
    if isinstance(error, GateError):
        return str(error)
    detail = error.strerror if isinstance(error, OSError) else None
    return f"{type(error).__name__}: {detail}" if detail else type(error).__name__


def _causes(error: BaseException) -> list[BaseException]:
    """The error and what led to it."""
    found: list[BaseException] = [error]
    while (cause := found[-1].__cause__ or found[-1].__context__) and cause not in found:
        found.append(cause)
    return found


def _plain_line(_logger: object, _method: str, event: EventDict) -> str:
    """For a terminal or the journal, which has its own time."""
    where = f" ({event['error']} at {event['where'][-1]})" if event.get("where") else ""
    return f"{str(event.get('level', '')).upper()} {event['event']}{where}"
