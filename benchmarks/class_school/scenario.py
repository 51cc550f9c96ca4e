"""Run one scenario of ``benchmarks.class_school`` in a home of its own."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from pathlib import Path

from benchmarks.class_school.losses import lost_faces, report, sheet
from benchmarks.class_school.photos import CHANNEL, SIZES, Photo, read_photos, size_of
from benchmarks.class_school.strangers import strangers_on_rolls
from benchmarks.school import gate
from consent_gate.bootstrap import configure_django, open_home
from consent_gate.home.home import Home
from consent_gate.model import Examined, Match, NearMatch, Tag, TagKind


def score(title: str, photos: dict[str, Photo], event: str) -> None:
    """Print what was released of one event of every class."""
    from consent_gate.db.models import ChannelDecision

    rows = ChannelDecision.objects.filter(channel=CHANNEL, item__event__endswith=f"-{event}")
    released = Counter[str]()
    of = Counter[str]()
    reasons: Counter[str] = Counter()
    wrong = []
    for row in rows.select_related("item"):
        photo = photos[row.item.source]
        out = row.verdict == "released"
        if out and not photo.allowed:
            wrong.append(row.item.source)
        if not photo.allowed:
            continue
        size = size_of(photo)
        of[size] += 1
        released[size] += out
        reasons.update(r for found in row.faces.values() for r in found)
        if not out and not row.faces:
            reasons.update(row.reasons)
    shares = "  ".join(
        f"{size}: {released[size]} of {of[size]} = {released[size] / max(of[size], 1):.0%}"
        for size in SIZES
    )
    print(f"{title}\n    released {shares}\n    released wrongly: {len(wrong)} {wrong}")
    print(f"    what holds the rest, in faces: {dict(reasons.most_common())}")
    print(f"    faces: {dict(_outcomes(photos, event).most_common())}", flush=True)


def _outcomes(photos: dict[str, Photo], event: str) -> Counter[str]:
    """What became of every face, compared with who is shown."""
    from consent_gate.db.evidence_json import from_json
    from consent_gate.db.models import Item

    outcomes = Counter[str]()
    for item in Item.objects.filter(event__endswith=f"-{event}"):
        evidence = from_json(item.evidence)
        for face in evidence.faces if isinstance(evidence, Examined) else ():
            person = photos[item.source].person_at(face.box)
            match face.identity:
                case Match(pupil=pupil):
                    outcomes["matched" if pupil == person else "MATCHED TO ANOTHER"] += 1
                case NearMatch(pupil=pupil):
                    right = "near" if pupil == person else "NEAR ANOTHER"
                    outcomes[right] += 1
                case other:
                    outcomes[getattr(other, "reason", type(other).__name__.lower())] += 1
    return outcomes


def review(home: Home, photos: dict[str, Photo], *, by_hand: bool) -> None:
    """Name every face of the first event that the machine did not clear, except of bystanders.

    The tick "remember this face" is left as it stands. ``by_hand`` also sets it for the good faces
    for which it is offered and does not stand ready.
    """
    from consent_gate.db.evidence_json import from_json
    from consent_gate.db.models import Item
    from consent_gate.review import service
    from ingest.enrolment.remember import ask_to_remember

    named = ticked = 0
    for item in Item.objects.filter(event__endswith="-trip").order_by("pk"):
        evidence, photo = from_json(item.evidence), photos[item.source]
        faces = evidence.faces if isinstance(evidence, Examined) else ()
        meant = photo.faces_meant(faces)
        for index, face in enumerate(faces):
            person = photo.person_at(face.box)
            known = isinstance(face.identity, Match)
            if known or index not in meant or person in {"", "visitor"}:
                continue
            action = service.at_current_revision(home, "reviewer", item.pk)
            service.tag_face(action, index, Tag(TagKind.PUPIL, person))
            named += 1
            ticked += ask_to_remember(home, item, index, "reviewer", by_hand=by_hand)
    how = "ready or set by hand" if by_hand else "ready"
    print(f"reviewed: {named} faces were named, {ticked} of them with the tick to remember {how}")


def _names() -> list[tuple[str, str]]:
    """Each event with its class."""
    from consent_gate.db.models import Item

    events = Item.objects.values_list("event", flat=True).distinct()
    return [(event, event.partition("-")[0].upper()) for event in sorted(events)]


class Scenario:
    """A home in which the made-up school's events are examined and scored."""

    def __init__(self, title: str, school: Path, folder: Path) -> None:
        """Make the home and enrol one portrait of each pupil, or two where ``title`` is ``two``.

        Args:
            title: ``one`` or ``two``: the number of portraits.
            school: Folder of the made-up school.
            folder: Folder of the new home.
        """
        self.title, self.school, self.folder = title, school, folder
        self.photos = read_photos(school)
        gate(folder, "init", str(folder))
        for portraits in ("portraits", "portraits2")[: 2 if title == "two" else 1]:
            export, photos = str(school / "consent.csv"), str(school / portraits)
            gate(folder, "import-sims", export, "--photos", photos, "--yes", "--json")
            gate(folder, "portraits", "confirm", "--all", "--by", "benchmark")
        configure_django()
        self.home = open_home(folder)

    def print_strangers(self) -> None:
        """Print how often strangers would reach the line for the roll of a class."""
        from consent_gate.db.models import PupilEntry
        from consent_gate.register.repository import load_gallery
        from consent_gate.register.thresholds import thresholds_in_force

        groups = dict(PupilEntry.objects.values_list("admission_number", "reg_group"))
        gallery = load_gallery(self.home)
        print(strangers_on_rolls(gallery, thresholds_in_force(), groups), flush=True)

    def ingest(self, event: str) -> None:
        """Examine the photos of each class's event of this name."""
        for source in sorted((self.school / "events").glob(f"*-{event}")):
            shutil.copytree(source, self.folder / "inbox" / source.name, dirs_exist_ok=True)
        gate(self.folder, "ingest", "--once", "--json")

    def name_the_classes(self, event: str) -> None:
        """Name the class of each event of this name, and decide again."""
        from consent_gate.decisions.event_classes import name_classes

        for found, group in _names():
            if found.endswith(event):
                name_classes(self.home, found, [group], "benchmark")
        gate(self.folder, "ingest", "--once", "--json")

    def print_score(self, step: str, event: str) -> None:
        """Print what is released after a step, and write the sheet of the lost faces."""
        score(f"{self.title} portrait(s): {step}", self.photos, event)
        found = list(lost_faces(self.home, self.school, self.photos, event))
        name_of_sheet = step.partition(",")[0].replace(" ", "-")
        file = self.folder.with_name(f"{self.folder.name}-{name_of_sheet}.jpg")
        sheet(self.school, found).save(file, quality=85)
        print(f"{report(found)}\n    sheet: {file}", flush=True)


def main() -> None:
    """Arguments: ``one`` or ``two`` portraits, the school's folder, a new home's folder.

    A fourth argument ``by-hand`` is for ``review``. The sheets of the lost faces are written beside
    the home.
    """
    scenario = Scenario(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    scenario.print_strangers()
    scenario.ingest("trip")
    scenario.print_score("no class named", "trip")
    scenario.name_the_classes("trip")
    scenario.print_score("classes named", "trip")
    if scenario.title == "one":
        review(scenario.home, scenario.photos, by_hand=sys.argv[4:] == ["by-hand"])
        scenario.ingest("fair")
        scenario.name_the_classes("fair")
        scenario.print_score("next event after a review, classes named", "fair")


if __name__ == "__main__":
    main()
