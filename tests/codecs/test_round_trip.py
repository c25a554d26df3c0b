"""Every algorithm gives back what it was given, in every manner: whole buffers, into buffers, reused objects, streams."""

from __future__ import annotations

import pytest
from codec_cases import (
    KINDS,
    NAMES,
    STREAMING,
    TABLE,
    WITH_CHECKSUM,
    decode_stream,
    encode_stream,
    levels,
    most_threads,
    sample,
    unpack,
)

import haagenti

SMALL = (0, 1, 2, 65535, 65536, 65537)
MEGABYTE = 1_000_000
EVERYTHING = [(name, level) for name in NAMES for level in levels(name)]


@pytest.mark.parametrize(("name", "level"), EVERYTHING)
def test_whole_buffers(name: str, level: int) -> None:
    for threads in most_threads(name):
        compressor = haagenti.Compressor(name, level, threads=threads)
        for kind in KINDS:
            for size in SMALL:
                data = sample(kind, size)
                packed = haagenti.compress(data, name, level, threads=threads)
                assert len(packed) <= haagenti.compress_bound(size, name)
                assert unpack(packed, name, data) == data, (kind, size, threads)
                assert unpack(compressor.compress(data), name, data) == data, (kind, size, threads)


@pytest.mark.parametrize(("name", "level"), EVERYTHING)
@pytest.mark.parametrize("kind", ["random", "bf16"])
def test_a_megabyte(name: str, level: int, kind: str) -> None:
    data = sample(kind, MEGABYTE)
    for threads in most_threads(name):
        packed = haagenti.compress(data, name, level, threads=threads)
        assert len(packed) <= haagenti.compress_bound(MEGABYTE, name)
        assert unpack(packed, name, data, threads=threads) == data


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", SMALL)
def test_into_buffers(name: str, size: int) -> None:
    compressor, decompressor = haagenti.Compressor(name), haagenti.Decompressor(name)
    for kind in KINDS:
        data = sample(kind, size)
        bound = haagenti.compress_bound(size, name)
        packed, again = bytearray(bound), bytearray(bound)
        n = haagenti.compress_into(data, packed, name)
        assert compressor.compress_into(data, again) == n
        assert packed[:n] == again[:n] == haagenti.compress(data, name)
        out, larger = bytearray(size), bytearray(size + 100)
        assert haagenti.decompress_into(packed[:n], out, name) == size
        assert decompressor.decompress_into(packed[:n], larger) == size
        assert out == larger[:size] == data


@pytest.mark.parametrize("name", NAMES)
def test_reused_decompressor(name: str) -> None:
    decompressor = haagenti.Decompressor(name)
    for kind in KINDS:
        for size in (*SMALL, 200_000, 3):
            data = sample(kind, size)
            options = {"size": size} if name == "lz4_block" else {}
            assert decompressor.decompress(haagenti.compress(data, name), **options) == data


@pytest.mark.parametrize("name", STREAMING)
@pytest.mark.parametrize(("chunk", "size"), [(1, 65536), (100, 65537), (65537, MEGABYTE)])
def test_streams(name: str, chunk: int, size: int) -> None:
    for threads in most_threads(name):
        for kind in ("text", "random", "bf16"):
            data = sample(kind, size)
            packed = encode_stream(data, name, chunk, level="fast", threads=threads)
            assert decode_stream(packed, name, chunk) == data, (kind, threads)
            assert haagenti.decompress(packed, name) == data, (kind, threads)


@pytest.mark.parametrize("name", STREAMING)
@pytest.mark.parametrize("size", [0, 1, 2])
def test_short_streams(name: str, size: int) -> None:
    for level in levels(name):
        data = sample("text", size)
        packed = encode_stream(data, name, 1, level=level)
        assert decode_stream(packed, name, 1) == data
        assert decode_stream(haagenti.compress(data, name, level), name, 1) == data


@pytest.mark.parametrize("name", ["zstd", "lz4", "gzip"])
def test_a_long_stream(name: str) -> None:
    data = sample("text", MEGABYTE) * 100
    packed = encode_stream(data, name, 65537, level=TABLE[name].words["fast"])
    assert decode_stream(packed, name, 65537) == data


@pytest.mark.parametrize("name", WITH_CHECKSUM)
def test_with_checksum(name: str) -> None:
    for size in (*SMALL, 300_000):
        data = sample("text", size)
        packed = haagenti.compress(data, name, checksum=True)
        assert haagenti.decompress(packed, name) == data
        if TABLE[name].checksum == "optional":
            assert len(packed) > len(haagenti.compress(data, name, checksum=False))
            assert haagenti.compress(data, name) == haagenti.compress(data, name, checksum=False)
        if TABLE[name].streaming:
            assert decode_stream(encode_stream(data, name, 5000, checksum=True), name, 700) == data


@pytest.mark.parametrize("name", NAMES)
def test_extreme_levels(name: str) -> None:
    data = sample("text", 30_000)
    for level in (TABLE[name].levels[0], TABLE[name].levels[-1], "fast", "default", "best", None):
        assert unpack(haagenti.compress(data, name, level), name, data) == data, level


@pytest.mark.parametrize("name", STREAMING)
def test_extreme_streaming_levels(name: str) -> None:
    data = sample("text", 30_000)
    allowed = TABLE[name].streaming_levels
    for level in (allowed[0], allowed[-1], "fast", "default", "best", None):
        assert decode_stream(encode_stream(data, name, 7000, level=level), name, 7000) == data, level


@pytest.mark.parametrize("name", NAMES)
def test_better_levels_compress_better(name: str) -> None:
    data = sample("text", 100_000)
    fast, best = (len(haagenti.compress(data, name, word)) for word in ("fast", "best"))
    assert best < fast < len(data)
