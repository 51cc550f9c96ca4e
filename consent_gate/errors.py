"""Errors that a person can act on. Each class has its own exit code and says what to do next.

Exit codes 0 (done), 1 (held or blocked) and 2 (usage) are not errors of this kind. The table in
``docs/exit-codes.md`` is checked against these classes by a test.
"""

from __future__ import annotations

from typing import ClassVar


class GateError(Exception):
    """Base class of all errors that are shown to a person."""

    exit_code: ClassVar[int] = 10
    next_step: ClassVar[str] = "Run 'consent-gate doctor' and read what it says."

    def __str__(self) -> str:
        return f"{super().__str__()} {self.next_step}".strip()


class HomeNotFound(GateError):
    """The folder is not a consent-gate home."""

    exit_code = 11
    next_step = "Create one with 'consent-gate init FOLDER', or name yours with --home FOLDER."


class SettingsInvalid(GateError):
    """consent-gate.toml cannot be used."""

    exit_code = 12
    next_step = "Correct the line in consent-gate.toml and try again."


class KeyUnavailable(GateError):
    """A key file is missing, readable by others, or of the wrong size."""

    exit_code = 13
    next_step = "Put the key back from your separate key backup, readable by this account only."


class DecryptionError(GateError):
    """Stored bytes cannot be decrypted: they were altered, or belong to another key."""

    exit_code = 14
    next_step = "Restore the file and the keys from the same backup."


class ModelUnavailable(GateError):
    """A model's weight file is missing or is not the one that was tested."""

    exit_code = 15
    next_step = "Install again with 'make setup'; until then nothing is released."


class SchoolModelUnavailable(ModelUnavailable):
    """The school's own face model cannot be used."""

    exit_code = 48
    next_step = (
        "Nothing is examined until this is put right. Put the right file in its place, or correct"
        " or remove [recognition.model] in consent-gate.toml; see docs/school-model.md."
    )


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
    """The PostgreSQL server does not answer, or refuses this account."""

    exit_code = 37  # a code of its own: the service manager restarts the gate on this code
    next_step = (
        "Check that the server runs, and check [database] in consent-gate.toml and the password."
    )


class ItemNotFound(GateError):
    """No item, pupil or channel has that name."""

    exit_code = 18
    next_step = "'consent-gate items' lists all items."


class AwaitingExport(GateError):
    """The home was restored from a backup, and no export has been imported since."""

    exit_code = 22
    next_step = "Export from SIMS today and import the file: consent-gate import-sims FILE."


class UpgradeNeeded(GateError):
    """The database was made by another version of the program."""

    exit_code = 27
    next_step = "Run 'consent-gate migrate': it keeps a copy and then updates the database."


class StorageFull(GateError):
    """The disk is full or cannot be written to."""

    exit_code = 19
    next_step = "Free some space or correct the folder's permissions; nothing was lost."
