"""Continues a prompt with a model directory, compressed or not, and measures how fast.

Not responsible for: loading (``hf/opened.py``), or comparing models (``hf/evaluation.py``).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from transformers.generation.streamers import BaseStreamer

from haagenti.errors import InvalidArgumentError
from haagenti.hf.opened import OpenedModel, StrPath, open_model

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

TextCallback = Callable[[str], None]

UNFINISHED = "\ufffd"
"""What the first bytes of a character decode to until its last byte is there."""


@dataclass(frozen=True)
class Generation:
    """A continuation and its speed.

    Attributes:
        prompt: The text given.
        text: The text added, special tokens left out.
        tokens: The token ids added.
        n_prompt_tokens: Length of the prompt in tokens.
        seed: What the sampling started from; None when greedy.
        temperature: 0 is greedy.
        prompt_seconds: From the start to the first new token, the pass over the prompt included.
        seconds: From the first new token to the last; the prompt is excluded.
        length_limit: Tokens that the model can read, when the text ended there and not where it was asked to; else None.
    """

    prompt: str
    text: str
    tokens: tuple[int, ...]
    n_prompt_tokens: int
    seed: int | None
    temperature: float
    prompt_seconds: float
    seconds: float
    length_limit: int | None = None

    @property
    def n_new_tokens(self) -> int:
        """Number of tokens added, an end-of-text token included."""
        return len(self.tokens)

    @property
    def tokens_per_second(self) -> float | None:
        """New tokens after the first, over their time; None when there is none."""
        return (self.n_new_tokens - 1) / self.seconds if self.n_new_tokens > 1 and self.seconds > 0 else None


def generate(
    path: StrPath,
    prompt: str,
    *,
    max_new_tokens: int = 128,
    seed: int | None = None,
    temperature: float = 0.0,
    run_compressed: bool = False,
    device: str = "cpu",
    on_text: TextCallback | None = None,
) -> Generation:
    """Continues ``prompt`` with the model in the directory ``path``.

    Args:
        path: A compressed or an ordinary model directory.
        prompt: The text to continue.
        max_new_tokens: Stop after this many, at the model's end-of-text token, or where prompt and new tokens together are as many
            as the model can read.
        seed: Start of the random numbers; None draws one, which the result states. Ignored when greedy.
        temperature: 0 takes the likeliest token every time; above 0 samples from the whole vocabulary at that temperature.
        run_compressed: Multiply from the compressed form instead of decoding at load.
        device: Where to run.
        on_text: Called with each new piece of text as soon as it is certain.

    Raises:
        InvalidArgumentError: A value is out of range, the prompt alone is as long as the model can read, or the directory has no
            model or tokenizer.
        haagenti.Error: A compressed tensor is damaged.
    """
    _check(max_new_tokens, temperature)
    opened = open_model(path, device=device, run_compressed=run_compressed)
    return continue_prompt(opened, prompt, max_new_tokens=max_new_tokens, seed=seed, temperature=temperature, on_text=on_text)


def continue_prompt(
    opened: OpenedModel,
    prompt: str,
    *,
    max_new_tokens: int = 128,
    seed: int | None = None,
    temperature: float = 0.0,
    on_text: TextCallback | None = None,
) -> Generation:
    """``generate`` with a model that is already loaded; the global random state of torch is left as it was."""
    _check(max_new_tokens, temperature)
    inputs = opened.tokenizer(prompt, return_tensors="pt")["input_ids"].to(opened.device)
    if inputs.shape[-1] == 0:
        raise InvalidArgumentError("prompt: expected at least one token, found an empty text and a tokenizer without BOS")
    n_new = _n_new_tokens(opened, int(inputs.shape[-1]), max_new_tokens)
    seed = (secrets.randbits(32) if seed is None else seed) if temperature > 0 else None
    clock = _Clock(opened.tokenizer, inputs[0].tolist(), on_text)
    devices = [opened.device] if opened.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), torch.inference_mode():
        if seed is not None:
            torch.manual_seed(seed)
        started = time.perf_counter()
        opened.model.generate(inputs, attention_mask=torch.ones_like(inputs), streamer=clock, **_options(opened, n_new, temperature))
    return Generation(
        prompt=prompt,
        text=clock.text(),
        tokens=tuple(clock.tokens),
        n_prompt_tokens=int(inputs.shape[-1]),
        seed=seed,
        temperature=temperature,
        prompt_seconds=clock.times[0] - started,
        seconds=clock.times[-1] - clock.times[0],
        length_limit=opened.max_length if len(clock.tokens) == n_new < max_new_tokens else None,
    )


def _n_new_tokens(opened: OpenedModel, n_prompt: int, max_new_tokens: int) -> int:
    """As many of ``max_new_tokens`` as fit behind the prompt."""
    limit = opened.max_length
    if limit is None:
        return max_new_tokens
    if n_prompt >= limit:
        raise InvalidArgumentError(
            f"prompt: {n_prompt} tokens leave no room for {max_new_tokens} new ones: {opened.path!r} reads at most {limit} tokens"
        )
    return min(max_new_tokens, limit - n_prompt)


def _options(opened: OpenedModel, max_new_tokens: int, temperature: float) -> dict[str, Any]:
    """Arguments of transformers' ``generate`` that override whatever the directory's generation_config.json says about sampling."""
    sampling: dict[str, Any] = {"do_sample": False, "temperature": None, "top_k": None, "top_p": None}
    if temperature > 0:
        sampling = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0}
    pad = opened.tokenizer.pad_token_id
    return {**sampling, "num_beams": 1, "max_new_tokens": max_new_tokens, "pad_token_id": 0 if pad is None else pad}


def _check(max_new_tokens: int, temperature: float) -> None:
    if max_new_tokens < 1:
        raise InvalidArgumentError(f"max_new_tokens must be at least 1, found {max_new_tokens}")
    if not 0 <= temperature < float("inf"):
        raise InvalidArgumentError(f"temperature must be 0 or a positive number, found {temperature}")


class _Clock(BaseStreamer):
    """Notes when each new token came, showing excluded, and hands on the text that later tokens cannot change."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, prompt: list[int], on_text: TextCallback | None) -> None:
        self.tokens: list[int] = []
        self.times: list[float] = []
        self._tokenizer = tokenizer
        self._prompt = prompt
        self._prompt_text = self._decode(prompt)
        self._on_text = on_text
        self._seen_prompt = False
        self._n_shown = 0
        self._show_seconds = 0.0

    def put(self, value: torch.Tensor) -> None:
        """Takes the prompt first, then one token at a time."""
        if not self._seen_prompt:
            self._seen_prompt = True
            return
        now = time.perf_counter()
        self.times.append(now - self._show_seconds)
        self.tokens.extend(int(token) for token in value.flatten())
        self._show(final=False)
        self._show_seconds += time.perf_counter() - now

    def end(self) -> None:
        """Shows what was held back."""
        self._show(final=True)

    def text(self) -> str:
        """What was added to the prompt. Decoded together with it, since many tokenizers drop the space before a first word."""
        whole = self._decode([*self._prompt, *self.tokens])
        return whole[len(self._prompt_text) :] if whole.startswith(self._prompt_text) else self._decode(self.tokens)

    def _decode(self, tokens: list[int]) -> str:
        return str(self._tokenizer.decode(tokens, skip_special_tokens=True))

    def _show(self, *, final: bool) -> None:
        if self._on_text is None:
            return
        text = self.text()
        if final or not text.endswith(UNFINISHED):
            self._on_text(text[self._n_shown :])
            self._n_shown = len(text)
