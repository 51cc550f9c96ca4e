"""Awkward pictures, drawn here. None shows a real person.

``scene()`` has a different colour in each corner, so that a test can tell which way is up, and
soft detail everywhere, so that a comparison has something to compare.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageDraw

from consent_gate.model import COVER_GREY, Colour
from publish.rendering.srgb import SRGB_PROFILE

CHILD = "Amelia Thistlewood"
"""The name that no published byte may hold."""

RED, GREEN, BLUE, YELLOW = (220, 40, 40), (40, 180, 60), (40, 60, 220), (230, 210, 40)
"""Corners of ``scene()``: top left, top right, bottom left, bottom right."""

COVER_FILLS: list[Colour | None] = [COVER_GREY, (40, 70, 120), None]
"""Grey, a colour of the school, and cells in the colours around the cover."""

Pixels = NDArray[np.uint8]


def scene(width: int = 320, height: int = 200, seed: int = 0) -> Pixels:
    """Pixels (height, width, 3), RGB."""
    noise = np.random.default_rng(seed).integers(60, 200, (9, 13, 3), dtype=np.uint8)
    enlarged = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    pixels = np.asarray(enlarged, dtype=np.uint8)
    h, w = height // 4, width // 4
    pixels[:h, :w], pixels[:h, -w:] = RED, GREEN
    pixels[-h:, :w], pixels[-h:, -w:] = BLUE, YELLOW
    return pixels


def corners(rgb: Pixels) -> list[tuple[int, int, int]]:
    """Which of the four colours each corner is nearest to: top left, top right, bottom ..."""
    palette = np.array([RED, GREEN, BLUE, YELLOW])
    spots = (rgb[6, 6], rgb[6, -7], rgb[-7, 6], rgb[-7, -7])
    nearest = [palette[np.abs(palette - spot.astype(int)).sum(axis=1).argmin()] for spot in spots]
    return [(int(c[0]), int(c[1]), int(c[2])) for c in nearest]


def saved(image: Image.Image | Pixels, fmt: str, **options: object) -> bytes:
    """The bytes Pillow writes."""
    out = io.BytesIO()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture.save(out, fmt, **options)
    return out.getvalue()


def jpeg(pixels: Image.Image | Pixels | None = None, **options: object) -> bytes:
    """A JPEG of the scene in which ``verify`` finds nothing."""
    settings = {"quality": 90, "icc_profile": SRGB_PROFILE, **options}
    return saved(scene() if pixels is None else pixels, "JPEG", **settings)


def exif(orientation: int = 1) -> Image.Exif:
    """What a school camera writes, and a name."""
    tags = Image.Exif()
    tags[0x010E], tags[0x010F], tags[0x0110] = CHILD, "Canon", "Canon EOS R10"
    tags[0x0112] = orientation
    tags.get_ifd(0x8769)[0xA431] = "0123456789"
    tags.get_ifd(0x8825)[1], tags.get_ifd(0x8825)[2] = "N", (51.0, 30.0, 26.0)
    return tags


def lying(orientation: int) -> Image.Image:
    """The scene as stored by a camera that was held that way; upright it is ``scene()`` again."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    upright = Image.fromarray(scene())
    return upright.transpose(undo[orientation]) if orientation in undo else upright


# --- JPEG segments -------------------------------------------------------------------------


def segment(marker: int, payload: bytes) -> bytes:
    """One marker segment."""
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def with_segments(picture: bytes, *segments: bytes) -> bytes:
    """``picture`` with segments put in behind its JFIF header."""
    behind_jfif = 4 + int.from_bytes(picture[4:6], "big")
    return picture[:behind_jfif] + b"".join(segments) + picture[behind_jfif:]


def exif_thumbnail_of_the_uncropped_original() -> bytes:
    """A picture from which a child was cropped away, whose EXIF thumbnail still shows her."""
    thumbnail = saved(Image.fromarray(scene(seed=7)).resize((160, 100)), "JPEG")
    directory = struct.pack("<2sHI", b"II", 42, 8) + struct.pack("<H", 0) + struct.pack("<I", 14)
    entries = struct.pack("<H", 3)
    entries += struct.pack("<HHII", 0x0103, 4, 1, 6)
    entries += struct.pack("<HHII", 0x0201, 4, 1, 14 + 2 + 36 + 4)
    entries += struct.pack("<HHII", 0x0202, 4, 1, len(thumbnail))
    block = directory + entries + struct.pack("<I", 0) + thumbnail
    return with_segments(jpeg(), segment(0xE1, b"Exif\x00\x00" + block))


def comment_with_a_name() -> bytes:
    return with_segments(jpeg(), segment(0xFE, f"{CHILD}, sports day".encode()))


def photoshop_caption() -> bytes:
    """8BIM resource 1028, IPTC caption."""
    words = CHILD.encode()
    iptc = b"\x1c\x02\x78" + struct.pack(">H", len(words)) + words
    resource = b"8BIM" + struct.pack(">HHI", 1028, 0, len(iptc)) + iptc + b"\x00" * (len(iptc) % 2)
    return with_segments(jpeg(), segment(0xED, b"Photoshop 3.0\x00" + resource))


_XMP = b"http://ns.adobe.com/xap/1.0/\x00"
_XMP_EXTENSION = b"http://ns.adobe.com/xmp/extension/\x00"


def _xmp(body: str) -> bytes:
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
        'syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-'
        f'map/1.0/" {body}/></rdf:RDF></x:xmpmeta>'
    ).encode()


def extended_xmp() -> bytes:
    """XMP in two parts, the second by digest (XMP specification part 3, 1.1.3.1)."""
    guid = b"0123456789ABCDEF0123456789ABCDEF"
    rest = _xmp(f'dc:description="{CHILD}"')
    main = _xmp(f'xmpNote:HasExtendedXMP="{guid.decode()}"')
    extension = _XMP_EXTENSION + guid + struct.pack(">II", len(rest), 0) + rest
    return with_segments(jpeg(), segment(0xE1, _XMP + main), segment(0xE1, extension))


def content_credentials() -> bytes:
    """C2PA: a JUMBF box in APP11 (ISO 19566-5), which names who made the picture."""
    inner = struct.pack(">I4s", 8 + len(CHILD) + 24, b"jumd") + b"c2pa\x00\x11\x00\x10" + bytes(16)
    box = inner + CHILD.encode()
    jumbf = struct.pack(">I4s", 8 + len(box), b"jumb") + box
    return with_segments(jpeg(), segment(0xEB, b"JP" + struct.pack(">HI", 1, 1) + jumbf))


def icc_profile_with_a_name() -> bytes:
    """A profile whose description is a name: a channel that strippers usually keep."""
    name = CHILD.encode("utf-16-be")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return jpeg(icc_profile=profile.replace("sRGB built-in".encode("utf-16-be"), name[:26]))


# --- more than one picture, or more than a picture -----------------------------------------


def motion_photo() -> bytes:
    """A still with a film behind its end, as phones make them."""
    film = struct.pack(">I4s4sI", 24, b"ftyp", b"mp42", 0) + b"isommp42" + CHILD.encode() * 50
    return jpeg() + film


def multi_picture(gain_map: bool = False) -> bytes:
    """CIPA MPF: a second picture behind the first; with ``gain_map``, marked as an HDR one."""
    second = Image.fromarray(scene(seed=9))
    picture = saved(
        Image.fromarray(scene()),
        "MPO",
        save_all=True,
        append_images=[second],
        quality=90,
        icc_profile=SRGB_PROFILE,
    )
    if not gain_map:
        return picture
    words = _XMP + _xmp('hdrgm:Version="1.0"')
    return picture[:2] + segment(0xE1, words) + picture[2:]


def jpeg_and_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("names.txt", CHILD)
    return jpeg() + out.getvalue()


def jpeg_and_web_page() -> bytes:
    return with_segments(jpeg(), segment(0xFE, b"<html><script>1</script>")) + b"</html>"


def progressive_cut_and_closed() -> bytes:
    """Cut after the first scans and given an end marker: opens everywhere, blurred."""
    whole = jpeg(progressive=True)
    return whole[: len(whole) // 3] + b"\xff\xd9"


def baseline_cut_and_closed() -> bytes:
    whole = jpeg()
    return whole[: len(whole) // 2] + b"\xff\xd9"


# --- other formats -------------------------------------------------------------------------


def frames(fmt: str) -> bytes:
    """Two different frames, shown one after the other."""
    second = Image.fromarray(scene(seed=3))
    return saved(Image.fromarray(scene()), fmt, save_all=True, append_images=[second])


def gif_block(rgb: NDArray[np.uint8]) -> bytes:
    """One frame of a GIF with a palette of its own (GIF89a, 20)."""
    data = saved(Image.fromarray(rgb).convert("L"), "GIF")
    colours = 3 * 2 ** ((data[10] & 7) + 1)
    table, body = data[13 : 13 + colours], data[13 + colours : -1]
    at = body.index(b",")
    size = (data[10] & 7) | 0x80
    return body[at : at + 9] + bytes([size]) + table + body[at + 10 :]


def gif_of(*blocks: bytes) -> bytes:
    """A GIF of the size of ``scene()`` that shows these frames one after the other."""
    return b"GIF89a" + struct.pack("<HH", 320, 200) + b"\x00\x00\x00" + b"".join(blocks) + b";"


def png_declaring(width: int, height: int) -> bytes:
    """A tiny PNG that claims to be huge."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def jpeg_declaring(width: int, height: int) -> bytes:
    """A JPEG whose frame header claims another size."""
    picture = bytearray(jpeg())
    at = picture.index(b"\xff\xc0") + 5
    picture[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(picture)


def png_grey16() -> bytes:
    """A ramp from black to white in sixteen bits."""
    ramp = np.tile(np.linspace(0, 65535, 256).astype(np.uint16), (32, 1))
    return saved(Image.fromarray(ramp), "PNG")


def see_through_png() -> bytes:
    """Red where it is opaque; a hidden scene where it is fully transparent."""
    rgba = Image.fromarray(scene()).convert("RGBA")
    rgba.putalpha(0)
    ImageDraw.Draw(rgba).rectangle((0, 0, 100, 100), fill=(255, 0, 0, 255))
    return saved(rgba, "PNG")


def office_file(kind: str = "word") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(f"{kind}/document.xml", "<w/>")
    return out.getvalue()


def archive_of_pictures() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("IMG_0001.jpg", jpeg())
    return out.getvalue()


def raw_file(kind: str) -> bytes:
    """Only as much of a camera raw file as tells it from a TIFF picture."""
    if kind == "cr2":
        return b"II*\x00\x10\x00\x00\x00CR\x02\x00" + bytes(64)
    if kind == "cr3":
        return struct.pack(">I4s4sI", 24, b"ftyp", b"crx ", 1) + b"crx isom" + bytes(64)
    entries = {
        "dng": [(254, 4, 1), (50706, 1, 0x00000401)],
        "nef": [(254, 4, 1), (271, 2, 200), (330, 4, 300)],
        "arw": [(254, 4, 1), (259, 3, 6), (330, 4, 300)],
    }[kind]
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", tag, typ, 1, value) for tag, typ, value in entries)
    return b"II*\x00\x08\x00\x00\x00" + directory + bytes(400)


CARRIERS = {
    "exif with gps, serial and a name": lambda: jpeg(exif=exif()),
    "exif thumbnail of the uncropped original": exif_thumbnail_of_the_uncropped_original,
    "comment with a name": comment_with_a_name,
    "photoshop caption": photoshop_caption,
    "extended xmp": extended_xmp,
    "content credentials": content_credentials,
    "icc profile with a name": icc_profile_with_a_name,
    "motion photo": motion_photo,
    "second picture": multi_picture,
    "gain map": lambda: multi_picture(gain_map=True),
    "jpeg and zip": jpeg_and_zip,
    "jpeg and web page": jpeg_and_web_page,
}
"""JPEGs that open as the scene and carry something else along."""


def read_photo(path: Path) -> Pixels:
    """A picture file as RGB, upright or not as it is stored."""
    return np.asarray(Image.open(path).convert("RGB"), dtype=np.uint8)
