"""Dictionaries: training, what a ZstdDict is, and what they do for every algorithm that takes one."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from codec_cases import WITH_DICTIONARY, run_python, sample, unpack

import haagenti

SAMPLES = [
    b'{"layer": %d, "name": "model.layers.%d.mlp.up_proj", "shape": [%d, 4096], "dtype": "bf16"}' % (n, n % 32, n * 7) for n in range(3000)
]


@pytest.fixture(scope="module")
def trained() -> haagenti.ZstdDict:
    return haagenti.ZstdDict.train(SAMPLES, max_size=4096)


def test_training(trained: haagenti.ZstdDict) -> None:
    assert 256 <= len(trained) <= 4096
    assert trained.id > 0
    assert len(trained.as_bytes()) == len(trained)
    assert haagenti.ZstdDict.train(SAMPLES, max_size=4096) == trained, "the same samples make the same dictionary"
    plain, packed = (len(haagenti.compress(SAMPLES[5], dictionary=chosen)) for chosen in (None, trained))
    assert packed < plain / 2


def test_samples_of_every_kind() -> None:
    mixed = [bytearray(sample) if n % 2 else memoryview(sample) for n, sample in enumerate(SAMPLES)]
    assert haagenti.ZstdDict.train(mixed, 4096) == haagenti.ZstdDict.train(iter(SAMPLES), 4096)
    arrays = [np.frombuffer(sample, np.uint8) for sample in SAMPLES]
    assert haagenti.ZstdDict.train(arrays, max_size=4096) == haagenti.ZstdDict.train(SAMPLES, max_size=4096)


def test_identity(trained: haagenti.ZstdDict) -> None:
    again = haagenti.ZstdDict(trained.as_bytes())
    assert again == trained
    assert hash(again) == hash(trained)
    assert again.id == trained.id
    assert pickle.loads(pickle.dumps(trained)) == trained
    assert copy.copy(trained) == copy.deepcopy(trained) == trained
    assert trained != haagenti.ZstdDict(trained.as_bytes()[:-1])
    assert trained != trained.as_bytes()
    assert str(trained.id) in repr(trained)
    assert len({trained, again}) == 1


def test_bytes_without_an_id() -> None:
    raw = haagenti.ZstdDict(b"attention and projection")
    assert raw.id == 0
    assert raw.as_bytes() == b"attention and projection"
    data = sample("text", 500)
    packed = haagenti.compress(data, dictionary=raw)
    assert haagenti.decompress(packed, dictionary=raw) == haagenti.decompress(packed, dictionary=raw.as_bytes()) == data


@pytest.mark.parametrize("name", WITH_DICTIONARY)
@pytest.mark.parametrize("length", [0, 1, 7, 8, 1000, 32_768, 65_536, 200_000])
def test_dictionaries_of_any_length(name: str, length: int) -> None:
    dictionary = sample("text", length)
    for data in (b"", b"x", sample("text", 1000), sample("text", 100_000)):
        packed = haagenti.compress(data, name, dictionary=dictionary)
        assert unpack(packed, name, data, dictionary=dictionary) == data
        compressor = haagenti.Compressor(name, dictionary=haagenti.ZstdDict(dictionary))
        assert compressor.compress(data) == compressor.compress(data) == packed


@pytest.mark.parametrize("name", WITH_DICTIONARY)
def test_dictionaries_help_at_every_level(name: str) -> None:
    dictionary, data = sample("random", 3000), sample("random", 3000)
    for level in ("fast", "default", "best"):
        packed = haagenti.compress(data, name, level, dictionary=dictionary)
        assert len(packed) < 300, level
        assert unpack(packed, name, data, dictionary=dictionary) == data


@pytest.mark.parametrize("name", ["zstd", "lz4", "deflate", "zlib"])
def test_dictionaries_and_threads(name: str, trained: haagenti.ZstdDict) -> None:
    data = b"".join(SAMPLES) * 5
    packed = haagenti.compress(data, name, dictionary=trained, threads=2)
    assert haagenti.compress(data, name, dictionary=trained, threads=3) == packed
    for threads in (1, 2):
        assert haagenti.decompress(packed, name, dictionary=trained, threads=threads) == data


def test_a_dictionary_that_is_not_needed_does_no_harm(trained: haagenti.ZstdDict) -> None:
    for name in WITH_DICTIONARY:
        packed = haagenti.compress(SAMPLES[0], name)
        assert unpack(packed, name, SAMPLES[0], dictionary=trained) == SAMPLES[0]


def test_dictionaries_live_as_long_as_they_are_used() -> None:
    run_python(
        """
import gc
import haagenti
from haagenti.streaming import Encoder
samples = [b"layer %d of the model" % n for n in range(3000)]
compressor = haagenti.Compressor("zstd", dictionary=haagenti.ZstdDict.train(samples, 1024))
encoder = Encoder("zstd", dictionary=haagenti.ZstdDict.train(samples, 1024))
decompressor = haagenti.Decompressor("zstd", dictionary=haagenti.ZstdDict.train(samples, 1024))
gc.collect()
assert decompressor.decompress(compressor.compress(samples[1])) == samples[1]
assert decompressor.decompress(encoder.write(samples[1]) + encoder.finish()) == samples[1]
"""
    )
