"""The command ``gallery serve``: the public gallery, as a process of its own."""

from __future__ import annotations

import os
import sys

import typer

from consent_gate.cli.app import app
from consent_gate.errors import HomeNotFound, SettingsInvalid
from consent_gate.home.home import Home
from consent_gate.home.keys import NO_KEYS
from consent_gate.home.settings import FILE_NAME, load_settings
from consent_gate.web.public_gallery_server import PublicGalleryConfiguration, readable_by_gallery
from ingest.workers.sandbox import KEPT_VARIABLES

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""Hosts on which only a web server on this machine reaches the gallery, for all visitors."""

gallery_app = typer.Typer(
    help="The public gallery of approved pictures, for websites without a plugin.\n\n"
    "Example: consent-gate --home /srv/consent-gate gallery serve",
    no_args_is_help=True,
)
app.add_typer(gallery_app, name="gallery")


@gallery_app.command("serve")
def gallery_serve(context: typer.Context) -> None:
    """Serve the public gallery: the channels under \\[gallery] in consent-gate.toml.

    It opens no key and no database, and Linux keeps it from every file but the approved folders.
    Example: consent-gate --home /srv/consent-gate gallery serve
    """
    root = context.obj.resolve()
    if not (root / FILE_NAME).is_file():
        raise HomeNotFound(f"{root} is not a consent-gate home.")
    home = Home(root, load_settings(root / FILE_NAME), NO_KEYS)
    configuration = configuration_of(home)
    sys.stderr.write(
        f"The gallery is open at http://{configuration.host}:{configuration.port}/gallery/\n"
    )
    sys.stderr.flush()
    kept = {k: v for k, v in os.environ.items() if k.startswith(KEPT_VARIABLES)}
    program = [
        sys.executable,
        "-m",
        "consent_gate.web.public_gallery_server",
        configuration.as_json(),
    ]
    os.execve(sys.executable, program, kept)  # noqa: S606  a fresh process without our memory


def configuration_of(home: Home) -> PublicGalleryConfiguration:
    """What the gallery's process is told.

    Raises:
        SettingsInvalid: No channel is named, or the process could read private files.
    """
    chosen = home.settings.gallery
    if not chosen.channels:
        message = f"{home.root / FILE_NAME}: gallery.channels names no channel."
        raise SettingsInvalid(message)
    folders = {name: home.approved(name).resolve() for name in chosen.channels}
    private = [home.secrets, home.vault, home.database, home.inbox, home.sims]
    for readable in readable_by_gallery(folders.values()):
        for path in private:
            if path.resolve().is_relative_to(readable.resolve()):
                raise SettingsInvalid(f"The gallery could read {path}, as it lies in {readable}.")
    titles = home.settings.titles
    return PublicGalleryConfiguration(
        host=chosen.host,
        port=chosen.port,
        channels={name: (titles[name], str(folder)) for name, folder in folders.items()},
        frame_ancestors=chosen.frame_ancestors,
        hide_after_hours=chosen.hide_after_hours,
        sandbox_required=home.settings.analysis.sandbox == "required",
        proxy="*" if chosen.host in LOOPBACK else home.settings.web.proxy,
    )
