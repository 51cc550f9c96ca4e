"""Something in a channel's folder that cannot be replaced or deleted keeps no other picture up.

On a share of Windows, a file that another program has open cannot be deleted.
"""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from consent_gate.db.models import Publication, PublicationState
from consent_gate.home.home import Home
from publish.recall.by_hand import RecallSelection, recall_selection
from publish.recall.withdraw import remove_withdrawn
from publish.release import publish_pending
from tests.support.fake_renderer import (
    FakeRenderer,
    make_photo,
    make_world_with_ann,
    published_counts,
    read_manifest,
)

ANN = "000001"
REFUSALS = [errno.EACCES, errno.EIO]


@pytest.fixture
def school(home: Home) -> Home:
    """Three pictures of Ann are out in each channel."""
    make_world_with_ann(home)
    for _ in range(3):
        make_photo(home, ANN)
    publish_pending(home, FakeRenderer())
    assert published_counts(home)["website"] == 3
    return home


def recall(home: Home) -> None:
    recall_selection(home, RecallSelection(pupils=[ANN]), "office")


def put_folder_in_place_of(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").write_text("x")


def still_to_remove(home: Home) -> int:
    return Publication.objects.filter(channel="website", state=PublicationState.WITHDRAWING).count()


@pytest.mark.parametrize("number", REFUSALS)
def test_a_list_that_cannot_be_replaced_keeps_no_picture_up(
    school: Home, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, "no")

    with monkeypatch.context() as locked:
        locked.setattr("publish.recall.withdraw.write_manifest", refuse)
        recall(school)
        troubles = remove_withdrawn(school)
    assert {trouble.channel for trouble in troubles} == {*school.settings.channels}
    assert published_counts(school)["website"] == 0
    assert still_to_remove(school) == 3, "the list still has them: the recall is not done"
    assert remove_withdrawn(school) == []
    assert (still_to_remove(school), read_manifest(school)["items"]) == (0, [])


def test_a_folder_in_place_of_the_list_keeps_no_picture_up(school: Home) -> None:
    put_folder_in_place_of(school.approved("website") / "manifest.json")
    recall(school)
    assert list(school.approved("website").glob("*/*.jpg")) == []


def test_a_folder_in_place_of_a_picture_keeps_no_other_up(school: Home) -> None:
    first = min(school.approved("website").glob("*/*.jpg"))
    put_folder_in_place_of(first)
    recall(school)
    assert [path for path in school.approved("website").glob("*/*.jpg") if path.is_file()] == []
    assert {p.channel for p in remove_withdrawn(school)} == {"website"}, "a person must look at it"
    assert read_manifest(school)["items"] == []


@pytest.mark.parametrize("number", REFUSALS)
def test_a_picture_that_another_program_has_open_keeps_no_other_up(
    school: Home, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, unlink = min(school.approved("website").glob("*/*.jpg")), Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path == held:
            raise OSError(number, "in use")
        unlink(path, missing_ok)

    with monkeypatch.context() as locked:
        locked.setattr(Path, "unlink", refuse)
        recall(school)
    assert list(school.approved("website").glob("*/*.jpg")) == [held]
    assert still_to_remove(school) > 0
    assert remove_withdrawn(school) == []
    assert (published_counts(school)["website"], still_to_remove(school)) == (0, 0)


def test_a_lost_list_keeps_no_picture_up_when_all_are_recalled(school: Home) -> None:
    (school.approved("website") / "manifest.json").unlink()
    recall(school)
    assert list(school.approved("website").glob("*/*.jpg")) == []
    assert still_to_remove(school) == 0


def test_the_list_of_another_channel_keeps_no_picture_up(school: Home) -> None:
    """The folder is not used any more, but the withdrawn files in it are known by their names."""
    theirs = school.approved("mag") / "manifest.json"
    (school.approved("website") / "manifest.json").write_bytes(theirs.read_bytes())
    keep = school.approved("website") / "2026-11" / "of somebody else.jpg"
    keep.parent.mkdir(exist_ok=True)
    keep.write_bytes(b"x")
    recall(school)
    assert list(school.approved("website").glob("*/*.jpg")) == [keep]
    assert still_to_remove(school) == 3, "a person has to look at the folder"


def test_a_share_that_is_away_is_waited_for(school: Home, tmp_path: Path) -> None:
    school.approved("website").rename(tmp_path / "away")
    recall(school)
    assert still_to_remove(school) == 3
    (tmp_path / "away").rename(school.approved("website"))
    assert remove_withdrawn(school) == []
    assert published_counts(school)["website"] == 0
