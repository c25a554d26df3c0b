"""Puts `CompressedLinear` where a model has a linear layer and its checkpoint a record, and dense layers back.

Not responsible for: reading the checkpoint, or the multiplication.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from haagenti.record import Record
from haagenti.torch.modules import CompressedLinear


def replace_linears(model: PreTrainedModel, found: Iterable[tuple[str, Record]], left_dense: Collection[str]) -> list[str]:
    """Replaces linear layers, on any device, by layers without a weight yet.

    A layer stays when its weight is shared with another, kept in float32 by the model, read by the model's own code beside being called
    (the time step of Mamba, say), or when the rows of its record are not the layer's outputs (``group_axis="flat"``).

    Args:
        model: With its weights on the device ``meta``; changed in place.
        found: (parameter, record) of the checkpoint.
        left_dense: Parameters that stay dense whatever they are.

    Returns:
        The names of the weights that are records now.
    """
    skipped = {*left_dense, *model.all_tied_weights_keys, *model.all_tied_weights_keys.values()}
    in_float32 = [*(model._keep_in_fp32_modules or []), *(model._keep_in_fp32_modules_strict or [])]
    replaced = []
    for name, record in found:
        path, _, leaf = name.rpartition(".")
        if leaf != "weight" or name in skipped or any(part in name for part in in_float32):
            continue
        module = model.get_submodule(path)
        if _is_weight_of(record, module) and not weight_is_read(model, path):
            model.set_submodule(path, _empty_layer(module, record, name))
            replaced.append(name)
    return replaced


def compressed_layers(model: nn.Module) -> Iterator[tuple[str, CompressedLinear]]:
    """(path, layer) of every compressed layer."""
    for path, module in [*model.named_modules()]:
        if isinstance(module, CompressedLinear):
            yield path, module


def restore_linears(model: nn.Module, dtype: torch.dtype) -> None:
    """Decodes every compressed layer into the kind of layer it replaced."""
    for path, layer in compressed_layers(model):
        weight = nn.Parameter(layer.dense_weight(dtype))
        dense: Any
        with torch.device("meta"):
            if layer.record.matrix.is_permuted:
                dense = Conv1D(layer.out_features, layer.in_features)  # type: ignore[no-untyped-call]
            else:
                dense = nn.Linear(layer.in_features, layer.out_features, bias=False)
        dense.weight, dense.bias = weight, layer.bias
        model.set_submodule(path, dense)


def _is_weight_of(record: Record, module: nn.Module) -> bool:
    """Whether a record's matrix is that of a layer: its outputs are the rows."""
    matrix = record.matrix
    if type(module) is nn.Linear:
        shape, perm, size = (module.out_features, module.in_features), (0, 1), (module.out_features, module.in_features)
    elif type(module) is Conv1D:
        shape, perm, size = (module.nx, module.nf), (1, 0), (module.nf, module.nx)
    else:
        return False
    return (record.shape, matrix.perm, (matrix.n_rows, matrix.row_length)) == (shape, perm, size)


def _empty_layer(module: nn.Module, record: Record, name: str) -> CompressedLinear:
    assert isinstance(module.weight, torch.Tensor)
    weight = torch.empty(record.n_bytes, dtype=torch.uint8, device=module.weight.device)
    bias = module.bias if isinstance(module.bias, nn.Parameter) else None
    return CompressedLinear(weight, bias, in_features=record.matrix.row_length, out_features=record.matrix.n_rows, name=name)


def weight_is_read(model: nn.Module, path: str) -> bool:
    """Whether the class of a module above ``path`` names that layer's weight, as in ``self.dt_proj.weight``."""
    parts = path.split(".")
    for depth in range(len(parts)):
        owner, relative = model.get_submodule(".".join(parts[:depth])), ".".join(parts[depth:])
        if re.search(rf"\bself\.{re.escape(relative)}\.weight\b", _source(type(owner))):
            return True
    return False


def _source(cls: type[nn.Module]) -> str:
    """The text of a model's class and of its bases, without those of torch and the common ones of transformers; "" when there is none."""
    shared = {*PreTrainedModel.__mro__, *nn.ModuleList.__mro__, *nn.Sequential.__mro__}
    return "\n".join(_class_text(base) for base in cls.__mro__ if base not in shared and not base.__module__.startswith("torch."))


@functools.cache  # a model has many layers and few classes
def _class_text(cls: type) -> str:
    try:
        return inspect.getsource(cls)
    except (OSError, TypeError):
        return ""  # typed in at a prompt, or compiled
