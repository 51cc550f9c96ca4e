"""The page that takes portraits with the webcam: who opens it, what it allows, what it says."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from consent_gate.db.models import ConsentAnswer, EnrolmentPhoto, Role, User
from consent_gate.model import BIOMETRIC
from consent_gate.web.views import webcam as views
from ingest.enrolment.from_picture import NOT_ALLOWED
from ingest.enrolment.webcam import INCOMPLETE, MOST_BYTES, TOO_LARGE
from ingest.enrolment.webcam_poses import Pose
from tests.support.factories import World
from tests.support.measured_poses import MeasuredPool, pictures, poses_of

ANN = "000001"
LogIn = Callable[[User], Client]


@pytest.fixture
def office(world: World, logged_in: LogIn) -> Client:
    world.make_pupil(ANN, enrolled=False)
    return logged_in(world.make_user("office", Role.OFFICE))


def post(client: Client, files: dict[Pose, bytes]) -> tuple[int, dict[str, object]]:
    named = {pose: SimpleUploadedFile(f"{pose}.jpg", data) for pose, data in files.items()}
    answer = client.post(f"/pupils/{ANN}/webcam/save/", named)
    return answer.status_code, answer.json()


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> MeasuredPool:
    pool = MeasuredPool(poses_of(7))
    monkeypatch.setattr(views, "borrow_pool", pool)
    return pool


def test_only_this_page_may_use_the_camera_and_only_with_consent(office: Client) -> None:
    page = office.get(f"/pupils/{ANN}/webcam/")
    assert page.headers["Permissions-Policy"].startswith("camera=(self), microphone=()")
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert b'<body hx-boost="false"' in page.content
    for other in ("/pupils/", f"/pupils/{ANN}/", "/portraits/"):
        assert office.get(other).headers["Permissions-Policy"].startswith("camera=()")
    ConsentAnswer.objects.filter(purpose=BIOMETRIC).update(answer="refused")
    page = office.get(f"/pupils/{ANN}/webcam/")
    assert page.headers["Permissions-Policy"].startswith("camera=()")
    assert NOT_ALLOWED in page.content.decode()
    assert b"webcam.js" not in page.content


def test_the_page_is_always_loaded_as_a_whole_document(office: Client) -> None:
    """As after a log-in: in the document of another page the camera would stay forbidden."""
    page = office.get(f"/pupils/{ANN}/webcam/", headers={"HX-Request": "true"})
    assert page.headers["HX-Redirect"] == f"/pupils/{ANN}/webcam/"
    assert page.content == b""


def test_the_office_saves_three_pictures_and_is_led_to_their_confirmation(
    office: Client, measured: MeasuredPool
) -> None:
    status, answer = post(office, pictures())
    assert (status, answer) == (HTTPStatus.OK, {"saved": "/portraits/?class=5B"})
    page = office.get("/pupils/" + ANN + "/").content.decode()
    assert "taken with the webcam by Jo Shaw" in page
    again = "saved before"
    status, answer = post(office, pictures())
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert again in str(answer["problems"])


def test_a_request_sent_again_after_the_withdrawal_stores_nothing(
    office: Client, measured: MeasuredPool
) -> None:
    assert post(office, pictures())[0] == HTTPStatus.OK
    EnrolmentPhoto.objects.all().delete()
    ConsentAnswer.objects.filter(purpose=BIOMETRIC).update(answer="refused")
    status, answer = post(office, pictures())
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert NOT_ALLOWED in str(answer["message"])
    assert not EnrolmentPhoto.objects.exists()


def test_what_is_no_picture_is_refused_and_said_so(office: Client, measured: MeasuredPool) -> None:
    for files, message in (
        ({}, INCOMPLETE),
        ({pose: f"<svg {pose}>".encode() for pose in Pose}, "cannot be read"),
        (pictures() | {Pose.LEFT: bytes(3 * MOST_BYTES)}, TOO_LARGE),
    ):
        status, answer = post(office, files)
        assert status == HTTPStatus.UNPROCESSABLE_ENTITY
        assert message in str(answer)
    assert not EnrolmentPhoto.objects.exists()


def test_a_request_from_another_site_is_refused(world: World) -> None:
    world.make_pupil(ANN, enrolled=False)
    client = Client(enforce_csrf_checks=True, SERVER_NAME="localhost")
    client.force_login(world.make_user("office", Role.OFFICE))
    assert client.post(f"/pupils/{ANN}/webcam/save/").status_code == HTTPStatus.FORBIDDEN
