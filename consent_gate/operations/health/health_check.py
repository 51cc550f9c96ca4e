"""One health check and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from consent_gate.home.home import Home


class State(StrEnum):
    """The result of a check. ``WARNING`` is not a fault yet, or not a fault of the machine."""

    GOOD = "good"
    WARNING = "look"
    BAD = "bad"


@dataclass(frozen=True)
class HealthCheck:
    """One finding of a check."""

    code: str
    """Stable identifier for programs; contains no path and no name."""
    title: str
    """Title of the finding."""
    state: State
    message: str
    """Message for people. It may name folders of the machine, but no pupil and no photo."""

    def as_dict(self) -> dict[str, str]:
        """The finding as ``doctor --json`` prints it."""
        return {
            "code": self.code,
            "what": self.title,
            "state": self.state,
            "words": self.message,
        }


def run_check(home: Home, check: Callable[[Home], Iterable[HealthCheck]]) -> Iterator[HealthCheck]:
    """The findings of one check. An exception in the check becomes a bad finding."""
    try:
        yield from list(check(home))
    except Exception as error:  # noqa: BLE001  a check that cannot be made is a finding
        code = check.__name__
        yield HealthCheck(
            code, code.replace("_", " ").capitalize(), State.BAD, _failed_check(error)
        )


def worst_state(found: Iterable[HealthCheck]) -> State:
    """The worst state of these findings."""
    states = {finding.state for finding in found}
    return next((s for s in (State.BAD, State.WARNING) if s in states), State.GOOD)


def _failed_check(error: Exception) -> str:
    return f"This could not be checked ({type(error).__name__})."
