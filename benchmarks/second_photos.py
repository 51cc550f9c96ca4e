"""Choose a second enrolment photo for each pupil of the made-up school.

    python -m benchmarks.second_photos HOME FOLDER

HOME is a home in which the school's events were examined (``benchmarks.school --home HOME``). For
each pupil with biometric consent, the program copies a photo from faces/people to FOLDER: the first
that is neither the pupil's portrait nor, by SFace, a picture that was pasted into an event photo.
"""

from __future__ import annotations

import argparse
import csv
import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import SHARED
from consent_gate.bootstrap import configure_django, open_home
from consent_gate.home.home import Home
from consent_gate.matching.gallery import SFACE
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.model import Examined
from ingest.decoding.decode import DecodeLimits, decode
from ingest.faces.analyser import FaceAnalyser
from ingest.faces.embedders.dlib_resnet import DlibEmbedder
from ingest.faces.embedders.sface import SFaceEmbedder
from ingest.faces.enrolment_face import EnrolmentFace
from ingest.faces.finder import default_finder
from ingest.faces.finder_settings import PORTRAIT

SAME_PICTURE = 0.9
"""SFace cosine from which two faces count as the same picture. It is estimated, not fitted: it only
excludes pictures, so that no event photo is compared with itself as an enrolment photo."""

Vector = NDArray[np.float32]


def event_faces(home: Home, analyser: FaceAnalyser) -> NDArray[np.float32]:
    """SFace vectors of every face of every examined photo, shape (faces, 128)."""
    from consent_gate.db.evidence_json import from_json
    from consent_gate.db.models import Item
    from consent_gate.vault.originals import read_part

    found = []
    for item in Item.objects.exclude(evidence=None):
        evidence = from_json(item.evidence)
        if not isinstance(evidence, Examined):
            continue
        rgb = decode(read_part(home, item), DecodeLimits()).rgb
        for face in evidence.faces:
            box = face.box
            pad = box.height // 2
            crop = rgb[
                max(0, box.y - pad) : box.y + box.height + pad,
                max(0, box.x - pad) : box.x + box.width + pad,
            ]
            seen = analyser.enrol(np.ascontiguousarray(crop))
            if isinstance(seen, EnrolmentFace):
                found.append(seen.vectors[SFACE])
    return np.array(found, dtype=np.float32)


def main() -> None:
    """Fill the folder and print the number of pupils."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("home", type=Path)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    configure_django()
    home = open_home(options.home)
    finder = default_finder()
    analyser = FaceAnalyser(
        finder.with_settings(PORTRAIT), SFaceEmbedder(), DlibEmbedder(), shipped_thresholds()
    )
    used = event_faces(home, analyser)
    options.folder.mkdir(parents=True, exist_ok=True)
    with (SHARED / "school" / "people.csv").open(encoding="utf-8") as file:
        pupils = [row for row in csv.DictReader(file) if row["biometric"] == "1"]
    given = sum(_give(row, options.folder, used, analyser) for row in pupils)
    print(f"{given} of {len(pupils)} pupils have a second photo")


def _give(
    row: dict[str, str], folder: Path, used: NDArray[np.float32], analyser: FaceAnalyser
) -> bool:
    portrait = _vector(SHARED / "school" / "portraits" / f"{row['adno']}.jpg", analyser)
    for path in sorted((SHARED / "faces" / "people" / row["person"]).iterdir()):
        vector = _vector(path, analyser)
        if vector is None or portrait is None:
            continue
        alike = max(float(vector @ portrait), float((used @ vector).max()))
        if alike < SAME_PICTURE:
            shutil.copy(path, folder / f"{row['adno']}.jpg")
            return True
    return False


def _vector(path: Path, analyser: FaceAnalyser) -> Vector | None:
    seen = analyser.enrol(decode(path.read_bytes(), DecodeLimits()).rgb)
    return seen.vectors[SFACE] if isinstance(seen, EnrolmentFace) else None


if __name__ == "__main__":
    main()
