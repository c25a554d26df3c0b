"""The models of these tests, and helpers to compare models and to damage files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    MixtralConfig,
    MixtralForCausalLM,
    PreTrainedModel,
    T5Config,
    T5ForConditionalGeneration,
)

import haagenti
from haagenti.files.safetensors_file import SafetensorsReader
from haagenti.torch.modules import CompressedLinear

SIZES: dict[str, Any] = {
    "vocab_size": 128,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
}
GPT2_SIZES: dict[str, Any] = {"vocab_size": 128, "n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 64}
T5_SIZES: dict[str, Any] = {"vocab_size": 128, "d_model": 64, "d_kv": 16, "d_ff": 96, "num_layers": 2, "num_heads": 4}
IDS = torch.arange(1, 25).reshape(2, 12) * 5 % 128

MAKERS: dict[str, Callable[[], PreTrainedModel]] = {
    "llama_tied": lambda: LlamaForCausalLM(LlamaConfig(**SIZES, tie_word_embeddings=True)),
    "llama_untied": lambda: LlamaForCausalLM(LlamaConfig(**SIZES, tie_word_embeddings=False, attention_bias=True)),
    "mixtral": lambda: MixtralForCausalLM(MixtralConfig(**SIZES, num_local_experts=4, num_experts_per_tok=2)),
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(**GPT2_SIZES)),
    "t5": lambda: T5ForConditionalGeneration(T5Config(**T5_SIZES, decoder_start_token_id=0)),
    "mamba": lambda: MambaForCausalLM(MambaConfig(vocab_size=128, hidden_size=64, state_size=4, num_hidden_layers=2, time_step_rank=32)),
}
LANGUAGE_MODELS = ("llama_tied", "llama_untied", "mixtral", "gpt2")
EVERYTHING = {".*": "int4"}  # embeddings and heads too, which the presets store as int8


def make(kind: str) -> PreTrainedModel:
    """A bf16 model in which norms, biases and weights that start at zero differ from each other."""
    torch.manual_seed(0)
    model = MAKERS[kind]().to(torch.bfloat16).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    model.tie_weights()
    return model


class Directories:
    """Model directories, made when first asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def source(self, kind: str) -> Path:
        """As transformers saves the model: in one file, or for Mixtral in several."""
        path = self.root / f"{kind}-source"
        if not path.exists():
            make(kind).save_pretrained(path, **({"max_shard_size": "60KB"} if kind == "mixtral" else {}))
        return path

    def converted(self, kind: str, preset: str, rules: Mapping[str, str] | None = None) -> Path:
        """What `haagenti.convert` makes of it."""
        path = self.root / f"{kind}-{preset}{'' if rules is None else abs(hash(tuple(rules.items())))}"
        if not path.exists():
            haagenti.convert(self.source(kind), path, preset=preset, rules=rules, max_shard_bytes=40_000 if kind == "mixtral" else None)
        return path

    def decoded(self, path: Path) -> Path:
        """A compressed directory as an ordinary one, decoded without transformers."""
        dense = path.with_name(f"{path.name}-dense")
        if not dense.exists():
            haagenti.convert(path, dense, preset="dense")
        return dense


def logits(model: PreTrainedModel) -> torch.Tensor:
    """Of two short texts."""
    more = {"decoder_input_ids": IDS} if model.config.is_encoder_decoder else {}
    with torch.no_grad():
        return model(IDS, **more).logits


def assert_same(found: PreTrainedModel, expected: PreTrainedModel) -> None:
    """Equal in every weight, its dtype, the kinds of modules, and the logits."""
    ours, theirs = found.state_dict(), expected.state_dict()
    assert ours.keys() == theirs.keys()
    for name, tensor in theirs.items():
        assert ours[name].dtype == tensor.dtype, name
        assert torch.equal(ours[name], tensor), name
    assert [type(module) for module in found.modules()] == [type(module) for module in expected.modules()]
    assert {n: p.requires_grad for n, p in found.named_parameters()} == {n: p.requires_grad for n, p in expected.named_parameters()}
    assert torch.equal(logits(found), logits(expected))


def kept(model: PreTrainedModel) -> set[str]:
    """Paths of the layers that keep their records."""
    return {name for name, module in model.named_modules() if isinstance(module, CompressedLinear)}


def stored(path: Path) -> dict[str, torch.Tensor]:
    """Every tensor of a directory as its files hold it."""
    return {name: tensor for file in sorted(path.glob("*.safetensors")) for name, tensor in load_file(file).items()}


def config_of(path: Path) -> dict[str, Any]:
    """config.json."""
    return dict(json.loads((path / "config.json").read_text()))


def changed_config(path: Path, target: Path, **changes: Any) -> Path:
    """A copy of a directory with other values in its ``quantization_config``."""
    shutil.copytree(path, target)
    config = config_of(target)
    config["quantization_config"] |= changes
    (target / "config.json").write_text(json.dumps(config))
    return target


def damaged(path: Path, target: Path, name: str, at: int) -> Path:
    """A copy of a directory in which byte ``at`` of a stored tensor (from its end when negative) has another value."""
    shutil.copytree(path, target)
    for file in target.glob("*.safetensors"):
        reader = SafetensorsReader(file)
        if name in reader.names():
            info = reader.info(name)
            position = info.offset + (at if at >= 0 else info.n_bytes + at)
            data = bytearray(file.read_bytes())
            data[position] ^= 0x40
            file.unlink()  # the old bytes may be mapped
            file.write_bytes(data)
            return target
    raise KeyError(name)
