"""Open a film with libav, and read facts about its streams and frames."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from consent_gate.model import Reason
from ingest.decoding.decode import DecodeError
from ingest.film.formats import HEAD_BYTES, container_of

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

MICROSECONDS = 1_000_000
"""Units of the container's times a second (AV_TIME_BASE)."""

HDR_TRANSFERS = frozenset({16, 18})
"""PQ and HLG (ITU-T H.273 table 3). Faces would be pale if the pixels were read as they are."""

WIDE_GAMUT_MATRICES = frozenset({9, 10})
"""BT.2020 (ITU-T H.273 table 4)."""

WIDE_GAMUT_PRIMARIES = 9
"""BT.2020 (ITU-T H.273 table 2). A film that states nothing else is HDR too."""

DOLBY_VISION_TAGS = frozenset({"dvh1", "dvhe", "dvav", "dva1", "dav1"})
"""Sample entries of films in Dolby's own colours (Dolby Vision Streams within ISO BMFF)."""

_BT709 = 1
_BT601 = frozenset({4, 5, 6})
_HD_HEIGHT = 720
"""Films of this height and more are BT.709 where they do not say what they are."""

NOT_INSTALLED = (
    "This is a film. The part of the program that examines films is not installed. A technician "
    "can install it: consent-gate[film]. Until then it can only be shared by hand."
)
DAMAGED = "The film is damaged or was not copied completely. Copy it from the camera again."
NO_PICTURE = "The file has no moving picture that can be examined."
SEVERAL = "The film holds several films. Save the one you want as MP4 and copy that in."
HDR = (
    "This is a high dynamic range (HDR) film, which cannot be examined. Switch HDR off in the "
    "camera, or save the film as an ordinary MP4 and copy that in."
)
CODEC = "The film is compressed in a way that cannot be examined. Save it as MP4 (H.264)."
TOO_LARGE = "The film's picture is larger than 4K. Save it in a smaller size and copy that in."
CHANGES = "The picture changes its size in the film. Save it as an ordinary MP4 and copy that in."
MIRRORED = (
    "The film says that it is shown in a mirror, which players do differently. Save it as an "
    "ordinary MP4 and copy that in."
)
TILTED = "The film is turned by an angle that players show differently. Save it upright as MP4."


MIN_SPACING = 1 / 40
"""Up to 40 frames a second every frame is judged, of 50 or 60 frames every second one. Frames
between are neither judged nor published."""


class SeekableFile(Protocol):
    """What libav reads a film from."""

    def read(self, size: int = -1) -> bytes:
        """Up to ``size`` bytes from the present position."""
        ...

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move the position, as in ``io.IOBase``."""
        ...

    def tell(self) -> int:
        """The present position."""
        ...


@dataclass(frozen=True)
class FilmLimits:
    """The largest film that is decoded."""

    max_seconds: float = 3600.0
    max_frame_pixels: int = 4096 * 2304
    """Width times height of one frame: films of 4K."""
    min_spacing: float = MIN_SPACING
    """Seconds between two judged frames; the frames between are left out."""
    max_frames_per_second: int = 250
    """More frames than this for each second of ``max_seconds`` are a bomb."""


def is_installed() -> bool:
    """Whether PyAV, the extra ``consent-gate[film]``, is installed."""
    return find_spec("av") is not None


def load_film_decoders() -> None:
    """Load PyAV, if it is installed. A worker calls this before it is sealed."""
    if is_installed():
        import_module("av")


class Deinterlacer:
    """Converts interlaced frames to whole frames, with libavfilter's ``bwdif``."""

    def __init__(self, stream: VideoStream) -> None:
        from av.filter import Graph

        graph = Graph()
        buffer = graph.add_buffer(template=stream)
        weave = graph.add("bwdif", "mode=send_frame:deint=interlaced")
        sink = graph.add("buffersink")
        buffer.link_to(weave)
        weave.link_to(sink)
        graph.configure()
        self._graph = graph

    def frames(self, frame: VideoFrame | None) -> Iterator[VideoFrame]:
        """Yield the frames that are ready after ``frame``. Pass None after the last frame."""
        import av

        self._graph.vpush(frame)
        with suppress(av.error.BlockingIOError, av.error.EOFError):
            while True:
                yield self._graph.vpull()


def open_film(file: SeekableFile) -> InputContainer:
    """Open a film with the one demuxer that belongs to its first bytes.

    Raises:
        DecodeError: PyAV is not installed, the file is no film, or it cannot be opened.
    """
    if not is_installed():
        raise DecodeError(Reason.UNSUPPORTED_FORMAT, NOT_INSTALLED)
    import av

    head = file.read(HEAD_BYTES)
    file.seek(0)
    container = container_of(head)
    if container is None:
        raise DecodeError(Reason.UNSUPPORTED_FORMAT, NO_PICTURE)
    av.logging.set_level(None)
    try:
        opened: InputContainer = av.open(
            file,
            "r",
            format=container.value,
            # No demuxer may open another file or address that the film names.
            options={"protocol_whitelist": "none", "enable_drefs": "0"},
        )
    except (av.error.FFmpegError, ValueError, OSError) as error:
        raise damaged() from error
    return opened


def is_high_dynamic_range(colours: VideoFrame | VideoCodecContext) -> bool:
    """Return whether a frame, or a stream by its header, is HDR or of a wide gamut."""
    tag = str(getattr(colours, "codec_tag", ""))
    return (
        colours.color_trc in HDR_TRANSFERS
        or colours.colorspace in WIDE_GAMUT_MATRICES
        or colours.color_primaries == WIDE_GAMUT_PRIMARIES
        or tag in DOLBY_VISION_TAGS
    )


def is_mirrored(frame: VideoFrame) -> bool:
    """Return whether a frame is shown in a mirror: ``rotation`` has the angle alone."""
    from av.sidedata.sidedata import SideDataContainer

    # ``frame.side_data`` would be kept by the frame, which then stays in memory with its threads.
    side_data_of: Any = SideDataContainer  # PyAV's types know no argument
    stored = side_data_of(frame).get("DISPLAYMATRIX")
    if stored is None:
        return False
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(stored))
    return bool(a * d < b * c)


def is_cover(stream: Any) -> bool:
    """Return whether a video stream is a cover, a thumbnail or another still picture."""
    from av.stream import Disposition

    still = Disposition.attached_pic | Disposition.timed_thumbnails | Disposition.still_image
    return bool(stream.disposition & still)


def codec_name(stream: Any) -> str:
    """Return libavcodec's name of a stream's decoder; empty if it has none."""
    context = stream.codec_context
    return str(context.name) if context is not None else ""


def in_square_pixels(width: int, height: int, aspect: Fraction | None) -> tuple[int, int]:
    """Return width and height in square pixels.

    ``aspect`` is the width of a pixel divided by its height.
    """
    if not aspect or not Fraction(1, 8) <= aspect <= 8:
        return width, height
    return max(1, round(width * aspect)), height


def matrix_of(frame: VideoFrame) -> str:
    """Return libswscale's name of the matrix from YUV to RGB."""
    if frame.colorspace == _BT709:
        return "ITU709"
    if frame.colorspace in _BT601:
        return "ITU601"
    return "ITU709" if frame.height >= _HD_HEIGHT else "ITU601"


def damaged() -> DecodeError:
    """Return the error of a film that is damaged or incomplete."""
    return DecodeError(Reason.NOT_EXAMINED, DAMAGED)


def too_long(limits: FilmLimits) -> DecodeError:
    """Return the error of a film that is longer than the limits allow."""
    minutes = round(limits.max_seconds / 60)
    return DecodeError(
        Reason.NOT_EXAMINED,
        f"The film is longer than {minutes} minutes. Cut it into shorter films and copy those in.",
    )
