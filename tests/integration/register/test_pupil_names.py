"""The names of the register as they are now."""

from __future__ import annotations

import pytest

from consent_gate.db.models import PupilEntry
from consent_gate.register.pupil_names import name_index
from tests.support.factories import World
from tests.support.web_fixtures import world

__all__ = ["world"]

AWKWARD = ('O"Brien', "D'Arcy\\", "Zoë", "李", "a,b]", "tab\tline\n", "\x1f\x1e")


def found(first: str, last: str) -> frozenset[str]:
    return name_index().two_words(first, last)


def test_an_empty_register_has_no_names(world: World) -> None:
    assert found("amelia", "okafor") == frozenset()


@pytest.mark.dialect
def test_every_change_of_a_name_is_seen_at_once(world: World) -> None:
    """Also one that keeps the number of pupils, the imports and the length of the name."""
    pupil = world.make_pupil("000001", "Amelia", "Okafor")
    assert found("amelia", "okafor") == {"000001"}
    PupilEntry.objects.filter(pk=pupil.pk).update(surname="Bennet")
    assert found("amelia", "okafor") == frozenset()
    assert found("amelia", "bennet") == {"000001"}
    PupilEntry.objects.filter(pk=pupil.pk).update(preferred_forename="Mia")
    assert found("mia", "bennet") == {"000001"}
    pupil.delete()
    assert found("amelia", "bennet") == frozenset()


def test_the_index_is_built_once_for_one_state_of_the_register(world: World) -> None:
    world.make_pupil("000001", "Amelia", "Okafor")
    assert name_index() is name_index()


@pytest.mark.parametrize("name", AWKWARD)
def test_any_letters_of_a_name_leave_the_other_names_as_they_are(world: World, name: str) -> None:
    world.make_pupil("000001", name, "Okafor")
    world.make_pupil("000002", "Amelia", name)
    world.make_pupil("000003", "Mia", "Bennet")
    assert found("mia", "bennet") == {"000003"}
    assert found("amelia", "okafor") == frozenset()
