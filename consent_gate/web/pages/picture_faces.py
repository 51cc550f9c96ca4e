"""View models of the faces on the review page of one picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from consent_gate.db.models import PupilEntry
from consent_gate.film.spans import is_cut_away
from consent_gate.home.home import Home
from consent_gate.model import (
    Ambiguous,
    Box,
    Examined,
    FaceEvidence,
    Hold,
    Match,
    NearMatch,
    Reason,
    Shown,
    StaffInput,
    Tag,
    TagKind,
    Unknown,
    Verdict,
)
from consent_gate.register.relevant import pupils_shown
from consent_gate.web.pages import labels
from consent_gate.web.pages.pupil_choices import Choice, choices
from ingest.film.staff_view import COLUMNS, TILE

ROW_TOLERANCE = 0.6
"""Faces are in one row when their centres differ by at most this share of the median height."""


@dataclass(frozen=True)
class FaceView:
    """One face on the review page."""

    index: int
    """Index in the evidence; faces that staff drew follow."""
    number: int
    """Number on the page, in reading order from 1."""
    box: Box
    mark: str
    mark_label: str
    sentence: str
    tag: Tag | None
    drawn: bool
    candidates: tuple[Choice, ...]
    likeness: str
    """How close the match with the candidates is, as a phrase."""
    may_compare: bool = False
    """Whether the page may ask which pupils the face is nearest to: nobody is named yet, and the
    machine found nobody. Never in a film."""
    shown: Shown | None = None
    """When a film shows it; None in a picture."""

    @property
    def may_cover(self) -> bool:
        """Whether a cover can hide it; not where it was not followed through a film."""
        return self.shown is None or self.shown.is_followed

    @property
    def path(self) -> str:
        """Where a film shows the face: ``time,x,y,width,height`` in pixels, by semicolons."""
        points = self.shown.path if self.shown else ()
        return ";".join(",".join(f"{value:g}" for value in point) for point in points)

    @property
    def times(self) -> str:
        """When a film shows the face, for staff: ``0:03.1 to 0:07.4``."""
        if self.shown is None:
            return ""
        return f"{labels.film_time(self.shown.from_s)} to {labels.film_time(self.shown.to_s)}"

    @property
    def fragment(self) -> str:
        """Media fragment that makes a player show this face (W3C Media Fragments URI)."""
        return f"#t={self.shown.from_s:.2f},{self.shown.to_s + 0.3:.2f}" if self.shown else ""

    @property
    def close_up(self) -> str:
        """Square SVG view box around the face, 1.7 times its size; in a film, of its tile in the
        strip."""
        if self.shown is not None:
            row, column = divmod(self.index, COLUMNS)
            return f"{column * TILE} {row * TILE} {TILE} {TILE}"
        side = round(1.7 * max(self.box.width, self.box.height))
        x = self.box.x + self.box.width // 2 - side // 2
        y = self.box.y + self.box.height // 2 - side // 2
        return f"{x} {y} {side} {side}"


def reading_order(boxes: list[Box]) -> dict[int, int]:
    """Number boxes in reading order: row by row from the top, each row from the left.

    Args:
        boxes: Boxes in pixels of the original.

    Returns:
        Index of each box to its number, from 1.
    """
    if not boxes:
        return {}
    reach = ROW_TOLERANCE * median(box.height for box in boxes)
    rows: list[list[int]] = []
    for index in sorted(range(len(boxes)), key=lambda i: _middle(boxes[i])):
        if rows and _middle(boxes[index]) - _middle(boxes[rows[-1][0]]) <= reach:
            rows[-1].append(index)
        else:
            rows.append([index])
    ordered = [i for row in rows for i in sorted(row, key=lambda i: boxes[i].x)]
    return {index: number for number, index in enumerate(ordered, start=1)}


def _middle(box: Box) -> float:
    return box.y + box.height / 2


def reasons_by_face(verdicts: Mapping[str, Verdict]) -> dict[int, list[Reason]]:
    """Reasons that hold each face in any channel even after an approval, or have it covered."""
    found: dict[int, list[Reason]] = {}
    for verdict in verdicts.values():
        held = verdict.faces if isinstance(verdict, Hold) else {}
        for index, reasons in (verdict.covered | held).items():
            found.setdefault(index, []).extend(reasons)
    return {index: list(dict.fromkeys(reasons)) for index, reasons in found.items()}


def face_views(
    home: Home,
    evidence: Examined,
    staff: StaffInput,
    numbers: Mapping[int, int],
    reasons: Mapping[int, list[Reason]],
) -> tuple[FaceView, ...]:
    known = _pupils_named(home, evidence, staff)
    names = {number: choice.name for number, choice in known.items()}
    views = []
    for index in sorted(numbers, key=lambda i: numbers[i]):
        face = evidence.faces[index] if index < len(evidence.faces) else None
        box = face.box if face else staff.added_faces[index - len(evidence.faces)]
        tag, held = staff.tags.get(index), reasons.get(index, [])
        mark = (
            "cut" if _is_cut_away(evidence, staff, index) and not held else labels.face_mark(held)
        )
        views.append(
            FaceView(
                index=index,
                number=numbers[index],
                box=box,
                mark=mark,
                mark_label=labels.mark_label(mark, is_film=evidence.film is not None),
                sentence=labels.face_sentence(face, tag, names, held),
                tag=tag,
                drawn=face is None,
                candidates=tuple(known[n] for n in _candidates(face) if n in known),
                likeness=labels.likeness_text(face),
                may_compare=tag is None
                and isinstance(face.identity, Unknown)
                and face.shown is None
                if face
                else tag is None or tag.kind is TagKind.CANNOT_TELL,
                shown=face.shown if face else None,
            )
        )
    return tuple(views)


def _is_cut_away(evidence: Examined, staff: StaffInput, index: int) -> bool:
    """Whether the crop or the cuts of staff leave a face out."""
    face = evidence.faces[index] if index < len(evidence.faces) else None
    if staff.film_edit is not None and face is not None and face.shown is not None:
        return is_cut_away(face.shown, staff.film_edit.kept)
    box = face.box if face else staff.added_faces[index - len(evidence.faces)]
    return staff.crop is not None and box.with_margin().is_apart_from(staff.crop)


def _candidates(face: FaceEvidence | None) -> tuple[str, ...]:
    match face.identity if face else None:
        case Match(pupil=pupil) | NearMatch(pupil=pupil):
            return (pupil,)
        case Ambiguous(pupils=pupils):
            return pupils
    return ()


def _pupils_named(home: Home, evidence: Examined, staff: StaffInput) -> dict[str, Choice]:
    numbers = pupils_shown(evidence, (tag.pupil for tag in staff.tags.values()))
    pupils = PupilEntry.objects.filter(admission_number__in=numbers)
    return {c.number: c for c in choices(home, pupils)}
