"""Tell a film's container from the first bytes of the file. The file's name is never used.

Sources: ISO/IEC 14496-12 and 14496-14 (MP4, MOV, 3GP), RFC 9559 and 8794 (Matroska, WebM),
ISO/IEC 13818-1 (MTS and M2TS), Microsoft's RIFF (AVI).
"""

from __future__ import annotations

from enum import StrEnum

HEAD_BYTES = 64 << 10
"""How many bytes from the beginning of a file ``container_of`` needs."""


class Container(StrEnum):
    """The containers that are examined. The value is the name of libavformat's demuxer."""

    ISO_MEDIA = "mov"
    """MP4, MOV, M4V, 3GP."""
    MATROSKA = "matroska"
    """MKV, WebM."""
    MPEG_TS = "mpegts"
    """MTS, M2TS."""
    AVI = "avi"


CODECS = frozenset(
    {"h264", "hevc", "mpeg4", "mjpeg", "vp8", "vp9", "av1", "libdav1d", "h263", "mpeg2video"}
)
"""Decoders of pictures that are used, by libavcodec's names. Rare decoders are rarely tested."""

_STILL_BRANDS = frozenset(
    {b"avif", b"avis", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
    | {b"mif1", b"mif2", b"miaf", b"msf1", b"crx ", b"jp2 ", b"jxl "}
)
"""Major brands of pictures and picture sequences, which ``ingest.decoding`` reads or refuses."""

_QUICKTIME_FIRST_BOXES = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
"""Old QuickTime files begin without ``ftyp``."""

_TS_PACKETS = ((188, 0), (192, 4))
"""Length of a packet and the offset of its sync byte: MPEG-TS, and M2TS with a time stamp."""

_TS_SYNC = 0x47
_TS_PACKETS_CHECKED = 5


def container_of(head: bytes) -> Container | None:
    """The container of a film whose file begins with ``head``; None where it is no film.

    ``head`` should have ``HEAD_BYTES`` bytes, or be the whole file. Never raises.
    """
    if head[4:8] == b"ftyp":
        return None if head[8:12] in _STILL_BRANDS else Container.ISO_MEDIA
    if head[4:8] in _QUICKTIME_FIRST_BOXES:
        return Container.ISO_MEDIA
    if head[:4] == b"\x1aE\xdf\xa3":
        return Container.MATROSKA
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return Container.AVI
    if any(_is_transport_stream(head, length, offset) for length, offset in _TS_PACKETS):
        return Container.MPEG_TS
    return None


def _is_transport_stream(head: bytes, length: int, offset: int) -> bool:
    """Whether the first packets begin with the sync byte. One byte alone proves little."""
    syncs = head[offset : offset + _TS_PACKETS_CHECKED * length : length]
    return len(syncs) == _TS_PACKETS_CHECKED and set(syncs) == {_TS_SYNC}
