"""Delete each rule of the closed world in turn: its plain test must fail without it.

A module is compiled anew without the rule, and its functions and classes take the place of the
originals in every module of the import. Each replaced text must occur exactly once.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.unit.sims_import.mutations import DELETIONS, Deletion


def without_the_rule(deletion: Deletion) -> ModuleType:
    """The module as it would be without one rule."""
    source = Path(str(deletion.module.__file__)).read_text("utf-8")
    count = source.count(deletion.old)
    assert count == 1, f"{deletion.rule}: {deletion.old!r} is there {count} times"
    module = ModuleType(deletion.module.__name__)
    code = compile(source.replace(deletion.old, deletion.new), "without-a-rule", "exec")
    sys.modules[module.__name__], kept = module, sys.modules[module.__name__]
    try:
        exec(code, module.__dict__)  # noqa: S102
    finally:
        sys.modules[module.__name__] = kept
    return module


def put_in(module: ModuleType, original: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything in the import use ``module`` in place of ``original``."""
    own = {
        name: value
        for name, value in vars(original).items()
        if callable(value) and getattr(value, "__module__", "") == original.__name__
    }
    users = [m for n, m in sys.modules.items() if n.split(".")[0] in {"sims_import", "tests"}]
    for user in users:
        for name, value in own.items():
            if vars(user).get(name) is value:
                monkeypatch.setattr(user, name, getattr(module, name))


def forget() -> None:
    """Empty the caches of the text functions, which remember what the rules said."""
    for name, module in list(sys.modules.items()):
        if name.startswith("sims_import"):
            for value in list(vars(module).values()):
                clear = getattr(value, "cache_clear", None)
                if clear is not None:
                    clear()


@pytest.mark.parametrize("deletion", DELETIONS, ids=lambda d: d.rule.replace(" ", "-"))
def test_without_its_rule_an_import_grants_too_much_or_does_not_ask(
    deletion: Deletion, monkeypatch: pytest.MonkeyPatch
) -> None:
    deletion.test()
    put_in(without_the_rule(deletion), deletion.module, monkeypatch)
    forget()
    try:
        with pytest.raises(AssertionError):
            deletion.test()
    finally:
        monkeypatch.undo()
        forget()
