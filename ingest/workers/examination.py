"""The result of examining one file in a worker."""

from __future__ import annotations

from dataclasses import dataclass

from consent_gate.model import Evidence, NotExamined, Reason
from consent_gate.names.text_lines import ReadLine


@dataclass(frozen=True)
class Examination:
    """The result of examining one file."""

    evidence: Evidence
    preview: bytes | None
    """JPEG of the judged pixels for staff; None where the file could not be decoded."""
    hashes: bytes = b""
    """``matching.picture_hash.picture_hashes`` of the judged pixels; of a film those of its poster,
    then of other frames. They are compared with pictures that staff closed, and the first is stored
    where this picture is one of them."""
    lines: tuple[ReadLine, ...] | None = None
    """Text that can be read in the picture; None where none was looked for, or where that failed.
    It is compared with the pupils' names (``ingest.visible_names``) and never stored."""
    film_view: bytes | None = None
    """What staff see of a film (``ingest.film.staff_view.packed``)."""
    live_photo: str = ""
    """Digest of the identifier of a live photo (``ingest.decoding.live_photo``)."""


def not_examined(message: str, reason: Reason = Reason.NOT_EXAMINED) -> Examination:
    """An examination without a result; ``message`` is a sentence for staff."""
    return Examination(NotExamined(reason, message), None)
