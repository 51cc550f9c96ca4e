"""Checks of what staff enter about a picture, before it is saved."""

from __future__ import annotations

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import Item, PupilEntry, StaffTag
from consent_gate.decisions.enrolments import enrolments_from
from consent_gate.errors import DecryptionError, GateError, StorageFull
from consent_gate.home.home import Home
from consent_gate.model import Box, Examined, Tag, TagKind
from consent_gate.vault.originals import read_part
from ingest.film.staff_view import unpacked
from publish.channel.albums import album_of, all_titles
from publish.name_check import contains_pupil_name, fields_name_pupil
from publish.verification.mp4 import plain_structure


class EditConflict(GateError):
    """Somebody else changed the picture first."""

    next_step = "Open the picture again: your change was not saved."


class NotReviewable(GateError):
    """The picture is sealed, erased or being examined."""

    next_step = "Nothing was saved."


class CannotBeReleased(GateError):
    """Somebody shown is not cleared for the channel."""

    next_step = "Nothing was released."


class InvalidInput(GateError):
    """The input is empty, out of range or names a pupil."""

    next_step = ""


def size_of(item: Item) -> tuple[int, int]:
    """Width and height in pixels of the upright original.

    Raises:
        NotReviewable: The picture could not be examined.
    """
    evidence = examined_picture(item)
    return evidence.width, evidence.height


def is_unseen_film(home: Home, item: Item) -> bool:
    """Whether the item is a film, and what staff see of it cannot be opened, or is another film."""
    evidence = from_json(item.evidence)
    if not isinstance(evidence, Examined) or evidence.film is None:
        return False
    try:
        structure = plain_structure(unpacked(read_part(home, item, "film"))[1])
    except (OSError, DecryptionError, StorageFull):
        return True
    return structure is None or structure.frames != evidence.film.frames


def check_tag(home: Home, tag: Tag) -> None:
    """Check a tag before it is saved.

    Raises:
        InvalidInput: The pupil is not on the register, or an agreement lacks its basis.
    """
    if tag.kind is TagKind.PUPIL:
        known = PupilEntry.objects.filter(admission_number=tag.pupil or "").exists()
        if not known:
            raise InvalidInput("Choose a pupil from the list.")
    if tag.kind is TagKind.ADULT_WITH_AGREEMENT:
        check_basis(home, tag.basis.strip())


def check_basis(home: Home, basis: str) -> None:
    """Check the basis of an approval or a tag.

    Raises:
        InvalidInput: The basis is empty or names a pupil.
    """
    if not basis:
        raise InvalidInput("Say how you know, in a few words.")
    check_text(home, basis)


def check_text(home: Home, text: str) -> None:
    """Check a text that is kept or shown to readers.

    Raises:
        InvalidInput: The text holds a pupil's full name.
    """
    if contains_pupil_name(home, text):
        raise InvalidInput("Please leave out the full names of pupils.")


def check_description(home: Home, event: str, title: str, alt: str) -> None:
    """Check what readers see beside a picture, together with its event's album.

    Args:
        home: The installation.
        event: The picture's folder below the inbox.
        title: The picture's title.
        alt: Its description.

    Raises:
        InvalidInput: One of the texts holds a pupil's full name, or they do together.
    """
    if fields_name_pupil(home, title, alt, album_of(event, all_titles())):
        raise InvalidInput(
            "Please leave out the full names of pupils. A forename in one of title, description and"
            " album, and the surname in another, give the full name too."
        )


def count_faces(item: Item) -> int:
    """Number of faces, detected and drawn by staff.

    Raises:
        NotReviewable: The picture could not be examined.
    """
    drawn = StaffTag.objects.filter(item=item, box__isnull=False).count()
    return len(examined_picture(item).faces) + drawn


def examined_picture(item: Item) -> Examined:
    """The evidence of an examined picture.

    Raises:
        NotReviewable: The picture could not be examined.
    """
    evidence = from_json(item.evidence)
    if not isinstance(evidence, Examined):
        raise NotReviewable("This picture could not be examined.")
    return evidence


def box_inside(item: Item, box: Box) -> Box:
    """Return the box if it lies inside the picture. In pixels of the upright original.

    Raises:
        InvalidInput: The box is empty or reaches outside the picture.
    """
    evidence = examined_picture(item)
    fits = box.x >= 0 and box.y >= 0 and box.width > 0 and box.height > 0
    if not fits or box.x + box.width > evidence.width or box.y + box.height > evidence.height:
        raise InvalidInput("Draw the box inside the picture.")
    return box


def close_gap(item: Item, gone: int) -> None:
    """Renumber the faces drawn by staff after the deleted index ``gone``.

    Drawn faces follow the detected ones without a gap.
    """
    later = StaffTag.objects.filter(item=item, face__gt=gone, box__isnull=False).order_by("face")
    for tag in later:
        enrolments_from(item, tag.face).update(face=tag.face - 1)
        tag.face -= 1
        tag.save(update_fields=["face"])
