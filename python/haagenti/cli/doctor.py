"""``haagenti doctor``: what this machine and this installation can do.

Not responsible for: the self-test it runs (``cli/selftest.py``).
"""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import typer

from haagenti.cli.exit_codes import EXTRAS, ExitCode
from haagenti.cli.selftest import Check, run_selftest

REQUIRED = ("numpy", "ml_dtypes", "msgspec", "typer", "rich")
OPTIONAL = ("torch", "transformers", "safetensors", "huggingface_hub", "matplotlib")

CUDA_DRIVER = "libcuda.so.1"
GPU_INFORMATION = Path("/proc/driver/nvidia/gpus")


def doctor() -> None:
    """Show what this machine can do; run a self-test."""
    import haagenti

    _line("haagenti", f"{haagenti.__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    for name, value in haagenti._core.cpu_features().items():
        if name != "version":  # of the core, which is the package's
            _line(name, _text(value))
    _line("threads", str(haagenti.get_num_threads()))
    _line("CUDA", cuda())
    for name in REQUIRED + OPTIONAL:
        _line(name, package_version(name))
    checks = run_selftest()
    for check in checks:
        typer.echo(f"{'ok  ' if check.ok else 'FAIL'}  {check.encoding}: {check.detail}")
    if not all(check.ok for check in checks):
        typer.echo(f"haagenti: {self_test_verdict(checks)}", err=True)
        raise typer.Exit(ExitCode.INTEGRITY)
    typer.echo(self_test_verdict(checks))


def self_test_verdict(checks: Sequence[Check]) -> str:
    """The outcome of the self-test in a line."""
    n_failed = sum(not check.ok for check in checks)
    return f"self-test: {n_failed} of {len(checks)} encodings failed" if n_failed else f"self-test: all {len(checks)} encodings are right"


def package_version(name: str) -> str:
    """The installed version of a package, without importing it; or how to get it."""
    try:
        return version(name)
    except PackageNotFoundError:
        return f'not installed: pip install "haagenti[{EXTRAS[name]}]"' if name in EXTRAS else "not installed"


def cuda() -> str:
    """What is there of CUDA, found by loading the driver library and reading /proc; no device is initialised."""
    try:
        driver = ctypes.CDLL(CUDA_DRIVER)
    except OSError:
        return f"not found (no {CUDA_DRIVER})"
    number = ctypes.c_int(0)
    if driver.cuDriverGetVersion(ctypes.byref(number)) != 0:
        return f"{CUDA_DRIVER} found, but it does not tell its version"
    devices = gpu_names() or ["no device in /proc/driver/nvidia"]
    return f"driver for CUDA {number.value // 1000}.{number.value % 1000 // 10}; {', '.join(devices)}"


def gpu_names(root: Path = GPU_INFORMATION) -> list[str]:
    """Models of the NVIDIA GPUs that the kernel driver lists."""
    models = []
    for path in sorted(root.glob("*/information")):
        fields = dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
        models.append(fields.get("Model", "unknown GPU").strip())
    return models


def _line(name: str, value: str) -> None:
    typer.echo(f"{name:<16}  {value}")


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {item}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return str(value)
