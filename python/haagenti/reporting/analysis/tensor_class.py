"""The class of a tensor in an analysis (embedding, attention, ...), told from its name and shape alone.

Not responsible for: how it is compressed; that follows its role (`haagenti.planning.roles`).
"""

from __future__ import annotations

import re

from haagenti.planning.roles import role_of
from haagenti.sources.base import SourceTensor

CLASSES = ("embedding", "attention", "mlp", "convolution", "norm", "bias", "other")
"""In the order of reports. ``other`` has the linear layers that are neither attention nor MLP, such as output heads."""

# Both see one dotted part of a name; attention comes first: "attention.output.dense" is its output.
_ATTENTION = re.compile(
    r"\w*attn\w*|\w*attention\w*|[qkvo]_proj|[qkv]_lin|qkv(_\w+)?|query|key|value|query_key_value|w[qkvo]|to_[qkvo]\w*",
    re.I,
)
_MLP = re.compile(
    r"\w*mlp\w*|\w*ffn?\w*|feed_?forward|gate_proj|(gate_)?up_proj|down_proj|w[123]|c_fc|fc\d+|fc_(in|out)|experts|block_sparse_moe|moe|intermediate"
    r"|output|dense_h_to_4h|dense_4h_to_h|lin[12]|linear[12]|wi(_\d)?|densereludense",
    re.I,
)


def class_of(tensor: SourceTensor) -> str:
    """One of `CLASSES`.

    Example:
        >>> class_of(SourceTensor("model.layers.0.self_attn.q_proj.weight", "BF16", (64, 64), 8192))
        'attention'
    """
    module = tensor.name.rpartition(".")[0]
    if _named_role(f"{module}.weight") == "norm" or _named_role(tensor.name) == "norm":
        return "norm"  # its bias and running means with it
    if len(tensor.shape) <= 1:
        return "bias" if tensor.name.rpartition(".")[2].lower().endswith("bias") else "other"
    role = role_of(tensor)
    if role in ("embedding", "convolution"):
        return role
    return _block_class(tensor.name) if role in ("linear", "router") else ("bias" if role == "bias" else "other")


def _named_role(name: str) -> str:
    """The role that the name alone gives: that of a matrix."""
    return role_of(SourceTensor(name, "F32", (1, 1), 4))


def _block_class(name: str) -> str:
    parts = name.split(".")
    if any(_ATTENTION.fullmatch(part) for part in parts):
        return "attention"
    inner = parts[1:] if len(parts) > 2 else parts[:-1]  # the first part names the model, or is the head of a small one
    return "mlp" if len(parts) > 2 and any(_MLP.fullmatch(part) for part in inner) else "other"
