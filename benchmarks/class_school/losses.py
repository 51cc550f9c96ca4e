"""Say which faces still hold the photos of an event that consent allows, by what is known of them.

    python -m benchmarks.class_school.losses HOME SCHOOL EVENT [SHEET.jpg]

Counts the faces by the first kind that fits, and the people they belong to. The benchmark knows the
measured quality of a face, and whether it is a bystander who was cut out together with the person
meant: the gate rightly holds such a photo. A cap, goggles, an expression or years between two
pictures are not measured; for these a person looks at the sheet, which shows each face beside the
portrait.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from benchmarks.class_school.scenario import CHANNEL, Photo, read_photos
from consent_gate.bootstrap import configure_django, open_home
from consent_gate.model import Box, Examined, FaceEvidence, FaceKind, Quality

TURNED, SMALL, UNLIKE_MIRROR = 0.25, 64, 0.95
"""From these on a face is recognised less often (docs/adr/0004-recognition.md): half the turn of a
head at 45 degrees, height in pixels, and agreement with the mirror image."""

BYSTANDER = "a bystander who was cut out too"

TILE = 160
COLUMNS = 6


@dataclass(frozen=True)
class LostFace:
    """One face that holds a photo which consent allows."""

    file: str
    person: str
    """Admission number."""
    box: Box
    kind: str


_KINDS: tuple[tuple[str, Callable[[Quality], bool]], ...] = (
    (f"turned (yaw over {TURNED})", lambda quality: quality.yaw > TURNED),
    (f"lower than {SMALL} px", lambda quality: quality.height_px < SMALL),
    (
        f"unlike its mirror image (under {UNLIKE_MIRROR})",
        lambda quality: quality.mirror_agreement < UNLIKE_MIRROR,
    ),
)


def kind_of(face: FaceEvidence) -> str:
    """The first kind that fits a face which was not recognised."""
    if face.kind is FaceKind.POSSIBLE or face.quality is None:
        return "not surely a face"
    quality = face.quality
    return next((name for name, fits in _KINDS if fits(quality)), "large, frontal and clear")


def lost_faces(photos: dict[str, Photo], event: str) -> Iterator[LostFace]:
    """The faces of an event that hold photos which consent allows."""
    from consent_gate.db.evidence_json import from_json
    from consent_gate.db.models import ChannelDecision

    rows = ChannelDecision.objects.filter(channel=CHANNEL, item__event__endswith=f"-{event}")
    for row in rows.exclude(verdict="released").select_related("item").order_by("item__source"):
        photo, evidence = photos[row.item.source], from_json(row.item.evidence)
        if not photo.allowed or not isinstance(evidence, Examined):
            continue
        meant = photo.faces_meant(evidence.faces)
        for index in sorted(map(int, row.faces)):
            face = evidence.faces[index]
            kind = kind_of(face) if index in meant else BYSTANDER
            yield LostFace(row.item.source, photo.person_at(face.box), face.box, kind)


def report(photos: dict[str, Photo], event: str) -> str:
    """The counts, as three lines."""
    found = list(lost_faces(photos, event))
    people = Counter(face.person for face in found if face.kind != BYSTANDER)
    again = sum(count > 1 for count in people.values())
    kinds = dict(Counter(face.kind for face in found).most_common())
    return (
        f"    faces that still hold photos: {len(found)} of {len(people)} people,"
        f" {again} of them in several photos\n    by kind: {kinds}\n"
        f"    photos held by bystanders alone: {_held_by_bystanders(found)}"
    )


def _held_by_bystanders(found: Sequence[LostFace]) -> int:
    by_photo: dict[str, set[str]] = {}
    for face in found:
        by_photo.setdefault(face.file, set()).add(face.kind)
    return sum(kinds == {BYSTANDER} for kinds in by_photo.values())


def sheet(school: Path, found: Sequence[LostFace]) -> Image.Image:
    """Each face beside the portrait of its pupil."""
    rows = -(-len(found) // COLUMNS)
    whole = Image.new("RGB", (COLUMNS * (2 * TILE + 8), rows * (TILE + 8)), "white")
    for place, face in enumerate(found):
        x, y = place % COLUMNS * (2 * TILE + 8), place // COLUMNS * (TILE + 8)
        box, around = face.box, face.box.width // 3
        cut = (box.x - around, box.y - around, box.x + box.width + around, box.y + box.height)
        with Image.open(school / "events" / face.file) as photo:
            whole.paste(photo.crop(cut).resize((TILE, TILE)), (x, y))
        portrait = school / "portraits" / f"{face.person}.jpg"
        if portrait.exists():
            with Image.open(portrait) as picture:
                whole.paste(picture.resize((TILE, TILE)), (x + TILE, y))
    return whole


def main() -> None:
    """Arguments: a home of a finished scenario, the school, ``trip`` or ``fair``, and a sheet."""
    home, school, event, *files = sys.argv[1:]
    configure_django()
    open_home(Path(home))
    photos = read_photos(Path(school))
    print(report(photos, event))
    for file in files:
        sheet(Path(school), list(lost_faces(photos, event))).save(file, quality=85)


if __name__ == "__main__":
    main()
