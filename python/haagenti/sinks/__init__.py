"""Where converted tensors go: one file a kind of output, all with the same few methods.

Not responsible for: encoding, or which encoding a tensor gets.
"""

from __future__ import annotations

from haagenti.sinks.base import Sink
from haagenti.sinks.table import open_sink

__all__ = ["Sink", "open_sink"]
