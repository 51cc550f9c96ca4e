"""The commands ``imports``: list and show past imports, undo grants, accept a blocked file."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from consent_gate.cli.app import AsJson, By, app, open_selected_home
from consent_gate.cli.console import echo, format_time, print_json, print_table
from consent_gate.db.models import ImportRun
from consent_gate.messages import counted, recalled_text
from sims_import.applying.drop_folder import accept_blocked, blocked_file
from sims_import.applying.history import changes_of, find_run, undo_grants
from sims_import.planning.change_json import as_json as change_as_json
from sims_import.planning.change_text import describe_change

imports_app = typer.Typer(
    help="Past imports of consent.\n\nExample: consent-gate --home /srv/consent-gate imports list",
    no_args_is_help=True,
)
app.add_typer(imports_app, name="imports")

Number = Annotated[int, typer.Argument(help="Number of the import, from 'imports list'.")]


@imports_app.command("list")
def list_imports(context: typer.Context, as_json: AsJson = False) -> None:
    """List every import with time, person, file and status.

    Example: consent-gate --home /srv/consent-gate imports list
    """
    home = open_selected_home(context)
    runs = list(ImportRun.objects.order_by("-pk"))
    if as_json:
        for run in runs:
            print_json(import_as_dict(run))
        return
    rows = (
        [str(r.pk), format_time(home, r.created_at), r.actor, r.status, r.file_name] for r in runs
    )
    print_table(f"{len(runs)} imports", ["Import", "When", "By", "Status", "File"], rows)
    for blocked in ImportRun.objects.filter(status=ImportRun.Status.BLOCKED):
        if blocked_file(home, blocked):
            echo(f"Waiting for you: consent-gate imports accept {blocked.pk} --accept CODE")


@imports_app.command("show")
def show(context: typer.Context, number: Number, as_json: AsJson = False) -> None:
    """Show what one import changed, pupil by pupil.

    Example: consent-gate --home /srv/consent-gate imports show 3
    """
    home, run = open_selected_home(context), find_run(number)
    changes = list(changes_of(run))
    if as_json:
        change_rows = [{"pupil": c.pupil, **change_as_json(c)} for c in changes]
        print_json({**import_as_dict(run), "changes": change_rows})
        return
    echo(
        f"Import {run.pk} of {run.file_name} by {run.actor}, "
        f"{format_time(home, run.created_at)}: {run.status}"
    )
    echo(f"SHA-256 {run.file_sha256}")
    if run.undone_at:
        echo(f"Its grants were undone by {run.undone_by}, {format_time(home, run.undone_at)}.")
    for block in run.summary.get("blocked", []):
        echo(f"  Warning ({block['code']}): {block['message']}")
    titles = home.settings.consent_titles
    for change in changes:
        echo(f"  {change.pupil}: {describe_change(change, titles, names=False)}")


@imports_app.command("undo-grants")
def undo(context: typer.Context, number: Number, by: By = "", as_json: AsJson = False) -> None:
    """Undo every consent that an import granted. What it withdrew stays withdrawn.

    Example: consent-gate --home /srv/consent-gate imports undo-grants 3
    """
    undone = undo_grants(open_selected_home(context), number, by)
    if as_json:
        print_json({"pupils": list(undone.pupils), "recalled": undone.recalled})
        return
    echo(f"What the import allowed is undone for {counted(len(undone.pupils), 'pupil')}.")
    echo(recalled_text(undone.recalled))


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
    """Import a file from the drop folder that warnings stopped. Exit 1 if a warning still stops it.

    Example: consent-gate --home /srv/consent-gate imports accept 4 --accept many-leavers
    """
    result = accept_blocked(open_selected_home(context), number, accept or [], by)
    if as_json:
        print_json(result)
    elif result["status"] == "applied":
        echo("The import is applied.")
    for block in [] if as_json else result["blocked"]:
        echo(f"Warning ({block['code']}): {block['message']}")
    raise typer.Exit(1 if result["status"] == "blocked" else 0)


def import_as_dict(run: ImportRun) -> dict[str, Any]:
    """Return one import as ``imports list --json`` prints it."""
    return {
        "import": run.pk,
        "at": run.created_at.isoformat(),
        "by": run.actor,
        "file": run.file_name,
        "sha256": run.file_sha256,
        "exported_on": run.exported_on.isoformat() if run.exported_on else None,
        "status": run.status,
        "accepted": run.accepted,
        "undone_by": run.undone_by or None,
    }
