"""Algorithms, levels and numbers that are wrong are refused with what is allowed; those that are right do what they say."""

from __future__ import annotations

import numpy as np
import pytest
from codec_cases import NAMES, TABLE, sample

import haagenti
from haagenti.streaming import Decoder, Encoder

TEXT = sample("text", 5000)
PACKED = haagenti.compress(TEXT)


@pytest.mark.parametrize("wrong", [5, b"zstd", None, ["zstd"]])
def test_algorithms_are_text(wrong: object) -> None:
    for call in (
        lambda: haagenti.compress(TEXT, wrong),
        lambda: haagenti.Compressor(wrong),
        lambda: Encoder(wrong),
        lambda: Decoder(wrong),
    ):
        with pytest.raises(TypeError, match="algorithm is of type"):
            call()


@pytest.mark.parametrize("wrong", ["", "none", "ZSTD", "zst", "zstd ", "zstd\0", "ü" * 100])
def test_unknown_algorithms_list_the_known(wrong: str) -> None:
    for call in (
        lambda: haagenti.compress(TEXT, wrong),
        lambda: haagenti.decompress(PACKED, wrong),
        lambda: haagenti.compress_bound(1, wrong),
        lambda: haagenti.Compressor(wrong),
        lambda: haagenti.Decompressor(wrong),
        lambda: Encoder(wrong),
        lambda: Decoder(wrong),
    ):
        with pytest.raises(haagenti.InvalidArgumentError) as caught:
            call()
        assert all(name in str(caught.value) for name in NAMES)
        assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize("name", NAMES)
def test_wrong_levels_list_the_allowed(name: str) -> None:
    row = TABLE[name]
    for wrong in (row.levels[0] - 1, row.levels[-1] + 1, "fastest", "3", ""):
        for call in (lambda wrong: haagenti.compress(TEXT, name, wrong), lambda wrong: haagenti.Compressor(name, wrong)):
            with pytest.raises(haagenti.InvalidArgumentError, match=f"{row.levels[0]} to {row.levels[-1]}.*fast.*default.*best"):
                call(wrong)
        if row.streaming:
            with pytest.raises(haagenti.InvalidArgumentError, match=f"{row.levels[0]} to {row.streaming_levels[-1]}"):
                Encoder(name, wrong)
    for wrong in (1.5, b"fast", [1]):
        with pytest.raises(TypeError, match="level"):
            haagenti.compress(TEXT, name, wrong)
    with pytest.raises(haagenti.InvalidArgumentError, match="level"):
        haagenti.compress(TEXT, name, 10**30)
    assert haagenti.Compressor(name, np.int64(row.levels[-1])).level == row.levels[-1]


@pytest.mark.parametrize("name", NAMES)
def test_words_are_levels(name: str) -> None:
    for word, level in TABLE[name].words.items():
        assert haagenti.Compressor(name, word).level == level
        assert haagenti.compress(TEXT, name, word) == haagenti.compress(TEXT, name, level)
    assert haagenti.Compressor(name).level == TABLE[name].words["default"]


@pytest.mark.parametrize("name", NAMES)
def test_options_that_an_algorithm_lacks(name: str) -> None:
    row = TABLE[name]
    if not row.threads:
        with pytest.raises(haagenti.UnsupportedError, match=name):
            haagenti.compress(TEXT, name, threads=2)
    assert haagenti.compress(TEXT, name, threads=0)
    if not row.dictionary:
        with pytest.raises(haagenti.InvalidArgumentError, match="dictionary"):
            haagenti.compress(TEXT, name, dictionary=b"words")
        with pytest.raises(haagenti.InvalidArgumentError, match="dictionary"):
            haagenti.decompress(haagenti.compress(TEXT, name), name, dictionary=b"words", size=5000)
    if row.checksum == "never":
        with pytest.raises(haagenti.InvalidArgumentError, match="checksum"):
            haagenti.compress(TEXT, name, checksum=True)
    if row.checksum == "always":
        with pytest.raises(haagenti.InvalidArgumentError, match="checksum"):
            haagenti.compress(TEXT, name, checksum=False)
    if not row.streaming:
        for stream in (Encoder, Decoder):
            with pytest.raises(haagenti.InvalidArgumentError, match="streams"):
                stream(name)


def test_wrong_numbers() -> None:
    for wrong in (-1, 257, 10**30, -(10**30)):
        with pytest.raises(haagenti.InvalidArgumentError, match="threads"):
            haagenti.compress(TEXT, threads=wrong)
        with pytest.raises(haagenti.InvalidArgumentError, match="threads"):
            haagenti.decompress(PACKED, threads=wrong)
    for option in ("size", "max_size"):
        with pytest.raises(haagenti.InvalidArgumentError, match=option):
            haagenti.decompress(PACKED, **{option: -1})
        with pytest.raises(TypeError, match=option):
            haagenti.decompress(PACKED, **{option: "5"})
    with pytest.raises(haagenti.InvalidArgumentError, match="n_bytes"):
        haagenti.compress_bound(-1)
    with pytest.raises(TypeError, match="threads"):
        haagenti.compress(TEXT, threads=1.5)
    with pytest.raises(haagenti.InvalidArgumentError, match="max_length"):
        Decoder("zstd").write(PACKED, -2)
    assert Decoder("zstd").write(PACKED, -1) == TEXT
    with pytest.raises(TypeError, match="dictionary"):
        haagenti.compress(TEXT, dictionary=5)


@pytest.mark.parametrize("name", NAMES)
def test_bounds_of_extremes(name: str) -> None:
    assert haagenti.compress_bound(0, name) >= len(haagenti.compress(b"", name))
    try:
        assert haagenti.compress_bound((1 << 63) - 1, name) >= (1 << 63) - 1
    except haagenti.InvalidArgumentError:
        assert name == "lz4_block", "only blocks have a largest size"


def test_blocks_need_a_size() -> None:
    packed = haagenti.compress(TEXT, "lz4_block")
    with pytest.raises(haagenti.InvalidArgumentError, match="size"):
        haagenti.decompress(packed, "lz4_block")
    with pytest.raises(haagenti.InvalidArgumentError, match="size"):
        haagenti.Decompressor("lz4_block").decompress(packed)
    assert haagenti.decompress(packed, "lz4_block", max_size=5000) == TEXT
