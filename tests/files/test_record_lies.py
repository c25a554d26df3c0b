"""Records whose headers lie under right checksums are refused, or are records of another tensor that their bytes do justify."""

from __future__ import annotations

import struct
import tracemalloc

import numpy as np
import pytest
from forgery import LARGE, decodes, decodes_or_names_the_tensor, record_bytes, sealed
from hypothesis import given, settings
from hypothesis import strategies as st

from haagenti import _core
from haagenti.errors import CorruptError, Error

RNG = np.random.default_rng(11)

# (offset, size) of the fields of the fixed header that a lie can be told in; 72.. are measurements, which cannot be checked.
HEADER_FIELDS = {
    "magic": (0, 4),
    "layout_version": (4, 2),
    "dtype": (6, 1),
    "rank": (7, 1),
    "header_size": (8, 4),
    "n_segments": (12, 2),
    "params_size": (14, 2),
    "record_size": (16, 8),
    "n_rows": (24, 8),
    "row_length": (32, 8),
    "chunk_rows": (40, 8),
    "chunk_cols": (48, 8),
    "transform": (56, 2),
    "transform_version": (58, 2),
    "quantiser": (60, 2),
    "quantiser_version": (62, 2),
    "flags": (104, 8),
    "transform_block": (112, 1),
    "transform_flags": (113, 1),
    "transform_gain": (114, 2),
    "transform_seed": (116, 4),
}
FIELD_LIES = (0, 1, 2, 3, 7, 15, 16, 17, 64, 128, 255, 256, 4095, 65535, 65536, 2**31, 2**32 - 1, 2**62, 2**63, 2**64 - 1)


# What changes the values, the grid or a note about the encoder, but nothing that bytes could contradict.
FREE_FIELDS = ("dtype", "chunk_rows", "chunk_cols", "transform", "transform_block", "transform_seed", "transform_gain")


@pytest.mark.parametrize(
    "encoding", ["int4", "int8", "int4(transform=hadamard)", "int8(transform=block_dct(16))", "raw", 'raw(codec="none")']
)
@pytest.mark.parametrize("name", HEADER_FIELDS)
def test_lying_record_fields(name, encoding):
    """A lie is refused with a clear error, or is a record of another tensor that its bytes do justify."""
    good = record_bytes(RNG.normal(size=(20, 40)).astype(np.float32), encoding)
    offset, size = HEADER_FIELDS[name]
    true = int.from_bytes(good[offset : offset + size], "little")
    lies = {true + 1, true - 1, *FIELD_LIES} - {true}
    for lie in sorted(lie for lie in lies if 0 <= lie < 256**size):
        record = bytearray(good)
        record[offset : offset + size] = lie.to_bytes(size, "little")
        if 128 <= int.from_bytes(record[8:12], "little") <= len(record):
            record = bytearray(sealed(record))
        array = decodes_or_names_the_tensor(bytes(record))
        if array is not None:
            assert name in FREE_FIELDS or (name == "transform_flags" and lie == 1), (lie, array.shape)
            assert array.size == 800


@pytest.mark.parametrize("encoding", ["int4", "raw", 'raw(codec="none")'])
def test_lying_shapes(encoding):
    good = record_bytes(RNG.normal(size=(20, 40)).astype(np.float32), encoding)
    for dims in ((20, 41), (21, 40), (0, 40), (20, 0), (2**32, 2**32), (2**63, 2), (LARGE, 1), (800, 1, 1), (40, 20)):
        record = bytearray(good)
        record[128:144] = struct.pack("<QQ", *dims[:2])
        if dims == (40, 20):
            assert decodes(sealed(record)).shape == (40, 20)  # as many elements: nothing that could be noticed
        elif dims != (800, 1, 1):
            with pytest.raises(CorruptError, match="'t'"):
                decodes(sealed(record))


def test_small_record_cannot_ask_for_much_memory():
    """Dims and matrix agree on 2^44 elements; the record has 256 bytes."""
    record = bytearray(record_bytes(np.zeros((4, 4), np.float32)))
    record[24:40] = record[128:144] = struct.pack("<QQ", 2**22, 2**22)
    record[40:56] = struct.pack("<QQ", 2**22, 2**22)
    tracemalloc.start()
    with pytest.raises(CorruptError, match="'t'"):
        decodes(sealed(record))
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("dims", [(0, 2**63), (2**64 - 1, 0), (0, 2**64 - 1)])
def test_no_elements_and_enormous_extents(dims):
    """No array has such a shape, not even an empty one."""
    record = bytearray(record_bytes(np.zeros((0, 3), np.uint8)))
    record[128:144] = struct.pack("<QQ", *dims)
    with pytest.raises(Error, match="'t'"):
        decodes(sealed(record))


def test_lying_permutation():
    good = record_bytes(RNG.normal(size=(20, 40)).astype(np.float32))
    for perm in (b"\0\0", b"\1\1", b"\0\2", b"\xff\0"):
        record = bytearray(good)
        record[144:146] = perm
        with pytest.raises(CorruptError, match="perm"):
            decodes(sealed(record))


@pytest.mark.parametrize("encoding", ["int4", "int8(group_size=32)", "raw", 'raw(codec="lz4")', 'raw(codec="none")'])
def test_lying_tables(encoding):
    """Parameters, segment table and chunk table: every byte changed, the header's checksum made right."""
    good = record_bytes(RNG.normal(size=(20, 40)).astype(np.float32), encoding)
    header_size = struct.unpack_from("<I", good, 8)[0]
    for position in range(128, header_size):
        for change in (1, 0x80):
            record = bytearray(good)
            record[position] ^= change
            array = decodes_or_names_the_tensor(sealed(record))
            if array is not None:
                assert array.shape == (20, 40)
                assert position in range(152, 156), position  # another group size of as many groups


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(["int4", "int8", "raw", 'raw(codec="lz4")', 'raw(codec="none")']), st.data())
def test_random_lies_in_record_headers(encoding, data):
    """Several bytes at once; never anything but an error of ours or an array."""
    record = bytearray(record_bytes(np.linspace(-1, 1, 800, dtype=np.float32).reshape(20, 40), encoding))
    header_size = struct.unpack_from("<I", record, 8)[0]
    for _ in range(data.draw(st.integers(1, 6))):
        record[data.draw(st.integers(0, header_size - 1))] = data.draw(st.sampled_from([0, 1, 2, 16, 127, 128, 255]))
    if 128 <= struct.unpack_from("<I", record, 8)[0] <= len(record):
        record = bytearray(sealed(record))
    array = decodes_or_names_the_tensor(bytes(record))
    assert array is None or array.nbytes <= 65536 * len(record)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["raw", 'raw(codec="lz4")']), st.data())
def test_lying_compressed_chunks(encoding, data):
    """Stored bytes changed under right checksums: the byte codec must refuse or give the size that is due."""
    record = bytearray(record_bytes(np.repeat(np.arange(100, dtype=np.float32), 20), encoding))
    header_size = struct.unpack_from("<I", record, 8)[0]
    chunk_entry = 128 + 8 + 8 + 16  # dims, perm, segment table
    stored_size = struct.unpack_from("<Q", record, chunk_entry)[0]
    for _ in range(data.draw(st.integers(1, 4))):
        record[header_size + data.draw(st.integers(0, stored_size - 1))] = data.draw(st.integers(0, 255))
    struct.pack_into("<Q", record, chunk_entry + 8, _core.xxh3_64(bytes(record[header_size : header_size + stored_size])))
    array = decodes_or_names_the_tensor(sealed(record))
    assert array is None or array.shape == (2000,)
