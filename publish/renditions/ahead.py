"""Start the renditions of several items at once, so that no worker waits for the next one."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Collection, Iterable, Iterator

from consent_gate.db.models import Publication
from consent_gate.home.home import Home
from publish.renditions.requests import Renderer, WaitForRenditions, start_renditions

MAX_STARTED = len(os.sched_getaffinity(0)) + 1
"""Items under way: one for each worker, and one that waits. A person who waits for a face waits
for these too."""
MAX_STARTED_BYTES = 64 << 20
"""Size of the original files under way, which are held in memory. One file may be larger."""


def started_ahead(
    home: Home, renderer: Renderer, items: Iterable[list[Publication]]
) -> Iterator[tuple[list[Publication], WaitForRenditions]]:
    """Yield the publications of each item, in their order, when its renditions were started.

    Until the caller asks for the next item, those after it are rendered too.

    Args:
        home: The installation.
        renderer: Renders and verifies the pictures.
        items: For each item its publications.
    """
    started: deque[tuple[list[Publication], WaitForRenditions]] = deque()
    for publications in items:
        size = publications[0].item.size
        while started and not _has_room(started, size):
            yield started.popleft()
        started.append((publications, start_renditions(home, renderer, publications)))
    yield from started


def _has_room(started: Collection[tuple[list[Publication], WaitForRenditions]], size: int) -> bool:
    """Whether an item with an original of this many bytes may be started beside these."""
    together = size + sum(publications[0].item.size for publications, _ in started)
    return len(started) < MAX_STARTED and together <= MAX_STARTED_BYTES
