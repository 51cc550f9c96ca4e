"""All commands; each module adds its own to the app. Import after Django is prepared."""

from consent_gate.cli import (, feed, recall
    cameras,
    demo,
    look,
    matching,
    photos,
    proof,
    register,
    run,
    setup,
    users,
)
from consent_gate.cli.app import app

__all__ = ["app", "(", "feed", "recall"]
