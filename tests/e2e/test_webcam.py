"""Taking three portraits with the webcam, in a browser whose camera plays a film."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from consent_gate.db.models import EnrolmentPhoto, Role
from consent_gate.web.views import webcam as views
from ingest.enrolment.webcam_poses import TWO_FACES, Pose
from ingest.faces.enrolment_face import NotEnrollableReason, not_enrollable
from tests.support import fake_webcam
from tests.support.browser import ARGUMENTS, Site, log_in
from tests.support.face_photos import demo_portrait
from tests.support.factories import World
from tests.support.measured_poses import MeasuredPool, PoseResult, poses_of

pytestmark = pytest.mark.browser

ADDRESS = "/pupils/000001/webcam/"


class InOrder(MeasuredPool):
    """Says of each picture what was chosen for its pose; the page sends them in this order."""

    def answer(self, _data: bytes) -> PoseResult:
        pose = list(Pose)[(len(self.opened) - 1) % len(Pose)]
        return super().answer(f"x {pose}".encode())


@pytest.fixture(scope="module")
def with_camera(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser whose camera plays a film of a portrait in the public domain."""
    portrait = demo_portrait("hopper_us_navy")
    film = tmp_path_factory.mktemp("webcam") / "hopper.y4m"
    fake_webcam.write_y4m(film, [portrait // 2 + shade for shade in range(40)])
    browser = chromium.browser_type.launch(
        executable_path=shutil.which("chromium") or shutil.which("chromium-browser"),
        args=[*ARGUMENTS, *fake_webcam.arguments(film)],
    )
    yield browser
    browser.close()


@pytest.fixture
def office(with_camera: Browser, site: Site, world: World) -> Iterator[BrowserContext]:
    """A window in which the office is logged in. It may not use the camera yet."""
    world.make_user("office", Role.OFFICE)
    world.make_pupil("000001", "Ann", "Archer", enrolled=False)
    window = with_camera.new_context(base_url=site.address, locale="en-GB")
    window.set_default_timeout(15_000)
    log_in(window.new_page(), "office")
    yield window
    window.close()


def take_three(page: Page) -> None:
    """By keyboard alone: the focus lies where the next key is needed."""
    page.get_by_role("button", name="Start the camera").focus()
    page.keyboard.press("Enter")
    for title in views.POSES.values():
        expect(page.get_by_role("status").filter(has_text=title)).to_be_visible()
        expect(page.get_by_role("button", name="Take the picture")).to_be_focused()
        page.keyboard.press("Space")
        expect(page.get_by_role("img", name=f"Picture taken: {title}")).to_be_visible()


def test_three_pictures_are_shown_corrected_and_saved_by_keyboard(
    office: BrowserContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes: dict[Pose, PoseResult] = dict(poses_of(7))
    good, outcomes[Pose.LEFT] = outcomes[Pose.LEFT], not_enrollable(NotEnrollableReason.TWO_FACES)
    pool = InOrder(outcomes)
    monkeypatch.setattr(views, "borrow_pool", pool)
    office.grant_permissions(["camera"])
    page = office.pages[0]
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/pupils/000001/")
    page.get_by_role("link", name="Take portraits with the webcam").click()
    take_three(page)
    save = page.get_by_role("button", name="Save: all three show Ann Archer")
    expect(save).to_be_focused()
    assert pool.opened == []
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text=TWO_FACES)).to_be_visible()
    assert not EnrolmentPhoto.objects.exists()
    expect(save).to_be_disabled()
    pool.outcomes = outcomes | {Pose.LEFT: good}
    expect(page.get_by_role("button", name="Take the picture")).to_be_focused()
    page.keyboard.press("Space")
    expect(save).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url("**/portraits/?class=5B")
    expect(page.get_by_text("Three portraits of Ann Archer are saved.")).to_be_visible()
    assert EnrolmentPhoto.objects.filter(added_by="office").count() == 3
    assert complaints == []
    sent = [Image.open(io.BytesIO(data)) for data in pool.opened[-3:]]
    assert {(picture.format, picture.width > 0) for picture in sent} == {("JPEG", True)}
    assert len(set(pool.opened[-3:])) == 3


def test_the_camera_works_where_the_browser_allows_it_and_on_this_page_only(
    office: BrowserContext,
) -> None:
    page = office.pages[0]
    page.goto(ADDRESS)
    page.get_by_role("button", name="Start the camera").click()
    expect(page.get_by_text("The browser may not use the camera.")).to_be_visible()
    expect(page.get_by_role("button", name="Take the picture")).to_be_hidden()
    office.grant_permissions(["camera"])
    ask = "navigator.mediaDevices.getUserMedia({video: true}).then(() => 'on', (e) => e.name)"
    page.goto(ADDRESS)
    assert page.evaluate(ask) == "on"
    page.get_by_role("link", name="Back to the pupil").click()
    page.wait_for_url("**/pupils/000001/")
    assert page.evaluate(ask) == "NotAllowedError"
