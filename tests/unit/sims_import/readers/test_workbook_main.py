"""The child process that opens a workbook hides numpy from itself alone."""

from __future__ import annotations

import importlib
import sys

from sims_import.readers import workbook_main


def test_a_process_that_imports_the_module_keeps_its_numpy() -> None:
    importlib.reload(workbook_main)
    assert sys.modules.get("numpy", "not loaded") is not None
