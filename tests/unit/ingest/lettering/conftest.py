"""The models that find and read text, loaded once."""

from __future__ import annotations

import pytest

from ingest.lettering.finder import TextFinder
from ingest.lettering.lettering import Lettering
from ingest.lettering.reader import TextReader


@pytest.fixture(scope="session")
def finder() -> TextFinder:
    return TextFinder()


@pytest.fixture(scope="session")
def reader() -> TextReader:
    return TextReader()


@pytest.fixture(scope="session")
def lettering(finder: TextFinder, reader: TextReader) -> Lettering:
    return Lettering(finder, reader, 3000)
