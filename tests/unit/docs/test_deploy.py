"""The deployment files agree with the program and its documents."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from defusedxml import ElementTree

from consent_gate import __version__
from consent_gate.cli.registry import COMMANDS
from consent_gate.errors import (
    DatabaseUnreachable,
    DatabaseUnusable,
    KeyUnavailable,
    SettingsInvalid,
    UpgradeNeeded,
)
from ingest.runtime.faults import DatabaseBusy
from ingest.runtime.worker_session import SHUTDOWN_GRACE_SECONDS

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "docs" / "deploy"
UNITS = sorted(DEPLOY.glob("*.service")) + sorted(DEPLOY.glob("*.timer"))


def unit(name: str) -> dict[str, dict[str, list[str]]]:
    """Sections of a unit file; each key to all its values."""
    sections: dict[str, dict[str, list[str]]] = {}
    current: dict[str, list[str]] = {}
    for line in (DEPLOY / name).read_text("utf-8").splitlines():
        if line.startswith("["):
            current = sections.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert equals, line
            current.setdefault(key, []).append(value)
    return sections


def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    return parsed


def test_the_service_migrates_before_it_runs_and_stops_in_time() -> None:
    service = unit("consent-gate.service")["Service"]
    assert service["ExecStartPre"][0].endswith("consent-gate migrate")
    assert service["ExecStart"][0].endswith("consent-gate run")
    assert service["TimeoutStopSec"] == ["20s"]


def test_errors_that_wait_for_a_person_do_not_restart_the_service_for_ever() -> None:
    codes = unit("consent-gate.service")["Service"]["RestartPreventExitStatus"][0].split()
    for error in (SettingsInvalid, KeyUnavailable, DatabaseUnusable, UpgradeNeeded):
        assert str(error.exit_code) in codes


def test_a_worker_has_time_to_finish_what_it_has_in_hand() -> None:
    service = unit("consent-gate-worker.service")["Service"]
    assert service["ExecStart"][0].endswith("consent-gate worker")
    assert float(service["TimeoutStopSec"][0].removesuffix("s")) > SHUTDOWN_GRACE_SECONDS + 10
    assert str(DatabaseUnreachable.exit_code) not in service["RestartPreventExitStatus"][0].split()


def test_a_database_server_that_is_late_is_waited_for() -> None:
    """A server that starts after the gate, or a file locked for a moment, mends itself."""
    codes = unit("consent-gate.service")["Service"]["RestartPreventExitStatus"][0].split()
    for error in (DatabaseUnreachable, DatabaseBusy):
        assert str(error.exit_code) not in codes


def test_no_service_runs_as_root_or_may_write_outside_its_folders() -> None:
    for name in (path.name for path in UNITS if path.suffix == ".service"):
        service = unit(name)["Service"]
        assert service["User"] == ["consent-gate"]
        assert service["ProtectSystem"] == ["strict"]
        assert service["NoNewPrivileges"] == ["yes"]
        assert service["CapabilityBoundingSet"] == [""]


def test_every_command_in_the_files_for_servers_exists() -> None:
    known = set(COMMANDS)
    for path in (path for path in DEPLOY.rglob("*") if path.is_file()):
        used = re.findall(r"(?:bin/|\"|exec )consent-gate ([a-z-]+)", path.read_text("utf-8"))
        assert set(used) <= known, path.name


def test_the_backup_goes_to_another_disk_and_old_ones_go() -> None:
    command = unit("consent-gate-backup.service")["Service"]["ExecStart"][0]
    assert "/mnt/backup" in command
    assert "--keep" in command
    assert unit("consent-gate-backup.timer")["Timer"]["Persistent"] == ["yes"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_reads_the_units_without_complaint(tmp_path: Path) -> None:
    """With programs that exist here, as the check asks for them."""
    for path in UNITS:
        text = path.read_text("utf-8")
        text = re.sub(r"/opt/consent-gate/\.venv/bin/consent-gate", "/bin/true", text)
        (tmp_path / path.name).write_text(re.sub("^(User|Group)=.*\n", "", text, flags=re.M))
    names = [str(tmp_path / path.name) for path in UNITS]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names],
        capture_output=True,
        text=True,
        check=False,
    )
    ours = [line for line in done.stderr.splitlines() if "consent-gate" in line]
    assert ours == []


def test_the_container_is_locked_down() -> None:
    gate = compose()["services"]["gate"]
    assert gate["image"] == f"consent-gate:{__version__}"
    assert gate["read_only"] is True
    assert gate["cap_drop"] == ["ALL"]
    assert gate["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in gate["ports"])


def test_the_database_of_the_container_lies_in_a_named_volume() -> None:
    """A folder of the host may be a share, where SQLite breaks."""
    parsed = compose()
    homes = [v for v in parsed["services"]["gate"]["volumes"] if v.endswith(":/srv/consent-gate")]
    assert [v.split(":")[0] for v in homes] == ["home"]
    assert "home" in parsed["volumes"]


def docker_steps() -> list[tuple[str, str]]:
    """Instructions of the Dockerfile with their arguments, continued lines joined."""
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.M).replace("\\\n", " ")
    return [(a, b) for a, _, b in (line.partition(" ") for line in text.splitlines() if line)]


def test_the_image_runs_as_nobody_special_from_pinned_packages() -> None:
    steps = docker_steps()
    assert [b for a, b in steps if a == "USER"] == ["10001:10001"]
    assert all(":" in b.split()[0] for a, b in steps if a == "FROM")
    installs = [b for a, b in steps if a == "RUN" and "-r requirements.lock" in b]
    assert len(installs) == 1
    assert "--require-hashes" in installs[0]
    assert not any(a == "ADD" or "apt-get" in b for a, b in steps)


def test_everything_the_image_copies_is_let_in() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    for instruction, arguments in docker_steps():
        if instruction == "COPY" and "--from" not in arguments:
            for source in arguments.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert f"!{source}" in ignored, source


def test_the_windows_service_starts_and_stops_the_unit_of_linux() -> None:
    service = ElementTree.parse(DEPLOY / "windows" / "consent-gate.xml").getroot()
    assert service is not None
    said = {child.tag: child.text or "" for child in service}
    assert said["executable"].endswith("wsl.exe")
    assert "systemctl start consent-gate;" in said["startarguments"]
    assert said["stoparguments"].endswith("systemctl stop consent-gate")
    assert (DEPLOY / "consent-gate.service").exists()


def test_a_unit_is_a_file_that_any_reader_of_such_files_can_read() -> None:
    for path in UNITS:
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        parser.read_string(path.read_text("utf-8"))
        assert parser.sections()
