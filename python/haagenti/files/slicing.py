"""Which run of stored elements an index needs: the smallest contiguous one, and what is left of the index after reading it.

Not responsible for: reading the elements; applying the rest of the index, which numpy or torch does by its own rules.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from typing import Any

import numpy as np

Range = tuple[int, int]


@dataclass(frozen=True)
class Block:
    """A box of a tensor whose elements are one run of the matrix.

    Attributes:
        start: First element of the run, counted in the order of the matrix.
        stop: End of the run.
        shape: Of the box, along the tensor's own axes.
        perm: Axis ``i`` of the matrix order is axis ``perm[i]`` of the tensor.
    """

    start: int
    stop: int
    shape: tuple[int, ...]
    perm: tuple[int, ...]

    def arrange(self, run: np.ndarray) -> np.ndarray:
        """Gives the elements of the run the shape of the box; a view.

        Args:
            run: (stop - start,) elements in the order of the matrix.
        """
        permuted = run.reshape([self.shape[axis] for axis in self.perm])
        return permuted.transpose(np.argsort(self.perm)) if self.perm else permuted


def plan_block(shape: tuple[int, ...], perm: tuple[int, ...], index: Any, *, whole: bool = False) -> tuple[Block, Any]:
    """Finds the block that an index needs.

    Integers, slices, one ``...`` and None narrow the block; with anything else (lists, arrays, booleans) the whole tensor is read.

    Args:
        shape: Of the tensor.
        perm: Axis ``i`` of the matrix order is axis ``perm[i]`` of the tensor.
        index: What stands between the brackets.
        whole: Read everything in any case.

    Returns:
        The block, and the index to apply to it: ``tensor[index]`` equals ``block[rest]``.

    Raises:
        IndexError: An integer is out of range, or there are more indices than axes.
        ValueError: A slice has step 0.

    Example:
        >>> block, rest = plan_block((100, 8), (0, 1), (slice(10, 20, 3), 2))
        >>> block.start, block.stop, rest
        (80, 160, (slice(0, 10, 3), 2))
    """
    items = index if isinstance(index, tuple) else (index,)
    if whole or not all(_is_basic(item) for item in items) or sum(item is Ellipsis for item in items) > 1:
        return _whole_block(shape, perm), index
    used = _ranges(shape, items)
    box, start, stop = _contiguous(shape, perm, used)
    lows = {axis: low for axis, (low, _) in enumerate(box)}
    rest = tuple(_shift(item, axis, shape, lows) for item, axis in _with_axes(items, len(shape)))
    return Block(start, stop, tuple(high - low for low, high in box), perm), rest


def _is_basic(item: Any) -> bool:
    if item is None or item is Ellipsis or isinstance(item, slice):
        return True
    is_boolean = isinstance(item, bool) or "bool" in str(getattr(item, "dtype", ""))
    return not is_boolean and hasattr(item, "__index__") and not getattr(item, "shape", ())


def _whole_block(shape: tuple[int, ...], perm: tuple[int, ...]) -> Block:
    return Block(0, math.prod(shape), shape, perm)


def _with_axes(items: tuple[Any, ...], rank: int) -> list[tuple[Any, int | None]]:
    """Pairs every item with the axis it indexes; None and ``...`` have none."""
    n_axes = sum(item is not None and item is not Ellipsis for item in items)
    if n_axes > rank:
        raise IndexError(f"index: expected at most {rank} indices for a tensor of rank {rank}, found {n_axes}")
    pairs: list[tuple[Any, int | None]] = []
    axis = 0
    for item in items:
        if item is None:
            pairs.append((item, None))
        elif item is Ellipsis:
            pairs.append((item, None))
            axis += rank - n_axes
        else:
            pairs.append((item, axis))
            axis += 1
    return pairs


def _ranges(shape: tuple[int, ...], items: tuple[Any, ...]) -> list[Range]:
    """The elements that the index uses along each axis, from the first to past the last."""
    used = [(0, extent) for extent in shape]
    for item, axis in _with_axes(items, len(shape)):
        if axis is not None:
            used[axis] = _slice_range(item, shape[axis]) if isinstance(item, slice) else _integer_range(item, axis, shape[axis])
    return used


def _integer_range(item: Any, axis: int, extent: int) -> Range:
    position = operator.index(item)
    if not -extent <= position < extent:
        raise IndexError(f"index: expected {-extent} .. {extent - 1} on axis {axis} of size {extent}, found {position}")
    position %= extent
    return position, position + 1


def _slice_range(item: slice, extent: int) -> Range:
    positions = range(*item.indices(extent))
    if not positions:
        return 0, 0
    return min(positions[0], positions[-1]), max(positions[0], positions[-1]) + 1


def _contiguous(shape: tuple[int, ...], perm: tuple[int, ...], used: list[Range]) -> tuple[list[Range], int, int]:
    """Widens the ranges until they are one run: single positions, then one range, then whole axes."""
    box = list(used)
    if any(low == high for low, high in used):
        return box, 0, 0
    start, run, stride = 0, 1, math.prod(shape)
    narrowing = True
    for axis in perm:
        stride //= shape[axis]
        low, high = used[axis] if narrowing else (0, shape[axis])
        box[axis] = (low, high)
        start += low * stride
        run *= high - low
        narrowing = narrowing and high - low == 1
    return box, start, start + run


def _shift(item: Any, axis: int | None, shape: tuple[int, ...], lows: dict[int, int]) -> Any:
    """Moves an item into the coordinates of the box."""
    if axis is None:
        return item
    low, extent = lows[axis], shape[axis]
    if not isinstance(item, slice):
        return operator.index(item) % extent - low
    positions = range(*item.indices(extent))
    if not positions:
        return slice(0, 0, item.step)
    stop = positions[-1] - low + (1 if positions.step > 0 else -1)
    return slice(positions[0] - low, stop if stop >= 0 else None, positions.step)
