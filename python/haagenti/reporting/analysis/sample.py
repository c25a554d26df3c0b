"""Which part of a tensor is measured: all of it, or whole bands of rows evenly spread over it.

Not responsible for: measuring.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from haagenti.record import choose_matrix

DEFAULT_ELEMENTS = 1 << 20
"""Of a sample. More than the 262144 on which ``transform="auto"`` measures, so that it tries what it tries for the whole tensor."""

BAND_ROWS = 128
"""A whole number of every tile that ``transform="auto"`` tries."""


class Sample(NamedTuple):
    """Rows of a tensor.

    Attributes:
        values: the tensor itself or rows of it, in its own dtype; a convolution keeps its axes, others are a matrix.
        bands: first row and row after the last of each band, in the rows of ``choose_matrix``.
        whole: whether it is all of the tensor.
    """

    values: np.ndarray
    bands: list[tuple[int, int]]
    whole: bool

    @property
    def band_lengths(self) -> list[int]:
        """Rows of each band."""
        return [end - begin for begin, end in self.bands]


def take_sample(tensor: np.ndarray, n_elements: int = DEFAULT_ELEMENTS) -> Sample:
    """The same rows at every call.

    Args:
        tensor: of any shape; its rows are those of `haagenti.record.choose_matrix`.
        n_elements: to take at most; one row, or its beginning, is taken in any case.

    Example:
        >>> take_sample(np.zeros((1024, 64)), 32768).bands
        [(0, 128), (256, 384), (512, 640), (768, 896)]
    """
    matrix = choose_matrix(tensor.shape)
    if tensor.size <= n_elements:
        return Sample(tensor, [(0, matrix.n_rows)], True)
    bands = spread_bands(matrix.n_rows, matrix.row_length, n_elements)
    is_convolution = tensor.ndim >= 3 and matrix == choose_matrix(tensor.shape, "first")
    rows = tensor if is_convolution else tensor.reshape(matrix.n_rows, matrix.row_length)
    values = np.concatenate([rows[begin:end] for begin, end in bands])
    return Sample(values if is_convolution else values[:, :n_elements], bands, False)


def spread_bands(n_rows: int, row_length: int, n_elements: int) -> list[tuple[int, int]]:
    """Bands of `BAND_ROWS` rows, or one of fewer rows when that many are too long."""
    fitting = max(1, n_elements // row_length)
    length = min(BAND_ROWS, fitting, n_rows)
    slots = -(-n_rows // BAND_ROWS)
    count = max(1, min(fitting // length, slots))
    begins = [index * slots // count * BAND_ROWS for index in range(count)]
    return [(begin, min(begin + length, n_rows)) for begin in begins]


def split_bands(matrix: np.ndarray, lengths: Sequence[int]) -> list[np.ndarray]:
    """The bands as matrices of their own."""
    return np.split(matrix, np.cumsum(lengths)[:-1])
