"""The wheel that a web manager installs needs no other package, as docs/cms/pull.md promises."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.feed_server import picture_id, serve_feed


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


def test_the_wheel_has_both_commands_and_no_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        entries = next(name for name in names if name.endswith("entry_points.txt"))
        commands = archive.read(entries).decode()
    assert "consent-gate = consent_gate.cli:main" in commands
    assert "consent-gate-pull = publish.pull.main:main" in commands
    kept = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert kept == {"consent_gate", "ingest", "publish", "sims_import"}


def test_the_pull_command_runs_with_the_standard_library_alone(wheel: Path, tmp_path: Path) -> None:
    code = (
        f"import sys; sys.path.append({str(wheel)!r}); from publish.pull.main import main;"
        " import consent_gate; assert '.whl' in consent_gate.__file__; main()"
    )
    folder, token = tmp_path / "photos", tmp_path / "token"
    token.write_text("a.token\n")
    token.chmod(0o640)
    with serve_feed() as feed:
        kept, gone = feed.publish(1), feed.publish(2)
        options = ["--token-file", str(token), "--hook", f"touch {tmp_path / 'built'}"]
        # -I and -S leave out the folder of the program and every installed package.
        command = [sys.executable, "-I", "-S", "-c", code, feed.address, str(folder), *options]
        for round_number in range(2):
            done = subprocess.run(
                command, cwd=tmp_path, env={"PATH": os.environ["PATH"]}, text=True,
                capture_output=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            if round_number == 0:
                feed.withdraw(gone)
        assert feed.confirmed == [picture_id(gone)]
    assert [path.relative_to(folder).as_posix() for path in folder.glob("2*/*.jpg")] == [kept]
    assert (tmp_path / "built").exists()
