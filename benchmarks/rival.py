"""Run ``face_recognition`` as its documentation shows, for comparison.

It uses its own loader (which ignores EXIF orientation), the HOG detector and tolerance 0.6. A photo
counts as released if faces were found and every face matches somebody with consent for the channel.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from ingest.faces.embedders.face_recognition_import import import_face_recognition

CHANNELS = ("website", "mag", "displays")


def verdicts_of_plain_face_recognition(
    school: Path,
) -> dict[str, dict[str, list[str] | None]]:
    """By file and channel: None if it would be released, otherwise the reasons."""
    fr = import_face_recognition()
    people = _people(school)
    numbers, vectors = _enrol(fr, school, people)
    return {
        path.relative_to(school / "events").as_posix(): _verdict(fr, path, numbers, vectors, people)
        for path in sorted((school / "events").rglob("*"))
        if path.is_file()
    }


def _people(school: Path) -> dict[str, dict[str, str]]:
    with (school / "people.csv").open(encoding="utf-8") as file:
        return {row["adno"]: row for row in csv.DictReader(file)}


def _enrol(
    fr: Any, school: Path, people: dict[str, dict[str, str]]
) -> tuple[list[str], np.ndarray]:
    """Encode the portraits of the pupils with biometric consent, as the product does."""
    numbers, vectors = [], []
    for number, row in people.items():
        if row["biometric"] != "1":
            continue
        found = fr.face_encodings(fr.load_image_file(school / "portraits" / f"{number}.jpg"))
        if found:
            numbers.append(number)
            vectors.append(found[0])
    return numbers, np.array(vectors)


def _verdict(
    fr: Any, path: Path, numbers: list[str], vectors: np.ndarray, people: dict[str, dict[str, str]]
) -> dict[str, list[str] | None]:
    faces = fr.face_encodings(fr.load_image_file(path))
    if not faces:
        return {key: ["no_faces_found"] for key in CHANNELS}
    shown = []
    for face in faces:
        distances = fr.face_distance(vectors, face)
        best = int(np.argmin(distances))
        shown.append(numbers[best] if distances[best] <= 0.6 else None)
    return {channel: _reasons(shown, people, channel) for channel in CHANNELS}


def _reasons(
    shown: list[str | None], people: dict[str, dict[str, str]], channel: str
) -> list[str] | None:
    if None in shown:
        return ["unknown_face"]
    rows = [people[number] for number in shown if number]
    cleared = all(row[channel] == "1" and row["never"] == "0" for row in rows)
    return None if cleared else ["consent_missing"]
