"""Pictures of many real cameras and programs are published as pixels alone."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from consent_gate.model import Reason
from consent_gate.operations import demo
from ingest.decoding.decode import DecodedImage, DecodeError, DecodeLimits, decode
from publish.rendering.render import RenditionSpec, render
from publish.verification.verify import Expected, verify
from tests.conftest import SHARED

METADATA = SHARED / "data" / "metadata"
FILES = sorted(METADATA.glob("*")) if METADATA.is_dir() else []
DEMO = sorted((Path(demo.__file__).parent / "demo_photos").glob("*.jpg"))
CHANNEL = RenditionSpec(max_side=500)

of_many_cameras = pytest.mark.skipif(
    not FILES, reason="needs the files of the test photos: tests/README.md"
)


def outcome(path: Path) -> DecodedImage | DecodeError:
    try:
        return decode(path.read_bytes(), DecodeLimits())
    except DecodeError as held:
        return held


def judged(path: Path) -> DecodedImage | None:
    result = outcome(path)
    return result if isinstance(result, DecodedImage) else None


def named(ending: str) -> Path:
    return next(path for path in FILES if path.name.endswith(ending))


@pytest.mark.parametrize("path", [*FILES, *DEMO], ids=lambda path: path.name)
def test_each_file_is_held_with_a_reason_or_published_clean(path: Path) -> None:
    result = outcome(path)
    if isinstance(result, DecodeError):
        assert result.reason in {Reason.NOT_EXAMINED, Reason.UNSUPPORTED_FORMAT}
        assert result.message.endswith(".")
    else:
        published = render(result.rgb, CHANNEL)
        assert verify(published, Expected(result.rgb, CHANNEL)) == []


def test_most_files_can_be_published() -> None:
    files = [*FILES, *DEMO]
    assert sum(judged(path) is not None for path in files) >= 0.8 * len(files)


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="needs ExifTool")
def test_exiftool_finds_only_structure_in_what_is_published(tmp_path: Path) -> None:
    for number, path in enumerate([*FILES, *DEMO]):
        image = judged(path)
        if image is not None:
            (tmp_path / f"{number}.jpg").write_bytes(render(image.rgb, CHANNEL))
    listing = subprocess.run(
        ["exiftool", "-json", "-a", "-u", "-G1", str(tmp_path)], capture_output=True, check=True
    )
    groups = {tag.partition(":")[0] for entry in json.loads(listing.stdout) for tag in entry}
    known = {"SourceFile", "ExifTool", "System", "File", "JFIF", "Composite"}
    assert groups <= known | {"ICC-header", "ICC_Profile"}
    assert b"File:Comment" not in listing.stdout


@of_many_cameras
def test_a_phones_heic_is_turned_once_and_not_twice() -> None:
    image = judged(named("arrow.heic"))
    assert image is not None
    assert image.rgb.shape == (4032, 3024, 3)
    assert image.device == "Apple|iPhone 8 Plus|"


@of_many_cameras
def test_a_phone_is_recognised_where_exifread_alone_finds_nothing() -> None:
    image = judged(named("empty_icc.heic"))
    assert image is not None
    assert image.device == "Apple|iPhone XS|"


@of_many_cameras
@pytest.mark.parametrize("ending", ["pug.heic", "spatial_photo.heic"])
def test_depth_and_second_lens_stay_behind(ending: str) -> None:
    image = judged(named(ending))
    assert image is not None
    assert image.rgb.shape[2] == 3


@of_many_cameras
@pytest.mark.parametrize("ending", ["truncated.heic", "corrupted.heic", "empty.heic"])
def test_a_damaged_heic_is_held(ending: str) -> None:
    assert judged(named(ending)) is None


@of_many_cameras
def test_a_heic_padded_with_zeros_is_held() -> None:
    data = named("heif__RGB_8__128x128.heif").read_bytes()
    for kept in range(1000, len(data) - 100, 200):
        with pytest.raises(DecodeError):
            decode(data[:kept] + bytes(len(data) - kept), DecodeLimits())


@of_many_cameras
@pytest.mark.parametrize("transfer", [16, 18])
def test_a_camera_set_to_high_dynamic_range_is_held(transfer: int) -> None:
    """Read as an ordinary picture its faces are too pale to be found."""
    ordinary = named("HMD_Nokia_8.3_5G_hdr.heif").read_bytes()
    data = ordinary.replace(b"nclx\x00\x05\x00\x01", bytes([*b"nclx\x00\x05\x00", transfer]))
    assert data != ordinary
    with pytest.raises(DecodeError, match="high dynamic range"):
        decode(data, DecodeLimits())


@of_many_cameras
def test_every_camera_turn_gives_the_same_upright_picture() -> None:
    portraits = [judged(p) for p in FILES if "orientation__portrait" in p.name]
    assert {image.rgb.shape for image in portraits if image} == {(600, 450, 3)}
    landscapes = [judged(p) for p in FILES if "orientation__landscape" in p.name]
    assert {image.rgb.shape for image in landscapes if image} == {(450, 600, 3)}
