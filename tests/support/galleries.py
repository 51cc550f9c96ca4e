"""Galleries of made-up templates."""

from __future__ import annotations

import numpy as np

from consent_gate.matching.gallery import DLIB, SFACE, Gallery, Template, gallery_of
from consent_gate.matching.shipped_thresholds import shipped_thresholds


def make_gallery(pupils: int, pictures: int = 1, seed: int = 0) -> Gallery:
    """Return templates of ``pupils`` pupils, ``pictures`` of each, as the real models spread."""
    versions = shipped_thresholds().versions
    random = np.random.default_rng(seed)
    templates = []
    for number in range(pupils):
        middle = random.normal(size=(2, 128))
        for _ in range(pictures):
            sface, dlib = middle + 0.5 * random.normal(size=(2, 128))
            shared = 20 * np.eye(128)[0] + dlib
            vectors = {
                SFACE: (sface / np.linalg.norm(sface)).astype(np.float32),
                DLIB: (shared / np.linalg.norm(shared)).astype(np.float32),
            }
            templates.append(Template(f"{number:06d}", vectors, versions))
    return gallery_of(templates)
