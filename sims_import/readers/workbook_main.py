"""Runs the child process that opens a workbook: ``python -m sims_import.readers.workbook_main``.

openpyxl imports numpy where it is installed. The import takes a third of the start of this process
and nothing here needs it, so this program hides numpy. A process that only imports this module
keeps its numpy.
"""

import sys

if __name__ == "__main__":
    sys.modules["numpy"] = None  # type: ignore[assignment]
    from sims_import.readers.workbook import main

    sys.exit(main())
