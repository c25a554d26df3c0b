"""Checking a converted model: every checksum, and against the original every value.

Not responsible for: what a reader checks anyway when it opens a file (`haagenti.files.tensor_file`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from haagenti.errors import DecompressionError, UnsupportedError
from haagenti.record import Record
from haagenti.reporting.comparison import difference, first_unequal_byte
from haagenti.sources import Source, SourceTensor, open_source

Progress = Callable[[int, int, str], None]
StrPath = str | os.PathLike[str]

# A record's error is summed in another order than here, both in double precision.
TOLERANCE = 1e-6


class VerifyReport(msgspec.Struct, frozen=True):
    """What a verification found.

    Attributes:
        path: what was checked.
        against: the original it was compared with; None without.
        n_tensors: names listed, aliases included.
        n_records: of the stored tensors, aliases not counted, stored as records, whose every checksum was computed.
        n_plain: of these, stored plainly: safetensors has no checksums for them, so without an original only their place is checked.
        n_equal: compared with the original and equal bit by bit.
        n_lossy: compared with the original and as far from it as their record states.
        failures: one line a problem.
    """

    path: str
    against: str | None
    n_tensors: int
    n_records: int = 0
    n_plain: int = 0
    n_equal: int = 0
    n_lossy: int = 0
    failures: list[str] = []

    @property
    def ok(self) -> bool:
        return not self.failures

    def to_json(self) -> str:
        return msgspec.json.encode(msgspec.to_builtins(self) | {"ok": self.ok}).decode()


def verify(
    path: StrPath,
    against: StrPath | None = None,
    progress: Progress | None = None,
    *,
    key: str | None = None,
    revision: str | None = None,
) -> VerifyReport:
    """Checks a model directory or a file of tensors.

    Every checksum of every record is computed. With an original, names, dtypes and shapes must be the same, lossless tensors
    equal bit by bit, and lossy ones exactly as far from the original as their record states.

    Args:
        path: the converted model.
        against: the original: anything that `haagenti.convert` reads.
        progress: called with (bytes done, bytes in all, tensor name) after every tensor.
        key: of the original, see `haagenti.sources.open_source`.
        revision: of the original, see `haagenti.sources.open_source`.

    Raises:
        InvalidArgumentError, IoError: nothing to open at `path` or `against`.
        CorruptError, TruncatedError, UnsupportedError: the original cannot be read. Damage of `path` is in the report instead.

    Example:
        >>> import os, tempfile, numpy as np, haagenti.numpy
        >>> folder = tempfile.mkdtemp()
        >>> source = os.path.join(folder, "a.safetensors")
        >>> weight = np.random.default_rng(0).standard_normal((64, 256), np.float32)
        >>> haagenti.numpy.save_file({"up.weight": weight, "up.bias": weight[0]}, source, encoding="plain")
        >>> packed = os.path.join(folder, "a.hct")
        >>> _ = haagenti.convert(source, packed, preset="int8")
        >>> report = verify(packed, against=source)
        >>> report.ok, report.n_equal, report.n_lossy
        (True, 1, 1)
    """
    try:
        source = open_source(path)
        tensors = source.tensors()
    except (DecompressionError, UnsupportedError) as error:  # a damaged header: no list of tensors to go through
        return VerifyReport(os.fspath(path), None if against is None else os.fspath(against), 0, failures=[str(error)])
    with source:
        if against is None:
            return _Check(source, None, progress).run(tensors)
        with open_source(against, key=key, revision=revision) as original:
            return _Check(source, original, progress).run(tensors)


@dataclass
class _Check:
    """Goes through the tensors once and collects what is wrong."""

    source: Source
    original: Source | None
    progress: Progress | None
    failures: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("n_records", "n_plain", "n_equal", "n_lossy"), 0))

    def run(self, tensors: Sequence[SourceTensor]) -> VerifyReport:
        originals = {} if self.original is None else {tensor.name: tensor for tensor in self.original.tensors()}
        if self.original is not None:
            self._compare_names(tensors, originals)
        done, total = 0, sum(tensor.n_bytes for tensor in tensors)
        for tensor in tensors:
            try:
                self._check(tensor, originals.get(tensor.name))
            except (DecompressionError, UnsupportedError) as error:
                self.failures.append(str(error))
            done += tensor.n_bytes
            if self.progress is not None:
                self.progress(done, total, tensor.name)
        against = None if self.original is None else self.original.label
        return VerifyReport(self.source.label, against, len(tensors), **self.counts, failures=self.failures)

    def _compare_names(self, tensors: Sequence[SourceTensor], originals: dict[str, SourceTensor]) -> None:
        names = {tensor.name for tensor in tensors}
        self.failures += [f"tensor {name!r}: is in the original and missing here" for name in sorted(originals) if name not in names]
        self.failures += [f"tensor {name!r}: is not in the original" for name in sorted(names) if name not in originals]

    def _check(self, tensor: SourceTensor, original: SourceTensor | None) -> None:
        record = self.source.record(tensor.name)
        if tensor.alias_of is None:
            self.counts["n_plain" if record is None else "n_records"] += 1
        if record is not None and tensor.alias_of is None:
            record.verify()
        if original is None or not self._same_kind(tensor, original) or self.original is None:
            return
        if record is not None and record.lossy:
            self._compare_lossy(tensor, record, self.original.read(tensor.name))
        else:
            self._compare_bits(tensor, self.original.read(tensor.name))

    def _same_kind(self, tensor: SourceTensor, original: SourceTensor) -> bool:
        n_failures = len(self.failures)
        for name in ("dtype", "shape"):
            expected, found = getattr(original, name), getattr(tensor, name)
            if expected != found:
                self.failures.append(f"tensor {tensor.name!r}: {name}: expected {expected}, found {found}")
        return len(self.failures) == n_failures

    def _compare_bits(self, tensor: SourceTensor, expected: memoryview) -> None:
        place = first_unequal_byte(expected, self.source.read(tensor.name))
        if place is None:
            self.counts["n_equal"] += 1
        else:
            self.failures.append(f"tensor {tensor.name!r}: {tensor.encoding} loses nothing, but byte {place} differs from the original")

    def _compare_lossy(self, tensor: SourceTensor, record: Record, expected: memoryview) -> None:
        stated = record.view.error
        if stated is None:
            self.failures.append(f"tensor {tensor.name!r}: {tensor.encoding} is lossy, but the record states no error")
            return
        found = difference(expected, self.source.read(tensor.name), tensor.dtype)
        for name, a, b in zip(found._fields, stated, found, strict=True):
            scale = max(abs(a), abs(b), *((found.signal_energy,) if name == "dot" else ()))
            if not (np.isfinite(a) and np.isfinite(b) and abs(a - b) <= TOLERANCE * scale):
                self.failures.append(f"tensor {tensor.name!r}: {name}: the record states {a:.9g}, found {b:.9g} against the original")
                return
        self.counts["n_lossy"] += 1
