"""Names all commands. The module of a command is imported when the command is run.

A command then loads only what it needs: most need no face models, and loading these takes longer
than all the rest.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Listed:
    """One line of ``consent-gate --help``."""

    name: str
    """As it is typed."""
    module: str
    """Module of ``consent_gate.cli`` whose import adds the command to the application."""
    summary: str
    """First paragraph of the command's own help, in rich's markup."""


PANELS = {
    "Setting up": (
        Listed(
            "init",
            "init",
            "Make a home folder: settings, keys, database and the folders for photos.",
        ),
        Listed("user", "users", "Staff accounts."),
        Listed(
            "demo",
            "demo",
            "Build a made-up school from public-domain photos and put its photos through the gate.",
        ),
    ),
    "Consent": (
        Listed(
            "import-sims",
            "import_sims",
            "Import consent from a SIMS export: shows what will change, then applies it.",
        ),
        Listed("imports", "import_history", "Past imports of consent."),
        Listed(
            "portraits",
            "portraits",
            "Check that each enrolment portrait shows the pupil whose name it carries.",
        ),
        Listed(
            "pupil", "never_publish", "The data about pupils."
        ),  # imports cli.pupil and adds to it
    ),
    "Photos": (
        Listed(
            "run",
            "run",
            "Run the gate: watch the inbox, release cleared pictures and serve the web pages.",
        ),
        Listed(
            "ingest", "ingest", "Process the photos in the inbox: examine, decide and release them."
        ),
        Listed("items", "items", "List the photos and the decisions about them."),
        Listed("explain", "items", "Explain why one photo is held or was released."),
        Listed(
            "check",
            "ingest",
            "Show what the gate would decide about pictures and films, without storing them.",
        ),
        Listed(
            "backfill",
            "backfill",
            "Check for every picture in an archive whether it may be shown. Releases nothing.",
        ),
        Listed(
            "event-classes",
            "event_classes",
            "Record who was at an event. Only these pupils are then cleared automatically.",
        ),
        Listed(
            "event-album",
            "albums",
            "Publish the pictures of an event as an album with this title.",
        ),
        Listed(
            "calibrate",
            "calibrate",
            "Measure the school's own enrolment photos and propose thresholds; a person accepts"
            " them.",
        ),
        Listed(
            "term-report",
            "term_report",
            "Compare what the machine recognised with what staff corrected, by year group.",
        ),
        Listed("cameras", "cameras", "List and register the school's cameras."),
    ),
    "Published pictures": (
        Listed(
            "recall", "recall", "Withdraw published pictures. Without --confirm it only lists them."
        ),
        Listed("tickets", "recall", "Withdrawn pictures of which copies may be left."),
        Listed(
            "retention",
            "retention",
            "Delete permanently what is older than the retention periods in the settings.",
        ),
        Listed("publish", "verification", "Check and refill the approved folders."),
        Listed("feed", "feed", "Access tokens for programs that read the channels over HTTP."),
        Listed(
            "gallery",
            "public_gallery",
            "The public gallery of approved pictures, for websites without a plugin.",
        ),
        Listed(
            "sanitise",
            "verification",
            "Write a copy of a picture without metadata. Does not check consent.",
        ),
        Listed(
            "verify",
            "verification",
            "Check a file for anything that a published picture must not hold. Exit 1 if it has"
            " any.",
        ),
    ),
    "Maintenance": (
        Listed(
            "status",
            "status",
            "Show the state of the gate: age of the consent list, waiting and published pictures.",
        ),
        Listed(
            "rules",
            "rules",
            "Show every rule of the gate, with the settings and thresholds in force.",
        ),
        Listed(
            "doctor",
            "doctor",
            "Check the installation, the folders, the keys, the database and the clock.",
        ),
        Listed(
            "backup",
            "backup",
            "Back up database, originals and settings, and verify the copy. The gate may keep"
            " running.",
        ),
        Listed("restore", "backup", "Restore a backup into the empty folder named with --home."),
        Listed(
            "migrate",
            "backup",
            "Update the database to this version of the program. A copy is kept.",
        ),
        Listed("audit", "verification", "Verify and export the audit trail."),
        Listed("keys", "keys", "The keys that protect templates, portraits and originals."),
        Listed("database", "database", "Move the home's database to PostgreSQL."),
        Listed(
            "worker",
            "worker",
            'Examine photos for a home with the setting where = "workers" under \\[analysis].',
        ),
        Listed(
            "trust",
            "trust",
            "Several schools in one installation, each with a home of its own.",
        ),
    ),
}
"""Commands and groups by panel of ``--help``."""

COMMANDS = {listed.name: listed for commands in PANELS.values() for listed in commands}
"""Commands and groups by name."""
