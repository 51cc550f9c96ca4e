"""Links in the documents lead to files, and decision records are numbered."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DECISIONS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/README.md")])
OUTSIDE = re.compile(r"issue #?\d|\bshared/|\bdesign\.md|\blayout\.md", re.IGNORECASE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_document_leads_to_a_file(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", document.read_text(encoding="utf-8"))
    files = [target for target in targets if not re.match(r"[a-z]+:", target)]
    assert [target for target in files if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_link_to_a_decision_names_its_number(document: Path) -> None:
    assert wrong_labels(document.read_text(encoding="utf-8")) == []


def test_a_link_with_the_number_of_another_decision_would_be_found() -> None:
    assert wrong_labels("[adr/0018](adr/0017-a.md), [ADR 17](0018-b.md)") == [
        ("adr/0018", "0017"),
        ("ADR 17", "0018"),
    ]
    assert (
        wrong_labels("[docs/adr/0017](../adr/0017-a.md), [ADR 8](0008-b.md), [why](0009-c.md)")
        == []
    )


def wrong_labels(text: str) -> list[tuple[str, str]]:
    """Return label and file number of each link to a decision whose label has another number."""
    links = re.findall(r"\[([^]]+)\]\((?:[\w./-]*/)?(\d{4})-[\w-]+\.md", text)
    return [
        (label, number)
        for label, number in links
        if (named := re.search(r"(?:adr/|ADR )(\d+)", label)) and int(named[1]) != int(number)
    ]


def test_decisions_are_numbered_without_a_gap_and_each_is_in_the_index() -> None:
    index = (ROOT / "docs" / "adr" / "README.md").read_text(encoding="utf-8")
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    assert [path.name for path in DECISIONS if f"({path.name})" not in index] == []


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_says_its_status_and_date_under_its_title(decision: Path) -> None:
    title, blank, status, date = decision.read_text(encoding="utf-8").splitlines()[:4]
    assert title.startswith(f"# {int(decision.name[:4])}. ")
    assert blank == ""
    assert re.fullmatch(r"Status: (accepted|replaced by ADR \d+)", status)
    assert re.fullmatch(r"Date: \d{4}-\d\d-\d\d", date)


def test_no_file_points_to_a_document_outside_the_repository() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("this is no git checkout")
    names = [name for name in listed.stdout.splitlines() if name != "requirements.lock"]
    found = []
    for path in (ROOT / name for name in names):
        if path.suffix in {".py", ".md", ".toml", ".html", ".yaml", ".yml"} and path.exists():
            text = path.read_text(encoding="utf-8")
            found += [(path.name, match[0]) for match in OUTSIDE.finditer(text)]
    assert [hit for hit in found if hit[0] != Path(__file__).name] == []
