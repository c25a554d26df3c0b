"""Compressed directories as dense models: equal to what they were made of, errors that say what is wrong, saving.

Not responsible for: models that keep their records (test_hf_compressed.py).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import transformers
from tiny_models import (
    EVERYTHING,
    IDS,
    LANGUAGE_MODELS,
    Directories,
    assert_same,
    changed_config,
    config_of,
    damaged,
    logits,
    stored,
)
from transformers import AutoModel, AutoModelForCausalLM, AutoModelForSequenceClassification, PreTrainedModel, T5ForConditionalGeneration

import haagenti
import haagenti.hf
from haagenti.hf import HaagentiConfig, HaagentiLoadConfig

OLD = tuple(map(int, transformers.__version__.split(".")[:2])) < (5, 20)
UP = "model.layers.1.mlp.up_proj.weight"
DTYPES = ("auto", None, torch.float32, torch.float16)


def plain(directories: Directories, kind: str) -> PreTrainedModel:
    """The model that was compressed."""
    return haagenti.hf.from_pretrained(directories.source(kind))


@pytest.mark.parametrize("kind", [*LANGUAGE_MODELS, "t5"])
def test_lossless_is_the_original(directories: Directories, kind: str) -> None:
    for dtype in DTYPES:
        options = {} if dtype is None else {"dtype": dtype}
        found = haagenti.hf.from_pretrained(directories.converted(kind, "lossless"), **options)
        expected = haagenti.hf.from_pretrained(directories.source(kind), **options)
        assert_same(found, expected)
        assert found.dtype == expected.dtype


@pytest.mark.parametrize("kind", [*LANGUAGE_MODELS, "t5"])
@pytest.mark.parametrize(("preset", "rules"), [("int8", None), ("int4", None), ("int4", EVERYTHING)])
def test_lossy_is_the_decoded_checkpoint(directories: Directories, kind: str, preset: str, rules: dict[str, str] | None) -> None:
    path = directories.converted(kind, preset, rules)
    dense = directories.decoded(path)
    assert "quantization_config" not in config_of(dense)
    for dtype in ("auto", torch.float32, torch.float16):
        assert_same(haagenti.hf.from_pretrained(path, dtype=dtype), haagenti.hf.from_pretrained(dense, dtype=dtype))
    assert not torch.equal(logits(haagenti.hf.from_pretrained(path)), logits(haagenti.hf.from_pretrained(directories.source(kind))))


def test_auto_classes_report_the_same_keys(directories: Directories) -> None:
    for kind in LANGUAGE_MODELS:
        source, path = directories.source(kind), directories.converted(kind, "lossless")
        for cls, options in ((AutoModelForCausalLM, {}), (AutoModel, {}), (AutoModelForSequenceClassification, {"num_labels": 3})):
            found, info = cls.from_pretrained(path, output_loading_info=True, **options)
            expected, other = cls.from_pretrained(source, output_loading_info=True, **options)
            assert info == other
            for name, tensor in expected.state_dict().items():
                assert name == "score.weight" or torch.equal(found.state_dict()[name], tensor), (kind, name)


def test_nothing_of_the_loading_stays(directories: Directories) -> None:
    for kind in ("llama_untied", "mixtral"):
        model = AutoModelForCausalLM.from_pretrained(directories.converted(kind, "int4"))
        assert not hasattr(model, "hf_quantizer")
        assert not hasattr(model.config, "quantization_config")
        assert not model.is_quantized
        assert "DecodeRecords" not in str([getattr(c, "operations", []) for c in model._weight_conversions])


@pytest.mark.parametrize("kind", LANGUAGE_MODELS)
def test_decoded_models_are_saved_as_ordinary_ones(directories: Directories, tmp_path: Path, kind: str) -> None:
    haagenti.hf.from_pretrained(directories.converted(kind, "lossless")).save_pretrained(tmp_path / "found")
    haagenti.hf.from_pretrained(directories.source(kind)).save_pretrained(tmp_path / "expected")
    found, expected = stored(tmp_path / "found"), stored(tmp_path / "expected")
    assert found.keys() == expected.keys()
    assert all(found[name].dtype == tensor.dtype and torch.equal(found[name], tensor) for name, tensor in expected.items())
    assert config_of(tmp_path / "found") == config_of(tmp_path / "expected")
    assert_same(haagenti.hf.from_pretrained(tmp_path / "found"), plain(directories, kind))


def test_decoded_models_train_and_generate(directories: Directories) -> None:
    model = haagenti.hf.from_pretrained(directories.converted("llama_untied", "int4"))
    model.float().train()
    model(IDS, labels=IDS).loss.backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert model.half().eval().generate(IDS[:1], max_new_tokens=3, do_sample=False).shape == (1, 15)


def test_ways_of_reading(directories: Directories, monkeypatch: pytest.MonkeyPatch) -> None:
    path = directories.converted("mixtral", "lossless")
    expected = plain(directories, "mixtral")
    assert_same(AutoModelForCausalLM.from_pretrained(path, disable_mmap=True), expected)
    config = transformers.AutoConfig.from_pretrained(path)
    assert_same(transformers.MixtralForCausalLM.from_pretrained(None, config=config, state_dict=stored(path)), expected)
    monkeypatch.setenv("HF_DEACTIVATE_ASYNC_LOAD", "1")
    assert_same(AutoModelForCausalLM.from_pretrained(path), expected)


def test_device_maps(directories: Directories) -> None:
    pytest.importorskip("accelerate")
    for kind in ("llama_tied", "mixtral"):
        for device_map in ("cpu", "auto", {"": "cpu"}):
            found = haagenti.hf.from_pretrained(directories.converted(kind, "lossless"), device_map=device_map)
            assert_same(found, plain(directories, kind))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("kind", LANGUAGE_MODELS)
def test_decoding_for_a_gpu(directories: Directories, kind: str) -> None:
    pytest.importorskip("accelerate")
    model = haagenti.hf.from_pretrained(directories.converted(kind, "lossless"), device_map="cuda")
    assert {parameter.device.type for parameter in model.parameters()} == {"cuda"}
    assert_same(model.cpu(), plain(directories, kind))


def test_class_of_the_model(directories: Directories) -> None:
    assert type(haagenti.hf.from_pretrained(directories.converted("t5", "int8"))) is T5ForConditionalGeneration
    assert type(haagenti.hf.from_pretrained(directories.source("gpt2"))) is transformers.GPT2LMHeadModel


def test_weights_that_a_pickle_shares(directories: Directories, tmp_path: Path) -> None:
    """A pickled checkpoint can share weights that the model keeps apart: both are stored, so that every tool finds both."""
    source = tmp_path / "source"
    shutil.copytree(directories.source("llama_tied"), source)
    state = stored(source)
    first, second = ("model.layers.0.mlp.up_proj.weight", "model.layers.1.mlp.up_proj.weight")
    state[second] = state[first]
    torch.save(state, source / "pytorch_model.bin")
    (source / "model.safetensors").unlink()
    haagenti.convert(source, tmp_path / "lossless", preset="lossless")
    assert second in stored(tmp_path / "lossless")
    for run_compressed in (False, True):
        model = haagenti.hf.from_pretrained(tmp_path / "lossless", run_compressed=run_compressed)
        for name in (first, second):
            layer = model.get_submodule(name.removesuffix(".weight"))
            weight = layer.dense_weight(state[first].dtype) if run_compressed else layer.weight
            assert torch.equal(weight, state[first])


# --- what is refused


def test_configs_of_users_are_refused(directories: Directories) -> None:
    path, plain = directories.converted("llama_tied", "int4"), directories.source("llama_tied")
    for config in (HaagentiConfig(), {"quant_method": "haagenti"}, transformers.BitsAndBytesConfig(load_in_8bit=True)):
        with pytest.raises(ValueError, match="quantized with HaagentiLoadConfig but you are passing"):
            AutoModelForCausalLM.from_pretrained(path, quantization_config=config)
        with pytest.raises(haagenti.InvalidArgumentError, match="quantization_config"):
            haagenti.hf.from_pretrained(path, quantization_config=config)
    for config in (HaagentiConfig(), HaagentiLoadConfig()):
        with pytest.raises(haagenti.InvalidArgumentError, match=r"haagenti\.convert"):
            AutoModelForCausalLM.from_pretrained(plain, quantization_config=config)


def test_versions_of_the_directory(directories: Directories, tmp_path: Path) -> None:
    path = directories.converted("llama_tied", "int4")
    newer = changed_config(path, tmp_path / "newer", format_version=7, haagenti_version="9.1")
    with pytest.raises(haagenti.UnsupportedError, match=r"format_version: this haagenti reads up to 1, found 7 .*9\.1"):
        AutoModelForCausalLM.from_pretrained(newer)
    broken = changed_config(path, tmp_path / "broken", format_version="one")
    with pytest.raises(haagenti.CorruptError, match="format_version: expected a positive integer, found 'one'"):
        haagenti.hf.from_pretrained(broken)
    more = changed_config(path, tmp_path / "more", some_later_key={"a": 1})
    assert_same(haagenti.hf.from_pretrained(more), haagenti.hf.from_pretrained(path))


@pytest.mark.parametrize("at", [0, 20, 130, 400, -70])  # magic, sizes, dims, codes, scales
def test_damaged_records_name_the_tensor(directories: Directories, tmp_path: Path, at: int) -> None:
    path = damaged(directories.converted("llama_untied", "int4"), tmp_path / "bad", UP, at)
    for load in (haagenti.hf.from_pretrained, AutoModelForCausalLM.from_pretrained):
        with pytest.raises(haagenti.DecompressionError, match=UP):
            load(path)
    if at not in (0, 20, 130):  # a record that is kept is only looked at when it is used
        model = haagenti.hf.from_pretrained(path, run_compressed=True)
        with pytest.raises(haagenti.CorruptError, match=UP):
            logits(model)
    else:
        with pytest.raises(haagenti.DecompressionError, match=UP):
            haagenti.hf.from_pretrained(path, run_compressed=True)


def test_damaged_experts_name_the_layer(directories: Directories, tmp_path: Path) -> None:
    path = directories.converted("mixtral", "int4")
    name = next(key for key in stored(path) if "layers.1" in key and "experts.2.w3" in key)
    bad = damaged(path, tmp_path / "bad", name, -70)
    with pytest.raises(haagenti.CorruptError, match=r"model\.layers\.1\.mlp\.experts\.gate_up_proj <- .*w3.* \[2\]"):
        AutoModelForCausalLM.from_pretrained(bad)


def test_other_shapes_are_refused(directories: Directories) -> None:
    with pytest.raises(haagenti.CorruptError if OLD else RuntimeError) as caught:
        AutoModelForCausalLM.from_pretrained(directories.converted("llama_untied", "int4"), vocab_size=130)
    assert not OLD or "'model.embed_tokens.weight': expected (130, 64), found (128, 64)" in str(caught.value)


def test_disk_and_missing_dtype_are_refused(directories: Directories, tmp_path: Path) -> None:
    quantizer = haagenti.hf.quantizer.HaagentiHfQuantizer(HaagentiLoadConfig(), pre_quantized=True)
    with pytest.raises(haagenti.UnsupportedError, match="disk"):
        quantizer.validate_environment(device_map={"model.layers.0": "cpu", "model.layers.1": "disk"})
    with pytest.raises(haagenti.InvalidArgumentError, match="dtype: expected floating point"):
        quantizer.update_dtype(torch.uint8)


def test_tensor_parallelism_is_refused() -> None:
    quantizer = haagenti.hf.quantizer.HaagentiHfQuantizer(HaagentiLoadConfig(), pre_quantized=True)
    model = SimpleNamespace(config=SimpleNamespace(distributed_config={"tp_size": 2}))
    with pytest.raises(haagenti.UnsupportedError, match="tp_plan"):
        quantizer._process_model_before_weight_loading(model, checkpoint_files=[])


def test_missing_directories(tmp_path: Path) -> None:
    with pytest.raises(haagenti.IoError, match="no such directory"):
        haagenti.hf.from_pretrained(tmp_path / "nothing")


UNREGISTERED = """
import sys, transformers
transformers.logging.set_verbosity_error()
for path in sys.argv[1:]:
    try:
        transformers.AutoModelForCausalLM.from_pretrained(path)
    except RuntimeError as error:
        print("refused:", str(error).splitlines()[0])
assert "haagenti" not in sys.modules
"""


def test_transformers_alone_refuses(directories: Directories) -> None:
    """Without haagenti the shapes do not fit, and transformers raises instead of running on random weights."""
    paths = [str(directories.converted(kind, preset)) for kind in LANGUAGE_MODELS for preset in ("lossless", "int4")]
    command = [sys.executable, "-c", UNREGISTERED, *paths]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["refused"] * len(paths)
