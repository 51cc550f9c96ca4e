"""Accounts from the command line."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from django.db import transaction

from consent_gate.cli.app import app, the_home
from consent_gate.cli.console import say
from consent_gate.db import trail
from consent_gate.db.models import Role, User

user_app = typer.Typer(
    help="People who may log in.\n\n"
    "Example: consent-gate --home /srv/consent-gate user add j.brown",
    no_args_is_help=True,
)
app.add_typer(user_app, name="user")


@user_app.command("add")
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Log-in name: one person, never shared.")],
    role: Annotated[Role, typer.Option(help="What the person may do.")] = Role.REVIEWER,
) -> None:
    """Add a member of staff; the password is asked for, or read from standard input.

    Example: consent-gate --home /srv/consent-gate user add j.brown --role reviewer
    """
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError

    home = the_home(context)
    if User.objects.filter(username=name).exists():
        raise typer.BadParameter(f"There is somebody called '{name}' already.")
    password = _ask_password()
    user = User(username=name, role=role)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise typer.BadParameter(" ".join(error.messages)) from error
    user.set_password(password)
    with transaction.atomic():
        user.save()
        trail.record(home, "user.added", f"user:{name}", {"role": role.value})
    say(f"{name} may log in as {role.label.lower()}.")


def _ask_password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")
