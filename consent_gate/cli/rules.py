"""The command ``rules``: both rule books with the settings and thresholds in force."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from consent_gate.cli.app import AsJson, app, open_selected_home
from consent_gate.cli.console import echo, print_json
from consent_gate.decisions.rules.rule_book import rule_book
from consent_gate.decisions.rules.rules_in_force import rules_in_force
from consent_gate.home.filesystem import replace_with
from consent_gate.operations.rules_page import rules_page


@app.command()
def rules(
    context: typer.Context,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html", dir_okay=False, help="Write a page to print, for governors, to this file."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show every rule of the gate, with the settings and thresholds in force.

    The audit entry of each decision names this text by its SHA-256.
    Example: consent-gate --home /srv/consent-gate rules --html rules.html
    """
    home = open_selected_home(context)
    book = rule_book(home, rules_in_force(home))
    if html is not None:
        replace_with(html, rules_page(home, book))
    if as_json:
        print_json(book.as_json())
    elif html is not None:
        echo(f"Written to {html}. The SHA-256 of the text is {book.sha256}.")
    else:
        echo(book.text)
        echo(f"SHA-256 of this text: {book.sha256}")
