"""The command ``event-album``: the public title of an event's pictures."""

from __future__ import annotations

from typing import Annotated

import typer

from consent_gate.cli.app import AsJson, By, app, open_selected_home
from consent_gate.cli.console import echo, print_json, print_table
from consent_gate.db.models import Album


@app.command("event-album")
def event_album(
    context: typer.Context,
    event: Annotated[
        str, typer.Argument(help="Event folder in the inbox. Without it, all albums are listed.")
    ] = "",
    title: Annotated[
        str, typer.Argument(help="Title that everybody may read. Empty removes the album.")
    ] = "",
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Publish the pictures of an event as an album with this title.

    Websites can show one album. The folder's name is never published, and a title that names a
    pupil is refused. Without a title, the event's album is removed.

    Example: consent-gate --home /srv/consent-gate event-album sports-day "Sports day 2026"
    """
    from publish.albums import set_album

    home = open_selected_home(context)
    if not event:
        _list(as_json=as_json)
        return
    event = event.strip("/")
    saved = set_album(home, event, title, by)
    if as_json:
        print_json({"event": event, "album": saved})
    else:
        echo(f"{event}: album '{saved}'." if saved else f"{event}: no album.")


def _list(*, as_json: bool) -> None:
    rows = list(Album.objects.order_by("event").values_list("event", "title"))
    if as_json:
        print_json({"albums": [{"event": event, "album": title} for event, title in rows]})
    elif rows:
        print_table("Albums", ("Event folder", "Title on websites"), rows)
    else:
        echo('No event has an album yet. Example: event-album sports-day "Sports day 2026"')
