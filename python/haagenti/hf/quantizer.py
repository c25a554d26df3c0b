"""The quantizer that transformers calls while it loads a compressed directory.

Two ways: decode every record into an ordinary dense model, or (`run_compressed`) keep those of linear layers. The hooks are defined in the
order in which transformers calls them; `tests/test_hf_contract.py` checks that order and every name used here.
Not responsible for: the decoding operation (`haagenti.hf.conversion`), which layers keep their records (`haagenti.hf.compressed_layers`).
"""

from __future__ import annotations

from collections import Counter
from typing import Any, cast

import torch
from transformers import PreTrainedModel
from transformers.core_model_loading import WeightConverter, WeightTransform
from transformers.quantizers import auto
from transformers.quantizers.base import HfQuantizer
from transformers.utils.quantization_config import QuantizationConfigMixin

from haagenti.errors import CorruptError, InvalidArgumentError, UnsupportedError
from haagenti.hf import checkpoint
from haagenti.hf.compressed_layers import compressed_layers, replace_linears, restore_linears
from haagenti.hf.config import QUANT_METHOD, HaagentiLoadConfig
from haagenti.hf.conversion import AnyKeyConverter, DecodeRecords
from haagenti.hf.saving import shard_metadata_of


class HaagentiHfQuantizer(HfQuantizer):
    """Decodes the records of a compressed directory at load, or keeps those of linear layers (``run_compressed``)."""

    requires_calibration = False
    quantization_config: HaagentiLoadConfig

    def __init__(self, quantization_config: QuantizationConfigMixin, **kwargs: Any) -> None:
        """Called for a compressed directory, and for any directory that a user's config is passed for.

        Raises:
            InvalidArgumentError: The directory is not compressed.
        """
        super().__init__(quantization_config, **kwargs)
        if not self.pre_quantized or not isinstance(quantization_config, HaagentiLoadConfig):
            raise InvalidArgumentError(
                "quantization_config: expected none: haagenti does not compress inside from_pretrained. "
                "Compress the directory with haagenti.convert(src, dst) and load dst"
            )
        self._keep: frozenset[str] = frozenset()
        self._aliases: dict[str, str] = {}
        self._shapes: dict[str, torch.Size] = {}
        self._operation = DecodeRecords()

    # --- before the weights are read

    def validate_environment(self, *args: Any, device_map: Any = None, **kwargs: Any) -> None:
        """Called with the user's device_map, and again with the final one if that was a strategy like "auto".

        Raises:
            UnsupportedError: A part of the model would go where haagenti cannot put it.
        """
        places = {str(place) for place in (device_map.values() if isinstance(device_map, dict) else [device_map])}
        if "disk" in places:
            raise UnsupportedError("device_map: expected no disk, which haagenti checkpoints cannot be offloaded to, found 'disk'")
        if self.quantization_config.run_compressed and not places <= {"None", "cpu", *_STRATEGIES}:
            raise UnsupportedError(f"device_map: expected cpu, the only device of run_compressed so far, found {sorted(places)}")

    def update_dtype(self, dtype: torch.dtype) -> torch.dtype:
        """Called with what ``dtype="auto"`` came to: without a dtype in config.json, that of the first shard's tensors.

        Raises:
            InvalidArgumentError: They are all records, that is U8.
        """
        if not dtype.is_floating_point:
            raise InvalidArgumentError(
                f"dtype: expected floating point, found {dtype}: config.json names no dtype, pass one to from_pretrained"
            )
        return dtype

    def _process_model_before_weight_loading(
        self, model: PreTrainedModel, checkpoint_files: list[str] | None = None, **kwargs: Any
    ) -> None:
        """The model's weights are on the device ``meta``, and so is everything that torch makes in here.

        Raises:
            UnsupportedError: Tensor parallelism, or nothing that ``run_compressed`` could keep.
        """
        if getattr(model.config, "distributed_config", None) is not None:
            raise UnsupportedError("distributed_config, tp_plan: expected none, since records cannot be split between devices so far")
        files = checkpoint_files or []
        names = checkpoint.ParameterNames(model)
        self._aliases = checkpoint.aliases(names, files)
        if self.quantization_config.run_compressed:
            tied = {*self._aliases, *self._aliases.values()}
            self._keep = frozenset(replace_linears(model, checkpoint.records(names, files), tied))
            if not self._keep:
                kind = type(model).__name__
                raise UnsupportedError(
                    f"run_compressed: expected a linear layer of {kind} with a record whose rows are its outputs, found none"
                )
        self._shapes = _shapes(model)
        self._operation = DecodeRecords(model._get_dtype_plan(cast(torch.dtype, model.config.dtype)), self._keep)

    def update_weight_conversions(
        self, weight_conversions: list[WeightTransform], model: PreTrainedModel | None = None
    ) -> list[WeightTransform]:
        """Decodes before the first operation of the model's own converters (which merge experts, say), and every other key.

        Args:
            weight_conversions: The model's.
            model: Given by transformers 5.23, not by 5.17.
        """
        for conversion in weight_conversions:
            if isinstance(conversion, WeightConverter):
                conversion.operations = [self._operation, *conversion.operations]
        return [*weight_conversions, AnyKeyConverter(self._operation)]

    # --- after the weights are read

    def _process_model_after_weight_loading(self, model: PreTrainedModel, **kwargs: Any) -> PreTrainedModel:
        """Checks what was loaded, and leaves nothing of the loading in the model.

        Raises:
            CorruptError: Shapes that are not the model's (transformers 5.17 does not check them once there is a quantizer), or a kept
                record that is not its layer's.
        """
        for conversion in cast(list[WeightTransform], model._weight_conversions):
            if isinstance(conversion, WeightConverter):
                conversion.operations = [op for op in conversion.operations if op is not self._operation]
        _check_shapes(self._shapes, _shapes(model))
        _fill_aliases(model, self._aliases)
        for _, layer in compressed_layers(model):
            layer.check()
        if self._keep:
            encodings = Counter(layer.record.encoding for _, layer in compressed_layers(model))
            self.quantization_config.describe(dict(sorted(encodings.items())))
        return model

    # --- what can be done with the model

    def dequantize(self, model: PreTrainedModel, dtype: torch.dtype | None = None) -> PreTrainedModel:
        """``model.dequantize()``: a dense model. The dtype is the model's; ``config.dtype`` is stale after ``model.to(dtype)``."""
        model = self._dequantize(model, dtype=dtype or model.dtype)
        self.remove_quantization_config(model)  # type: ignore[no-untyped-call]
        return model

    def _dequantize(self, model: PreTrainedModel, dtype: torch.dtype | None = None) -> PreTrainedModel:
        restore_linears(model, dtype or model.dtype)
        return model

    def get_state_dict_and_metadata(self, model: PreTrainedModel) -> tuple[None, dict[str, str]]:
        """Called by ``save_pretrained``: the metadata of every shard, which tells other readers what is a record."""
        return None, shard_metadata_of(model)

    def is_serializable(self) -> bool:
        """Both kinds of models can be saved."""
        return True

    @property
    def is_trainable(self) -> bool:
        """A decoded model is an ordinary one; records do not learn."""
        return self.quantization_config.dequantize

    @property
    def is_compileable(self) -> bool:
        """A decoded model is an ordinary one."""
        return self.quantization_config.dequantize


_STRATEGIES = ("auto", "balanced", "balanced_low_0", "sequential")


def _shapes(model: PreTrainedModel) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in model.state_dict().items() if isinstance(tensor, torch.Tensor)}


def _check_shapes(expected: dict[str, torch.Size], found: dict[str, torch.Size]) -> None:
    wrong = {name: shape for name, shape in expected.items() if found.get(name, shape) != shape}
    if wrong:
        listed = ", ".join(f"{name!r}: expected {tuple(shape)}, found {tuple(found[name])}" for name, shape in wrong.items())
        raise CorruptError(f"tensors whose shape is not the model's: {listed}")


@torch.no_grad()
def _fill_aliases(model: PreTrainedModel, aliases: dict[str, str]) -> None:
    """Gives parameters that were not stored, because they equal another, that one's values; tied ones have them already."""
    for alias, stored in aliases.items():
        parameter, target = model.get_parameter_or_buffer(alias), model.get_parameter_or_buffer(stored)
        if parameter is not target:
            parameter.copy_(target)


def register() -> None:
    """Makes transformers know the method; doing it again changes nothing."""
    if QUANT_METHOD in auto.AUTO_QUANTIZER_MAPPING:
        return
    auto.register_quantization_config(QUANT_METHOD)(HaagentiLoadConfig)
    auto.register_quantizer(QUANT_METHOD)(HaagentiHfQuantizer)
    # so that from_pretrained(dst, quantization_config=HaagentiLoadConfig(run_compressed=True)) is not ignored
    known: tuple[type, ...] = auto.LOADING_ATTRIBUTES_CONFIG_TYPES
    auto.LOADING_ATTRIBUTES_CONFIG_TYPES = (*known, HaagentiLoadConfig)  # type: ignore[assignment]
