"""All commands; each module adds its own to the app. Import after Django is prepared."""

from consent_gate.cli import (
    cameras,
    demo,
    doctor,
    feed,
    look,
    matching,
    photos,
    proof,
    recall,
    register,
    run,
    setup,
    users,
)
from consent_gate.cli.app import app

__all__ = [
    "app",
    "cameras",
    "demo",
    "doctor",
    "feed",
    "look",
    "matching",
    "photos",
    "proof",
    "recall",
    "register",
    "run",
    "setup",
    "users",
]
