"""Exit codes, and which error ends with which.

Not responsible for: raising or printing the errors.
"""

from __future__ import annotations

import signal
from enum import IntEnum

DEBUG_VARIABLE = "HAAGENTI_DEBUG"
"""Set to anything but 0, an error shows where it came from."""


class ExitCode(IntEnum):
    """What the program tells its caller."""

    OK = 0
    ERROR = 1
    USAGE = 2
    QUALITY_GATE = 3
    INTEGRITY = 4
    INTERRUPTED = 130
    """128 + SIGINT, as shells report it."""
    READER_GONE = 141
    """128 + SIGPIPE."""


class Terminated(KeyboardInterrupt):
    """A signal other than Ctrl-C asked the program to end; ``number`` says which."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class ReaderGoneError(BrokenPipeError):
    """Who reads stdout stopped before all bytes of a file had come."""


EXTRAS = {
    "torch": "torch",
    "safetensors": "hf",
    "transformers": "hf",
    "tokenizers": "hf",
    "huggingface_hub": "hf",
    "matplotlib": "plot",
}
"""Optional package -> the extra of haagenti that brings it."""


def exit_code(error: BaseException) -> int:
    """The code for an error that reached the top; 128 + the number of the signal for a signal."""
    from haagenti.conversion import QualityGateError
    from haagenti.errors import DecompressionError

    if isinstance(error, Terminated):
        return 128 + error.number
    if isinstance(error, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    if isinstance(error, ReaderGoneError):
        return ExitCode.READER_GONE
    if isinstance(error, QualityGateError):
        return ExitCode.QUALITY_GATE
    if isinstance(error, DecompressionError):
        return ExitCode.INTEGRITY
    return ExitCode.ERROR


def error_line(error: BaseException) -> str:
    """One line that says what went wrong and, where there is one, the way out."""
    from haagenti.errors import Error

    if isinstance(error, Terminated):
        return f"ended by {signal.Signals(error.number).name}"
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    if isinstance(error, ModuleNotFoundError) and error.name is not None and error.name.split(".")[0] in EXTRAS:
        package = error.name.split(".")[0]
        return f'this needs the package {package}, which is not installed: pip install "haagenti[{EXTRAS[package]}]"'
    text = " ".join(str(error).split())
    if isinstance(error, Error | OSError):
        return text or type(error).__name__
    return f"unexpected {type(error).__name__}: {text} ({DEBUG_VARIABLE}=1 shows where)"
