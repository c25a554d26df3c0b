"""The two configs that transformers sees: what a user may pass by mistake, and what a compressed directory states.

Not responsible for: loading (`haagenti.hf.quantizer`).
"""

from __future__ import annotations

from typing import Any

from transformers.utils.quantization_config import QuantizationConfigMixin

from haagenti.errors import CorruptError, InvalidArgumentError, UnsupportedError
from haagenti.sinks.model_files import FORMAT_VERSION
from haagenti.sinks.model_files import METHOD as QUANT_METHOD

__all__ = ["FORMAT_VERSION", "QUANT_METHOD", "HaagentiConfig", "HaagentiLoadConfig"]


class HaagentiConfig(QuantizationConfigMixin):
    """How to compress, as other methods of transformers have it; haagenti compresses with `haagenti.convert` instead.

    Passed to ``from_pretrained`` it is always an error: for a compressed directory because its class name differs from
    `HaagentiLoadConfig`'s (transformers would only warn and ignore it otherwise), for another directory because `HaagentiHfQuantizer`
    refuses it.
    """

    quant_method: Any

    def __init__(self, preset: str = "int4", **options: Any) -> None:
        """Keeps what was asked for, so that the error can come from where it is passed."""
        self.quant_method = QUANT_METHOD
        self.preset = preset
        self.options = options


class HaagentiLoadConfig(QuantizationConfigMixin):
    """``quantization_config`` of a compressed directory, and how to load it.

    Attributes:
        run_compressed: Keep the records of linear layers instead of decoding them; a choice of one load, never written.
        format_version: Of the directory's layout.
        stored: Every other key of ``quantization_config``, known or not, as it was.
    """

    quant_method: Any

    def __init__(
        self, run_compressed: bool = False, *, quant_method: str = QUANT_METHOD, format_version: int = FORMAT_VERSION, **stored: Any
    ) -> None:
        """Checks what ``config.json`` says.

        Raises:
            InvalidArgumentError: Another method's config.
            CorruptError: ``format_version`` is no version.
            UnsupportedError: It is newer than this haagenti.
        """
        if quant_method != QUANT_METHOD:
            raise InvalidArgumentError(f"quantization_config: quant_method: expected {QUANT_METHOD!r}, found {quant_method!r}")
        _check_version(format_version, stored)
        self.quant_method = QUANT_METHOD
        self.run_compressed = run_compressed
        self.format_version = format_version
        self.stored = stored

    @property
    def dequantize(self) -> bool:
        """Read by ``HfQuantizer.postprocess_model``: True makes the loaded model an ordinary dense one."""
        return not self.run_compressed

    def get_loading_attributes(self) -> dict[str, Any]:
        """What ``AutoHfQuantizer.merge_quantization_configs`` copies from the user's config onto the directory's."""
        return {"run_compressed": self.run_compressed}

    def get(self, key: str, default: Any = None) -> Any:
        """Called by ``AutoHfQuantizer.supports_quant_method`` when the config of a loaded model is used again."""
        return self.to_dict().get(key, default)

    def to_dict(self) -> dict[str, Any]:
        """What config.json gets."""
        return {"quant_method": self.quant_method, "format_version": self.format_version, **self.stored}

    def describe(self, encodings: dict[str, int]) -> None:
        """Replaces what is stored of the whole directory by what holds for a model that keeps only some of its records.

        Args:
            encodings: Number of records by encoding.
        """
        self.stored.pop("bits_per_weight", None)
        self.stored["encodings"] = encodings


def _check_version(version: Any, stored: dict[str, Any]) -> None:
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise CorruptError(f"quantization_config: format_version: expected a positive integer, found {version!r}")
    if version > FORMAT_VERSION:
        writer = stored.get("haagenti_version")
        by = f" (written by haagenti {writer})" if writer else ""
        raise UnsupportedError(f"quantization_config: format_version: this haagenti reads up to {FORMAT_VERSION}, found {version}{by}")
