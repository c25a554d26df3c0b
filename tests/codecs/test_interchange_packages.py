"""Python packages read what haagenti writes, and haagenti reads what they write."""

from __future__ import annotations

import gzip
import zlib

import pytest
from codec_cases import KINDS, encode_stream, sample
from peers import SIZES, WINDOW_BITS, assert_read

import haagenti


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_zstandard(kind: str, size: int) -> None:
    zstandard = pytest.importorskip("zstandard")
    data = sample(kind, size)
    for options in ({}, {"write_content_size": False}, {"write_checksum": True}, {"level": 19}, {"threads": 2}):
        assert_read(zstandard.ZstdCompressor(**options).compress(data), "zstd", data)
    for threads in (1, 2):
        packed = haagenti.compress(data, "zstd", checksum=True, threads=threads)
        assert zstandard.get_frame_parameters(packed).content_size == size
        assert zstandard.get_frame_parameters(packed).has_checksum
        assert zstandard.ZstdDecompressor().decompress(packed) == data
        streamed = encode_stream(data, "zstd", 5000, threads=threads)
        assert zstandard.ZstdDecompressor().decompressobj().decompress(streamed) == data


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_lz4_frames(kind: str, size: int) -> None:
    frame = pytest.importorskip("lz4.frame")
    data = sample(kind, size)
    for linked in (True, False):
        for block_size in (frame.BLOCKSIZE_MAX64KB, frame.BLOCKSIZE_MAX4MB):
            for sums in (True, False):
                packed = frame.compress(
                    data, block_linked=linked, block_size=block_size, content_checksum=sums, block_checksum=sums, store_size=sums
                )
                assert_read(packed, "lz4", data)
                assert haagenti.decompress(packed, "lz4hc") == data
    for name in ("lz4", "lz4hc"):
        for threads in (1, 2):
            for checksum in (False, True):
                packed = haagenti.compress(data, name, checksum=checksum, threads=threads)
                assert frame.decompress(packed) == data
                assert bool(frame.get_frame_info(packed)["content_checksum"]) == checksum
            assert frame.decompress(encode_stream(data, name, 9000, threads=threads)) == data


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_lz4_blocks(kind: str, size: int) -> None:
    block = pytest.importorskip("lz4.block")
    data = sample(kind, size)
    for mode in ("default", "fast", "high_compression"):
        packed = block.compress(data, mode=mode, store_size=False)
        assert haagenti.decompress(packed, "lz4_block", size=size) == data
        assert haagenti.decompress(packed, "lz4_block", max_size=size + 10) == data
    assert block.decompress(haagenti.compress(data, "lz4_block"), uncompressed_size=size) == data


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_brotli(kind: str, size: int) -> None:
    brotli = pytest.importorskip("brotli")
    data = sample(kind, size)
    for options in ({"quality": 1}, {"quality": 5, "lgwin": 24}, {"quality": 2, "mode": brotli.MODE_TEXT, "lgwin": 10}):
        assert_read(brotli.compress(data, **options), "brotli", data)
    assert brotli.decompress(haagenti.compress(data, "brotli")) == data
    assert brotli.decompress(encode_stream(data, "brotli", 9000, level=4)) == data


@pytest.mark.parametrize("name", WINDOW_BITS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_zlib(name: str, kind: str, size: int) -> None:
    data, bits = sample(kind, size), WINDOW_BITS[name]
    for level in (0, 1, 6):
        for strategy in (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE):
            compressor = zlib.compressobj(level, zlib.DEFLATED, bits, strategy=strategy)
            assert_read(compressor.compress(data) + compressor.flush(), name, data)
    for threads in (1, 2):
        assert zlib.decompress(haagenti.compress(data, name, threads=threads), bits) == data
        assert zlib.decompress(encode_stream(data, name, 9000, threads=threads), bits) == data


@pytest.mark.parametrize("bits", range(9, 16))
def test_zlib_windows(bits: int) -> None:
    data = sample("text", 100_000)
    compressor = zlib.compressobj(6, zlib.DEFLATED, bits)
    assert_read(compressor.compress(data) + compressor.flush(), "zlib", data)


def test_gzip_module() -> None:
    data = sample("text", 70_000)
    assert_read(gzip.compress(data), "gzip", data)
    for threads in (1, 2):
        assert gzip.decompress(haagenti.compress(data, "gzip", threads=threads)) == data


def test_isal() -> None:
    isal_zlib, igzip = pytest.importorskip("isal.isal_zlib"), pytest.importorskip("isal.igzip")
    data = sample("text", 300_001)
    assert_read(igzip.compress(data), "gzip", data)
    assert_read(isal_zlib.compress(data), "zlib", data)
    assert igzip.decompress(haagenti.compress(data, "gzip", threads=2)) == data
    assert isal_zlib.decompress(haagenti.compress(data, "zlib", threads=2)) == data


def test_zlib_ng() -> None:
    zlib_ng = pytest.importorskip("zlib_ng.zlib_ng")
    data = sample("text", 300_001)
    for level in (1, 6, 9):
        assert_read(zlib_ng.compress(data, level), "zlib", data)
    assert zlib_ng.decompress(haagenti.compress(data, "zlib", threads=2)) == data


def test_cramjam() -> None:
    cramjam = pytest.importorskip("cramjam")
    data = sample("text", 300_001)
    for name in ("zstd", "lz4", "brotli", "gzip", "zlib", "deflate"):
        peer = getattr(cramjam, name)
        assert_read(bytes(peer.compress(data)), name, data)
        assert bytes(peer.decompress(haagenti.compress(data, name))) == data
