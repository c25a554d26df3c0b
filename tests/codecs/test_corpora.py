"""Standard corpora, golden files and hostile files that the byte codecs are known by; they are read where they lie, beside the repository.

Not responsible for: the data; without it these tests are skipped.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import pytest
from codec_cases import NAMES, TABLE, decode_stream, unpack

import haagenti

CORPORA = Path(__file__).resolve().parents[2].parent / "shared" / "corpora"
if not CORPORA.is_dir():
    pytest.skip(f"there are no corpora in {CORPORA}", allow_module_level=True)

GOLDEN = CORPORA / "zstd-golden"
ZSTD_VERSION = tuple(int(part) for part in TABLE["zstd"].library_version.split(".")[:3])
# Releases before this accept the files of golden-decompression-errors and refuse zeroSeq_2B.zst.
FIRST_STRICT_ZSTD = (1, 5, 6)
WRONGLY_ACCEPTED = {"off0.bin.zst", "truncated_huff_state.zst", "zeroSeq_extraneous.zst"}
WRONGLY_REFUSED = {"zeroSeq_2B.zst"}

zstd_golden = sorted((GOLDEN / "golden-decompression").glob("*.zst"))
zstd_errors = sorted((GOLDEN / "golden-decompression-errors").glob("*.zst"))
golden_inputs = sorted((GOLDEN / "golden-compression").glob("*"))


def name_of(path: Path) -> str:
    """For the list of tests."""
    return path.name


def outcome(packed: bytes, name: str) -> bytes | type[Exception]:
    """The data, or the class of the error; the streaming way must agree."""
    try:
        whole: bytes | type[Exception] = haagenti.decompress(packed, name)
    except haagenti.DecompressionError as error:
        whole = type(error)
    try:
        assert decode_stream(packed, name, 1000) == whole
    except haagenti.DecompressionError:
        assert not isinstance(whole, bytes), "the stream is refused, the whole buffer is not"
    return whole


# --- zstd ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", zstd_golden, ids=name_of)
def test_zstd_golden_files(path: Path) -> None:
    expected = {"block-128k.zst": 131068, "empty-block.zst": 0, "rle-first-block.zst": 1048576, "zeroSeq_2B.zst": None}[path.name]
    result = outcome(path.read_bytes(), "zstd")
    if path.name in WRONGLY_REFUSED and ZSTD_VERSION < FIRST_STRICT_ZSTD:
        assert result is haagenti.CorruptError
    else:
        assert isinstance(result, bytes)
        assert expected in (None, len(result))


@pytest.mark.parametrize("path", zstd_errors, ids=name_of)
def test_zstd_bad_files(path: Path) -> None:
    assert path.name in WRONGLY_ACCEPTED
    result = outcome(path.read_bytes(), "zstd")
    if ZSTD_VERSION < FIRST_STRICT_ZSTD:
        assert isinstance(result, bytes)
    else:
        assert result in (haagenti.CorruptError, haagenti.TruncatedError)


@pytest.mark.parametrize("path", golden_inputs, ids=name_of)
def test_zstd_hard_inputs(path: Path) -> None:
    data = path.read_bytes()
    for level in (-5, 1, 3, 9, 15, 19):
        assert haagenti.decompress(haagenti.compress(data, "zstd", level, checksum=True)) == data


@pytest.mark.parametrize("name", ["golden-dictionaries/http-dict-missing-symbols", "dict-files/zero-weight-dict"])
def test_zstd_odd_dictionaries(name: str) -> None:
    dictionary = haagenti.ZstdDict((GOLDEN / name).read_bytes())
    data = (GOLDEN / "golden-compression" / "http").read_bytes()
    assert dictionary.id != 0
    try:
        packed = haagenti.compress(data, "zstd", dictionary=dictionary)
    except haagenti.Error:  # a table with missing symbols may be refused, but not crash
        return
    assert haagenti.decompress(packed, dictionary=dictionary) == data


# --- brotli and lz4 --------------------------------------------------------------------------------------------------------------------

brotli_files = sorted(path for path in (CORPORA / "brotli-testdata").glob("*") if ".compressed" in path.name)


@pytest.mark.parametrize("path", brotli_files, ids=name_of)
def test_brotli_golden_files(path: Path) -> None:
    original = path.with_name(path.name.split(".compressed")[0])
    expected = original.read_bytes() if original.exists() else b""  # "empty" is not stored
    assert original.exists() or original.name == "empty"
    packed = path.read_bytes()
    assert outcome(packed, "brotli") == expected
    assert haagenti.decompress(packed, "brotli", size=len(expected)) == expected


def test_lz4_skippable_frame() -> None:
    packed = (CORPORA / "lz4-goldenSamples" / "skip.bin").read_bytes()
    assert outcome(packed, "lz4") == b""
    assert haagenti.decompress(packed) == b""


# --- Files behind old bugs of zlib -----------------------------------------------------------------------------------------------------

GZIP_FILES = ["CVE-2002-0059", "CVE-2004-0797", "CVE-2005-1849", "CVE-2005-2096", "GH-1600", "GH-979"]


@pytest.mark.parametrize("name", GZIP_FILES)
def test_gzip_verdicts(name: str) -> None:
    (path,) = (CORPORA / "zlib-ng-tests" / name).glob("*.gz")
    packed = path.read_bytes()
    reference = zlib.decompressobj(31)
    try:
        expected: bytes | None = reference.decompress(packed)
        if not reference.eof:
            expected = None
    except zlib.error:
        expected = None
    result = outcome(packed, "gzip")
    if reference.unused_data and expected is not None:
        assert not isinstance(result, bytes) or result.startswith(expected)
        assert haagenti.decompress(packed, "gzip", allow_trailing=True).startswith(expected)
    else:
        assert (result if isinstance(result, bytes) else None) == expected
    for wrapper in ("zlib", "deflate"):  # hostile bytes of another format: an answer or an error
        outcome(packed, wrapper)


@pytest.mark.parametrize(
    "path", sorted(p for p in (CORPORA / "zlib-ng-tests").rglob("*") if p.is_file() and p.suffix != ".gz"), ids=lambda p: p.stem
)
@pytest.mark.parametrize("name", ["deflate", "zlib", "gzip"])
def test_inputs_that_broke_compressors(path: Path, name: str) -> None:
    data = path.read_bytes()
    for level in (1, 6, 9):
        for threads in (1, 2):
            packed = haagenti.compress(data, name, level, threads=threads)
            assert zlib.decompress(packed, {"deflate": -15, "zlib": 15, "gzip": 31}[name]) == data
            assert haagenti.decompress(packed, name) == data


# --- Round trips -----------------------------------------------------------------------------------------------------------------------

canterbury = sorted(p for p in (CORPORA / "canterbury-corpus").rglob("*") if p.is_file() and p.name != "SHA1SUM")


@pytest.mark.parametrize("name", NAMES)
def test_canterbury(name: str) -> None:
    compressor = haagenti.Compressor(name, "fast")
    assert len(canterbury) >= 30
    for path in canterbury:
        data = path.read_bytes()
        assert unpack(compressor.compress(data), name, data) == data, path.name


silesia = sorted((CORPORA / "silesia-zips").glob("*.zip"))


@pytest.mark.parametrize("path", silesia, ids=lambda p: p.stem)
def test_silesia(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        data = archive.read(archive.namelist()[0])[: 6 << 20]
    for name in NAMES:
        packed = haagenti.compress(data, name, "fast")
        assert len(packed) < len(data)
        assert unpack(packed, name, data) == data, name
