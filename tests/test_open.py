"""haagenti.open: what gzip.open does, for every algorithm; and files that are whole or not there."""

from __future__ import annotations

import csv
import errno
import gc
import gzip
import io
import json
import os
import pickle
import stat
import tarfile
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import haagenti
from haagenti.compressed_file import UnclosedFileWarning
from haagenti.compressed_file.reader import BUFFER_SIZE
from haagenti.errors import CorruptError, DecompressionError, InvalidArgumentError, IoError, TruncatedError, UnsupportedError

SUFFIXES = {"zstd": ".zst", "lz4": ".lz4", "lz4hc": ".lz4", "brotli": ".br", "deflate": ".deflate", "zlib": ".zz", "gzip": ".gz"}
MAGIC = ("zstd", "lz4", "zlib", "gzip")
APPENDABLE = ("zstd", "lz4", "lz4hc", "gzip")
ALL = tuple(SUFFIXES)

rng = np.random.default_rng(0)
LINES = b"".join(b"%d %s\n" % (i, b"x" * int(n)) for i, n in enumerate(rng.integers(0, 200, 4000)))
NOISE = rng.integers(0, 4, 400_000, dtype=np.uint8).tobytes()
TEXT = "".join(f"línea {i}\r\n" if i % 3 else f"línea {i}\n" for i in range(2000))


def read_in_blocks(file: Any, n: int) -> bytes:
    return b"".join(iter(lambda: file.read(n), b""))


def written(folder: Path, data: bytes, algorithm: str = "zstd", **options: Any) -> Path:
    path = folder / f"file{SUFFIXES[algorithm]}"
    with haagenti.open(path, "wb", algorithm, **options) as file:
        assert file.write(data) == len(data)
    return path


@pytest.fixture
def unclosed() -> Any:
    """The warning is what is being tested."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UnclosedFileWarning)
        yield caught


# --- as gzip.open -------------------------------------------------------------------------------------------------------------------------

READS: dict[str, Callable[[Any], Any]] = {
    "read": lambda file: (file.read(), file.read()),
    "read -1": lambda file: file.read(-1),
    "read 0": lambda file: (file.read(0), file.tell()),
    "sizes": lambda file: [file.read(n) for n in (0, 1, 2, 7, 8192, 131072, 131073, 10**6, 1)],
    "read1": lambda file: len(file.read1(1)),
    "readline": lambda file: [file.readline() for _ in range(50)] + [file.readline(3)],
    "readlines": lambda file: file.readlines(),
    "iteration": lambda file: (list(file), file.read()),
    "next, then read": lambda file: (next(file, None), file.read(10), file.tell()),
    "peek": lambda file: (file.peek(1)[:1], file.read(5)),
    "readinto": lambda file: (lambda buffer: (file.readinto(buffer), bytes(buffer)))(bytearray(1000)),
    "tell": lambda file: [(len(file.read(n)), file.tell()) for n in (1, 10, 100_000, 10**6)],
    "seek forward": lambda file: (file.seek(200_000), file.tell(), file.read(10)),
    "seek backward": lambda file: (file.read(200_000)[-1:], file.seek(5), file.read(10), file.tell()),
    "seek relative": lambda file: (file.read(10), file.seek(100, 1), file.read(5), file.seek(-min(50, file.tell()), 1), file.read(5)),
    "seek to the end": lambda file: (file.seek(0, 2), file.read(), file.seek(-min(7, file.tell()), 2), file.read()),
    "seek behind the end": lambda file: (file.seek(10**9) >= 0, file.read()),
    "seek before the beginning": lambda file: (file.seek(0), file.read(3)),
    "rewind after the end": lambda file: (len(file.read()), file.seek(0), file.read(9), len(file.read())),
    "manners": lambda file: (file.readable(), file.writable(), file.seekable(), file.closed),
    "as a buffer": lambda file: np.frombuffer(file.read(4000), np.uint16).sum(),
    "through a TextIOWrapper": lambda file: io.TextIOWrapper(file, "latin-1").readlines(),
}


@pytest.mark.parametrize("algorithm", ALL)
@pytest.mark.parametrize("operation", READS)
@pytest.mark.parametrize("data", [b"", b"one", LINES, NOISE], ids=["empty", "short", "lines", "noise"])
def test_reading_is_as_with_gzip(algorithm: str, operation: str, data: bytes, tmp_path: Path) -> None:
    if operation == "as a buffer" and len(data) < 4000 and len(data) % 2:
        data += b"!"
    path = written(tmp_path, data, algorithm, level="fast")
    with gzip.open(tmp_path / "expected.gz", "wb", 1) as file:
        file.write(data)
    with haagenti.open(path, algorithm=algorithm) as ours, gzip.open(tmp_path / "expected.gz") as theirs:
        assert READS[operation](ours) == READS[operation](theirs)


TEXT_READS: dict[str, Callable[[Any], Any]] = {
    "read": lambda file: file.read(),
    "characters": lambda file: [file.read(n) for n in (1, 5, 4096, 10**6)],
    "lines": lambda file: list(file),
    "tell and seek": lambda file: (file.readline(), (lambda at: (file.readline(), file.seek(at) >= 0, file.readline()))(file.tell())),
}


@pytest.mark.parametrize("newline", [None, "", "\n", "\r\n"])
@pytest.mark.parametrize("operation", TEXT_READS)
def test_text_is_as_with_gzip(newline: str | None, operation: str, tmp_path: Path) -> None:
    for module, name in ((haagenti, "a.zst"), (gzip, "a.gz")):
        with module.open(tmp_path / name, "wt", encoding="utf-16", newline=newline) as file:
            for line in TEXT.splitlines(keepends=True):
                file.write(line)
    assert gzip.decompress((tmp_path / "a.gz").read_bytes()) == haagenti.decompress((tmp_path / "a.zst").read_bytes())
    with (
        haagenti.open(tmp_path / "a.zst", "rt", encoding="utf-16", newline=newline) as ours,
        gzip.open(tmp_path / "a.gz", "rt", encoding="utf-16", newline=newline) as theirs,
    ):
        assert TEXT_READS[operation](ours) == TEXT_READS[operation](theirs)


def test_what_cannot_be_decoded_follows_errors(tmp_path: Path) -> None:
    path = written(tmp_path, b"caf\xe9")
    with haagenti.open(path, "rt", encoding="utf-8") as file, pytest.raises(UnicodeDecodeError):
        file.read()
    with haagenti.open(path, "rt", encoding="utf-8", errors="replace") as file:
        assert file.read() == "caf\ufffd"


@pytest.mark.parametrize("algorithm", ALL)
def test_other_modules_read_and_write_through_it(algorithm: str, tmp_path: Path) -> None:
    path, value = tmp_path / f"file{SUFFIXES[algorithm]}", {"a": [1, 2.5, "x" * 1000], "b": b"\0" * 500}
    array = np.arange(100_000, dtype=np.float32).reshape(100, 1000)
    with haagenti.open(path, "wb", algorithm) as file:
        pickle.dump(value, file)
        np.save(file, array)
        np.save(file, array.T)
        pickle.dump([value], file)
    with haagenti.open(path, "rb", algorithm) as file:
        assert pickle.load(file) == value
        assert np.array_equal(np.load(file), array)
        assert np.array_equal(np.load(file), array.T)
        assert pickle.load(file) == [value]
        assert file.read() == b""
    with haagenti.open(path, "wt", algorithm, encoding="utf-8", newline="") as text:
        csv.writer(text).writerows([["a", "b,c"], ["1", "2\n3"]])
        json.dump(value["a"], text)
    with haagenti.open(path, "rt", algorithm, encoding="utf-8", newline="") as text:
        assert text.read() == 'a,"b,c"\r\n1,"2\n3"\r\n' + json.dumps(value["a"])


@pytest.mark.parametrize("algorithm", ALL)
def test_tar_files(algorithm: str, tmp_path: Path) -> None:
    path, members = tmp_path / "a.tar", {"one": LINES, "two": b"", "three": NOISE}
    with haagenti.open(path, "wb", algorithm) as file, tarfile.open(fileobj=file, mode="w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    for mode in ("r:", "r|"):
        with haagenti.open(path, "rb", algorithm) as file, tarfile.open(fileobj=file, mode=mode) as tar:  # type: ignore[call-overload]
            assert {member.name: tar.extractfile(member).read() for member in tar} == members
    with haagenti.open(path, "rb", algorithm) as file, tarfile.open(fileobj=file) as tar:
        assert tar.extractfile("three").read() == NOISE
        assert tar.extractfile("one").read() == LINES


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_random_reads_and_seeks_are_those_of_bytesio(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    content = (LINES if data.draw(st.booleans()) else NOISE)[
        : data.draw(st.sampled_from([0, 1, 1000, BUFFER_SIZE, BUFFER_SIZE + 1, 400_000]))
    ]
    path = written(tmp_path_factory.mktemp("seeks"), content, data.draw(st.sampled_from(ALL)), level="fast")
    expected = io.BytesIO(content)
    position = st.integers(0, len(content) + 1000)
    with haagenti.open(path, algorithm=None if path.suffix != ".deflate" else "deflate") as file:
        for _ in range(data.draw(st.integers(1, 15))):
            match data.draw(st.sampled_from(["read", "readline", "set", "cur", "end", "readinto"])):
                case "read":
                    n = data.draw(st.integers(-1, 200_000))
                    assert file.read(n) == expected.read(n)
                case "readline":
                    assert file.readline() == expected.readline()
                case "set":
                    target = data.draw(position)
                    file.seek(target)
                    expected.seek(min(target, len(content)))  # as in gzip, nothing is behind the end
                case "cur":
                    target = data.draw(position) - expected.tell()
                    file.seek(target, 1)
                    expected.seek(min(expected.tell() + target, len(content)))
                case "end":
                    target = data.draw(st.integers(0, len(content)))
                    assert file.seek(-target, 2) == expected.seek(-target, 2)
                case "readinto":
                    ours, theirs = bytearray(777), bytearray(777)
                    assert file.readinto(ours) == expected.readinto(theirs)
                    assert ours == theirs
            assert file.tell() == expected.tell()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 300_000), max_size=12), st.sampled_from(ALL), st.integers(1, 3))
def test_what_is_written_in_any_pieces_is_read(sizes: list[int], algorithm: str, flush_every: int) -> None:
    content, compressed = (NOISE * 10)[: sum(sizes)], io.BytesIO()
    with haagenti.open(compressed, "wb", algorithm, "fast") as file:
        at = 0
        for i, size in enumerate(sizes):
            assert file.write(memoryview(content)[at : at + size]) == size
            at += size
            assert file.tell() == at
            if i % flush_every == 0:
                file.flush()
    assert haagenti.open(io.BytesIO(compressed.getvalue()), algorithm=algorithm).read() == content
    assert haagenti.decompress(compressed.getvalue(), algorithm) == content


def test_many_small_writes_compress_as_one(tmp_path: Path) -> None:
    whole, pieces = written(tmp_path, LINES).stat().st_size, tmp_path / "pieces.zst"
    with haagenti.open(pieces, "w") as file:
        for line in LINES.splitlines(keepends=True):
            file.write(line)
    assert pieces.stat().st_size <= whole * 1.02
    with haagenti.open(pieces, "wt", encoding="latin-1", newline="\n") as text:
        text.writelines(LINES.decode("latin-1").splitlines(keepends=True))
    assert pieces.stat().st_size <= whole * 1.02


def test_arrays_and_other_buffers_are_written_as_their_bytes(tmp_path: Path) -> None:
    array = np.arange(12, dtype=np.int16).reshape(3, 4)
    with haagenti.open(tmp_path / "a.zst", "w") as file:
        assert file.write(array) == 24
        assert file.write(bytearray(b"ab")) == 2
        assert file.write(np.empty(0, np.float32)) == 0
        with pytest.raises(TypeError):
            file.write("text")  # type: ignore[arg-type]
    assert haagenti.open(tmp_path / "a.zst").read() == array.tobytes() + b"ab"


@pytest.mark.parametrize("algorithm", ["zstd", "lz4", "gzip"])
def test_several_threads_write_what_one_reads(algorithm: str, tmp_path: Path) -> None:
    data = NOISE * 20
    path = written(tmp_path, data, algorithm, threads=2)
    assert haagenti.open(path).read() == data
    with haagenti.open(path, threads=2) as file:
        assert file.read(100) + file.read() == data
    assert haagenti.open(path, threads=2).read() == data


def test_a_thread_too_many_is_refused_before_a_file_is_there(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError):
        haagenti.open(tmp_path / "a.br", "w", threads=2)
    assert list(tmp_path.iterdir()) == []


# --- which algorithm ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", MAGIC)
@pytest.mark.parametrize("name", ["plain", "wrong.zst", "wrong.lz4", "wrong.gz"])
def test_the_first_bytes_tell_before_the_name(algorithm: str, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(haagenti.compress(LINES, algorithm))
    assert haagenti.open(tmp_path / name).read() == LINES
    with haagenti.open(io.BytesIO(haagenti.compress(LINES, algorithm))) as file:
        assert file.readline() == LINES.splitlines(keepends=True)[0]


@pytest.mark.parametrize(("suffix", "algorithm"), [(".br", "brotli"), (".deflate", "deflate"), (".BR", "brotli")])
def test_the_name_tells_where_the_bytes_do_not(suffix: str, algorithm: str, tmp_path: Path) -> None:
    (tmp_path / f"a{suffix}").write_bytes(haagenti.compress(LINES, algorithm))
    assert haagenti.open(tmp_path / f"a{suffix}").read() == LINES


def test_two_bytes_that_look_like_zlib_do_not_outdo_a_name() -> None:
    from haagenti.compressed_file.names import algorithm_by_content

    assert algorithm_by_content(b"\x1f\x8b\x08\x00", "a.br") == "brotli"
    assert algorithm_by_content(b"\x78\x9c\x03\x00", "a.deflate") == "deflate"
    assert algorithm_by_content(b"\x78\x9c\x03\x00", "a.gz") == "zlib"
    assert algorithm_by_content(b"\x28\xb5\x2f\xfd\x00\x00", "a.br") == "zstd"


@pytest.mark.parametrize("suffix", [".zst", ".lz4", ".br", ".deflate", ".zz", ".zlib", ".gz", ".GZ", ".tgz"])
def test_writing_goes_by_the_suffix(suffix: str, tmp_path: Path) -> None:
    names = {**{suffix: name for name, suffix in SUFFIXES.items() if name != "lz4hc"}, ".zlib": "zlib", ".tgz": "gzip"}
    with haagenti.open(tmp_path / f"a{suffix}", "w") as file:
        file.write(LINES)
    assert haagenti.decompress((tmp_path / f"a{suffix}").read_bytes(), names[suffix.lower()]) == LINES


def test_a_name_that_tells_nothing_lists_the_suffixes(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"a\.bin: .*\.gz, .*\.lz4, .*\.zst"):
        haagenti.open(tmp_path / "a.bin", "w")
    with pytest.raises(InvalidArgumentError, match=r"\.zst"):
        haagenti.open(io.BytesIO(), "w")
    (tmp_path / "a.bin").write_bytes(b"neither")
    with pytest.raises(InvalidArgumentError, match=r"a\.bin: neither first bytes nor suffix"):
        haagenti.open(tmp_path / "a.bin")
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


def test_skippable_frames_in_front(tmp_path: Path) -> None:
    skippable = b"\x50\x2a\x4d\x18\x05\0\0\0hello"
    for algorithm in ("zstd", "lz4"):
        (tmp_path / "a").write_bytes(skippable + haagenti.compress(b"after", algorithm))
        assert haagenti.open(tmp_path / "a").read() == b"after"


# --- arguments ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["", "b", "t", "rw", "rr", "rbt", "r+", "rU", "U", "wbb", "z", "rtb"])
def test_unknown_modes(mode: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="mode"):
        haagenti.open(tmp_path / "a.zst", mode)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "options",
    [
        {"level": 1000},
        {"level": "slow"},
        {"algorithm": "rar"},
        {"algorithm": "lz4_block"},
        {"threads": -1},
        {"encoding": "utf-8"},
        {"newline": ""},
    ],
)
def test_wrong_arguments_leave_the_old_file(options: dict[str, Any], tmp_path: Path) -> None:
    path = written(tmp_path, b"old")
    with pytest.raises(InvalidArgumentError):
        haagenti.open(path, "w", **options)
    assert haagenti.open(path).read() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_wrong_text_arguments_leave_the_old_file(tmp_path: Path) -> None:
    path = written(tmp_path, b"old")
    for options in ({"encoding": "no-such-code"}, {"newline": "x"}):
        for mode in ("wt", "at", "rt"):
            with pytest.raises((LookupError, ValueError)):
                haagenti.open(path, mode, **options)
    assert haagenti.open(path).read() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_paths_of_every_kind(tmp_path: Path) -> None:
    for path in (tmp_path / "a.zst", str(tmp_path / "b.zst"), os.fsencode(tmp_path / "c.zst"), os.fsencode(tmp_path) + b"/\xff.zst"):
        with haagenti.open(path, "x") as file:
            file.write(b"data")
        with haagenti.open(path) as reader:
            assert reader.read() == b"data"
    with pytest.raises(TypeError, match="path or a file object"):
        haagenti.open(3)  # type: ignore[call-overload]
    with pytest.raises(FileNotFoundError):
        haagenti.open(tmp_path / "missing.zst")
    with pytest.raises(IsADirectoryError):
        haagenti.open(tmp_path, algorithm="zstd")
    with pytest.raises(FileNotFoundError):
        haagenti.open(tmp_path / "missing" / "a.zst", "w")


def test_names_and_modes(tmp_path: Path) -> None:
    path = str(tmp_path / "a.zst")
    for mode in ("wb", "ab"):
        with haagenti.open(path, mode) as file:
            assert (file.name, file.mode, file.writable(), file.readable(), file.seekable()) == (path, mode, True, False, False)
            assert os.fstat(file.fileno()).st_size >= 0
            for forbidden in (file.read, lambda: file.seek(0)):
                with pytest.raises(io.UnsupportedOperation):
                    forbidden()
    with haagenti.open(path) as reader:
        assert (reader.name, reader.mode, reader.readable()) == (path, "rb", True)
        with pytest.raises(io.UnsupportedOperation):  # the descriptor has compressed bytes: nobody may take them for the content
            reader.fileno()


def test_a_closed_file_is_a_value_error(tmp_path: Path) -> None:
    path = written(tmp_path, b"data")
    reader, writer = haagenti.open(path), haagenti.open(tmp_path / "b.zst", "w")
    text = haagenti.open(tmp_path / "c.zst", "wt")
    for file in (reader, writer, text):
        file.close()
        file.close()
        assert file.closed
    for call in (reader.read, reader.tell, lambda: reader.seek(0), reader.readline, lambda: next(reader), reader.readable):
        with pytest.raises(ValueError, match="closed"):
            call()
    for call in (
        lambda: writer.write(b"x"),
        writer.flush,
        writer.tell,
        writer.fileno,
        writer.writable,
        writer.__enter__,
        lambda: text.write("x"),
    ):
        with pytest.raises(ValueError, match="closed"):
            call()


def test_checksums_are_on_in_files(tmp_path: Path) -> None:
    for algorithm in ("zstd", "lz4"):
        assert written(tmp_path, LINES, algorithm).stat().st_size > written(tmp_path, LINES, algorithm, checksum=False).stat().st_size
        data = bytearray(written(tmp_path, LINES, algorithm).read_bytes())
        data[-1] ^= 1
        with pytest.raises(CorruptError, match="checksum"):
            haagenti.open(io.BytesIO(data)).read()


def test_levels_and_dictionaries(tmp_path: Path) -> None:
    dictionary = LINES[:20_000]
    with_one = written(tmp_path, LINES[:10_000], dictionary=dictionary, level="best")
    with haagenti.open(with_one, dictionary=dictionary) as file:
        assert file.read(100) + file.read() == LINES[:10_000]
        file.seek(0)
        assert file.read() == LINES[:10_000]
    size = with_one.stat().st_size
    assert size < written(tmp_path, LINES[:10_000], level="best").stat().st_size
    assert written(tmp_path, LINES, level=-50).stat().st_size > written(tmp_path, LINES, level=19).stat().st_size


# --- file objects -------------------------------------------------------------------------------------------------------------------------


class Trickle(io.RawIOBase):
    """Gives and takes a few bytes at a time, and cannot seek."""

    def __init__(self, data: bytes = b"") -> None:
        self.data, self.at = bytearray(data), 0

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self.data[self.at : self.at + min(3, len(buffer))]
        buffer[: len(block)] = block
        self.at += len(block)
        return len(block)

    def write(self, data: Any) -> int:
        n = min(1000, len(data))
        self.data += data[:n]
        return n


@pytest.mark.parametrize("algorithm", ALL)
def test_a_file_object_that_takes_and_gives_little(algorithm: str) -> None:
    target = Trickle()
    with haagenti.open(target, "wb", algorithm) as file:
        file.write(NOISE)
    assert not target.closed
    assert haagenti.decompress(bytes(target.data), algorithm) == NOISE
    source = Trickle(bytes(target.data[:5000]))
    with haagenti.open(source, algorithm=None if algorithm in MAGIC else algorithm) as reader:
        assert not reader.seekable()
        with pytest.raises(io.UnsupportedOperation):
            reader.seek(0)
        with pytest.raises(TruncatedError):
            reader.read()
    assert not source.closed


def test_a_file_object_is_read_from_where_it_is() -> None:
    source = io.BytesIO(b"front" + haagenti.compress(LINES))
    source.seek(5)
    with haagenti.open(source) as file:
        assert file.read(1000) == LINES[:1000]
        assert (file.seek(10), file.read()) == (10, LINES[10:])
    assert not source.closed


def test_a_file_object_given_up_is_seen_as_truncated() -> None:
    target = io.BytesIO()
    with pytest.raises(ZeroDivisionError), haagenti.open(target, "w", "zstd") as file:  # noqa: PT012
        file.write(LINES)
        file.flush()
        1 / 0  # noqa: B018
    with haagenti.open(io.BytesIO(target.getvalue())) as reader:
        assert reader.read(len(LINES)) == LINES
        with pytest.raises(TruncatedError):
            reader.read()


def test_a_text_file_object_is_refused() -> None:
    with pytest.raises(TypeError, match="binary"):
        haagenti.open(io.StringIO("text"))


def test_pipes(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.zst")
    got: list[bytes] = []

    def read() -> None:
        with haagenti.open(tmp_path / "pipe.zst") as file:
            got.append(file.read())

    thread = threading.Thread(target=read)
    thread.start()
    with haagenti.open(tmp_path / "pipe.zst", "w") as file:
        file.write(NOISE)
    thread.join(timeout=60)
    assert got == [NOISE]
    assert stat.S_ISFIFO((tmp_path / "pipe.zst").stat().st_mode)


# --- damage -------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ALL)
@pytest.mark.parametrize("whole", [True, False])
def test_a_truncated_file(algorithm: str, whole: bool) -> None:
    packed = haagenti.compress(LINES, algorithm)
    for size in sorted({0, 1, 2, 5, len(packed) // 2, len(packed) - 1}):
        with haagenti.open(io.BytesIO(packed[:size]), algorithm=algorithm) as file:
            got = b""
            with pytest.raises(TruncatedError):  # noqa: PT012 - what was read before the error counts
                if whole:
                    file.read()
                while block := file.read1(999):
                    got += block
            assert LINES.startswith(got)
            with pytest.raises(TruncatedError):
                file.read(1)


@pytest.mark.parametrize("algorithm", ALL)
def test_bytes_after_the_end(algorithm: str) -> None:
    for garbage in (b"garbage", bytes(range(1, 256)) * 1000):
        packed = haagenti.compress(LINES, algorithm) + garbage
        for n in (-1, 4096):
            with haagenti.open(io.BytesIO(packed), algorithm=algorithm) as file, pytest.raises(CorruptError):
                read_in_blocks(file, n)


@pytest.mark.parametrize("padding", [1, 7, 512, 1_000_000])
def test_zeros_after_a_gzip_member(padding: int) -> None:
    packed = gzip.compress(b"one") + bytes(padding) + gzip.compress(b"two") + bytes(padding)
    with haagenti.open(io.BytesIO(packed)) as file:
        assert file.read(2) + file.read(100) + file.read() == b"onetwo"
    assert haagenti.open(io.BytesIO(packed)).read() == b"onetwo"
    with haagenti.open(io.BytesIO(packed + b"x")) as file, pytest.raises(DecompressionError):
        read_in_blocks(file, 3)


def test_an_error_is_told_again_until_the_file_is_rewound() -> None:
    packed = bytearray(haagenti.compress(NOISE, checksum=True))
    packed[-1] ^= 1
    with haagenti.open(io.BytesIO(packed)) as file:
        for _ in range(2):
            with pytest.raises(CorruptError):
                file.read()
        with pytest.raises(CorruptError):
            file.readline()
        assert file.seek(0) == 0
        assert file.read(100) == NOISE[:100]


@pytest.mark.parametrize("algorithm", ALL)
def test_little_is_decoded_for_a_small_read(algorithm: str) -> None:
    packed = io.BytesIO(haagenti.compress(bytes(100_000_000), algorithm, level="fast"))
    with haagenti.open(packed, algorithm=algorithm) as file:
        assert file.read(10) == bytes(10)
        assert file.raw.tell() <= BUFFER_SIZE  # type: ignore[attr-defined]


# --- whole or not there -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["w", "wt", "x", "xt", "a", "at"])
@pytest.mark.parametrize("end", ["exception", "forgotten", "cycle", "interrupt"])
def test_a_file_given_up_leaves_what_was_there(mode: str, end: str, tmp_path: Path, unclosed: list) -> None:
    path, data = tmp_path / "a.zst", LINES.decode() if "t" in mode else LINES
    if "x" not in mode:
        written(tmp_path, b"old").rename(path)
    if end in ("exception", "interrupt"):
        error = ZeroDivisionError if end == "exception" else KeyboardInterrupt
        with pytest.raises(error), haagenti.open(path, mode) as file:  # noqa: PT012
            file.write(data)
            file.flush()
            raise error
        assert file.closed
    else:
        file = haagenti.open(path, mode)
        file.write(data)
        if end == "cycle":
            file.me = file
        del file
        gc.collect()
        assert [str(warning.message) for warning in unclosed] == [f"{path!r} was not closed: what was written to it is given up"]
    if "x" in mode:
        assert list(tmp_path.iterdir()) == []
    else:
        assert haagenti.open(path).read() == b"old"
        assert list(tmp_path.iterdir()) == [path]


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = written(tmp_path, b"old")
    with haagenti.open(path, "w") as file:
        file.write(LINES)
        file.flush()
        assert haagenti.open(path).read() == b"old"
    assert haagenti.open(path).read() == LINES


def test_x_and_overwrite_false_leave_files_alone(tmp_path: Path) -> None:
    path = written(tmp_path, b"old")
    with pytest.raises(FileExistsError):
        haagenti.open(path, "x")
    with pytest.raises(IoError, match="overwrite"):
        haagenti.open(path, "w", overwrite=False)
    with pytest.raises(OSError, match="file"), haagenti.open(tmp_path / "late.zst", "x") as file:
        (tmp_path / "late.zst").write_bytes(b"another's")
    assert file.closed
    assert (tmp_path / "late.zst").read_bytes() == b"another's"
    assert haagenti.open(path).read() == b"old"
    assert len(list(tmp_path.iterdir())) == 2


def test_mode_and_links_survive_replacing(tmp_path: Path) -> None:
    path, link = written(tmp_path, b"old"), tmp_path / "link.zst"
    path.chmod(0o640)
    link.symlink_to(path.name)
    with haagenti.open(link, "w") as file:
        file.write(b"new")
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert haagenti.open(path).read() == b"new"


@pytest.mark.parametrize("algorithm", APPENDABLE)
def test_appending(algorithm: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{SUFFIXES[algorithm]}"
    for i, part in enumerate((b"one ", b"", b"two")):
        with haagenti.open(path, "ab", algorithm) as file:
            assert file.tell() == 0
            file.write(part)
        assert path.exists(), i
    assert haagenti.open(path).read() == b"one two"
    with haagenti.open(path, "ab") as file:  # recognised by its bytes
        file.write(b"!")
    assert haagenti.open(path).read() == b"one two!"


def test_appending_what_could_not_be_read(tmp_path: Path) -> None:
    for algorithm in ("brotli", "zlib", "deflate"):
        path = written(tmp_path, b"old", algorithm)
        before = path.read_bytes()
        with pytest.raises(InvalidArgumentError, match="may follow each other"):
            haagenti.open(path, "a", algorithm)
        with pytest.raises(InvalidArgumentError):
            haagenti.open(path, "a", "zstd")
        assert path.read_bytes() == before
    (tmp_path / "plain.zst").write_bytes(b"plain")
    with pytest.raises(InvalidArgumentError, match="cannot be appended"):
        haagenti.open(tmp_path / "plain.zst", "a")
    assert (tmp_path / "plain.zst").read_bytes() == b"plain"
    with haagenti.open(written(tmp_path, b"a", "lz4"), "a", "lz4hc") as file:
        file.write(b"b")
    assert haagenti.open(tmp_path / "file.lz4").read() == b"ab"


class Full(io.BytesIO):
    """A full disk."""

    def write(self, data: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("size", [10, 1_000_000])
def test_a_write_that_failed_is_told_by_close(size: int) -> None:
    data = rng.integers(0, 256, size, dtype=np.uint8).tobytes()
    file = haagenti.open(Full(), "w", "zstd")
    with suppress(OSError):  # at once, or not before the bytes are handed on
        file.write(data)
    with pytest.raises(OSError):  # noqa: PT011 - either the disk's or ours
        file.close()
    assert file.closed
    file.close()


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    with pytest.raises(OSError, match="No space"), haagenti.open("/dev/full", "w", "zstd") as file:
        file.write(LINES)
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)
