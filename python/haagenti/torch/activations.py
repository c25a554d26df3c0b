"""Products with records that were transformed: the activations are transformed, never the weights.

    W = R^T C T + m 1 1^T     C: the record's coefficients; T: its transform along the rows; R: along the columns; m: its mean
    y = W x = R^T (C (T x)) + m sum(x)

R is the identity for transforms of rows alone (``dct_rows``, ``hadamard``). Not responsible for: decoding, or the products with C.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from haagenti import _core, transform


@dataclass(frozen=True)
class Activations:
    """The transform of a record, as it acts on the inputs and outputs of its product.

    Attributes:
        name: ``identity``, ``dct_rows``, ``dct_2d``, ``block_dct`` or ``hadamard``.
        block: Of ``block_dct`` and ``hadamard``.
        seed: Of the signs of ``hadamard``.
        mean: Added to every weight.
    """

    name: str
    block: int
    seed: int
    mean: float

    @classmethod
    def of(cls, view: _core.RecordView) -> Activations | None:
        """Those of a record; None when its coefficients are the weights themselves."""
        if view.transform_name == "identity" and view.mean == 0:
            return None
        return cls(view.transform_name, view.transform_block, view.transform_seed, view.mean)

    def to_columns(self, x: torch.Tensor) -> torch.Tensor:
        """T along the last axis, of as many elements as the matrix has columns."""
        return self._along_rows(x, inverse=False)

    def from_columns(self, x: torch.Tensor) -> torch.Tensor:
        """T's inverse along the last axis."""
        return self._along_rows(x, inverse=True)

    def to_rows(self, y: torch.Tensor) -> torch.Tensor:
        """R along the last axis, of as many elements as the matrix has rows."""
        return self._along_columns(y, inverse=False)

    def from_rows(self, y: torch.Tensor) -> torch.Tensor:
        """R's inverse along the last axis."""
        return self._along_columns(y, inverse=True)

    def _along_rows(self, x: torch.Tensor, inverse: bool) -> torch.Tensor:
        if x.numel() == 0:
            return x
        if self.name == "hadamard":
            result: torch.Tensor = transform.hadamard(x.detach(), block=self.block, seed=self.seed, inverse=inverse)
            return result
        if self.name in ("dct_rows", "dct_2d"):
            return _dct(x, inverse)
        return self._along_columns(x, inverse)

    def _along_columns(self, x: torch.Tensor, inverse: bool) -> torch.Tensor:
        if x.numel() == 0:
            return x
        if self.name == "dct_2d":
            return _dct(x, inverse)
        return _block_dct(x, self.block, inverse) if self.name == "block_dct" else x


def _dct(x: torch.Tensor, inverse: bool) -> torch.Tensor:
    result: torch.Tensor = (transform.idct if inverse else transform.dct)(x.detach())
    return result


def _block_dct(x: torch.Tensor, block: int, inverse: bool) -> torch.Tensor:
    """Runs of ``block`` elements along the last axis, the last run shorter."""
    whole = x.shape[-1] // block * block
    runs = _dct(x[..., :whole].reshape(*x.shape[:-1], -1, block), inverse).flatten(-2) if whole else x[..., :0]
    return runs if whole == x.shape[-1] else torch.cat((runs, _dct(x[..., whole:], inverse)), dim=-1)
