"""Clean one picture file on its own: no register, no verdict, the same strictness."""

from __future__ import annotations

from typing import ClassVar

from consent_gate.errors import GateError
from ingest.decoding.decode import DecodeLimits, decode
from publish.rendering.render import Chroma, RenditionSpec, render
from publish.verification.verify import Expected, VerificationFinding, verify


class NotClean(GateError):
    """The cleaned picture did not pass the check, so it is not handed out."""

    exit_code: ClassVar[int] = 31
    next_step: ClassVar[str] = "Nothing was written. Please report the kind of picture it was."

    def __init__(self, findings: list[VerificationFinding]) -> None:
        super().__init__(" ".join(finding.sentence for finding in findings))
        self.findings = findings


_MAX_SIDE = 65_500
"""The longest side libjpeg writes: in practice, the picture keeps its size."""

SANITISED = RenditionSpec(max_side=_MAX_SIDE, quality=92, chroma=Chroma.FULL)
"""Full size and close to the original: whoever cleans a single file wants to keep the picture."""


def sanitise(data: bytes, limits: DecodeLimits | None = None) -> bytes:
    """A JPEG of the same picture with nothing else in it, already verified.

    Raises ``ingest.decoding.decode.DecodeError`` where the file cannot be examined, and
    ``NotClean`` where the result fails ``publish.verification.verify``.
    """
    image = decode(data, limits or DecodeLimits())
    clean = render(image.rgb, SANITISED)
    findings = verify(clean, Expected(image.rgb, SANITISED))
    if findings:
        raise NotClean(findings)
    return clean
