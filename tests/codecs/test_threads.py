"""Threads of Python around the library and threads inside it: the same bytes, no lock held for long, and forks that still work."""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from codec_cases import KINDS, NAMES, STREAMING, THREADED, encode_stream, run_python, sample, unpack

import haagenti
from haagenti.streaming import Decoder, Encoder

INPUTS = [sample(kind, size) for kind in KINDS for size in (0, 10, 3000, 70_000)] * 3


def in_eight_threads(call, items: list) -> list:
    """What call makes of each item, made by eight threads that start at once."""
    barrier = threading.Barrier(8)

    def work(part: int) -> list:
        barrier.wait(timeout=60)
        return [call(item) for item in items[part::8]]

    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(work, range(8)))
    results = [None] * len(items)
    for part, made in enumerate(parts):
        results[part::8] = made
    return results


@pytest.mark.parametrize("name", NAMES)
def test_one_object_in_eight_threads(name: str) -> None:
    compressor, decompressor = haagenti.Compressor(name, "fast"), haagenti.Decompressor(name)
    expected = [haagenti.compress(data, name, "fast") for data in INPUTS]
    assert in_eight_threads(compressor.compress, INPUTS) == expected
    pairs = list(zip(expected, INPUTS, strict=True))
    assert in_eight_threads(lambda pair: decompressor.decompress(pair[0], size=len(pair[1])), pairs) == INPUTS


@pytest.mark.parametrize("name", NAMES)
def test_functions_in_eight_threads(name: str) -> None:
    expected = [haagenti.compress(data, name, "fast") for data in INPUTS]
    assert in_eight_threads(lambda data: haagenti.compress(data, name, "fast"), INPUTS) == expected
    pairs = list(zip(expected, INPUTS, strict=True))
    assert in_eight_threads(lambda pair: unpack(pair[0], name, pair[1]), pairs) == INPUTS


def test_one_dictionary_in_eight_threads() -> None:
    dictionary = haagenti.ZstdDict(sample("text", 4000))
    fresh = haagenti.ZstdDict(sample("text", 4000))
    expected = [haagenti.compress(data, dictionary=dictionary) for data in INPUTS]
    assert in_eight_threads(lambda data: haagenti.compress(data, dictionary=fresh), INPUTS) == expected
    assert in_eight_threads(lambda packed: haagenti.decompress(packed, dictionary=fresh), expected) == INPUTS


def test_one_encoder_in_eight_threads() -> None:
    """Chunks come in some order, each in one piece."""
    encoder = Encoder("zstd", "fast")
    chunks = [bytes([n]) * 5000 for n in range(64)]
    written: list[bytes] = []
    lock = threading.Lock()

    def write(chunk: bytes) -> None:
        with lock:
            written.append(encoder.write(chunk))

    in_eight_threads(write, chunks)
    data = haagenti.decompress(b"".join(written) + encoder.finish())
    assert sorted(data[at : at + 5000] for at in range(0, len(data), 5000)) == chunks


@pytest.mark.parametrize("name", STREAMING)
def test_unlocked_use_of_one_stream_does_no_harm(name: str) -> None:
    encoder, decoder = Encoder(name, "fast"), Decoder(name)
    assert len(in_eight_threads(encoder.write, [sample("random", 3000)] * 64)) == 64
    encoder.finish()
    packed = haagenti.compress(sample("text", 50_000), name)

    def write(chunk: bytes) -> int:
        try:
            return len(decoder.write(chunk))
        except haagenti.Error:
            return 0

    in_eight_threads(write, [packed[at : at + 100] for at in range(0, len(packed), 100)])


@pytest.mark.parametrize("name", THREADED)
def test_the_bytes_do_not_depend_on_how_many_threads(name: str) -> None:
    data = sample("text", 2_000_000) + sample("bf16", 1_000_001)
    two = haagenti.compress(data, name, "fast", threads=2)
    assert haagenti.compress(data, name, "fast", threads=3) == two
    assert haagenti.Compressor(name, "fast", threads=5).compress(data) == two
    assert haagenti.compress(data, name, "fast", threads=2) == two
    assert haagenti.decompress(two, name, threads=2) == haagenti.decompress(two, name) == data
    streamed = encode_stream(data, name, 65_537, level="fast", threads=2)
    assert encode_stream(data, name, 65_537, level="fast", threads=3) == streamed
    assert haagenti.decompress(streamed, name, threads=3) == data


@pytest.mark.parametrize("name", ["lz4", "gzip", "zstd"])
def test_parallel_decoding(name: str) -> None:
    data = sample("text", 3_000_000)
    packed = haagenti.compress(data, name, "fast", threads=2) + haagenti.compress(data, name, "fast")
    for threads in (1, 2, 3, 0):
        assert haagenti.decompress(packed, name, threads=threads) == data * 2
        assert haagenti.decompress(packed, name, threads=threads, max_size=len(data) * 2) == data * 2
        with pytest.raises(haagenti.DecompressionError):
            haagenti.decompress(packed, name, threads=threads, max_size=len(data) * 2 - 1)
        out = bytearray(len(data) * 2)
        assert haagenti.decompress_into(packed, out, name, threads=threads) == len(out)
        assert out == data * 2


@pytest.mark.parametrize("name", ["lz4", "gzip"])
def test_parallel_decoding_finds_damage(name: str) -> None:
    """A match may also be moved to an equal one: then the data is right."""
    data = sample("text", 3_000_000)
    packed = bytearray(haagenti.compress(data, name, "fast", threads=2, checksum=True))
    found = 0
    for at in range(20, len(packed), len(packed) // 20):
        packed[at] ^= 16
        verdicts = set()
        for threads in (1, 2, 3):
            try:
                assert haagenti.decompress(packed, name, threads=threads) == data
            except haagenti.DecompressionError as error:
                verdicts.add(type(error))
            else:
                verdicts.add(None)
        packed[at] ^= 16
        assert len(verdicts) == 1, (at, verdicts)
        found += None not in verdicts
    assert found > 10


def test_fork_after_threads() -> None:
    output = run_python(
        """
import os, sys
import haagenti
data = bytes(range(256)) * 8000
packed = {row.name: haagenti.compress(data, row.name, "fast", threads=2 if row.threads else 1) for row in haagenti.algorithms()}
compressor, decompressor = haagenti.Compressor("zstd", threads=2), haagenti.Decompressor("lz4", threads=2)
kept = compressor.compress(data), decompressor.decompress(packed["lz4"])
child = os.fork()
if child == 0:
    try:
        for row in haagenti.algorithms():
            again = haagenti.compress(data, row.name, "fast", threads=2 if row.threads else 1)
            assert again == packed[row.name], row.name
            assert haagenti.decompress(again, row.name, threads=2, size=len(data)) == data, row.name
        assert decompressor.decompress(packed["lz4"]) == data
        assert haagenti.Compressor("zstd", threads=2).compress(data) == kept[0]
        os._exit(0)
    except BaseException as error:
        print(repr(error), file=sys.stderr, flush=True)
        os._exit(1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    )
    assert output.strip() == "0"


@pytest.fixture
def count():
    """A list of one number that another thread adds to whenever it has the GIL, which no thread is made to give up meanwhile."""
    counted, over, interval = [0], threading.Event(), sys.getswitchinterval()

    def work() -> None:
        while not over.is_set():
            counted[0] += 1
            time.sleep(0)  # gives the GIL up

    sys.setswitchinterval(1000)
    thread = threading.Thread(target=work)
    thread.start()
    yield counted
    over.set()
    thread.join()
    sys.setswitchinterval(interval)


LONG = {
    "compress": lambda name, data, packed: haagenti.compress(data, name, "fast"),
    "Compressor": lambda name, data, packed: haagenti.Compressor(name, "fast").compress(data),
    "Encoder": lambda name, data, packed: encode_stream(data, name, len(data), level="fast"),
    "decompress": lambda name, data, packed: haagenti.decompress(packed, name),
    "Decompressor": lambda name, data, packed: haagenti.Decompressor(name).decompress(packed),
    "Decoder": lambda name, data, packed: Decoder(name).write(packed),
}


@pytest.mark.parametrize("name", STREAMING)
@pytest.mark.parametrize("through", LONG)
def test_other_threads_run_meanwhile(name: str, through: str, count: list[int]) -> None:
    data = sample("text", 1_000_000)
    packed = haagenti.compress(data, name, "fast")
    before = count[0]
    sum(range(100_000))
    assert count[0] == before, "the other thread runs although nobody gave the GIL up"
    for _ in range(100):  # the system may be slow to wake the other thread
        before = count[0]
        LONG[through](name, data, packed)
        if count[0] > before:
            return
    pytest.fail("the GIL is held all the time")


def test_a_long_write_grows_no_more_than_it_must() -> None:
    """zstd's workers end steps early; room is made only when there is none."""
    output = run_python(
        """
from pathlib import Path
from haagenti.streaming import Encoder
encoder = Encoder("zstd", 1, threads=2)
packed = encoder.write(bytes(96 << 20)) + encoder.finish()
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(len(packed), int(peak.split()[1]) // 1024)
""",
        limit_mib=4096,
    )
    size, peak_mib = map(int, output.split())
    assert size < 100_000
    assert peak_mib < 200


def test_a_daemon_thread_in_a_call_does_not_disturb_the_end() -> None:
    output = run_python(
        """
import threading, time
import haagenti
data = bytes(range(256)) * 100_000
def work():
    while True:
        haagenti.decompress(haagenti.compress(data, "lz4"))
for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.2)
print("end")
"""
    )
    assert output.strip() == "end"


def test_too_little_room_with_many_threads() -> None:
    data = sample("random", 5_000_000)
    for name in THREADED:
        compressor = haagenti.Compressor(name, "fast", threads=4)
        for n in (10, 1_000_000, 3_000_000):
            with pytest.raises(haagenti.InvalidArgumentError, match="out holds"):
                compressor.compress_into(data, bytearray(n))
        assert haagenti.decompress(compressor.compress(data), name) == data
