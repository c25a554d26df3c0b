"""haagenti for torch: encode and decode tensors, save and load dictionaries of them.

The only package that imports torch. Not responsible for: transformers (`haagenti.hf`).
"""

from __future__ import annotations

import torch

from haagenti import _core
from haagenti.torch.codec import decode, encode
from haagenti.torch.files import load, load_file, save, save_file

__all__ = ["decode", "encode", "load", "load_file", "save", "save_file"]

# Until haagenti.set_num_threads is called, as many threads as torch computes with.
_core.set_default_num_threads(torch.get_num_threads())
