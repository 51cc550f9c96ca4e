"""Enrolment photos are read from folders and ZIP files, without following links."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from ingest.enrolment.sources import FolderOfPhotos, ZipOfPhotos


def test_photos_are_found_in_folders_and_zips_past_what_computers_leave(tmp_path: Path) -> None:
    names = ["a/004001.jpg", "004002.JPG", "__MACOSX/._004001.jpg", "Thumbs.db", "list.csv"]
    for name in names:
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"photo")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in names:
            archive.writestr(name, b"photo")
    for source in (FolderOfPhotos(tmp_path / "folder"), ZipOfPhotos(tmp_path / "all.zip")):
        assert sorted(source.names()) == ["004002.JPG", "a/004001.jpg"]
        assert source.read("a/004001.jpg") == b"photo"


def test_a_link_out_of_the_photo_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"private")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "004001.jpg").symlink_to(tmp_path / "secret.jpg")
    assert FolderOfPhotos(tmp_path / "folder").names() == []


@pytest.mark.parametrize("kind", ["cut", "not a zip", "protected"])
def test_a_zip_that_cannot_be_read_is_an_error_of_its_own(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("004001.jpg", b"photo" * 50)
    data = bytearray(path.read_bytes())
    if kind == "cut":
        data = data[:40]
    elif kind == "protected":
        data[6] |= 1
        data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(b"nothing" if kind == "not a zip" else data)
    with pytest.raises(OSError, match=r"ZIP|damaged"):
        ZipOfPhotos(path).read("004001.jpg")
