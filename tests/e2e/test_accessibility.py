"""Each page, light and dark, wide and narrow, against axe-core's rules for WCAG 2.2 AA."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page

from consent_gate.db.models import ImportRun, Role, User
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.model import Ambiguous, NotMatched, Reason
from consent_gate.register import thresholds
from consent_gate.review import sealed_exports
from consent_gate.review import service as review
from consent_gate.subject_rights import never_publish
from consent_gate.subject_rights.erase import erase_pupil
from consent_gate.web import uploads
from tests.support.accessibility import Axe, violations_on
from tests.support.browser import log_in
from tests.support.factories import STRANGER, World, make_evidence, matches
from tests.support.film_items import make_film_item

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

OF_THE_LEAD = {"sealed": "/sealed/", "cameras-of-lead": "/cameras/"}


def a_busy_school(world: World) -> dict[str, str]:
    """Something on every page. Returns the addresses of an administrator's pages by name."""
    world.make_user("j.shaw", Role.ADMINISTRATOR)
    lead = world.make_user("lead", Role.SAFEGUARDING_LEAD)
    User.objects.filter(pk=lead.pk).update(first_name="Lee", last_name="Adeyemi")
    world.make_pupil("000001", "Ann", "Archer")
    world.make_pupil("000002", "Ben" * 60, "B" * 200, said_no_to=["website"])
    world.make_pupil("000005", "", "")
    world.make_pupil("000006", "محمد", "الأحمد")
    picture = world.make_item(
        Ambiguous(("000001", "000002")),
        STRANGER,
        NotMatched(Reason.LOW_QUALITY_FACE),
        matches("000002"),
    )
    world.make_item()
    world.make_item(matches("000001"))
    film = make_film_item(world, matches("000001"), STRANGER, matches("000002"), STRANGER)
    sealed = world.make_item(STRANGER)
    review.seal(review.ReviewAction(world.home, "j.shaw", sealed.pk, sealed.revision))
    sealed.refresh_from_db()
    sealed_exports.ask(world.home, sealed, "PC 1234 Doe, crime reference 42/26", lead)
    world.make_pupil("000003", "Cat", "Cole", never_publish=True)
    never_publish.ask_to_lift(world.home, "000003", "lead")
    world.make_pupil("000008", "Fay", "Fox", said_no_to=["biometric"])
    world.make_pupil("000004", "Dan", "Dale")
    erase_pupil(world.home, "000004", "j.shaw")
    seen = make_evidence(matches("000001"))
    world.make_item(evidence=replace(seen, device="Canon|Canon EOS 2000D|0123456"))
    thresholds.propose(world.home, shipped_thresholds(), "", "j.shaw")
    export = b"Adno,Surname,Photos online,Photograph - Website\n000001,Archer,T,\n000009,Hill,T,T\n"
    token = uploads.store(world.home, uploads.Upload("spring.csv", export))
    return {
        "queue": "/queue/",
        "settled": "/queue/?show=settled",
        "picture": f"/pictures/{picture.pk}/",
        "film": f"/pictures/{film.pk}/",
        "film: a face": f"/pictures/{film.pk}/?face=4",
        "events": "/events/",
        "event": "/events/show/?event=sports-day",
        "event: film": "/events/show/?event=play",
        "tour": f"/pictures/{picture.pk}/?tour=1",
        "published": "/published/",
        "taken back": "/published/?show=back",
        "albums": "/published/?show=albums",
        "portraits": "/portraits/",
        "portraits of a class": "/portraits/?class=5B",
        "rules": "/rules/",
        "pupils": "/pupils/",
        "pupil": "/pupils/000002/",
        "webcam": "/pupils/000002/webcam/",
        "webcam-refused": "/pupils/000008/webcam/",
        "imports": "/imports/",
        "import": f"/imports/done/{ImportRun.objects.latest('pk').pk}/",
        "import: questions": f"/imports/{token}/questions/",
        "import: look": f"/imports/{token}/",
        "audit": "/audit/",
        "health": "/health/",
        "settings": "/settings/",
        "people": "/people/",
        "advice": "/sealed/what-now/",
        "pupil-never": "/pupils/000003/",
        "confirm": "/confirm/",
        "erasures": "/erasures/",
        "cameras": "/cameras/",
        "calibration": "/calibration/",
        "account": "/account/second-step/",
        "passkeys": "/account/second-step/webauthn/",
        "is-it-you": "/account/second-step/webauthn/add/",
        "password": "/account/password/",
    }


QUICK = (
    *("queue", "picture", "film: a face", "event", "published", "portraits", "pupil", "webcam"),
    *("import: questions", "import: look", "health", "account", "sealed"),
)
"""A page of each kind, which the quick run looks at."""


@pytest.mark.parametrize(
    ("width", "scheme", "names"),
    [
        (1366, "light", QUICK),
        pytest.param(1366, "light", (), marks=pytest.mark.slow),
        pytest.param(1366, "dark", (), marks=pytest.mark.slow),
        pytest.param(390, "light", (), marks=pytest.mark.slow),
        pytest.param(390, "dark", (), marks=pytest.mark.slow),
    ],
)
def test_every_page_can_be_used_by_everybody(
    world: World,
    context: BrowserContext,
    scheme: str,
    width: int,
    names: tuple[str, ...],
) -> None:
    """The pages of these names; all if there are none."""
    pages, of_the_lead = (
        {name: address for name, address in found.items() if not names or name in names}
        for found in (a_busy_school(world), OF_THE_LEAD)
    )
    assert not names or {*pages, *of_the_lead} == {*names}
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    axe, found = Axe(), []
    page.goto("/login/")
    found += violations_on(axe, page, "login")
    log_in(page)
    found += _looked_at(axe, page, pages, width)
    context.clear_cookies()
    log_in(page, "lead")
    found += _looked_at(axe, page, of_the_lead, width)
    assert found == []


def _looked_at(axe: Any, page: Page, pages: dict[str, str], width: int) -> list[str]:
    found = []
    for name, address in pages.items():
        page.goto(address)
        found += violations_on(axe, page, name)
        page.evaluate("document.querySelectorAll('main details').forEach(d => { d.open = true; })")
        wider = page.evaluate("document.documentElement.scrollWidth > innerWidth + 1")
        if wider:
            found.append(f"{name}: has to be scrolled sideways at {width}")
    return found
