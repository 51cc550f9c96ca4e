"""Errors a person can act on. Each class has its own exit code and says what to do next.

Exit codes 0 (done), 1 (held or blocked) and 2 (usage) are not errors of this kind. The table in
``docs/exit-codes.md`` is checked against these classes by a test.
"""

from __future__ import annotations

from typing import ClassVar


class GateError(Exception):
    """Base of all errors that reach a person."""

    exit_code: ClassVar[int] = 10
    next_step: ClassVar[str] = "Run 'consent-gate doctor' and read what it says."

    def __str__(self) -> str:
        return f"{super().__str__()} {self.next_step}".strip()


class HomeNotFound(GateError):
    """The folder is not a consent-gate home."""

    exit_code = 11
    next_step = "Make one with 'consent-gate init FOLDER', or name yours with --home FOLDER."


class SettingsInvalid(GateError):
    """consent-gate.toml cannot be used."""

    exit_code = 12
    next_step = "Correct the line in consent-gate.toml and try again."


class KeyUnavailable(GateError):
    """A key file is missing, readable by others, or of the wrong size."""

    exit_code = 13
    next_step = "Put the key back from your separate key backup, readable by this account only."


class DecryptionError(GateError):
    """Stored bytes do not decrypt: they were altered, or the key is another one."""

    exit_code = 14
    next_step = "Restore the file and the keys from the same backup."


class ModelUnavailable(GateError):
    """A model's weight file is missing or is not the one that was measured."""

    exit_code = 15
    next_step = "Install again with 'make setup'; nothing is released until the models are whole."


class ExportUnreadable(GateError):
    """The file is not an export that can be read."""

    exit_code = 16
    next_step = "Save the report from SIMS again as CSV, Excel or XML."


class DocumentUnreadable(ExportUnreadable):
    """The file is a document of text, in which a table has no certain columns."""

    next_step = "Open it, copy the table into Excel and save that as .xlsx."


class DatabaseUnusable(GateError):
    """The database is locked, damaged or on a network share."""

    exit_code = 17
    next_step = "Keep gate.sqlite3 on a local disk; restore it from a backup if it is damaged."


class DatabaseUnreachable(DatabaseUnusable):
    """The PostgreSQL server does not answer, or does not let this account in."""

    exit_code = 37  # its own: a service is started again until the server is there
    next_step = "Check that the server runs, and [database] in consent-gate.toml with its password."


class ItemNotFound(GateError):
    """No item, pupil or channel goes by that name."""

    exit_code = 18
    next_step = "'consent-gate items' lists what there is."


class AwaitingExport(GateError):
    """The home was restored, and nobody has said since which consents still hold."""

    exit_code = 22
    next_step = "Export from SIMS today and import that: consent-gate import-sims FILE."


class UpgradeNeeded(GateError):
    """The database is of another version than the program."""

    exit_code = 27
    next_step = "Run 'consent-gate migrate': it keeps a copy and then brings it up to date."


class StorageFull(GateError):
    """The disk is full or cannot be written."""

    exit_code = 19
    next_step = "Free some space or mend the folder's permissions; nothing was lost."
