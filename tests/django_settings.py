"""Django settings for tools that want a module (mypy's plugin, makemigrations): never for a run."""

import tomllib
from pathlib import Path

from consent_gate.bootstrap import Home
from consent_gate.django_config import options
from consent_gate.keys import Keys
from consent_gate.settings import Settings, default_toml

_unused = bytes(32)
_home = Home(
    Path("/nonexistent"),
    Settings(**tomllib.loads(default_toml())),
    Keys(_unused, _unused, _unused, _unused),
)
globals().update(options(_home))
