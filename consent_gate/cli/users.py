"""The commands ``user``: staff accounts."""

from __future__ import annotations

import getpass
import sys
from enum import StrEnum
from typing import Annotated

import typer
from django.db import transaction

from consent_gate.cli.app import AsJson, app, open_selected_home
from consent_gate.cli.console import echo, print_json, print_table
from consent_gate.db import audit_log
from consent_gate.db.models import Role, User
from consent_gate.errors import ItemNotFound
from consent_gate.home.home import Home
from consent_gate.names.lookalike_text import fold_case

user_app = typer.Typer(
    help="Staff accounts.\n\nExample: consent-gate --home /srv/consent-gate user add j.brown",
    no_args_is_help=True,
)
app.add_typer(user_app, name="user")


class AccountChange(StrEnum):
    """The properties that ``user change`` can change."""

    ROLE = "role"
    EMAIL = "email"
    PASSWORD = "password"  # noqa: S105  not a secret
    NO_SECOND_STEP = "no-second-step"
    UNTIE = "untie"


Name = Annotated[str, typer.Argument(help="Log-in name of one person. Log-ins are never shared.")]


@user_app.command("add")
def add(
    context: typer.Context,
    name: Name,
    role: Annotated[Role, typer.Option(help="Role of the person.")] = Role.REVIEWER,
    email: Annotated[
        str, typer.Option(help="School e-mail address, for sign-in and messages.")
    ] = "",
) -> None:
    """Add an account. The password is asked for, or read from standard input.

    Example: consent-gate --home /srv/consent-gate user add j.brown --role reviewer
    """
    from django.contrib.auth.password_validation import validate_password
    from django.core.exceptions import ValidationError

    home = open_selected_home(context)
    user = User(username=name, role=role, email=email)
    try:
        user.clean()
        password = _ask_password()
        validate_password(password, user)
        user.clean_fields(exclude=["password", "first_name", "last_name", "username_key"])
    except ValidationError as error:
        raise typer.BadParameter(" ".join(error.messages)) from error
    user.set_password(password)
    with transaction.atomic():
        user.save()
        detail = {"role": role.value}
        audit_log.record(home, "user.added", f"user:{user.username}", detail, getpass.getuser())
    echo(f"{user.username} can log in as {role.label.lower()}.")


@user_app.command("list")
def list_people(context: typer.Context, as_json: AsJson = False) -> None:
    """List all accounts.

    Example: consent-gate --home /srv/consent-gate user list
    """
    open_selected_home(context)
    people = list(User.objects.order_by("username"))
    if as_json:
        for user in people:
            print_json(
                {"name": user.username, "role": user.role, "email": user.email}
                | {"open": user.is_active}
            )
        return
    print_table(
        "People",
        ["Log-in name", "Name", "Role", "Can log in"],
        [
            [u.username, u.get_full_name(), u.get_role_display(), "yes" if u.is_active else "no"]
            for u in people
        ],
    )


@user_app.command("change")
def change(
    context: typer.Context,
    name: Name,
    detail: Annotated[
        AccountChange,
        typer.Argument(help="What to change. untie: the link to a Google or Microsoft account."),
    ],
    value: Annotated[str, typer.Argument(help="The new role or address.")] = "",
) -> None:
    """Change an account. The person is logged out everywhere. password: you are asked for it.

    Example: consent-gate --home /srv/consent-gate user change j.brown role dpo
    """
    new = _ask_password() if detail is AccountChange.PASSWORD else value
    _change(open_selected_home(context), name, detail.value, new)
    echo(f"The account of {name} is changed.")


@user_app.command("close")
def close(context: typer.Context, name: Name) -> None:
    """Close an account. The person is logged out and cannot log in. Audit entries stay.

    Example: consent-gate --home /srv/consent-gate user close j.brown
    """
    _change(open_selected_home(context), name, "close")
    echo(f"{name} can no longer log in.")


@user_app.command("open")
def open_again(context: typer.Context, name: Name) -> None:
    """Reopen a closed account.

    Example: consent-gate --home /srv/consent-gate user open j.brown
    """
    _change(open_selected_home(context), name, "open")
    echo(f"{name} can log in again.")


def _change(home: Home, name: str, change_name: str, value: str = "") -> None:
    from django.core.exceptions import ValidationError

    from consent_gate.web.accounts import staff

    user = User.objects.filter(username_key=fold_case(name)).first()
    if user is None:
        raise ItemNotFound(
            f"No account has the log-in name '{name}'. Run 'consent-gate user list'."
        )
    try:
        staff.change_account(home, user, change_name, value, getpass.getuser())
    except ValidationError as error:
        raise typer.BadParameter(" ".join(error.messages)) from error
    except ValueError as error:
        raise typer.BadParameter(f"Choose one of {', '.join(Role.values)}.") from error


def _ask_password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")
