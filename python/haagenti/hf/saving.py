"""What ``save_pretrained`` writes into the shards of a model that keeps records.

Not responsible for: writing them, which transformers does.
"""

from __future__ import annotations

import torch
from transformers import PreTrainedModel
from transformers.core_model_loading import revert_weight_conversion

from haagenti.files import shard_metadata
from haagenti.hf.compressed_layers import compressed_layers
from haagenti.record import Record


def shard_metadata_of(model: PreTrainedModel) -> dict[str, str]:
    """The entries of ``__metadata__`` that describe the records of a model; transformers gives every shard the same ones.

    Args:
        model: Its compressed layers may be none; then there is nothing to say.
    """
    records = {f"{path}.weight": layer.record for path, layer in compressed_layers(model)}
    if not records:
        return {}
    described = {name: _described(records[parameter]) for parameter, name in _stored_names(model, records).items()}
    return {shard_metadata.KEY: shard_metadata.build(described)}


def _described(record: Record) -> shard_metadata.Described:
    return shard_metadata.Described(dtype=record.dtype, shape=record.shape, encoding=record.encoding)


def _stored_names(model: PreTrainedModel, records: dict[str, Record]) -> dict[str, str]:
    """Parameter -> its name in the files: loading may have renamed it, and saving renames it back."""
    markers = {name: torch.empty(0, dtype=torch.uint8) for name in records}
    stored = {id(tensor): name for name, tensor in revert_weight_conversion(model, dict(markers)).items()}
    return {name: stored[id(marker)] for name, marker in markers.items()}
