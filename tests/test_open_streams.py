"""haagenti.open over file objects that do not block, are interrupted or slow; and the options for reading."""

from __future__ import annotations

import io
import os
import traceback
from pathlib import Path
from typing import Any

import pytest

import haagenti
from haagenti.errors import CorruptError, DecompressionError, InvalidArgumentError, TruncatedError

DATA = bytes(os.urandom(400_000))


class Taker(io.RawIOBase):
    """Takes some bytes, then as many as it is told, or nothing."""

    def __init__(self, answer: int | None) -> None:
        self.answer = answer
        self.taken = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int | None:
        if self.taken:
            return self.answer
        self.taken += data[:100]
        return len(data[:100])


class Uncounted:
    """Takes everything and says nothing."""

    def __init__(self) -> None:
        self.taken = bytearray()

    def write(self, data: Any) -> None:
        self.taken += data


class Interrupted(io.RawIOBase):
    """Gives its bytes in small pieces, with interruptions."""

    def __init__(self, data: bytes, seekable: bool, interrupt: type[BaseException] | None) -> None:
        self.data, self.seeks, self.interrupt = io.BytesIO(data), seekable, interrupt
        self.n_reads = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self.seeks

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.data.seek(offset, whence)

    def tell(self) -> int:
        return self.data.tell()

    def readinto(self, buffer: Any) -> int | None:
        self.n_reads += 1
        if self.n_reads in (2, 6, 9):
            if self.interrupt is None:
                return None
            raise self.interrupt
        return self.data.readinto(memoryview(buffer)[:30_000])


@pytest.mark.parametrize("answer", [None, 0])
def test_a_file_that_takes_nothing_now_is_an_error(answer: int | None) -> None:
    target = Taker(answer)
    file = haagenti.open(target, "wb", "zstd")
    with pytest.raises(BlockingIOError) as caught:
        file.write(DATA)
    assert caught.value.characters_written == 100
    with pytest.raises(OSError, match="failed before"):
        file.close()


def test_a_full_pipe_that_does_not_block() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with os.fdopen(reader, "rb"), os.fdopen(writer, "wb", buffering=0) as target:
        file = haagenti.open(target, "wb", "zstd")
        with pytest.raises(BlockingIOError):
            file.write(DATA)
        file.discard()


def test_a_file_object_that_does_not_count() -> None:
    target = Uncounted()
    with haagenti.open(target, "wb", "zstd") as file:
        file.write(DATA)
    assert haagenti.decompress(bytes(target.taken)) == DATA


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, TimeoutError, None])
@pytest.mark.parametrize("seekable", [True, False])
@pytest.mark.parametrize("n_before", [0, 100_000])
def test_reading_goes_on_after_an_interruption(interrupt: type[BaseException] | None, seekable: bool, n_before: int) -> None:
    buffered = haagenti.open(Interrupted(haagenti.compress(DATA), seekable, interrupt), algorithm="zstd")
    file, expected = buffered.raw, interrupt or BlockingIOError
    got, n_interrupted = b"", 0
    while len(got) < len(DATA):
        assert file.tell() == len(got)
        try:
            got += (file.read(n_before - len(got)) if len(got) < n_before else file.readall()) or b""
        except expected:
            n_interrupted += 1
    assert got == DATA
    assert interrupt is None or n_interrupted == 3
    assert file.read(1) == b""


class Waiting(io.BytesIO):
    """A pipe whose writer waits: read() for more than there is would wait as well, and fails here."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise AssertionError("this waits for ever")


@pytest.mark.parametrize("algorithm", [None, "zstd"])
def test_bytes_are_read_as_soon_as_they_are_there(algorithm: str | None) -> None:
    target = io.BytesIO()
    file = haagenti.open(target, "wb", "zstd")
    file.write(b"first\n" + DATA[:1000])
    file.flush()
    with haagenti.open(Waiting(target.getvalue()), algorithm=algorithm) as decoded:
        assert decoded.read1(6) == b"first\n"
        assert decoded.read(1000) == DATA[:1000]
    file.close()


def test_a_pipe_that_does_not_block_is_not_at_its_end() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as source, os.fdopen(writer, "wb", buffering=0) as target:
        os.set_blocking(reader, False)
        with haagenti.open(target, "wb", "zstd") as file:
            file.write(b"first\n" + DATA[:1000])
            file.flush()
            with haagenti.open(source) as decoded:
                assert decoded.read1(6) == b"first\n"
                assert decoded.read1(1000) == DATA[:1000]
                with pytest.raises(BlockingIOError):  # and not the end of a truncated file
                    decoded.read1(1)
                file.write(b"second\n")
                file.flush()
                assert decoded.read1(100) == b"second\n"
                file.close()
                target.close()
                assert decoded.read() == b""


def test_an_error_that_is_told_again_does_not_grow() -> None:
    file, lengths = haagenti.open(io.BytesIO(haagenti.compress(DATA)[:-1])), []
    for _ in range(5):
        with pytest.raises(TruncatedError) as caught:
            file.read()
        lengths.append(len(traceback.extract_tb(caught.value.__traceback__)))
    assert lengths[1] == lengths[-1]


# --- options ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options",
    [{"threads": -1}, {"threads": 10**6}, {"level": 3}, {"level": "fast"}, {"checksum": True}, {"checksum": False}, {"max_size": -1}],
)
def test_options_that_cannot_be_are_refused_before_reading(options: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "a.zst").write_bytes(haagenti.compress(b"data"))
    for mode in ("rb", "rt"):
        with pytest.raises(InvalidArgumentError):
            haagenti.open(tmp_path / "a.zst", mode, **options)


@pytest.mark.parametrize("options", [{"max_size": 10}, {"allow_trailing": True}])
@pytest.mark.parametrize("mode", ["w", "x", "a", "wt"])
def test_options_for_reading_are_refused_when_writing(options: dict[str, Any], mode: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="for reading"):
        haagenti.open(tmp_path / "a.zst", mode, **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("algorithm", ["zstd", "lz4", "gzip", "brotli", "deflate", "zlib"])
@pytest.mark.parametrize("n", [-1, 1000])
def test_max_size(algorithm: str, n: int) -> None:
    packed = haagenti.compress(DATA, algorithm)

    def read(max_size: int) -> bytes:
        with haagenti.open(io.BytesIO(packed), algorithm=algorithm, max_size=max_size) as file:
            return b"".join(iter(lambda: file.read(n), b""))

    assert read(len(DATA)) == DATA
    with pytest.raises(DecompressionError, match="max_size"):
        read(len(DATA) - 1)


@pytest.mark.parametrize("algorithm", ["zstd", "lz4", "gzip", "brotli", "deflate", "zlib"])
@pytest.mark.parametrize("n", [-1, 1000])
@pytest.mark.parametrize("trailing", [b"x", b"trailing" * 50_000])
def test_allow_trailing(algorithm: str, n: int, trailing: bytes) -> None:
    packed = haagenti.compress(DATA, algorithm) + trailing
    with haagenti.open(io.BytesIO(packed), algorithm=algorithm, allow_trailing=True) as file:
        for _ in range(2):
            assert b"".join(iter(lambda: file.read(n), b"")) == DATA
            assert file.read(5) == b""
            file.seek(0)
    with haagenti.open(io.BytesIO(packed), algorithm=algorithm) as file, pytest.raises(CorruptError):
        b"".join(iter(lambda: file.read(n), b""))
    cut = haagenti.compress(DATA, algorithm)[:-1]
    with haagenti.open(io.BytesIO(cut), algorithm=algorithm, allow_trailing=True) as file, pytest.raises(TruncatedError):
        b"".join(iter(lambda: file.read(n), b""))
