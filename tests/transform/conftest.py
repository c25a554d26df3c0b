"""Lets the tests import the samples beside them (``transform_samples``), also in fresh processes of pytest-xdist."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
