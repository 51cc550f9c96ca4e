"""Taking pictures back by hand, and the tickets that stay open until every copy is gone."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from consent_gate.cli.app import AsJson, By, app, open_selected_home
from consent_gate.cli.console import echo, echo_error, format_time, print_json, print_table
from consent_gate.db.models import Publication
from consent_gate.home.home import Home
from consent_gate.messages import counted
from publish.recall.tickets import STAFF, Ticket, confirm, open_tickets
from sims_import.applying.history import find_run

tickets_app = typer.Typer(
    help="Pictures taken back whose copies may be left.\n\n"
    "Example: consent-gate --home /srv/consent-gate tickets list",
    no_args_is_help=True,
)
app.add_typer(tickets_app, name="tickets")

ImportRuns = Annotated[
    list[int] | None,
    typer.Option("--import", help="Number from 'imports list': every pupil whom it changed."),
]


@app.command()
def recall(  # noqa: PLR0913, PLR0917  one parameter an option
    context: typer.Context,
    pupil: Annotated[
        list[str] | None, typer.Option(help="Admission number; repeat for more.")
    ] = None,
    item: Annotated[list[str] | None, typer.Option(help="Id of a picture, from 'items'.")] = None,
    event: Annotated[list[str] | None, typer.Option(help="Folder of the inbox.")] = None,
    channel: Annotated[list[str] | None, typer.Option(help="Only in this channel.")] = None,
    import_run: ImportRuns = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything that is out.")] = False,
    confirmed: Annotated[bool, typer.Option("--confirm", help="Do it; without it: show.")] = False,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Take pictures back. Without --confirm it only shows which. Exit 1 if a folder is away.

    They stay back until a person approves them again. An import that withdraws a consent takes its
    pictures back by itself; --import is for an import that should not have been made.

    Example: consent-gate --home /srv/consent-gate recall --pupil 004123 --confirm
    """
    from publish.recall.by_hand import RecallSelection, recall_selection, select_publications

    home = open_selected_home(context)
    chosen = (pupil, item, event, channel, import_run)
    if bool(everything) == any(chosen):
        raise typer.BadParameter("Say --pupil, --import, --item, --event, --channel or only --all.")
    for number in import_run or ():
        find_run(number)
    selection = RecallSelection(
        pupil or (), item or (), event or (), channel or (), import_run or ()
    )
    if not confirmed:
        _show(list(select_publications(selection)), as_json=as_json, done=False)
        return
    taken = recall_selection(home, selection, by)
    _show(list(taken.publications), as_json=as_json, done=True)
    for trouble in taken.problems:
        echo_error(f"{trouble.channel}: {trouble.message} The pictures go as soon as it is back.")
    raise typer.Exit(1 if taken.problems else 0)


@tickets_app.command("list")
def tickets_list(context: typer.Context, as_json: AsJson = False) -> None:
    """Show what was taken back and may still be somewhere. Exit 1 if there is any.

    Example: consent-gate --home /srv/consent-gate tickets list
    """
    home = open_selected_home(context)
    found = open_tickets(home)
    if as_json:
        print_json({"open": [_ticket(ticket) for ticket in found]})
    elif found:
        columns = ("Picture", "Channel", "Taken back", "Waits for")
        print_table("Open recalls", columns, (_row(home, ticket) for ticket in found))
    else:
        echo("Nothing is open: every copy of what was taken back is gone.")
    raise typer.Exit(1 if found else 0)


@tickets_app.command("confirm")
def tickets_confirm(
    context: typer.Context,
    publication: Annotated[list[str] | None, typer.Argument(help="Id, from 'list'.")] = None,
    channel: Annotated[
        str | None, typer.Option(help="All that is open in this channel instead.")
    ] = None,
    consumer: Annotated[str, typer.Option(help="Whose copies are gone.")] = STAFF,
    by: By = "",
) -> None:
    """Say that the copies are gone: from the printed issue, the notice board, a feed's reader.

    Example: consent-gate --home /srv/consent-gate tickets confirm --channel mag
    """
    home = open_selected_home(context)
    if bool(publication) == bool(channel):
        raise typer.BadParameter("Name pictures, or a channel.")
    if channel:
        rows = [t.publication for t in open_tickets(home) if t.publication.channel == channel]
    else:
        rows = list(Publication.objects.filter(pk__in=publication or ()))
        if len(rows) != len(set(publication or ())):
            raise typer.BadParameter("There is no such picture: 'tickets list' shows the ids.")
    confirm(home, rows, consumer, by)
    echo(f"Noted for {counted(len(rows), 'picture')}.")


def _show(rows: list[Publication], *, as_json: bool, done: bool) -> None:
    if as_json:
        print_json({"recalled" if done else "would_recall": [_publication(row) for row in rows]})
        return
    one, many = ("was", "were") if done else ("would be", "would be")
    echo(counted(len(rows), f"picture {one}", f"pictures {many}") + " taken back.")
    for row in rows[:20]:
        echo(f"  {row.channel}/{row.file}")
    if len(rows) > 20:
        echo(f"  and {len(rows) - 20} more")
    if rows and not done:
        echo("Say the same with --confirm to take them back.")


def _publication(row: Publication) -> dict[str, Any]:
    return {"id": row.pk, "item": row.item_id, "channel": row.channel, "file": row.file}


def _ticket(ticket: Ticket) -> dict[str, Any]:
    row = ticket.publication
    return _publication(row) | {
        "cause": row.cause,
        "withdrawn_at": row.withdrawn_at.isoformat() if row.withdrawn_at else None,
        "removed": row.state == "removed",
        "pulled": [
            {"consumer": p.consumer, "last_at": p.last_at.isoformat(), "times": p.count}
            for p in ticket.downloads
        ],
        "waits_for": list(ticket.waits_for),
    }


def _row(home: Home, ticket: Ticket) -> tuple[str, str, str, str]:
    row = ticket.publication
    waits = ", ".join(ticket.waits_for) or "the file to be removed"
    return row.pk, row.channel, format_time(home, row.withdrawn_at), waits
