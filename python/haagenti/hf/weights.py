"""Compares the parameters of two models: how many there are, and how much noise the second one carries.

Not responsible for: what the noise does to the logits (``hf/metrics.py``).
"""

from __future__ import annotations

import math
from collections.abc import Collection

import torch

from haagenti.hf.opened import OpenedModel


def parameter_sizes(opened: OpenedModel) -> dict[str, int]:
    """Name and number of elements of every parameter, tied ones once."""
    return {name: parameter.numel() for name, parameter in opened.model.named_parameters()}


@torch.no_grad()
def signal_to_noise(original: OpenedModel, other: OpenedModel, names: Collection[str]) -> float | None:
    """10 log10(sum x^2 / sum (y - x)^2) over the named parameters together, in dB; None when nothing differs."""
    restored = dict(other.model.named_parameters())
    signal = noise = 0.0
    for name, parameter in original.model.named_parameters():
        if name in names:
            x = parameter.double()
            signal += float(x.square().sum())
            noise += float((restored[name].double() - x).square().sum())
    return 10 * math.log10(signal / noise) if noise > 0 else None
