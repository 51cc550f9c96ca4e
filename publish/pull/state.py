"""What consent-gate-pull remembers between two runs, in the folder's ``state.json``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

from publish.pull.errors import FolderRefused
from publish.pull.manifest import FILE_NAME, PICTURE_ID, SHA256

MARKER = ".consent-gate-pull"


@dataclass(frozen=True)
class OwnFile:
    """A file that we wrote, or are about to write."""

    picture: str
    """Id of the picture."""
    sha256: str
    size: int
    """In bytes."""
    modified_ns: int = 0
    """Modification time in ns when the file was last compared with ``sha256``; 0: never."""


@dataclass
class PullState:
    """What must be remembered between two runs."""

    feed: str
    """Address of the feed. A folder is filled from one feed alone."""
    files: dict[str, OwnFile] = field(default_factory=dict)
    """By name below the folder."""
    withdrawn: set[str] = field(default_factory=set)
    """Ids of pictures that were withdrawn. They are never fetched again."""
    unconfirmed: set[str] = field(default_factory=set)
    """Ids of pictures whose files were deleted here, which the feed does not know yet."""
    hook_pending: bool = False
    """Whether something changed since the hook command last succeeded."""
    read_at: str = ""
    """ISO time at which the feed's list was last read."""


def load_state(root: Path, feed: str) -> PullState:
    """The state of the last run; a fresh one for a folder with nothing in it but the marker.

    Raises:
        FolderRefused: The state is missing or damaged, or the folder was filled from another feed.
    """
    path = root / MARKER / "state.json"
    if not path.exists():
        if any(entry.name != MARKER for entry in root.iterdir()):
            raise FolderRefused(f"{path} is missing, so nobody knows which files of it are whose.")
        return PullState(feed)
    try:
        values = json.loads(path.read_bytes())
        files = {name: OwnFile(**own) for name, own in values.pop("files").items()}
        withdrawn, unconfirmed = set(values.pop("withdrawn")), set(values.pop("unconfirmed"))
        state = PullState(**values, files=files, withdrawn=withdrawn, unconfirmed=unconfirmed)
        if state.read_at:
            datetime.fromisoformat(state.read_at)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise FolderRefused(f"{path} is damaged.") from error
    is_sound = all(map(FILE_NAME.fullmatch, files)) and all(
        map(PICTURE_ID.fullmatch, ids_of(state))
    )
    if not is_sound or not all(SHA256.fullmatch(own.sha256) for own in files.values()):
        raise FolderRefused(f"{path} is damaged.")
    if state.feed != feed:
        raise FolderRefused(f"{root} was filled from {state.feed}.")
    return state


def ids_of(state: PullState) -> set[str]:
    """Every id of a picture that the state names."""
    return state.withdrawn | state.unconfirmed | {own.picture for own in state.files.values()}


def state_json(state: PullState) -> str:
    """The text of ``state.json``, with lists instead of sets, which JSON has not."""
    lists = {"withdrawn": sorted(state.withdrawn), "unconfirmed": sorted(state.unconfirmed)}
    return json.dumps(asdict(state) | lists, separators=(",", ":"))
