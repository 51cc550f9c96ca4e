"""Folders of a home that may not lie in each other."""

from __future__ import annotations

import pytest

from consent_gate.bootstrap import open_home
from consent_gate.errors import SettingsInvalid
from consent_gate.home.home import Home


@pytest.mark.parametrize("folder", ["approved/website", "approved/website/2026-11", "approved"])
def test_a_picture_for_one_place_never_lies_in_the_folder_of_another(
    home: Home, folder: str
) -> None:
    """A block of settings copied with its folder: readers of one would be given the other's."""
    path = home.root / "consent-gate.toml"
    text = path.read_text().replace(
        "[channels.mag]", f'[channels.mag]\nfolder = "{home.root / folder}"'
    )
    path.write_text(text)
    with pytest.raises(SettingsInvalid, match="The folder of"):
        open_home(home.root)
