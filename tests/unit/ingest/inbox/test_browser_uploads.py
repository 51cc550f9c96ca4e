"""The names of events and files that come from a browser."""

from __future__ import annotations

import pytest

from ingest.inbox.browser_uploads import (
    MAX_NAME,
    MAX_NAME_BYTES,
    MAX_SUFFIX,
    UploadRefused,
    event_folder,
    file_name,
)


@pytest.mark.parametrize(
    ("name", "day", "folder"),
    [
        ("Sports day", "2026-06-12", "2026-06-12 Sports day"),
        ("  Year 3:  trip / zoo ", "", "Year 3 trip zoo"),
        ("../../etc", "", "etc"),
        ("..", "2026-06-12", None),
        (".uploads", "", "uploads"),
        ("a\x00b\nc\u202ed", "", "a b c d"),
        ("archive", "", None),
        ("@eaDir", "", None),
        (" ", "", None),
    ],
)
def test_an_event_is_one_folder_below_the_inbox(name: str, day: str, folder: str | None) -> None:
    if folder is None:
        with pytest.raises(UploadRefused):
            event_folder(name, day)
    else:
        assert event_folder(name, day) == folder


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("IMG_1.jpg", "IMG_1.jpg"),
        ("day/one/IMG_1.jpg", "IMG_1.jpg"),
        ("C:\\photos\\IMG_1.jpg", "IMG_1.jpg"),
        ("../IMG_1.jpg", "IMG_1.jpg"),
        (".hidden", "hidden"),
        ("x" * 400, "x" * MAX_NAME),
        ("x" * 400 + ".jpg", "x" * (MAX_NAME - MAX_SUFFIX) + ".jpg"),
        ("運" * 100 + ".jpg", "運" * 63 + ".jpg"),
    ],
)
def test_a_file_keeps_the_last_part_of_its_name(name: str, kept: str) -> None:
    assert file_name(name) == kept


def test_a_long_name_of_an_event_with_its_day_can_be_opened_again() -> None:
    folder = event_folder("運" * 150, "2026-06-12")
    assert event_folder(folder) == folder
    assert len(folder.encode()) <= MAX_NAME_BYTES
