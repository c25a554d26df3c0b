"""The codecs of haagenti.numcodecs in numcodecs: registration, configuration, arrays of every kind, and its own codecs as peers."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

import haagenti

numcodecs = pytest.importorskip("numcodecs")

import haagenti.numcodecs as ours  # noqa: E402

CLASSES = {
    f"haagenti.{cls.algorithm}": cls
    for cls in (ours.Zstd, ours.Lz4, ours.Lz4Hc, ours.Lz4Block, ours.Brotli, ours.Deflate, ours.Zlib, ours.Gzip)
}
ARRAYS = [
    np.arange(1000, dtype="i4"),
    np.linspace(0, 1, 1000).reshape(10, 100),
    np.asfortranarray(np.random.default_rng(1).normal(size=(20, 30, 5))),
    np.random.default_rng(2).integers(0, 2, 1000).astype(bool),
    np.arange(300).astype("M8[D]"),
    np.arange(300).astype("m8[ns]"),
    np.array(["some", "text", "here"] * 50),
    np.array([(1, 2.5), (3, 4.5)], dtype=[("a", "i2"), ("b", "f4")]),
    np.array([], dtype="f4"),
    np.random.default_rng(3).bytes(1000),
    bytearray(b"weights" * 100),
]


def same(decoded: object, original: object) -> bool:
    """Whether the bytes are equal, in the order of memory."""
    whole = original.tobytes(order="A") if isinstance(original, np.ndarray) else bytes(original)
    return bytes(decoded) == whole


@pytest.mark.parametrize("codec_id", CLASSES)
def test_registered(codec_id: str) -> None:
    codec = numcodecs.get_codec({"id": codec_id})
    assert type(codec) is CLASSES[codec_id]
    assert codec.codec_id == codec_id


def test_entry_points_name_the_classes() -> None:
    """What pyproject.toml declares is what there is."""
    from importlib.metadata import EntryPoint
    from pathlib import Path

    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    declared = project["entry-points"]["numcodecs.codecs"]
    assert declared.keys() == CLASSES.keys()
    for name, value in declared.items():
        assert EntryPoint(name, value, "numcodecs.codecs").load() is CLASSES[name]


@pytest.mark.parametrize("codec_id", CLASSES)
@pytest.mark.parametrize("data", ARRAYS, ids=lambda data: f"{type(data).__name__}-{getattr(data, 'dtype', '')}")
def test_arrays(codec_id: str, data: object) -> None:
    codec = numcodecs.get_codec({"id": codec_id, "level": "fast"})
    packed = codec.encode(data)
    assert isinstance(packed, bytes)
    for given in (packed, bytearray(packed), np.frombuffer(packed, "u1"), memoryview(packed)):
        assert same(codec.decode(given), data)


@pytest.mark.parametrize("codec_id", CLASSES)
def test_out(codec_id: str) -> None:
    codec = numcodecs.get_codec({"id": codec_id})
    for data in (np.arange(1000, dtype="i4"), np.asfortranarray(np.arange(60.0).reshape(10, 6)), np.arange(30).astype("M8[D]")):
        packed, out = codec.encode(data), np.empty_like(data)
        assert codec.decode(packed, out=out) is out
        np.testing.assert_array_equal(out, data)
    packed = codec.encode(bytes(100))
    room = bytearray(b"x" * 100)
    codec.decode(packed, out=room)
    assert room == bytes(100)
    for wrong in (0, 99, 101):
        with pytest.raises((ValueError, haagenti.Error), match=r"100|99|out"):
            codec.decode(packed, out=bytearray(wrong))


@pytest.mark.parametrize("codec_id", CLASSES)
def test_configuration(codec_id: str) -> None:
    cls = CLASSES[codec_id]
    codec = cls()
    config = codec.get_config()
    assert config["id"] == codec_id
    assert isinstance(config["level"], int), "words become numbers"
    assert json.loads(json.dumps(config)) == config
    assert numcodecs.get_codec(config) == codec == pickle.loads(pickle.dumps(codec))
    assert cls("fast") != cls("best")
    assert cls(level=cls("best").level) == cls("best")
    assert eval(repr(codec), vars(ours)) == codec
    with pytest.raises(haagenti.InvalidArgumentError, match="level"):
        cls(1000)
    with pytest.raises(TypeError):
        numcodecs.get_codec({"id": codec_id, "nonsense": 1})


def test_options() -> None:
    data = np.arange(500_000, dtype="u2")
    for cls in (ours.Zstd, ours.Lz4, ours.Lz4Hc):
        assert cls(checksum=True).get_config()["checksum"] is True
        assert len(cls(checksum=True).encode(data)) > len(cls().encode(data))
    for cls in (ours.Zstd, ours.Lz4, ours.Deflate, ours.Zlib, ours.Gzip):
        codec = cls("fast", threads=2)
        assert codec.get_config()["threads"] == 2
        assert "threads" not in cls().get_config()
        assert numcodecs.get_codec(codec.get_config()) == codec
        assert same(codec.decode(codec.encode(data)), data)
        assert same(cls().decode(codec.encode(data)), data)
    for cls in (ours.Brotli, ours.Lz4Block):
        with pytest.raises(TypeError):
            cls(threads=2)


@pytest.mark.parametrize(
    ("codec_id", "peer"),
    [
        ("haagenti.zstd", {"id": "zstd", "checksum": True}),
        ("haagenti.zlib", {"id": "zlib"}),
        ("haagenti.gzip", {"id": "gzip"}),
        ("haagenti.lz4_block", {"id": "lz4"}),
    ],
)
def test_peers(codec_id: str, peer: dict) -> None:
    codec, theirs = numcodecs.get_codec({"id": codec_id}), numcodecs.get_codec(peer)
    for data in ARRAYS:
        assert same(codec.decode(theirs.encode(data)), data)
        if len(data) > 0:  # numcodecs refuses an empty zstd or lz4
            assert same(theirs.decode(codec.encode(data)), data)


@pytest.mark.parametrize("codec_id", CLASSES)
def test_damage(codec_id: str) -> None:
    codec = numcodecs.get_codec({"id": codec_id})
    packed = codec.encode(np.arange(1000))
    for damaged in (packed[:-1], packed[: len(packed) // 2], b"\xff" * 50, b""):
        with pytest.raises(haagenti.DecompressionError):
            codec.decode(damaged)
        with pytest.raises(haagenti.DecompressionError):
            codec.decode(damaged, out=np.empty(1000, int))


def test_block_sizes_that_lie() -> None:
    codec = ours.Lz4Block()
    packed = codec.encode(bytes(1000))
    assert packed[:4] == (1000).to_bytes(4, "little")
    for claim in (0, 999, 1001, 0xFFFFFFFF):
        lie = claim.to_bytes(4, "little") + packed[4:]
        with pytest.raises(haagenti.Error):
            codec.decode(lie)
        with pytest.raises(haagenti.Error):
            codec.decode(lie, out=bytearray(min(claim, 5000)))


def test_what_cannot_be_encoded() -> None:
    for codec in (cls() for cls in CLASSES.values()):
        with pytest.raises(TypeError, match="object"):
            codec.encode(np.array([None, "x"]))
        with pytest.raises(ValueError, match="contiguous"):
            codec.encode(np.arange(10)[::2])


def test_zarr_format_2(tmp_path) -> None:
    zarr = pytest.importorskip("zarr", minversion="3")
    data = np.random.default_rng(4).normal(size=(50, 40)).astype("f4")
    for codec_id in CLASSES:
        for order in "CF":
            path = tmp_path / codec_id / order
            codec = numcodecs.get_codec({"id": codec_id})
            array = zarr.create_array(path, shape=data.shape, chunks=(20, 15), dtype="f4", zarr_format=2, compressors=codec, order=order)
            array[:] = data
            assert json.loads((path / ".zarray").read_text())["compressor"]["id"] == codec_id
            np.testing.assert_array_equal(zarr.open_array(path, mode="r")[:], data)
