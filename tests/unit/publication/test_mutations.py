"""Delete each rule of ``consent_gate/publication.py`` in turn: its plain test must fail.

The rules are deleted in a copy of the source, compiled in memory. Each replaced text must occur
exactly once, so a rewritten rule makes this file fail until its deletion is written anew.
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from consent_gate import publication
from tests.support import publication_states
from tests.unit.publication import test_rules
from tests.unit.publication.mutations import DELETIONS, Deletion

SOURCE = Path(publication.__file__).read_text(encoding="utf-8")

SHOW_THAT_PICTURES_GO_OUT = {
    "test_a_picture_is_covered_before_it_goes_out_and_uncovered_when_everybody_is_cleared",
    "test_a_face_found_some_pixels_beside_its_cover_is_no_new_one",
    "test_a_face_that_only_is_too_recognisable_returns_covered",
    "test_a_cleared_picture_goes_out_by_itself",
    "test_a_reason_for_new_pictures_alone_recalls_nothing",
    "test_a_picture_that_the_gate_stopped_on_its_way_was_never_seen",
    "test_a_refusal_or_a_cover_that_staff_take_back_needs_no_approval",
}


def load(name: str, source: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of this source, which later imports of the test see as ``name``."""
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    parent, _, last = name.rpartition(".")
    monkeypatch.setattr(sys.modules[parent], last, module)
    exec(compile(source, name, "exec"), module.__dict__)  # noqa: S102
    return module


@pytest.mark.parametrize("deletion", DELETIONS, ids=lambda d: f"{d.rule}-{d.test.__name__}")
def test_without_its_rule_a_picture_is_wrongly_out(
    deletion: Deletion, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = SOURCE.count(deletion.old)
    assert found == 1, f"rule {deletion.rule}: {deletion.old!r} is there {found} times"
    load(publication.__name__, SOURCE.replace(deletion.old, deletion.new), monkeypatch)
    for module in (publication_states, test_rules):  # they use the values of the changed module
        tests = load(module.__name__, inspect.getsource(module), monkeypatch)
    with pytest.raises(tests.WronglyOut):
        getattr(tests, deletion.test.__name__)()


def test_every_rule_of_the_rule_book_is_deleted() -> None:
    numbers = re.findall(r"^(\d+)\. ", publication.__doc__ or "", re.MULTILINE)
    assert numbers == [str(n + 1) for n in range(len(numbers))]
    assert {d.rule for d in DELETIONS} == set(numbers)


def test_every_plain_test_guards_a_rule() -> None:
    written = {name for name in vars(test_rules) if name.startswith("test_")}
    guarded = {d.test.__name__ for d in DELETIONS}
    assert written - SHOW_THAT_PICTURES_GO_OUT == guarded
