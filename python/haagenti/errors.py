"""The exceptions of haagenti.

Error:
      InvalidArgumentError   (also ValueError)
      DecompressionError
        CorruptError
        TruncatedError
      UnsupportedError
      IoError                (also OSError)
      DeviceError

Not responsible for their messages: who raises one names the tensor, the field, what was expected and what was found.
"""

from __future__ import annotations

from haagenti._core import (
    CorruptError,
    DecompressionError,
    DeviceError,
    Error,
    InvalidArgumentError,
    IoError,
    TruncatedError,
    UnsupportedError,
)

__all__ = [
    "CorruptError",
    "DecompressionError",
    "DeviceError",
    "Error",
    "InvalidArgumentError",
    "IoError",
    "TruncatedError",
    "UnsupportedError",
]
