"""The commands ``feed``: access tokens for programs that read the channels over HTTP."""

from __future__ import annotations

import getpass
from datetime import timedelta
from typing import Annotated

import typer

from consent_gate.cli.app import AsJson, app, open_selected_home
from consent_gate.cli.console import echo, format_time, print_json, print_table
from consent_gate.db.models import FeedToken
from consent_gate.messages import counted
from publish.feed.readers import rename_reader
from publish.feed.tokens import end_token, new_token
from publish.recall.tickets import open_tickets

feed_app = typer.Typer(
    help="Access tokens for programs that read the channels over HTTP.\n\n"
    "Example: consent-gate --home /srv/consent-gate feed tokens",
    no_args_is_help=True,
)
app.add_typer(feed_app, name="feed")


@feed_app.command("token")
def feed_token(
    context: typer.Context,
    channel: Annotated[str, typer.Argument(help="Name of the channel, e.g. website.")],
    reader: Annotated[
        str,
        typer.Option("--reader", help="Name of the reader, e.g. wordpress."),
    ] = "website",
    overlap_days: Annotated[
        int, typer.Option(min=0, help="Days for which the older token of this reader still works.")
    ] = 7,
    as_json: AsJson = False,
) -> None:
    """Make an access token for one channel. It is shown only once.

    Example: consent-gate --home /srv/consent-gate feed token website --reader wordpress
    """
    home = open_selected_home(context)
    overlap = timedelta(days=overlap_days)
    token = new_token(home, channel, reader, overlap, getpass.getuser())
    if as_json:
        print_json({"channel": channel, "reader": reader, "token": token})
        return
    echo(token)
    echo("Keep it like a password. It is not stored here and cannot be shown again.")


@feed_app.command("tokens")
def feed_tokens(context: typer.Context, as_json: AsJson = False) -> None:
    """List the tokens, with channel, reader and time of last use.

    Example: consent-gate --home /srv/consent-gate feed tokens
    """
    home = open_selected_home(context)
    rows = list(FeedToken.objects.order_by("channel", "reader", "created_at"))
    if as_json:
        for row in rows:
            print_json(_as_dict(row))
        return
    print_table(
        "Tokens",
        ("Token", "Channel", "Reader", "Last used", "Valid until"),
        (
            (
                *(row.pk, row.channel, row.reader),
                *(
                    format_time(home, row.last_used_at, "never"),
                    format_time(home, row.ends_at, "-"),
                ),
            )
            for row in rows
        ),
    )


def _as_dict(row: FeedToken) -> dict[str, str | None]:
    return {
        "token": row.pk,
        "channel": row.channel,
        "reader": row.reader,
        "last_used_at": row.last_used_at.isoformat() if row.last_used_at else None,
        "ends_at": row.ends_at.isoformat() if row.ends_at else None,
    }


@feed_app.command("revoke")
def feed_revoke(
    context: typer.Context,
    token: Annotated[str, typer.Argument(help="First half of the token, from 'feed tokens'.")],
) -> None:
    """Revoke a token immediately.

    Example: consent-gate --home /srv/consent-gate feed revoke 4dz5…
    """
    home = open_selected_home(context)
    end_token(home, token, getpass.getuser())
    echo("The token no longer works.")
    row = FeedToken.objects.get(pk=token)
    waiting = sum(
        row.reader in ticket.waits_for
        for ticket in open_tickets(home)
        if ticket.publication.channel == row.channel
    )
    if waiting:
        echo(
            f"{counted(waiting, 'withdrawn picture')} may still be at '{row.reader}'. When its"
            f" copies are deleted: consent-gate tickets confirm --channel {row.channel}"
            f" --reader {row.reader}"
        )


@feed_app.command("rename")
def feed_rename(
    context: typer.Context,
    channel: Annotated[str, typer.Argument(help="Name of the channel.")],
    old: Annotated[str, typer.Argument(help="Present name of the reader, from 'feed tokens'.")],
    new: Annotated[str, typer.Argument(help="Its new name.")],
) -> None:
    """Give a reader another name. Its tokens and its open tickets move with it.

    Example: consent-gate --home /srv/consent-gate feed rename website wordpress new-site
    """
    rename_reader(open_selected_home(context), channel, old, new, getpass.getuser())
    echo(f"The reader '{old}' is called '{new}' now.")
