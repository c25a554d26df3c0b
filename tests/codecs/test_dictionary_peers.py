"""The same dictionaries in other programs: zstd and lz4, and Python packages."""

from __future__ import annotations

import shutil
import subprocess
import zlib
from pathlib import Path

import pytest
from codec_cases import sample

import haagenti

SAMPLES = [
    b'{"layer": %d, "name": "model.layers.%d.mlp.up_proj", "shape": [%d, 4096], "dtype": "bf16"}' % (n, n % 32, n * 7) for n in range(3000)
]


@pytest.fixture(scope="module")
def trained() -> haagenti.ZstdDict:
    return haagenti.ZstdDict.train(SAMPLES, max_size=4096)


def zstd(*options: str, data: bytes = b"") -> bytes:
    """What the tool writes to its output."""
    if shutil.which("zstd") is None:
        pytest.skip("the command zstd is not installed")
    done = subprocess.run(["zstd", "-q", *options], input=data, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_the_tool_takes_our_dictionary(trained: haagenti.ZstdDict, tmp_path: Path) -> None:
    path = tmp_path / "dictionary"
    path.write_bytes(trained.as_bytes())
    packed = haagenti.compress(SAMPLES[9], dictionary=trained)
    assert zstd("-dc", "-D", str(path), data=packed) == SAMPLES[9]
    assert haagenti.decompress(zstd("-c", "-D", str(path), data=SAMPLES[9]), dictionary=trained) == SAMPLES[9]


def test_we_take_the_tools_dictionary(tmp_path: Path) -> None:
    for n, data in enumerate(SAMPLES[:1000]):
        (tmp_path / f"{n}.json").write_bytes(data)
    path = tmp_path / "dictionary"
    zstd("--train", "-r", str(tmp_path), "--maxdict=2048", "--dictID=77", "-o", str(path))
    dictionary = haagenti.ZstdDict(path.read_bytes())
    assert dictionary.id == 77
    packed = zstd("-c", "-D", str(path), data=SAMPLES[9])
    assert haagenti.decompress(packed, dictionary=dictionary) == SAMPLES[9]
    assert zstd("-dc", "-D", str(path), data=haagenti.compress(SAMPLES[9], dictionary=dictionary)) == SAMPLES[9]


def test_zstandard(trained: haagenti.ZstdDict) -> None:
    zstandard = pytest.importorskip("zstandard")
    theirs = zstandard.ZstdCompressionDict(trained.as_bytes())
    assert theirs.dict_id() == trained.id
    packed = zstandard.ZstdCompressor(dict_data=theirs).compress(SAMPLES[9])
    assert haagenti.decompress(packed, dictionary=trained) == SAMPLES[9]
    assert zstandard.ZstdDecompressor(dict_data=theirs).decompress(haagenti.compress(SAMPLES[9], dictionary=trained)) == SAMPLES[9]


@pytest.mark.parametrize(("name", "bits"), [("zlib", 15), ("deflate", -15)])
def test_zdict(name: str, bits: int) -> None:
    dictionary, data = sample("text", 40_000), sample("text", 5000)
    compressor = zlib.compressobj(6, zlib.DEFLATED, bits, zdict=dictionary)
    packed = compressor.compress(data) + compressor.flush()
    assert haagenti.decompress(packed, name, dictionary=dictionary) == data
    for threads in (1, 2):
        decompressor = zlib.decompressobj(bits, zdict=dictionary)
        assert decompressor.decompress(haagenti.compress(data, name, dictionary=dictionary, threads=threads)) == data
        assert decompressor.eof


def test_lz4_block_dictionaries() -> None:
    block = pytest.importorskip("lz4.block")
    dictionary, data = sample("text", 40_000), sample("text", 5000)
    for mode in ("default", "high_compression"):
        packed = block.compress(data, mode=mode, store_size=False, dict=dictionary)
        assert haagenti.decompress(packed, "lz4_block", size=5000, dictionary=dictionary) == data
    for level in ("fast", "default", "best"):
        packed = haagenti.compress(data, "lz4_block", level, dictionary=dictionary)
        assert block.decompress(packed, uncompressed_size=5000, dict=dictionary) == data


def test_the_lz4_tool_takes_a_dictionary(tmp_path: Path) -> None:
    if shutil.which("lz4") is None:
        pytest.skip("the command lz4 is not installed")
    path, data = tmp_path / "dictionary", sample("text", 5000)
    path.write_bytes(sample("text", 40_000))
    for name in ("lz4", "lz4hc"):
        packed = haagenti.compress(data, name, dictionary=path.read_bytes())
        done = subprocess.run(["lz4", "-dc", "-D", str(path)], input=packed, capture_output=True, timeout=60, check=False)
        assert done.stdout == data, done.stderr
    packed = subprocess.run(["lz4", "-c", "-D", str(path)], input=data, capture_output=True, timeout=60, check=True).stdout
    assert haagenti.decompress(packed, "lz4", dictionary=path.read_bytes()) == data
