"""Keeps transformers' own bars and notes off the terminal while a program runs.

Not responsible for: haagenti's own progress.
"""

from __future__ import annotations

import logging

from transformers.utils import logging as transformers_logging


def quiet_transformers() -> None:
    """Shows only errors of transformers and no weight-loading bar; for programs, since the setting is global."""
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    transformers_logging.set_verbosity(logging.ERROR)
