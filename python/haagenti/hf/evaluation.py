"""Measures what compression cost a model: perplexity, divergence and agreement of the logits on a text, greedy continuations.

Not responsible for: cutting the text (``hf/text.py``), the formulas (``hf/metrics.py``), or the presentation (``hf/eval_report.py``).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch

from haagenti.errors import InvalidArgumentError
from haagenti.hf.eval_report import Continuation, Distribution, EvalReport
from haagenti.hf.generation import continue_prompt
from haagenti.hf.metrics import PositionMetrics, compare_logits
from haagenti.hf.opened import OpenedModel, StrPath, open_model, open_tokenizer
from haagenti.hf.text import NO_TARGET, TextWindows, Window, read_windows

Progress = Callable[[int, int, str], None]

MAX_BATCH = 8
MAX_BATCH_LOGITS = 1 << 23
"""Logits of one model in a batch of several windows: 32 MiB of float32; larger ones were slower on CPUs. A single window may exceed it."""

_NO_METRICS = PositionMetrics(*(np.empty(0) for _ in range(6)))


def evaluate(
    original: StrPath,
    compressed: StrPath,
    text: StrPath,
    *,
    prompts: Sequence[str] | None = None,
    window: int | None = None,
    max_windows: int | None = None,
    max_documents: int | None = None,
    max_new_tokens: int = 64,
    run_compressed: bool = False,
    device: str = "cpu",
    progress: Progress | None = None,
) -> EvalReport:
    """Compares two model directories on a text. Both models are in memory at once, in float32.

    Args:
        original: Directory of the original model (any directory that can be loaded).
        compressed: Directory of the compressed model (likewise).
        text: Path of a UTF-8 text; how it is cut is said at ``haagenti.hf.text.cut_text``.
        prompts: Texts that both models continue greedily.
        window: Tokens in a window; the default depends on the kind of text.
        max_windows: Stop after this many windows.
        max_documents: Stop after this many documents.
        max_new_tokens: Length of the continuations.
        run_compressed: Keep the compressed model's linear layers compressed.
        device: Where both models run.
        progress: Called with windows done, windows in all, and an empty name.

    Raises:
        InvalidArgumentError: A directory, limit or text cannot be used, or the models have different vocabularies.
        haagenti.Error: A compressed tensor is damaged.
        OSError: A file cannot be read.
    """
    started = time.perf_counter()
    windows = read_windows(text, open_tokenizer(original), window=window, max_windows=max_windows, max_documents=max_documents)
    model = open_model(original, dtype=torch.float32, device=device)
    other = open_model(compressed, dtype=torch.float32, device=device, run_compressed=run_compressed)
    [metrics] = compare_models(model, [other], windows.windows, progress=progress)
    continuations = compare_continuations(model, other, prompts or (), max_new_tokens)
    return summarise(metrics, windows, model.path, other.path, os.fspath(text), continuations, time.perf_counter() - started)


def compare_models(
    original: OpenedModel, others: Sequence[OpenedModel], windows: Sequence[Window], *, progress: Progress | None = None
) -> list[PositionMetrics]:
    """Runs all models over the windows, in batches of equal length, and compares every position with the original's.

    Returns:
        For each of ``others`` the metrics of all positions, window by window in the order given.

    Raises:
        InvalidArgumentError: The models have different vocabularies, a window has a token outside theirs or is longer than they can read.
    """
    _check_models(original, others, windows)
    parts = [[_NO_METRICS] * len(windows) for _ in others]
    n_done = 0
    for batch in _batches(windows, original.vocab_size):
        tokens = torch.from_numpy(np.stack([windows[i].tokens for i in batch]))
        targets = torch.from_numpy(np.stack([windows[i].targets for i in batch])).to(original.device)
        expected = _logits(original, tokens)
        for other, part in zip(others, parts, strict=True):
            found = _logits(other, tokens).to(expected.device)
            for row, i in enumerate(batch):
                part[i] = compare_logits(expected[row], found[row], targets[row])
        n_done += len(batch)
        if progress is not None:
            progress(n_done, len(windows), "")
    return [PositionMetrics.concatenate(part) for part in parts]


def compare_continuations(
    original: OpenedModel, compressed: OpenedModel, prompts: Sequence[str], max_new_tokens: int
) -> tuple[Continuation, ...]:
    """Continues each prompt greedily with both models."""
    results = []
    for prompt in prompts:
        a = continue_prompt(original, prompt, max_new_tokens=max_new_tokens)
        b = continue_prompt(compressed, prompt, max_new_tokens=max_new_tokens)
        n_same = next((i for i, (x, y) in enumerate(zip(a.tokens, b.tokens, strict=False)) if x != y), min(a.n_new_tokens, b.n_new_tokens))
        results.append(Continuation(prompt, a.text, b.text, n_same, max(a.n_new_tokens, b.n_new_tokens)))
    return tuple(results)


def summarise(
    metrics: PositionMetrics,
    windows: TextWindows,
    original: str,
    compressed: str,
    text: str,
    continuations: tuple[Continuation, ...] = (),
    seconds: float = 0.0,
) -> EvalReport:
    """Reduces the positions to the numbers of a report."""
    predicted = np.concatenate([window.targets != NO_TARGET for window in windows.windows])
    return EvalReport(
        original=original,
        compressed=compressed,
        text=text,
        protocol=windows.protocol,
        n_windows=len(windows),
        n_positions=windows.n_tokens,
        n_predictions=int(predicted.sum()),
        perplexity_original=float(np.exp(metrics.nll_original[predicted].mean())),
        perplexity_compressed=float(np.exp(metrics.nll_compressed[predicted].mean())),
        kl=Distribution.of(metrics.kl),
        top1=float(metrics.top1.mean()),
        top5=float(metrics.top5.mean()),
        cosine_mean=float(metrics.cosine.mean()),
        cosine_min=float(metrics.cosine.min()),
        continuations=continuations,
        seconds=seconds,
    )


def _batches(windows: Sequence[Window], vocab_size: int) -> Iterator[list[int]]:
    """Indices of windows of equal length, together as long as their logits stay within the bound; longest first."""
    by_length: dict[int, list[int]] = {}
    for index, window in enumerate(windows):
        by_length.setdefault(window.tokens.size, []).append(index)
    for length in sorted(by_length, reverse=True):
        size = max(1, min(MAX_BATCH, MAX_BATCH_LOGITS // (length * vocab_size)))
        indices = by_length[length]
        yield from (indices[start : start + size] for start in range(0, len(indices), size))


@torch.inference_mode()
def _logits(opened: OpenedModel, tokens: torch.Tensor) -> torch.Tensor:
    """(batch, length, vocab) float32 logits of (batch, length) int64 tokens."""
    logits: torch.Tensor = opened.model(input_ids=tokens.to(opened.device), use_cache=False).logits
    return logits.float()


def _check_models(original: OpenedModel, others: Sequence[OpenedModel], windows: Sequence[Window]) -> None:
    largest, longest = max(int(window.tokens.max()) for window in windows), max(window.tokens.size for window in windows)
    if largest >= original.vocab_size:
        raise InvalidArgumentError(f"text: token {largest} is outside the vocabulary of {original.vocab_size} of {original.path!r}")
    for opened in (original, *others):
        if opened.vocab_size != original.vocab_size:
            raise InvalidArgumentError(
                f"vocab_size: expected {original.vocab_size} as in {original.path!r}, found {opened.vocab_size} in {opened.path!r}"
            )
        if opened.max_length is not None and longest > opened.max_length:
            raise InvalidArgumentError(f"window: {opened.path!r} reads at most {opened.max_length} tokens, found a window of {longest}")
