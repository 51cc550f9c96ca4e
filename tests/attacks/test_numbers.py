"""Numbers that are none, in forms, queries and documents."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import URLPattern

import consent_gate.web
import publish.feed
from consent_gate.db.models import Role, User
from consent_gate.model import Box
from consent_gate.web import urls
from consent_gate.web.forms import parse_crop
from tests.support.budgets import is_thorough
from tests.support.factories import World, matches

LogIn = Callable[[User], Client]

NO_NUMBERS = ("NaN", "nan", "inf", "-inf", "Infinity", "1e309", "-1e309", "1e999999999")
ODD = ("NaN", "1e309", "-0", "٣", "9" * 90, "\x00")
NAMED = re.compile(r'(?:GET|POST)(?:\.get|\.getlist)?[(\[]\s*"(\w+)"')


@pytest.mark.parametrize(
    "value", [*NO_NUMBERS, "-1", "101", "1_0", "٣", "²", "0x10", "x", "9" * 5000]
)
@pytest.mark.parametrize("field", ["left", "top", "right", "bottom"])
def test_a_crop_by_no_number_is_empty(field: str, value: str) -> None:
    post = QueryDict(mutable=True)
    post.update({"left": "10", "top": "10", "right": "10", "bottom": "10", field: value})
    assert parse_crop(post, 4000, 3000) == Box(0, 0, 0, 0)


@pytest.mark.parametrize("value", ["-0", "-0.0", "0", "0.0", ""])
def test_a_crop_of_nothing_is_none(value: str) -> None:
    post = QueryDict(mutable=True)
    post.update(dict.fromkeys(("left", "top", "right", "bottom"), value))
    assert parse_crop(post, 4000, 3000) in {None, Box(0, 0, 0, 0)}


@pytest.mark.parametrize(
    ("left", "right"), [("60", "60"), ("100", "0"), ("50", "50"), ("99.999999", "0")]
)
def test_a_crop_of_everything_is_empty(left: str, right: str) -> None:
    post = QueryDict(mutable=True)
    post.update({"left": left, "right": right})
    box = parse_crop(post, 4000, 3000)
    assert box is not None
    assert box.width <= 0 or box.height <= 0 or box == Box(0, 0, 0, 0)


def field_names() -> list[str]:
    """Every name of a field that a view reads."""
    folders = [Path(module.__file__ or "").parent for module in (consent_gate.web, publish.feed)]
    texts = [path.read_text() for folder in folders for path in folder.rglob("*.py")]
    names = {name for text in texts for name in NAMED.findall(text)}
    return sorted(
        names | {"x", "y", "w", "h", "left", "top", "right", "bottom", "page", "credential"}
    )


def pages() -> list[str]:
    """The path of every page, with a picture, pupil or number that may exist."""
    found = []
    for pattern in urls.urlpatterns:
        if isinstance(pattern, URLPattern):
            path = re.sub(r"<int:[a-z_]+>", "1", str(pattern.pattern))
            found.append("/" + re.sub(r"<[a-z]+:[a-z_]+>", "7001", path))
    return found


def test_no_page_fails_at_a_number_that_is_none(world: World, logged_in: LogIn) -> None:
    world.make_pupil("7001")
    item, names = world.make_item(matches("7001")), field_names()
    assert {"revision", "box", "photo", "page"} & set(names)
    user = world.make_user("a.dmin", Role.ADMINISTRATOR)
    client = logged_in(user)
    client.raise_request_exception = False
    for number, page in enumerate(pages()):
        if page in {"/logout/", "/account/password/"}:
            continue
        path = page.replace("/pictures/7001/", f"/pictures/{item.pk}/")
        for value in ODD if is_thorough() else (ODD[number % 6], ODD[(number + 3) % 6]):
            given = dict.fromkeys(names, value)
            for answer in (client.get(path, given), client.post(path, given)):
                assert answer.status_code < 500, (path, value)
    assert User.objects.filter(pk=user.pk).exists()
