"""Where tensors come from: one file a kind of checkpoint, all with the same few methods.

Not responsible for: deciding how a tensor is stored (`haagenti.planning`), writing (`haagenti.sinks`).
"""

from __future__ import annotations

from haagenti.sources.base import SideFile, Source, SourceTensor
from haagenti.sources.table import open_source

__all__ = ["SideFile", "Source", "SourceTensor", "open_source"]
