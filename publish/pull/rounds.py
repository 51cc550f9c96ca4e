"""One round: make the folder the same as the feed's list, run the hook, confirm withdrawals.

Withdrawn pictures are removed before anything is fetched or written, so that a full disk or a slow
feed cannot keep them. A withdrawal is confirmed when the files are gone and the hook command, which
may rebuild a website from the folder, has succeeded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from consent_gate.errors import GateError
from publish.pull.errors import FolderUnwritable, PullIncomplete
from publish.pull.feed import Feed, PictureDamaged, PictureMissing
from publish.pull.folder import PathOccupied, PulledFolder
from publish.pull.manifest import FeedList, ListedFile
from publish.pull.state import OwnFile

CLOCK_ERROR = timedelta(days=1)
"""How far in the future the time of the last reading may lie: clocks differ a little."""

SHOWN_PROBLEMS = 5
"""Problems that a message names; the rest are counted."""


@dataclass
class RoundResult:
    """What one round did."""

    fetched: int = 0
    removed: int = 0
    confirmed: int = 0
    files: int = 0
    """Files of the feed in the folder at the end."""

    def as_dict(self) -> dict[str, int]:
        """As ``--json`` prints it."""
        return dict(vars(self))


def pull(
    feed: Feed, folder: PulledFolder, now: datetime, run_hook: Callable[[], None]
) -> RoundResult:
    """Do one round.

    Args:
        feed: The channel's feed.
        folder: The locked folder.
        now: The time, for the next round's ``hide_after_silence``.
        run_hook: Runs the hook command, if there is one.

    Raises:
        PullIncomplete: Some pictures could not be fetched or removed.
        GateError: Another class of ``publish.pull.errors``. Repeating the round is always safe.
    """
    listed, outcome, problems = feed.read_list(), RoundResult(), list[str]()
    state, failures = folder.state, list[GateError]()

    def attempt(step: Callable[[], None]) -> None:
        """Go on after a failure: a full disk must not keep the hook from running."""
        try:
            step()
        except GateError as error:
            failures.append(error)

    state.read_at = now.isoformat(timespec="seconds")
    state.withdrawn |= listed.withdrawn
    wanted = {n: f for n, f in listed.files.items() if f.picture not in state.withdrawn}
    _remove_others(folder, wanted, outcome, problems)
    attempt(lambda: folder.remove_partials(set(wanted)))
    attempt(lambda: _write_listing(folder, listed))
    attempt(folder.save)
    attempt(lambda: _fetch_missing(feed, folder, wanted, outcome, problems))
    attempt(lambda: _write_listing(folder, listed))
    _run_hook_if_changed(folder, run_hook)
    attempt(folder.save)
    attempt(lambda: _confirm(feed, folder, listed, outcome, problems))
    outcome.files = len(state.files)
    if failures:
        raise failures[0]
    _raise_problems(problems)
    return outcome


def hide_after_silence(
    folder: PulledFolder, now: datetime, limit: timedelta, run_hook: Callable[[], None]
) -> bool:
    """Remove all pictures if the list could not be read for longer than ``limit``.

    A withdrawal may have been missed meanwhile. A reading in the future counts as too long ago,
    because the clock was wrong then or is wrong now. The pictures come back when the list can be
    read.

    Returns:
        Whether pictures were removed.

    Raises:
        GateError: They cannot be removed, or the hook failed.
    """
    state = folder.state
    if not state.files or not state.read_at:
        return False
    if -CLOCK_ERROR <= now - datetime.fromisoformat(state.read_at) <= limit:
        return False
    problems = list[str]()
    _remove_others(folder, {}, RoundResult(), problems)
    folder.remove_partials(set())
    folder.write_listing([])
    _run_hook_if_changed(folder, run_hook)
    folder.save()
    _raise_problems(problems)
    return True


def _remove_others(
    folder: PulledFolder, wanted: dict[str, ListedFile], outcome: RoundResult, problems: list[str]
) -> None:
    """Delete our files that are not wanted. Needs no free space."""
    state = folder.state
    for name in [name for name in state.files if name not in wanted]:
        picture = state.files[name].picture
        try:
            folder.remove(name)
        except (PathOccupied, FolderUnwritable) as error:
            problems.append(f"{name} could not be removed ({error}).")
            continue
        state.hook_pending = True
        state.unconfirmed.add(picture)
        outcome.removed += 1
    state.unconfirmed -= {own.picture for own in state.files.values()}


def _fetch_missing(
    feed: Feed,
    folder: PulledFolder,
    wanted: dict[str, ListedFile],
    outcome: RoundResult,
    problems: list[str],
) -> None:
    """Fetch wanted files that are missing or damaged. Their names are recorded first.

    Raises:
        GateError: The feed does not answer, or the folder cannot be written.
    """
    missing = []
    for name, file in wanted.items():
        if folder.is_ours(name):
            if folder.state.files[name].sha256 == file.sha256 and folder.is_intact(name):
                continue
        elif _is_taken(folder, name, problems):
            continue
        folder.state.files[name] = OwnFile(file.picture, file.sha256, file.size)
        folder.state.unconfirmed.discard(file.picture)
        folder.state.hook_pending = True
        missing.append(file)
    folder.save()
    try:
        for file in missing:
            try:
                feed.download(file, folder.partial(file.name))
                folder.place(file)
                outcome.fetched += 1
            except (PictureMissing, PictureDamaged, PathOccupied) as error:
                problems.append(f"{file.name}: {error}")
    finally:
        folder.save()


def _is_taken(folder: PulledFolder, name: str, problems: list[str]) -> bool:
    """Whether something that is not ours has the name. It is left alone."""
    try:
        if not folder.exists(name):
            return False
        problem = "a file of somebody else has this name"
    except PathOccupied as error:
        problem = str(error)
    problems.append(f"{name}: {problem}. It was left alone.")
    return True


def _write_listing(folder: PulledFolder, listed: FeedList) -> None:
    """List the pictures and films that are in place, with the other formats that are."""

    def in_place(name: str) -> bool:
        return folder.is_ours(name) and folder.is_intact(name)

    entries = []
    for entry in listed.entries:
        files = [entry["file"], *([entry["poster"]["file"]] if "poster" in entry else [])]
        if entry["id"] not in folder.state.withdrawn and all(map(in_place, files)):
            others = [s for s in entry.get("siblings", ()) if in_place(s["file"])]
            plain = {key: value for key, value in entry.items() if key != "siblings"}
            entries.append(plain | ({"siblings": others} if others else {}))
    folder.write_listing(entries)


def _run_hook_if_changed(folder: PulledFolder, run_hook: Callable[[], None]) -> None:
    """Run the hook if anything changed since it last succeeded."""
    if folder.state.hook_pending:
        run_hook()
        folder.state.hook_pending = False


def _confirm(
    feed: Feed, folder: PulledFolder, listed: FeedList, outcome: RoundResult, problems: list[str]
) -> None:
    """Confirm withdrawn pictures whose files this folder had."""
    state = folder.state
    try:
        for picture in sorted(state.unconfirmed & listed.withdrawn):
            try:
                feed.confirm(picture)
            except PictureMissing:
                problems.append(f"The feed does not accept that {picture} is deleted.")
                continue
            state.unconfirmed.discard(picture)
            outcome.confirmed += 1
    finally:
        folder.save()


def _raise_problems(problems: list[str]) -> None:
    if problems:
        rest = f" And {len(problems) - SHOWN_PROBLEMS} more." if problems[SHOWN_PROBLEMS:] else ""
        raise PullIncomplete(" ".join(problems[:SHOWN_PROBLEMS]) + rest)
