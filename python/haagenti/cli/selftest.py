"""Encodes and decodes one known matrix through every encoding and compares checksums with those of the reference machine.

Not responsible for: printing (``cli/doctor.py``), or testing edge cases, which the test suite does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

SHAPE = (33, 200)
"""A row that is no multiple of any group, and rows that are no multiple of a chunk's 16."""

SNR_TOLERANCE_DB = 1e-6

CHECKSUMS: dict[str, str] = {
    'raw(codec="zstd")': "1fb5e5778feab9ea",
    'raw(codec="lz4")': "1fb5e5778feab9ea",
    'raw(codec="none")': "1fb5e5778feab9ea",
    'int8(group_size="row")': "0cfd7d3f7dab2bde",
    "int8(group_size=32)": "9c1fad529aaea251",
    "int8(group_size=64)": "9f0ef80b16c5f552",
    "int8(group_size=128)": "130180847cd3c3c7",
    'int8(group_size="row", scale="max")': "b61d17595ecc2cfd",
    'int8(group_size="row", group_axis="flat")': "faf2a3466f2f0964",
    "int4(group_size=32)": "b167df678672124d",
    "int4(group_size=64)": "1d747232f9a97083",
    "int4(group_size=128)": "40193b2cd68533fd",
    'int4(group_size=32, scale="max")': "7b3aafc4a1dfbc37",
    'int4(group_size=32, group_axis="flat")': "4243a64b076da411",
}
"""Encoding -> XXH3-64 of the decoded bytes. Printed by ``python -m haagenti.cli.selftest``; equal on every machine."""


@dataclass(frozen=True)
class Check:
    """What became of one encoding."""

    encoding: str
    ok: bool
    detail: str


def known_matrix() -> npt.NDArray[np.float32]:
    """(33, 200) float32 in [-1, 1): the top 24 bits of i * 2654435761 mod 2^32, exact in float32."""
    i = np.arange(SHAPE[0] * SHAPE[1], dtype=np.uint64)
    top = (i * np.uint64(2654435761) & np.uint64(0xFFFFFFFF)) >> np.uint64(8)
    values: npt.NDArray[np.float32] = (top.astype(np.float64) / 2**23 - 1).astype(np.float32)
    return values.reshape(SHAPE)


def run_selftest() -> list[Check]:
    """Runs every encoding with its defaults, then with each other value of each parameter."""
    matrix = known_matrix()
    return [_check(encoding, matrix) for encoding in variants()]


def variants() -> Iterator[str]:
    """Canonical names of the encodings to run."""
    from haagenti import _core

    for encoding in _core.encodings():
        defaults = {parameter["name"]: parameter["default"] for parameter in encoding["params"]}
        yield _core.format_encoding(encoding["name"], defaults)
        for parameter in encoding["params"]:
            for value in (*parameter["allowed"], *parameter["examples"]):
                if value != parameter["default"]:
                    yield _core.format_encoding(encoding["name"], {**defaults, parameter["name"]: value})


def decoded_checksum(decoded: npt.NDArray[Any]) -> str:
    """XXH3-64 of an array's bytes, 16 hexadecimal digits."""
    from haagenti import _core

    return f"{_core.xxh3_64(np.ascontiguousarray(decoded)):016x}"


def _check(encoding: str, matrix: npt.NDArray[np.float32]) -> Check:
    import haagenti

    try:
        record = haagenti.encode(matrix, encoding, name="self-test")
        record.verify()
        decoded = haagenti.decode(record)
    except haagenti.Error as error:
        return Check(encoding, False, str(error))
    if record.error is not None:
        stated, measured = record.error.snr_db, haagenti.quality(matrix, decoded).snr_db
        if abs(stated - measured) > SNR_TOLERANCE_DB:
            return Check(encoding, False, f"SNR: the record states {stated:.6f} dB, the decoded values have {measured:.6f} dB")
        detail = f"{measured:.2f} dB"
    else:
        if decoded.tobytes() != matrix.tobytes():
            return Check(encoding, False, "lossless, but the decoded bytes differ")
        detail = "bit-exact"
    return _compare_checksum(encoding, decoded_checksum(decoded), detail)


def _compare_checksum(encoding: str, found: str, detail: str) -> Check:
    expected = CHECKSUMS.get(encoding)
    if expected is None:
        return Check(encoding, True, f"{detail}, no reference checksum")
    if found != expected:
        return Check(encoding, False, f"checksum of the decoded bytes: expected {expected}, found {found}")
    return Check(encoding, True, f"{detail}, {found}")


if __name__ == "__main__":
    import haagenti

    for _name in variants():
        print(f'    {_name!r}: "{decoded_checksum(haagenti.decode(haagenti.encode(known_matrix(), _name)))}",')
