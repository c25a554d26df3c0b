"""Evaluation against a definition written out in numpy, against the known perplexity, and of a model against itself."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from haagenti.errors import InvalidArgumentError
from haagenti.hf.eval_report import Distribution
from haagenti.hf.evaluation import compare_models, evaluate
from haagenti.hf.generation import continue_prompt, generate
from haagenti.hf.metrics import compare_logits
from haagenti.hf.opened import OpenedModel, open_model
from haagenti.hf.text import NO_TARGET, Window, cut_text

MODELS = Path(__file__).parent / "models"
STORIES = MODELS / "stories260K"
STORIES_TEXT = MODELS / "tinystories_eval.txt"
SHARED = Path(__file__).parents[2] / "shared"

TOLERANCE = 1e-9
"""Both sides compute in float64 from the same float32 logits."""


def tiny_llama(directory: Path, seed: int) -> Path:
    """A Llama of random weights with the tokenizer of stories260K."""
    torch.manual_seed(seed)
    config = transformers.LlamaConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=512,
        initializer_range=0.4,
        bos_token_id=1,
        eos_token_id=2,
    )
    transformers.LlamaForCausalLM(config).save_pretrained(directory)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(STORIES / name, directory / name)
    return directory


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two different tiny models."""
    root = tmp_path_factory.mktemp("tiny")
    return tiny_llama(root / "a", 0), tiny_llama(root / "b", 1)


@pytest.fixture(scope="module")
def opened(pair: tuple[Path, Path]) -> tuple[OpenedModel, OpenedModel]:
    a, b = (open_model(path, dtype=torch.float32) for path in pair)
    return a, b


def softmax(logits: np.ndarray) -> np.ndarray:
    e = np.exp(logits - logits.max())
    return e / e.sum()


def defined(a: np.ndarray, b: np.ndarray, target: int) -> tuple[float, ...]:
    """The six metrics of one position, straight from their definitions. a, b: (vocab,) float64."""
    p, q = softmax(a), softmax(b)
    top_a, top_b = np.argsort(-a)[:5], np.argsort(-b)[:5]
    return (
        -math.log(p[target]) if target != NO_TARGET else math.nan,
        -math.log(q[target]) if target != NO_TARGET else math.nan,
        float(np.sum(p * np.log(p / q))),
        float(top_a[0] == top_b[0]),
        len(set(top_a) & set(top_b)) / 5,
        float(a @ b / math.sqrt(a @ a) / math.sqrt(b @ b)),
    )


def test_metrics_of_two_models_are_their_definitions(opened: tuple[OpenedModel, OpenedModel]) -> None:
    windows = cut_text("Once upon a time there was a very little dog. " * 8, opened[0].tokenizer, window=40).windows
    assert len({window.tokens.size for window in windows}) == 2, "a shorter last window, so that batches differ"
    metrics = compare_models(opened[0], [opened[1]], windows)[0]
    expected = []
    for window in windows:
        tokens = torch.from_numpy(window.tokens)[None]
        with torch.no_grad():
            a, b = (model.model(tokens).logits[0].double().numpy() for model in opened)
        expected += [defined(a[i], b[i], int(window.targets[i])) for i in range(window.tokens.size)]
    names = ("nll_original", "nll_compressed", "kl", "top1", "top5", "cosine")
    for name, column in zip(names, np.array(expected).T, strict=True):
        np.testing.assert_allclose(getattr(metrics, name), column, rtol=1e-4, atol=1e-4, err_msg=name)


def test_metrics_of_given_logits_are_their_definitions() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(0, 4, (2, 50, 300)).astype(np.float32)
    targets = rng.integers(0, 300, 50)
    targets[::7] = NO_TARGET
    metrics = compare_logits(torch.from_numpy(a), torch.from_numpy(b), torch.from_numpy(targets))
    expected = np.array([defined(a[i].astype(np.float64), b[i].astype(np.float64), int(targets[i])) for i in range(50)]).T
    for name, column in zip(("nll_original", "nll_compressed", "kl", "top1", "top5", "cosine"), expected, strict=True):
        np.testing.assert_allclose(getattr(metrics, name), column, rtol=TOLERANCE, atol=TOLERANCE, err_msg=name)


def test_long_rows_are_compared_in_chunks_with_the_same_result(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = torch.randn(2, 10, 64, generator=torch.Generator().manual_seed(0))
    targets = torch.arange(10)
    whole = compare_logits(a, b, targets)
    monkeypatch.setattr("haagenti.hf.metrics.CHUNK_ELEMENTS", 3 * 64)
    np.testing.assert_allclose(compare_logits(a, b, targets).kl, whole.kl, rtol=TOLERANCE)


def test_a_token_that_neither_model_allows_adds_nothing_to_the_divergence() -> None:
    a = torch.tensor([[1.0, 2.0, -torch.inf]])
    metrics = compare_logits(a, a.clone(), torch.tensor([0]))
    assert metrics.kl[0] == 0


def test_a_broken_model_shows_as_nan_not_as_a_smaller_average() -> None:
    a = torch.zeros(2, 8)
    b = torch.tensor([[0.0] * 8, [torch.nan] * 8])
    assert math.isnan(Distribution.of(compare_logits(a, b, torch.tensor([1, 2])).kl).mean)


def test_a_model_against_itself_and_the_perplexity_of_stories260k() -> None:
    seen: list[tuple[int, int, str]] = []
    report = evaluate(
        STORIES, STORIES, STORIES_TEXT, prompts=["Once upon a time"], max_new_tokens=8, progress=lambda *call: seen.append(call)
    )
    assert report.perplexity_original == pytest.approx(4.886, abs=0.002)
    assert report.perplexity_compressed == report.perplexity_original
    assert report.n_predictions == report.n_positions == 24149
    assert (report.kl.mean, report.kl.median, report.kl.p99, report.kl.max) == (0, 0, 0, 0)
    assert (report.top1, report.top5) == (1, 1)
    assert report.cosine_min == pytest.approx(1, abs=1e-12)
    assert report.continuations[0].n_same_tokens == report.continuations[0].n_tokens == 8
    assert seen[-1] == (report.n_windows, report.n_windows, "")
    assert [done for done, _, _ in seen] == sorted(done for done, _, _ in seen)


@pytest.mark.skipif(not (SHARED / "models/llama-books-22m").is_dir(), reason="no shared data beside the checkout")
def test_the_perplexity_of_llama_books_22m() -> None:
    opened = open_model(SHARED / "models/llama-books-22m", dtype=torch.float32)
    text = (SHARED / "text/books_heldout.txt").read_text(encoding="utf-8")
    windows = cut_text(text, opened.tokenizer, max_windows=40).windows
    assert [window.tokens.size for window in windows] == [512] * 40
    tokens, targets = (torch.from_numpy(np.stack([getattr(window, name) for window in windows])) for name in ("tokens", "targets"))
    total = 0.0
    with torch.inference_mode():
        for x, y in zip(tokens.split(4), targets.split(4), strict=True):
            logits = opened.model(x, use_cache=False).logits
            total += float(torch.nn.functional.cross_entropy(logits.flatten(0, 1), y.flatten(), ignore_index=NO_TARGET, reduction="sum"))
    assert math.exp(total / (40 * 511)) == pytest.approx(23.720, abs=0.001)


def test_the_report_as_text_json_and_html(pair: tuple[Path, Path], tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("<b>One</b> day a little girl went to the park. " * 5)
    report = evaluate(*pair, text, prompts=["Once <i>"], window=16, max_windows=3, max_new_tokens=4)
    data = json.loads(report.to_json())
    assert data["kl"]["mean"] == report.kl.mean > 0
    assert data["continuations"][0]["prompt"] == "Once <i>"
    assert "running text, 3 windows of 16 tokens" in report.table()
    for name, value in report.rows():
        assert name in report.table()
        assert value in report.table()
        assert name in report._repr_html_()
    assert "&lt;i&gt;" in report._repr_html_()
    assert "<i>" not in report._repr_html_()


def test_models_of_different_vocabularies_are_refused(opened: tuple[OpenedModel, OpenedModel]) -> None:
    window = Window(np.array([1, 600]), np.array([600, NO_TARGET]))
    with pytest.raises(InvalidArgumentError, match="token 600 is outside the vocabulary of 512"):
        compare_models(opened[0], [opened[1]], [window])
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**{**opened[0].model.config.to_dict(), "vocab_size": 300}))
    window = Window(np.array([1, 2]), np.array([2, NO_TARGET]))
    with pytest.raises(InvalidArgumentError, match=r"vocab_size: expected 512 .* found 300"):
        compare_models(opened[0], [OpenedModel("small", model, opened[0].tokenizer)], [window])


def test_a_window_longer_than_the_model_can_read_is_refused() -> None:
    opened = open_model(STORIES)
    window = Window(np.ones(513, np.int64), np.ones(513, np.int64))
    with pytest.raises(InvalidArgumentError, match="reads at most 512 tokens, found a window of 513"):
        compare_models(opened, [], [window])


def test_a_directory_that_is_not_there_or_has_no_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="no such model directory"):
        open_model(tmp_path / "missing")
    shutil.copy(STORIES / "config.json", tmp_path)
    with pytest.raises(InvalidArgumentError, match="no usable tokenizer"):
        open_model(tmp_path)


def test_greedy_text_is_the_argmax_and_streams_what_it_returns() -> None:
    opened = open_model(STORIES)
    pieces: list[str] = []
    result = continue_prompt(opened, "Once upon a time", max_new_tokens=12, on_text=pieces.append)
    ids = opened.tokenizer("Once upon a time", return_tensors="pt")["input_ids"]
    for token in result.tokens:
        with torch.no_grad():
            assert int(opened.model(ids).logits[0, -1].argmax()) == token
        ids = torch.cat([ids, torch.tensor([[token]])], dim=-1)
    assert "".join(pieces) == result.text
    assert result.text.startswith(", there was")
    assert (result.n_new_tokens, result.n_prompt_tokens, result.seed) == (12, 5, None)
    assert result.tokens_per_second == pytest.approx(11 / result.seconds)


def test_sampling_follows_its_seed_and_leaves_the_global_state_alone() -> None:
    torch.manual_seed(5)
    state = torch.get_rng_state()
    a, b, c = (generate(STORIES, "Once", max_new_tokens=24, temperature=1.0, seed=seed) for seed in (1, 1, 2))
    assert a.text == b.text != c.text
    assert torch.equal(torch.get_rng_state(), state)
    assert generate(STORIES, "Once", max_new_tokens=1, temperature=1.0).seed is not None


def test_generate_of_one_token_has_no_speed() -> None:
    assert generate(STORIES, "Once", max_new_tokens=1).tokens_per_second is None


@pytest.mark.parametrize(("options", "message"), [({"max_new_tokens": 0}, "max_new_tokens"), ({"temperature": -1.0}, "temperature")])
def test_values_out_of_range_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        generate(STORIES, "Once", **options)  # type: ignore[arg-type]


def gpt2(directory: Path, n_positions: int) -> Path:
    """A GPT-2 of random weights, whose positions are a table that ends, with the tokenizer of stories260K."""
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=512, n_positions=n_positions, n_embd=64, n_layer=2, n_head=4, initializer_range=0.4, bos_token_id=1, eos_token_id=None
    )
    transformers.GPT2LMHeadModel(config).save_pretrained(directory)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(STORIES / name, directory / name)
    return directory


def test_generation_stops_at_the_last_position_and_says_so(tmp_path: Path) -> None:
    opened = open_model(gpt2(tmp_path / "gpt2", 16))
    result = continue_prompt(opened, "Once upon a time", max_new_tokens=100)
    assert result.n_prompt_tokens + result.n_new_tokens == 16
    assert result.length_limit == 16
    assert continue_prompt(opened, "Once upon a time", max_new_tokens=result.n_new_tokens).length_limit is None
    with pytest.raises(InvalidArgumentError, match=r"prompt: \d+ tokens leave no room for 100 new ones: .* at most 16 tokens"):
        continue_prompt(opened, "Once upon a time " * 5, max_new_tokens=100)


def test_a_directory_without_config_and_a_file_are_refused(tmp_path: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(STORIES / name, tmp_path / name)
    with pytest.raises(InvalidArgumentError, match=r"no config\.json|no usable tokenizer \(.*config\.json"):
        open_model(tmp_path)
    with pytest.raises(InvalidArgumentError, match="expected a model directory, found a file"):
        open_model(tmp_path / "tokenizer.json")
