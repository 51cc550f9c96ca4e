"""The state diagram of publications in Mermaid, made from the table of the rule book.

``python -m tests.support.state_diagram`` writes it into docs/publication-states.md.
"""

from __future__ import annotations

import re
from pathlib import Path

from consent_gate.publication import TRANSITIONS, PublicationState, Transition

PAGE = Path(__file__).parents[2] / "docs" / "publication-states.md"
BLOCK = re.compile(r"(<!-- made from the table -->\n).*?(<!-- end of what is made -->)", re.DOTALL)


def diagram() -> str:
    """The diagram and the table of the steps, as Markdown."""
    lines = ["```mermaid", "stateDiagram-v2"]
    for row in TRANSITIONS:
        for before in row.before or ("[*]",):
            lines.append(f"    {before} --> {row.after}: {row.step.__name__}{condition(row)}")
    ends = set(PublicationState) - {state for row in TRANSITIONS for state in row.before}
    lines += [f"    {state} --> [*]" for state in PublicationState if state in ends]
    lines += ["```", "", "| step | what it means | audit entry |", "|---|---|---|"]
    for step in dict.fromkeys(row.step for row in TRANSITIONS):
        audit = ", ".join(f"`{row.audit}`" for row in TRANSITIONS if row.step is step and row.audit)
        lines.append(f"| `{step.__name__}` | {(step.__doc__ or '').strip()} | {audit} |")
    return "\n".join(lines) + "\n"


def condition(row: Transition) -> str:
    """What must be true besides the state."""
    if row.was_out is not None:
        return " if it was out" if row.was_out else " if it was never out"
    return " if every copy is confirmed gone" if row.confirmed else ""


def with_diagram(page: str) -> str:
    """The page with the diagram of today."""
    found = BLOCK.search(page)
    assert found, "the page has no place for the diagram"
    return page[: found.end(1)] + diagram() + page[found.start(2) :]


if __name__ == "__main__":
    PAGE.write_text(with_diagram(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
