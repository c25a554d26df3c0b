"""Opens a model directory, compressed or not, together with its tokenizer, ready to run.

Not responsible for: decoding compressed tensors (``hf/loading.py``), or running the model.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from transformers import AutoTokenizer

from haagenti.errors import InvalidArgumentError
from haagenti.hf import loading

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

StrPath = str | os.PathLike[str]


@dataclass(frozen=True)
class OpenedModel:
    """A model in evaluation mode and its tokenizer."""

    path: str
    model: Any  # a PreTrainedModel; its annotations do not cover what a language model can do
    tokenizer: PreTrainedTokenizerBase

    @property
    def device(self) -> torch.device:
        """Where the model's input must be."""
        return torch.device(self.model.device)

    @property
    def vocab_size(self) -> int:
        """Width of the logits as the config states it."""
        return int(self.model.config.get_text_config().vocab_size)

    @property
    def max_length(self) -> int | None:
        """Tokens that the model can read at once, as the config states it; None when it states nothing."""
        length = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        return None if length is None or length < 1 else int(length)


def open_model(
    path: StrPath,
    *,
    dtype: str | torch.dtype | None = None,
    device: str | torch.device = "cpu",
    run_compressed: bool = False,
) -> OpenedModel:
    """Loads a compressed or an ordinary model directory.

    Args:
        path: The directory.
        dtype: Type of the parameters, as torch names it (``"float32"``); None keeps the checkpoint's own.
        device: Where the model shall run.
        run_compressed: Keep compressed linear layers compressed and multiply from that form.

    Raises:
        InvalidArgumentError: There is no such directory, or it has no tokenizer or no config.json.
        haagenti.Error: A compressed tensor is damaged.
        OSError: The model cannot be read.
    """
    directory = os.fspath(path)
    tokenizer = open_tokenizer(directory)
    if not os.path.isfile(os.path.join(directory, "config.json")):
        raise InvalidArgumentError(f"model directory {directory!r}: no config.json")
    options = {} if dtype is None else {"dtype": dtype}
    model: Any = loading.from_pretrained(directory, run_compressed=run_compressed, **options)
    return OpenedModel(directory, model.to(device).eval(), tokenizer)


def open_tokenizer(path: StrPath) -> PreTrainedTokenizerBase:
    """The tokenizer of a model directory; without it a text cannot be evaluated nor continued.

    Raises:
        InvalidArgumentError: There is no such directory, or it has no tokenizer that transformers can read.
    """
    directory = os.fspath(path)
    if os.path.isfile(directory):
        raise InvalidArgumentError(f"expected a model directory, found a file: {directory!r}")
    if not os.path.isdir(directory):
        raise InvalidArgumentError(f"no such model directory: {directory!r}")
    try:
        return AutoTokenizer.from_pretrained(directory)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InvalidArgumentError(f"model directory {directory!r}: no usable tokenizer ({reason})") from error
