"""Stops the program, or fills its disk, at any one step.

Every call that changes something outside the process counts twice, before and after its effect:
opening a file for writing, sync, rename, removal, new folder, and commit. A scenario is run with a
fault at point 1, 2, 3 … until it comes through without one.
"""

from __future__ import annotations

import errno
import io
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from tests.support.budgets import is_thorough

FILE_CALLS = ("replace", "unlink", "mkdir", "fsync")
WRITING = ("INSERT", "UPDATE", "DELETE")


class Killed(BaseException):
    """The process ends here: no handler of the program may catch it."""


@dataclass
class Injector:
    """Counts points, and strikes at one."""

    at: int
    error: BaseException | None
    """What is raised there; None only counts."""
    database: bool = True
    """Whether commits count too; a full disk is tried on files alone."""
    lasting: bool = False
    """Whether every later point fails as well, as on a disk that stays full."""
    passed: int = 0
    struck: str = ""

    def point(self, where: str) -> None:
        self.passed += 1
        due = self.passed >= self.at if self.lasting else self.passed == self.at
        if due and self.error is not None:
            self.struck = self.struck or where
            raise self.error


@contextmanager
def injected(injector: Injector) -> Iterator[Injector]:
    """Within the block every effect passes the injector's points."""
    with ExitStack() as stack:
        for name in FILE_CALLS:
            _wrap(stack, injector, os, name)
        _wrap(stack, injector, io, "open", only_if=_opens_for_writing)
        _wrap(stack, injector, os, "open", only_if=_creates)
        if injector.database:
            _wrap_commit(stack, injector)
            stack.enter_context(connection.execute_wrapper(_statement(injector)))
        yield injector


def kill_at(point: int) -> Injector:
    return Injector(point, Killed())


def full_disk_at(point: int) -> Injector:
    return Injector(point, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), database=False)


QUICK_STEP = 3
"""A quick run has a fault at every so many points."""


def every_point(run: Callable[[int], bool], most: int = 400) -> int:
    """Run with a fault at 1, 2, 3 … while ``run`` says that it struck. Returns the last that did.

    A quick run tries every third point, from one that depends on the test.
    """
    step = 1 if is_thorough() else QUICK_STEP
    first = 1 + zlib.crc32(os.environ["PYTEST_CURRENT_TEST"].encode()) % step
    for point in range(first, most, step):
        if not run(point):
            return point - step
    raise AssertionError("the scenario has no end")


def _wrap(
    stack: ExitStack,
    injector: Injector,
    module: Any,
    name: str,
    only_if: Callable[..., bool] = lambda *_, **__: True,
) -> None:
    real = getattr(module, name)

    def call(*args: Any, **kwargs: Any) -> Any:
        if not only_if(*args, **kwargs):
            return real(*args, **kwargs)
        injector.point(f"before {name}")
        # Waiting for the disk hundreds of times shows nothing more.
        result = None if name == "fsync" else real(*args, **kwargs)
        injector.point(f"after {name}")
        return result

    stack.enter_context(patch.object(module, name, call))


def _wrap_commit(stack: ExitStack, injector: Injector) -> None:
    real = BaseDatabaseWrapper._commit  # type: ignore[attr-defined]  # no public way in

    def commit(self: BaseDatabaseWrapper) -> None:
        try:
            injector.point("before commit")
        except BaseException:
            self.connection.rollback()  # what a dead process leaves uncommitted is undone
            raise
        real(self)
        injector.point("after commit")

    stack.enter_context(patch.object(BaseDatabaseWrapper, "_commit", commit))


def _statement(injector: Injector) -> Callable[..., Any]:
    """A statement outside a transaction commits itself."""

    def execute(run: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if context["connection"].in_atomic_block or not sql.lstrip().startswith(WRITING):
            return run(sql, params, many, context)
        injector.point("before statement")
        result = run(sql, params, many, context)
        injector.point("after statement")
        return result

    return execute


def _opens_for_writing(_file: Any, mode: str = "r", *_: Any, **__: Any) -> bool:
    return bool(set(mode) & set("wxa+"))


def _creates(_path: Any, flags: int, *_: Any, **__: Any) -> bool:
    return bool(flags & os.O_CREAT)
