"""All commands; each module adds its own to the app. Import after Django is prepared."""

from consent_gate.cli import demo, look, matching, photos, proof, register, run, setup, users
from consent_gate.cli.app import app

__all__ = ["app", "demo", "look", "matching", "photos", "proof", "register", "run", "setup", "users"]
