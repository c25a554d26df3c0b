"""`.hct` files that are cut, flipped or lying, their checksums made right again, are refused with a clear error."""

from __future__ import annotations

import struct
import time

import numpy as np
import pytest
from forgery import LARGE, Forgery, read_everything, record_bytes, refuse, small_records
from hypothesis import given, settings
from hypothesis import strategies as st

from haagenti import _core
from haagenti.errors import CorruptError, Error, TruncatedError, UnsupportedError
from haagenti.record import Record


def test_every_truncation_is_refused():
    whole = Forgery(small_records()).build()
    for size in range(len(whole)):
        with pytest.raises((TruncatedError, CorruptError)):
            _core.HctReader(whole[:size])
    for more in (1, 64, 128):
        with pytest.raises((TruncatedError, CorruptError)):
            _core.HctReader(whole + bytes(more))


def test_every_bit_flip_is_found():
    whole = Forgery(small_records()).build()
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << position % 8
        with pytest.raises(Error):
            read_everything(bytes(damaged))


def test_swapped_records_are_found():
    """The index binds names to records: two whole records that change places are not read under each other's name."""
    a, b = record_bytes(np.arange(8)), record_bytes(np.arange(8, 16))
    good = Forgery([("a", a), ("b", b)])
    swapped = Forgery([("a", b), ("b", a)])
    swapped.entries = good.entries
    assert len(a) == len(b)
    refuse(swapped.build(), CorruptError, "'a'")


FILE_FIELDS = [
    ("header", "magic", b"HCTX", CorruptError, "HCTN"),
    ("header", "version", 3, UnsupportedError, "version 3"),
    ("header", "version", 5, UnsupportedError, "version 5"),
    ("header", "reserved", b"\1" + bytes(47), CorruptError, "reserved"),
    ("header", "reserved", bytes(47) + b"\1", CorruptError, "reserved"),
    ("footer", "magic", b"HCTN", TruncatedError, "footer"),
    ("footer", "version", 5, UnsupportedError, "version 5"),
    ("footer", "reserved", bytes(19) + b"\1", CorruptError, "reserved"),
    ("footer", "index_checksum", 0, CorruptError, "index"),
    ("footer", "file_size", 0, TruncatedError, "0 bytes"),
    ("footer", "file_size", LARGE, TruncatedError, "bytes"),
    *[("footer", "index_offset", value, CorruptError, "index") for value in (0, 63, 64, 65, LARGE, 2**64 - 64)],
    *[("footer", "index_size", value, CorruptError, "index") for value in (0, 63, LARGE, 2**64 - 64)],
]


@pytest.mark.parametrize(("part", "name", "value", "kind", "match"), FILE_FIELDS)
def test_lying_header_and_footer(part, name, value, kind, match):
    forgery = Forgery(small_records())
    getattr(forgery, part)[name] = value
    refuse(forgery.build(), kind, match)


ENTRY_FIELDS = [
    *[("offset", value) for value in (0, 1, 63, 65, LARGE, 2**64 - 64)],
    *[("size", value) for value in (0, 1, 63, 65, LARGE, 2**64 - 64)],
    ("checksum", 0),
    ("reserved", 1),
    *[("name_size", value) for value in (0, 1, 9, 65536, 2**32 - 1)],
    *[("name", value) for value in (b"", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"w8")],
]


@pytest.mark.parametrize(("name", "value"), ENTRY_FIELDS)
def test_lying_index_entries(name, value):
    forgery = Forgery(small_records())
    forgery.entries[0][name] = value
    refuse(forgery.build(), (CorruptError, TruncatedError))


def test_overlapping_records():
    for delta_offset, delta_size in ((64, 0), (0, 64), (0, -64), (-64, 64), (64, -64)):
        forgery = Forgery(small_records())
        forgery.entries[1]["offset"] += delta_offset
        forgery.entries[1]["size"] += delta_size
        refuse(forgery.build(), (CorruptError, TruncatedError))
    forgery = Forgery(small_records())
    forgery.entries[1]["size"] = 0
    refuse(forgery.build(), CorruptError)


@pytest.mark.parametrize("counts", [(0, 1), (5, 1), (7, 1), (6, 0), (6, 3), (LARGE, 1), (6, LARGE), (2**64 - 1, 2**64 - 1), (2**61, 0)])
def test_lying_counts(counts):
    forgery = Forgery(small_records())
    forgery.counts = counts
    refuse(forgery.build(), CorruptError)


def test_lying_metadata():
    for metadata in ([(b"k", b"1"), (b"k", b"2")], [(b"\xff", b"")], [(b"k", b"\xff")]):
        forgery = Forgery(small_records())
        forgery.metadata = metadata
        refuse(forgery.build(), CorruptError)
    for junk in (b"\1", bytes(64), bytes(63) + b"\1"):
        forgery = Forgery(small_records(), after_entries=junk)
        refuse(forgery.build(), CorruptError)


def test_much_metadata_opens_in_little_time():
    """60 000 keys in 1 MB: comparing every key with every other would take many seconds."""
    keys = b"".join(struct.pack("<II", 7, 0) + b"%07d\0" % i for i in range(60_000))
    forgery = Forgery([], metadata=[], counts=(0, 60_000), after_entries=keys)
    start = time.perf_counter()
    assert len(_core.HctReader(forgery.build()).metadata()) == 60_000
    assert time.perf_counter() - start < 2


def test_record_that_is_not_where_the_index_says():
    forgery = Forgery([("a", record_bytes(np.arange(8))), ("b", bytes(256))])
    refuse(forgery.build(), CorruptError, "'b'")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400), st.sampled_from([b"", b"HGTR", b"HGTR\1\0", b"HCTN", b"HCTN\4\0\0\0"]))
def test_noise_is_refused(noise, prefix):
    for reader in (_core.HctReader, Record):
        with pytest.raises(Error):
            reader(prefix + noise)
