"""What `haagenti.hf` relies on in transformers: names, signatures, and the order of the calls. Runs with the version that is imported.

When this fails with a new transformers, the hook that moved is named here; see `haagenti.hf.quantizer` and `haagenti.hf.conversion`.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from tiny_models import Directories, make
from transformers import MixtralForCausalLM, PreTrainedModel
from transformers import core_model_loading as loading
from transformers.conversion_mapping import get_model_conversion_mapping
from transformers.pytorch_utils import Conv1D
from transformers.quantizers import auto
from transformers.quantizers.base import HfQuantizer
from transformers.utils.quantization_config import QuantizationConfigMixin

import haagenti.hf
from haagenti.hf.config import HaagentiLoadConfig
from haagenti.hf.conversion import AnyKeyConverter, DecodeRecords
from haagenti.hf.quantizer import HaagentiHfQuantizer

VERSION = tuple(map(int, transformers.__version__.split(".")[:2]))


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_registry() -> None:
    haagenti.hf.register()  # again
    assert auto.AUTO_QUANTIZER_MAPPING["haagenti"] is HaagentiHfQuantizer
    assert auto.AUTO_QUANTIZATION_CONFIG_MAPPING["haagenti"] is HaagentiLoadConfig
    assert isinstance(auto.LOADING_ATTRIBUTES_CONFIG_TYPES, tuple)
    assert auto.LOADING_ATTRIBUTES_CONFIG_TYPES.count(HaagentiLoadConfig) == 1
    assert parameters(auto.register_quantizer) == ["name"]
    assert parameters(auto.register_quantization_config) == ["method"]
    assert parameters(auto.AutoHfQuantizer.merge_quantization_configs) == ["quantization_config", "quantization_config_from_args"]
    assert "quantization_config.__class__.__name__" in inspect.getsource(auto.AutoHfQuantizer.merge_quantization_configs)


def test_config() -> None:
    stored = {"quant_method": "haagenti", "format_version": 1, "preset": "int4", "anything": [1]}
    config = HaagentiLoadConfig.from_dict(stored)
    assert isinstance(config, QuantizationConfigMixin)
    assert config.to_dict() == stored
    assert config.dequantize
    assert not HaagentiLoadConfig(run_compressed=True).dequantize
    assert '"dequantize"' in inspect.getsource(HfQuantizer.postprocess_model)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("__init__", ["self", "quantization_config", "kwargs"]),
        ("validate_environment", ["self", "args", "kwargs"]),
        ("update_dtype", ["self", "dtype"]),
        ("preprocess_model", ["self", "model", "dtype", "kwargs"]),
        ("_process_model_before_weight_loading", ["self", "model", "kwargs"]),
        ("update_weight_conversions", ["self", "weight_conversions", *(["model"] if VERSION >= (5, 20) else [])]),
        ("_process_model_after_weight_loading", ["self", "model", "kwargs"]),
        ("postprocess_model", ["self", "model", "kwargs"]),
        ("remove_quantization_config", ["self", "model"]),
        ("dequantize", ["self", "model", "dtype"]),
        ("_dequantize", ["self", "model", "dtype"]),
        ("get_state_dict_and_metadata", ["self", "model"]),
        ("is_serializable", ["self"]),
    ],
)
def test_quantizer_hooks(name: str, expected: list[str]) -> None:
    if name == "update_weight_conversions" and (5, 17) < VERSION < (5, 23):
        pytest.skip("the signature changed somewhere between 5.17 and 5.23; both are served")
    assert parameters(getattr(HfQuantizer, name)) == expected


def test_conversion_classes() -> None:
    assert parameters(loading.WeightConverter.__init__) == ["self", "source_patterns", "target_patterns", "operations", "force_cpu"]
    assert parameters(loading.WeightConverter.was_used) == ["self"]
    names = ["source_key", "weight_renamings", "weight_converters", "base_model_prefix", "meta_state_dict"]
    assert parameters(loading.rename_source_key)[:5] == names
    assert parameters(loading.revert_weight_conversion) == ["model", "state_dict"]
    assert parameters(get_model_conversion_mapping)[:3] == ["model", "key_mapping", "hf_quantizer"]
    assert issubclass(loading.WeightRenaming, loading.WeightTransform)
    assert issubclass(loading.WeightConverter, loading.WeightTransform)
    convert = inspect.getsource(loading.WeightConverter.convert)
    assert all(argument in convert for argument in ("source_patterns=", "target_patterns=", "full_layer_name=", "model="))
    # where the first error of a load may surface: after the last conversion, before the report
    assert "if conversion.was_used()]" in inspect.getsource(loading.convert_and_load_state_dict_in_model)


def test_any_key_converter() -> None:
    operation = DecodeRecords()
    converter = AnyKeyConverter(operation)
    for key in ("lm_head.weight", "model.layers.10.mlp.experts.gate_up_proj", "A_log", "h.0.ln_1.bias"):
        assert converter.rename_source_key(key) == (key, "(.+)")
    assert converter.force_cpu
    assert not converter.was_used()
    operation.error = ValueError("first")
    with pytest.raises(ValueError, match="first"):
        converter.was_used()


def test_model_attributes() -> None:
    assert parameters(PreTrainedModel._get_dtype_plan) == ["self", "dtype"]
    for kind in ("llama_tied", "t5"):
        model = make(kind)
        assert isinstance(model.all_tied_weights_keys, dict)
        assert isinstance(model.base_model_prefix, str)
        assert [*(model._keep_in_fp32_modules or []), *(model._keep_in_fp32_modules_strict or [])] == (["wo"] if kind == "t5" else [])
    assert model.get_parameter_or_buffer("lm_head.weight") is model.lm_head.weight
    layer = Conv1D(3, 5)
    assert (layer.nf, layer.nx, tuple(layer.weight.shape), tuple(layer.bias.shape)) == (3, 5, (5, 3), (3,))


HOOKS = [
    "__init__",
    "validate_environment",
    "update_dtype",
    "preprocess_model",
    "_process_model_before_weight_loading",
    "update_weight_conversions",
    "convert",
    "set_param_for_module",
    "was_used",
    "postprocess_model",
    "remove_quantization_config",
    "_process_model_after_weight_loading",
]


def test_order_of_the_calls(directories: Directories, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    seen: dict[str, Any] = {}

    def trace(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            calls.append(name)
            if name == "_process_model_before_weight_loading":
                seen.update(kwargs, device=torch.empty(0).device, dtype_of_config=args[1].config.dtype)
            if name == "update_weight_conversions":
                seen["converters"] = {type(conversion).__name__ for conversion in args[1]}
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, wrapper)

    for name in HOOKS:
        owner = {"convert": DecodeRecords, "set_param_for_module": loading, "was_used": AnyKeyConverter}.get(name, HaagentiHfQuantizer)
        trace(owner, name)
    MixtralForCausalLM.from_pretrained(directories.converted("mixtral", "int4"), dtype="auto")
    assert list(dict.fromkeys(calls)) == HOOKS
    assert calls.count("was_used") == 1
    assert len(seen["checkpoint_files"]) > 1
    assert all(Path(file).suffix == ".safetensors" for file in seen["checkpoint_files"])
    assert seen["device"].type == "meta"
    assert seen["dtype_of_config"] == torch.bfloat16
    assert "WeightConverter" in seen["converters"]
