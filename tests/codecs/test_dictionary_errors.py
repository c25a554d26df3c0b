"""Dictionaries that are wrong, missing or damaged, and samples that make none."""

from __future__ import annotations

import pytest
from codec_cases import (
    TABLE,
    WITH_DICTIONARY,
    decode_stream,
    sample,
    unpack,
)

import haagenti

SOME_TEXT = sample("text", 300)
RAW_DICTIONARY = sample("text", 2000)
SAMPLES = [
    b'{"layer": %d, "name": "model.layers.%d.mlp.up_proj", "shape": [%d, 4096], "dtype": "bf16"}' % (n, n % 32, n * 7) for n in range(3000)
]


@pytest.fixture(scope="module")
def trained() -> haagenti.ZstdDict:
    return haagenti.ZstdDict.train(SAMPLES, max_size=4096)


def test_training_that_cannot_work() -> None:
    for samples in ([], [b""], [b"x"] * 3, [b""] * 1000):
        with pytest.raises(haagenti.InvalidArgumentError, match="sample"):
            haagenti.ZstdDict.train(samples)
    for size in (0, -1):
        with pytest.raises(haagenti.InvalidArgumentError, match="max_size"):
            haagenti.ZstdDict.train(SAMPLES, size)
    with pytest.raises(haagenti.InvalidArgumentError):
        haagenti.ZstdDict.train(SAMPLES, 1)
    with pytest.raises(TypeError):
        haagenti.ZstdDict.train([1, 2, 3])
    with pytest.raises(TypeError):
        haagenti.ZstdDict.train(5)


def test_damaged_dictionaries(trained: haagenti.ZstdDict) -> None:
    whole = trained.as_bytes()
    for damaged in (whole[:8], whole[:20], whole[:100], whole[:8] + bytes(300)):
        for call in (
            lambda damaged=damaged: haagenti.compress(SAMPLES[0], dictionary=haagenti.ZstdDict(damaged)),
            lambda damaged=damaged: haagenti.decompress(
                haagenti.compress(SAMPLES[0], dictionary=trained), dictionary=haagenti.ZstdDict(damaged)
            ),
        ):
            with pytest.raises((haagenti.InvalidArgumentError, haagenti.DecompressionError), match="dictionary"):
                call()


@pytest.mark.parametrize("name", WITH_DICTIONARY)
def test_the_wrong_dictionary(name: str) -> None:
    packed = haagenti.compress(SOME_TEXT, name, dictionary=RAW_DICTIONARY)
    assert unpack(packed, name, SOME_TEXT, dictionary=RAW_DICTIONARY) == SOME_TEXT
    for wrong in (None, sample("random", 2000)):
        try:
            data = unpack(packed, name, SOME_TEXT, dictionary=wrong)
        except haagenti.DecompressionError:
            continue
        assert TABLE[name].checksum != "always"
        assert data != SOME_TEXT


def test_the_wrong_dictionary_is_named() -> None:
    samples = [b'{"layer": %d, "name": "mlp.up_proj", "shape": [%d, %d]}' % (n, n * 7, n * 11) for n in range(2000)]
    one = haagenti.ZstdDict.train(samples[:1000], 1024)
    other = haagenti.ZstdDict.train(samples[1000:], 2048)
    packed = haagenti.compress(samples[3], dictionary=one)
    assert one.id != other.id
    for call in (
        lambda wrong: haagenti.decompress(packed, dictionary=wrong),
        lambda wrong: decode_stream(packed, "zstd", 10, dictionary=wrong),
        lambda wrong: haagenti.Decompressor("zstd", dictionary=wrong).decompress(packed),
    ):
        with pytest.raises(haagenti.DecompressionError, match=f"dictionary.*{one.id}"):
            call(None)
        with pytest.raises(haagenti.DecompressionError, match=str(one.id)) as caught:
            call(other)
        assert str(other.id) in str(caught.value)


def test_zlib_names_its_dictionary() -> None:
    packed = haagenti.compress(SOME_TEXT, "zlib", dictionary=RAW_DICTIONARY)
    with pytest.raises(haagenti.DecompressionError, match="dictionary"):
        haagenti.decompress(packed, "zlib")
    with pytest.raises(haagenti.DecompressionError, match="dictionary"):
        haagenti.decompress(packed, "zlib", dictionary=b"another")
