"""Every argument by position and by keyword, and calls that Python refuses."""

from __future__ import annotations

import pytest
from codec_cases import sample

import haagenti
from haagenti.streaming import Decoder, Encoder

TEXT = sample("text", 5000)
PACKED = haagenti.compress(TEXT)


def test_every_option_by_position_and_keyword() -> None:
    dictionary = haagenti.ZstdDict(b"layers and weights of attention")
    packed = haagenti.compress(TEXT, "zstd", 5, dictionary, 2, True)
    assert packed == haagenti.compress(data=TEXT, algorithm="zstd", level=5, dictionary=dictionary, threads=2, checksum=True)
    out, again = bytearray(9000), bytearray(9000)
    n = haagenti.compress_into(TEXT, out, "zstd", 5, dictionary, 2, True)
    assert out[:n] == packed
    assert haagenti.compress_into(data=TEXT, out=again, algorithm="zstd", level=5, dictionary=dictionary, threads=2, checksum=True) == n
    assert out == again
    assert haagenti.decompress(packed, "zstd", 5000, dictionary, 2, 5000, allow_trailing=True) == TEXT
    assert (
        haagenti.decompress(data=packed, algorithm="zstd", max_size=5000, dictionary=dictionary, threads=2, size=5000, allow_trailing=False)
        == TEXT
    )
    assert haagenti.decompress_into(packed, out, "zstd", dictionary, 2, allow_trailing=True) == 5000
    assert haagenti.decompress_into(data=packed, out=out, algorithm="zstd", dictionary=dictionary, threads=2, allow_trailing=True) == 5000
    assert haagenti.compress_bound(1000, "zstd") == haagenti.compress_bound(n_bytes=1000, algorithm="zstd") == haagenti.compress_bound(1000)


def test_every_option_of_the_classes() -> None:
    dictionary = haagenti.ZstdDict(b"layers and weights of attention")
    one = haagenti.Compressor("zstd", 5, dictionary, 2, True)
    two = haagenti.Compressor(algorithm="zstd", level=5, dictionary=dictionary, threads=2, checksum=True)
    assert (one.algorithm, one.level) == (two.algorithm, two.level) == ("zstd", 5)
    assert one.compress(TEXT) == two.compress(data=TEXT)
    packed = one.compress(TEXT)
    out = bytearray(9000)
    assert one.compress_into(TEXT, out) == two.compress_into(data=TEXT, out=out) == len(packed)
    for decompressor in (
        haagenti.Decompressor("zstd", 5000, dictionary, 2, allow_trailing=True),
        haagenti.Decompressor(algorithm="zstd", max_size=5000, dictionary=dictionary, threads=2),
    ):
        assert decompressor.decompress(packed, 5000) == decompressor.decompress(data=packed, size=5000) == TEXT
        assert decompressor.decompress_into(packed, out) == decompressor.decompress_into(data=packed, out=out) == 5000
    for encoder in (
        Encoder("zstd", 5, dictionary, 2, True),
        Encoder(algorithm="zstd", level=5, dictionary=dictionary, threads=2, checksum=True),
    ):
        packed = encoder.write(chunk=TEXT) + encoder.flush() + encoder.finish()
        for decoder in (
            Decoder("zstd", 5000, dictionary, allow_trailing=True, single_frame=True),
            Decoder(algorithm="zstd", max_size=5000, dictionary=dictionary),
        ):
            assert decoder.write(packed, 3) + decoder.write(chunk=b"", max_length=4) + decoder.finish() == TEXT
    assert haagenti.Decompressor().algorithm is None


def test_wrong_calls() -> None:
    calls = [
        lambda: haagenti.compress(),
        lambda: haagenti.compress(TEXT, "zstd", 1, None, 1, None, "more"),
        lambda: haagenti.compress(TEXT, "zstd", algorithm="lz4"),
        lambda: haagenti.decompress(PACKED, "zstd", None, None, 1, None, True),
        lambda: haagenti.decompress_into(PACKED),
        lambda: haagenti.decompress_into(PACKED, bytearray(5000), "zstd", None, 1, True),
        lambda: haagenti.compress_bound(),
        lambda: haagenti.Compressor(),
        lambda: haagenti.Compressor("zstd").compress(),
        lambda: haagenti.Decompressor("zstd", None, None, 1, True),
        lambda: haagenti.Decompressor().decompress(PACKED, 1, 2),
        lambda: Encoder(),
        lambda: Encoder("zstd").write(),
        lambda: Encoder("zstd").flush(1),
        lambda: Decoder(),
        lambda: Decoder("zstd", None, None, True),
        lambda: Decoder("zstd").finish(1),
    ]
    for call in calls:
        with pytest.raises(TypeError, match="argument"):
            call()


@pytest.mark.parametrize(
    "call",
    [
        haagenti.compress,
        haagenti.compress_into,
        haagenti.decompress,
        haagenti.decompress_into,
        haagenti.compress_bound,
        haagenti.Compressor,
        haagenti.Decompressor,
        Encoder,
        Decoder,
        haagenti.Compressor("zstd").compress,
        haagenti.Decompressor().decompress,
        Encoder("zstd").write,
        Encoder("zstd").finish,
        Decoder("zstd").write,
    ],
)
def test_unexpected_keywords(call) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonsense'"):
        call(nonsense=1)
