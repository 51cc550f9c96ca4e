"""The commands ``recall`` and ``tickets``: withdraw pictures and track the remaining copies."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Annotated, Any

import typer

from consent_gate.cli.app import AsJson, By, app, open_selected_home
from consent_gate.cli.console import echo, echo_error, format_time, print_json, print_table
from consent_gate.db.event_folders import with_folders_above
from consent_gate.db.models import Item, Publication
from consent_gate.errors import ItemNotFound
from consent_gate.home.home import Home
from consent_gate.messages import counted
from consent_gate.register.identifiers import read_admission_number
from consent_gate.subject_rights.access import find_pupil
from publish.recall.tickets import STAFF, Ticket, confirm, open_tickets
from sims_import.applying.history import find_run

tickets_app = typer.Typer(
    help="Withdrawn pictures of which copies may be left.\n\n"
    "Example: consent-gate --home /srv/consent-gate tickets list",
    no_args_is_help=True,
)
app.add_typer(tickets_app, name="tickets")

if TYPE_CHECKING:
    from publish.recall.by_hand import RecallSelection

ImportRuns = Annotated[
    list[int] | None,
    typer.Option(
        "--import",
        help="Pictures of all pupils that this import changed: number from 'imports list'.",
    ),
]


@app.command()
def recall(  # noqa: PLR0913, PLR0917  one parameter an option
    context: typer.Context,
    pupil: Annotated[
        list[str] | None, typer.Option(help="Admission number of a pupil; repeat for more.")
    ] = None,
    item: Annotated[list[str] | None, typer.Option(help="Id of a picture, from 'items'.")] = None,
    event: Annotated[
        list[str] | None, typer.Option(help="Event folder in the inbox, with the folders below it.")
    ] = None,
    channel: Annotated[list[str] | None, typer.Option(help="Only in this channel.")] = None,
    import_run: ImportRuns = None,
    everything: Annotated[bool, typer.Option("--all", help="All published pictures.")] = False,
    confirmed: Annotated[
        bool,
        typer.Option("--confirm", help="Withdraw the pictures. Without it they are only listed."),
    ] = False,
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Withdraw published pictures. Without --confirm it only lists them.

    They stay withdrawn until a person approves them again. An import that withdraws a consent also
    withdraws its pictures; --import is for an import that was a mistake. A name or number that does
    not exist is an error, so that nobody takes a mistyped one for a recall. Exit 1 if a folder
    is not available.

    Example: consent-gate --home /srv/consent-gate recall --pupil 004123 --confirm
    """
    from publish.recall.by_hand import recall_selection, select_publications

    home = open_selected_home(context)
    chosen = (pupil, item, event, channel, import_run)
    if bool(everything) == any(chosen):
        raise typer.BadParameter(
            "Give --pupil, --import, --item, --event, --channel, or only --all."
        )
    selection = _selection(home, *chosen)
    if not confirmed:
        _show(list(select_publications(selection)), as_json=as_json, done=False)
        return
    result = recall_selection(home, selection, by)
    _show(list(result.publications), as_json=as_json, done=True)
    for problem in result.problems:
        echo_error(
            f"{problem.channel}: {problem.message} The pictures are removed when it is back."
        )
    raise typer.Exit(1 if result.problems else 0)


def _selection(  # noqa: PLR0913, PLR0917  one parameter an option
    home: Home,
    pupils: list[str] | None,
    items: list[str] | None,
    events: list[str] | None,
    channels: list[str] | None,
    imports: list[int] | None,
) -> RecallSelection:
    """The pictures that the options of ``recall`` name.

    Raises:
        ItemNotFound: One of them names something that does not exist.
    """
    from publish.recall.by_hand import RecallSelection

    return RecallSelection(
        pupils=[_known_pupil(number) for number in pupils or ()],
        items=[_known_item(pk) for pk in items or ()],
        events=[folder for name in events or () for folder in _known_events(name)],
        channels=[_known_channel(home, name) for name in channels or ()],
        imports=[find_run(number).pk for number in imports or ()],
    )


def _known_pupil(number: str) -> str:
    """The pupil's admission number today. Zeros at the beginning may be left out.

    Raises:
        ItemNotFound: No pupil has or had it.
    """
    try:
        return find_pupil(number).admission_number
    except ItemNotFound:
        return find_pupil(read_admission_number(number) or number).admission_number


def _known_item(pk: str) -> str:
    """The id of a picture.

    Raises:
        ItemNotFound: There is none with this id.
    """
    if not Item.objects.filter(pk=pk).exists():
        raise ItemNotFound(f"There is no picture {pk}.")
    return pk


def _known_events(name: str) -> list[str]:
    """The folder of this name, in each way of writing accents that the inbox has had.

    Raises:
        ItemNotFound: No picture came from it.
    """
    wanted = unicodedata.normalize("NFC", name).strip("/")
    names = Item.objects.exclude(event="").order_by().values_list("event", flat=True).distinct()
    folders = {folder for event in names for folder in with_folders_above(event)}
    found = [folder for folder in folders if unicodedata.normalize("NFC", folder) == wanted]
    if not found:
        raise ItemNotFound(f"There are no pictures in a folder '{name}' of the inbox.")
    return sorted(found)


def _known_channel(home: Home, name: str) -> str:
    """The name of a channel, also of one that is no longer in the settings.

    Raises:
        ItemNotFound: There is none.
    """
    known = name in home.settings.channels or Publication.objects.filter(channel=name).exists()
    if not known:
        raise ItemNotFound(f"There is no channel '{name}'.")
    return name


@tickets_app.command("list")
def tickets_list(context: typer.Context, as_json: AsJson = False) -> None:
    """List withdrawn pictures of which copies may be left. Exit 1 if there are any.

    Example: consent-gate --home /srv/consent-gate tickets list
    """
    home = open_selected_home(context)
    found = open_tickets(home)
    if as_json:
        print_json({"open": [_ticket(ticket) for ticket in found]})
    elif found:
        columns = ("Picture", "Channel", "Withdrawn", "Waiting for")
        print_table("Open tickets", columns, (_row(home, ticket) for ticket in found))
    else:
        echo("No open tickets: all copies of the withdrawn pictures are gone.")
    raise typer.Exit(1 if found else 0)


@tickets_app.command("confirm")
def tickets_confirm(
    context: typer.Context,
    publication: Annotated[
        list[str] | None, typer.Argument(help="Id, from 'tickets list'.")
    ] = None,
    channel: Annotated[
        str | None, typer.Option(help="Instead: all open tickets of this channel.")
    ] = None,
    reader: Annotated[
        str,
        typer.Option("--reader", help="Reader, or 'staff', whose copies are gone."),
    ] = STAFF,
    by: By = "",
) -> None:
    """Confirm that copies are gone, for example from a printed issue or a notice board.

    A confirmation is for one reader, or for 'staff'. It prints which tickets are closed, and for
    whom the others still wait. It covers the copies that the reader or staff made. Copies of
    visitors, caches and backups are not known to the gate.

    Example: consent-gate --home /srv/consent-gate tickets confirm --channel mag
    """
    home = open_selected_home(context)
    if bool(publication) == bool(channel):
        raise typer.BadParameter("Give the ids of pictures, or --channel.")
    if channel:
        rows = [t.publication for t in open_tickets(home) if t.publication.channel == channel]
    else:
        rows = list(Publication.objects.filter(pk__in=publication or ()))
        if len(rows) != len(set(publication or ())):
            raise typer.BadParameter("There is no such picture: 'tickets list' shows the ids.")
    confirm(home, rows, reader, by)
    waiting = {ticket.publication.pk: ticket for ticket in open_tickets(home)}
    left = [waiting[row.pk] for row in rows if row.pk in waiting]
    echo(f"Confirmed for {reader}: {counted(len(rows), 'picture')}.")
    echo(f"{counted(len(rows) - len(left), 'ticket is', 'tickets are')} closed.")
    for ticket in left:
        waits = ", ".join(ticket.waits_for) or "removal of the file"
        echo(f"  {ticket.publication.pk} still waits for {waits}")


def _show(rows: list[Publication], *, as_json: bool, done: bool) -> None:
    if as_json:
        print_json({"recalled" if done else "would_recall": [_publication(row) for row in rows]})
        return
    singular, plural = ("was", "were") if done else ("would be", "would be")
    echo(counted(len(rows), f"picture {singular}", f"pictures {plural}") + " withdrawn.")
    for row in rows[:20]:
        echo(f"  {row.channel}/{row.file}")
    if len(rows) > 20:
        echo(f"  and {len(rows) - 20} more")
    if rows and not done:
        echo("Run the same command with --confirm to withdraw them.")


def _publication(row: Publication) -> dict[str, Any]:
    return {"id": row.pk, "item": row.item_id, "channel": row.channel, "file": row.file}


def _ticket(ticket: Ticket) -> dict[str, Any]:
    row = ticket.publication
    return _publication(row) | {
        "cause": row.cause,
        "withdrawn_at": row.withdrawn_at.isoformat() if row.withdrawn_at else None,
        "removed": row.state == "removed",
        "pulled": [
            {"reader": p.reader, "last_at": p.last_at.isoformat(), "times": p.count}
            for p in ticket.downloads
        ],
        "waits_for": list(ticket.waits_for),
    }


def _row(home: Home, ticket: Ticket) -> tuple[str, str, str, str]:
    row = ticket.publication
    waits = ", ".join(ticket.waits_for) or "removal of the file"
    return row.pk, row.channel, format_time(home, row.withdrawn_at), waits
