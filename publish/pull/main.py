"""The command line of ``consent-gate-pull``."""

from __future__ import annotations

import argparse
import json
import os
import random
import shlex
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from consent_gate.errors import GateError
from consent_gate.names.printable import printable
from publish.pull.errors import (
    FeedInvalid,
    FeedRefused,
    FeedUnreachable,
    FolderUnwritable,
    HookFailed,
    PullSettingInvalid,
)
from publish.pull.feed import Feed
from publish.pull.folder import open_folder
from publish.pull.rounds import RoundResult, hide_after_silence, pull

TOKEN_VARIABLE = "CONSENT_GATE_TOKEN"  # noqa: S105  the name of a variable
HOOK_SECONDS = 1800
"""Longest time in seconds that the hook command may run. Building a large site takes minutes."""
MAX_FAILURE_PAUSE = 900.0
"""Longest pause in seconds between two rounds that fail."""

DESCRIPTION = """\
Keep a folder the same as a consent-gate feed: fetch new pictures, delete withdrawn ones, and tell
the school that they are deleted. Only files that this command wrote are ever deleted."""

EXAMPLE = """\
The token is read from the environment variable CONSENT_GATE_TOKEN, or from --token-file.

Example: consent-gate-pull https://photos.example.sch.uk/feeds/website /srv/site/photos \\
    --token-file /etc/consent-gate-pull.token --hook "hugo --source /srv/site"

Exit codes: 0 done; 2 not typed right; 60 the feed does not answer; 61 it refuses the token;
62 its list cannot be used; 63 the folder holds other files; 64 another run is at work;
65 the folder cannot be written; 66 the hook failed; 67 some pictures were left out;
68 a setting is wrong."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. An error prints its message and ends with its own exit code."""
    options = _parser().parse_args(arguments)
    try:
        _run(options)
    except GateError as error:
        sys.stderr.write(f"{printable(str(error))}\n")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="consent-gate-pull",
        description=DESCRIPTION,
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("feed", help="address of the feed, which ends with /feeds/CHANNEL")
    parser.add_argument("folder", type=Path, help="folder for the pictures: new, empty or its own")
    often = parser.add_mutually_exclusive_group()
    often.add_argument("--once", action="store_true", help="do one round and end (the default)")
    often.add_argument(
        "--every", type=_seconds, metavar="SECONDS", help="do a round every so often, for ever"
    )
    parser.add_argument("--hook", default="", metavar="COMMAND", help="run this after each change")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="file with the token")
    parser.add_argument(
        "--hide-after",
        type=_days,
        default=7,
        metavar="DAYS",
        help="remove all pictures if the list could not be read for so long; 0: never (default 7)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON for another program")
    return parser


def _seconds(text: str) -> float:
    value = float(text)
    if not 10 <= value <= 86_400:
        raise argparse.ArgumentTypeError("give 10 to 86400 seconds")
    return value


def _days(text: str) -> int:
    value = int(text)
    if not 0 <= value <= 365:
        raise argparse.ArgumentTypeError("give 0 to 365 days")
    return value


def _run(options: argparse.Namespace) -> None:
    feed = Feed(options.feed, _token(options.token_file), time.sleep)
    hook = _hook_runner(options.hook, options.folder)
    if options.every is None:
        _report(_round(feed, options, hook), options)
        return
    failures = 0
    while True:
        try:
            outcome = _round(feed, options, hook)
            failures = 0
            if options.json or outcome.fetched or outcome.removed or outcome.confirmed:
                _report(outcome, options)
        except GateError as error:
            failures += 1
            sys.stderr.write(f"{printable(str(error))}\n")
        pause = min(options.every * 2**failures, max(options.every, MAX_FAILURE_PAUSE))
        time.sleep(pause * random.uniform(0.9, 1.1))  # noqa: S311  no secret


def _round(feed: Feed, options: argparse.Namespace, hook: Callable[[], None]) -> RoundResult:
    try:
        with open_folder(options.folder, feed.address) as folder:
            try:
                return pull(feed, folder, _now(), hook)
            except (FeedInvalid, FeedRefused, FeedUnreachable):
                days = options.hide_after
                if days and hide_after_silence(folder, _now(), timedelta(days=days), hook):
                    sys.stderr.write(
                        f"The list could not be read for {days} days. All pictures are removed"
                        " until it can be read again.\n"
                    )
                raise
    except OSError as error:
        raise FolderUnwritable(f"{options.folder} cannot be used: {error.strerror}.") from error


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  this program has no home and so no home's clock


def _report(outcome: RoundResult, options: argparse.Namespace) -> None:
    if options.json:
        sys.stdout.write(json.dumps(outcome.as_dict()) + "\n")
    else:
        sys.stdout.write(
            f"{outcome.fetched} new, {outcome.removed} removed, {outcome.confirmed} confirmed"
            f" as deleted, {outcome.files} files in all.\n"
        )
    sys.stdout.flush()


def _token(path: Path | None) -> str:
    """The token from the file, else from the environment, from which it is removed.

    Raises:
        PullSettingInvalid: There is none, or everybody on the machine can read the file.
    """
    if path is None:
        token = os.environ.pop(TOKEN_VARIABLE, "").strip()
        if not token:
            raise PullSettingInvalid(f"{TOKEN_VARIABLE} is empty, and there is no --token-file.")
        return token
    try:
        if path.stat().st_mode & stat.S_IROTH:
            raise PullSettingInvalid(f"Every account can read {path}: chmod o= {path}")
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise PullSettingInvalid(f"{path} cannot be read.") from error


def _hook_runner(command: str, folder: Path) -> Callable[[], None]:
    """A function that runs the hook command; it does nothing if ``command`` is empty.

    Raises:
        PullSettingInvalid: The quotes in the command are not closed.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise PullSettingInvalid(f"--hook {command!r}: {error}.") from error
    environment = {k: v for k, v in os.environ.items() if k != TOKEN_VARIABLE}
    environment["CONSENT_GATE_FOLDER"] = str(folder.resolve())

    def run() -> None:
        if not words:
            return
        try:
            process = subprocess.Popen(
                words, env=environment, stdin=subprocess.DEVNULL, start_new_session=True
            )
        except OSError as error:
            raise HookFailed(f"The hook {words[0]!r} cannot be run: {error.strerror}.") from error
        try:
            code = process.wait(HOOK_SECONDS)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                message = f"The hook ran for over {HOOK_SECONDS} seconds and was ended."
                raise HookFailed(message) from error
            raise
        if code:
            raise HookFailed(f"The hook {words[0]!r} ended with exit code {code}.")

    return run
