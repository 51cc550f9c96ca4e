"""Webcam pictures made from one portrait: a head that turns, and a photo that is only tilted."""

from __future__ import annotations

import cv2
import numpy as np

from ingest.faces.protocols import RGB


def tilted(rgb: RGB, degrees: float) -> RGB:
    """A printed photo or a screen that is turned about its vertical axis before the camera."""
    height, width = rgb.shape[:2]
    angle, distance = np.radians(degrees), 1.6 * width
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    across, down = corners[:, 0] - width / 2, corners[:, 1] - height / 2
    nearer = distance / (distance + across * np.sin(angle))
    seen = np.stack(
        [across * np.cos(angle) * nearer + width / 2, down * nearer + height / 2], axis=1
    )
    view = cv2.getPerspectiveTransform(corners, seen.astype(np.float32))
    turned = cv2.warpPerspective(rgb, view, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8)


def head_turned(rgb: RGB, degrees: float, middle: float, radius: float) -> RGB:
    """The picture with the head turned, as if it were half a cylinder.

    ``middle`` is the column of the nose and ``radius`` that of the head, in pixels.
    """
    height, width = rgb.shape[:2]
    columns = np.arange(width, dtype=np.float32)
    across = columns - middle
    angle = np.arcsin(np.clip(across / radius, -0.98, 0.98)) - np.radians(degrees)
    source = np.where(
        np.abs(across) < 0.98 * radius, radius * np.sin(np.clip(angle, -1.5, 1.5)) + middle, columns
    )
    rows = np.tile(np.arange(height, dtype=np.float32)[:, None], (1, width))
    places = np.tile(source.astype(np.float32), (height, 1))
    turned = cv2.remap(rgb, places, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8)
