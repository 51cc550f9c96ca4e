"""Check that an MP4 holds one stream of H.264 or VP9, at most one of AAC sound, and nothing else.

An own parser that shares no code with the encoder. The allow-list is the structure that a published
film has, box by box, in order: ``ftyp``, ``moov`` with one track or two, ``mdat`` (ISO/IEC 14496-12
and 14496-15). Every box has its exact length and its fixed content, every byte of ``mdat`` belongs
to exactly one sample, and each sample of the picture is checked by the rules of its codec
(``mp4_h264``, ``mp4_vp9``). So no box, no text and no other stream can lie in the file.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from publish.verification.findings import FindingCode
from publish.verification.mp4_boxes import Chunk, Mp4Box, NotOurs, SampleIndex, children, require
from publish.verification.mp4_h264 import H264
from publish.verification.mp4_sound import RATE as SOUND_RATE
from publish.verification.mp4_sound import SoundTrack, sound_track
from publish.verification.mp4_vp9 import Vp9

TICKS = 90_000
"""Time units a second of the picture."""

Codec = type[H264] | type[Vp9]
_CODECS: dict[bytes, Codec] = {H264.entry: H264, Vp9.entry: Vp9}
_MATRIX = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_HANDLER = bytes(8) + b"vide" + bytes(13)
_VIDEO_HEADER = bytes((0, 0, 0, 1)) + bytes(8)
_OWN_FILE = struct.pack(">II", 0, 1) + struct.pack(">I4sI", 12, b"url ", 1)
_BT709 = b"nclx" + struct.pack(">HHHB", 1, 1, 1, 0)
_SQUARE = struct.pack(">II", 1, 1)
_TRACKS = ([b"mvhd", b"trak", b"trak"], frozenset({b"trak"}))


@dataclass(frozen=True)
class FilmStructure:
    """What the boxes of a published film say."""

    width: int
    height: int
    frames: int
    seconds: float
    codec: str
    """Of the picture: "h264" or "vp9"."""
    channels: int = 0
    """Of the sound; 0 for a silent film."""
    samples: int = 0
    """Of the sound, at 48 000 a second."""


def is_mp4(data: bytes) -> bool:
    """Whether the file may be a film of ours, by its first bytes."""
    return data[4:16] == b"ftypisom\x00\x00\x02\x00"


def mp4_codes(data: bytes) -> list[FindingCode]:
    """Everything in the file that is not one plain film; empty where there is nothing."""
    try:
        structure_of(data)
    except NotOurs:
        return [FindingCode.FILM_NOT_PLAIN]
    except (struct.error, IndexError, ValueError):
        return [FindingCode.MALFORMED]
    return []


def plain_structure(data: bytes) -> FilmStructure | None:
    """The structure of a published film; None where the file is none."""
    try:
        return structure_of(data)
    except (NotOurs, struct.error, IndexError, ValueError):
        return None


def sound_in(head: bytes) -> SoundTrack | None:
    """The sound of a film of which only the beginning is given, up to the end of ``moov``.

    None for a silent film, and where this is no published film.
    """
    try:
        (ftyp,) = struct.unpack_from(">I", head, 0)
        (moov,) = children(head, ftyp, len(head), [b"moov"])
        mvhd, _, second = children(head, moov.start, moov.end, *_TRACKS)
        if second.end == second.start:
            return None
        whole = _check_movie_header(head[mvhd.start : mvhd.end], 3)
        return sound_track(head, second, whole)
    except (NotOurs, struct.error, IndexError, ValueError):
        return None


def structure_of(data: bytes) -> FilmStructure:
    """Parse the whole file against the allow-list. Raises NotOurs, struct.error or ValueError."""
    ftyp, moov, mdat = children(data, 0, len(data), [b"ftyp", b"moov", b"mdat"])
    mvhd, trak, second = children(data, moov.start, moov.end, *_TRACKS)
    has_sound = second.end > second.start
    whole = _check_movie_header(data[mvhd.start : mvhd.end], 3 if has_sound else 2)
    picture, milliseconds = _picture_track(data, trak)
    require(data[ftyp.start : ftyp.end] == picture.codec.brands)
    sound = sound_track(data, second, whole) if has_sound else None
    longest = max(milliseconds, 0 if sound is None else round(sound.samples / SOUND_RATE * 1000))
    require(abs(whole - longest) <= (2 if has_sound else 0))
    _check_media(data, mdat, picture, sound)
    return FilmStructure(
        *picture.size,
        picture.count,
        picture.ticks / TICKS,
        picture.codec.name,
        sound.channels if sound is not None else 0,
        sound.samples if sound is not None else 0,
    )


def _picture_track(data: bytes, trak: Mp4Box) -> tuple[_PictureTrack, int]:
    """Parse the first track. Returns its duration in milliseconds too."""
    tkhd, mdia = children(data, trak.start, trak.end, [b"tkhd", b"mdia"])
    width, height, milliseconds = _track_size(data[tkhd.start : tkhd.end])
    mdhd, hdlr, minf = children(data, mdia.start, mdia.end, [b"mdhd", b"hdlr", b"minf"])
    ticks = _media_ticks(data[mdhd.start : mdhd.end])
    require(abs(ticks / TICKS - milliseconds / 1000) <= 0.002)
    require(data[hdlr.start : hdlr.end] == _HANDLER)
    vmhd, dinf, stbl = children(data, minf.start, minf.end, [b"vmhd", b"dinf", b"stbl"])
    require(data[vmhd.start : vmhd.end] == _VIDEO_HEADER)
    (dref,) = children(data, dinf.start, dinf.end, [b"dref"])
    require(data[dref.start : dref.end] == _OWN_FILE)
    track = _PictureTrack(data, stbl)
    require(track.size == (width, height) and track.ticks == ticks)
    return track, milliseconds


def _check_movie_header(body: bytes, next_track: int) -> int:
    """The duration in milliseconds; no dates, normal speed (``mvhd`` version 0)."""
    require(len(body) == 100)
    require(body[:12] == bytes(12))
    timescale, duration = struct.unpack_from(">II", body, 12)
    require(timescale == 1000)
    require(body[20:36] == struct.pack(">IH", 1 << 16, 1 << 8) + bytes(10))
    require(body[36:72] == _MATRIX)
    require(body[72:96] == bytes(24))
    require(body[96:] == struct.pack(">I", next_track))
    return int(duration)


def _track_size(body: bytes) -> tuple[int, int, int]:
    """Width, height and duration in milliseconds; no dates, no other layer (``tkhd`` version 0)."""
    require(len(body) == 84)
    require(body[:16] == bytes((0, 0, 0, 3)) + bytes(8) + struct.pack(">I", 1))
    unused, milliseconds = struct.unpack_from(">II", body, 16)
    require(unused == 0 and body[24:40] == bytes(16))
    require(body[40:76] == _MATRIX)
    width, height = struct.unpack_from(">II", body, 76)
    require(width % 65536 == 0 and height % 65536 == 0)
    return width >> 16, height >> 16, int(milliseconds)


def _media_ticks(body: bytes) -> int:
    """The duration in ticks; no dates and no language (``mdhd`` version 0)."""
    require(len(body) == 24)
    require(body[:12] == bytes(12))
    timescale, duration = struct.unpack_from(">II", body, 12)
    require(timescale == TICKS)
    require(body[20:] == b"\x55\xc4\x00\x00")
    return int(duration)


class _PictureTrack:
    """The index of the picture (``stbl``)."""

    def __init__(self, data: bytes, stbl: Mp4Box) -> None:
        kinds = [b"stsd", b"stts", b"stss", b"stsc", b"stsz", b"stco"]
        boxes = children(data, stbl.start, stbl.end, kinds, frozenset({b"stss"}))
        stsd, stts, stss, *places = boxes
        self.codec, self.size = _described(data, stsd)
        index = SampleIndex(data, stts, *places)
        self.count, self.ticks, self.chunks = index.count, index.ticks, index.chunks
        self._stated_keys = index.numbers(stss, 1) if stss.end > stss.start else None
        self._are_keys: list[bool] = []

    def check(self, data: bytes, start: int, end: int) -> None:
        """Check the next sample by the rules of the codec."""
        require(start < end <= len(data))
        self._are_keys.append(self.codec.check_sample(data, start, end, self.size))

    def check_keys(self) -> None:
        """Check that ``stss`` lists the key frames, or is absent where each frame is one."""
        keys = tuple(number for number, is_key in enumerate(self._are_keys, 1) if is_key)
        require(keys == self._stated_keys or (self._stated_keys is None and all(self._are_keys)))


def _check_media(
    data: bytes, mdat: Mp4Box, picture: _PictureTrack, sound: SoundTrack | None
) -> None:
    """Check that the samples of both tracks fill ``mdat`` exactly, one after another."""
    chunks: list[tuple[Chunk, _PictureTrack | SoundTrack]] = [(c, picture) for c in picture.chunks]
    chunks += [(chunk, sound) for chunk in sound.chunks] if sound is not None else []
    at = mdat.start
    for chunk, track in sorted(chunks, key=lambda pair: pair[0].offset):
        require(chunk.offset == at)
        for size in chunk.sizes:
            track.check(data, at, at + size)
            at += size
    require(at == mdat.end)
    picture.check_keys()


def _described(data: bytes, stsd: Mp4Box) -> tuple[Codec, tuple[int, int]]:
    """The codec of the only kind of sample and its size, with its parameters and colours."""
    require(data[stsd.start : stsd.start + 8] == struct.pack(">II", 0, 1))
    codec = _CODECS.get(data[stsd.start + 12 : stsd.start + 16])
    if codec is None:
        raise NotOurs
    (entry,) = children(data, stsd.start + 8, stsd.end, [codec.entry])
    head = data[entry.start : entry.start + 78]
    width, height = struct.unpack_from(">HH", head, 24)
    plain = (
        bytes(6) + b"\x00\x01" + bytes(16) + struct.pack(">HH", width, height)
        + struct.pack(">II", 72 << 16, 72 << 16) + bytes(4) + b"\x00\x01"
        + bytes(32) + b"\x00\x18\xff\xff"
    )  # fmt: skip
    require(head == plain)
    kinds = [codec.configuration, b"colr", b"pasp"]
    optional = frozenset({b"colr", b"pasp"})
    parameters, colr, pasp = children(data, entry.start + 78, entry.end, kinds, optional)
    codec.check_configuration(data[parameters.start : parameters.end], (width, height))
    require(data[colr.start : colr.end] in (b"", _BT709))
    require(data[pasp.start : pasp.end] in (b"", _SQUARE))
    return codec, (width, height)
