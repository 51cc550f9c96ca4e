"""All commands; each module adds its own to the app. Import after Django is prepared."""

from typer.models import CommandInfo, TyperInfo

from consent_gate.cli import (
    backfill,
    backup,
    calibrate,
    cameras,
    database,
    demo,
    doctor,
    feed,
    import_history,
    import_sims,
    ingest,
    init,
    items,
    keys,
    never_publish,
    pupil,
    recall,
    retention,
    run,
    status,
    trust,
    users,
    verification,
    worker,
)
from consent_gate.cli.app import app

PANELS = {
    "Setting up": ("init", "user", "demo"),
    "Consent": ("import-sims", "imports", "pupil"),
    "Photos": (
        *("run", "ingest", "items", "explain", "check", "backfill"),
        *("event-classes", "calibrate", "cameras"),
    ),
    "What is out": ("recall", "tickets", "retention", "publish", "feed", "sanitise", "verify"),
    "Looking after it": (
        *("status", "doctor", "backup", "restore", "migrate"),
        *("audit", "keys", "database", "worker", "trust"),
    ),
}
"""Every command and group, as ``--help`` lists them. One that is missing here stops the start."""


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
    "app",
    "backfill",
    "backup",
    "calibrate",
    "cameras",
    "database",
    "demo",
    "doctor",
    "feed",
    "import_history",
    "import_sims",
    "ingest",
    "init",
    "items",
    "keys",
    "never_publish",
    "pupil",
    "recall",
    "retention",
    "run",
    "status",
    "trust",
    "users",
    "verification",
    "worker",
]
