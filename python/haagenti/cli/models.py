"""What every command that runs a model does first.

Not responsible for: running it (``haagenti.hf``).
"""

from __future__ import annotations

import importlib


def prepare_transformers() -> None:
    """Loads torch and transformers and makes transformers quiet.

    torch comes first: transformers alone only prints a note when it is missing.

    Raises:
        ModuleNotFoundError: One of them is not installed.
    """
    importlib.import_module("haagenti.torch")
    from haagenti.hf.quiet import quiet_transformers

    quiet_transformers()
