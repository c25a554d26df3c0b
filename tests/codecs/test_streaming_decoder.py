"""Decoder: how much it gives out at a time, and what it says of itself meanwhile."""

from __future__ import annotations

import pytest
from codec_cases import STREAMING, chunks_of, sample

import haagenti
from haagenti.streaming import Decoder

DATA = sample("text", 50_000)


@pytest.mark.parametrize("name", STREAMING)
@pytest.mark.parametrize("max_length", [1, 999, 50_000, 50_001])
def test_max_length(name: str, max_length: int) -> None:
    data = DATA[: 2000 if max_length == 1 else 50_000]
    decoder = Decoder(name)
    got = [decoder.write(haagenti.compress(data, name), max_length)]
    while not decoder.eof:
        assert len(got[-1]) == max_length or not decoder.needs_input or not got[-1]
        got.append(decoder.write(b"", max_length))
        assert len(got[-1]) <= max_length
        assert len(got) <= len(data) // max_length + 2
    assert b"".join(got) == data
    assert decoder.finish() == b""


@pytest.mark.parametrize("name", STREAMING)
def test_max_length_of_nothing(name: str) -> None:
    decoder = Decoder(name)
    packed = haagenti.compress(DATA, name)
    assert decoder.write(packed, 0) == b""
    assert not decoder.needs_input
    assert decoder.write(b"", 0) == b""
    assert decoder.write(b"") == DATA
    assert decoder.eof


@pytest.mark.parametrize("name", STREAMING)
def test_input_that_waits_is_kept_in_order(name: str) -> None:
    packed, got = haagenti.compress(DATA, name), b""
    decoder = Decoder(name)
    for part in chunks_of(packed, 50):
        got += decoder.write(part, 3)
    assert got + decoder.finish() == DATA
    assert decoder.eof


@pytest.mark.parametrize("name", STREAMING)
def test_needs_input(name: str) -> None:
    packed = haagenti.compress(DATA, name)
    decoder = Decoder(name)
    assert decoder.needs_input
    assert not decoder.eof
    got = decoder.write(packed[:-1])
    assert decoder.needs_input
    assert not decoder.eof
    assert decoder.write(b"") == b""
    got += decoder.write(packed[-1:])
    assert got == DATA
    assert decoder.eof
    assert decoder.algorithm == name


@pytest.mark.parametrize("name", STREAMING)
def test_the_end_is_found_at_once(name: str) -> None:
    """The last byte of the data is followed by eof without another call, with and without room to spare."""
    for max_length in (None, len(DATA), len(DATA) + 1):
        decoder = Decoder(name, max_size=len(DATA))
        assert decoder.write(haagenti.compress(DATA, name), max_length) == DATA
        if not decoder.eof:
            assert decoder.write(b"") == b""
        assert decoder.eof


@pytest.mark.parametrize("name", STREAMING)
def test_max_size_over_chunks(name: str) -> None:
    packed = haagenti.compress(DATA, name)
    decoder, got = Decoder(name, max_size=30_000), []

    def read() -> None:
        got.extend(decoder.write(part, 777) for part in chunks_of(packed, 10))
        got.extend(decoder.write(b"", 777) for _ in range(100))

    with pytest.raises(haagenti.DecompressionError, match="max_size of 30000"):
        read()
    assert sum(map(len, got)) <= 30_000
    assert DATA.startswith(b"".join(got))


@pytest.mark.parametrize("name", STREAMING)
def test_finish_returns_what_waited(name: str) -> None:
    decoder = Decoder(name)
    first = decoder.write(haagenti.compress(DATA, name), 10)
    assert first + decoder.finish() == DATA
