"""A face that is covered or cut away is none that may be found in the published film."""

from __future__ import annotations

import pytest

from consent_gate.home.settings import default_settings
from consent_gate.home.settings_machine import FilmSettings
from consent_gate.model import Box, FaceEvidence, FaceKind, Film, FilmSpan, Shown, Unknown
from consent_gate.publication import Appearance
from publish.rendering.film import FilmCodec
from publish.renditions.film_requests import film_request, is_altered
from tests.support.core_factories import make_picture

SHOWN = [
    Shown(n, n + 0.5, n, ((n, 9, 9, 9, 9),), (n - 0.2, n + 0.7), is_followed=True)
    for n in (1.0, 2.0, 3.0)
]
FACES = [FaceEvidence(Box(9, 9, 9, 9), 0.9, FaceKind.FACE, Unknown(), shown=s) for s in SHOWN]
FILM = make_picture(*FACES, film=Film(5.0, 125, 0, 5, 1, (), scene_starts=(0.0, 2.0)))


def test_only_faces_that_may_be_seen_are_judged_in_the_published_film() -> None:
    wanted = Appearance(kept=(FilmSpan(0, 2800),), covered=(1,))
    order = film_request(default_settings(), "website", FILM, wanted)
    assert order.tracks == (SHOWN[0],)
    assert order.covered == (SHOWN[1],)
    assert order.kept == (FilmSpan(0, 2800),)
    assert order.scene_starts == (0.0, 2.0)
    assert order.is_edited
    whole = film_request(default_settings(), "website", FILM, Appearance())
    assert whole.tracks == tuple(SHOWN)
    assert not whole.is_edited


def test_the_codec_is_the_setting_of_films() -> None:
    settings = default_settings()
    assert film_request(settings, "website", FILM, Appearance()).codec is FilmCodec.H264
    other = settings.model_copy(update={"film": FilmSettings(codec="vp9")})
    assert film_request(other, "website", FILM, Appearance()).codec is FilmCodec.VP9


@pytest.mark.parametrize(
    "wanted",
    [
        Appearance(crop=Box(0, 0, 9, 9)),
        Appearance((Box(0, 0, 9, 9),)),
        Appearance(covered=(3,)),
        Appearance(covered=(-1,)),
    ],
)
def test_a_film_is_not_made_with_a_crop_or_the_cover_of_a_face_that_it_has_not(
    wanted: Appearance,
) -> None:
    assert is_altered(wanted, FILM)
    assert not is_altered(Appearance(covered=(0, 2)), FILM)
