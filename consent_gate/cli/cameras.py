"""The register of the school's cameras, from the command line."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from consent_gate.cli.app import AsJson, app, open_selected_home
from consent_gate.cli.console import echo, print_json, print_table
from consent_gate.decisions import cameras
from consent_gate.decisions.rules import registered_cameras
from consent_gate.messages import counted

cameras_app = typer.Typer(
    help="The school's cameras.\n\nExample: consent-gate --home /srv/consent-gate cameras list",
    no_args_is_help=True,
)
app.add_typer(cameras_app, name="cameras")

WHICH = typer.Argument(metavar="MAKE|MODEL|SERIAL", help="As 'cameras list' shows it, in quotes.")


@cameras_app.command("list")
def list_cameras(context: typer.Context, as_json: AsJson = False) -> None:
    """Show every camera that took a picture here, and whether it is the school's.

    Example: consent-gate --home /srv/consent-gate cameras list
    """
    home = open_selected_home(context)
    found = cameras.list_cameras(home)
    if as_json:
        for camera in found:
            last = camera.last_seen.isoformat() if camera.last_seen else None
            print_json({**vars(camera), "last_seen": last})
        return
    print_table(
        "Cameras",
        ["Camera", "Pictures", "Last seen", "On the register"],
        [
            [
                camera.device or "(the picture names none)",
                str(camera.pictures),
                f"{home.local_time(camera.last_seen):%d/%m/%Y}" if camera.last_seen else "never",
                "yes" if camera.registered else "no",
            ]
            for camera in found
        ],
    )
    if not registered_cameras(home):
        echo("No camera is registered yet, so pictures from any camera pass.")
    else:
        rule = home.settings.cameras.rule.value
        echo(f"Pictures from other cameras: {rule} (consent-gate.toml, [cameras] rule).")


@cameras_app.command("add")
def add(context: typer.Context, camera: Annotated[str, WHICH]) -> None:
    """Put a camera on the register. Without a serial ("Canon|Canon EOS 2000D|"): the whole model.

    Example: consent-gate --home /srv/consent-gate cameras add "Canon|Canon EOS 2000D|0123456789"
    """
    _tell("is on the register", cameras.add(open_selected_home(context), camera, getpass.getuser()))


@cameras_app.command("confirm")
def confirm(context: typer.Context, camera: Annotated[str, WHICH]) -> None:
    """Say that a camera seen in pictures is the school's.

    Example: consent-gate --home /srv/consent-gate cameras confirm "Canon|Canon EOS 2000D|0123456"
    """
    _tell(
        "is on the register",
        cameras.confirm(open_selected_home(context), camera, getpass.getuser()),
    )


@cameras_app.command("remove")
def remove(context: typer.Context, camera: Annotated[str, WHICH]) -> None:
    """Take a camera off the register. Pictures that are out stay out; new ones are held.

    Example: consent-gate --home /srv/consent-gate cameras remove "Canon|Canon EOS 2000D|0123456"
    """
    _tell(
        "is off the register",
        cameras.remove(open_selected_home(context), camera, getpass.getuser()),
    )


def _tell(what: str, decided_again: int) -> None:
    pictures = counted(decided_again, "picture was", "pictures were")
    echo(f"The camera {what}; {pictures} decided again.")
