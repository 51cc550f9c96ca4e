"""The table of faces proposed and found is printed for any number of faces."""

from __future__ import annotations

import pytest

from benchmarks.coverage.table import Row, print_table


def test_a_cell_without_faces_is_a_dash(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([Row("whole", 0, is_proposed=True, is_found=found) for found in (True, False)])
    whole, low_contrast = capsys.readouterr().out.splitlines()[:2]
    assert whole.split()[1:] == ["100", "/", "50", "of", "2", "-", "-"]
    assert low_contrast.split()[2:] == ["-", "-", "-"]
