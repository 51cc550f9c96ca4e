"""Where the real photos are; they are read in place and never copied into the repository."""

import os
from pathlib import Path

_ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("CONSENT_GATE_SHARED", _ROOT.parent / "shared")) / "data"
