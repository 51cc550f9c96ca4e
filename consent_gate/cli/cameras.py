"""The commands ``cameras``: the register of the school's cameras."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from consent_gate.cli.app import AsJson, app, open_selected_home
from consent_gate.cli.console import echo, print_json, print_table
from consent_gate.decisions import cameras
from consent_gate.decisions.rules.rules_in_force import registered_cameras
from consent_gate.messages import counted

cameras_app = typer.Typer(
    help="List and register the school's cameras.\n\n"
    "Example: consent-gate --home /srv/consent-gate cameras list",
    no_args_is_help=True,
)
app.add_typer(cameras_app, name="cameras")

CAMERA = typer.Argument(metavar="MAKE|MODEL|SERIAL", help="As shown by 'cameras list', in quotes.")


@cameras_app.command("list")
def list_cameras(context: typer.Context, as_json: AsJson = False) -> None:
    """List every camera that took a picture, and whether it is registered as the school's.

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
                camera.device or "(no camera details in the file)",
                str(camera.pictures),
                f"{home.local_time(camera.last_seen):%d/%m/%Y}" if camera.last_seen else "never",
                "yes" if camera.registered else "no",
            ]
            for camera in found
        ],
    )
    if not registered_cameras(home):
        echo("No camera is registered yet, so pictures from any camera are allowed.")
    else:
        rule = home.settings.cameras.rule.value
        echo(f"Pictures from other cameras: {rule} (consent-gate.toml, [cameras] rule).")


@cameras_app.command("add")
def add(context: typer.Context, camera: Annotated[str, CAMERA]) -> None:
    """Register a camera. Without a serial ("Canon|Canon EOS 2000D|") all of that model count.

    Example: consent-gate --home /srv/consent-gate cameras add "Canon|Canon EOS 2000D|0123456789"
    """
    _print_result(
        "is on the register", cameras.add(open_selected_home(context), camera, getpass.getuser())
    )


@cameras_app.command("confirm")
def confirm(context: typer.Context, camera: Annotated[str, CAMERA]) -> None:
    """Register a camera that has taken pictures here as the school's.

    Example: consent-gate --home /srv/consent-gate cameras confirm "Canon|Canon EOS 2000D|0123456"
    """
    _print_result(
        "is on the register",
        cameras.confirm(open_selected_home(context), camera, getpass.getuser()),
    )


@cameras_app.command("remove")
def remove(context: typer.Context, camera: Annotated[str, CAMERA]) -> None:
    """Remove a camera from the register. Published pictures stay; new ones are held.

    Example: consent-gate --home /srv/consent-gate cameras remove "Canon|Canon EOS 2000D|0123456"
    """
    _print_result(
        "is no longer on the register",
        cameras.remove(open_selected_home(context), camera, getpass.getuser()),
    )


def _print_result(change: str, decided_again: int) -> None:
    pictures = counted(decided_again, "picture was", "pictures were")
    echo(f"The camera {change}. {pictures} checked again.")
