"""``from_pretrained``: a model from a directory, compressed or not.

Not responsible for: decoding (`haagenti.hf.quantizer`), tokenizers.
"""

from __future__ import annotations

import os
from typing import Any

import transformers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedConfig, PreTrainedModel

from haagenti.errors import InvalidArgumentError, IoError
from haagenti.hf.config import QUANT_METHOD, HaagentiLoadConfig

StrPath = str | os.PathLike[str]

_HUB_ARGUMENTS = (
    "cache_dir",
    "code_revision",
    "force_download",
    "local_files_only",
    "proxies",
    "revision",
    "subfolder",
    "token",
    "trust_remote_code",
)


def from_pretrained(dst: StrPath, *, run_compressed: bool = False, **transformers_kwargs: Any) -> PreTrainedModel:
    """Loads a model in evaluation mode.

    The class is the one that ``config.json`` names first under ``architectures``, or else ``AutoModelForCausalLM``.

    Args:
        dst: A directory that `haagenti.convert` made, or an ordinary one, or ``org/name`` of the HuggingFace hub.
        run_compressed: Keep the records of linear layers and decode them a few rows at a time in every call: less memory, slower.
            Everything else (embeddings, merged experts, layers whose weights the model reads itself) is decoded at load.
        **transformers_kwargs: Of transformers' ``from_pretrained``, such as ``dtype``, ``device_map`` and ``config``.

    Raises:
        InvalidArgumentError: ``quantization_config`` is given, or ``run_compressed`` for a directory that is not compressed.
        CorruptError, TruncatedError: A record is damaged; the message names the tensor.
        UnsupportedError: Written by a newer haagenti, or a device that cannot hold it.
        IoError: There is no such directory.
        OSError: There is no such model on the hub, or no network.

    Example:
        >>> model = from_pretrained("stories260K-int4", dtype="float32")  # doctest: +SKIP
    """
    if transformers_kwargs.get("quantization_config") is not None:
        raise InvalidArgumentError("quantization_config: expected none: how a directory is compressed stands in its config.json")
    path = os.fspath(dst)
    if not os.path.isdir(path) and (isinstance(dst, os.PathLike) or os.path.isabs(path) or path.count("/") > 1):
        raise IoError(f"{path}: no such directory")
    config = transformers_kwargs.pop("config", None)
    if not isinstance(config, PreTrainedConfig):
        hub = {name: transformers_kwargs[name] for name in _HUB_ARGUMENTS if name in transformers_kwargs}
        config = AutoConfig.from_pretrained(path if config is None else config, **hub)
    if run_compressed:
        config.quantization_config = _compressed(config, path)
    model: PreTrainedModel = model_class(config).from_pretrained(path, config=config, **transformers_kwargs)
    return model


def model_class(config: PreTrainedConfig) -> Any:
    """The class to load a checkpoint with, which need not be one of a language model."""
    architecture = (config.architectures or [""])[0]
    named = getattr(transformers, architecture, None)
    return named if isinstance(named, type) and issubclass(named, PreTrainedModel) else AutoModelForCausalLM


def _compressed(config: PreTrainedConfig, path: str) -> HaagentiLoadConfig:
    """The directory's ``quantization_config``, set to keep records.

    Raises:
        InvalidArgumentError: The directory is not compressed by haagenti.
    """
    stored = getattr(config, "quantization_config", None)
    if isinstance(stored, HaagentiLoadConfig):
        stored = stored.to_dict()
    if not isinstance(stored, dict) or stored.get("quant_method") != QUANT_METHOD:
        found = stored.get("quant_method") if isinstance(stored, dict) else None
        raise InvalidArgumentError(
            f"run_compressed: {path}: expected a directory compressed by {QUANT_METHOD}, found quant_method {found!r}"
        )
    return HaagentiLoadConfig(**{**stored, "run_compressed": True})
