"""All commands; each module adds its own to the app. Import after Django is prepared."""

from consent_gate.cli import look, photos, proof, register, setup, users
from consent_gate.cli.app import app

__all__ = ["app", "look", "photos", "proof", "register", "setup", "users"]
