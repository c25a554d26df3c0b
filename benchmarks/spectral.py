"""How fast are spectral records encoded and decoded on one core, and what SNR do they buy at which bits a weight, by transform?

    python benchmarks/spectral.py

Inputs are noise, on which no transform can gain, and the embedding of the embedded model. The yardstick of the speeds is a copy.
"""

from __future__ import annotations

import importlib.util
from functools import partial
from pathlib import Path

import numpy as np

import haagenti
from harness import RESULTS, Candidate, Timing, measure, report

MODEL = Path(__file__).parent.parent / "tests" / "models" / "stories260K" / "model.safetensors"
SIZES = {"in cache, 256 x 1024": ((256, 1024), 20), "from and to DRAM, 8192 x 8192": ((8192, 8192), 1)}
TRANSFORMS = ("identity", "block_dct(128)", "hadamard(128)", "dct_rows")
BITS = (1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5)
GOALS = {"encode": 0.15, "decode": 0.7}  # Gw/s of int4 under block_dct(128) at 70 %


def candidates(x: np.ndarray, transform: str, loops: int) -> list[Candidate]:
    """Encoder and decoder of one transform at 70 % retention and int4 coefficients; the decoder is checked against the error it states."""
    encoding = f'spectral(retention=0.7, coefficients="int4", transform="{transform}")'
    record = haagenti.encode(x, encoding)
    out = np.zeros_like(x)
    error = record.error
    assert error is not None

    def check() -> None:
        haagenti.decode(record, out=out)
        if abs(haagenti.quality(x, out).snr_db - error.snr_db) > 1e-3:
            raise AssertionError(f"{transform}: the decoded values do not have the error that the record states")

    notes: dict[str, object] = {"bits_per_weight": record.bits_per_weight, "snr_db": error.snr_db}
    return [
        Candidate(f"encode {transform}", partial(haagenti.encode, x, encoding), x.size / 1e9, None, notes.copy(), max(1, loops // 8)),
        Candidate(
            f"encode {transform}, scale=max", partial(haagenti.encode, x, encoding, scale="max"), x.size / 1e9, None, {}, max(1, loops // 8)
        ),
        Candidate(f"decode {transform}", partial(haagenti.decode, record, out=out), x.size / 1e9, check, notes.copy(), loops),
    ]


def speeds() -> list[Timing]:
    """All transforms and sizes, with goals where there are some."""
    timings = []
    for case, (shape, loops) in SIZES.items():
        x = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
        copy = Candidate("copy of the float32", partial(np.copyto, np.zeros_like(x), x), x.size / 1e9, None, {}, loops)
        for transform in TRANSFORMS:
            for timing in measure(f"{transform}, {case}", [copy, *candidates(x, transform, loops)]):
                goal = GOALS.get(timing.name.split()[0]) if transform == "block_dct(128)" and not timing.name.startswith("copy") else None
                timing.notes.update({"goal": goal, "reached": timing.best_rate >= goal} if goal else {})
                timings.append(timing)
    return timings


def rates() -> dict[str, list[tuple[float, float]]]:
    """(bits a weight, SNR) of the noise and of the embedding, with the transform that was measured best and without one."""
    noise = np.random.default_rng(1).standard_normal((512, 512), dtype=np.float32)
    with haagenti.safe_open(MODEL, framework="np") as file:
        embedding = np.asarray(file.get_tensor("model.embed_tokens.weight"), np.float32)
    curves: dict[str, list[tuple[float, float]]] = {}
    for name, x in (("noise", noise), ("embedding", embedding)):
        for transform in ("identity", "auto"):
            for bits in BITS:
                record = haagenti.encode(x, "spectral", bits_per_weight=bits, transform=transform)
                assert record.error is not None
                curves.setdefault(f"{name}, {transform}", []).append((record.bits_per_weight, record.error.snr_db))
    return curves


def picture(timings: list[Timing]) -> None:
    """Bars of the speeds, and SNR over bits a weight."""
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 5))
    shown = [t for t in timings if "DRAM" in t.case and not t.name.endswith("max")]
    left.barh([f"{t.name} ({t.case.split(',')[0]})" if t.name.startswith("copy") else t.name for t in shown], [t.best_rate for t in shown])
    left.set_xlabel("Gw/s on one core, 8192 x 8192 float32")
    left.invert_yaxis()
    for label, points in rates().items():
        right.plot(*zip(*points, strict=True), marker="o", linestyle="-" if "auto" in label else "--", label=label)
    right.plot(
        BITS, [20 * np.log10(2) * bits for bits in BITS], color="grey", linewidth=0.8, label="limit of Gaussian noise, 6.02 dB a bit"
    )
    right.set_xlabel("bits a weight, mask, scales and header counted")
    right.set_ylabel("SNR, dB")
    right.legend()
    figure.suptitle("spectral(retention=0.7, int4) by transform; SNR at a given size")
    figure.tight_layout()
    figure.savefig(RESULTS / "spectral.png", dpi=110)


def main() -> None:
    """Measures, reports, draws."""
    haagenti.set_num_threads(1)
    timings = speeds()
    report((__doc__ or "").splitlines()[0], "Gw/s", timings, "spectral")
    if importlib.util.find_spec("matplotlib"):
        picture(timings)


if __name__ == "__main__":
    main()
