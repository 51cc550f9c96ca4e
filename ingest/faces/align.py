"""Rotate a face upright and scale it to a standard size before it is embedded.

SFace was trained on 112x112 crops with the five landmarks at fixed places (the ArcFace template,
Deng et al. 2019, as in OpenCV's ``FaceRecognizerSF::alignCrop``). dlib's network was trained on
crops around boxes of its own detector: a square from brow to chin.

All images are RGB, shape (height, width, 3), dtype uint8; all coordinates are pixels.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.faces.protocols import RGB, Landmarks

CROP_SIDE = 112
"""Side in pixels of the crop that SFace expects."""

ARCFACE_TEMPLATE: Landmarks = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ],
    dtype=np.float32,
)
"""Where the five landmarks lie in the crop: Deng et al. 2019, as in OpenCV's alignCrop."""

DLIB_SIDE = 1.2
"""Side of dlib's own box, in (eye distance + eye-to-mouth distance): measured 1.198, spread
6 %, on 122 pictures of faces/people outside the school, dlib HOG beside YuNet's landmarks."""

DLIB_CENTRE = (-0.020, -0.023)
"""Offset of dlib's own box from midway between eyes and mouth, in sides; same measurement."""


def aligned_crop(rgb: RGB, landmarks: Landmarks) -> RGB:
    """The upright face, 112x112; black outside the picture."""
    return aligned(rgb, landmarks, ARCFACE_TEMPLATE, CROP_SIDE)


def aligned(rgb: RGB, landmarks: Landmarks, places: Landmarks, side: int) -> RGB:
    """The upright face, ``side`` x ``side``, with its landmarks at ``places`` of the crop.

    It is black outside the picture. Large faces are first reduced by area averaging, because plain
    sampling would cause aliasing.
    """
    to_crop = similarity(landmarks, places)
    shrink = float(np.hypot(to_crop[0, 0], to_crop[1, 0]))
    window, origin = _window(rgb, to_crop, side)
    if window.size == 0:
        return np.zeros((side, side, 3), np.uint8)
    if shrink < 0.5:
        window, landmarks = _shrunk(window, landmarks - origin, 2 * shrink)
        to_crop = similarity(landmarks, places)
    else:
        to_crop = similarity(landmarks - origin, places)
    warped = cv2.warpAffine(window, to_crop, (side, side), flags=cv2.INTER_LINEAR)
    return np.asarray(warped, np.uint8)


def similarity(source: Landmarks, target: Landmarks) -> NDArray[np.float64]:
    """The rotation, scale and translation, shape (2, 3), that best maps source to target points.

    Least squares without reflection (Umeyama 1991), in closed form for two dimensions.
    """
    src, dst = source.astype(np.float64), target.astype(np.float64)
    src_mean, dst_mean = src.mean(axis=0), dst.mean(axis=0)
    a, b = src - src_mean, dst - dst_mean
    spread = max(float((a**2).sum()), 1e-9)
    cos = float((a * b).sum()) / spread
    sin = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / spread
    turn = np.array([[cos, -sin], [sin, cos]])
    return np.hstack([turn, (dst_mean - turn @ src_mean)[:, None]])


def dlib_square(landmarks: Landmarks) -> tuple[int, int, int]:
    """Left, top and side of the box that dlib's own detector would have drawn, in pixels."""
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
    span = np.linalg.norm(landmarks[0] - landmarks[1]) + np.linalg.norm(eyes - mouth)
    side = DLIB_SIDE * float(span)
    left, top = (eyes + mouth) / 2 + np.array(DLIB_CENTRE) * side - side / 2
    return round(float(left)), round(float(top)), max(round(side), 1)


def _window(rgb: RGB, to_crop: NDArray[np.float64], side: int) -> tuple[RGB, NDArray[np.float32]]:
    """The part of the picture under the crop, and its left and top; saves resampling 24 MP."""
    back = cv2.invertAffineTransform(to_crop)
    ends = np.array([[0, 0], [side, 0], [0, side], [side, side]])
    corners = ends @ back[:, :2].T + back[:, 2]
    height, width = rgb.shape[:2]
    left, top = np.clip(np.floor(corners.min(axis=0)) - 4, 0, (width, height)).astype(int)
    right, bottom = np.clip(np.ceil(corners.max(axis=0)) + 4, 0, (width, height)).astype(int)
    return rgb[top:bottom, left:right], np.array([left, top], dtype=np.float32)


def _shrunk(window: RGB, landmarks: Landmarks, factor: float) -> tuple[RGB, Landmarks]:
    """The window at ``factor`` of its size by area averaging, and its landmarks there."""
    height, width = window.shape[:2]
    size = (max(round(width * factor), 1), max(round(height * factor), 1))
    ratio = np.array([size[0] / width, size[1] / height], dtype=np.float32)
    small = cv2.resize(window, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), ((landmarks + 0.5) * ratio - 0.5).astype(np.float32)
