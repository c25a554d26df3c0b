"""Models that keep the records of their linear layers: the same logits as decoded ones, saving, and what is left dense.

Not responsible for: the product itself (test_torch_ops.py).
"""

from __future__ import annotations

import copy
import warnings
from pathlib import Path

import pytest
import torch
from tiny_models import EVERYTHING, IDS, LANGUAGE_MODELS, Directories, assert_same, config_of, kept, logits, stored
from transformers import AutoModelForCausalLM, PreTrainedModel

import haagenti
import haagenti.hf
from haagenti.hf import HaagentiLoadConfig
from haagenti.torch.modules import CompressedLinear

LAYERS = {
    "llama_tied": 14,  # 7 a layer; the head is the embedding
    "llama_untied": 15,
    "mixtral": 9,  # attention and head; experts are merged, routers are too small to be records
    "gpt2": 8,  # 4 Conv1D a layer
    "t5": 28,  # without the 4 `wo`, which stay in float32, and the tied head
    "mamba": 2,  # in_proj alone: the code reads the other weights itself
}


def close(found: torch.Tensor, expected: torch.Tensor) -> None:
    """Conv1D multiplies in another order than a linear layer does."""
    eps = torch.finfo(expected.dtype).eps
    torch.testing.assert_close(found, expected, rtol=16 * eps, atol=16 * eps * expected.abs().max().item())


CASES = [*((kind, "int4") for kind in LAYERS), ("llama_tied", "int8"), ("gpt2", "int8"), ("mixtral", "raw")]


@pytest.mark.parametrize(("kind", "encoding"), CASES)
def test_logits_are_those_of_the_decoded_model(directories: Directories, kind: str, encoding: str) -> None:
    path = directories.converted(kind, "int4", {".*": encoding})
    for dtype in ("auto", torch.float32, torch.float16):
        compressed = haagenti.hf.from_pretrained(path, run_compressed=True, dtype=dtype)
        dense = haagenti.hf.from_pretrained(path, dtype=dtype)
        assert len(kept(compressed)) == LAYERS[kind] or (encoding == "raw" and kept(compressed))  # not all are smaller
        compare = close if kind == "gpt2" else torch.testing.assert_close
        compare(logits(compressed), logits(dense), **({} if kind == "gpt2" else {"rtol": 0, "atol": 0}))


def test_records_are_those_of_the_file(directories: Directories) -> None:
    path = directories.converted("mixtral", "int4")
    files = stored(path)
    model = haagenti.hf.from_pretrained(path, run_compressed=True)
    state = model.state_dict()
    for name in kept(model):
        assert state[f"{name}.weight"].dtype == torch.uint8
        assert torch.equal(state[f"{name}.weight"], files[f"{name}.weight"])
    assert model.is_quantized
    assert "int4(group_size=32)" in repr(model.model.layers[0].self_attn)


def test_casts_copies_generation_and_dequantize(directories: Directories) -> None:
    path = directories.converted("llama_untied", "int4", EVERYTHING)
    model, dense = haagenti.hf.from_pretrained(path, run_compressed=True), haagenti.hf.from_pretrained(path)
    records = {name: tensor.clone() for name, tensor in model.state_dict().items() if tensor.dtype == torch.uint8}
    model, dense = copy.deepcopy(model).to(torch.float32), dense.to(torch.float32)
    assert all(torch.equal(model.state_dict()[name], record) for name, record in records.items())
    assert torch.equal(logits(model), logits(dense))
    with pytest.raises(ValueError, match="half"):
        model.half()
    arguments = {"max_new_tokens": 4, "do_sample": False}
    assert torch.equal(model.generate(IDS[:1], **arguments), dense.generate(IDS[:1], **arguments))
    model = model.dequantize()
    assert_same(model, dense)
    assert not hasattr(model.config, "quantization_config")


def test_dequantize_restores_conv1d(directories: Directories) -> None:
    path = directories.converted("gpt2", "int8")
    assert_same(haagenti.hf.from_pretrained(path, run_compressed=True).dequantize(), haagenti.hf.from_pretrained(path))


def saved(model: PreTrainedModel, path: Path, **options: object) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.save_pretrained(path, **options)
    return path


@pytest.mark.parametrize("kind", [*LANGUAGE_MODELS, "t5"])
def test_saved_and_loaded_again(directories: Directories, tmp_path: Path, kind: str) -> None:
    path = directories.converted(kind, "int4", EVERYTHING)
    model = haagenti.hf.from_pretrained(path, run_compressed=True)
    files, written = stored(path), stored(saved(model, tmp_path / "saved"))
    assert written.keys() == files.keys()
    same = {name for name, tensor in written.items() if tensor.dtype == torch.uint8}
    assert same == {f"{name}.weight" for name in kept(model)}
    assert all(torch.equal(written[name], files[name]) for name in same)
    assert_same(haagenti.hf.from_pretrained(tmp_path / "saved"), haagenti.hf.from_pretrained(path))
    again = haagenti.hf.from_pretrained(tmp_path / "saved", run_compressed=True)
    assert kept(again) == kept(model)
    assert torch.equal(logits(again), logits(model))


def test_saved_directories_are_read_by_the_rest_of_haagenti(directories: Directories, tmp_path: Path) -> None:
    path = directories.converted("llama_untied", "int4", EVERYTHING)
    model = haagenti.hf.from_pretrained(path, run_compressed=True)
    saved(model, tmp_path / "saved")
    assert haagenti.verify(tmp_path / "saved").ok
    config = config_of(tmp_path / "saved")["quantization_config"]
    assert config["encodings"] == {"int4(group_size=32)": 15}
    assert config["format_version"] == 1
    assert "bits_per_weight" not in config
    assert "run_compressed" not in config
    haagenti.convert(tmp_path / "saved", tmp_path / "dense", preset="dense")
    assert_same(haagenti.hf.from_pretrained(tmp_path / "dense"), haagenti.hf.from_pretrained(path))


def test_saved_in_shards(directories: Directories, tmp_path: Path) -> None:
    path = directories.converted("mixtral", "int4", EVERYTHING)
    model = haagenti.hf.from_pretrained(path, run_compressed=True)
    saved(model, tmp_path / "saved", max_shard_size="40KB")
    assert len([*(tmp_path / "saved").glob("*.safetensors")]) > 1
    assert_same(haagenti.hf.from_pretrained(tmp_path / "saved"), haagenti.hf.from_pretrained(path))
    assert kept(haagenti.hf.from_pretrained(tmp_path / "saved", run_compressed=True)) == kept(model)


def test_saved_shards_are_read_by_the_rest_of_haagenti(directories: Directories, tmp_path: Path) -> None:
    model = haagenti.hf.from_pretrained(directories.converted("mixtral", "int4", EVERYTHING), run_compressed=True)
    saved(model, tmp_path / "saved", max_shard_size="40KB")
    assert haagenti.verify(tmp_path / "saved").ok


def test_layers_whose_weight_is_read_stay_dense(directories: Directories) -> None:
    model = haagenti.hf.from_pretrained(directories.converted("mamba", "int4", EVERYTHING), run_compressed=True)
    mixer = model.backbone.layers[0].mixer
    assert type(mixer.dt_proj) is torch.nn.Linear
    assert type(mixer.in_proj) is CompressedLinear


def test_flat_records_stay_dense(directories: Directories) -> None:
    rules = {".*k_proj.*": "int4(group_axis=flat)", ".*": "int4"}
    model = haagenti.hf.from_pretrained(directories.converted("llama_tied", "int4", rules), run_compressed=True)
    assert len(kept(model)) == 12
    assert not any("k_proj" in name for name in kept(model))


def test_nothing_to_keep_is_an_error(directories: Directories) -> None:
    path = directories.converted("llama_tied", "int4", {".*embed.*": "int8", ".*": "plain"})
    with pytest.raises(haagenti.UnsupportedError, match="expected a linear layer of LlamaForCausalLM"):
        haagenti.hf.from_pretrained(path, run_compressed=True)


def test_only_compressed_directories(directories: Directories) -> None:
    with pytest.raises(haagenti.InvalidArgumentError, match=r"run_compressed: .* found quant_method None"):
        haagenti.hf.from_pretrained(directories.source("llama_tied"), run_compressed=True)


def test_only_on_the_cpu(directories: Directories) -> None:
    quantizer = haagenti.hf.quantizer.HaagentiHfQuantizer(HaagentiLoadConfig(run_compressed=True), pre_quantized=True)
    for device_map in ("cuda", 0, torch.device("cuda:1"), {"model": 0, "lm_head": "cpu"}):
        with pytest.raises(haagenti.UnsupportedError, match="device_map: expected cpu"):
            quantizer.validate_environment(device_map=device_map)
    for device_map in (None, "cpu", "auto", {"": "cpu"}, {"": torch.device("cpu")}):
        quantizer.validate_environment(device_map=device_map)


def test_other_ways_to_ask_for_it(directories: Directories) -> None:
    path = directories.converted("llama_tied", "int4")
    model = haagenti.hf.from_pretrained(path, run_compressed=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # transformers says that it merges the two configs
        other = AutoModelForCausalLM.from_pretrained(path, quantization_config=HaagentiLoadConfig(run_compressed=True))
    again = AutoModelForCausalLM.from_pretrained(path, config=model.config)
    assert kept(model) == kept(other) == kept(again)
    assert not kept(AutoModelForCausalLM.from_pretrained(path))


@pytest.mark.parametrize("kind", LANGUAGE_MODELS)
def test_smaller_in_memory(directories: Directories, kind: str) -> None:
    path = directories.converted(kind, "int4")

    def n_bytes(model: PreTrainedModel) -> int:
        return sum(t.numel() * t.element_size() for t in [*model.parameters(), *model.buffers()])

    assert n_bytes(haagenti.hf.from_pretrained(path, run_compressed=True)) < n_bytes(haagenti.hf.from_pretrained(path))
