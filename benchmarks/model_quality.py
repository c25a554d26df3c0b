"""What do the encodings cost a trained model? Divergence of the logits, perplexity and bits a weight of each.

    python benchmarks/model_quality.py [MODEL_DIR TEXT [ENCODING ...]]

Without arguments the embedded model is taken, and its text. Linear weights are encoded, embeddings and norms stay as they are; bits a
weight are those of the records of the linear weights, headers, scales and masks counted. Running text is cut into windows of 512 tokens,
documents into their own; the first 40 are evaluated. Not responsible for the quantisers of others: compare with figures of the same model
and text.
"""

from __future__ import annotations

import csv
import sys
import tempfile
import warnings
from pathlib import Path

import haagenti
from haagenti.hf.evaluation import evaluate
from harness import RESULTS, machine

TESTS = Path(__file__).parent.parent / "tests" / "models"

ENCODINGS = (
    "int4",
    "int4(transform=hadamard)",
    "int4(transform=auto)",
    "spectral(bits_per_weight=4.5)",
    "spectral(bits_per_weight=4.5, transform=hadamard)",
    "spectral(bits_per_weight=4.5, transform=identity)",
    "spectral(bits_per_weight=3.5)",
    "spectral(bits_per_weight=3.5, transform=hadamard)",
    "spectral(bits_per_weight=3.5, transform=identity)",
)
WINDOWS = 40


def row_of(model: Path, text: Path, encoding: str) -> dict[str, object]:
    """Converts the linear weights and evaluates; the model is written to a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "model"
        haagenti.convert(model, out, rules={".*embed.*|.*lm_head.*": "raw", ".*proj.*": encoding})
        totals = haagenti.inspect(out).totals
        report = evaluate(model, out, text, max_windows=WINDOWS)
    return {
        "model": model.name,
        "encoding": encoding,
        "bits per weight": totals.linear_bits_per_weight,
        "SNR dB": totals.snr_db,
        "KL mean": report.kl.mean,
        "KL median": report.kl.median,
        "KL p99": report.kl.p99,
        "top-1": report.top1,
        "perplexity": report.perplexity_compressed,
        "original": report.perplexity_original,
    }


def main() -> None:
    """Prints a row an encoding as it comes, and writes all of them."""
    model, text, *encodings = sys.argv[1:] or (TESTS / "stories260K", TESTS / "tinystories_eval.txt")
    warnings.simplefilter("ignore")
    rows = []
    for encoding in encodings or ENCODINGS:
        rows.append(row_of(Path(model), Path(text), str(encoding)))
        print(f"  {encoding}: KL mean {rows[-1]['KL mean']:.5f}", file=sys.stderr, flush=True)
    print((__doc__ or "").splitlines()[0])
    for row in rows:
        print("  " + "  ".join(f"{key} {value:.5g}" if isinstance(value, float) else str(value) for key, value in row.items()))
    RESULTS.mkdir(exist_ok=True)
    with (RESULTS / f"model_quality_{Path(model).name}.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], *machine()], lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {key: f"{value:.6g}" if isinstance(value, float) else value for key, value in {**row, **machine()}.items()} for row in rows
        )


if __name__ == "__main__":
    main()
