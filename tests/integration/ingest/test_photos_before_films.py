"""A film that is examined for an hour keeps no photo waiting, and says how far it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from consent_gate.cli.status import status_data
from consent_gate.db.models import Item, ItemState
from consent_gate.home.home import Home
from consent_gate.register.gallery_version import gallery_version
from ingest.intake import intake_once
from ingest.pipeline import LocalExaminations
from ingest.runtime.heartbeat import FilmInHand, Heartbeat, write_heartbeat
from ingest.workers.served_file import _PROGRESS
from tests.support.factories import World
from tests.support.films import drawn_frames, make_film
from tests.support.images import jpeg, scene
from tests.support.slow_films import SlowFilms


def drop(home: Home, films: int, photos: int) -> None:
    for number in range(films):
        film = make_film(drawn_frames(3 + number, 64, 64))
        (home.inbox / f"a{number}.mp4").write_bytes(film)
    for number in range(photos):
        (home.inbox / f"z{number}.jpg").write_bytes(jpeg(scene(96, 64, seed=number)))
    intake_once(home)


def decided(suffix: str) -> int:
    return Item.objects.filter(state=ItemState.DECIDED, source__endswith=suffix).count()


@pytest.fixture
def school(home: Home) -> Home:
    World(home).make_import()
    return home


def test_photos_go_on_while_five_films_wait(school: Home) -> None:
    drop(school, films=5, photos=6)
    with SlowFilms(school) as pool:
        examinations = LocalExaminations(school, pool, gallery_version(school))
        for _ in range(40):
            assert examinations.submit_ready()
            if decided(".jpg") == 6:
                break
            examinations.wait_for_any()
            examinations.collect_done()
        assert decided(".jpg") == 6
        assert len(pool.films) == 1  # of all films, one is under way
        for number in range(1, 6):
            pool.finish_film()
            examinations.collect_done()
            assert decided(".mp4") == number
            examinations.submit_ready()
        assert len(examinations) == 0
    assert set(Item.objects.values_list("attempts", flat=True)) == {0}


def test_the_progress_of_a_film_is_known_while_it_is_examined(school: Home) -> None:
    drop(school, films=1, photos=0)
    with SlowFilms(school) as pool:
        examinations = LocalExaminations(school, pool, gallery_version(school))
        examinations.submit_ready()
        pool.films[0][0].note_progress(_PROGRESS.pack(b"P", 61, 600))
        item = Item.objects.get()
        assert examinations.films == {item.pk: (61, 600)}
        films = (FilmInHand(item.pk, 61, 600),)
        write_heartbeat(school, Heartbeat(school.now().isoformat(), "by events", films=films))
        assert status_data(school)["films"] == [
            {"item": item.pk, "seconds_done": 61, "seconds": 600}
        ]
        pool.finish_film()
        examinations.collect_done()
        assert examinations.films == {}


def test_a_heartbeat_of_an_earlier_version_names_no_film(home: Home) -> None:
    Path(home.root / "watching.json").write_text(
        '{"at": "2026-11-29T12:00:00+00:00", "watching": "by events", "files": []}'
    )
    assert status_data(home)["films"] == []
