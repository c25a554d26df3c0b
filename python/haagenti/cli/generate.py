"""``haagenti generate``: continues a prompt with a compressed model.

Not responsible for: generating (``hf/generation.py``).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from haagenti.cli.models import prepare_transformers


def generate(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Model directory, compressed or not.")],
    prompt: Annotated[str, typer.Argument(metavar="PROMPT", help="Text to continue.")],
    max_new_tokens: Annotated[int, typer.Option(metavar="N", min=1, help="Stop after this many tokens.")] = 128,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Start of the random numbers, with --temperature.")] = None,
    temperature: Annotated[float, typer.Option(metavar="T", min=0.0, help="0 is greedy; above, sample.")] = 0.0,
    run_compressed: Annotated[
        bool, typer.Option("--run-compressed", help="Multiply from the compressed form instead of decoding at load.")
    ] = False,
) -> None:
    """Continue a prompt with a model."""
    if seed is not None and temperature == 0:
        raise typer.BadParameter("has no effect without --temperature above 0", param_hint="--seed")
    prepare_transformers()
    from haagenti.hf.generation import generate as run

    show = _Stream(prompt)
    result = run(
        out, prompt, max_new_tokens=max_new_tokens, seed=seed, temperature=temperature, run_compressed=run_compressed, on_text=show
    )
    typer.echo()
    speed = "no speed from one token" if result.tokens_per_second is None else f"{result.tokens_per_second:.1f} tokens/s after the first"
    count = f"{result.n_new_tokens} new {'token' if result.n_new_tokens == 1 else 'tokens'}"
    how = "greedy" if result.seed is None else f"temperature {result.temperature}, seed {result.seed}"
    typer.echo(
        f"{count}, {how}: {speed} (prompt of {result.n_prompt_tokens} tokens excluded: {result.prompt_seconds:.3f} s)",
        err=True,
    )
    if result.length_limit is not None:
        typer.echo(f"stopped at the {result.length_limit} tokens that the model can read, prompt included", err=True)


class _Stream:
    """Writes the prompt before the first piece of text, then every piece as it comes."""

    def __init__(self, prompt: str) -> None:
        self._pending = prompt

    def __call__(self, text: str) -> None:
        sys.stdout.write(self._pending + text)
        sys.stdout.flush()
        self._pending = ""
