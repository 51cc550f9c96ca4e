"""What verification can find in a picture, with a message for staff for each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class FindingCode(StrEnum):
    """Stable identifiers of what verification can find."""

    NOT_JPEG = "not_jpeg"
    OTHER_FORMAT = "other_format"
    MALFORMED = "malformed"
    MARKER_NOT_ALLOWED = "marker_not_allowed"
    COMMENT = "comment"
    JFIF_NOT_PLAIN = "jfif_not_plain"
    PROFILE_NOT_OURS = "profile_not_ours"
    FRAME_NOT_OURS = "frame_not_ours"
    TABLE_NOT_PLAIN = "table_not_plain"
    SEVERAL_PICTURES = "several_pictures"
    DATA_AFTER_END = "data_after_end"
    METADATA_FOUND = "metadata_found"
    FILM_NOT_PLAIN = "film_not_plain"
    DOES_NOT_DECODE = "does_not_decode"
    WRONG_SIZE = "wrong_size"
    WRONG_PIXELS = "wrong_pixels"


_MESSAGES = {
    FindingCode.NOT_JPEG: "This is not a JPEG picture.",
    FindingCode.OTHER_FORMAT: "The picture is not in the file format that was asked for.",
    FindingCode.MALFORMED: "The picture is damaged or incomplete.",
    FindingCode.MARKER_NOT_ALLOWED: (
        "The picture carries data that a published picture must not carry."
    ),
    FindingCode.COMMENT: "The picture carries a written comment.",
    FindingCode.JFIF_NOT_PLAIN: "The picture's header carries a thumbnail or extra data.",
    FindingCode.PROFILE_NOT_OURS: "The picture does not carry exactly our own colour profile.",
    FindingCode.FRAME_NOT_OURS: "The picture is not in three colours of eight bits.",
    FindingCode.TABLE_NOT_PLAIN: "The picture's coding tables hold extra data.",
    FindingCode.SEVERAL_PICTURES: "The file holds more than one picture.",
    FindingCode.DATA_AFTER_END: "There is hidden data after the end of the picture.",
    FindingCode.METADATA_FOUND: "The picture still carries camera details, place or names.",
    FindingCode.FILM_NOT_PLAIN: (
        "The film carries sound, texts, times or other data that a published film must not carry."
    ),
    FindingCode.DOES_NOT_DECODE: "The picture cannot be opened completely.",
    FindingCode.WRONG_SIZE: "The picture does not have the size that was asked for.",
    FindingCode.WRONG_PIXELS: "The picture does not show what was checked.",
}


@dataclass(frozen=True)
class VerificationFinding:
    """Why a picture must not be published."""

    code: FindingCode
    sentence: str
    """For staff. Never quotes the file's content."""


def findings(codes: Iterable[FindingCode]) -> list[VerificationFinding]:
    """A finding for each different code, in order."""
    return [VerificationFinding(code, _MESSAGES[code]) for code in dict.fromkeys(codes)]
