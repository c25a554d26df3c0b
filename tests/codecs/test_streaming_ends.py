"""Decoder: how streams end, well or not, and what it is afterwards."""

from __future__ import annotations

import pytest
from codec_cases import STREAMING, WITH_FRAMES, chunks_of, decode_stream, sample

import haagenti
from haagenti.streaming import Decoder

DATA = sample("text", 50_000)


@pytest.mark.parametrize("name", STREAMING)
def test_truncated(name: str) -> None:
    packed = haagenti.compress(DATA, name)
    for end in (0, 1, 5, len(packed) // 2, len(packed) - 1):
        decoder = Decoder(name)
        decoder.write(packed[:end])
        with pytest.raises(haagenti.TruncatedError, match="empty" if end == 0 else f"offset {end}\\b"):
            decoder.finish()


@pytest.mark.parametrize("name", STREAMING)
@pytest.mark.parametrize("chunk", [1, 30, 100_000])
def test_trailing_bytes(name: str, chunk: int) -> None:
    packed = haagenti.compress(DATA[:2000], name)
    trailing = b"these are no frame"
    decoder = Decoder(name)
    assert b"".join(decoder.write(part) for part in chunks_of(packed + trailing, chunk)) == DATA[:2000]
    assert decoder.eof
    assert not decoder.needs_input
    with pytest.raises(haagenti.CorruptError, match=f"{len(trailing)} bytes.*offset {len(packed)}\\b"):
        decoder.finish()
    allowed = Decoder(name, allow_trailing=True)
    for part in chunks_of(packed + trailing, chunk):
        allowed.write(part)
    assert allowed.finish() == b""
    assert allowed.unused_data == trailing


@pytest.mark.parametrize("name", WITH_FRAMES)
def test_short_trailing_bytes(name: str) -> None:
    """One byte may still become a frame; finish() decides."""
    packed = haagenti.compress(b"data", name)
    first = packed[:1]
    decoder = Decoder(name)
    assert decoder.write(packed + first) == b"data"
    with pytest.raises(haagenti.DecompressionError):
        decoder.finish()
    allowed = Decoder(name, allow_trailing=True)
    assert allowed.write(packed + b"x") + allowed.finish() == b"data"
    assert allowed.unused_data == b"x"


@pytest.mark.parametrize("name", STREAMING)
@pytest.mark.parametrize("chunk", [1, 100_000])
def test_single_frame(name: str, chunk: int) -> None:
    packed = haagenti.compress(DATA[:2000], name)
    decoder = Decoder(name, single_frame=True)
    got = b"".join(decoder.write(part) for part in chunks_of(packed * 2, chunk))
    assert got + decoder.finish() == DATA[:2000]
    assert decoder.eof
    assert decoder.unused_data == packed


@pytest.mark.parametrize("name", WITH_FRAMES)
@pytest.mark.parametrize("chunk", [1, 1000, 1_000_000])
def test_many_frames(name: str, chunk: int) -> None:
    parts = [DATA[:5000], b"", b"x", DATA[:70], b""]
    packed = b"".join(haagenti.compress(part, name) for part in parts)
    assert decode_stream(packed, name, chunk) == b"".join(parts)
    assert decode_stream(packed, name, chunk, max_size=5071) == b"".join(parts)
    with pytest.raises(haagenti.DecompressionError):
        decode_stream(packed, name, chunk, max_size=5070)


@pytest.mark.parametrize("name", WITH_FRAMES)
def test_eof_between_frames(name: str) -> None:
    packed = haagenti.compress(b"data", name)
    decoder = Decoder(name)
    assert decoder.write(packed) == b"data"
    assert decoder.eof
    assert decoder.needs_input
    second = decoder.write(packed[:-1])
    assert not decoder.eof
    assert second + decoder.write(packed[-1:]) == b"data"
    assert decoder.eof
    assert decoder.finish() == b""


def test_zeros_between_gzip_members_and_behind() -> None:
    packed = haagenti.compress(b"data", "gzip")
    for chunk in (1, 1000):
        assert decode_stream(packed + bytes(600), "gzip", chunk) == b"data"


@pytest.mark.parametrize("name", STREAMING)
def test_corrupt_from_the_start(name: str) -> None:
    decoder = Decoder(name)
    with pytest.raises(haagenti.DecompressionError):
        decoder.write(b"\xff" * 1000) + decoder.finish()
    with pytest.raises(haagenti.InvalidArgumentError):
        decoder.write(haagenti.compress(b"data", name))


@pytest.mark.parametrize("name", STREAMING)
def test_finish_twice(name: str) -> None:
    decoder = Decoder(name)
    assert decoder.write(haagenti.compress(b"data", name)) == b"data"
    assert decoder.finish() == b""
    for call in (decoder.finish, lambda: decoder.write(b"")):
        with pytest.raises(haagenti.InvalidArgumentError, match="finished"):
            call()
    assert decoder.eof


@pytest.mark.parametrize("name", STREAMING)
def test_errors_end_the_stream(name: str) -> None:
    packed = haagenti.compress(DATA, name)
    decoder = Decoder(name, max_size=10)
    with pytest.raises(haagenti.DecompressionError):
        decoder.write(packed)
    for call in (lambda: decoder.write(packed), lambda: decoder.write(b""), decoder.finish):
        with pytest.raises(haagenti.InvalidArgumentError, match="error before"):
            call()


@pytest.mark.parametrize("name", STREAMING)
def test_decoder_as_context_manager(name: str) -> None:
    packed = haagenti.compress(DATA, name)
    with Decoder(name) as decoder:
        assert decoder.write(packed) == DATA
        assert decoder.finish() == b""
    with Decoder(name) as given_up:
        given_up.write(packed[:100])
    with pytest.raises(haagenti.InvalidArgumentError):
        given_up.write(packed[100:])
