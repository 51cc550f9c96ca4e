"""Every function whose statements depend on the database names a test that runs them on both."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import consent_gate
import ingest
import publish
import sims_import

ROOT = Path(__file__).parents[3]

DEPENDS = re.compile(
    r"\.cursor\(\)|select_for_update|bulk_create|__has_key|__contains|Cast\(|connection\.vendor"
    r"|except \(?[\w, ]*DatabaseError|OperationalError|\.execute\(|RawSQL|\.raw\(|ignore_conflicts"
)
"""Locks, statements written by hand, questions into JSON, many rows at once, faults."""

NEEDS_A_SERVER = {"home_on_postgresql", "postgresql_server"}
"""Fixtures that are on PostgreSQL whatever the other tests run on."""

REACHED_BY = {
    "consent_gate.bootstrap:is_new_database": (
        "integration/db/test_postgresql.py",
        "test_a_schema_without_a_school_is_not_taken_for_one",
    ),
    "consent_gate.bootstrap:_refuse_unreachable_server": (
        "integration/db/test_postgresql.py",
        "test_a_server_that_is_away_is_reported",
    ),
    "consent_gate.bootstrap:require_current_schema": (
        "integration/db/test_postgresql.py",
        "test_init_makes_the_schools_schema_and_keeps_no_row_in_a_file",
    ),
    "consent_gate.bootstrap:migrate": (
        "integration/db/test_postgresql.py",
        "test_a_schema_without_a_school_is_not_taken_for_one",
    ),
    "consent_gate.cli.trust:school_status": (
        "scale/test_schools_apart.py",
        "test_a_school_that_can_not_be_counted_does_not_hide_the_others",
    ),
    "consent_gate.decisions.apply:apply_decision": (
        "integration/decisions/test_live_photos.py",
        "test_a_withdrawal_that_concerns_one_half_recalls_both",
    ),
    "consent_gate.db.audit_log:record_all": (
        "integration/operations/backup/test_backup.py",
        "test_a_backup_made_while_the_gate_works_is_consistent",
    ),
    "consent_gate.db.bulk:write_rows": (
        "integration/web/test_large_school.py",
        "test_a_longer_queue_asks_the_database_no_more_often",
    ),
    "consent_gate.db.jobs:disable_cross_schema_notify": (
        "integration/db/test_postgresql.py",
        "test_a_schema_without_a_school_is_not_taken_for_one",
    ),
    "consent_gate.db.jobs:_requeue_from_dead_worker": (
        "scale/test_worker_machines.py",
        "test_the_photos_of_a_killed_worker_go_to_another",
    ),
    "consent_gate.db.postgresql.base:DatabaseWrapper._acquire_writer_lock": (
        "integration/db/test_postgresql.py",
        "test_a_name_longer_than_any_form_allows_comes_in_all_the_same",
    ),
    "consent_gate.db.vacuum:vacuum_deleted": (
        "integration/ingest/enrolment/test_enrol.py",
        "test_a_photo_in_doubt_is_remembered_although_enrolling_was_killed",
    ),
    "consent_gate.decisions.apply:_save_pupils_shown": (
        "integration/review/test_service.py",
        "test_a_release_without_a_stated_basis_is_not_saved",
    ),
    "consent_gate.decisions.cameras:_examined": (
        "integration/decisions/test_cameras.py",
        "test_a_camera_that_took_no_picture_here_cannot_be_confirmed",
    ),
    "consent_gate.decisions.copies.closed_pictures:_apply_to_copies": (
        "attacks/test_closed_copies.py",
        "test_a_near_copy_that_is_already_out_is_recalled_by_the_next_round",
    ),
    "consent_gate.decisions.event_classes:set_roll": (
        "integration/decisions/test_event_classes.py",
        "test_naming_the_classes_decides_the_held_pictures_of_the_event_again",
    ),
    "consent_gate.decisions.lookalikes:update_lookalikes": (
        "integration/ingest/enrolment/test_enrol.py",
        "test_a_photo_in_doubt_is_remembered_although_enrolling_was_killed",
    ),
    "consent_gate.decisions.publications:_write": (
        "integration/publish/test_recall.py",
        "test_several_hundred_pictures_are_recalled_in_seconds",
    ),
    "consent_gate.decisions.rules.rules_change:_films_without_examined_sound": (
        "integration/review/test_film_sound.py",
        "test_the_sound_of_held_films_is_examined_once_a_channel_publishes_sound",
    ),
    "consent_gate.home.clock:server_clock_offset": (
        "scale/test_worker_machines.py",
        "test_a_wrong_clock_of_one_machine_delays_no_photo",
    ),
    "consent_gate.operations.backup.backup:_copy_database": (
        "integration/operations/backup/test_backup.py",
        "test_a_backup_made_while_the_gate_works_is_consistent",
    ),
    "consent_gate.operations.backup.backup:_items_of": (
        "integration/operations/backup/test_backup.py",
        "test_a_backup_made_while_the_gate_works_is_consistent",
    ),
    "consent_gate.operations.database.copy_rows:copy_rows": (
        "integration/operations/database/test_move_database.py",
        "test_everything_of_a_school_arrives_and_the_gate_goes_on",
    ),
    "consent_gate.operations.database.copy_rows:_reset_sequences": (
        "integration/operations/database/test_move_database.py",
        "test_everything_of_a_school_arrives_and_the_gate_goes_on",
    ),
    "consent_gate.operations.doctor.doctor:database_integrity": (
        "integration/operations/doctor/test_doctor.py",
        "test_a_database_of_an_older_version_is_found",
    ),
    "consent_gate.operations.doctor.doctor:_server": (
        "integration/operations/doctor/test_doctor.py",
        "test_a_database_of_an_older_version_is_found",
    ),
    "consent_gate.operations.doctor.doctor:_quick_check": (
        "integration/operations/doctor/test_doctor.py",
        "test_a_damaged_database_is_found",
    ),
    "consent_gate.register.school_model:accept_school_model": (
        "integration/register/test_school_model.py",
        "test_it_waits_for_a_person_and_the_audit_trail_says_who",
    ),
    "ingest.enrolment.school_vectors:_store": (
        "integration/operations/recognition/test_school_model.py",
        "test_stored_portraits_are_measured_when_a_model_is_set",
    ),
    "consent_gate.operations.health.machine_checks:database": (
        "integration/operations/health/test_metrics.py",
        "test_a_gate_not_heard_of_for_long_answers_503",
    ),
    "consent_gate.operations.database.move_database:_copy_and_switch": (
        "integration/operations/database/test_move_database.py",
        "test_everything_of_a_school_arrives_and_the_gate_goes_on",
    ),
    "consent_gate.operations.database.move_database:copy_to_file": (
        "integration/operations/backup/test_backup.py",
        "test_a_backup_made_while_the_gate_works_is_consistent",
    ),
    "consent_gate.operations.database.move_database:_claim_schema": (
        "integration/operations/database/test_move_database.py",
        "test_a_schema_that_holds_a_school_is_never_written_over",
    ),
    "consent_gate.operations.database.move_database:_set_old_file_aside": (
        "integration/operations/database/test_move_database.py",
        "test_everything_of_a_school_arrives_and_the_gate_goes_on",
    ),
    "consent_gate.operations.backup.restore_replay:replay_revocations": (
        "integration/operations/backup/test_restore_replay.py",
        "test_revocations_are_replayed_once",
    ),
    "consent_gate.operations.school_scheduler:ranks_of": (
        "scale/test_schools_apart.py",
        "test_schools_with_photos_are_ranked_and_one_that_cannot_be_read_is_left_out",
    ),
    "consent_gate.register.pupil_names:name_index": (
        "integration/register/test_pupil_names.py",
        "test_every_change_of_a_name_is_seen_at_once",
    ),
    "consent_gate.register.thresholds:accept": (
        "integration/register/test_matching_choices.py",
        "test_accepting_a_missing_proposal_is_reported",
    ),
    "consent_gate.review.descriptions:describe_event": (
        "integration/publish/test_albums.py",
        "test_staff_set_the_album_and_the_descriptions_on_the_page",
    ),
    "consent_gate.review.sealed_exports:ask": (
        "integration/review/test_sealed_exports.py",
        "test_whoever_refuses_or_takes_a_request_back_is_told",
    ),
    "consent_gate.review.sealed_exports:confirm": (
        "integration/review/test_sealed_exports.py",
        "test_a_damaged_sealed_copy_is_reported_and_not_exported",
    ),
    "consent_gate.review.sealed_exports:download": (
        "integration/review/test_sealed_exports.py",
        "test_a_file_that_a_restore_did_not_bring_back_is_asked_for_again",
    ),
    "consent_gate.review.transaction:lock_item": (
        "integration/review/test_service.py",
        "test_a_box_outside_the_picture_is_not_saved",
    ),
    "consent_gate.subject_rights.never_publish:confirm_lift": (
        "integration/subject_rights/test_never_publish.py",
        "test_nobody_confirms_what_nobody_asked_for",
    ),
    "consent_gate.web.staff_connections:find_uploader": (
        "attacks/test_slow_clients.py",
        "test_only_those_who_import_may_send_a_large_body",
    ),
    "consent_gate.web.pages.queue:QueueFilter._held": (
        "integration/web/test_pages.py",
        "test_a_colleague_who_is_asked_finds_the_picture_in_a_pile_of_their_own",
    ),
    "ingest.enrolment.from_picture:enrol_face": (
        "integration/ingest/enrolment/test_from_picture.py",
        "test_a_face_nobody_named_is_not_enrolled",
    ),
    "ingest.enrolment.upload_queue:enrol_queued": (
        "attacks/test_hostile_neighbours.py",
        "test_a_crash_before_the_file_is_moved_loses_no_photo",
    ),
    "ingest.examinations:record_examination": (
        "scale/test_jobs.py",
        "test_a_job_that_was_lost_is_made_again",
    ),
    "ingest.workers.submit:_store_checkpoint": (
        "integration/ingest/test_film_checkpoints.py",
        "test_an_examination_goes_on_after_a_restart",
    ),
    "ingest.runtime.faults:check_database": (
        "faults/test_disk.py",
        "test_reserved_disk_space_is_left_for_withdrawals",
    ),
    "ingest.runtime.faults:_classify_database_error": (
        "integration/db/test_postgresql.py",
        "test_a_writer_who_never_ends_is_reported_and_no_change_is_half_done",
    ),
    "ingest.runtime.faults:_unreachable_error": (
        "integration/db/test_postgresql.py",
        "test_a_lost_database_server_is_reported_and_reconnected",
    ),
    "ingest.runtime.runner:run_gate": (
        "faults/test_disk.py",
        "test_reserved_disk_space_is_left_for_withdrawals",
    ),
    "publish.channel.manifest:write_manifest": (
        "integration/publish/test_recall.py",
        "test_an_import_recalls_every_picture_of_a_leaver_at_once",
    ),
    "publish.feed.tokens:end_token": (
        "integration/publish/test_feed.py",
        "test_the_old_token_works_until_the_overlap_ends",
    ),
    "publish.feed.views:_record_download": (
        "integration/publish/test_feed.py",
        "test_a_byte_range_of_a_picture_is_served",
    ),
    "publish.integrity.check:_republish": (
        "integration/publish/test_integrity_check.py",
        "test_a_lost_picture_is_made_again_from_the_vault",
    ),
    "publish.recall.captions:remove_captions_with_names": (
        "attacks/test_stays_out.py",
        "test_the_new_name_of_a_pupil_leaves_the_captions",
    ),
    "publish.recall.by_hand:recall_selection": (
        "integration/publish/test_recall.py",
        "test_the_command_reports_a_folder_that_is_away",
    ),
    "publish.recall.by_hand:_close_pictures": (
        "integration/publish/test_recall.py",
        "test_the_command_reports_a_folder_that_is_away",
    ),
    "publish.recall.tickets:confirm": (
        "integration/publish/test_recall.py",
        "test_staff_close_tickets_on_the_command_line",
    ),
    "publish.recall.withdraw:remove_partials": (
        "integration/publish/test_recall.py",
        "test_an_import_recalls_every_picture_of_a_leaver_at_once",
    ),
    "publish.release:place_publication": (
        "integration/review/test_undo.py",
        "test_a_release_by_the_machine_waits_for_nobody",
    ),
    "publish.release:_record_rendition": (
        "integration/review/test_undo.py",
        "test_a_release_by_the_machine_waits_for_nobody",
    ),
    "publish.release:_hold_refused": (
        "integration/publish/test_recall.py",
        "test_a_face_that_shows_only_at_published_size_holds_the_picture",
    ),
    "publish.retention:_delete_due": (
        "integration/publish/test_retention.py",
        "test_a_picture_refused_everywhere_is_erased_after_its_period",
    ),
    "publish.retention:_close_recalls": (
        "integration/publish/test_retention.py",
        "test_the_list_names_a_withdrawn_picture_for_a_year_after_its_recall_closed",
    ),
    "sims_import.applying.drop_folder:process_drop_folder": (
        "attacks/test_hostile_neighbours.py",
        "test_a_crash_before_the_file_is_moved_loses_no_photo",
    ),
    "sims_import.applying.drop_folder:_import_exports": (
        "attacks/test_hostile_neighbours.py",
        "test_a_crash_before_the_file_is_moved_loses_no_photo",
    ),
    "sims_import.applying.drop_folder:_import_register": (
        "attacks/test_hostile_neighbours.py",
        "test_a_crash_before_the_file_is_moved_loses_no_photo",
    ),
}
"""The test file below ``tests`` and the test that runs the statements, by module and function."""


def functions_that_depend(source: str) -> Iterator[str]:
    """Yield the outermost functions that the pattern is in, or ``<module>`` for other code.

    A name that is only imported, a docstring and a comment run nothing.
    """
    tree = ast.parse(source)
    functions = dict(_functions(tree, ""))
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr | ast.Import | ast.ImportFrom) and not any(
            isinstance(part, ast.Call) for part in ast.walk(node)
        ):
            continue
        if isinstance(node, ast.stmt | ast.ExceptHandler) and DEPENDS.search(_own_text(node)):
            line = node.lineno
            inside = (name for name, (a, b) in functions.items() if a <= line <= b)
            yield next(inside, "<module>")


def _own_text(node: ast.stmt | ast.ExceptHandler) -> str:
    """The text of a statement without the statements in it."""
    text = ast.unparse(node)
    return text.partition("\n")[0] if hasattr(node, "body") else text


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield name and lines of functions and methods, not of functions in functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef):
            yield prefix + child.name, (child.lineno, child.end_lineno or child.lineno)
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")
        else:
            yield from _functions(child, prefix)


def all_functions_that_depend() -> set[str]:
    """Return ``module:function`` of the packages, but migrations."""
    found = set()
    for package in (consent_gate, ingest, publish, sims_import):
        folder = Path(str(package.__file__)).parent
        for path in folder.rglob("*.py"):
            name = ".".join(path.relative_to(folder.parent).with_suffix("").parts)
            if ".migrations." not in name:
                found |= {f"{name}:{f}" for f in functions_that_depend(path.read_text("utf-8"))}
    return found


def runs_on_postgresql(source: str, test: str) -> bool:
    """Return whether a test is marked ``dialect`` or needs a server, itself or by a fixture."""
    tree = ast.parse(source)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    marks = [*functions[test].decorator_list]
    for line in tree.body:
        match line:
            case ast.Assign(targets=[ast.Name(id="pytestmark")]):
                marks.append(line.value)
    needed, new = set[str](), {argument.arg for argument in functions[test].args.args}
    while new:
        needed |= new
        known = [functions[name] for name in new if name in functions]
        new = {argument.arg for fixture in known for argument in fixture.args.args} - needed
    return bool(needed & NEEDS_A_SERVER) or any(
        isinstance(part, ast.Attribute) and ast.unparse(part) == "pytest.mark.dialect"
        for mark in marks
        for part in ast.walk(mark)
    )


def test_every_function_with_such_statements_names_a_test_that_runs_them() -> None:
    assert set(REACHED_BY) == all_functions_that_depend()


def test_each_of_these_tests_exists_and_runs_on_postgresql() -> None:
    for file, test in set(REACHED_BY.values()):
        source = (ROOT / "tests" / file).read_text("utf-8")
        assert f"\ndef {test}(" in source, (file, test)
        # Everything in tests/scale has a school on the server of its conftest.
        assert file.startswith("scale/") or runs_on_postgresql(source, test), (file, test)


def test_only_the_function_with_the_statement_is_found() -> None:
    source = """
from django.db.utils import OperationalError
class A:
    def locks(self):
        return rows.select_for_update().get()
    def reads(self):
        "It needs no select_for_update."
        return 1
def tells_apart():
    if connection.vendor == "sqlite":
        return 2
def fails():
    try:
        work()
    except (OSError, DatabaseError) as error:
        raise Refused from error
NEWEST = Row.objects.filter(detail__has_key="x")
"""
    assert set(functions_that_depend(source)) == {"A.locks", "tells_apart", "fails", "<module>"}


def test_a_test_without_the_mark_does_not_count() -> None:
    marked = "@pytest.mark.dialect\ndef test_a(): ...\ndef test_b(home): ...\n"
    assert runs_on_postgresql(marked, "test_a")
    assert not runs_on_postgresql(marked, "test_b")
    assert runs_on_postgresql(f"pytestmark = pytest.mark.dialect\n{marked}", "test_b")
    by_fixture = "def school(target): ...\ndef target(postgresql_server): ...\n"
    assert runs_on_postgresql(f"{by_fixture}def test_c(school): ...", "test_c")
