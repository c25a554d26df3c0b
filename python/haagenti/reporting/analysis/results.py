"""What an analysis found: per tensor, per class, and all of it as JSON or CSV.

Not responsible for: measuring (`measure`), summing up (`aggregate`), the text (`text`).
"""

from __future__ import annotations

import csv
import io

import msgspec

from haagenti.reporting.analysis.statistics import Statistics


class TransformGain(msgspec.Struct, frozen=True):
    """What one transform gains on one tensor.

    Attributes:
        transform: as records spell it, such as ``block_dct(8)``.
        coding_gain_db: the classical one; None where its standard error is above 0.05 dB, which is too few values to tell.
        standard_error_db: of the coding gain, for Gaussian noise of this size.
        measured_gain_db: over the identity at equal bits, quantised by the reference encoding; None when it was not measured.
    """

    transform: str
    coding_gain_db: float | None
    standard_error_db: float | None
    measured_gain_db: float | None


class Point(msgspec.Struct, frozen=True):
    """One tensor, encoded and decoded.

    Attributes:
        setting: what was asked for, such as ``retention=0.3`` or ``bits_per_weight=3``.
        asked: the transform that was asked for, ``auto`` or ``identity``.
        transform: the one in the record.
        auto_gain_db: of the best transform that ``auto`` measured, over the identity at equal bits; None when none was measured.
        bits_per_weight: bytes of the record, header and all, times 8 over its elements.
        cosine: between original and decoded values.
        snr_db: signal-to-noise ratio; None when nothing was lost.
        n_elements: of the tensor.
        signal_energy, error_energy, dot: sums over the tensor (scaled up from the sample): x * x, (y - x) ** 2, x * y.
        fallback: why it is stored losslessly instead; "" when it is not.
    """

    setting: str
    asked: str
    transform: str
    auto_gain_db: float | None
    bits_per_weight: float
    cosine: float
    snr_db: float | None
    n_elements: int
    signal_energy: float
    error_energy: float
    dot: float
    fallback: str = ""


class TensorAnalysis(msgspec.Struct, frozen=True):
    """One tensor.

    Attributes:
        name, dtype, shape: the tensor.
        tensor_class: one of `tensor_class.CLASSES`.
        n_elements: of the tensor.
        n_sampled: of these, measured by transforms and encodings; the statistics are of all.
        matrix: rows and columns of what was measured.
        statistics: of all values.
        energy: by transform, shares of the energy in the largest 10, 20, ... 100 % of the coefficients, the mean taken off before.
        gains: by transform, the identity first.
        points: by setting.
        not_analysed: why only the statistics, or nothing, is there; "" when all is.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    tensor_class: str
    n_elements: int
    n_sampled: int
    matrix: tuple[int, int]
    statistics: Statistics | None
    energy: dict[str, list[float]] = {}
    gains: list[TransformGain] = []
    points: list[Point] = []
    not_analysed: str = ""


class GainSummary(msgspec.Struct, frozen=True):
    """One transform over the tensors of a class to which it applies: median, smallest and largest, each None where there is no value."""

    transform: str
    n_tensors: int
    coding_gain_db: tuple[float, float, float] | None
    measured_gain_db: tuple[float, float, float] | None


class PointSummary(msgspec.Struct, frozen=True):
    """One setting over the tensors of a class taken together.

    Attributes:
        setting, asked: as of `Point`.
        bits_per_weight: over all elements.
        cosine, snr_db: of all values as if they were one tensor; snr_db is None when nothing was lost.
        taken: number of tensors by the transform in their records.
        auto_gain_db: median and largest of the tensors' gains; None when none was measured.
        n_fallback: tensors that were stored losslessly instead.
    """

    setting: str
    asked: str
    bits_per_weight: float
    cosine: float
    snr_db: float | None
    taken: dict[str, int]
    auto_gain_db: tuple[float, float] | None
    n_fallback: int = 0


class ClassAnalysis(msgspec.Struct, frozen=True):
    """The tensors of one class.

    Attributes:
        name: of the class.
        n_tensors, n_elements, n_sampled: of those that were analysed.
        excess_kurtosis: median and largest over the tensors; None when all are constant.
        outlier_share: of all values.
        max_sigmas: largest over the tensors.
        energy: as of `TensorAnalysis`, tensors weighted by their energy about the mean.
        gains, points: summaries.
    """

    name: str
    n_tensors: int
    n_elements: int
    n_sampled: int
    excess_kurtosis: tuple[float, float] | None
    outlier_share: float | None
    max_sigmas: float | None
    energy: dict[str, list[float]]
    gains: list[GainSummary]
    points: list[PointSummary]


class Analysis(msgspec.Struct, frozen=True):
    """What `analyze` returns.

    Attributes:
        path: of the model.
        reference: the encoding behind the measured gains.
        sample_elements: of a tensor measured at most.
        energy_at: the shares of the coefficients at which energy curves are taken.
        gaussian_energy: what independent Gaussian values have there.
        classes: summaries of the classes that the model has.
        tensors: in the order of the model; tied ones once.
        seconds: wall-clock time.
    """

    path: str
    reference: str
    sample_elements: int
    energy_at: list[float]
    gaussian_energy: list[float]
    classes: list[ClassAnalysis]
    tensors: list[TensorAnalysis]
    seconds: float

    @property
    def not_analysed(self) -> list[TensorAnalysis]:
        """The tensors that have no gains and points."""
        return [tensor for tensor in self.tensors if tensor.not_analysed]

    def to_json(self) -> str:
        """Everything as JSON; `from_json` reads it."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Analysis:
        """What `to_json` wrote.

        Raises:
            msgspec.ValidationError: It is no analysis.
        """
        return msgspec.json.decode(text, type=cls)

    def to_csv(self) -> str:
        """A line a number: class, tensor ("" for the class as a whole), quantity, transform, where it was taken, value, unit."""
        from haagenti.reporting.analysis.lines import HEADER, csv_lines

        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(csv_lines(self))
        return out.getvalue()

    def table(self) -> str:
        """A block of text a class, then what the words mean."""
        from haagenti.reporting.analysis.text import report

        return report(self)
