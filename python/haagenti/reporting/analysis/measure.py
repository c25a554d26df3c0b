"""Goes through the tensors of a model and measures what transforms gain on each.

Not responsible for: the single measures, summing up.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Sequence

import numpy as np

from haagenti import _core, dtypes
from haagenti.errors import InvalidArgumentError
from haagenti.planning.encodings import LOSSY_DTYPES
from haagenti.planning.roles import transposed_names
from haagenti.record import Record
from haagenti.reporting.analysis.aggregate import summaries
from haagenti.reporting.analysis.coding_gain import coding_gain, coefficients
from haagenti.reporting.analysis.energy_curve import SHARES, energy_shares, gaussian_share
from haagenti.reporting.analysis.points import REFERENCE, Setting, encoded, encoding_text, point_of, settings
from haagenti.reporting.analysis.results import Analysis, Point, TensorAnalysis, TransformGain
from haagenti.reporting.analysis.sample import DEFAULT_ELEMENTS, Sample, split_bands, take_sample
from haagenti.reporting.analysis.statistics import Statistics, statistics
from haagenti.reporting.analysis.tensor_class import class_of
from haagenti.sources import Source, SourceTensor, open_source

Progress = Callable[[int, int, str], None]

RETENTION = (0.3, 0.5, 0.7, 0.9)
BITS = (3.0, 4.0)
LARGEST_BITS = 64
LARGEST_ERROR_DB = 0.05
"""Standard error up to which a coding gain is stated."""

CURVES = ("identity", "dct_rows", "dct_2d")


def analyze(
    path: str | os.PathLike[str],
    *,
    retention: Sequence[float] = RETENTION,
    bits: Sequence[float] = BITS,
    sample_elements: int = DEFAULT_ELEMENTS,
    progress: Progress | None = None,
    key: str | None = None,
    revision: str | None = None,
) -> Analysis:
    """Measures what transforms gain on the tensors of a model, class by class.

    Larger tensors are sampled: whole bands of rows, the same at every call. Nothing is written.

    Args:
        path: anything that `haagenti.convert` reads.
        retention: shares of the coefficients to keep, each above 0 and at most 1.
        bits: sizes of the record in bits per weight, each above 0 and at most 64.
        sample_elements: of a tensor to measure at most; the statistics are of all values.
        progress: called with (bytes done, bytes in all, tensor name) after every tensor.
        key: of a pickled checkpoint, see `haagenti.sources.open_source`.
        revision: on the hub, see `haagenti.sources.open_source`.

    Raises:
        InvalidArgumentError, IoError: an argument out of range, nothing to open at `path`.
        CorruptError, TruncatedError, UnsupportedError: the model cannot be read.

    Example:
        >>> import os, tempfile, haagenti.numpy
        >>> path = os.path.join(tempfile.mkdtemp(), "a.safetensors")
        >>> rows = np.sin(np.arange(64)[:, None] * np.arange(32) / 99).astype(np.float32)
        >>> haagenti.numpy.save_file({"wpe.weight": rows}, path, encoding="plain")
        >>> analysis = analyze(path, retention=[0.5], bits=[])
        >>> [(one.name, one.points[0].cosine > 0.99) for one in analysis.classes]
        [('embedding', True)]
    """
    wanted = settings(_checked("retention", retention, 1), _checked("bits", bits, LARGEST_BITS))
    if sample_elements < 1:
        raise InvalidArgumentError(f"sample_elements: expected 1 or more, found {sample_elements}")
    start = time.perf_counter()
    with open_source(path, key=key, revision=revision) as source:
        tensors = _measured(source, wanted, sample_elements, progress)
        return Analysis(
            path=source.label,
            reference=encoding_text(REFERENCE),
            sample_elements=sample_elements,
            energy_at=list(SHARES),
            gaussian_energy=[gaussian_share(share) for share in SHARES],
            classes=summaries(tensors),
            tensors=tensors,
            seconds=time.perf_counter() - start,
        )


def _checked(name: str, values: Sequence[float], largest: float) -> tuple[float, ...]:
    for value in values:
        if not 0 < value <= largest:
            raise InvalidArgumentError(f"{name}: expected numbers above 0, at most {largest}, found {value:g}")
    return tuple(dict.fromkeys(map(float, values)))


def _measured(source: Source, wanted: Sequence[Setting], sample_elements: int, progress: Progress | None) -> list[TensorAnalysis]:
    listing = source.tensors()
    transposed = transposed_names(listing, source.config())
    stored = [tensor for tensor in listing if tensor.alias_of is None]
    done, total = 0, sum(tensor.n_bytes for tensor in stored)
    found = []
    for tensor in stored:
        found.append(_measure_tensor(source, tensor, tensor.name in transposed, wanted, sample_elements))
        done += tensor.n_bytes
        if progress is not None:
            progress(done, total, tensor.name)
    return found


def _measure_tensor(source: Source, tensor: SourceTensor, transposed: bool, wanted: Sequence[Setting], limit: int) -> TensorAnalysis:
    if tensor.dtype not in LOSSY_DTYPES:
        return _left_out(tensor, None, f"dtype {tensor.dtype}: transforms are for {', '.join(sorted(LOSSY_DTYPES))}")
    if 0 in tensor.shape:
        return _left_out(tensor, None, "no elements")
    array = np.frombuffer(source.read(tensor.name), dtypes.to_numpy(tensor.dtype)).reshape(tensor.shape)
    values = statistics(array)
    if values.n_not_finite:
        return _left_out(tensor, values, f"{values.n_not_finite} of {array.size} values are NaN or infinite")
    sample = take_sample(array.T if transposed else array, limit)
    return _measure_sample(tensor, values, sample, wanted)


def _left_out(tensor: SourceTensor, values: Statistics | None, why: str) -> TensorAnalysis:
    n_elements = math.prod(tensor.shape)
    return TensorAnalysis(tensor.name, tensor.dtype, tensor.shape, class_of(tensor), n_elements, 0, (0, 0), values, not_analysed=why)


def _measure_sample(tensor: SourceTensor, values: Statistics, sample: Sample, wanted: Sequence[Setting]) -> TensorAnalysis:
    reference = encoded(sample, REFERENCE, tensor.name)
    matrix = reference.matrix
    centred = _centred(sample.values.reshape(matrix.n_rows, matrix.row_length), values)
    bands = _bands(sample, matrix.n_rows)
    return TensorAnalysis(
        name=tensor.name,
        dtype=tensor.dtype,
        shape=tensor.shape,
        tensor_class=class_of(tensor),
        n_elements=math.prod(tensor.shape),
        n_sampled=sample.values.size,
        matrix=(matrix.n_rows, matrix.row_length),
        statistics=values,
        energy=_energy(centred, bands) if values.std else {},
        gains=_gains(sample, reference, centred, bands),
        points=_points(sample, reference, tensor, wanted),
    )


def _centred(matrix: np.ndarray, values: Statistics) -> np.ndarray:
    """Binary32 with the tensor's mean taken off, as records do, in units of sigma so that no square over- or underflows."""
    return ((matrix.astype(np.float64) - (values.mean or 0.0)) / (values.std or 1.0)).astype(np.float32)


def _bands(sample: Sample, n_rows: int) -> list[int]:
    """Rows of each band; a convolution may have more rows than its filters, one a kernel."""
    lengths = sample.band_lengths
    factor = n_rows // sum(lengths)
    return [length * factor for length in lengths]


def _energy(centred: np.ndarray, bands: Sequence[int]) -> dict[str, list[float]]:
    parts = split_bands(centred, bands)
    return {name: energy_shares(np.concatenate([coefficients(part, name) for part in parts])) for name in CURVES}


def _gains(sample: Sample, reference: Record, centred: np.ndarray, bands: Sequence[int]) -> list[TransformGain]:
    matrix = reference.matrix
    raw = np.ascontiguousarray(sample.values).reshape(-1).view(np.uint8)
    shape = (reference.dtype, reference.shape, matrix.perm, matrix.n_rows, matrix.row_length)
    measured = _core.measure_transforms(raw, *shape, encoding_text(REFERENCE), reference.name)
    return [_gain(centred, row["transform"], row["gain_db"], bands) for row in measured]


def _gain(centred: np.ndarray, text: str, measured: float, bands: Sequence[int]) -> TransformGain:
    # dct_2d is tried only where the sample is the whole matrix, one band
    classical = coding_gain(centred, text, bands)
    if classical is None:
        return TransformGain(text, None, None, measured)
    stated = classical.gain_db if classical.standard_error_db <= LARGEST_ERROR_DB else None
    return TransformGain(text, stated, classical.standard_error_db, measured)


def _points(sample: Sample, reference: Record, tensor: SourceTensor, wanted: Sequence[Setting]) -> list[Point]:
    n_elements = math.prod(tensor.shape)
    records = (reference if setting == REFERENCE else encoded(sample, setting, tensor.name) for setting in wanted)
    return [point_of(record, setting, sample, n_elements) for record, setting in zip(records, wanted, strict=True)]
