"""Every module of the product is in the layers contract of pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]


def layers() -> set[str]:
    """The modules and packages that the contract names."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (contract,) = (
        contract
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    )
    return {name for layer in contract["layers"] for name in re.split(r"\s*[|:]\s*", layer)}


def modules() -> list[str]:
    """Every module of the four packages, by dotted name."""
    return [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for package in ("consent_gate", "ingest", "publish", "sims_import")
        for path in sorted((ROOT / package).rglob("*.py"))
    ]


def test_each_module_is_in_a_layer() -> None:
    named = layers()
    outside = [
        module
        for module in modules()
        if module != "consent_gate" and not any(f"{module}.".startswith(f"{n}.") for n in named)
    ]
    assert outside == []


def test_each_layer_exists() -> None:
    assert layers() - {"consent_gate.__main__"} <= set(modules()) | {"consent_gate.__main__"}
