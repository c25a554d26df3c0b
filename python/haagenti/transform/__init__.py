"""Cosine and Walsh-Hadamard transforms of numpy arrays and torch tensors, with the semantics of scipy.fft.

Not responsible for compression: `haagenti.encode` uses the same core.

Example:
    >>> import numpy as np
    >>> from haagenti import transform
    >>> x = np.arange(1, 17, dtype=np.float32).reshape(4, 4)
    >>> y = transform.dctn(x)
    >>> y[0, 0].item(), bool(np.allclose(transform.idctn(y), x, atol=1e-5))
    (34.0, True)
"""

from __future__ import annotations

from haagenti.transform.cosine import (
    dct,
    dct_1d,
    dct_2d,
    dctn,
    idct,
    idct_1d,
    idct_2d,
    idctn,
)
from haagenti.transform.tiles import block_dct, block_idct
from haagenti.transform.walsh_hadamard import hadamard

__all__ = [
    "block_dct",
    "block_idct",
    "dct",
    "dct_1d",
    "dct_2d",
    "dctn",
    "hadamard",
    "idct",
    "idct_1d",
    "idct_2d",
    "idctn",
]
