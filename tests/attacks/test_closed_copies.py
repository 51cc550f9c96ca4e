"""A picture that a person closed comes in again as another file."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from django.db import transaction
from PIL import Image, ImageFilter, ImageOps

from consent_gate.db.audit_chain import Entry
from consent_gate.db.models import AuditEntry, ClosedPicture, Item, ItemState, SeenBefore
from consent_gate.errors import DecryptionError
from consent_gate.home.home import Home
from consent_gate.home.ids import new_id
from consent_gate.matching.copies.picture_hash import HASHED_SIDE, picture_hashes
from consent_gate.model import Box, Examined, FaceEvidence, FaceKind, Film
from consent_gate.operations.backup.restore_replay import replay_revocations
from consent_gate.register.gallery_version import gallery_version
from consent_gate.review import service as review
from consent_gate.review.covering import undo_answers
from consent_gate.vault.originals import read_part, vault_of
from ingest.examinations import record_examination
from ingest.pipeline import compare_with_closed
from ingest.workers.examination import Examination
from publish.recall.by_hand import RecallSelection, recall_selection
from publish.retention import erase_item, retention_round
from tests.conftest import Clock
from tests.support.factories import World, encode_jpeg, matches, store_original

ANN = "000001"
BASIS = "asked the class teacher"

Alter = Callable[[Image.Image], Image.Image]

COPIES: dict[str, Alter] = {
    "the same pixels": lambda picture: picture,
    "smaller": lambda picture: picture.resize((400, 300)),
    "cropped": lambda picture: picture.crop((40, 20, 590, 455)),
    "turned": lambda picture: picture.rotate(90, expand=True),
    "mirrored": ImageOps.mirror,
    "cropped, turned and mirrored": lambda picture: ImageOps.mirror(
        picture.crop((30, 0, 640, 460)).rotate(180)
    ),
    "brighter": lambda picture: picture.point(lambda value: min(255, int(value * 1.15 + 8))),
    "saved badly": lambda picture: Image.open(io.BytesIO(badly_saved(picture))).convert("RGB"),
}


@cache
def photo(seed: int) -> Image.Image:
    """A photo-like picture: soft shapes in random places."""
    rng = np.random.default_rng(seed)
    layers = [
        np.asarray(
            Image.fromarray(rng.integers(0, 255, (n, n), dtype=np.uint8)).resize(
                (640, 480), Image.Resampling.BICUBIC
            ),
            dtype=np.float32,
        )
        for n in (5, 9, 17)
    ]
    grey = (0.5 * layers[0] + 0.3 * layers[1] + 0.2 * layers[2]).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")


def badly_saved(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=30)
    return out.getvalue()


def examination_of(picture: Image.Image) -> Examination:
    """What a worker answers: one face of a pupil with every consent."""
    pixels = hashlib.sha256(np.asarray(picture).tobytes()).hexdigest()
    face = FaceEvidence(Box(100, 100, 80, 100), 0.95, FaceKind.FACE, matches(ANN))
    small = picture.convert("L")
    small.thumbnail((HASHED_SIDE, HASHED_SIDE), Image.Resampling.BOX)
    return Examination(
        Examined(picture.width, picture.height, pixels, (face,), text_side=10_000),
        encode_jpeg(picture),
        picture_hashes(np.asarray(small, dtype=np.uint8)),
        lines=(),
    )


def drop(world: World, picture: Image.Image) -> Item:
    """A file with this picture is taken in and waits for its examination."""
    item_id = new_id()
    return Item.objects.create(
        **store_original(world.home, item_id, item_id.encode()),
        source=f"sports-day/{item_id[:5]}.jpg",
        event="sports-day",
        received_at=world.home.now(),
    )


def examine(world: World, item: Item, picture: Image.Image) -> Item:
    record_examination(world.home, item.pk, examination_of(picture), gallery_version(world.home))
    item.refresh_from_db()
    return item


def take_in(world: World, picture: Image.Image) -> Item:
    return examine(world, drop(world, picture), picture)


def action(world: World, item: Item) -> review.ReviewAction:
    return review.at_current_revision(world.home, "j.shaw", item.pk)


def refuse(world: World, item: Item) -> None:
    review.refuse(action(world, item), ["website"])


def recall(world: World, item: Item) -> None:
    recall_selection(world.home, RecallSelection(items=[item.pk]), "j.shaw")


def verdict(item: Item, channel: str = "website") -> tuple[str, list[str]]:
    row = item.decisions.get(channel=channel)
    return row.verdict, list(row.reasons)


def is_out(item: Item, channel: str = "website") -> bool:
    return item.publications.filter(channel=channel, state="intended").exists()


@pytest.fixture
def school(home: Home) -> World:
    world = World(home)
    world.make_import()
    world.make_pupil(ANN)
    return world


def test_a_picture_that_nobody_closed_goes_out(school: World) -> None:
    assert is_out(take_in(school, photo(1)))


@pytest.mark.dialect
@pytest.mark.parametrize("copy", COPIES)
@pytest.mark.parametrize("close", [refuse, recall])
def test_a_copy_of_a_closed_picture_is_held(
    school: World, close: Callable[[World, Item], None], copy: str
) -> None:
    earlier = take_in(school, photo(1))
    close(school, earlier)
    item = take_in(school, COPIES[copy](photo(1)))
    assert verdict(item) == ("held", ["seen_before"])
    assert not is_out(item)
    assert item.seen_before.get().earlier.item_id == earlier.pk  # type: ignore[union-attr]


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_of_a_sealed_picture_is_sealed_unseen(school: World, copy: str) -> None:
    review.seal(action(school, take_in(school, photo(1))))
    item = take_in(school, COPIES[copy](photo(1)))
    assert item.state == ItemState.SEALED
    assert item.evidence is None
    assert not is_out(item)
    assert not vault_of(school.home).exists(item.pk, "preview")
    with pytest.raises(DecryptionError):
        read_part(school.home, item)
    told = AuditEntry.objects.get(action="item.sealed", subject=f"item:{item.pk}")
    assert told.detail["copy_of_sealed"] is True


@pytest.mark.parametrize("close", [refuse, recall])
def test_other_pictures_are_not_held(school: World, close: Callable[[World, Item], None]) -> None:
    close(school, take_in(school, photo(1)))
    assert all(is_out(take_in(school, photo(seed))) for seed in range(2, 12))


def test_a_refusal_holds_copies_in_its_own_channel_only(school: World) -> None:
    refuse(school, take_in(school, photo(1)))
    item = take_in(school, photo(1))
    assert not is_out(item)
    assert is_out(item, "mag")


def test_a_copy_goes_out_by_a_persons_word_for_it_and_carries_the_name(school: World) -> None:
    refuse(school, take_in(school, photo(1)))
    item, other = take_in(school, photo(1)), take_in(school, photo(1))
    review.release(action(school, item), ["website"], BASIS)
    assert is_out(item)
    assert not is_out(other)
    assert item.approvals.get(channel="website").actor == "j.shaw"


def test_an_approval_from_before_the_refusal_does_not_count(school: World) -> None:
    earlier, item = take_in(school, photo(1)), take_in(school, photo(1))
    review.release(action(school, item), ["website"], BASIS)
    assert is_out(item)
    refuse(school, earlier)
    assert not is_out(item)
    assert verdict(item)[1] == ["seen_before"]


@pytest.mark.dialect
def test_a_copy_that_is_already_out_is_recalled_at_once(school: World) -> None:
    earlier, item = take_in(school, photo(1)), take_in(school, photo(1))
    recall(school, earlier)
    assert not is_out(item)


@pytest.mark.dialect
def test_a_near_copy_that_is_already_out_is_recalled_by_the_next_round(school: World) -> None:
    earlier, item = take_in(school, photo(1)), take_in(school, COPIES["cropped"](photo(1)))
    other = take_in(school, photo(2))
    assert is_out(item)
    refuse(school, earlier)
    compare_with_closed(school.home)
    assert not is_out(item)
    assert is_out(other)


@pytest.mark.dialect
def test_copies_that_came_before_the_seal_are_sealed(school: World) -> None:
    earlier, same = take_in(school, photo(1)), take_in(school, photo(1))
    near, other = take_in(school, COPIES["mirrored"](photo(1))), take_in(school, photo(2))
    review.seal(action(school, earlier))
    same.refresh_from_db()
    assert same.state == ItemState.SEALED
    compare_with_closed(school.home)
    near.refresh_from_db()
    other.refresh_from_db()
    assert near.state == ItemState.SEALED
    assert not vault_of(school.home).exists(near.pk, "preview")
    assert other.state == ItemState.DECIDED


def test_a_picture_that_is_sealed_while_it_is_examined_closes_its_copies(school: World) -> None:
    item = drop(school, photo(1))
    review.seal(action(school, item))
    examine(school, item, photo(1))
    assert take_in(school, COPIES["cropped"](photo(1))).state == ItemState.SEALED


def test_a_changed_register_does_not_release_a_copy(school: World) -> None:
    refuse(school, take_in(school, photo(1)))
    item = take_in(school, photo(1))
    Item.objects.filter(pk=item.pk).update(state=ItemState.RECEIVED)
    examine(school, item, photo(1))
    assert verdict(item) == ("held", ["seen_before"])


def test_taking_back_a_refusal_ends_it_for_the_copies(school: World) -> None:
    earlier = take_in(school, photo(1))
    refuse(school, earlier)
    item = take_in(school, photo(1))
    undo_answers(action(school, earlier), ["website"])
    assert not ClosedPicture.objects.exists()
    item.refresh_from_db()
    assert is_out(examine(school, item, photo(1)))


def test_a_new_release_of_a_recalled_picture_ends_it_for_the_copies(school: World) -> None:
    earlier = take_in(school, photo(1))
    recall(school, earlier)
    for channel in school.home.settings.channels:
        review.release(action(school, earlier), [channel], BASIS)
    assert not ClosedPicture.objects.exists()
    assert is_out(take_in(school, photo(1)))


def test_pictures_without_contrast_are_not_all_alike(school: World) -> None:
    refuse(school, take_in(school, Image.new("RGB", (640, 480), "white")))
    assert is_out(take_in(school, Image.new("RGB", (640, 480), "grey")))


def test_open_pictures_have_no_stored_hash(school: World) -> None:
    take_in(school, photo(1))
    assert not ClosedPicture.objects.exists()


@pytest.mark.dialect
def test_erasing_a_closed_picture_destroys_its_hash_and_releases_no_copy(school: World) -> None:
    earlier = take_in(school, photo(1))
    refuse(school, earlier)
    item = take_in(school, photo(1))
    with transaction.atomic():
        erase_item(school.home, earlier, "refused_days")
    assert not ClosedPicture.objects.exists()
    assert SeenBefore.objects.get(item=item).earlier is None
    Item.objects.filter(pk=item.pk).update(state=ItemState.RECEIVED)
    examine(school, item, photo(1))
    assert verdict(item) == ("held", ["seen_before"])


def test_erasing_a_sealed_picture_frees_no_copy_that_could_not_be_sealed(school: World) -> None:
    earlier, item = take_in(school, photo(1)), take_in(school, photo(1))
    key = Item.objects.get(pk=item.pk).wrapped_key
    Item.objects.filter(pk=item.pk).update(wrapped_key=b"damaged")
    review.seal(action(school, earlier))
    Item.objects.filter(pk=item.pk).update(wrapped_key=key)
    earlier.refresh_from_db()
    with transaction.atomic():
        erase_item(school.home, earlier, "pupil_erased")
    assert SeenBefore.objects.get(item=item).earlier is None
    Item.objects.filter(pk=item.pk).update(state=ItemState.RECEIVED)
    assert examine(school, item, photo(1)).state == ItemState.SEALED
    assert not is_out(item)


@pytest.mark.parametrize(
    ("said", "detail"),
    [
        ("channel.refused", {"channel": "website"}),
        ("publication.recalled", {"channel": "website"}),
        ("item.sealed", {}),
    ],
)
def test_a_restore_closes_copies_again(school: World, said: str, detail: dict[str, object]) -> None:
    earlier = take_in(school, photo(1))
    lost = Entry(
        1, school.home.now().isoformat(), "j.shaw", said, f"item:{earlier.pk}", detail, "m"
    )
    with transaction.atomic():
        replay_revocations(school.home, [lost], "restore")
    assert not is_out(take_in(school, COPIES["cropped"](photo(1))))


@pytest.mark.dialect
def test_old_hashes_are_deleted_after_the_schools_period(school: World, clock: Clock) -> None:
    earlier, sealed = take_in(school, photo(1)), take_in(school, photo(2))
    refuse(school, earlier)
    review.seal(action(school, sealed))
    clock.pass_days(31)
    settings = school.home.settings
    kept = settings.retention.model_copy(update={"closed_days": 30})
    home = replace(school.home, settings=settings.model_copy(update={"retention": kept}))
    retention_round(home)
    assert ClosedPicture.objects.get().item_id == sealed.pk


def scene(*people: int) -> Image.Image:
    """A picture from a tripod: always the same wall, with one person at each place."""

    def texture(seed: int, width: int, height: int) -> Image.Image:
        noise = np.random.default_rng(seed).integers(0, 255, (height, width), dtype=np.uint8)
        return Image.fromarray(noise).filter(ImageFilter.GaussianBlur(2))

    picture = ImageOps.autocontrast(Image.blend(photo(1).convert("L"), texture(1, 640, 480), 0.5))
    for person, x in zip(people, (100, 400), strict=True):
        picture.paste(ImageOps.autocontrast(texture(50 + person, 80, 100)), (x, 100))
    return picture.convert("RGB")


TWO_FACES = (Box(100, 100, 80, 100), Box(400, 100, 80, 100))


def take_in_scene(
    world: World,
    picture: Image.Image,
    faces: tuple[Box, ...] = TWO_FACES,
    film: Film | None = None,
) -> Item:
    item = drop(world, picture)
    made = examination_of(picture)
    assert isinstance(made.evidence, Examined)
    found = tuple(FaceEvidence(box, 0.95, FaceKind.FACE, matches(ANN)) for box in faces)
    made = replace(made, evidence=replace(made.evidence, faces=found, film=film))
    record_examination(world.home, item.pk, made, gallery_version(world.home))
    item.refresh_from_db()
    return item


def test_the_tripods_next_picture_with_other_people_is_not_held(school: World) -> None:
    closed = take_in_scene(school, scene(1, 2))
    refuse(school, closed)
    later = take_in_scene(school, scene(3, 4))
    assert not later.seen_before.exists()
    assert "seen_before" not in verdict(later)[1]


@pytest.mark.parametrize(
    "people", [(1, 4), (3, 2)], ids=["the left person stays", "the right person stays"]
)
def test_a_picture_in_which_one_face_is_the_same_is_held(
    school: World, people: tuple[int, int]
) -> None:
    refuse(school, take_in_scene(school, scene(1, 2)))
    assert "seen_before" in verdict(take_in_scene(school, scene(*people)))[1]


def test_a_copy_whose_faces_the_detector_missed_is_held(school: World) -> None:
    refuse(school, take_in_scene(school, scene(1, 2)))
    copy = drop(school, scene(3, 4))
    made = examination_of(scene(3, 4))
    assert isinstance(made.evidence, Examined)
    made = replace(made, evidence=replace(made.evidence, faces=()))
    record_examination(school.home, copy.pk, made, gallery_version(school.home))
    assert copy.seen_before.exists()


def test_a_copy_is_held_where_the_closed_pictures_preview_is_gone(school: World) -> None:
    closed = take_in_scene(school, scene(1, 2))
    refuse(school, closed)
    vault_of(school.home).remove(closed.pk, "preview")
    assert "seen_before" in verdict(take_in_scene(school, scene(3, 4)))[1]


def test_the_tripods_next_picture_after_a_sealed_one_is_sealed(school: World) -> None:
    closed = take_in_scene(school, scene(1, 2))
    review.seal(action(school, closed))
    assert take_in_scene(school, scene(3, 4)).state == ItemState.SEALED


def test_a_copy_of_a_refused_film_is_held_whichever_moment_its_preview_shows(
    school: World,
) -> None:
    film = Film(4.0, 100, 0, 4, 1, ("video h264",))
    refuse(school, take_in_scene(school, scene(1, 2), film=film))
    assert "seen_before" in verdict(take_in_scene(school, scene(3, 4), film=film))[1]


def blurred(picture: Image.Image) -> Image.Image:
    return picture.filter(ImageFilter.GaussianBlur(4))


def with_blurred_faces(picture: Image.Image) -> Image.Image:
    copy = picture.copy()
    for box in TWO_FACES:
        part = (box.x, box.y, box.x + box.width, box.y + box.height)
        copy.paste(picture.crop(part).filter(ImageFilter.GaussianBlur(9)), part[:2])
    return copy


def stretched(picture: Image.Image) -> Image.Image:
    return picture.resize((picture.width * 21 // 20, picture.height))


def tilted(picture: Image.Image) -> Image.Image:
    """As if photographed from a screen at a slant."""
    corners = (0, 0, 12, 470, 640, 480, 628, 8)
    return picture.transform(picture.size, Image.Transform.QUAD, corners, Image.Resampling.BICUBIC)


@pytest.mark.parametrize("edit", [blurred, with_blurred_faces, stretched, tilted])
def test_a_copy_of_a_refused_group_picture_is_held_after_any_edit(
    school: World, edit: Alter
) -> None:
    refuse(school, take_in_scene(school, scene(1, 2)))
    copy = edit(scene(1, 2))
    wider = copy.width / 640
    faces = tuple(Box(round(b.x * wider), b.y, round(b.width * wider), b.height) for b in TWO_FACES)
    assert "seen_before" in verdict(take_in_scene(school, copy, faces))[1]
