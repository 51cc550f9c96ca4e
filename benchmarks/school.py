"""Run the made-up school end to end and compare what the gate releases and holds with the truth.

    python -m benchmarks.school [--home FOLDER] [--second-photos FOLDER] [--rival] [--cover]

Imports the wide export and the portraits and ingests all event photos. For each channel it prints
the wrongly released photos (must be 0), the share released of the photos that may be released, by
number of people, and the reasons of the held ones. Then ExifTool, if installed, searches every
released file, and next term's export is imported: exactly the photos of leavers and of pupils with
a withdrawn consent must be recalled. ``--rival`` runs ``face_recognition`` with its defaults on the
same photos. With ``--cover`` each channel covers heads that are not cleared (``uncleared =
"cover"``). The published pictures are then searched for faces: each must be that of a pupil who is
shown and has the consent. All steps use the product's command line.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.machine import heading
from benchmarks.school_truth import CHANNELS, SCHOOL, read_answers, read_truth

STRUCTURE = (
    "System:",
    "ExifTool:",
    "File:",
    "JFIF:",
    "ICC_Profile:",
    "ICC-",
    "Composite:",
    "SourceFile",
)
"""Prefixes of the tags that ExifTool prints for every JPEG with a colour profile."""
JsonObject = dict[str, Any]
"""An object that a command printed as JSON."""


def gate(home: Path, *arguments: str) -> str:
    """Run the real command line and return its output."""
    command = [str(Path(sys.executable).parent / "consent-gate"), "--home", str(home), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 1}:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout


def items(home: Path) -> list[JsonObject]:
    """``items --json``."""
    return [json.loads(line) for line in gate(home, "items", "--json").splitlines()]


def import_term(home: Path, export: str, *more: str) -> JsonObject:
    """``import-sims --json``."""
    told = gate(home, "import-sims", str(SCHOOL / "sims" / export), "--json", *more)
    return dict(json.loads(told))


def score(verdicts: dict[str, dict[str, list[str] | None]]) -> None:
    """Print how many photos were released and held.

    It prints two shares: of all photos that consent allows, and of those among them that the rules
    leave to the machine (people are shown, and all their siblings are enrolled).

    Args:
        verdicts: By file and channel: the reasons for holding, or None if released.
    """
    truth = read_truth()
    for channel in CHANNELS:
        held_by_truth = [f for f in verdicts if not truth[f].cleared[channel]]
        wrong = [f for f in held_by_truth if verdicts[f][channel] is None]
        clear = [f for f in verdicts if truth[f].cleared[channel]]
        by_machine = [f for f in clear if truth[f].people and not truth[f].guarded]
        print(f"{channel}: released wrongly {len(wrong)} of {len(held_by_truth)} to be held")
        for file in wrong:
            print(f"    WRONG: {file}")
        print(f"    released {_share(verdicts, clear, channel)} cleared by consent")
        print(f"    released {_share(verdicts, by_machine, channel)} that the rules leave to it")
        for group in ("1", "2-6", "8-14"):
            files = [f for f in by_machine if truth[f].group == group]
            print(f"        {group} people: {_share(verdicts, files, channel)}")
        reasons = Counter(r for f in clear for r in verdicts[f][channel] or ())
        print(f"    held, by reason: {dict(reasons.most_common())}")


def _share(verdicts: dict[str, dict[str, list[str] | None]], files: list[str], channel: str) -> str:
    released = sum(verdicts[file][channel] is None for file in files)
    return f"{released} of {len(files)} = {released / max(len(files), 1):.1%}"


def verdicts_of(found: list[JsonObject]) -> dict[str, dict[str, list[str] | None]]:
    """Convert the output of ``items --json`` to the argument of ``score``."""
    return {
        item["source"]: {
            name: None if channel["verdict"] == "released" else channel["reasons"]
            for name, channel in item["channels"].items()
        }
        for item in found
    }


def set_covers(home: Path) -> None:
    """Let every channel cover heads that are not cleared."""
    path = home / "consent-gate.toml"
    lines = [x for x in path.read_text().splitlines() if not x.startswith("uncleared =")]
    for at in reversed(range(len(lines))):
        if lines[at].startswith("[channels."):
            lines.insert(at + 1, 'uncleared = "cover"')
    path.write_text("\n".join(lines) + "\n")


def score_covers(home: Path, found: list[JsonObject]) -> None:
    """Print how many held pictures the covers released, and who is wrongly seen in the result."""
    truth, consents = read_truth(), read_answers("consent_wide.csv")
    for channel in CHANNELS:
        files = {
            item["channels"][channel]["file"]: item["source"]
            for item in found
            if item["channels"][channel]["file"]
        }
        folder = home / "approved" / channel
        entries = json.loads((folder / "manifest.json").read_text())["items"]
        covered = [e["file"] for e in entries if e.get("covered")]
        wrong = [
            files[e["file"]]
            for e in entries
            if not e.get("covered") and not truth[files[e["file"]]].cleared[channel]
        ]
        for file in covered:
            people = truth[files[file]].people
            cleared = {number for number in people if consents.get(number, {}).get(channel)}
            (checked,) = gate(home, "check", str(folder / file), "--json").splitlines()
            faces = [f["match"] for f in json.loads(checked)["faces"] if f["kind"] == "face"]
            seen = {match["pupil"] if match else "" for match in faces}
            # A face that was matched to nobody counts as cleared while there are enough cleared.
            if seen - cleared - {""} or len(faces) > len(cleared):
                wrong.append(files[file])
        held = [f for f in truth if not truth[f].cleared[channel]]
        opened = sum(files[file] in held for file in covered)
        shares = f"{opened} of {len(held)} that consent does not allow"
        print(
            f"{channel}: {len(entries)} published, {len(covered)} of them covered; covers opened"
            f" {shares}; wrong {len(wrong)} {wrong or ''}"
        )


def print_metadata(home: Path) -> None:
    """Print what ExifTool finds in the released files beyond the structure of a JPEG."""
    if not shutil.which("exiftool"):
        print(
            "ExifTool is not installed (apt install libimage-exiftool-perl): metadata not checked."
        )
        return
    command = ["exiftool", "-json", "-G0", "-a", "-r", "-ext", "jpg", str(home / "approved")]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    extra = Counter(key for file in told for key in file if not key.startswith(STRUCTURE))
    print(f"ExifTool on {len(told)} released files: {dict(extra) or 'nothing but structure'}")


def import_next_term(home: Path, before: list[JsonObject]) -> None:
    """Import next term's consents; compare the recalled pictures with the expected ones."""
    lost = _lost_next_term()
    expected = {
        (item["source"], channel)
        for item, channel in _live(before)
        if lost[channel] & {face["match"]["pupil"] for face in item["faces"] if face["match"]}
    }
    began = time.perf_counter()
    result = import_term(home, "consent_next_term.csv")
    seconds = time.perf_counter() - began
    after = {(item["source"], channel) for item, channel in _live(items(home))}
    recalled = {(item["source"], channel) for item, channel in _live(before)} - after
    print(
        f"next term: {result['status']}, {len(result['withdrawn'])} pupils lose a consent, "
        f"{len(result['leavers'])} leave; {result['recalled']} pictures recalled in "
        f"{seconds:.1f} s; exactly the expected ones: {recalled == expected} ({len(expected)})"
    )
    check = json.loads(gate(home, "publish", "verify", "--json"))
    print(f"publish verify: {'ok' if check['ok'] else check['problems'][:3]}")
    check = json.loads(gate(home, "audit", "verify", "--json"))
    print(
        f"audit verify: {'ok' if check['ok'] else check['breaks'][:3]}, {check['entries']} entries"
    )


def _live(found: list[JsonObject]) -> Iterator[tuple[JsonObject, str]]:
    for item in found:
        for name, channel in item["channels"].items():
            if channel["file"]:
                yield item, name


def _lost_next_term() -> dict[str, set[str]]:
    """By channel: pupils with consent in the first export and without it in the second."""
    now, then = (read_answers(name) for name in ("consent_wide.csv", "consent_next_term.csv"))
    return {
        channel: {
            number
            for number, yes in now.items()
            if yes[channel] and not then.get(number, {}).get(channel)
        }
        for channel in CHANNELS
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, help="keep the home here")
    parser.add_argument("--second-photos", type=Path, help="folder of second enrolment photos")
    parser.add_argument("--rival", action="store_true", help="also plain face_recognition")
    parser.add_argument("--cover", action="store_true", help="cover heads that are not cleared")
    options = parser.parse_args()
    print(heading("The made-up school, end to end"))
    home = options.home or Path(tempfile.mkdtemp()) / "home"
    gate(home, "init", str(home))
    if options.cover:
        set_covers(home)
    began = time.perf_counter()
    first = import_term(home, "consent_wide.csv", "--photos", str(SCHOOL / "portraits"))
    print(
        f"import: {first['status']}, {len(first['added'])} pupils, {len(first['enrolled'])} "
        f"enrolled in {time.perf_counter() - began:.0f} s"
    )
    for left in first["not_enrolled"]:
        if "not opened" not in left["reason"]:
            print(f"    not enrolled: {left['pupil']}: {left['reason']}")
    if options.second_photos:
        more = import_term(home, "consent_wide.csv", "--photos", str(options.second_photos))
        print(f"second photos: {len(more['enrolled'])} enrolled")
    gate(home, "portraits", "confirm", "--all", "--by", "benchmark")
    shutil.copytree(SCHOOL / "events", home / "inbox", dirs_exist_ok=True)
    began = time.perf_counter()
    gate(home, "ingest", "--once", "--json")
    seconds = time.perf_counter() - began
    found = items(home)
    print(
        f"ingest: {len(found)} photos in {seconds:.0f} s = {60 * len(found) / seconds:.0f} a minute"
    )
    if options.cover:
        score_covers(home, found)
        print_metadata(home)
        return
    score(verdicts_of(found))
    print_metadata(home)
    import_next_term(home, found)
    if options.rival:
        from benchmarks.rival import verdicts_of_plain_face_recognition

        print("\nPlain face_recognition, its defaults (HOG, tolerance 0.6), same photos:")
        score(verdicts_of_plain_face_recognition(SCHOOL))


if __name__ == "__main__":
    main()
