"""Which axes are transformed, and in which calls of the core.

Not responsible for the values.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from functools import lru_cache
from math import prod
from typing import Any, Literal, NamedTuple

from haagenti.errors import InvalidArgumentError


class Step(NamedTuple):
    """One call of the core on a C-contiguous array.

    Attributes:
        kind: ``"axis"``: along the middle axis of ``sizes``; ``"planes"``: along both of its last axes.
        sizes: Three axes whose product is the number of elements.
    """

    kind: Literal["axis", "planes"]
    sizes: tuple[int, int, int]


def axes_argument(axes: Any) -> tuple[int, ...] | None:
    """``axes`` as a tuple; None stays None.

    Raises:
        InvalidArgumentError: Neither an integer nor a sequence of integers.
    """
    if axes is None:
        return None
    try:
        return tuple(map(operator.index, axes)) if isinstance(axes, Iterable) else (operator.index(axes),)
    except TypeError:
        raise InvalidArgumentError(f"axes: expected None, an integer or a sequence of integers, found {axes!r}") from None


def axis_argument(axis: Any) -> tuple[int]:
    """``axis`` as a tuple of one.

    Raises:
        InvalidArgumentError: Not an integer.
    """
    try:
        return (operator.index(axis),)
    except TypeError:
        raise InvalidArgumentError(f"axis: expected an integer, found {axis!r}") from None


@lru_cache(maxsize=1024)
def positions(shape: tuple[int, ...], axes: tuple[int, ...] | None) -> tuple[int, ...]:
    """The axes counted from the first one, in ascending order.

    Raises:
        InvalidArgumentError: An axis that is not there, one named twice, or one without elements.

    Example:
        >>> positions((4, 5, 6), (-1, 0))
        (0, 2)
    """
    rank = len(shape)
    if axes is None:
        axes = tuple(range(rank))
    for axis in axes:
        if not -rank <= axis < rank:
            raise InvalidArgumentError(f"axis: expected one from {-rank} to {rank - 1} for shape {shape}, found {axis}")
        if shape[axis] == 0:
            raise InvalidArgumentError(f"x: expected at least one element along axis {axis}, found shape {shape}")
    found = sorted(axis % rank for axis in axes)
    if len(set(found)) != len(found):
        raise InvalidArgumentError(f"axes: expected different ones, found {axes} for shape {shape}")
    return tuple(found)


@lru_cache(maxsize=1024)
def steps(shape: tuple[int, ...], axes: tuple[int, ...] | None) -> tuple[Step, ...]:
    """The calls that transform along the axes, last axis first; axes of one element need none.

    Raises:
        InvalidArgumentError: As for ``positions``.

    Example:
        >>> steps((2, 3, 4, 5), (1, 3))
        (Step(kind='axis', sizes=(24, 5, 1)), Step(kind='axis', sizes=(2, 3, 20)))
        >>> steps((2, 3, 4, 1), None)
        (Step(kind='planes', sizes=(2, 3, 4)), Step(kind='axis', sizes=(1, 2, 12)))
    """
    chosen = positions(shape, axes)
    if 0 in shape:
        return ()
    lengths = [n for n in shape if n != 1]
    wanted = [axis in chosen for axis, n in enumerate(shape) if n != 1]
    found = []
    if len(lengths) >= 2 and wanted[-1] and wanted[-2]:
        found.append(Step("planes", (prod(lengths[:-2]), lengths[-2], lengths[-1])))
        wanted[-2:] = [False, False]
    rest = [axis for axis in reversed(range(len(lengths))) if wanted[axis]]
    found += [Step("axis", (prod(lengths[:axis]), lengths[axis], prod(lengths[axis + 1 :]))) for axis in rest]
    return tuple(found)
