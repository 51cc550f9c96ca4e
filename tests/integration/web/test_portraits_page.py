"""The Portraits page and the commands ``portraits``: who sees and who confirms which portraits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from typer.testing import CliRunner

from consent_gate.cli.registry import app
from consent_gate.db.models import EnrolmentPhoto, Role, User
from consent_gate.home.home import Home
from consent_gate.operations.contact_sheet import sheet_entries, sheet_pages
from consent_gate.subject_rights.access import collect_subject_data, find_pupil
from consent_gate.subject_rights.access_letter import summary
from tests.support.factories import World

ROBIN, KIT = "000101", "000102"
LogIn = Callable[[User], Client]


@pytest.fixture
def waiting(demo_school: Home, settings_home: None) -> Home:
    """The demonstration's school before anybody looked at its portraits."""
    EnrolmentPhoto.objects.update(confirmed_by="", confirmed_at=None)
    return demo_school


def photo_of(number: str) -> EnrolmentPhoto:
    return EnrolmentPhoto.objects.get(pupil__admission_number=number)
