"""While a transform runs: signals end it, other Python threads run, and the interpreter may end.

Not responsible for values.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from transform_samples import random

import haagenti
from haagenti import transform

# Grows the input until one call takes long, then sends SIGINT into another one. A handler that only runs once the call is over is too late.
INTERRUPTED = """
import os, signal, sys, threading, time
import numpy as np
import haagenti
from haagenti import transform
haagenti.set_num_threads(int(sys.argv[2]))
# Lines stay short: one line is never interrupted.
kinds = {
    "axis": (lambda k: (16 * k, 1009), lambda x: transform.dct(x, out=x)),
    "first": (lambda k: (1009, 16 * k), lambda x: transform.dct(x, axis=0, out=x)),
    "planes": (lambda k: (k, 499, 1009), lambda x: transform.dctn(x, axes=(1, 2), out=x)),
    "tiles": (lambda k: (97 * k, 1009), lambda x: transform.block_dct(x, (97, 89), out=x)),
    "hadamard": (lambda k: (64 * k, 1024), lambda x: transform.hadamard(x, seed=1, out=x)),
}
shape, call = kinds[sys.argv[1]]
k = 1
while True:
    x = np.zeros(shape(k))
    start = time.perf_counter()
    call(x)
    whole = time.perf_counter() - start
    if whole > 0.4 or x.nbytes > 400 << 20:
        break
    k = int(k * min(8.0, max(1.3, 0.6 / whole))) + 1
sent = 0.0
def send():
    global sent
    sent = time.perf_counter()
    os.kill(os.getpid(), signal.SIGINT)
threading.Timer(0.05, send).start()
try:
    call(x)
except KeyboardInterrupt:
    print(whole, time.perf_counter() - sent)
else:
    print(whole, -1)
haagenti.transform.dct(np.ones(5))
"""


def run_python(code: str, *arguments: str) -> str:
    env = os.environ | {"PYTHONPATH": str(Path(haagenti.__file__).parents[1])}
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120, env=env, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("kind", ["axis", "first", "planes", "tiles", "hadamard"])
def test_ctrl_c(kind: str) -> None:
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        pytest.skip("SIGINT is ignored here, as in a background job, and stays so in what is started")
    for _ in range(3):  # a busy machine may send the signal late, or make the call slow
        whole, delay = map(float, run_python(INTERRUPTED, kind, "2" if kind == "planes" else "1").split())
        if whole < 0.3:
            pytest.skip(f"the largest array that the test makes takes {whole:.2f} s: too short to send a signal into")
        if 0 <= delay < 0.2 < whole - 0.05:
            return
    pytest.fail(f"a call of {whole:.2f} s went on for {delay:.2f} s after Ctrl-C (-1: to its end)")


def test_other_threads_run_meanwhile() -> None:
    """No thread is made to give the GIL up, so another one runs only when the transform does."""
    running, over, interval = threading.Event(), threading.Event(), sys.getswitchinterval()
    counted = 0

    def work() -> None:
        nonlocal counted
        running.set()
        while not over.is_set():
            counted += 1
            time.sleep(0)  # gives the GIL up

    x = random((400, 500))
    sys.setswitchinterval(1000)
    thread = threading.Thread(target=work)
    try:
        thread.start()
        running.wait()
        for _ in range(100):  # the system may be slow to wake the other thread
            before = counted
            transform.dctn(x, out=x)
            if counted > before:
                break
        assert counted > before, "the GIL is held all the time"
    finally:
        over.set()
        sys.setswitchinterval(interval)
        thread.join()


def test_eight_threads() -> None:
    arrays = [random((n, 3 * n), seed=n) for n in range(1, 65)]
    calls = (transform.dct, transform.idctn, lambda x: transform.block_dct(x, (8, 8)), lambda x: transform.hadamard(x, seed=2))
    jobs = [(call, x) for x in arrays for call in calls]
    expected = [call(x).tobytes() for call, x in jobs]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda job: job[0](job[1]).tobytes(), jobs)) == expected


def test_a_daemon_thread_in_a_call_does_not_disturb_the_end() -> None:
    output = run_python(
        """
import threading, time
import numpy as np
from haagenti import transform
def work():
    x = np.ones((500, 700), np.float32)
    while True:
        transform.dctn(x)
for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.2)
print("end")
"""
    )
    assert output.strip() == "end"


def test_import_leaves_torch_alone() -> None:
    code = "import sys, haagenti, numpy; haagenti.transform.dct(numpy.ones(3)); print('torch' in sys.modules)"
    assert run_python(code).strip() == "False"


WHOLE = ("dct(x)", "dct(x, axis=0)", "dctn(x)", "dctn(x, out=x)", "hadamard(x)", "dctn(x.T)", "block_dct(x[::-1], (8, 8))")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("call", WHOLE)
def test_peak_memory(call: str) -> None:
    """One new array of the input's size, strided input too; none for an output in place."""
    code = """
import re, sys
from pathlib import Path
import numpy as np
from haagenti.transform import block_dct, dct, dctn, hadamard
def peak():
    return int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
x = np.ones((16, 64), np.float32)
eval(sys.argv[1])
x = np.ones((4096, 4096), np.float32)
before = peak()
y = eval(sys.argv[1])
print(peak() - before)
"""
    grown = float(run_python(code, call))
    assert grown < (0 if "out" in call else 64) + 24
