"""All commands; each module adds its own to the app. Import after Django is prepared."""

from consent_gate.cli import (
    backup,
    cameras,
    demo,
    doctor,
    feed,
    imports,
    look,
    matching,
    photos,
    proof,
    pupil,
    recall,
    register,
    retention,
    run,
    setup,
    users,
)
from consent_gate.cli.app import app

__all__ = [
    "app",
    "backup",
    "cameras",
    "demo",
    "doctor",
    "feed",
    "imports",
    "look",
    "matching",
    "photos",
    "proof",
    "pupil",
    "recall",
    "register",
    "retention",
    "run",
    "setup",
    "users",
]
