"""Makes the helper modules of this folder importable; its tests look at the byte codecs as users do."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
