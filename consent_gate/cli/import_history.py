"""Imports so far: what each changed, and taking its grants back."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from consent_gate.cli.app import AsJson, By, app, the_home
from consent_gate.cli.console import print_json, print_table, say, when
from consent_gate.db.models import ImportRun
from consent_gate.messages import taken_back
from sims_import.applying.drop_folder import accept_waiting, waiting_file
from sims_import.applying.history import changes_of, find_run, undo_grants
from sims_import.planning.change_json import as_json as change_as_json
from sims_import.planning.change_text import told

imports_app = typer.Typer(
    help="Imports of consent so far.\n\n"
    "Example: consent-gate --home /srv/consent-gate imports list",
    no_args_is_help=True,
)
app.add_typer(imports_app, name="imports")

Number = Annotated[int, typer.Argument(help="Number of the import, from 'imports list'.")]


@imports_app.command("list")
def list_imports(context: typer.Context, as_json: AsJson = False) -> None:
    """List every import: when, who, which file, what became of it.

    Example: consent-gate --home /srv/consent-gate imports list
    """
    home = the_home(context)
    runs = list(ImportRun.objects.order_by("-pk"))
    if as_json:
        for run in runs:
            print_json(run_as_dict(run))
        return
    rows = ([str(r.pk), when(home, r.at), r.by, r.status, r.file_name] for r in runs)
    print_table(f"{len(runs)} imports", ["Import", "When", "By", "Status", "File"], rows)
    for blocked in ImportRun.objects.filter(status=ImportRun.Status.BLOCKED):
        if waiting_file(home, blocked):
            say(f"Waiting: consent-gate imports accept {blocked.pk} --accept CODE")


@imports_app.command("show")
def show(context: typer.Context, number: Number, as_json: AsJson = False) -> None:
    """Show what one import changed, pupil by pupil.

    Example: consent-gate --home /srv/consent-gate imports show 3
    """
    home, run = the_home(context), find_run(number)
    changes = list(changes_of(run))
    if as_json:
        told_as = [{"pupil": c.pupil, **change_as_json(c)} for c in changes]
        print_json({**run_as_dict(run), "changes": told_as})
        return
    say(f"Import {run.pk} of {run.file_name} by {run.by}, {when(home, run.at)}: {run.status}")
    say(f"SHA-256 {run.file_sha256}")
    if run.undone_at:
        say(f"Its grants were taken back by {run.undone_by}, {when(home, run.undone_at)}.")
    for brake in run.summary.get("blocked", []):
        say(f"  Stopped ({brake['code']}): {brake['message']}")
    titles = home.settings.consent_titles
    for change in changes:
        say(f"  {change.pupil}: {told(change, titles, names=False)}")


@imports_app.command("undo-grants")
def undo(context: typer.Context, number: Number, by: By = "", as_json: AsJson = False) -> None:
    """Take back every consent that an import granted. What it withdrew stays withdrawn.

    Example: consent-gate --home /srv/consent-gate imports undo-grants 3
    """
    undone = undo_grants(the_home(context), number, by)
    if as_json:
        print_json({"pupils": list(undone.pupils), "recalled": undone.recalled})
        return
    say(f"{len(undone.pupils)} pupils are as they were before the import.")
    say(taken_back(undone.recalled))


@imports_app.command("accept")
def accept_import(
    context: typer.Context,
    number: Number,
    accept: Annotated[
        list[str] | None, typer.Option(help="Code of a warning that you accept; repeat for more.")
    ] = None,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Import a file from the drop folder that was stopped. Exit 1 if something still stops it.

    Example: consent-gate --home /srv/consent-gate imports accept 4 --accept many-leavers
    """
    result = accept_waiting(the_home(context), number, accept or [], by)
    if as_json:
        print_json(result)
    elif result["status"] == "applied":
        say("Applied.")
    for brake in [] if as_json else result["blocked"]:
        say(f"Stopped ({brake['code']}): {brake['message']}")
    raise typer.Exit(1 if result["status"] == "blocked" else 0)


def run_as_dict(run: ImportRun) -> dict[str, Any]:
    """One import as ``imports list --json`` prints it."""
    return {
        "import": run.pk,
        "at": run.at.isoformat(),
        "by": run.by,
        "file": run.file_name,
        "sha256": run.file_sha256,
        "exported_on": run.exported_on.isoformat() if run.exported_on else None,
        "status": run.status,
        "accepted": run.accepted,
        "undone_by": run.undone_by or None,
    }
