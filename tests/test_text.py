"""Cutting a text into windows: both protocols, limits, and edge sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from haagenti.errors import InvalidArgumentError
from haagenti.hf.text import NO_TARGET, cut_text, document_windows, read_windows, running_windows, split_documents

STORY = "x" * 101


class ByteTokenizer:
    """One token per byte, BOS 256 put in front by default, as much of a transformers tokenizer as the cutting uses."""

    def __init__(self, bos_token_id: int | None = 256, adds_bos: bool = True) -> None:
        self.bos_token_id = bos_token_id
        self.adds_bos = adds_bos
        self.n_chars = 0

    def __call__(self, text: str, add_special_tokens: bool = True, verbose: bool = True) -> dict[str, list[int]]:
        self.n_chars += len(text)
        bos = [self.bos_token_id] if add_special_tokens and self.adds_bos and self.bos_token_id is not None else []
        return {"input_ids": [*bos, *text.encode()]}


def flat(windows: object) -> list[tuple[list[int], list[int]]]:
    return [(window.tokens.tolist(), window.targets.tolist()) for window in windows]  # type: ignore[attr-defined]


def test_documents_are_stripped_and_short_ones_dropped() -> None:
    text = f"  {STORY}\n<|endoftext|>{'y' * 100}<|endoftext|>\n\n<|endoftext|>{STORY}z"
    assert split_documents(text) == [STORY, STORY + "z"]
    assert split_documents(text, 1) == [STORY]


@pytest.mark.parametrize("n_tokens", [0, 1, 2, 3, 4, 5, 8, 9, 10])
def test_every_token_of_a_document_but_the_first_is_a_target_once(n_tokens: int) -> None:
    windows = list(document_windows(range(n_tokens), 4))
    assert [token for window in windows for token in window.targets] == list(range(1, n_tokens))
    assert all(1 <= window.tokens.size <= 4 for window in windows)
    assert all(np.array_equal(window.targets, window.tokens + 1) for window in windows)


def test_windows_of_running_text_share_nothing() -> None:
    assert flat(running_windows(range(7), 3)) == [([0, 1, 2], [1, 2, NO_TARGET]), ([3, 4, 5], [4, 5, NO_TARGET])]
    assert flat(running_windows(range(5), 3, prefix=[9])) == [
        ([9, 0, 1], [0, 1, NO_TARGET]),
        ([9, 2, 3], [2, 3, NO_TARGET]),
        ([9, 4], [4, NO_TARGET]),
    ]


def test_documents_begin_with_bos_if_there_is_one() -> None:
    text = f"{STORY}<|endoftext|>{STORY}"
    with_bos = cut_text(text, ByteTokenizer())
    without = cut_text(text, ByteTokenizer(bos_token_id=None))
    assert [window.tokens[0] for window in with_bos.windows] == [256, 256]
    assert [window.n_predictions for window in with_bos.windows] == [101, 101]
    assert [window.n_predictions for window in without.windows] == [100, 100]
    assert with_bos.protocol == "2 documents, BOS, context restarted every 256 tokens"
    assert with_bos.n_tokens == 202


def test_limits_of_documents_and_windows() -> None:
    text = "<|endoftext|>".join([STORY] * 5)
    assert len(cut_text(text, ByteTokenizer(), window=50).windows) == 15
    assert len(cut_text(text, ByteTokenizer(), window=50, max_documents=2)) == 6
    limited = cut_text(text, ByteTokenizer(), window=50, max_windows=4)
    assert len(limited) == 4
    assert limited.protocol.startswith("2 documents")


def test_running_text_has_bos_only_where_the_tokenizer_adds_it() -> None:
    text = "a" * 1100
    plain = cut_text(text, ByteTokenizer(adds_bos=False))
    assert [window.tokens.size for window in plain.windows] == [512, 512, 76]
    assert [window.n_predictions for window in plain.windows] == [511, 511, 75]
    prefixed = cut_text(text, ByteTokenizer(), max_windows=2)
    assert [window.tokens[0] for window in prefixed.windows] == [256, 256]
    assert prefixed.protocol == "running text, 2 windows of 512 tokens, BOS"


def test_a_long_text_is_not_tokenized_to_its_end() -> None:
    tokenizer = ByteTokenizer(adds_bos=False)
    assert len(cut_text("a" * 10**6, tokenizer, window=10, max_windows=3)) == 3
    assert tokenizer.n_chars < 1000


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "too short"),
        ("a", {}, "too short"),
        ("short<|endoftext|>short", {}, "too short"),
        ("a" * 99, {"window": 1}, "window must be at least 2, found 1"),
        ("a" * 99, {"max_windows": 0}, "max_windows must be at least 1, found 0"),
        ("a" * 99, {"max_documents": 3}, "max_documents is 3, but the text has no"),
    ],
)
def test_what_cannot_be_cut_is_refused(text: str, options: dict[str, int], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        cut_text(text, ByteTokenizer(adds_bos=False), **options)


def test_a_file_with_any_line_ends_is_the_same_text(tmp_path: Path) -> None:
    (tmp_path / "unix.txt").write_bytes(b"one\ntwo\n")
    (tmp_path / "dos.txt").write_bytes(b"one\r\ntwo\r\n")
    unix, dos = (read_windows(tmp_path / name, ByteTokenizer()) for name in ("unix.txt", "dos.txt"))
    assert flat(unix.windows) == flat(dos.windows)


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "latin1.txt").write_bytes(b"caf\xe9")
    with pytest.raises(InvalidArgumentError, match="not UTF-8: byte 3 is 0xe9"):
        read_windows(tmp_path / "latin1.txt", ByteTokenizer())
