"""Siblings are found by family key, by surname and address, and by the school's own list."""

from __future__ import annotations

from dataclasses import replace

from sims_import.planning.siblings import read_sibling_list, sibling_links
from sims_import.readers.dispatch import read_table
from tests.support.sims_school import make_pupil


def test_one_family_key_makes_siblings() -> None:
    family = [replace(make_pupil(n), family_key="F1059") for n in (1, 2)]
    assert sibling_links([*family, make_pupil(3)]) == {
        "000001": frozenset({"000002"}),
        "000002": frozenset({"000001"}),
    }


def test_one_surname_at_one_address_makes_siblings() -> None:
    assert (
        "000002"
        in sibling_links([replace(make_pupil(n), address_key="k") for n in (1, 2)])["000001"]
    )


def test_a_family_key_never_matches_an_address_key() -> None:
    pupils = [replace(make_pupil(1), address_key="k"), replace(make_pupil(2), family_key="k")]
    assert sibling_links(pupils) == {}


def test_links_of_different_kinds_make_one_family() -> None:
    pupils = [
        replace(make_pupil(1), family_key="F1"),
        replace(make_pupil(2), family_key="F1", address_key="k"),
        replace(make_pupil(3), address_key="k"),
    ]
    links = sibling_links([*pupils, make_pupil(4)], own_list=[("000003", "000004")])
    assert links["000001"] == {"000002", "000003", "000004"}
    assert links["000004"] == {"000001", "000002", "000003"}


def test_children_without_a_key_are_nobodys_siblings() -> None:
    assert sibling_links([make_pupil(1), make_pupil(2)]) == {}


def test_the_schools_own_list_names_families_by_number() -> None:
    data = b"Adno,Sibling Adno,Note\n4123,4124,twins\n4125,,alone\n"
    assert read_sibling_list(read_table(data, "x")) == (("004123", "004124"),)
