"""Exports as schools and other systems write them: none gives a consent that nobody gave."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.sims_exports import judge_all


@pytest.mark.slow
def test_no_export_gives_a_wrong_consent_and_most_are_right_or_asked(shared_data: Path) -> None:
    folder = shared_data / "exports"
    if not (folder / "truth.json").is_file():
        pytest.skip("the exports are not here: tests/README.md says what they are")
    results = judge_all(folder)
    counts = Counter(outcome.word for _, outcome in results.values())
    wrong = {name: o.details for name, (_, o) in results.items() if o.word in {"WRONG", "lost"}}
    assert wrong == {}
    assert counts["right"] + counts["asked"] >= 0.9 * len(results)
