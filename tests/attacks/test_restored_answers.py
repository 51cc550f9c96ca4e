"""What held a picture before the home was lost holds it after an older backup was restored.

The answers of staff since the backup are lost. The list of revocations outlives them.
"""

from __future__ import annotations

from django.db import transaction

from consent_gate.db.models import ConsentAnswer, Item, Publication
from consent_gate.decisions.apply import apply_decision
from consent_gate.decisions.event_classes import name_roll
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.model import Answer, Box, Tag, TagKind
from consent_gate.publication import OPEN
from consent_gate.register.event_names import NamedRoll
from consent_gate.register.repository import load_register
from consent_gate.review import service as review
from tests.support.backups import BackedUpSchool, lose_and_restore, office
from tests.support.factories import matches
from tests.support.web_fixtures import world

__all__ = ["office", "world"]

ANN, BEN = "000001", "000002"


def test_who_was_at_an_event_is_still_known(office: BackedUpSchool) -> None:
    named = {
        "fete": NamedRoll(pupils=(BEN,)),
        "trip": NamedRoll(unknown=("Class 9Z",)),
        "play": NamedRoll(("5B",), (), ("Class 9Z",)),
    }
    items = {event: office.world.make_item(matches(ANN), event=event).pk for event in named}
    done = office.back_up()
    for event, roll in named.items():
        name_roll(office.home, event, roll, "office")
    lose_and_restore(office, done)
    found = {event: load_staff_input(Item.objects.get(pk=pk)) for event, pk in items.items()}
    assert found["fete"].roster == frozenset({BEN})
    assert (found["trip"].roll_unclear, found["play"].roll_unclear) == (True, True)


def draw_a_missed_face(page: review.ReviewAction) -> None:
    review.add_face(page, Box(800, 300, 90, 120))


def say_that_nobody_can_tell(page: review.ReviewAction) -> None:
    review.tag_face(page, 0, Tag(TagKind.CANNOT_TELL))


def name_another_pupil(page: review.ReviewAction) -> None:
    review.tag_face(page, 0, Tag(TagKind.PUPIL, BEN))


DOUBTS = (draw_a_missed_face, say_that_nobody_can_tell, name_another_pupil)


def on_its_way_out(item: str) -> bool:
    rows = Publication.objects.filter(item=item, channel="website", state__in=OPEN)
    return rows.exists()


def test_doubts_of_staff_outlast_the_home(office: BackedUpSchool) -> None:
    """The pictures waited for Ann's consent when staff saw what the machine did not."""
    answers = ConsentAnswer.objects.filter(purpose="website")
    answers.update(answer=Answer.REFUSED.value)
    items = [office.world.make_item(matches(ANN)).pk for _ in DOUBTS]
    done = office.back_up()
    for item, doubt in zip(items, DOUBTS, strict=True):
        doubt(review.at_current_revision(office.home, "j.shaw", item))
    home = lose_and_restore(office, done)
    office.import_of_today()
    answers.filter(pupil__admission_number=ANN).update(answer=Answer.GIVEN.value)
    for row in Item.objects.filter(pk__in=items):
        ctx = DecisionContext(home, load_register(home.now().date()), home.now(), may_open=True)
        with transaction.atomic():
            apply_decision(ctx, row)
    assert [on_its_way_out(item) for item in items] == [False] * 3
    page = review.at_current_revision(home, "j.shaw", items[0])
    review.release(page, ["website"], "Looked at again")
    assert on_its_way_out(items[0])
