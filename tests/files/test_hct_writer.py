"""The `.hct` writer when things go wrong around it: several threads, a full disk, odd paths."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import haagenti
from haagenti import _core
from haagenti.record import Record, encode


def record_of(seed: int) -> Record:
    return encode(np.random.default_rng(seed).standard_normal((16, 64), dtype=np.float32), "raw")


def test_threads_share_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "a.hct"
    writer = _core.HctWriter(path)
    records = {f"{thread}.{i}": record_of(100 * thread + i) for thread in range(4) for i in range(25)}

    def work(thread: int) -> None:
        for i in range(25):
            writer.append(f"{thread}.{i}", records[f"{thread}.{i}"].data)

    threads = [threading.Thread(target=work, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.finish()
    reader = _core.HctReader(path)
    assert sorted(reader.names()) == sorted(records)
    for name, record in records.items():
        assert bytes(reader.record(name)) == bytes(record.data)


FULL_DISK = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from haagenti import IoError, InvalidArgumentError, _core
from haagenti.record import encode
import numpy as np
record = encode(np.zeros((64, 64), np.float32), "raw", codec="none")
writer = _core.HctWriter(sys.argv[1], overwrite=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
try:
    writer.append("a", record.data)
except IoError as error:
    print("append:", error)
try:
    writer.finish()
except InvalidArgumentError as error:
    print("finish:", error)
"""


def test_a_failed_append_can_not_be_finished(tmp_path: Path) -> None:
    path = tmp_path / "a.hct"
    path.write_bytes(b"the file that was there before")
    environment = {**os.environ, "PYTHONPATH": str(Path(haagenti.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, env=environment, check=True)
    assert "append: cannot write" in done.stdout
    assert "finish:" in done.stdout
    assert path.read_bytes() == b"the file that was there before"
    assert os.listdir(tmp_path) == ["a.hct"]


def test_paths_that_are_not_utf8(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.hct")
    writer = _core.HctWriter(path)
    writer.append("w", record_of(0).data)
    writer.finish()
    assert _core.HctReader(path).names() == ["w"]
    with pytest.raises(haagenti.IoError, match=r"\\xfe"):
        _core.HctReader(os.fsdecode(os.fsencode(tmp_path) + b"/\xfe.hct"))


def test_an_output_that_is_not_aligned_is_refused() -> None:
    record = haagenti.encode(np.ones((4, 64), np.float32), "int4")
    out = np.empty(4 * 64 * 4 + 1, np.uint8)[1:]
    with pytest.raises(haagenti.InvalidArgumentError, match="multiple of 4 bytes"):
        record.view.decode_into(out, "F32")
