"""Several schools on one server: each test tries one way from one school into another."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import numpy as np
import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from psycopg import sql
from typer.testing import CliRunner

from consent_gate.bootstrap import open_home
from consent_gate.cli.app import app
from consent_gate.db import audit_log, jobs
from consent_gate.db.models import (
    AuditEntry,
    EnrolmentPhoto,
    Item,
    ItemState,
    Role,
    Template,
    User,
)
from consent_gate.errors import DecryptionError
from consent_gate.home.home import Home
from consent_gate.home.keys import NO_KEYS
from consent_gate.home.settings import load_settings
from consent_gate.matching.gallery import MODELS
from consent_gate.operations.school_scheduler import ranks_of
from consent_gate.operations.trust import (
    TrustInvalid,
    add_school,
    check_nothing_shared,
    load_trust,
    open_summary,
)
from consent_gate.register.repository import load_gallery
from consent_gate.register.template_vectors import encrypt_vector
from consent_gate.vault.originals import read_part
from ingest.runtime.worker_session import run_session
from publish.feed.tokens import new_token
from tests.support import postgresql
from tests.support.factories import World, folder_vault
from tests.support.fake_analysis import FakePool
from tests.support.gate_thread import wait_until
from tests.support.worker_machines import add_photos
from tests.support.worker_processes import ROOT

WEEK = timedelta(days=7)


def as_role(root: Path) -> psycopg.Connection[tuple[object, ...]]:
    """What a thief of a school's password has."""
    chosen = open_home(root).settings.database
    return psycopg.connect(host=chosen.host, dbname=chosen.name, user=chosen.user, autocommit=True)


@pytest.mark.parametrize("table", ["gate_item", "gate_template", "procrastinate_jobs"])
@pytest.mark.parametrize("attempt", ["SELECT * FROM {}", "DELETE FROM {}", "DROP TABLE {}"])
def test_a_schools_role_can_not_touch_another_schools_rows(
    both: tuple[Path, Path], table: str, attempt: str
) -> None:
    oakwood, _ = both
    with as_role(oakwood) as thief:
        own = sql.SQL(attempt.replace("DROP TABLE", "SELECT 1 FROM")).format(
            sql.Identifier("oakwood", table)
        )
        thief.execute(own)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            thief.execute(sql.SQL(attempt).format(sql.Identifier("elmfield", table)))


@pytest.mark.parametrize(
    "attempt",
    [
        "SET ROLE elmfield",
        "GRANT elmfield TO oakwood",
        "CREATE TABLE elmfield.mine ()",
        "CREATE TABLE public.gate_item ()",
        "CREATE SCHEMA mine",
        "ALTER SCHEMA elmfield OWNER TO oakwood",
        "COPY (SELECT 1) TO PROGRAM 'true'",
    ],
)
def test_a_schools_role_can_not_raise_itself(both: tuple[Path, Path], attempt: str) -> None:
    with as_role(both[0]) as thief, pytest.raises(psycopg.errors.InsufficientPrivilege):
        thief.execute(attempt.encode())


def test_names_without_a_schema_are_looked_up_in_the_own_one_only(
    both: tuple[Path, Path],
) -> None:
    """Not even in ``public``, where another role might have put a table of the same name."""
    oakwood, elmfield = both
    add_photos(open_home(oakwood))
    home = open_home(elmfield)
    assert home.settings.database.schema_name == "elmfield"
    assert not Item.objects.exists()
    assert not jobs.next_job_priority()


def test_a_feed_token_of_one_school_opens_nothing_at_another(both: tuple[Path, Path]) -> None:
    oakwood, elmfield = both
    token = new_token(open_home(oakwood), "website", "cms", WEEK, "office")
    address = "/feeds/website/manifest.json"
    answers = [
        at(root).get(address, headers={"authorization": f"Bearer {token}"}).status_code
        for root in (oakwood, elmfield)
    ]
    assert answers == [200, 401]


def test_who_is_logged_in_at_one_school_is_a_stranger_at_another(both: tuple[Path, Path]) -> None:
    """With the same name in both, and a cookie copied over by hand."""
    oakwood, elmfield = both
    for root in both:
        open_home(root)
        User.objects.create_user("j.brown", password="correct horse battery", role=Role.REVIEWER)
    browser = at(oakwood)
    browser.force_login(User.objects.get())
    assert browser.get("/queue/").status_code == 200
    copied = at(elmfield)
    copied.cookies = browser.cookies
    answer = copied.get("/queue/")
    assert (answer.status_code, "login" in answer["Location"]) == (302, True)


def test_a_page_of_one_school_is_not_found_at_another(both: tuple[Path, Path]) -> None:
    oakwood, elmfield = both
    World(open_home(oakwood)).make_import()
    item = World(open_home(oakwood)).make_item()
    found = []
    for root in (oakwood, elmfield):
        open_home(root)
        User.objects.create_user("j.brown", password="correct horse battery", role=Role.REVIEWER)
        browser = at(root)
        browser.force_login(User.objects.get())
        found.append(browser.get(f"/pictures/{item.pk}/").status_code)
    assert found == [200, 404]


def at(root: Path) -> Client:
    """A browser at this school's web server."""
    settings.CONSENT_GATE_HOME = open_home(root)
    return Client(SERVER_NAME="localhost")


def test_templates_of_one_school_are_not_compared_at_another(both: tuple[Path, Path]) -> None:
    """Not by asking, and not by copying the row over to a pupil of the same number."""
    oakwood, elmfield = both
    home = open_home(oakwood)
    sealed = enrolled(home, "004123")
    assert load_gallery(home).pupils == ("004123",)
    home = open_home(elmfield)
    assert not load_gallery(home).pupils
    enrolled(home, "004123")
    Template.objects.update(ciphertext=sealed)
    with pytest.raises(DecryptionError):
        load_gallery(home)


def enrolled(home: Home, number: str) -> bytes:
    """A pupil with a template that opens; the sealed form of it."""
    pupil = World(home).make_pupil(number)
    photo = EnrolmentPhoto.objects.get(pupil=pupil)
    photo.templates.all().delete()
    for model in MODELS:
        template = Template(photo=photo, model=model, model_version="test")
        encrypt_vector(home, number, template, np.eye(1, 128, dtype=np.float32).tobytes())
        template.save()
    return bytes(template.ciphertext)


def test_an_original_of_one_school_does_not_open_at_another(both: tuple[Path, Path]) -> None:
    """With file and wrapped key copied over."""
    oakwood, elmfield = both
    home = open_home(oakwood)
    (item_id,) = add_photos(home)
    item = Item.objects.get()
    assert read_part(home, item)
    source = folder_vault(home).path(item_id)
    other = open_home(elmfield)
    target = folder_vault(other).path(item_id)
    target.parent.mkdir(parents=True)
    shutil.copy(source, target)
    item.save(force_insert=True)
    with pytest.raises(DecryptionError):
        read_part(other, Item.objects.get())


def test_an_audit_trail_copied_over_does_not_hold(both: tuple[Path, Path]) -> None:
    oakwood, elmfield = both
    add_photos(open_home(oakwood))
    rows = list(AuditEntry.objects.all())
    other = open_home(elmfield)
    AuditEntry.objects.all().delete()
    AuditEntry.objects.bulk_create(rows)
    assert audit_log.verify(other) != []


def test_a_worker_of_one_school_leaves_anothers_photos_alone(both: tuple[Path, Path]) -> None:
    oakwood, elmfield = both
    for root in both:
        add_photos(open_home(root), count=2)
    run_session(open_home(oakwood), threading.Event(), drain=True, open_pool=FakePool)
    assert set(Item.objects.values_list("state", flat=True)) == {ItemState.DECIDED}
    open_home(elmfield)
    assert set(Item.objects.values_list("state", flat=True)) == {ItemState.RECEIVED}
    assert jobs.queued_jobs()["live"] == 2


@pytest.mark.slow
def test_a_machine_works_for_all_schools_in_turn(both: tuple[Path, Path], tmp_path: Path) -> None:
    """The real command with the real models, each turn a program of its own."""
    for root in both:
        add_photos(open_home(root), count=2)
        add_school(tmp_path / "trust", root.name, root)
    command = [sys.executable, "-m", "consent_gate", "worker", "--trust", str(tmp_path / "trust")]
    with (tmp_path / "log").open("wb") as log:
        machine = subprocess.Popen(
            [*command, "--processes", "1"],
            cwd=ROOT,
            stdout=log,
            stderr=log,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    try:
        for root in both:
            open_home(root)
            wait_until(lambda: Item.objects.filter(state=ItemState.DECIDED).count() == 2)
            wait_until(lambda: jobs.live_workers() == 0)
    finally:
        machine.send_signal(signal.SIGTERM)
        ended = machine.wait(timeout=40)
    assert ended == 0, (tmp_path / "log").read_text()
    for root in both:
        home = open_home(root)
        assert audit_log.verify(home) == []
        spoken_of = set(
            AuditEntry.objects.filter(action="item.examined").values_list("subject", flat=True)
        )
        own = {f"item:{pk}" for pk in Item.objects.values_list("pk", flat=True)}
        assert spoken_of == own


def test_counts_are_of_each_school_and_need_none_of_its_keys(
    both: tuple[Path, Path], tmp_path: Path
) -> None:
    oakwood, elmfield = both
    add_photos(open_home(oakwood), count=3)
    World(open_home(elmfield)).make_pupil("004123", forename="Zebedee")
    for root in both:
        add_school(tmp_path / "trust", root.name, root)
        (root / "secrets").rename(root / "kept-from-the-trust")
    result = CliRunner().invoke(app, ["trust", "status", str(tmp_path / "trust"), "--json"])
    told = {line["school"]: line for line in map(json.loads, result.output.splitlines())}
    assert {name: (of["waiting"], of["register"]["pupils"]) for name, of in told.items()} == {
        "oakwood": (3, 0),
        "elmfield": (0, 1),
    }
    assert not {"Zebedee", "004123", "IMG_0"} & set(result.output.replace('"', " ").split())
    assert open_summary(oakwood).keys is NO_KEYS
    with pytest.raises(DecryptionError):
        read_part(open_summary(oakwood), Item.objects.all()[0])


def test_a_school_that_can_not_be_counted_does_not_hide_the_others(
    both: tuple[Path, Path], tmp_path: Path
) -> None:
    for root in both:
        add_school(tmp_path / "trust", root.name, root)
    (both[0] / "consent-gate.toml").write_text("nonsense")
    result = CliRunner().invoke(app, ["trust", "status", str(tmp_path / "trust"), "--json"])
    told = {line["school"]: line for line in map(json.loads, result.output.splitlines())}
    assert result.exit_code == 1
    assert told["oakwood"] == {"school": "oakwood", "error": "SettingsInvalid"}
    assert told["elmfield"]["waiting"] == 0


def test_schools_with_photos_are_ranked_and_one_that_cannot_be_read_is_left_out(
    both: tuple[Path, Path], tmp_path: Path, postgresql_server: postgresql.Server
) -> None:
    oakwood, elmfield = both
    for root in both:
        add_school(tmp_path / "trust", root.name, root)
    trust = load_trust(tmp_path / "trust")
    add_photos(open_home(oakwood), count=1)
    assert list(ranks_of(trust)) == ["oakwood"]
    add_photos(open_home(elmfield), count=1)
    assert sorted(ranks_of(trust)) == ["elmfield", "oakwood"]
    connection.close()
    database = load_settings(elmfield / "consent-gate.toml").database.name
    postgresql_server.tell(f"REVOKE CONNECT ON DATABASE {database} FROM elmfield")
    assert list(ranks_of(trust)) == ["oakwood"]


def test_schools_of_a_trust_share_nothing(both: tuple[Path, Path], tmp_path: Path) -> None:
    oakwood, elmfield = both
    trust = tmp_path / "trust"
    add_school(trust, "oakwood", oakwood)
    add_school(trust, "elmfield", elmfield)
    for what, spoil in (
        ("a database role", lambda: edit(elmfield, 'user = "elmfield"', 'user = "oakwood"')),
        ("a schema", lambda: edit(elmfield, 'schema = "elmfield"', 'schema = "oakwood"')),
        ("a folder", lambda: edit(elmfield, "[paths]", f'[paths]\nvault = "{oakwood}/inbox"')),
        ("the key 'vault'", lambda: shutil.copy(*(r / "secrets/vault.key" for r in both))),
    ):
        kept = tmp_path / "kept"
        shutil.copytree(elmfield, kept)
        spoil()
        with pytest.raises(TrustInvalid, match=what):
            check_nothing_shared(load_trust(trust))
        shutil.rmtree(elmfield)
        kept.rename(elmfield)
    check_nothing_shared(load_trust(trust))


def test_one_home_is_not_two_schools(both: tuple[Path, Path], tmp_path: Path) -> None:
    add_school(tmp_path / "trust", "oakwood", both[0])
    with pytest.raises(TrustInvalid):
        add_school(tmp_path / "trust", "twin", both[0])
    with pytest.raises(TrustInvalid):
        add_school(tmp_path / "trust", "oakwood", both[1])
    assert load_trust(tmp_path / "trust").schools == {"oakwood": both[0]}


def edit(root: Path, old: str, new: str) -> None:
    file = root / "consent-gate.toml"
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new, 1))
