"""Conversion of real small models and of tiny random ones: everything is kept, and stated errors are the errors of the decoded bytes.

Models of the shared data folder beside the checkout are skipped when it is not there.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from checkpoints import ROOT, save_model

import haagenti
from haagenti.planning import PlanEntry
from haagenti.sources import open_source

STORIES = ROOT / "tests" / "models" / "stories260K"
SHARED = ROOT.parent / "shared" / "models"
SMALL = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json")

needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
needs_transformers = pytest.mark.skipif(find_spec("transformers") is None, reason="transformers is not installed")


def shared(name: str) -> Path:
    """A model of the shared data."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"needs ../shared/models/{name} beside the checkout")
    return path


def arrays(model: Path) -> dict[str, np.ndarray]:
    """Every tensor of a checkpoint."""
    with open_source(model) as source:
        listed = source.tensors()
        return {t.name: np.frombuffer(source.read(t.name), haagenti.dtypes.to_numpy(t.dtype)).reshape(t.shape).copy() for t in listed}


def copy_of(model: Path, path: Path, change: Callable[[np.ndarray], np.ndarray] = lambda array: array) -> Path:
    """The same model in one file."""
    save_model(path, {name: change(array) for name, array in arrays(model).items()}, config=None)
    for name in SMALL:
        shutil.copy(model / name, path)
    return path


def pickled_copy(model: Path, path: Path) -> Path:
    """The same model as transformers saved it before safetensors: with the tied head in it."""
    torch = import_module("torch")
    state = {name: torch.from_numpy(array.view(f"i{array.itemsize}")).view(_torch_dtype(array)) for name, array in arrays(model).items()}
    path.mkdir()
    torch.save({**state, "lm_head.weight": state["model.embed_tokens.weight"]}, path / "pytorch_model.bin")
    for name in SMALL:
        shutil.copy(model / name, path)
    return path


def _torch_dtype(array: np.ndarray) -> Any:
    return getattr(import_module("torch"), array.dtype.name)


def random_model(path: Path, kind: str) -> Path:
    """A tiny model with random weights, saved by transformers."""
    transformers, torch = import_module("transformers"), import_module("torch")
    torch.manual_seed(0)
    configs: dict[str, Callable[[], Any]] = {
        "mixtral": lambda: transformers.MixtralConfig(
            vocab_size=256,
            hidden_size=64,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            num_local_experts=4,
        ),
        "gpt2": lambda: transformers.GPT2Config(vocab_size=256, n_positions=64, n_embd=64, n_layer=2, n_head=4),
    }
    transformers.AutoModelForCausalLM.from_config(configs[kind]()).save_pretrained(path)
    return path


@pytest.fixture(scope="module")
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of a parameter: one of the names below."""
    folder = tmp_path_factory.mktemp("model")
    builders: dict[str, Callable[[], Path]] = {
        "stories": lambda: STORIES,
        "stories-bin": lambda: pickled_copy(STORIES, folder / "m"),
        "books-22m": lambda: shared("llama-books-22m"),
        "books-22m-f32": lambda: copy_of(shared("llama-books-22m"), folder / "m", lambda array: array.astype(np.float32)),
        "books-22m-single": lambda: copy_of(shared("llama-books-22m"), folder / "m"),
        "books-22m-bin": lambda: pickled_copy(shared("llama-books-22m"), folder / "m"),
        "mixtral": lambda: random_model(folder / "m", "mixtral"),
        "gpt2": lambda: random_model(folder / "m", "gpt2"),
        "resnet20": lambda: shared("resnet-cifar10/resnet20-12fca82f.th"),
        "resnet32": lambda: shared("resnet-cifar10/resnet32-d509ac18.th"),
        "resnet44": lambda: shared("resnet-cifar10/resnet44-014dd654.th"),
        "resnet56": lambda: shared("resnet-cifar10/resnet56-4bfd9763.th"),
        "gpt": lambda: shared("gpt-atome-944k/vanilla_1m_v1.pt"),
        "gpt-ternary": lambda: shared("gpt-atome-944k/atome_1m_v1.pt"),
    }
    return builders[request.param]()


NEEDS = {"mixtral": [needs_torch, needs_transformers], "gpt2": [needs_torch, needs_transformers]}
DIRECTORIES = ["stories", "stories-bin", "books-22m", "mixtral", "gpt2"]
COPIES = ["books-22m-f32", "books-22m-single", "books-22m-bin"]
FILES = ["resnet20", "resnet32", "resnet44", "resnet56", "gpt", "gpt-ternary"]


def marked(names: list[str]) -> list[Any]:
    """Parameters with the marks of what they need."""
    return [pytest.param(name, marks=NEEDS.get(name, [needs_torch] if name in FILES or name.endswith("-bin") else [])) for name in names]


def check(source: Path, out: Path, preset: str, min_snr: float, key: str | None = None) -> None:
    """Converts, then compares every tensor with the original by hand and by `verify`."""
    report = haagenti.convert(source, out, preset=preset, key=key)
    with open_source(source, key=key) as original, open_source(out) as converted:
        assert {t.name for t in original.tensors()} == {t.name for t in converted.tensors()} == {row.name for row in report.rows}
        for row in report.rows:
            kind = haagenti.dtypes.to_numpy(row.dtype)
            x, y = (np.frombuffer(opened.read(row.name), kind) for opened in (original, converted))
            record = converted.record(row.name)
            assert (record.error if record is not None else None) is not None if row.error is not None else True
            if row.error is None:
                assert x.tobytes() == y.tobytes(), row.name
                continue
            measured = haagenti.quality(x, y)
            assert row.error.snr_db == pytest.approx(measured.snr_db, abs=1e-4), row.name
            assert row.error.max_abs_error == pytest.approx(measured.max_abs_error, rel=1e-6), row.name
            assert row.error.cosine == pytest.approx(measured.cosine, abs=1e-7), row.name
            assert measured.snr_db > min_snr, row.name
    verified = haagenti.verify(out, source, key=key)
    assert verified.failures == []
    assert verified.n_equal + verified.n_lossy == verified.n_tensors == len(report.rows)


@pytest.mark.parametrize("preset", ["lossless", "int8", "int4"])
@pytest.mark.parametrize("checkpoint", marked(DIRECTORIES), indirect=True)
def test_directory(checkpoint: Path, tmp_path: Path, preset: str) -> None:
    check(checkpoint, tmp_path / "out", preset, min_snr=17)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {name for name in SMALL if (checkpoint / name).exists()} | {"model.safetensors", "README.md"} <= names
    assert not any(name.endswith(".bin") for name in names)
    assert json.loads((tmp_path / "out" / "config.json").read_text())["quantization_config"]["preset"] == preset


@pytest.mark.parametrize("checkpoint", marked(COPIES), indirect=True)
def test_copy_in_another_form(checkpoint: Path, tmp_path: Path) -> None:
    check(checkpoint, tmp_path / "out", "int4", min_snr=17)


@pytest.mark.parametrize("preset", ["lossless", "int8", "int4"])
@pytest.mark.parametrize("checkpoint", marked(FILES), indirect=True)
def test_checkpoint_file_to_hct(checkpoint: Path, tmp_path: Path, preset: str) -> None:
    check(checkpoint, tmp_path / "whole.hct", preset, min_snr=14)
    check(checkpoint, tmp_path / "part.hct", preset, min_snr=14, key="state_dict")
    whole, part = haagenti.inspect(tmp_path / "whole.hct"), haagenti.inspect(tmp_path / "part.hct")
    assert {row.name for row in whole.rows} == {f"state_dict.{row.name}" for row in part.rows}
    assert set(whole.metadata) >= ({"best_prec1"} if checkpoint.suffix == ".th" else {"step", "val_loss", "config.vocab_size"})


def plan_of(model: Path) -> dict[str, PlanEntry]:
    return {entry.name: entry for entry in haagenti.plan(model).entries}


@needs_torch
@needs_transformers
def test_plan_of_mixtral(tmp_path: Path) -> None:
    entries = plan_of(random_model(tmp_path / "m", "mixtral"))
    routers = [entry for entry in entries.values() if entry.role == "router"]
    assert len(routers) == 2
    assert all(entry.encoding in ('raw(codec="zstd")', "plain") for entry in routers)
    experts = [entry for entry in entries.values() if "experts" in entry.name]
    assert len(experts) >= 2
    assert all((entry.role, entry.encoding, entry.matrix) == ("linear", "int4(group_size=32)", "last") for entry in experts)


@needs_torch
@needs_transformers
def test_plan_of_gpt2(tmp_path: Path) -> None:
    entries = plan_of(random_model(tmp_path / "m", "gpt2"))
    transposed = {entry.name for entry in entries.values() if entry.matrix == "transposed"}
    assert transposed == {
        f"transformer.h.{i}.{m}.weight" for i in range(2) for m in ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
    }
    assert entries["transformer.wpe.weight"].role == entries["transformer.wte.weight"].role == "embedding"


def test_plan_of_resnet() -> None:
    pytest.importorskip("torch")
    entries = plan_of(shared("resnet-cifar10/resnet20-12fca82f.th"))
    convolution = entries["state_dict.module.layer1.0.conv1.weight"]
    assert (convolution.role, convolution.matrix, convolution.encoding) == ("convolution", "first", "int4(group_size=32)")


@needs_torch
@needs_transformers
@pytest.mark.parametrize("checkpoint", marked(["stories-bin", "mixtral", "gpt2"]), indirect=True)
def test_dense_again_loads_in_transformers(checkpoint: Path, tmp_path: Path) -> None:
    """What was a pickle with a tied head is an ordinary safetensors directory afterwards, and its logits are the same."""
    transformers, torch = import_module("transformers"), import_module("torch")
    haagenti.convert(checkpoint, tmp_path / "packed", preset="lossless")
    haagenti.convert(tmp_path / "packed", tmp_path / "dense", preset="dense")
    model, info = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "dense", output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    original = transformers.AutoModelForCausalLM.from_pretrained(STORIES if (checkpoint / "pytorch_model.bin").exists() else checkpoint)
    ids = torch.arange(1, 40)[None]
    with torch.no_grad():
        assert torch.equal(model(ids).logits, original(ids).logits)
