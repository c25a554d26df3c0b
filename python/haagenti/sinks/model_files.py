"""The files beside the weights of a converted model: copies, config.json with its quantization_config, the model card.

Not responsible for: the card's text (`haagenti.reporting.model_card`), which files are left out (`haagenti.sources.side_files`).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from haagenti import __version__
from haagenti.errors import CorruptError
from haagenti.planning import Plan
from haagenti.reporting.model_card import updated_card
from haagenti.reporting.report import Report
from haagenti.sinks import Sink
from haagenti.sources import Source

CARD, CONFIG = "README.md", "config.json"
FORMAT_VERSION = 1  # of the directory's layout
METHOD = "haagenti"
FOREIGN = "source_quantization_config"  # where the config of another quantisation method is kept, so that `dense` can put it back


def write_model_files(source: Source, sink: Sink, report: Report, plan: Plan) -> None:
    """Copies and writes everything beside the weights into the sink's directory; does nothing for outputs that are one file."""
    if sink.directory is None:
        return
    for file in source.side_files():
        if not file.left_out and file.path not in (CARD, CONFIG):
            _copy(source.path / file.path, sink.directory / file.path)
    config = source.config()
    if config is not None:
        text = json.dumps(updated_config(config, report, plan.preset), indent=2, ensure_ascii=False)
        (sink.directory / CONFIG).write_text(text + "\n", encoding="utf-8")
    files = sorted(file.name for file in sink.directory.glob("*.safetensors"))
    card = updated_card(_old_card(source), report, plan, has_config=config is not None, files=files)
    if card:
        (sink.directory / CARD).write_text(card, encoding="utf-8")


def updated_config(config: Mapping[str, Any], report: Report, preset: str) -> dict[str, Any]:
    """config.json with ``quantization_config`` set, or for preset ``dense`` without it.

    The config of another method (the checkpoint was quantised before) is kept inside and comes back with ``dense``.
    """
    updated = dict(config)
    old = updated.pop("quantization_config", None)
    foreign = old.get(FOREIGN) if isinstance(old, dict) and old.get("quant_method") == METHOD else old
    if not report.encodings:
        return updated if foreign is None else updated | {"quantization_config": foreign}
    ours = {
        "quant_method": METHOD,
        "format_version": FORMAT_VERSION,
        "haagenti_version": __version__,
        "preset": preset,
        "bits_per_weight": round(report.bits_per_weight, 4),
        "encodings": report.encodings,
    }
    return updated | {"quantization_config": ours if foreign is None else ours | {FOREIGN: foreign}}


def _copy(origin: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(origin, target)


def _old_card(source: Source) -> str:
    file = source.path / CARD
    if source.kind != "directory" or not file.is_file():
        return ""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeError as error:
        raise CorruptError(f"{file}: expected UTF-8 text: {error}") from error
