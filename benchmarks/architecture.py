"""Count the rooms, imports, circles and lines of the packages, for docs/architecture.md.

``python -m benchmarks.architecture`` prints the right-hand figures of the table there. A room is a
module or sub-package that lies directly in a top-level package. An arrow is an import from one room
of the package to another. A circle is a set of modules that import each other in the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
PACKAGES = ("consent_gate", "sims_import", "ingest", "publish")


@dataclass(frozen=True)
class Figures:
    """What the table says of one package."""

    rooms: int
    arrows: int
    circles: int
    lines: int
    """Lines of Python, without migrations."""


def figures(package: str, graph: grimp.ImportGraph) -> Figures:
    """Count one package.

    Args:
        package: Name of a top-level package.
        graph: The imports of all packages.
    """
    modules = [m for m in graph.modules if m.startswith(f"{package}.")]
    arrows = {
        (_room(module), _room(imported))
        for module in modules
        for imported in graph.find_modules_directly_imported_by(module)
        if imported.startswith(f"{package}.")
    }
    return Figures(
        rooms=len(graph.find_children(package)),
        arrows=sum(start != end for start, end in arrows),
        circles=len(_circles(modules, graph)),
        lines=sum(
            path.read_text("utf-8").count("\n")
            for path in (ROOT / package).rglob("*.py")
            if "migrations" not in path.parts
        ),
    )


def _room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def _circles(modules: list[str], graph: grimp.ImportGraph) -> set[frozenset[str]]:
    """Sets of modules each of which imports every other one, directly or through others."""
    after = {module: graph.find_upstream_modules(module) for module in modules}
    return {
        frozenset(m for m in after[module] & after.keys() if module in after[m]) | {module}
        for module in modules
        if any(module in after[m] for m in after[module] & after.keys())
    }


def import_graph() -> grimp.ImportGraph:
    """The imports of all packages of the product."""
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def main() -> None:
    """Print a row for each package."""
    graph = import_graph()
    print("| | rooms | arrows between rooms | import circles | lines of code |")
    for package in PACKAGES:
        now = figures(package, graph)
        print(f"| `{package}` | {now.rooms} | {now.arrows} | {now.circles} | {now.lines} |")


if __name__ == "__main__":
    main()
