"""Say which faces still hold the photos of an event that consent allows, by kind of the loss.

    python -m benchmarks.class_school.losses HOME SCHOOL EVENT [SHEET.jpg]

Prints the loss of each group of photos: by the first kind that fits each face (``loss_kinds``), and
by what alone holds a photo. A cap, goggles, an expression or years between two pictures are not
measured; for these a person looks at the sheet, which shows each face beside the portraits.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from benchmarks.class_school.loss_kinds import BYSTANDER, Loss, LossKinds
from benchmarks.class_school.photos import CHANNEL, SIZES, Photo, read_photos, size_of
from consent_gate.bootstrap import configure_django, open_home
from consent_gate.home.home import Home
from consent_gate.model import Box, Examined

TILE = 160
CAPTION = 26
COLUMNS = 4


@dataclass(frozen=True)
class LostFace:
    """One face that holds a photo which consent allows."""

    file: str
    size: str
    """Group of the photo, by its number of people: a key of ``SIZES``."""
    person: str
    """Admission number."""
    box: Box
    loss: Loss


def lost_faces(
    home: Home, school: Path, photos: dict[str, Photo], event: str
) -> Iterator[LostFace]:
    """The faces of an event that hold photos which consent allows."""
    from consent_gate.db.evidence_json import from_json
    from consent_gate.db.models import ChannelDecision
    from consent_gate.register.repository import load_gallery
    from consent_gate.register.thresholds import thresholds_in_force

    kinds = LossKinds(school, load_gallery(home), thresholds_in_force())
    rows = ChannelDecision.objects.filter(channel=CHANNEL, item__event__endswith=f"-{event}")
    for row in rows.exclude(verdict="released").select_related("item").order_by("item__source"):
        source = row.item.source
        photo, evidence = photos[source], from_json(row.item.evidence)
        if not photo.allowed or not isinstance(evidence, Examined):
            continue
        meant = photo.faces_meant(evidence.faces)
        for index in sorted(map(int, row.faces)):
            face = evidence.faces[index]
            person = photo.person_at(face.box)
            loss = kinds.of(source, person, face, meant=index in meant)
            yield LostFace(source, size_of(photo), person, face.box, loss)


def report(found: Sequence[LostFace]) -> str:
    """The losses as lines: all, then those of each group of photos."""
    people = Counter(face.person for face in found if face.loss.kind != BYSTANDER)
    again = sum(count > 1 for count in people.values())
    lines = [
        f"    faces that still hold photos: {len(found)} of {len(people)} people,"
        f" {again} of them in several photos"
    ]
    for size in SIZES:
        of_size = [face for face in found if face.size == size]
        by_photo: dict[str, list[str]] = {}
        for face in of_size:
            by_photo.setdefault(face.file, []).append(face.loss.kind)
        by_kind = Counter(face.loss.kind for face in of_size)
        alone = Counter(next(iter(set(k))) for k in by_photo.values() if len(set(k)) == 1)
        lines.append(f"    {size} people: {len(by_photo)} photos held by {len(of_size)} faces")
        lines += [
            f"        {count:3d}  {kind}; it alone holds {alone[kind]} photos"
            for kind, count in by_kind.most_common()
        ]
    return "\n".join(lines)


def sheet(school: Path, found: Sequence[LostFace]) -> Image.Image:
    """Each face beside the portraits of its pupil, with its kind and its scores."""
    across, down = 3 * TILE + 8, TILE + CAPTION + 8
    rows = max(1, -(-len(found) // COLUMNS))
    whole = Image.new("RGB", (COLUMNS * across, rows * down), "white")
    draw = ImageDraw.Draw(whole)
    for place, face in enumerate(found):
        x, y = place % COLUMNS * across, place // COLUMNS * down
        box, around = face.box, face.box.width // 3
        cut = (box.x - around, box.y - around, box.x + box.width + around, box.y + box.height)
        with Image.open(school / "events" / face.file) as photo:
            whole.paste(photo.crop(cut).resize((TILE, TILE)), (x, y))
        for number, folder in enumerate(("portraits", "portraits2"), start=1):
            portrait = school / folder / f"{face.person}.jpg"
            if portrait.exists():
                with Image.open(portrait) as picture:
                    whole.paste(picture.resize((TILE, TILE)), (x + number * TILE, y))
        loss = face.loss
        scores = f"own {loss.score:.2f}, next {loss.nearest_other:.2f}, line {loss.line:.2f}"
        text = f"{face.file} {face.person}: {scores}\n{loss.kind}"
        draw.text((x + 2, y + TILE), text, fill="black")
    return whole


def main() -> None:
    """Arguments: a home of a finished scenario, the school, ``trip`` or ``fair``, and a sheet."""
    folder, school, event, *files = sys.argv[1:]
    configure_django()
    home = open_home(Path(folder))
    found = list(lost_faces(home, Path(school), read_photos(Path(school)), event))
    print(report(found))
    for file in files:
        sheet(Path(school), found).save(file, quality=85)


if __name__ == "__main__":
    main()
