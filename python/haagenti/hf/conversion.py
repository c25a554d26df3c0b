"""How records become tensors inside transformers' loading: an operation, and a converter for the keys that no other one takes.

transformers loads a checkpoint through ``WeightConverter`` objects, each a list of operations on the tensors of one or more keys (merging
the experts of a layer, say). `DecodeRecords` goes first in every list.
Not responsible for: when this happens (`haagenti.hf.quantizer`).
"""

from __future__ import annotations

import re
from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.core_model_loading import ConversionOps, WeightConverter

from haagenti.record import Record, begins_like_record
from haagenti.torch.codec import decode
from haagenti.torch.tensors import raw_bytes

ANY_KEY = "(.+)"


class DecodeRecords(ConversionOps):
    """Replaces records by dense tensors of the dtype that transformers would use; other tensors only get the dtype.

    The cast of plain tensors repeats transformers' own (5.23) or supplies it (5.17 does not cast renamed keys of a quantised checkpoint).
    transformers deep-copies the converters for every parameter and turns what an operation raises into a message in its log: this
    operation is never copied, and keeps the first error for `AnyKeyConverter` to raise.

    Attributes:
        error: What the first failed conversion raised.
    """

    def __init__(self, dtypes: dict[str, torch.dtype] | None = None, keep: frozenset[str] = frozenset()) -> None:
        """Makes the operation of one load.

        Args:
            dtypes: Pattern of parameter names -> dtype, over that of the parameter; ``*`` stands for anything.
            keep: Parameters whose record stays as it is.
        """
        self.dtypes = {re.compile(pattern.replace("*", ".*")): dtype for pattern, dtype in (dtypes or {}).items()}
        self.keep = keep
        self.error: Exception | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> DecodeRecords:
        return self

    @torch.no_grad()
    def convert(self, input_dict: dict[str, Any], source_patterns: list[str], target_patterns: list[str], **kwargs: Any) -> dict[str, Any]:
        """Called by ``WeightConverter.convert``.

        Args:
            input_dict: Pattern -> the tensors of its keys; the lists are changed in place, so that a record is freed when it is decoded.
            source_patterns: Of the converter.
            target_patterns: Of the converter.
            **kwargs: ``full_layer_name`` (a parameter) and ``model``, among others.
        """
        name: str = kwargs["full_layer_name"]
        if self.error is not None:
            raise RuntimeError("not decoded: the load has failed already")
        try:
            if name not in self.keep:
                self._decode_all(input_dict, name, self._target_dtype(kwargs["model"], name))
        except Exception as error:
            self.error = error
            raise
        return {name: input_dict[ANY_KEY][0]} if source_patterns == [ANY_KEY] else input_dict

    def _decode_all(self, input_dict: dict[str, Any], name: str, dtype: torch.dtype) -> None:
        for pattern, tensors in input_dict.items():
            for i, tensor in enumerate(tensors):
                part = name if pattern == ANY_KEY else f"{name} <- {pattern} [{i}]"
                tensors[i] = to_dense(tensor, dtype, part)

    def _target_dtype(self, model: PreTrainedModel, name: str) -> torch.dtype:
        for pattern, dtype in self.dtypes.items():
            if pattern.search(name):
                return dtype
        target: torch.Tensor = model.get_parameter_or_buffer(name)
        return target.dtype

    @property
    def reverse_op(self) -> ConversionOps:
        """Asked for when a model is saved; the quantizer takes the operation out of the model's converters before that."""
        return DecodeRecords()


def to_dense(tensor: torch.Tensor, dtype: torch.dtype, name: str) -> torch.Tensor:
    """A tensor of the checkpoint as the model wants it, on the same device.

    Args:
        tensor: A record, as a 1-D uint8 tensor, or a plain tensor.
        dtype: Of the parameter; floating point is cast to floating point, everything else stays.
        name: For messages.

    Raises:
        CorruptError, TruncatedError, UnsupportedError: The record cannot be decoded.
    """
    dense = tensor
    if tensor.dtype == torch.uint8 and tensor.ndim == 1:
        data = raw_bytes(tensor)
        if dtype.is_floating_point or begins_like_record(data):
            dense = decode(Record(data, name))
    to = dtype if dense.is_floating_point() and dtype.is_floating_point else dense.dtype
    return dense.to(device=tensor.device, dtype=to)


class AnyKeyConverter(WeightConverter):
    """Takes every key of the checkpoint that none of the model's own converters takes, under its own name; the last of the list."""

    __slots__ = ("_decoding",)

    def __init__(self, operation: DecodeRecords) -> None:
        """``force_cpu``: records are read to the CPU and decoded there, then the dense tensor is moved to its device."""
        super().__init__([ANY_KEY], [r"\1"], operations=[operation], force_cpu=True)
        self._decoding = operation

    def was_used(self) -> bool:
        """Called once, when all tensors are converted, to find the converters that saving has to reverse. This one never is.

        It is also the first moment at which an error may leave ``from_pretrained`` with its own class and message.

        Raises:
            haagenti.Error: What the first failed conversion raised.
        """
        if self._decoding.error is not None:
            raise self._decoding.error
        return False
