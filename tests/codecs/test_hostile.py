"""Bytes that are damaged, cut short or noise: each gives exact data or one of haagenti's errors."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable

import pytest
from codec_cases import (
    NAMES,
    STREAMING,
    TABLE,
    WITH_CHECKSUM,
    WITH_FRAMES,
    decode_stream,
    encode_stream,
    sample,
    unpack,
)
from hypothesis import given, settings
from hypothesis import strategies as st

import haagenti

SOME_TEXT = sample("text", 300)
DATA = SOME_TEXT + sample("random", 40) + bytes(60)


@pytest.mark.parametrize("name", STREAMING)
@pytest.mark.parametrize("checksum", [False, True])
def test_cut_at_every_byte(name: str, checksum: bool) -> None:
    options = {"checksum": True} if checksum and TABLE[name].checksum != "never" else {}
    for packed in (haagenti.compress(DATA, name, **options), encode_stream(DATA, name, 50, **options)):
        for end in range(len(packed)):
            with pytest.raises(haagenti.TruncatedError):
                haagenti.decompress(packed[:end], name)
            with pytest.raises(haagenti.TruncatedError):
                haagenti.decompress(packed[:end], name, size=len(DATA))
            with pytest.raises(haagenti.TruncatedError):
                decode_stream(packed[:end], name, 100)


def test_cut_block() -> None:
    packed = haagenti.compress(DATA, "lz4_block")
    for end in range(len(packed)):
        with pytest.raises(haagenti.DecompressionError):
            haagenti.decompress(packed[:end], "lz4_block", size=len(DATA))


def flips(packed: bytes) -> list[bytes]:
    """The same with one bit turned, for every bit."""
    found = []
    for at in range(len(packed)):
        for bit in range(8):
            changed = bytearray(packed)
            changed[at] ^= 1 << bit
            found.append(bytes(changed))
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_turned_bit(name: str) -> None:
    for changed in flips(haagenti.compress(DATA, name)):
        try:
            options = {"size": len(DATA)} if name == "lz4_block" else {"max_size": 1 << 20}
            data = haagenti.decompress(changed, name, **options)
        except haagenti.DecompressionError:
            continue
        if TABLE[name].checksum == "always":
            assert data == DATA
        assert isinstance(data, bytes)


@pytest.mark.parametrize("name", WITH_CHECKSUM)
def test_a_checksum_finds_every_turned_bit(name: str) -> None:
    packed = haagenti.compress(DATA, name, checksum=True)
    for changed in flips(packed):
        results = []
        for decode in (haagenti.decompress, lambda packed, name: decode_stream(packed, name, 77)):
            try:
                results.append(decode(changed, name))
            except haagenti.DecompressionError:
                results.append(None)
        # A turned bit of the magic number may make a skippable frame, and one of the header a frame without a checksum.
        for data in results:
            assert data in (None, DATA, b"") or (TABLE[name].checksum == "optional" and len(data) == len(DATA))
        assert results[0] == results[1], "the stream decoder disagrees with the one for whole buffers"


@pytest.mark.parametrize("name", WITH_CHECKSUM)
def test_a_checksum_names_itself(name: str) -> None:
    packed = bytearray(haagenti.compress(sample("random", 2000), name, checksum=True))
    packed[1000] ^= 1
    with pytest.raises(haagenti.CorruptError, match="checksum"):
        haagenti.decompress(packed, name)
    with pytest.raises(haagenti.CorruptError, match="checksum"):
        decode_stream(bytes(packed), name, 100)


def decoded(decode: Callable[..., bytes], packed: bytes, name: str, *arguments: int) -> bytes | None:
    """What comes out, if anything."""
    try:
        return decode(packed, name, *arguments, max_size=1 << 20)
    except haagenti.DecompressionError:
        return None


def assert_agreement(packed: bytes, name: str) -> None:
    """Whole buffers and streams give the same verdict and the same data.

    For zstd the library decides, whose two decoders differ over a few headers that no encoder writes: only the data must be the same.
    """
    whole, streamed = decoded(haagenti.decompress, packed, name), decoded(decode_stream, packed, name, 7)
    assert streamed == whole or (name == "zstd" and None in (whole, streamed))


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(STREAMING), noise=st.binary(max_size=200))
def test_noise(name: str, noise: bytes) -> None:
    assert_agreement(noise, name)


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(STREAMING),
    data=st.binary(max_size=300),
    edits=st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=3)), max_size=4),
)
def test_edited(name: str, data: bytes, edits: list[tuple[int, bytes]]) -> None:
    packed = bytearray(haagenti.compress(data, name))
    for at, put in edits:
        packed[at : at + len(put)] = put
    assert_agreement(bytes(packed), name)


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=2000), name=st.sampled_from(NAMES), word=st.sampled_from(["fast", "default"]))
def test_anything_comes_back(data: bytes, name: str, word: str) -> None:
    assert unpack(haagenti.compress(data, name, word), name, data) == data


@settings(max_examples=200, deadline=None)
@given(noise=st.binary(max_size=100), size=st.integers(0, 1000))
def test_noise_as_a_block(noise: bytes, size: int) -> None:
    with contextlib.suppress(haagenti.DecompressionError):
        assert len(haagenti.decompress(noise, "lz4_block", size=size)) == size


def test_errors_say_where() -> None:
    for name in WITH_FRAMES:
        good = haagenti.compress(SOME_TEXT, name)
        with pytest.raises(haagenti.CorruptError, match=f"offset {len(good)}\\b"):
            haagenti.decompress(good + b"no frame at all", name)
        with pytest.raises(haagenti.TruncatedError, match=r"offset \d+"):
            haagenti.decompress(good + good[:-2], name)
    bad_block = bytearray(zlib.compress(SOME_TEXT))
    bad_block[2] |= 6  # block type 3
    with pytest.raises(haagenti.CorruptError, match=r"zlib.*offset \d+"):
        haagenti.decompress(bad_block, "zlib")


@pytest.mark.parametrize("name", STREAMING)
def test_empty_input(name: str) -> None:
    with pytest.raises(haagenti.TruncatedError, match="empty"):
        haagenti.decompress(b"", name)
    with pytest.raises(haagenti.TruncatedError, match="empty"):
        haagenti.decompress_into(b"", bytearray(4), name)
    with pytest.raises(haagenti.TruncatedError, match="empty"):
        decode_stream(b"", name, 1)
    with pytest.raises(haagenti.TruncatedError, match="empty"):
        haagenti.decompress(b"")
