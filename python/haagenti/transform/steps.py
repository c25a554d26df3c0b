"""Transforms along axes as calls of the core, with the norms of scipy.fft around them.

Not responsible for the arguments of the public functions, nor for reading and writing what is not C-contiguous.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from haagenti import _core
from haagenti.errors import InvalidArgumentError
from haagenti.transform.axes import Step, positions, steps
from haagenti.transform.norms import scale
from haagenti.transform.operands import Operands

_CALLS: dict[str, Callable[..., None]] = {"axis": _core.dct_axis, "planes": _core.dct_planes}


class Job(NamedTuple):
    """What is computed, whatever the array.

    Attributes:
        plan: The calls.
        dct_type: 2 or 3.
        norm: ``"ortho"``, ``"backward"`` or ``"forward"``.
        axes: Counted from the first one; those that the norm scales.
    """

    plan: tuple[Step, ...]
    dct_type: int
    norm: str
    axes: tuple[int, ...]


def transform_axes(x: Any, dct_type: int, axes: tuple[int, ...] | None, norm: str, out: Any) -> Any:
    """The transform behind ``haagenti.transform.dct`` and its like.

    Args:
        x: As for ``dct``.
        dct_type: 2 or 3.
        axes: Those to transform; None: all.
        norm: ``"ortho"``, ``"backward"`` or ``"forward"``.
        out: As for ``dct``.

    Returns:
        As ``dct``.

    Raises:
        InvalidArgumentError, UnsupportedError: As for ``dct``.
    """
    operands = Operands(x)
    shape = operands.array.shape
    if axes is not None and len(axes) > len(shape):
        raise InvalidArgumentError(f"x: expected at least {len(axes)} axes, found {len(shape)}")
    plan = steps(shape, axes)
    operands.open(out)
    is_half = operands.dtype in ("F16", "BF16")
    if is_half and (norm != "ortho" or len(plan) > 1):  # in float32, rounded once
        wide = operands.src.astype(np.float32)
        _run(Job(plan, dct_type, norm, positions(shape, axes)), "F32", wide, wide)
        with np.errstate(all="ignore"):
            operands.dst[...] = wide
    elif norm == "ortho":
        _run_orthonormal(plan, dct_type, operands.dtype, operands.src, operands.dst)
    else:
        _run(Job(plan, dct_type, norm, positions(shape, axes)), operands.dtype, operands.src, operands.dst)
    return operands.finish()


def _run_orthonormal(plan: tuple[Step, ...], dct_type: int, dtype: str, src: np.ndarray, dst: np.ndarray) -> None:
    """The first step reads src, the others work in place."""
    for step in plan:
        _CALLS[step.kind](dct_type, dtype, src, dst, *step.sizes)
        src = dst
    if src is not dst:
        np.copyto(dst, src)


def _run(job: Job, dtype: str, src: np.ndarray, dst: np.ndarray) -> None:
    """A transform of any norm: factors follow type 2 and precede type 3."""
    is_scaled = job.norm != "ortho"
    if is_scaled and job.dct_type == 3:
        if src is not dst:
            np.copyto(dst, src)
            src = dst
        scale(dst, job.dct_type, job.norm, job.axes)
    _run_orthonormal(job.plan, job.dct_type, dtype, src, dst)
    if is_scaled and job.dct_type == 2:
        scale(dst, job.dct_type, job.norm, job.axes)
