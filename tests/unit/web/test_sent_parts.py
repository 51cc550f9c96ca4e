"""What was sent of a film is known by its bytes, for each person."""

from __future__ import annotations

from consent_gate.web.sent_parts import MOST_FILMS, SentFilm, SentParts

FILM = SentFilm(1, "film", "a1")


def test_only_bytes_that_were_sent_count() -> None:
    sent = SentParts()
    assert not sent.has(FILM, 0, 1)
    sent.add(FILM, 0, 100)
    sent.add(FILM, 200, 300)
    assert sent.has(FILM, 0, 100)
    assert not sent.has(FILM, 0, 101)
    assert not sent.has(FILM, 50, 250)
    sent.add(FILM, 100, 200)
    assert sent.has(FILM, 0, 300)
    sent.add(FILM, 400, 400)
    assert not sent.has(FILM, 350, 401)


def test_another_person_another_film_and_a_new_examination_are_not_it() -> None:
    sent = SentParts()
    sent.add(FILM, 0, 1000)
    for other in (SentFilm(2, "film", "a1"), SentFilm(1, "other", "a1"), SentFilm(1, "film", "a2")):
        assert not sent.has(other, 0, 1)


def test_the_oldest_film_is_forgotten() -> None:
    sent = SentParts()
    for number in range(MOST_FILMS + 1):
        sent.add(SentFilm(number, "film", "a1"), 0, 9)
    assert not sent.has(SentFilm(0, "film", "a1"), 0, 9)
    assert sent.has(SentFilm(1, "film", "a1"), 0, 9)
