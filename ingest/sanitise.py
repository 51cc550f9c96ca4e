"""Clean one picture file without a register or a verdict, with the same checks as a release."""

from __future__ import annotations

from typing import ClassVar

from consent_gate.errors import GateError
from ingest.decoding.decode import DecodeLimits, decode
from publish.rendering.render import Chroma, RenditionSpec, render
from publish.verification.verify import Expected, VerificationFinding, verify


class NotClean(GateError):
    """The cleaned picture failed verification, so it is not written."""

    exit_code: ClassVar[int] = 31
    next_step: ClassVar[str] = "Nothing was written. Please report what kind of picture it is."

    def __init__(self, findings: list[VerificationFinding]) -> None:
        super().__init__(" ".join(finding.sentence for finding in findings))
        self.findings = findings


_MAX_SIDE = 65_500
"""The longest side in pixels that libjpeg writes; in practice the picture keeps its size."""

SANITISED = RenditionSpec(max_side=_MAX_SIDE, quality=92, chroma=Chroma.FULL)
"""Full size and high quality, because the cleaned file replaces the original."""


def sanitise(data: bytes, limits: DecodeLimits | None = None) -> bytes:
    """Encode the picture as a JPEG with nothing else in it, and verify the result.

    Raises:
        DecodeError: The file cannot be decoded.
        NotClean: The result fails ``publish.verification.verify``.
    """
    image = decode(data, limits or DecodeLimits())
    clean = render(image.rgb, SANITISED)
    findings = verify(clean, Expected(image.rgb, SANITISED))
    if findings:
        raise NotClean(findings)
    return clean
