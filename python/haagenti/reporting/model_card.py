"""The section that a converted model's README.md gains: how it was made, how to load it, its size and error.

Not responsible for: the rest of the card, reading or writing the file.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import PurePath

from haagenti import __version__
from haagenti.planning import Plan
from haagenti.reporting.report import Report, ReportRow, bits_per_weight, overall_snr_db
from haagenti.reporting.tables import markdown_table, number, size
from haagenti.sources.base import PLAIN

BEGIN, END = "<!-- haagenti: begin -->", "<!-- haagenti: end -->"
_SECTION = re.compile(rf"\n*{re.escape(BEGIN)}.*?{re.escape(END)}\n*", re.DOTALL)
FRONT_MATTER = "---\nlibrary_name: transformers\ntags:\n- haagenti\n---\n"


def updated_card(old: str, report: Report, plan: Plan, has_config: bool, files: Sequence[str]) -> str:
    """The card with haagenti's section at its end, in place of an older one.

    A model in which nothing is compressed has no section: its card is the old one without it.

    Args:
        old: the source's card, "" when there is none.
        report: of the conversion.
        plan: that it carried out.
        has_config: whether transformers can load the model.
        files: names of the weight files.
    """
    rest = _SECTION.sub("\n", old).strip("\n")
    if not report.encodings:
        return rest + "\n" if rest and rest != FRONT_MATTER.strip("\n") else ""
    if not rest and has_config:
        rest = FRONT_MATTER.strip("\n")
    return "\n\n".join(filter(None, (rest, section(report, plan, has_config, files)))) + "\n"


def section(report: Report, plan: Plan, has_config: bool, files: Sequence[str]) -> str:
    """The section, between its markers."""
    heading = "## Compressed with haagenti"
    parts = [BEGIN, heading, _made(report, plan), _loading(report, has_config, files), _size(report), _table(report), END]
    return "\n\n".join(parts)


def _made(report: Report, plan: Plan) -> str:
    rules = "".join(f" --rule {shlex.quote(rule)}" for rule in plan.rules)
    places = "".join(f" --{name} {shlex.quote(value)}" for name, value in (("key", report.key), ("revision", report.revision)) if value)
    command = f"haagenti convert {shlex.quote(_short(report.source))} {shlex.quote(_name(report))} --preset {plan.preset}{rules}{places}"
    return f"Made with haagenti {__version__}:\n\n```\n{command}\n```"


def _loading(report: Report, has_config: bool, files: Sequence[str]) -> str:
    name = _name(report)
    if has_config:
        code = f'import haagenti\n\nmodel = haagenti.hf.from_pretrained("{name}")'
        after = (
            "After `import haagenti.hf`, `from_pretrained` of transformers' own classes reads it too. "
            "Transformers without haagenti refuses it."
        )
    else:
        code = f'import haagenti\n\ntensors = haagenti.torch.load_file("{name}/{files[0]}")'
        if len(files) > 1:
            loop = f'for file in sorted(Path("{name}").glob("*.safetensors")):\n    tensors |= haagenti.torch.load_file(file)'
            code = f"from pathlib import Path\n\nimport haagenti\n\ntensors = {{}}\n{loop}"
        after = "Tools without haagenti see compressed tensors as one-dimensional arrays of bytes."
    return f"To load it (`pip install haagenti[hf]`):\n\n```python\n{code}\n```\n\n{after}"


def _size(report: Report) -> str:
    linear = report.linear_bits_per_weight
    over_linear = f" ({linear:.3f} over the linear weights)" if linear is not None else ""
    return (
        f"Weights: {size(report.stored_bytes)}, {report.ratio:.1%} of the {size(report.source_bytes)} of the original "
        f"in its own data types; {report.bits_per_weight:.3f} bits per weight{over_linear}, everything counted."
    )


def _table(report: Report) -> str:
    rows = [row for row in report.rows if row.alias_of is None]
    groups: dict[str, list[ReportRow]] = {}
    for row in rows:
        groups.setdefault(row.encoding, []).append(row)
    header = ("encoding", "tensors", "bits/weight", "SNR dB", "lowest SNR dB", "relative error")
    return markdown_table(header, [_group(encoding, group) for encoding, group in groups.items()])


def _group(encoding: str, rows: Sequence[ReportRow]) -> list[str]:
    errors = [row.error for row in rows if row.error is not None]
    lowest = min((error.snr_db for error in errors), default=None)
    signal, noise = sum(e.signal_energy for e in errors), sum(e.error_energy for e in errors)
    relative = number((noise / signal) ** 0.5 if signal > 0 else 0.0, 5) if errors else "0"
    name = "uncompressed" if encoding == PLAIN else f"`{encoding}`"
    snr = [number(overall_snr_db(errors)), number(lowest)] if errors else ["exact", "exact"]
    return [name, str(len(rows)), number(bits_per_weight(rows)), *snr, relative]


def _short(label: str) -> str:
    """``org/name`` as it is; of a path only the last part, since the folders of one machine mean nothing on another."""
    path = PurePath(label)
    return label if len(path.parts) == 2 and not label.startswith((".", "/", "~")) else path.name


def _name(report: Report) -> str:
    return PurePath(report.destination).name
