"""A film file that Chromium plays as its webcam."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ingest.faces.protocols import RGB


def write_y4m(path: Path, frames: list[RGB]) -> None:
    """Write frames as YUV4MPEG2, 4:2:0, ten a second. All have one size with even sides."""
    height, width = frames[0].shape[:2]
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg\n".encode())
        for frame in frames:
            planes = cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2YUV_I420)
            file.write(b"FRAME\n" + planes.tobytes())


def arguments(film: Path) -> list[str]:
    """Command-line options of a Chromium whose only webcam plays a film again and again."""
    return [
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
