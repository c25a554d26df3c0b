"""``haagenti::linear``: a product with a matrix that stays a record and is decoded a few rows at a time.

    y = x @ W.T + bias,   W: (out_features, in_features), the record's matrix

Tiles of whole chunks are decoded to the record's own dtype, cast to that of ``x`` and multiplied, so the dense matrix never exists as a
whole. Of a record with a transform the coefficients are multiplied: the transform acts on ``x`` and on the product
(`haagenti.torch.activations`), and a tile is at least a row of chunks, which of ``dct_2d`` is the whole matrix.
Not responsible for: modules (`haagenti.torch.modules`), or devices other than the CPU, where the op refuses.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from haagenti import _core, dtypes
from haagenti.errors import InvalidArgumentError, UnsupportedError
from haagenti.torch.activations import Activations
from haagenti.torch.tensors import raw_bytes, to_torch_dtype

TILE_ELEMENTS = 1 << 20
"""Weights of a tile, 2 MiB in bf16: two chunks of a record, few enough for a second-level cache. Never less than one row of chunks."""

FLOATS = (torch.float32, torch.bfloat16, torch.float16)


@torch.library.custom_op(
    "haagenti::linear", mutates_args=(), schema="(Tensor x, Tensor record, Tensor? bias, int out_features, str name='') -> Tensor"
)
def linear(x: torch.Tensor, record: torch.Tensor, bias: torch.Tensor | None, out_features: int, name: str = "") -> torch.Tensor:
    """``torch.nn.functional.linear`` with a record as the weight.

    Args:
        x: (..., in_features) float32, bfloat16 or float16, on the CPU.
        record: (n_bytes,) uint8, the bytes of a record whose matrix is (out_features, in_features).
        bias: (out_features,) of the dtype of ``x``, or None.
        out_features: Rows of the matrix.
        name: Of the weight, for messages.

    Returns:
        (..., out_features) of the dtype of ``x``. It has a gradient with respect to ``x`` and ``bias``.

    Raises:
        InvalidArgumentError: dtypes or shapes that do not fit.
        UnsupportedError: A tensor that is not on the CPU, or a record of something that is not floating point.
        CorruptError, TruncatedError: The record is damaged.

    Example:
        >>> import haagenti.torch
        >>> record = haagenti.torch.encode(torch.ones(3, 32), "int4")
        >>> linear(torch.ones(2, 32), torch.frombuffer(bytearray(record.data), dtype=torch.uint8), None, 3)
        tensor([[32., 32., 32.],
                [32., 32., 32.]])
    """
    view = _open(x, record, (out_features, x.shape[-1] if x.ndim else 0), name)
    _check_bias(x, bias, out_features, name)
    with torch.autocast("cpu", enabled=False):
        around = Activations.of(view)
        if around is not None:
            return _transformed_linear(view, around, x, bias, out_features)
        tiles = _tiles(view, x.dtype)
        if view.n_rows <= _tile_rows(view):
            return torch.nn.functional.linear(x, next(tiles)[2], bias).contiguous()
        y = x.new_empty((*x.shape[:-1], out_features))
        for start, stop, tile in tiles:
            y[..., start:stop] = torch.nn.functional.linear(x, tile, None if bias is None else bias[start:stop])
    return y


def _transformed_linear(
    view: _core.RecordView, around: Activations, x: torch.Tensor, bias: torch.Tensor | None, out_features: int
) -> torch.Tensor:
    """The product through the coefficients, summed in float32; a transformed input may exceed what float16 holds."""
    dtype = torch.float32 if x.dtype == torch.float16 else x.dtype
    y = torch.empty((*x.shape[:-1], out_features), dtype=torch.float32)
    inputs = around.to_columns(x.float()).to(dtype)
    for start, stop, tile in _tiles(view, dtype, coefficients=True):
        y[..., start:stop] = torch.nn.functional.linear(inputs, tile)
    y = around.from_rows(y)
    if around.mean:
        y = y + around.mean * x.float().sum(dim=-1, keepdim=True)
    return (y if bias is None else y + bias).to(x.dtype)


@linear.register_fake
def _linear_fake(x: torch.Tensor, record: torch.Tensor, bias: torch.Tensor | None, out_features: int, name: str = "") -> torch.Tensor:
    return x.new_empty((*x.shape[:-1], out_features))


@torch.library.custom_op(
    "haagenti::linear_input_gradient", mutates_args=(), schema="(Tensor gradient, Tensor record, int in_features, str name='') -> Tensor"
)
def linear_input_gradient(gradient: torch.Tensor, record: torch.Tensor, in_features: int, name: str = "") -> torch.Tensor:
    """The gradient of ``linear`` with respect to its input: ``gradient @ W``.

    Args:
        gradient: (..., out_features) as the output of ``linear``.
        record: (n_bytes,) uint8.
        in_features: Columns of the matrix.
        name: Of the weight, for messages.

    Returns:
        (..., in_features) of the dtype of ``gradient``; tiles are summed in float32.
    """
    view = _open(gradient, record, (gradient.shape[-1], in_features), name)
    with torch.autocast("cpu", enabled=False):
        around = Activations.of(view)
        if around is not None:
            return _transformed_input_gradient(view, around, gradient, in_features)
        if view.n_rows <= _tile_rows(view):
            return torch.matmul(gradient, next(_tiles(view, gradient.dtype))[2]).contiguous()
        total = gradient.new_zeros((*gradient.shape[:-1], in_features), dtype=torch.float32)
        for start, stop, tile in _tiles(view, gradient.dtype):
            total += torch.matmul(gradient[..., start:stop], tile)
    return total.to(gradient.dtype)


def _transformed_input_gradient(view: _core.RecordView, around: Activations, gradient: torch.Tensor, in_features: int) -> torch.Tensor:
    """``gradient @ W`` through the coefficients."""
    dtype = torch.float32 if gradient.dtype == torch.float16 else gradient.dtype
    total = torch.zeros((*gradient.shape[:-1], in_features), dtype=torch.float32)
    outputs = around.to_rows(gradient.float()).to(dtype)
    for start, stop, tile in _tiles(view, dtype, coefficients=True):
        total += torch.matmul(outputs[..., start:stop], tile)
    total = around.from_columns(total)
    if around.mean:
        total = total + around.mean * gradient.float().sum(dim=-1, keepdim=True)
    return total.to(gradient.dtype)


@linear_input_gradient.register_fake
def _linear_input_gradient_fake(gradient: torch.Tensor, record: torch.Tensor, in_features: int, name: str = "") -> torch.Tensor:
    return gradient.new_empty((*gradient.shape[:-1], in_features))


def _setup_context(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
    x, record, _, _, ctx.name = inputs
    ctx.in_features = x.shape[-1]
    ctx.save_for_backward(record)


def _backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor | None, None, torch.Tensor | None, None, None]:
    (record,) = ctx.saved_tensors
    to_x = linear_input_gradient(gradient, record, ctx.in_features, ctx.name) if ctx.needs_input_grad[0] else None
    to_bias = gradient.sum(dim=tuple(range(gradient.ndim - 1))) if ctx.needs_input_grad[2] else None
    return to_x, None, to_bias, None, None


linear.register_autograd(_backward, setup_context=_setup_context)


def _open(x: torch.Tensor, record: torch.Tensor, matrix: tuple[int, int], name: str) -> _core.RecordView:
    """The record's view, after every check of the arguments.

    Args:
        x: The tensor to be multiplied.
        record: (n_bytes,) uint8.
        matrix: (rows, columns) that the record must have.
        name: For messages.
    """
    where = f"tensor {name!r}"
    if x.device.type != "cpu" or record.device.type != "cpu":
        raise UnsupportedError(
            f"{where}: device: expected cpu, the only one that multiplies records so far, found {x.device} (input) and {record.device} "
            "(record); load the model without run_compressed to have dense weights on other devices"
        )
    if x.dtype not in FLOATS or x.ndim == 0:
        raise InvalidArgumentError(f"{where}: input: expected float32, bfloat16 or float16 with an axis, found {x.dtype} {tuple(x.shape)}")
    if record.dtype != torch.uint8 or record.ndim != 1:
        raise InvalidArgumentError(f"{where}: record: expected a 1-D uint8 tensor, found {record.dtype} {tuple(record.shape)}")
    view = _core.RecordView(raw_bytes(record), name)
    if (view.n_rows, view.row_length) != matrix:
        raise InvalidArgumentError(
            f"{where}: matrix: expected {matrix[0]} x {matrix[1]}, found {view.n_rows} x {view.row_length} in the record"
        )
    if not dtypes.is_float(view.dtype) or dtypes.bits(view.dtype) < 8:
        raise UnsupportedError(f"{where}: dtype: expected floating point of 8 bits or more, found {view.dtype}")
    return view


def _check_bias(x: torch.Tensor, bias: torch.Tensor | None, out_features: int, name: str) -> None:
    if bias is not None and (bias.shape != (out_features,) or bias.dtype != x.dtype or bias.device != x.device):
        found = f"{tuple(bias.shape)} {bias.dtype} on {bias.device}"
        raise InvalidArgumentError(f"bias of tensor {name!r}: expected ({out_features},) {x.dtype} on {x.device}, found {found}")


def _tile_rows(view: _core.RecordView) -> int:
    """Rows of a tile: whole chunks, so that none is decoded twice."""
    fitting = TILE_ELEMENTS // max(view.row_length, 1)
    return max(fitting // view.chunk_rows, 1) * view.chunk_rows


def _tiles(view: _core.RecordView, dtype: torch.dtype, coefficients: bool = False) -> Iterator[tuple[int, int, torch.Tensor]]:
    """(first row, end, rows as (end - first, row_length) of ``dtype``); a tile is valid until the next is asked for.

    Args:
        view: The record.
        dtype: Of the tiles. Weights are rounded to the record's own dtype before, coefficients are not.
        coefficients: What the quantiser holds in place of the weights.
    """
    n_rows, n_tile = view.n_rows, min(_tile_rows(view), view.n_rows)
    decoded = "F32" if coefficients else view.dtype
    decode_into = view.decode_coefficients_into if coefficients else view.decode_rows_into
    buffer = torch.empty((n_tile, view.row_length), dtype=to_torch_dtype(decoded), device="cpu")
    for start in range(0, max(n_rows, 1), max(n_tile, 1)):
        stop = min(start + n_tile, n_rows)
        tile = buffer[: stop - start]
        decode_into(start, stop, raw_bytes(tile), decoded)
        yield start, stop, tile.to(dtype)
