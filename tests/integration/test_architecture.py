"""The paths in docs/architecture.md are those that one photo and one export really take."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from consent_gate.home.home import Home
from consent_gate.operations import demo
from ingest.enrolment.enrol import PhotoBatch
from ingest.enrolment.sources import FolderOfPhotos
from ingest.pipeline import ingest_once
from sims_import.applying.apply import ExportFile
from sims_import.applying.run import run_import
from tests.conftest import ROOT
from tests.support import cached_analysis, model_cache
from tests.support.cached_analysis import CachedPool, enrol_without_workers
from tests.support.imports import confirm_portraits

PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
LIMIT = 25
"""A path with more modules is too long to read."""


def listed(path: str) -> list[str]:
    """The modules of a numbered list, in order. ``path`` is ``photo`` or ``import``."""
    found = re.search(rf"<!-- {path} path -->(.*?)<!-- end of {path} path -->", PAGE, re.DOTALL)
    assert found
    return re.findall(r"^\d+\. `([\w/]+\.py)`", found[1], re.MULTILINE)


@contextmanager
def recorded(starts_at: str) -> Iterator[list[str]]:
    """Collect the product's modules in the order in which the block first calls them.

    What runs before the first call into ``starts_at`` is left out: every run tidies up first.
    """
    called: dict[str, None] = {}
    packages = tuple(f"{ROOT / name}/" for name in ("consent_gate", "ingest", "publish"))
    packages += (f"{ROOT / 'sims_import'}/",)

    def note(frame: FrameType, event: str, _argument: object) -> None:
        name = frame.f_code.co_filename
        if event == "call" and name.startswith(packages) and frame.f_code.co_name != "<module>":
            module = str(Path(name).relative_to(ROOT))
            if called or module == starts_at:
                called.setdefault(module)

    clear_caches()
    order: list[str] = []
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield order
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        order.extend(called)


def clear_caches() -> None:
    """Forget what functions of the import answered in other tests: a cached call is not seen."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("sims_import.", "consent_gate.register.")):
            for value in list(vars(module).values()):
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


def follow(order: list[str], path: list[str]) -> None:
    """Every module of the list was called, and first called in the order of the list."""
    assert len(path) == len(set(path)) <= LIMIT
    assert [module for module in path if module not in order] == []
    assert [module for module in order if module in path] == path


def test_one_export_takes_the_described_path(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    enrol_without_workers(monkeypatch)
    path = listed("import")
    with recorded(path[0]) as order:
        import_school(home)
    follow(order, path)


def test_one_photo_takes_the_described_path(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    enrol_without_workers(monkeypatch)
    import_school(home)
    # Nothing is cached, so that the models are loaded and run.
    monkeypatch.setattr(cached_analysis, "_started", {})
    (tmp_path / "models").mkdir()
    monkeypatch.setenv(model_cache.VARIABLE, str(tmp_path / "models"))
    (home.inbox / "winner.jpg").write_bytes(demo.event_photos()[0].data)
    first, *path = listed("photo")
    with recorded(path[0]) as order:
        ingest_once(home, lambda *_: None, CachedPool)
    follow([first, *(module for module in order if module != first)], [first, *path])


def import_school(home: Home) -> None:
    """Import the demonstration's export and portraits."""
    export, portraits = demo.write_school(home.root)
    photos = PhotoBatch([FolderOfPhotos(portraits)])
    run_import(home, ExportFile(export.name, export.read_bytes()), (), "office", photos)
    confirm_portraits(home)
