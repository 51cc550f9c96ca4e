"""Django settings for mypy's plugin and makemigrations. No program runs with them."""

from pathlib import Path

from consent_gate.home.django_settings import options
from consent_gate.home.home import Home
from consent_gate.home.keys import NO_KEYS
from consent_gate.home.settings import default_settings

globals().update(options(Home(Path("/nonexistent"), default_settings(), NO_KEYS)))
SECRET_KEY = "for tools only"
