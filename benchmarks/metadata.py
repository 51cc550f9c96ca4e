"""Measure which metadata survives publishing, compared with two common ways to remove it.

Every file of the test photos in ``metadata/`` is processed by ``sanitise`` (decode, render,
verify), by Pillow's ``open().save()`` in its own format, and by ``exiftool -all=``. ExifTool then
lists the tags of each result, except those of the structure: size, bits, colour sampling,
compression, and in our results the fixed sRGB profile.

    python -m benchmarks.metadata [--list]

``--list`` names the surviving tags of every file. Needs ExifTool (Debian:
``libimage-exiftool-perl``).
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import PIL
from PIL import Image

from benchmarks.data import SHARED
from benchmarks.machine import heading
from ingest.decoding.decode import DecodeError
from ingest.decoding.formats import Format, UnsupportedFile, sniff
from ingest.sanitise import NotClean, sanitise
from publish.rendering.srgb import SRGB_PROFILE

WAYS = ("consent-gate", "Pillow save", "exiftool -all=")

STRUCTURE_GROUPS = {"System", "ExifTool", "Composite", "SourceFile", "QuickTime"}
"""ExifTool's groups about the file system, about itself, values computed from other tags, and the
boxes that a HEIF or AVIF decoder needs. In films ``QuickTime`` has dates and places."""

STRUCTURE_TAGS = frozenset(
    re.findall(
        r"\w+",
        """
    FileType FileTypeExtension MIMEType ImageWidth ImageHeight ImageSize BitsPerSample BitDepth
    EncodingProcess ColorComponents YCbCrSubSampling YCbCrPositioning JFIFVersion ResolutionUnit
    XResolution YResolution ColorType Compression Filter Interlace Palette Transparency
    PhotometricInterpretation StripOffsets SamplesPerPixel RowsPerStrip StripByteCounts
    PlanarConfiguration Predictor ExifByteOrder TileWidth TileLength TileOffsets TileByteCounts
    SampleFormat NewSubfileType FillOrder ExtraSamples WhitePoint PrimaryChromaticities
    GIFVersion HasColorMap ColorResolutionDepth BitsPerPixel BackgroundColor FrameCount Duration
    AnimationIterations TransparentColor NumColors NumImportantColors BMPVersion Planes ImageLength
    PixelsPerMeterX PixelsPerMeterY RedMask GreenMask BlueMask AlphaMask ColorSpace RenderingIntent
    VP8Version HorizontalScale VerticalScale AlphaIsUsed AlphaPreprocessing AlphaFiltering
    AlphaCompression WebPFlags ColorMap Gamma SRGBRendering PixelUnits PixelsPerUnitX
    PixelsPerUnitY GammaCorrection DCTEncodeVersion APP14Flags0 APP14Flags1 ColorTransform T4Options
        PrimaryItemReference MetaImageSize WhitePointX WhitePointY RedX RedY GreenX GreenY BlueX
        BlueY SignificantBits PaletteHistogram SubfileType Orientation Thresholding MinSampleValue
        MaxSampleValue
    """,
    )
)
"""Tags that a decoder needs. ``ColorSpace`` is here as a field of the BMP header."""


@dataclass(frozen=True)
class Result:
    """What one method made of one file."""

    data: bytes | None
    error: str = ""
    """The reason if there is no result."""


def by_gate(data: bytes) -> Result:
    try:
        return Result(sanitise(data))
    except DecodeError as held:
        return Result(None, f"{held.reason}: {held.message}")
    except NotClean as error:
        return Result(None, f"NOT CLEAN: {[f.code.value for f in error.findings]}")


def by_pillow(data: bytes) -> Result:
    """Save again in the picture's own format, as most scripts do; HEIF becomes JPEG."""
    try:
        image = Image.open(io.BytesIO(data))
        out = io.BytesIO()
        image.save(out, {"MPO": "JPEG", "HEIF": "JPEG"}.get(str(image.format), image.format))
    except Exception as error:  # noqa: BLE001 - only the error's name is counted
        return Result(None, type(error).__name__)
    return Result(out.getvalue())


def by_exiftool(files: list[Path]) -> dict[str, Result]:
    """Process all files in one call, with numbers as names, so that no name causes an error."""
    with tempfile.TemporaryDirectory() as folder:
        copies = {f.name: Path(folder) / f"{i:04}{f.suffix}" for i, f in enumerate(files)}
        for file in files:
            copies[file.name].write_bytes(file.read_bytes())
        done = subprocess.run(
            ["exiftool", "-overwrite_original", "-ext", "*", "-all=", folder],
            capture_output=True,
            text=True,
            check=False,
        )
        errors = re.findall(r"^Error: (.*?) - .*/(\d{4})\.", done.stderr, re.MULTILINE)
        failed = {number: why for why, number in errors}
        return {
            name: Result(None, failed[copy.stem])
            if copy.stem in failed
            else Result(copy.read_bytes())
            for name, copy in copies.items()
        }


def survivors(folder: Path) -> dict[str, list[str]]:
    """By file name: the tags that ExifTool finds beyond the structure."""
    done = subprocess.run(
        ["exiftool", "-json", "-a", "-G1", "-u", "-ee", "-ext", "*", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[str, list[str]] = {}
    for entry in json.loads(done.stdout or "[]"):
        path = Path(entry["SourceFile"])
        is_ours = SRGB_PROFILE in path.read_bytes()
        found[path.name] = [key for key in entry if not _is_structure(key, is_ours)]
    return found


def _is_structure(key: str, has_our_profile: bool) -> bool:
    """Whether a tag (``Group:Name``) says nothing about the photo, the camera or the people."""
    group, _, name = key.partition(":")
    if has_our_profile and group.startswith("ICC"):
        return True
    return group in STRUCTURE_GROUPS or name in STRUCTURE_TAGS


def main() -> None:
    files = sorted(p for p in (SHARED / "metadata").iterdir() if p.is_file())
    version = subprocess.run(["exiftool", "-ver"], capture_output=True, text=True, check=True)
    print(
        heading("Metadata left in published pictures"),
        f"ExifTool {version.stdout.strip()}, Pillow {PIL.__version__}, {len(files)} files",
        sep="",
        flush=True,
    )
    results = {
        WAYS[0]: {file.name: by_gate(file.read_bytes()) for file in files},
        WAYS[1]: {file.name: by_pillow(file.read_bytes()) for file in files},
        WAYS[2]: by_exiftool(files),
    }
    found = {way: _survivors_of(results[way]) for way in WAYS}
    _print_table(files, results, found)
    _print_held(results[WAYS[0]])
    if "--list" in sys.argv:
        _print_survivors(found)


def _survivors_of(results: dict[str, Result]) -> dict[str, list[str]]:
    """Surviving tags by source name. Files get numbers as names, so that none causes an error."""
    with tempfile.TemporaryDirectory() as folder:
        numbered = {f"{i:04}": name for i, name in enumerate(results)}
        for number, name in numbered.items():
            data = results[name].data
            if data is not None:
                (Path(folder) / f"{number}.bin").write_bytes(data)
        return {numbered[Path(k).stem]: tags for k, tags in survivors(Path(folder)).items()}


def _print_table(
    files: list[Path],
    results: dict[str, dict[str, Result]],
    found: dict[str, dict[str, list[str]]],
) -> None:
    """Print for each format: files written, files with surviving tags, number of these tags."""
    formats = {file.name: _format_of(file) for file in files}
    print("\nmade / of these with anything left / tags left")
    print(f"{'format':16}{'files':>7}" + "".join(f"{way:>20}" for way in WAYS))
    for fmt in [*sorted(set(formats.values())), "all"]:
        names = [n for n, f in formats.items() if fmt in (f, "all")]
        row = f"{fmt:16}{len(names):7}"
        for way in WAYS:
            made = [n for n in names if results[way][n].data is not None]
            left = [len(found[way][n]) for n in made]
            row += f"{f'{len(made)} / {sum(map(bool, left))} / {sum(left)}':>20}"
        print(row)


def _format_of(file: Path) -> str:
    found = sniff(file.read_bytes())
    return "no picture" if isinstance(found, UnsupportedFile) else Format(found).value


def _print_held(results: dict[str, Result]) -> None:
    held = {name: result.error for name, result in results.items() if result.data is None}
    print(f"\nheld by consent-gate: {len(held)}")
    for reason, count in Counter(held.values()).most_common():
        print(f"{count:4}  {reason}")
        for name in (n for n, r in held.items() if r == reason):
            print(f"        {name}")


def _print_survivors(found: dict[str, dict[str, list[str]]]) -> None:
    for way in WAYS:
        print(f"\nleft by {way}")
        for name, tags in found[way].items():
            if tags:
                print(f"  {name}: {' '.join(tags)}")


if __name__ == "__main__":
    if shutil.which("exiftool") is None:
        sys.exit("Needs ExifTool.")
    main()
