"""Reads a text file and cuts it into windows of tokens that a model is evaluated on.

Not responsible for: running models, or deciding what is measured on the windows.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from haagenti.errors import InvalidArgumentError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Tokens = npt.NDArray[np.int64]

DOCUMENT_SEPARATOR = "<|endoftext|>"
"""A text that contains this is a collection of documents; any other is running text."""

MIN_DOCUMENT_CHARS = 100
"""Documents of at most this many characters after stripping are left out: fragments and empty pieces."""

DOCUMENT_WINDOW = 256
RUNNING_WINDOW = 512

NO_TARGET = -1

CHARS_PER_TOKEN = 16
"""A tokenizer is given at most this many characters per token asked for, before it is given the whole text. English needs about 4."""


@dataclass(frozen=True)
class Window:
    """What a model reads in one go, and what it should have said.

    Attributes:
        tokens: (n,) int64, the input.
        targets: (n,) int64, the token that follows each input token; ``NO_TARGET`` where no prediction is counted.
    """

    tokens: Tokens
    targets: Tokens

    @property
    def n_predictions(self) -> int:
        """Number of positions whose prediction is counted."""
        return int(np.count_nonzero(self.targets != NO_TARGET))


@dataclass(frozen=True)
class TextWindows:
    """The windows of one text and the rule by which they were cut."""

    windows: tuple[Window, ...]
    protocol: str

    def __len__(self) -> int:
        return len(self.windows)

    @property
    def n_tokens(self) -> int:
        """Number of positions over all windows."""
        return sum(window.tokens.size for window in self.windows)


def read_windows(
    path: str | os.PathLike[str],
    tokenizer: PreTrainedTokenizerBase,
    *,
    window: int | None = None,
    max_windows: int | None = None,
    max_documents: int | None = None,
) -> TextWindows:
    """Reads a UTF-8 text file (any line ends) and cuts it as ``cut_text`` does.

    Raises:
        InvalidArgumentError: The file is not UTF-8, or ``cut_text`` raises.
        OSError: The file cannot be read.
    """
    return cut_text(read_text(path), tokenizer, window=window, max_windows=max_windows, max_documents=max_documents)


def read_text(path: str | os.PathLike[str]) -> str:
    """A whole UTF-8 text file (any line ends).

    Raises:
        InvalidArgumentError: The file is not UTF-8.
        OSError: The file cannot be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InvalidArgumentError(
            f"text file {os.fspath(path)!r} is not UTF-8: byte {error.start} is {error.object[error.start]:#04x}"
        ) from None


def cut_text(
    text: str,
    tokenizer: PreTrainedTokenizerBase,
    *,
    window: int | None = None,
    max_windows: int | None = None,
    max_documents: int | None = None,
) -> TextWindows:
    """Cuts a text into windows, by one of two protocols.

    Documents, when the text contains ``<|endoftext|>``: split there, stripped, pieces of at most 100 characters dropped, each
    document preceded by BOS if the tokenizer has one; every token after the first is predicted exactly once, and the context
    restarts every ``window`` (default 256) predictions.

    Running text, otherwise: consecutive windows of ``window`` (default 512) tokens that share nothing, so that the first token of
    each is not predicted; each starts with BOS if the tokenizer itself adds one to a text.

    Args:
        text: The whole text.
        tokenizer: A transformers tokenizer.
        window: Longest number of input tokens in a window, at least 2.
        max_windows: Stop after this many windows.
        max_documents: Stop after this many documents; only for a text of documents.

    Raises:
        InvalidArgumentError: A limit is out of range, or the text gives no window.
    """
    _check_limit("window", window, 2)
    _check_limit("max_windows", max_windows, 1)
    _check_limit("max_documents", max_documents, 1)
    if DOCUMENT_SEPARATOR in text:
        result = _cut_documents(text, tokenizer, window or DOCUMENT_WINDOW, max_windows, max_documents)
    else:
        if max_documents is not None:
            raise InvalidArgumentError(
                f"max_documents is {max_documents}, but the text has no {DOCUMENT_SEPARATOR!r} and is one running text"
            )
        result = _cut_running_text(text, tokenizer, window or RUNNING_WINDOW, max_windows)
    if not result.windows:
        raise InvalidArgumentError(f"the text of {len(text)} characters is too short for a window of at least 2 tokens ({result.protocol})")
    return result


def split_documents(text: str, max_documents: int | None = None) -> list[str]:
    """Splits at ``<|endoftext|>``, strips, drops pieces of at most 100 characters, keeps the first ``max_documents``."""
    pieces = (piece.strip() for piece in text.split(DOCUMENT_SEPARATOR))
    return [piece for piece in pieces if len(piece) > MIN_DOCUMENT_CHARS][:max_documents]


def document_windows(tokens: Sequence[int], window: int) -> Iterator[Window]:
    """Windows of one document in which every token but the first is a target exactly once.

    Args:
        tokens: BOS, if any, and the tokens of the document.
        window: Predictions per window.

    Yields:
        Windows of ``window`` predictions; the last may be shorter.
    """
    ids = np.asarray(tokens, dtype=np.int64)
    for start in range(0, ids.size - 1, window):
        targets = ids[start + 1 : start + 1 + window]
        yield Window(tokens=ids[start : start + targets.size], targets=targets)


def running_windows(tokens: Sequence[int], window: int, prefix: Sequence[int] = ()) -> Iterator[Window]:
    """Consecutive windows that share no token, each beginning with ``prefix`` (BOS or nothing).

    Yields:
        Windows of ``window`` tokens, prefix included; a remainder of fewer than 2 tokens is dropped.
    """
    ids = np.asarray(tokens, dtype=np.int64)
    step = window - len(prefix)
    for start in range(0, ids.size, step):
        piece = np.concatenate([np.asarray(prefix, dtype=np.int64), ids[start : start + step]])
        if piece.size >= 2:
            yield Window(tokens=piece, targets=np.append(piece[1:], NO_TARGET))


def _cut_documents(
    text: str, tokenizer: PreTrainedTokenizerBase, window: int, max_windows: int | None, max_documents: int | None
) -> TextWindows:
    documents = split_documents(text, max_documents)
    bos = _bos(tokenizer)
    windows: list[Window] = []
    n_used = 0
    for document in documents:
        windows.extend(document_windows([*bos, *_tokenize(tokenizer, document)], window))
        n_used += 1
        if max_windows is not None and len(windows) >= max_windows:
            break
    kept = tuple(windows[:max_windows])
    return TextWindows(kept, f"{n_used} documents, {'BOS' if bos else 'no BOS'}, context restarted every {window} tokens")


def _cut_running_text(text: str, tokenizer: PreTrainedTokenizerBase, window: int, max_windows: int | None) -> TextWindows:
    bos = _bos(tokenizer) if _adds_bos(tokenizer) else []
    n_needed = None if max_windows is None else max_windows * window
    tokens = _tokenize_prefix(tokenizer, text, n_needed)
    kept = tuple(running_windows(tokens, window, bos))[:max_windows]
    return TextWindows(kept, f"running text, {len(kept)} windows of {window} tokens, {'BOS' if bos else 'no BOS'}")


def _tokenize(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """Token ids without special tokens; quiet about texts longer than the model's context, which the windows respect."""
    ids = tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
    return [int(token) for token in ids]


def _tokenize_prefix(tokenizer: PreTrainedTokenizerBase, text: str, n_needed: int | None) -> list[int]:
    """At least the first ``n_needed`` tokens of the text without tokenizing a text far longer than that."""
    if n_needed is not None and len(text) > n_needed * CHARS_PER_TOKEN:
        tokens = _tokenize(tokenizer, text[: n_needed * CHARS_PER_TOKEN])
        if len(tokens) > n_needed:
            return tokens
    return _tokenize(tokenizer, text)


def _bos(tokenizer: PreTrainedTokenizerBase) -> list[int]:
    return [] if tokenizer.bos_token_id is None else [int(tokenizer.bos_token_id)]


def _adds_bos(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the tokenizer puts BOS before a text by itself."""
    ids = tokenizer("a")["input_ids"]
    return bool(ids) and tokenizer.bos_token_id is not None and ids[0] == tokenizer.bos_token_id


def _check_limit(name: str, value: int | None, smallest: int) -> None:
    if value is not None and value < smallest:
        raise InvalidArgumentError(f"{name} must be at least {smallest}, found {value}")
