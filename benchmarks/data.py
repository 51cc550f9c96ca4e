"""The folder of the test photos. They are read in place and not copied into the repository."""

import os
from pathlib import Path

_ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("CONSENT_GATE_SHARED", _ROOT.parent / "shared")) / "data"
