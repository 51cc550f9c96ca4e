"""What may be said of a picture at all, before it is saved."""

from __future__ import annotations

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import Item, PupilEntry, StaffTag
from consent_gate.decisions.enrolments import made_from
from consent_gate.errors import GateError
from consent_gate.home.home import Home
from consent_gate.model import Box, Examined, Tag, TagKind
from publish.name_check import contains_pupil_name


class EditConflict(GateError):
    """Somebody else saved something about the picture first."""

    next_step = "Look at it again; nothing of yours was saved."


class NotReviewable(GateError):
    """The picture is sealed, erased or being examined."""

    next_step = "Nothing was saved."


class CannotBeReleased(GateError):
    """Someone shown is not cleared for the channel."""

    next_step = "Nothing was released."


class InvalidInput(GateError):
    """What was typed cannot be used."""

    next_step = ""


def size_of(item: Item) -> tuple[int, int]:
    """Width and height of the examined picture in pixels. Raises NotReviewable."""
    evidence = examined_picture(item)
    return evidence.width, evidence.height


def check_tag(home: Home, tag: Tag) -> None:
    """Raises InvalidInput for a pupil nobody knows or an agreement without its basis."""
    if tag.kind is TagKind.PUPIL:
        known = PupilEntry.objects.filter(admission_number=tag.pupil or "").exists()
        if not known:
            raise InvalidInput("Choose a pupil from the list.")
    if tag.kind is TagKind.ADULT_WITH_AGREEMENT:
        check_basis(home, tag.basis.strip())


def check_basis(home: Home, basis: str) -> None:
    """Raises InvalidInput when nothing is stated, or a pupil's name is."""
    if not basis:
        raise InvalidInput("Say how you know, in a few words.")
    check_text(home, basis)


def check_text(home: Home, text: str) -> None:
    """Raises InvalidInput when a pupil is named in a text that is kept or shown to readers."""
    if contains_pupil_name(home, text):
        raise InvalidInput("Please leave out the full names of pupils.")


def count_faces(item: Item) -> int:
    """Faces that the machine found and staff drew. Raises NotReviewable."""
    drawn = StaffTag.objects.filter(item=item).exclude(box=None).count()
    return len(examined_picture(item).faces) + drawn


def examined_picture(item: Item) -> Examined:
    """Raises NotReviewable when the picture could not be examined."""
    evidence = from_json(item.evidence)
    if not isinstance(evidence, Examined):
        raise NotReviewable("This picture could not be examined.")
    return evidence


def box_inside(item: Item, box: Box) -> Box:
    """The box, if it lies inside the picture. Raises InvalidInput."""
    evidence = examined_picture(item)
    fits = box.x >= 0 and box.y >= 0 and box.width > 0 and box.height > 0
    if not fits or box.x + box.width > evidence.width or box.y + box.height > evidence.height:
        raise InvalidInput("Draw the box inside the picture.")
    return box


def close_gap(item: Item, gone: int) -> None:
    """Number on: faces that staff drew come after the machine's, without gaps."""
    later = StaffTag.objects.filter(item=item, face__gt=gone).exclude(box=None).order_by("face")
    for tag in later:
        made_from(item, tag.face).update(face=tag.face - 1)
        tag.face -= 1
        tag.save(update_fields=["face"])
