"""Encode checkpoints of films, and compute on what their results depend."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import ingest
from consent_gate import __version__
from ingest.faces.weights import ALL_WEIGHTS
from ingest.film.checkpoint import Checkpoint
from ingest.workers import answers
from ingest.workers.worker_config import WorkerConfig

LIBRARIES = ("av", "dlib-bin", "numpy", "onnxruntime", "opencv-python-headless", "pillow")
"""Packages whose versions may change what is decoded or found."""


def encoded(checkpoint: Checkpoint) -> bytes:
    """Return a checkpoint as an answer of ``answers``."""
    return answers.encode(True, checkpoint)  # noqa: FBT003


def decoded(data: bytes) -> Checkpoint:
    """Return the checkpoint of ``encoded``.

    Raises:
        AnswerInvalid: The bytes are no checkpoint.
    """
    succeeded, checkpoint = answers.decode(data, Checkpoint)
    if not succeeded or not isinstance(checkpoint, Checkpoint):
        raise answers.AnswerInvalid("no checkpoint")
    return checkpoint


def basis_of(config: WorkerConfig) -> str:
    """Return a digest of all that decides what a worker finds in a film.

    It has the program, the libraries, the models, the settings and the templates of the enrolled
    pupils. An examination goes on from a checkpoint only where the digest is the same.
    """
    gallery, digest = config.gallery, hashlib.sha256(_program_digest())
    settings = (config.thresholds, config.limits, config.film_limits, config.school)
    switches = (config.text_side, config.film_sound, [weights.sha256 for weights in ALL_WEIGHTS])
    versions = sorted(gallery.versions.items())
    digest.update(repr((settings, switches, gallery.pupils, versions)).encode())
    arrays: list[NDArray[Any]] = [
        gallery.owners,
        *(gallery.vectors[name] for name in sorted(gallery.vectors)),
    ]
    arrays += [] if gallery.remembered is None else [gallery.remembered]
    for array in arrays:
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


@cache
def _program_digest() -> bytes:
    """Return a digest of the program's own code and of the versions of the libraries."""
    digest = hashlib.sha256(repr([__version__, *map(_version, LIBRARIES)]).encode())
    root = Path(ingest.__file__).parents[1]
    for package in ("consent_gate/matching", "ingest", "publish/rendering"):
        for path in sorted((root / package).rglob("*.py")):
            digest.update(f"{path.relative_to(root)}:{path.stat().st_size}:".encode())
            digest.update(path.read_bytes())
    return digest.digest()


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""
