"""What help() and inspect show of the compiled functions and classes, and that the examples in their docstrings are true."""

from __future__ import annotations

import copy
import doctest
import inspect
import pickle

import pytest
from codec_cases import run_python

import haagenti
from haagenti.streaming import Decoder, Encoder

FUNCTIONS = {
    "compress": "(data, algorithm='zstd', level=None, dictionary=None, threads=1, checksum=None)",
    "compress_into": "(data, out, algorithm='zstd', level=None, dictionary=None, threads=1, checksum=None)",
    "decompress": "(data, algorithm=None, max_size=None, dictionary=None, threads=1, size=None, *, allow_trailing=False)",
    "decompress_into": "(data, out, algorithm=None, dictionary=None, threads=1, *, allow_trailing=False)",
    "compress_bound": "(n_bytes, algorithm='zstd')",
}
CLASSES = {
    haagenti.Compressor: "(algorithm, level=None, dictionary=None, threads=1, checksum=None)",
    haagenti.Decompressor: "(algorithm=None, max_size=None, dictionary=None, threads=1, *, allow_trailing=False)",
    Encoder: "(algorithm, level=None, dictionary=None, threads=1, checksum=None)",
    Decoder: "(algorithm, max_size=None, dictionary=None, *, allow_trailing=False, single_frame=False)",
}
METHODS = {
    haagenti.Compressor.compress: "(self, /, data)",
    haagenti.Compressor.compress_into: "(self, /, data, out)",
    haagenti.Decompressor.decompress: "(self, /, data, size=None)",
    haagenti.Decompressor.decompress_into: "(self, /, data, out)",
    Encoder.write: "(self, /, chunk)",
    Encoder.flush: "(self, /)",
    Encoder.finish: "(self, /)",
    Decoder.write: "(self, /, chunk, max_length=None)",
    Decoder.finish: "(self, /)",
}
DOCUMENTED = [*(getattr(haagenti, name) for name in FUNCTIONS), *CLASSES, haagenti.ZstdDict]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_signatures_of_functions(name: str) -> None:
    assert str(inspect.signature(getattr(haagenti, name))) == FUNCTIONS[name]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_signatures_of_classes(cls: type) -> None:
    assert str(inspect.signature(cls)) == CLASSES[cls]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__qualname__)
def test_signatures_of_methods(method) -> None:
    assert str(inspect.signature(method)) == METHODS[method]
    assert method.__doc__.strip()


@pytest.mark.parametrize("documented", DOCUMENTED, ids=lambda documented: documented.__name__)
def test_examples(documented) -> None:
    test = doctest.DocTestParser().get_doctest(documented.__doc__, {}, documented.__name__, None, 0)
    assert test.examples, "there is no example"
    report: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.append)
    assert result.failed == 0, "".join(report)


@pytest.mark.parametrize("documented", DOCUMENTED, ids=lambda documented: documented.__name__)
def test_docstrings_have_their_parts(documented) -> None:
    doc = documented.__doc__
    assert doc.strip().splitlines()[0].endswith(".")
    if documented is not haagenti.ZstdDict:
        for parameter in inspect.signature(documented).parameters:
            assert f"{parameter}:" in doc or documented is haagenti.Decompressor, parameter


@pytest.mark.parametrize("cls", [*CLASSES, haagenti.ZstdDict], ids=lambda cls: cls.__name__)
def test_names_of_classes(cls: type) -> None:
    assert cls.__module__ in ("haagenti", "haagenti.streaming", "haagenti._core")
    assert cls.__name__ in repr(cls)


def test_the_table() -> None:
    table = haagenti.algorithms()
    assert [row.name for row in table] == ["zstd", "lz4", "lz4hc", "lz4_block", "brotli", "deflate", "zlib", "gzip"]
    assert len({row.id for row in table}) == len(table)
    for row in table:
        assert row.library
        assert len(row.library.split(", ")) == len(row.library_version.split(", "))
        assert row.words.keys() == {"fast", "default", "best"}
        assert all(level in row.levels for level in row.words.values())
        assert row.words["fast"] <= row.words["default"] <= row.words["best"]
        assert (row.streaming_levels is None) == (not row.streaming)
        assert row.streaming == (row.name != "lz4_block")
        assert row.suffix == "" or row.suffix.startswith(".")
    assert {row.name for row in table if row.dictionary} == {"zstd", "lz4", "lz4hc", "lz4_block", "zlib", "deflate"}
    assert {row.name: row.checksum for row in table} == {
        "zstd": "optional",
        "lz4": "optional",
        "lz4hc": "optional",
        "lz4_block": "never",
        "brotli": "never",
        "deflate": "never",
        "zlib": "always",
        "gzip": "always",
    }


def test_detection() -> None:
    from haagenti import _core

    for name, expected in (("zstd", "zstd"), ("lz4", "lz4"), ("lz4hc", "lz4"), ("gzip", "gzip"), ("zlib", "zlib")):
        assert _core.detect_algorithm(haagenti.compress(b"weights", name)) == expected
    for data in (b"", b"x", b"plain text"):
        assert _core.detect_algorithm(data) is None


def test_errors_are_also_the_usual_ones() -> None:
    assert issubclass(haagenti.InvalidArgumentError, ValueError)
    assert issubclass(haagenti.CorruptError, haagenti.DecompressionError)
    assert issubclass(haagenti.TruncatedError, haagenti.DecompressionError)
    assert issubclass(haagenti.DecompressionError, haagenti.Error)
    assert not issubclass(haagenti.InvalidArgumentError, haagenti.DecompressionError)


@pytest.mark.parametrize("package", ["numcodecs", "zarr", "fsspec"])
def test_a_missing_package_is_named(package: str) -> None:
    run_python(
        f"""
import sys
import haagenti
assert {package!r} not in sys.modules
sys.modules[{package!r}] = None  # as if it were not installed
try:
    import haagenti.{package}
except ModuleNotFoundError as error:
    assert {package!r} in str(error), error
else:
    raise SystemExit("it was imported")
"""
    )


def test_reused_objects_are_pickled_with_their_options() -> None:
    dictionary = haagenti.ZstdDict(bytes(range(200)) * 3)
    compressor = pickle.loads(pickle.dumps(haagenti.Compressor("zstd", 7, dictionary, checksum=True)))
    decompressor = copy.copy(haagenti.Decompressor("zstd", 500, dictionary, allow_trailing=True))
    packed = compressor.compress(bytes(range(200)))
    assert packed == haagenti.compress(bytes(range(200)), "zstd", 7, dictionary, checksum=True)
    assert decompressor.decompress(packed + b"!") == bytes(range(200))
    with pytest.raises(haagenti.DecompressionError):
        decompressor.decompress(haagenti.compress(bytes(501)))
    assert repr(compressor) == "haagenti.Compressor('zstd', level=7, threads=1)"
    assert repr(decompressor) == "haagenti.Decompressor('zstd', threads=1)"


def test_rows_of_the_table_are_keys() -> None:
    assert len(set(haagenti.algorithms())) == 8
