"""``CompressedLinear``: a linear layer whose weight stays a record.

Not responsible for: the product (`haagenti.torch.ops`), or putting the layer into models (`haagenti.hf`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from haagenti.errors import CorruptError, InvalidArgumentError
from haagenti.record import Record
from haagenti.torch import ops
from haagenti.torch.codec import decode
from haagenti.torch.tensors import from_bytes, raw_bytes

if TYPE_CHECKING:
    from typing_extensions import Self


class CompressedLinear(nn.Module):
    """``y = x @ W.T + bias`` with ``W`` decoded a few rows at a time in every call.

    The record is a buffer called ``weight``, so ``state_dict`` gives its bytes under the name a dense layer uses. It moves between devices
    with the module and is never cast. Gradients reach the input and the bias, not the weight.

    Attributes:
        weight: (n_bytes,) uint8, a record whose matrix is (out_features, in_features).
        bias: (out_features,) or None.
        in_features: Columns of the matrix.
        out_features: Rows of the matrix.
        name: Of the weight, for messages.

    Example:
        >>> import haagenti.torch
        >>> layer = CompressedLinear.from_record(haagenti.torch.encode(torch.ones(3, 32), "int4"))
        >>> layer(torch.ones(1, 32))
        tensor([[32., 32., 32.]])
    """

    weight: torch.Tensor

    def __init__(
        self, weight: torch.Tensor, bias: nn.Parameter | None = None, *, in_features: int, out_features: int, name: str = "weight"
    ) -> None:
        """Keeps a record that may not be there yet: one on the device ``meta`` only has a size.

        Args:
            weight: (n_bytes,) uint8.
            bias: (out_features,) of the dtype of the inputs to come, or None.
            in_features: Columns of the record's matrix.
            out_features: Rows of the record's matrix.
            name: Of the weight, for messages.

        Raises:
            InvalidArgumentError: ``weight`` is no 1-D uint8 tensor.
        """
        super().__init__()
        if weight.dtype != torch.uint8 or weight.ndim != 1:
            raise InvalidArgumentError(f"tensor {name!r}: expected a 1-D uint8 tensor, found {weight.dtype} {tuple(weight.shape)}")
        self.in_features, self.out_features, self.name = in_features, out_features, name
        self.register_buffer("weight", weight)
        self.register_parameter("bias", bias)

    @classmethod
    def from_record(cls, record: Record, bias: nn.Parameter | None = None) -> Self:
        """A layer with a copy of a record, whose matrix gives the features."""
        weight = from_bytes(record.data, "U8", (record.n_bytes,))
        return cls(weight, bias, in_features=record.matrix.row_length, out_features=record.matrix.n_rows, name=record.name or "weight")

    @property
    def record(self) -> Record:
        """The weight with its header read; its bytes are those of the buffer when that is on the CPU.

        Raises:
            CorruptError, TruncatedError, UnsupportedError: The bytes are no record.
        """
        return Record(raw_bytes(self.weight), self.name)

    def check(self) -> None:
        """Checks that the record is whole and of this layer.

        Raises:
            CorruptError: Its matrix is another than the layer's, or as for ``record``.
        """
        matrix = self.record.matrix
        if (matrix.n_rows, matrix.row_length) != (self.out_features, self.in_features):
            raise CorruptError(
                f"tensor {self.name!r}: matrix: expected {self.out_features} x {self.in_features}, "
                f"found {matrix.n_rows} x {matrix.row_length} in the record"
            )

    def dense_weight(self, dtype: torch.dtype | None = None) -> torch.Tensor:
        """Decodes the whole weight.

        Args:
            dtype: Of the result; None for the one it was compressed from. The values are first rounded to that one.

        Returns:
            The weight in the shape it was compressed from, on the device of the record.
        """
        return decode(self.record).to(device=self.weight.device, dtype=dtype)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The product.

        Args:
            x: (..., in_features) float32, bfloat16 or float16.

        Returns:
            (..., out_features) of the dtype of ``x``.
        """
        product: torch.Tensor = ops.linear(x, self.weight, self.bias, self.out_features, self.name)
        return product

    def extra_repr(self) -> str:
        """Features, encoding and bits per weight."""
        text = f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
        if self.weight.device.type == "meta":
            return text
        record = self.record
        return f"{text}, {record.encoding}, {record.bits_per_weight:.3f} b/w"

    def _apply(self, fn: Callable[[torch.Tensor], torch.Tensor], recurse: bool = True) -> Self:
        """Applies what ``to``, ``half``, ``type`` and the like do to every tensor, but undoes a cast of the record."""
        record = self.weight
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        if self.weight.dtype != torch.uint8:
            self.weight = record.to(self.weight.device)
        return self

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        """Accepts a record of another size, such as one of another encoding, for the same matrix."""
        found = state_dict.get(f"{prefix}weight")
        if isinstance(found, torch.Tensor) and found.dtype == torch.uint8 and found.ndim == 1 and found.shape != self.weight.shape:
            self.weight = torch.empty_like(found, device=self.weight.device)
        super()._load_from_state_dict(state_dict, prefix, *args)
