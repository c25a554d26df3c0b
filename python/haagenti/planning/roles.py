"""What a tensor is in its model (linear weight, embedding, norm, ...), told from its name and shape alone.

Not responsible for: which encoding a role gets (`haagenti.planning.policy`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from haagenti.planning.plan_data import Role
from haagenti.sources.base import SourceTensor

# The expressions below see one dotted part of a name: of "model.layers.0.input_layernorm.weight" the module "input_layernorm".
_NORM = re.compile(r"\w*norm\w*|ln(_\w+|\d*)|bn\d*|downsample_bn", re.IGNORECASE)
_BIAS = re.compile(r"\w*bias")
_HEAD = re.compile(r"lm_head|embed_out|head|score|classifier|qa_outputs", re.IGNORECASE)
_EMBEDDING = re.compile(r"\w*embed(ding|dings|s)?(_\w+)?|\w+_emb|wte|wpe|shared", re.IGNORECASE)
_ROUTER = re.compile(r"gate|router|shared_expert_gate|gating", re.IGNORECASE)
_ROUTER_INNER = frozenset({"proj", "classifier", "layer", "linear"})  # "router.proj.weight"

# Parameter names under which a module keeps its matrix; for others the parameter's own name says what it is ("pos_embed").
_PARAMETERS = frozenset({"weight", "weight_packed", "kernel"})

# GPT-2 keeps the weights of its linear layers as (in, out): x @ W instead of x @ W.T.
CONV1D_MODEL_TYPES = frozenset({"gpt2", "openai-gpt", "imagegpt", "decision_transformer", "clvp"})
_CONV1D = re.compile(r"(.*\.)?h\.\d+\.(attn|crossattention|mlp)\.(c_attn|c_proj|c_fc|q_attn)\.weight")
_CONV1D_WIDENING = re.compile(r".*\.(c_attn|c_fc)\.weight")


def role_of(tensor: SourceTensor) -> Role:
    """The tensor's role."""
    if len(tensor.shape) <= 1:
        return "vector"
    *outer, module, parameter = ["", "", *tensor.name.split(".")]
    subject = module if parameter in _PARAMETERS else parameter
    if _BIAS.fullmatch(subject):
        return "bias"
    if _NORM.fullmatch(subject):
        return "norm"
    if _is_router(tensor.shape, subject, outer[-1]):
        return "router"
    if _HEAD.fullmatch(subject) or tensor.name == "output.weight":
        return "head"
    if _EMBEDDING.fullmatch(subject):
        return "embedding"
    if len(tensor.shape) >= 3 and tensor.shape[-1] < 16:
        return "convolution"
    return "linear"


def _is_router(shape: tuple[int, ...], module: str, parent: str) -> bool:
    """A router maps a hidden state to a few experts; a matrix called "gate" with many rows is half of a gated MLP."""
    named = _ROUTER.fullmatch(module) or (module in _ROUTER_INNER and _ROUTER.fullmatch(parent))
    return bool(named) and len(shape) == 2 and shape[0] < shape[1]


def transposed_names(tensors: Iterable[SourceTensor], config: Mapping[str, Any] | None) -> set[str]:
    """Names of the matrices that are stored as (in, out).

    By ``model_type``; without a config by the names of GPT-2's layers, when its widening layers have more columns than rows
    (checkpoints of the same names with ordinary linear layers, e.g. nanoGPT, have more rows).
    """
    candidates = [tensor for tensor in tensors if _CONV1D.fullmatch(tensor.name) and len(tensor.shape) == 2]
    if config is not None and "model_type" in config:
        is_conv1d = config["model_type"] in CONV1D_MODEL_TYPES
    else:
        widening = [tensor.shape for tensor in candidates if _CONV1D_WIDENING.fullmatch(tensor.name)]
        is_conv1d = bool(widening) and all(shape[1] > shape[0] for shape in widening)
    return {tensor.name for tensor in candidates} if is_conv1d else set()
