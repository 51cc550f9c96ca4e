"""Tokens for readers of the feeds."""

from __future__ import annotations

import getpass
from datetime import timedelta
from typing import Annotated

import typer

from consent_gate.cli.app import AsJson, app, open_selected_home
from consent_gate.cli.console import echo, format_time, print_json, print_table
from consent_gate.db.models import FeedToken
from publish.feed.tokens import end_token, new_token

feed_app = typer.Typer(
    help="Readers of the channels over HTTP.\n\n"
    "Example: consent-gate --home /srv/consent-gate feed tokens",
    no_args_is_help=True,
)
app.add_typer(feed_app, name="feed")


@feed_app.command("token")
def feed_token(
    context: typer.Context,
    channel: Annotated[str, typer.Argument(help="E.g. website.")],
    consumer: Annotated[str, typer.Option(help="Who reads, e.g. wordpress.")] = "website",
    overlap_days: Annotated[
        int, typer.Option(min=0, help="How long the reader's older token still works.")
    ] = 7,
    as_json: AsJson = False,
) -> None:
    """Make a token for a reader of one channel. It is shown once.

    Example: consent-gate --home /srv/consent-gate feed token website --consumer wordpress
    """
    home = open_selected_home(context)
    overlap = timedelta(days=overlap_days)
    token = new_token(home, channel, consumer, overlap, getpass.getuser())
    if as_json:
        print_json({"channel": channel, "consumer": consumer, "token": token})
        return
    echo(token)
    echo("Keep it like a password: it is not stored here and cannot be shown again.")


@feed_app.command("tokens")
def feed_tokens(context: typer.Context, as_json: AsJson = False) -> None:
    """Show who may read what, and when each read last.

    Example: consent-gate --home /srv/consent-gate feed tokens
    """
    home = open_selected_home(context)
    rows = list(FeedToken.objects.order_by("channel", "consumer", "created_at"))
    if as_json:
        for row in rows:
            print_json(_as_dict(row))
        return
    print_table(
        "Tokens",
        ("Token", "Channel", "Reader", "Last used", "Ends"),
        (
            (
                *(row.pk, row.channel, row.consumer),
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
        "consumer": row.consumer,
        "last_used_at": row.last_used_at.isoformat() if row.last_used_at else None,
        "ends_at": row.ends_at.isoformat() if row.ends_at else None,
    }


@feed_app.command("revoke")
def feed_revoke(
    context: typer.Context,
    token: Annotated[str, typer.Argument(help="Its first half, from 'feed tokens'.")],
) -> None:
    """Stop a token at once.

    Example: consent-gate --home /srv/consent-gate feed revoke 4dz5…
    """
    end_token(open_selected_home(context), token, getpass.getuser())
    echo("It opens nothing any more.")
