"""Files for the tests of this folder, whose helper modules it makes importable."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import safetensors.numpy

sys.path.insert(0, str(Path(__file__).parent))

from samples import ARRAYS, ODD, WIDE

import haagenti
import haagenti.numpy
from haagenti import _core


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """plain.safetensors of the library; raw.hct, shard.safetensors (records and plain tensors) and odd.hct of haagenti."""
    folder = tmp_path_factory.mktemp("files")
    safetensors.numpy.save_file(ARRAYS, folder / "plain.safetensors", metadata={"format": "np"})
    haagenti.numpy.save_file(ARRAYS, folder / "raw.hct", metadata={"format": "np"})
    encodings = {"w8": "int8", "w4": "int4", "plain": "plain"}
    haagenti.numpy.save_file(WIDE, folder / "shard.safetensors", encoding=encodings, metadata={"format": "np"})
    writer = _core.HctWriter(folder / "odd.hct", {}, overwrite=True)
    for name, matrix in ODD:
        writer.append(name, haagenti.encode(ARRAYS[name.split()[0]], "raw", matrix=matrix).data)
    writer.finish()
    return folder
