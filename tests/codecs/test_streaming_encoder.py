"""Encoder: what it holds back, what flush gives out, and when it is over; random chunks through it and a Decoder."""

from __future__ import annotations

import pytest
from codec_cases import STREAMING, WITH_DICTIONARY, chunks_of, decode_stream, encode_stream, sample
from hypothesis import given, settings
from hypothesis import strategies as st

import haagenti
from haagenti.streaming import Decoder, Encoder

DATA = sample("text", 50_000)
STREAMED_WITH_DICTIONARY = [name for name in WITH_DICTIONARY if name in STREAMING]


@pytest.mark.parametrize("name", STREAMING)
def test_flush_gives_out_all(name: str) -> None:
    for threads in (1, 2) if name not in ("brotli",) else (1,):
        encoder, decoder = Encoder(name, threads=threads), Decoder(name)
        for part in chunks_of(DATA, 7001):
            assert decoder.write(encoder.write(part) + encoder.flush()) == part, threads
            assert not decoder.eof or (name == "gzip" and threads > 1), "only members that are made side by side end with a flush"
        assert decoder.write(encoder.finish()) == b""
        assert decoder.eof
        assert decoder.finish() == b""


@pytest.mark.parametrize("name", STREAMING)
def test_flush_of_nothing(name: str) -> None:
    encoder = Encoder(name)
    packed = (
        encoder.flush()
        + encoder.flush()
        + encoder.write(b"")
        + encoder.write(b"data")
        + encoder.flush()
        + encoder.flush()
        + encoder.finish()
    )
    assert haagenti.decompress(packed, name) == decode_stream(packed, name, 1) == b"data"


@pytest.mark.parametrize("name", STREAMING)
def test_after_finish(name: str) -> None:
    encoder = Encoder(name)
    packed = encoder.write(b"data") + encoder.finish()
    for call in (encoder.finish, encoder.flush, lambda: encoder.write(b"more"), lambda: encoder.write(b"")):
        with pytest.raises(haagenti.InvalidArgumentError, match="finished"):
            call()
    assert haagenti.decompress(packed, name) == b"data"
    assert encoder.algorithm == name


@pytest.mark.parametrize("name", STREAMING)
def test_encoder_as_context_manager(name: str) -> None:
    with Encoder(name) as encoder:
        packed = encoder.write(DATA) + encoder.finish()
    assert haagenti.decompress(packed, name) == DATA
    with Encoder(name) as given_up:
        given_up.write(DATA)
    with pytest.raises(haagenti.InvalidArgumentError, match="given up"):
        given_up.finish()
    with pytest.raises(ZeroDivisionError), Encoder(name) as failed:
        raise ZeroDivisionError
    with pytest.raises(haagenti.InvalidArgumentError, match="given up"):
        failed.write(b"")


def test_a_wrong_chunk_ends_nothing() -> None:
    encoder, decoder = Encoder("zstd"), Decoder("zstd")
    packed = encoder.write(b"some ")
    with pytest.raises(TypeError):
        encoder.write("text")
    packed += encoder.write(b"data") + encoder.finish()
    assert decoder.write(packed[:5]) == b""
    with pytest.raises(TypeError):
        decoder.write("text")
    assert decoder.write(packed[5:]) + decoder.finish() == b"some data"


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(STREAMING),
    parts=st.lists(st.tuples(st.binary(max_size=3000), st.booleans()), max_size=8),
    cuts=st.lists(st.integers(1, 500), min_size=1, max_size=10),
    max_length=st.one_of(st.none(), st.integers(1, 700)),
)
def test_any_chunks(name: str, parts: list[tuple[bytes, bool]], cuts: list[int], max_length: int | None) -> None:
    encoder, packed = Encoder(name, "fast"), b""
    for part, flush in parts:
        packed += encoder.write(part)
        if flush:
            packed += encoder.flush()
    packed += encoder.finish()
    data = b"".join(part for part, _ in parts)
    assert haagenti.decompress(packed, name) == data

    decoder, out, at, turn = Decoder(name, max_size=len(data)), b"", 0, 0
    while at < len(packed) or not decoder.needs_input:
        if decoder.needs_input or decoder.eof:
            chunk = packed[at : at + cuts[turn % len(cuts)]]
            at, turn = at + len(chunk), turn + 1
        else:
            chunk = b""
        got = decoder.write(chunk, max_length)
        assert max_length is None or len(got) <= max_length
        assert chunk or got or decoder.needs_input or decoder.eof, "no progress"
        out += got
        if decoder.eof and at == len(packed):
            break
    assert out + decoder.finish() == data
    assert decoder.unused_data == b""


@pytest.mark.parametrize("name", STREAMED_WITH_DICTIONARY)
def test_dictionaries(name: str) -> None:
    dictionary = sample("text", 3000)
    data = sample("text", 20_000)
    packed = encode_stream(data, name, 333, dictionary=dictionary)
    assert decode_stream(packed, name, 100, dictionary=dictionary) == data
    assert haagenti.decompress(packed, name, dictionary=dictionary) == data
    assert len(encode_stream(data[:1000], name, 333, dictionary=dictionary)) < len(encode_stream(data[:1000], name, 333))


@pytest.mark.parametrize("name", ["zstd", "lz4", "lz4hc"])
def test_dictionaries_serve_every_frame(name: str) -> None:
    dictionary = sample("text", 3000)
    packed = haagenti.compress(DATA[:900], name, dictionary=dictionary)
    assert decode_stream(packed * 3, name, 10, dictionary=dictionary) == DATA[:900] * 3


def test_streams_cannot_be_pickled_by_accident() -> None:
    import copy
    import pickle

    for stream in (Encoder("zstd"), Decoder("zstd")):
        with pytest.raises(TypeError):
            pickle.dumps(stream)
        with pytest.raises(TypeError):
            copy.copy(stream)
