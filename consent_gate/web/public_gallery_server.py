"""The process of the public gallery, which ``consent-gate gallery serve`` starts.

The process opens no database and no key. It first opens its port. Then it gives up access to all
files except the approved folders and the program's own. Then it loads the code that answers
requests, because Landlock restricts only threads that start after it.
docs/adr/0017-public-gallery.md has the reasons.
"""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from ingest.workers import sandbox

THREADS = 8
"""Requests that are answered at the same time."""
SPARE_CONNECTIONS = 20
"""Sockets of the server itself, and connections that are being closed."""
MEGABYTES = 2048
"""Limit of the address space, in MiB."""

PACKAGES = ("consent_gate", "ingest", "publish")


@dataclass(frozen=True)
class PublicGalleryConfiguration:
    """Everything that the process needs to know; it can read no settings file."""

    host: str
    port: int
    channels: dict[str, tuple[str, str]]
    """By name: the title, and the path of the approved folder."""
    frame_ancestors: tuple[str, ...]
    hide_after_hours: int
    sandbox_required: bool
    proxy: str = ""
    """Address of the web server in front, which may open any number of connections."""

    def as_json(self) -> str:
        """Return the configuration as the argument of the process."""
        return json.dumps(asdict(self))


def main() -> None:
    """Serve until the process is ended."""
    configuration = PublicGalleryConfiguration(**json.loads(sys.argv[1]))
    try:
        listening = socket.create_server((configuration.host, configuration.port), backlog=128)
    except OSError as error:
        sys.exit(f"The gallery cannot listen on port {configuration.port}: {error.strerror}.")
    folders = [Path(folder) for _, folder in configuration.channels.values()]
    try:
        sandbox.enter_server(folders, PACKAGES, MEGABYTES)
    except OSError as error:
        _require_sandbox(configuration, error)
    serve(configuration, listening)


def _require_sandbox(configuration: PublicGalleryConfiguration, error: OSError) -> None:
    """End the process, unless the settings let it run without a part of the sandbox."""
    if configuration.sandbox_required:
        sys.stderr.write(f"This machine cannot restrict the gallery: {error}\n")
        sys.exit(47)


def serve(configuration: PublicGalleryConfiguration, listening: socket.socket) -> None:
    """Load what answers requests, limit the system calls, and answer requests on the socket."""
    server = make_server(configuration, listening)
    try:
        sandbox.restrict_server_calls()
    except OSError as error:
        _require_sandbox(configuration, error)
    server.run()


def make_server(configuration: PublicGalleryConfiguration, listening: socket.socket) -> Any:
    """The server on this socket, with the limits of ``web.connections``. It does not run yet."""
    from waitress.server import create_server

    from consent_gate.web import connections

    server = create_server(
        make_application(configuration),
        sockets=[listening],
        threads=THREADS,
        ident=None,
        max_request_body_size=1024,
        connection_limit=connections.MAX_CONNECTIONS + SPARE_CONNECTIONS,
        channel_timeout=connections.FOREVER,
    )
    connections.limit_connections(server, connections.TimedConnection, configuration.proxy)
    return server


def make_application(configuration: PublicGalleryConfiguration) -> Any:
    """The WSGI application for this configuration."""
    from consent_gate.home.clock import utc_now
    from publish.public_gallery.application import GalleryApplication, GalleryChannel
    from publish.public_gallery.approved import ApprovedFolder

    max_age = timedelta(hours=configuration.hide_after_hours)
    channels = {
        name: GalleryChannel(title, ApprovedFolder(name, Path(folder), max_age, utc_now))
        for name, (title, folder) in configuration.channels.items()
    }
    return GalleryApplication(channels, configuration.frame_ancestors)


def readable_by_gallery(folders: Iterable[Path]) -> list[Path]:
    """Return every file and folder that the process may read.

    Args:
        folders: The approved folders of the channels that are shown.
    """
    return [*sandbox.readable_paths(PACKAGES), *folders]


if __name__ == "__main__":
    main()
