"""The state diagram in the documentation is that of the rule book."""

from __future__ import annotations

from consent_gate.publication import TRANSITIONS, PublicationState
from tests.support.state_diagram import PAGE, diagram, with_diagram


def test_the_diagram_in_the_documentation_is_current() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_diagram(page), "run: python -m tests.support.state_diagram"


def test_the_diagram_has_every_state_and_every_step() -> None:
    made = diagram()
    for state in PublicationState:
        assert f" {state}" in made
    for row in TRANSITIONS:
        assert f"{row.after}: {row.step.__name__}" in made
    assert made.count(" --> ") == sum(len(row.before) or 1 for row in TRANSITIONS) + 2
