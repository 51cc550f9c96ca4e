"""How the child process that opens a workbook ends, for the gate that waits for it.

This module imports nothing, so that the gate loads no library that reads workbooks.
"""

PROTECTED, TOO_LARGE = 3, 4
"""Exit codes in addition to 0. Any other code means that the workbook is damaged."""
MAX_SECONDS = 60
"""Limit of processor time in seconds. A workbook of 25 000 pupils takes about 2."""
