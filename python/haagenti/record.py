"""Tensors to records and back: the smallest use of haagenti.

Not responsible for files (`haagenti.numpy`, `haagenti.torch`) or for choosing an encoding (`haagenti.plan`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from haagenti import _core, dtypes, subbyte
from haagenti.array_input import as_array
from haagenti.errors import InvalidArgumentError
from haagenti.quality import Quality

RECORD_MAGIC = b"HGTR"
MATRICES = ("last", "first", "kernels", "transposed", "flat")

_SHORT_AXIS = 16  # a last axis shorter than this is a kernel's, not a row
_TARGETS = frozenset({"retention", "energy", "bits_per_weight"})  # of spectral
_DECIBELS_PER_BIT = 20 * math.log10(2)


@dataclass(frozen=True)
class Matrix:
    """How a tensor is seen as rows: axes permuted by ``perm``, then cut into rows.

    Attributes:
        perm: Axis ``i`` of the permuted tensor is axis ``perm[i]`` of the tensor.
        n_rows: Rows.
        row_length: Elements of a row; groups run along it.
    """

    perm: tuple[int, ...]
    n_rows: int
    row_length: int

    @property
    def is_permuted(self) -> bool:
        """Whether the order of the matrix differs from the tensor's."""
        return self.perm != tuple(range(len(self.perm)))


class Record:
    """One compressed tensor: its bytes, and what their header says.

    Attributes:
        data: (n_bytes,) the record's bytes, read-only.
        view: The core's decoder of these bytes.
        name: For messages.
        fallback: Why the tensor was stored by ``raw`` instead of what was asked for; None if it was not.
    """

    __slots__ = ("data", "fallback", "name", "view")

    def __init__(self, data: Any, name: str = "", *, fallback: str | None = None) -> None:
        """Checks the header of a record.

        Args:
            data: The record's bytes, all of them and no more; anything with the buffer protocol. Not copied.
            name: Of the tensor, for messages.
            fallback: See the attribute.

        Raises:
            CorruptError: The bytes contradict themselves.
            TruncatedError: They end too early.
            UnsupportedError: A version or a stage that this build does not know.
        """
        self.data = memoryview(data).cast("B").toreadonly()
        self.view = _core.RecordView(self.data, name)
        self.name = name
        self.fallback = fallback

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the tensor."""
        return self.view.shape

    @property
    def dtype(self) -> str:
        """Of the tensor, as safetensors spells it."""
        return self.view.dtype

    @property
    def encoding(self) -> str:
        """Canonical text of what is stored, such as ``int4(group_size=32)``."""
        return self.view.encoding

    @property
    def transform(self) -> str:
        """What was done to the matrix before it was quantised, such as ``identity`` or ``hadamard(512)``."""
        return self.view.transform

    @property
    def transform_gain(self) -> float | None:
        """Decibels that the best transform measured (``transform="auto"``) gains over the identity at equal bits; None when none was.

        The transform of the record is the identity when this is less than 0.1.
        """
        return self.view.transform_gain

    @property
    def n_bytes(self) -> int:
        """Bytes of the record, header and padding included."""
        return self.view.n_bytes

    @property
    def n_elements(self) -> int:
        """Elements of the tensor."""
        return self.view.n_elements

    @property
    def bits_per_weight(self) -> float:
        """Bits of the record an element; NaN for a tensor without elements."""
        return 8 * self.n_bytes / self.n_elements if self.n_elements else math.nan

    @property
    def lossy(self) -> bool:
        """Whether decoding may differ from the original."""
        return self.view.lossy

    @property
    def error(self) -> Quality | None:
        """Measured while encoding, on the values as they decode to the tensor's own dtype; None for lossless records."""
        sums = self.view.error
        return None if sums is None else Quality.from_sums(self.n_elements, *sums)

    @property
    def matrix(self) -> Matrix:
        """The rows that groups and chunks follow."""
        return Matrix(self.view.perm, self.view.n_rows, self.view.row_length)

    def verify(self) -> None:
        """Checks every chunk against its checksum.

        Raises:
            CorruptError: Names the segment and the chunk.
        """
        self.view.verify()

    def __len__(self) -> int:
        return self.n_bytes

    def __repr__(self) -> str:
        label = f"{self.name!r}, " if self.name else ""
        snr = f", {self.error.snr_db:.2f} dB" if self.error else ""
        return f"Record({label}{self.dtype}{list(self.shape)}, {self.encoding}, {self.n_bytes} bytes, {self.bits_per_weight:.3f} b/w{snr})"


def begins_like_record(data: Any) -> bool:
    """Whether bytes begin as a record does; nothing else is checked.

    Args:
        data: Anything with the buffer protocol.
    """
    return bytes(memoryview(data).cast("B")[: len(RECORD_MAGIC)]) == RECORD_MAGIC


def encode(x: Any, encoding: str = "int4", *, matrix: str | None = None, name: str = "", **params: int | float | str) -> Record:
    """Compresses one tensor.

    Args:
        x: numpy array or torch CPU tensor of any shape. int8, int4 and spectral take F32, F16 and BF16; raw takes every dtype.
        encoding: A name (``"int4"``) or a whole text (``"int4(group_size=64)"``).
        matrix: The rows along which groups run. ``"last"``: the last axis; ``"first"``: all axes but the first (convolutions);
            ``"kernels"``: all axes but the first two (a row is one kernel of a convolution); ``"transposed"``: the columns of a matrix
            (GPT-2's Conv1D); ``"flat"``: all elements as one row.
            None: ``"first"`` for three or more axes with a last one shorter than 16, else ``"last"``; for these convolutions
            ``transform="auto"`` measures ``"kernels"`` as well and takes what gains more.
        name: Of the tensor, for messages.
        **params: Of the encoding, over those in its text, such as ``retention=0.7`` or ``transform="hadamard"``.

    Returns:
        The record. When the values cannot be held by a lossy encoding (NaN, infinity, a scale outside binary16) it is lossless and
        ``fallback`` says why.

    Raises:
        InvalidArgumentError: Unknown encoding or parameter, or a dtype that it does not take.

    Example:
        >>> record = encode(np.ones((4, 64), np.float32), "int4", group_size=32)
        >>> record.encoding, record.shape
        ('int4(group_size=32)', (4, 64))
        >>> smooth = np.sin(np.arange(64) / 9)[:, None] * np.cos(np.arange(64) / 7)
        >>> record = encode(smooth.astype(np.float32), "spectral", retention=0.1, transform="dct_2d", coefficients="f32")
        >>> record.encoding, round(record.error.cosine, 3)
        ('spectral(retention=0.1, coefficients="f32", transform="dct_2d")', 1.0)
    """
    array = as_array(x)
    dtype = dtypes.from_numpy(array.dtype)
    if array.dtype != array.dtype.newbyteorder("="):
        array = array.astype(array.dtype.newbyteorder("="))
    text = _with_params(encoding, params)
    if dtypes.bits(dtype) < 8:
        return encode_bytes(subbyte.pack(array, dtype, f"tensor {name!r}"), dtype, array.shape, text, name=name)
    word = _matrix_of(text, matrix)
    if _measures_kernels(text, word, array.shape):
        word = _better_matrix(np.ascontiguousarray(array).reshape(-1).view(np.uint8), dtype, array.shape, text, name)
    chosen = choose_matrix(array.shape, word, name)
    ordered = np.ascontiguousarray(array.transpose(chosen.perm) if chosen.is_permuted else array)
    return _encode_ordered(ordered.reshape(-1).view(np.uint8), dtype, array.shape, chosen, text, name)


def encode_bytes(raw: Any, dtype: str, shape: Sequence[int], encoding: str, *, matrix: str | None = None, name: str = "") -> Record:
    """Compresses a tensor given as bytes, without copying them unless the matrix is transposed.

    Args:
        raw: Little-endian elements in C order; anything with the buffer protocol.
        dtype: As safetensors spells it.
        shape: Elements along each axis.
        encoding: A name or a whole text.
        matrix: As for ``encode``.
        name: Of the tensor, for messages.

    Raises:
        InvalidArgumentError: As for ``encode``; also bytes that do not fit dtype and shape.
    """
    shape = tuple(int(n) for n in shape)
    text = _with_params(encoding, {})
    packed = dtypes.bits(dtype) < 8
    word = "flat" if packed else _matrix_of(text, matrix)
    if _measures_kernels(text, word, shape):
        word = _better_matrix(raw, dtype, shape, text, name)
    chosen = choose_matrix(shape, word, name)
    if chosen.is_permuted:
        array = np.frombuffer(raw, dtypes.to_numpy(dtype)).reshape(shape)
        raw = np.ascontiguousarray(array.transpose(chosen.perm)).reshape(-1).view(np.uint8)
    return _encode_ordered(raw, dtype, shape, chosen, text, name)


def decode(rec: Record | Any, out: np.ndarray | None = None, *, dtype: str | None = None) -> np.ndarray:
    """Restores a tensor.

    Args:
        rec: A record, or its bytes.
        out: C-contiguous array of the record's shape to fill; its dtype is what is decoded to.
        dtype: To decode to, as safetensors spells it; default the tensor's own. Lossy encodings give F32, F16 and BF16.

    Returns:
        ``out``, or a new array (ml_dtypes types for bf16 and fp8).

    Raises:
        InvalidArgumentError: ``out`` does not fit, or the encoding does not decode to that dtype.
        CorruptError: A chunk does not match its checksum, or does not decode.

    Example:
        >>> decode(encode(np.zeros((2, 3), np.float32), "raw")).shape
        (2, 3)
    """
    record = rec if isinstance(rec, Record) else Record(rec)
    if dtypes.bits(record.dtype) < 8:
        return _decode_packed(record, out, dtype)
    if out is None:
        out = np.empty(record.shape, dtypes.to_numpy(dtype or record.dtype))
    else:
        _check_out(out, record, dtype)
    target = dtypes.from_numpy(out.dtype)
    matrix = record.matrix
    if not matrix.is_permuted:
        record.view.decode_into(out.reshape(-1).view(np.uint8), target)
        return out
    ordered = np.empty([record.shape[axis] for axis in matrix.perm], out.dtype)
    record.view.decode_into(ordered.reshape(-1).view(np.uint8), target)
    out[...] = ordered.transpose(np.argsort(matrix.perm))
    return out


def _decode_packed(record: Record, out: np.ndarray | None, dtype: str | None) -> np.ndarray:
    """Elements of less than a byte are stored packed; numpy holds them one a byte."""
    packed = np.empty(record.n_elements * dtypes.bits(record.dtype) // 8, np.uint8)
    record.view.decode_into(packed, dtype or record.dtype)
    array = subbyte.unpack(packed.data, record.dtype, record.shape, f"tensor {record.name!r}")
    if out is None:
        return array
    _check_out(out, record, record.dtype)
    out[...] = array
    return out


def choose_matrix(shape: Sequence[int], matrix: str | None = None, name: str = "") -> Matrix:
    """The rows of a tensor.

    Args:
        shape: Of the tensor.
        matrix: See ``encode``.
        name: Of the tensor, for messages.

    Raises:
        InvalidArgumentError: An unknown word, ``"transposed"`` for other than two axes, or ``"kernels"`` for fewer than three.

    Example:
        >>> choose_matrix((64, 3, 3, 3)).row_length
        27
    """
    rank = len(shape)
    natural = tuple(range(rank))
    total = math.prod(shape)
    if matrix is None:
        matrix = "first" if rank >= 3 and shape[-1] < _SHORT_AXIS else "last"
    if matrix not in MATRICES:
        raise InvalidArgumentError(f"tensor {name!r}: matrix: expected one of {', '.join(MATRICES)}, found {matrix!r}")
    if matrix == "kernels":
        if rank < 3:
            raise InvalidArgumentError(f"tensor {name!r}: matrix 'kernels': expected 3 or more axes, found {rank}")
        return Matrix(natural, math.prod(shape[:2]), math.prod(shape[2:]))
    if matrix == "transposed":
        if rank != 2:
            raise InvalidArgumentError(f"tensor {name!r}: matrix 'transposed': expected 2 axes, found {rank}")
        return Matrix((1, 0), shape[1], shape[0])
    if matrix == "flat" or rank <= 1:
        return Matrix(natural, 1, total)
    if matrix == "first":
        return Matrix(natural, shape[0], math.prod(shape[1:]))
    return Matrix(natural, math.prod(shape[:-1]), shape[-1])


def _measures_kernels(text: str, matrix: str | None, shape: Sequence[int]) -> bool:
    """Whether a convolution's matrix is left to what its transform gains."""
    is_convolution = len(shape) >= 3 and shape[-1] < _SHORT_AXIS and math.prod(shape) > 0
    return matrix is None and is_convolution and _core.parse_encoding(text)[1].get("transform") == "auto"


def _better_matrix(raw: Any, dtype: str, shape: tuple[int, ...], text: str, name: str) -> str:
    """Of a convolution: rows of whole filters or of single kernels, by the best signal-to-noise ratio at equal bits."""

    def score(word: str) -> float:
        matrix = choose_matrix(shape, word, name)
        measured = _core.measure_transforms(raw, dtype, shape, matrix.perm, matrix.n_rows, matrix.row_length, text, name)
        return max((row["snr_db"] - _DECIBELS_PER_BIT * row["bits_per_weight"] for row in measured), default=-math.inf)

    return "kernels" if score("kernels") > score("first") else "first"


def _with_params(encoding: str, params: dict[str, int | float | str]) -> str:
    name, known = _core.parse_encoding(encoding)
    if not _TARGETS.isdisjoint(params):  # they exclude each other: the one given last counts
        known = {key: "unset" if key in _TARGETS else value for key, value in known.items()}
    return _core.format_encoding(name, {**known, **params})


def _matrix_of(text: str, matrix: str | None) -> str | None:
    """group_axis="flat" is a property of the matrix: the two must not contradict."""
    flat = _core.parse_encoding(text)[1].get("group_axis") == "flat"
    if flat and matrix not in (None, "flat"):
        raise InvalidArgumentError(f"encoding {text}: group_axis is 'flat', matrix is {matrix!r}")
    return "flat" if flat else matrix


def _encode_ordered(raw: Any, dtype: str, shape: tuple[int, ...], matrix: Matrix, text: str, name: str) -> Record:
    data, fallback = _core.encode(raw, dtype, shape, matrix.perm, matrix.n_rows, matrix.row_length, text, name)
    return Record(data, name, fallback=fallback or None)


def _check_out(out: np.ndarray, record: Record, dtype: str | None) -> None:
    where = f"tensor {record.name!r}: out"
    if out.shape != record.shape:
        raise InvalidArgumentError(f"{where}: shape: expected {record.shape}, found {out.shape}")
    if not out.flags.c_contiguous or not out.flags.writeable:
        raise InvalidArgumentError(f"{where}: expected a writable C-contiguous array")
    if dtype is not None and out.dtype != dtypes.to_numpy(dtype):
        raise InvalidArgumentError(f"{where}: dtype: expected {dtype}, found {out.dtype}")
