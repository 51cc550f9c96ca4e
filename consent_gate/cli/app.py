"""The command-line application and what all commands share."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from consent_gate import __version__
from consent_gate.bootstrap import open_home
from consent_gate.home.home import HOME_VARIABLE, Home, home_folder

app = typer.Typer(
    name="consent-gate",
    help="Releases a school's photos only where everyone shown has consented to that use.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    pretty_exceptions_enable=False,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for another program.")]


def _or_the_account(actor: str) -> str:
    return actor or getpass.getuser()


By = Annotated[
    str,
    typer.Option(
        help="Your name, for the record; else your account's.",
        show_default=False,
        callback=_or_the_account,
    ),
]
"""Who acts: the name of the account where none is given. Its default is ``""``."""


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"consent-gate {__version__}")
        raise typer.Exit


@app.callback()
def main_callback(
    context: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option("--home", envvar=HOME_VARIABLE, help="Folder made by 'consent-gate init'."),
    ] = None,
    version: Annotated[  # noqa: ARG001  handled by its callback
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Releases a school's photos only where everyone shown has consented to that use."""
    context.obj = home_folder(home)


def open_selected_home(context: typer.Context) -> Home:
    """Open the home that was asked for."""
    return open_home(context.obj)
