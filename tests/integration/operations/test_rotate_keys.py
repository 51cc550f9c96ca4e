"""After a change of keys everything opens with the new keys only, also when it was interrupted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from consent_gate.bootstrap import open_home
from consent_gate.db import audit_log
from consent_gate.db.models import ClosedPicture, Item, ItemState, Portrait, Template
from consent_gate.decisions.copies.copy_traits import decrypt_description
from consent_gate.decisions.sealing import seal_item
from consent_gate.errors import DecryptionError
from consent_gate.home.home import Home
from consent_gate.home.keys import KeyRotationUnfinished, decrypt
from consent_gate.operations import rotate_keys
from consent_gate.register.repository import load_gallery
from consent_gate.review import service as review
from consent_gate.vault.originals import read_part
from ingest.scheduling.lock import ingest_lock


def opens_whole(home: Home) -> bool:
    """Every template, portrait and original opens."""
    assert load_gallery(home).template_count == Template.objects.filter(model="sface").count() > 0
    for item in Item.objects.exclude(wrapped_key=None).exclude(state=ItemState.SEALED):
        assert read_part(home, item)
    return audit_log.verify(home) == []


def test_everything_opens_with_the_new_keys_and_nothing_with_the_old(demo_school: Home) -> None:
    count = rotate_keys.rotate_keys(demo_school.root, "office")
    rows = Item.objects.exclude(wrapped_key=None).count() + Template.objects.count()
    assert count == rows + Portrait.objects.count()
    new = open_home(demo_school.root)
    assert new.keys.vault != demo_school.keys.vault
    assert new.keys.templates != demo_school.keys.templates
    assert new.keys.web != demo_school.keys.web
    assert new.keys.audit == demo_school.keys.audit
    assert opens_whole(new)
    with pytest.raises(DecryptionError):
        load_gallery(demo_school)
    for item in Item.objects.exclude(wrapped_key=None):
        with pytest.raises(DecryptionError):
            read_part(demo_school, item)


def test_a_sealed_picture_stays_sealed_under_the_new_keys(demo_school: Home) -> None:
    item = Item.objects.exclude(wrapped_key=None).first()
    assert item is not None
    seal_item(demo_school, item)
    item.state = ItemState.SEALED
    item.save()
    rotate_keys.rotate_keys(demo_school.root, "office")
    new = open_home(demo_school.root)
    item.refresh_from_db()
    with pytest.raises(DecryptionError):
        read_part(new, item)
    assert decrypt(new.keys.vault, bytes(item.wrapped_key or b""), f"sealed:{item.pk}")


def test_the_description_of_a_closed_picture_opens_with_the_new_keys(demo_school: Home) -> None:
    item = Item.objects.filter(state=ItemState.DECIDED).exclude(wrapped_key=None)[0]
    review.refuse(
        review.at_current_revision(demo_school, "j.shaw", item.pk),
        [item.decisions.all()[0].channel],
    )
    before = decrypt_description(demo_school, ClosedPicture.objects.get(item=item))
    assert before is not None
    rotate_keys.rotate_keys(demo_school.root, "office")
    row = ClosedPicture.objects.get(item=item)
    after = decrypt_description(open_home(demo_school.root), row)
    assert after is not None
    assert after.to_bytes() == before.to_bytes()
    assert decrypt_description(demo_school, row) is None


def test_the_keys_of_a_gate_that_runs_are_not_changed(demo_school: Home) -> None:
    with ingest_lock(demo_school), pytest.raises(rotate_keys.KeysInUse):
        rotate_keys.rotate_keys(demo_school.root, "office")
    assert opens_whole(open_home(demo_school.root))


class Killed(BaseException):
    """The program ends here."""


def _stop_at(monkeypatch: pytest.MonkeyPatch, name: str, call: int) -> None:
    """Let the program end at this call of a step."""
    step: Callable[..., object] = getattr(rotate_keys, name)
    left = [call]

    def stopping(*given: object, **named: object) -> object:
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        return step(*given, **named)

    monkeypatch.setattr(rotate_keys, name, stopping)


@pytest.mark.parametrize(
    ("step", "call"),
    [
        *[("replace_with", n) for n in (1, 2, 3)],
        ("_reencrypt_all", 1),
        *[("encrypt", n) for n in (1, 4)],
        ("_install_keys", 1),
    ],
)
@pytest.mark.dialect
def test_a_change_that_is_stopped_is_finished_or_begun_again(
    demo_school: Home, monkeypatch: pytest.MonkeyPatch, step: str, call: int
) -> None:
    with monkeypatch.context() as once:
        _stop_at(once, step, call)
        with pytest.raises(Killed):
            rotate_keys.rotate_keys(demo_school.root, "office")
    if list(demo_school.secrets.glob("*.next")):
        with pytest.raises(KeyRotationUnfinished):
            open_home(demo_school.root)
    rotate_keys.rotate_keys(demo_school.root, "office")
    new = open_home(demo_school.root)
    assert new.keys.vault != demo_school.keys.vault
    assert opens_whole(new)


@pytest.mark.parametrize("renamed", [1, 2])
@pytest.mark.dialect
def test_a_change_stopped_between_two_keys_is_finished(
    demo_school: Home, monkeypatch: pytest.MonkeyPatch, renamed: int
) -> None:
    with monkeypatch.context() as once:
        _stop_at(once, "_install_keys", 1)
        with pytest.raises(Killed):
            rotate_keys.rotate_keys(demo_school.root, "office")
    for name in rotate_keys.CHANGED[:renamed]:
        following = demo_school.secrets / f"{name}.key.next"
        following.replace(demo_school.secrets / f"{name}.key")
    assert rotate_keys.rotate_keys(demo_school.root, "office") == 0
    assert opens_whole(open_home(demo_school.root))
