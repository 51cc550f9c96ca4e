"""Registers all commands. Each module adds its own. Import after Django is configured."""

from typer.models import CommandInfo, TyperInfo

from consent_gate.cli import (
    albums,
    backfill,
    backup,
    calibrate,
    cameras,
    database,
    demo,
    doctor,
    event_classes,
    feed,
    gallery,
    import_history,
    import_sims,
    ingest,
    init,
    items,
    keys,
    never_publish,
    portraits,
    pupil,
    recall,
    retention,
    rules,
    run,
    status,
    term_report,
    trust,
    users,
    verification,
    worker,
)
from consent_gate.cli.app import app

PANELS = {
    "Setting up": ("init", "user", "demo"),
    "Consent": ("import-sims", "imports", "portraits", "pupil"),
    "Photos": (
        *("run", "ingest", "items", "explain", "check", "backfill"),
        *("event-classes", "event-album", "calibrate", "term-report", "cameras"),
    ),
    "Published pictures": (
        "recall",
        "tickets",
        "retention",
        "publish",
        "feed",
        "gallery",
        "sanitise",
        "verify",
    ),
    "Maintenance": (
        *("status", "rules", "doctor", "backup", "restore", "migrate"),
        *("audit", "keys", "database", "worker", "trust"),
    ),
}
"""Commands and groups by panel of ``--help``. A command missing here raises a ``KeyError``."""


def _sort_into_panels() -> None:
    panel_of = {name: panel for panel, names in PANELS.items() for name in names}
    order = list(panel_of)

    def name(info: CommandInfo | TyperInfo) -> str:
        callback = getattr(info, "callback", None)
        return str(info.name or getattr(callback, "__name__", ""))

    for infos in (app.registered_commands, app.registered_groups):
        for info in infos:
            info.rich_help_panel = panel_of[name(info)]
        infos.sort(key=lambda info: order.index(name(info)))


_sort_into_panels()

__all__ = [
    "albums",
    "app",
    "backfill",
    "backup",
    "calibrate",
    "cameras",
    "database",
    "demo",
    "doctor",
    "event_classes",
    "feed",
    "gallery",
    "import_history",
    "import_sims",
    "ingest",
    "init",
    "items",
    "keys",
    "never_publish",
    "portraits",
    "pupil",
    "recall",
    "retention",
    "rules",
    "run",
    "status",
    "term_report",
    "trust",
    "users",
    "verification",
    "worker",
]
