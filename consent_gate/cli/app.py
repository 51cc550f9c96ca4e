"""The command-line application and the options that its commands share."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from consent_gate import __version__
from consent_gate.bootstrap import open_home
from consent_gate.cli.registry import COMMANDS, PANELS
from consent_gate.errors import GateError
from consent_gate.home.home import HOME_VARIABLE, Home, home_folder
from consent_gate.names.printable import printable

UsageError: type[Exception] = typer.BadParameter.__mro__[1]
"""Base class of the errors that quote arguments. typer brings its own copy of click."""


class Commands(TyperGroup):
    """All commands, listed by name. The module of a command is imported when the command is run.

    A usage error quotes an argument, such as a file's name, only as plain text.
    """

    def __init__(self, *, commands: dict[str, Any], **named: Any) -> None:
        self.imported = commands
        self.given: tuple[str, ...] = ()
        super().__init__(
            commands={
                listed.name: TyperCommand(listed.name, help=listed.summary, rich_help_panel=panel)
                for panel, in_panel in PANELS.items()
                for listed in in_panel
            },
            **named,
        )

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, listed, rest = super().resolve_command(ctx, args)
        return name, listed and imported_command(str(listed.name)), rest

    def make_context(self, info_name: Any, args: list[str], *rest: Any, **named: Any) -> Any:
        self.given = tuple(args)
        with _plain_errors(self.given):
            return super().make_context(info_name, args, *rest, **named)

    def invoke(self, ctx: Any) -> Any:
        with _plain_errors(self.given):
            return super().invoke(ctx)


@contextmanager
def _plain_errors(given: tuple[str, ...]) -> Iterator[None]:
    """Put errors about the arguments that were ``given`` into words."""
    try:
        yield
    except UsageError as error:
        vars(error)["message"] = printable(str(vars(error)["message"]))
        raise
    except UnicodeEncodeError as error:
        if error.object not in given:
            raise
        raise typer.BadParameter(f"{printable(error.object)} is not text in UTF-8.") from error
    except OSError as error:
        if (about := _argument_of(error, given)) is None:
            raise
        raise FileArgumentUnusable(f"{printable(about or '.')}: {error.strerror}.") from error


class FileArgumentUnusable(GateError):
    """A file or folder that was named on the command line cannot be read or written."""

    next_step = "Name another file or folder."


def _argument_of(error: OSError, given: tuple[str, ...]) -> str | None:
    """The argument with the file that an error is about; None for any other file."""
    files = [Path(str(n)) for n in (error.filename, error.filename2) if n is not None]
    for argument in given:
        named = Path(argument)
        for file in files:
            is_partial = file.name.startswith(".partial-") and file.parent == named.parent
            if is_partial or file in {named, named.absolute()}:
                return argument
    return None


app = typer.Typer(
    name="consent-gate",
    cls=Commands,
    help="Releases a school's photos only where everyone shown has consented to that use.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    add_completion=False,
    pretty_exceptions_enable=False,
)


def imported_command(name: str) -> Any:
    """Import the module of a command, and return the command or group with its options."""
    import_module(f"consent_gate.cli.{COMMANDS[name].module}")
    group = cast(Commands, get_command(app))  # again, with what the module added to ``app``
    return group.imported[name]


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
