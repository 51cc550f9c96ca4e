"""CommandReporter XML and CTF files are read whole or refused."""

from __future__ import annotations

from datetime import date

import pytest

from consent_gate.errors import ExportUnreadable
from tests.support.export_files import read


def xml(*records: str, head: str = '<?xml version="1.0" encoding="utf-8"?>') -> bytes:
    body = "".join(f"<Record>{record}</Record>" for record in records)
    return f"{head}<SuperStarReport>{body}</SuperStarReport>".encode()


def test_command_reporter_tags_carry_spaces_and_dashes() -> None:
    table = read(
        xml(
            "<Adno>004123</Adno><Photograph_x0020__x002D__x0020_Website>T</Photograph_x0020__x002D__x0020_Website>"
        )
    )
    assert table.captions == ("Adno", "Photograph - Website")
    assert table.rows[0].cells == ("004123", "T")


def test_a_missing_element_is_a_blank_cell() -> None:
    table = read(xml("<Adno>004123</Adno><Website>T</Website>", "<Adno>004124</Adno>"))
    assert [row.cells for row in table.rows] == [("004123", "T"), ("004124", "")]


def test_the_reporters_own_error_is_passed_on() -> None:
    with pytest.raises(ExportUnreadable, match="Invalid login"):
        read(b"<CommandReporterError>Invalid login</CommandReporterError>")
    with pytest.raises(ExportUnreadable, match="Report not found"):
        read(b"<CommandReporterError><Message>Report not found</Message></CommandReporterError>")


def test_an_error_inside_a_report_is_an_error_too() -> None:
    with pytest.raises(ExportUnreadable, match="no permission"):
        read(
            xml("<Adno>004123</Adno>", "<CommandReporterError>no permission</CommandReporterError>")
        )


def test_xml_cut_short_is_refused_and_never_half_read() -> None:
    data = xml("<Adno>004123</Adno><Website>T</Website>", "<Adno>004124</Adno>")
    for at in range(60, len(data) - 1, 7):
        with pytest.raises(ExportUnreadable):
            read(data[:at])


def test_entities_are_refused() -> None:
    head = '<!DOCTYPE x [<!ENTITY a "aaaa">]>'
    bomb = xml("<Adno>&a;</Adno>", head=head)
    with pytest.raises(ExportUnreadable):
        read(bomb)


def test_a_field_given_twice_is_a_list_and_not_its_first_value() -> None:
    table = read(
        xml("<Adno>004123</Adno><Consent>School Website</Consent><Consent>Displays</Consent>")
    )
    assert table.rows[0].cells == ("004123", "School Website, Displays")


def test_windows_letters_in_a_file_that_says_utf_8_are_read() -> None:
    data = xml("<Adno>004123</Adno><Surname>N\u00fa\u00f1ez</Surname>").decode().encode("cp1252")
    assert read(data).rows[0].cells == ("004123", "N\u00fa\u00f1ez")


def test_a_web_page_without_a_list_is_refused_with_the_reason() -> None:
    with pytest.raises(ExportUnreadable, match="web page"):
        read(b"<html><body><h1>Your session has ended</h1></body></html>")


def test_a_ctf_is_a_roster_that_lists_only_some() -> None:
    table = read(
        b"<CTfile><Header><DateTime>2026-09-04T08:00:00</DateTime></Header><CTFpupilData>"
        b"<Pupil><UPN>E204340217648</UPN><Surname>Moss</Surname><Forename>Ravi</Forename>"
        b"<DOB>2020-04-17</DOB></Pupil></CTFpupilData></CTfile>"
    )
    assert not table.complete
    assert table.run_on == date(2026, 9, 4)
    assert table.rows[0].cells == ("E204340217648", "Moss", "Ravi", "2020-04-17")
