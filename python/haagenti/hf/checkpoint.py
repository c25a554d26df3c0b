"""What the shards of a compressed directory hold: records and aliases, under the names of a model's parameters.

Not responsible for: reading tensors into a model, which transformers does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from transformers import PreTrainedModel
from transformers.conversion_mapping import get_model_conversion_mapping
from transformers.core_model_loading import WeightConverter, WeightRenaming, rename_source_key

from haagenti.files import shard_metadata
from haagenti.files.safetensors_file import SafetensorsReader
from haagenti.record import Record, begins_like_record


class ParameterNames:
    """Names in the files of a checkpoint -> names in a model.

    Keys that need more than another name (an expert that is merged into a layer's) have no parameter of their own. A ``key_mapping`` that
    the user gives to ``from_pretrained`` is not known here.
    """

    def __init__(self, model: PreTrainedModel) -> None:
        """Reads the model's conversions."""
        mapping = get_model_conversion_mapping(model)
        self._renamings = [m for m in mapping if isinstance(m, WeightRenaming)]
        self._converters = [m for m in mapping if isinstance(m, WeightConverter)]
        self._prefix = model.base_model_prefix
        self._meta = model.state_dict()

    def parameter(self, key: str) -> str | None:
        """The parameter or buffer that a key of the checkpoint becomes; None for none, or for a part of one."""
        name, pattern = rename_source_key(key, self._renamings, self._converters, self._prefix, self._meta)
        if name not in self._meta and key in self._meta:  # as transformers does when a renaming led nowhere
            name, pattern = rename_source_key(key, [], [], self._prefix, self._meta)
        return name if pattern is None and name in self._meta else None


def records(names: ParameterNames, files: Sequence[str]) -> Iterator[tuple[str, Record]]:
    """(parameter, record) of every record that becomes one parameter. The records are views of mapped files.

    Raises:
        CorruptError, TruncatedError, UnsupportedError: A record's header, or a file's.
    """
    for reader in _shards(files):
        for key in reader.names():
            info = reader.info(key)
            if info.dtype == "U8" and len(info.shape) == 1 and begins_like_record(reader.raw(key)):
                parameter = names.parameter(key)
                if parameter is not None:
                    yield parameter, Record(reader.raw(key), key)


def aliases(names: ParameterNames, files: Sequence[str]) -> dict[str, str]:
    """Parameters that are not stored because they equal another one: alias -> stored, both as the model names them."""
    found: dict[str, str] = {}
    for reader in _shards(files):
        for alias, stored in shard_metadata.parse(reader.metadata, reader.name).aliases.items():
            parameter, target = names.parameter(alias), names.parameter(stored)
            if parameter is not None and target is not None:
                found[parameter] = target
    return found


def _shards(files: Sequence[str]) -> Iterator[SafetensorsReader]:
    for file in files:
        if file.endswith(".safetensors"):
            yield SafetensorsReader(file)
