"""What is held about one pupil can be shown, handed over, and erased everywhere."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection

from consent_gate.db import audit_log
from consent_gate.db.models import AuditEntry, Item, ItemState, PupilEntry, ReviewNote
from consent_gate.decisions.event_classes import name_classes
from consent_gate.errors import ItemNotFound
from consent_gate.home.home import Home
from consent_gate.model import Tag, TagKind
from consent_gate.review import service as review
from consent_gate.subject_rights.access import (
    collect_subject_data,
    export_subject_data,
    find_pupil,
    subject_data,
)
from consent_gate.subject_rights.access_letter import write_letter
from consent_gate.subject_rights.erase import erase_pupil
from consent_gate.subject_rights.search import search_terms
from consent_gate.web import uploads
from ingest.enrolment import upload_queue
from sims_import.applying.apply import ExportFile, photo_listing_file
from sims_import.applying.drop_photos import remember_photos
from sims_import.applying.run import run_import
from tests.conftest import Clock, HomeAfter
from tests.support.factories import STRANGER, World, folder_vault, matches
from tests.support.imports import consent_csv, import_csv, make_template, verdict_of

ANN, BEN, UPN = "007001", "007002", "A823432117001"
NAME = ("Annalisa", "Archerfield")


def named_school(**answers: str) -> str:
    """A school whose first pupil has a name that occurs nowhere else."""
    plain = f"{ANN},,Name1,Surname1,3W,F1"
    assert plain in consent_csv(**answers)
    return consent_csv(**answers).replace(plain, f"{ANN},{UPN},{NAME[0]},{NAME[1]},3W,F1")


def make_family(home: Home) -> None:
    family = named_school(**{f"_{ANN}": ",T,T,T,,"}).replace(",F2,", ",F1,")
    import_csv(home, family)
    import_csv(home, named_school().replace(",F2,", ",F1,"))
    for number in (ANN, BEN):
        make_template(home, number)
    world = World(home)
    out = world.make_item(matches(ANN), name="alone.jpg")
    out.publications.filter(channel="website").update(state="live", released_at=home.now())
    world.make_item(matches(ANN), matches(BEN), name="both.jpg")
    stranger = world.make_item(STRANGER, matches(BEN), name="tagged.jpg")
    said = review.ReviewAction(home, "j.shaw", stranger.pk, stranger.revision)
    review.tag_face(said, 0, Tag(TagKind.PUPIL, ANN))


@pytest.fixture
def world(home_after: HomeAfter) -> World:
    """Ann with a history, a template, a brother and three pictures; one of them is out."""
    return World(home_after(make_family))


def every_value() -> Iterator[tuple[str, str]]:
    """Every column of every row of every table, as text."""
    there = set(connection.introspection.table_names())
    for model in apps.get_models():
        if model._meta.db_table not in there:
            continue  # jobs, which are on PostgreSQL alone
        for row in model._default_manager.all():
            for field in model._meta.concrete_fields:
                value = getattr(row, field.attname)
                text = bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)
                yield f"{model.__name__}.{field.name}", text


def every_file(home: Home) -> Iterator[tuple[Path, bytes]]:
    for path in home.root.rglob("*"):
        if path.is_file():
            yield path.relative_to(home.root), path.read_bytes()


def test_a_pupils_consents_are_shown_with_the_import_they_came_from(world: World) -> None:
    facts = collect_subject_data(find_pupil(ANN))
    website = next(c for c in facts["consents"] if c["purpose"] == "website")
    assert (website["answer"], website["file"]) == ("given", "consent.csv")
    told = [(h["kind"], h["subject"], h["import"]) for h in facts["history"]]
    assert ("granted", "mag", website["import"] - 1) in told
    assert ("granted", "website", website["import"]) in told
    assert [Path(p["source"]).name for p in facts["pictures"]] == [
        "alone.jpg",
        "both.jpg",
        "tagged.jpg",
    ]
    assert facts["pictures"][0]["out_in"] == ["website"]


def test_a_pupils_templates_are_listed_but_never_shown(world: World) -> None:
    with_template_of_ann = PupilEntry.objects.get(admission_number=ANN).photos.get()
    sealed = bytes(with_template_of_ann.templates.get().ciphertext)
    facts = collect_subject_data(find_pupil(ANN))
    assert facts["templates"][0]["models"] == {"sface": "test"}
    assert sealed.hex() not in json.dumps(facts)


def test_a_request_is_answered_with_a_page_to_read_and_the_data(world: World, clock: Clock) -> None:
    clock.pass_days(300)
    with zipfile.ZipFile(io.BytesIO(export_subject_data(world.home, find_pupil(ANN)))) as archive:
        page = archive.read("summary.txt").decode()
        data = json.loads(archive.read("data.json"))
        dated = {entry.date_time[:3] for entry in archive.infolist()}
    assert dated == {world.home.now().timetuple()[:3]}
    assert data["pupil"]["upn"] == UPN
    assert f"Name: {NAME[0]} {NAME[1]}" in page
    assert "both.jpg" in page
    assert "- School website: yes (from consent.csv)" in page
    assert "Gains consent for Millfields Mag".casefold() in page.casefold()
    assert "Information Commissioner" in page
    assert "Name2" not in page, "nobody else"


def test_the_letter_names_the_events_and_a_face_that_was_remembered(world: World) -> None:
    home, entry = world.home, find_pupil(ANN)
    page = write_letter(home, collect_subject_data(entry))
    assert "Events at which staff said that the pupil was\n- None." in page
    picture = Item.objects.get(source__endswith="alone.jpg")
    name_classes(home, picture.event, ["3W"], "j.shaw")
    entry.photos.update(item=picture, face=0)
    facts = collect_subject_data(entry)
    assert (facts["events"], facts["templates"][0]["from_picture"]) == (["sports-day"], picture.pk)
    page = write_letter(home, facts)
    assert "- sports-day\n" in page
    assert "taken from a picture of the school on" in page


def test_a_former_number_finds_the_pupil(world: World) -> None:
    import_csv(world.home, named_school().replace(f"{ANN},{UPN}", f"009009,{UPN}"))
    assert find_pupil(ANN).admission_number == "009009"
    with pytest.raises(ItemNotFound):
        find_pupil("999999")


def test_an_erased_pupil_is_nowhere(world: World) -> None:
    home = world.home
    sealed = bytes(
        PupilEntry.objects.get(admission_number=ANN).photos.get().templates.get().ciphertext
    )
    alone = Item.objects.get(source__endswith="alone.jpg").pk
    secrets = [ANN, UPN, *NAME]
    assert {s for s in secrets for _, text in every_value() if s in text} == set(secrets)
    dropped = home.sims / "done" / "old.csv"
    dropped.parent.mkdir()
    dropped.write_text(named_school())

    certificate = erase_pupil(home, ANN, "d.officer")

    assert [(where, s) for where, text in every_value() for s in secrets if s in text] == []
    found = [
        (name, s)
        for name, data in every_file(home)
        for s in [*(text.encode() for text in secrets), sealed]
        if s in data
    ]
    assert found == [], "database, log, vault, drop folder, caches and certificate"
    assert not folder_vault(home).path(alone).exists()
    assert not folder_vault(home).path(alone, "preview").exists()
    assert certificate["destroyed"]["pictures_taken_back"] >= 1
    assert certificate["destroyed"]["templates"] == 1
    assert certificate["still_found"] == {}
    assert certificate["searched"]["rows"] > 30
    assert certificate["searched"]["vault_files"] >= 2
    written = list((home.root / "certificates").iterdir())
    assert json.loads(written[0].read_text()) == certificate
    assert audit_log.verify(home) == []


def test_a_certificate_lists_what_only_people_can_delete(world: World) -> None:
    home = world.home
    (home.inbox / "fair").mkdir()
    (home.inbox / "fair" / f"{NAME[0]}_{NAME[1]}.jpg").write_bytes(b"a picture")
    (home.root / "notes.txt").write_text(f"{NAME[1]}, {NAME[0]} has moved")
    stray = home.vault / "originals" / "zz" / "zzstray"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"of a picture that has no key")
    certificate = erase_pupil(home, ANN, "d.officer")
    assert certificate["still_found"] == {
        "files in the home": 1,
        "names of files in inbox": 1,
        "vault: files without a key": 1,
    }
    assert NAME[1] not in json.dumps(certificate)


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("pupil 007001 was seen", True),
        ("photos/007001.jpg", True),
        ("ANNALISA ARCHERFIELD", True),
        ("Archerfield, Annalisa", True),
        ("annalisa_archerfield", True),
        (UPN, True),
        ("Annalisa Baker and Tom Archerfield", False),
        ("10070012", False),
        ("0.007001", False),
    ],
)
def test_a_search_finds_the_pupil_under_every_name_and_nobody_else(
    world: World, text: str, is_found: bool
) -> None:
    assert bool(search_terms(find_pupil(ANN)).search(text)) == is_found


def test_what_waits_in_the_home_and_what_colleagues_wrote_go_with_the_pupil(world: World) -> None:
    home = world.home
    waiting = home.sims / "waiting" / "7 next.csv"
    waiting.parent.mkdir()
    waiting.write_text(named_school())
    token = uploads.store(home, uploads.Upload("next.csv", named_school().encode()))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(f"{ANN}.jpg", b"a portrait")
    packed.seek(0)
    upload_queue.stage(home, token, packed)
    seen = photo_listing_file(home)
    (home.sims / "photos").mkdir()
    (home.sims / "photos" / f"{ANN}.jpg").write_bytes(b"a portrait")
    remember_photos(home)
    hers = Item.objects.get(source__endswith="both.jpg")
    elsewhere = world.make_item(matches(BEN), name="elsewhere.jpg")
    note = {"actor": "j.shaw", "created_at": home.now()}
    ReviewNote.objects.create(item=hers, text="Her mother rang.", **note)
    ReviewNote.objects.create(item=elsewhere, text=f"Is this {' '.join(NAME)}?", **note)
    kept = ReviewNote.objects.create(item=elsewhere, text="Lovely light.", **note)
    assert ANN not in seen.read_text()

    certificate = erase_pupil(home, ANN, "d.officer")

    assert [note.pk for note in ReviewNote.objects.all()] == [kept.pk]
    assert certificate["destroyed"]["colleagues_notes"] == 2
    assert certificate["destroyed"]["waiting_files"] == 3
    assert not waiting.exists()
    assert not uploads.exists(home, token)
    assert not upload_queue.is_staged(home, token)
    assert list((home.sims / "photos").iterdir()) == []
    assert certificate["still_found"] == {}


def test_pictures_of_others_stay_and_are_not_released(world: World) -> None:
    erase_pupil(world.home, ANN, "d.officer")
    both = Item.objects.get(source__endswith="both.jpg")
    assert (both.state, verdict_of(both)) == (ItemState.DECIDED, "withdrawn")
    tagged = Item.objects.get(source__endswith="tagged.jpg")
    assert verdict_of(tagged) == "held"
    assert Item.objects.filter(state=ItemState.ERASED).count() == 1
    assert PupilEntry.objects.get(admission_number=BEN).family_group == ""


def test_an_erasure_is_in_the_audit_trail_without_a_name(world: World) -> None:
    erase_pupil(world.home, ANN, "d.officer")
    entry = AuditEntry.objects.get(action="pupil.erased")
    assert entry.actor == "d.officer"
    assert entry.subject == audit_log.pupil_subject(world.home, ANN)


def test_a_pupil_still_in_sims_comes_back_with_the_next_import_and_without_a_template(
    world: World,
) -> None:
    erase_pupil(world.home, ANN, "d.officer")
    run_import(world.home, ExportFile("n.csv", named_school().encode()), (), "office")
    assert PupilEntry.objects.get(admission_number=ANN).photos.count() == 0


def drop(home: Home) -> Path:
    """A new export of the register in the drop folder, which nobody has imported yet."""
    home.sims.mkdir(exist_ok=True)
    dropped = home.sims / "new.csv"
    dropped.write_text(named_school(), "utf-16")
    return dropped


def test_access_says_what_was_not_looked_at_yet(world: World) -> None:
    home = world.home
    drop(home)
    (home.sims / "waiting").mkdir()
    (home.sims / "waiting" / "7 next.xlsx").write_bytes(b"x")
    (home.inbox / "sports").mkdir(parents=True)
    (home.inbox / "sports" / "new.jpg").write_bytes(b"x")
    Item.objects.filter(source__endswith="both.jpg").update(state=ItemState.RECEIVED)
    facts = subject_data(home, find_pupil(ANN))
    assert facts["waiting"] == {
        "exports_not_imported": 1,
        "exports_waiting": 1,
        "exports_done": 0,
        "portraits": 0,
        "photos_not_examined": 1,
        "files_in_inbox": 1,
    }
    letter = write_letter(home, facts)
    assert "1 file of the school's register: lies in the folder 'sims', to be read next." in letter
    assert "1 photo: was taken in and not examined yet." in letter


def test_an_erasure_finds_exports_that_are_not_imported_and_keeps_them(world: World) -> None:
    dropped = drop(world.home)
    workbook = world.home.sims / "more.xlsx"
    workbook.write_bytes(b"PK")
    certificate = erase_pupil(world.home, ANN, "d.officer")
    assert dropped.exists(), "it may take back the consent of somebody else"
    assert certificate["still_found"] == {"files in sims": 1}
    assert certificate["not_searched"] == {"sims": 1}
    assert certificate["waiting"]["exports_not_imported"] == 2
    assert any("not imported yet" in sentence for sentence in certificate["not_covered"])
