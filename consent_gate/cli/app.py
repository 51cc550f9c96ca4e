"""The command-line application and the options that its commands share."""

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


def _default_actor(actor: str) -> str:
    return actor or getpass.getuser()


By = Annotated[
    str,
    typer.Option(
        help="Your name, for the audit trail. Default: the name of your account.",
        show_default=False,
        callback=_default_actor,
    ),
]
"""Option ``--by``: who acts. Commands give it the default ``""``, which means the account name."""


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"consent-gate {__version__}")
        raise typer.Exit


@app.callback()
def main_callback(
    context: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(
            "--home", envvar=HOME_VARIABLE, help="Home folder, made by 'consent-gate init'."
        ),
    ] = None,
    version: Annotated[  # noqa: ARG001  its callback handles it
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Releases a school's photos only where everyone shown has consented to that use."""
    context.obj = home_folder(home)


def open_selected_home(context: typer.Context) -> Home:
    """Open the home that ``--home`` or the environment names."""
    return open_home(context.obj)
