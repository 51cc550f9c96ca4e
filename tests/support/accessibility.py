"""Checks of a page against axe-core's rules for WCAG 2.2 AA."""

from __future__ import annotations

from typing import Any

import pytest

Axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def violations_on(axe: Any, page: object, name: str) -> list[str]:
    results = axe.run(page, options=RULES)
    return [
        f"{name}: {rule['id']} {node['html'][:160]}"
        for rule in results.response["violations"]
        for node in rule["nodes"][:3]
    ]
