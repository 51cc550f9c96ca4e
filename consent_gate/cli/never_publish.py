"""The commands that lift a never-publish mark: one person asks and another confirms."""

from __future__ import annotations

from typing import Annotated

import typer

from consent_gate.cli.app import By, open_selected_home
from consent_gate.cli.console import echo
from consent_gate.cli.pupil import Number, pupil_app

SecondPerson = Annotated[
    str, typer.Option("--by", help="Your log-in name. You must not be the person who asked.")
]


@pupil_app.command("lift-mark")
def lift_mark(context: typer.Context, number: Number, by: By = "") -> None:
    """Ask for a pupil's never-publish mark to be lifted. It stays until a second person confirms.

    Example: consent-gate --home /srv/consent-gate pupil lift-mark 004123 --by j.brown
    """
    from consent_gate.subject_rights.never_publish import ask_to_lift

    lift = ask_to_lift(open_selected_home(context), number, by)
    echo(f"Requested by {lift.asked_by}. The mark stays until a second person runs:")
    echo(f"  consent-gate pupil confirm-lift {number} --by NAME")


@pupil_app.command("confirm-lift")
def confirm_mark_lift(context: typer.Context, number: Number, by: SecondPerson) -> None:
    """Confirm, as the second person, that a never-publish mark is lifted.

    Example: consent-gate --home /srv/consent-gate pupil confirm-lift 004123 --by m.reid
    """
    from consent_gate.subject_rights.never_publish import confirm_lift

    confirm_lift(open_selected_home(context), number, by)
    echo("The mark is lifted. Pictures that may now be released are examined again first.")


@pupil_app.command("keep-mark")
def keep_never_publish(context: typer.Context, number: Number, by: By = "") -> None:
    """Refuse a request to lift a never-publish mark. The mark stays.

    Example: consent-gate --home /srv/consent-gate pupil keep-mark 004123 --by m.reid
    """
    from consent_gate.subject_rights.never_publish import refuse_lift

    refuse_lift(open_selected_home(context), number, by)
    echo("The mark stays.")
