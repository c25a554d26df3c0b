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
    'int8(group_size="row", transform="auto")': "0cfd7d3f7dab2bde",
    'int8(group_size="row", transform="dct_rows")': "af4dc38a95b917a3",
    'int8(group_size="row", transform="dct_2d")': "ce5b36d8bc180752",
    'int8(group_size="row", transform="block_dct(16)")': "7c626fb42efd8df4",
    'int8(group_size="row", transform="hadamard(8)")': "f829ddb67b25d1a0",
    'int8(group_size="row", transform="hadamard(4, seed=7)")': "ab8741bd26866a9b",
    "int4(group_size=32)": "b167df678672124d",
    "int4(group_size=64)": "1d747232f9a97083",
    "int4(group_size=128)": "40193b2cd68533fd",
    'int4(group_size=32, scale="max")': "7b3aafc4a1dfbc37",
    'int4(group_size=32, group_axis="flat")': "4243a64b076da411",
    'int4(group_size=32, transform="auto")': "b167df678672124d",
    'int4(group_size=32, transform="dct_rows")': "c0eb8a4b1dcdc124",
    'int4(group_size=32, transform="dct_2d")': "25b2942df2259612",
    'int4(group_size=32, transform="block_dct(16)")': "2b2d9d8457cff36d",
    'int4(group_size=32, transform="hadamard(8)")': "5e642b565a7a7579",
    'int4(group_size=32, transform="hadamard(4, seed=7)")': "a466db1b0121a16a",
    'spectral(retention=0.7, coefficients="int4")': "47f6b2f39f68cf68",
    'spectral(retention=0.3, coefficients="int4")': "23cb3b3be77fc7e4",
    'spectral(retention=1, coefficients="int4")': "4243a64b076da411",
    'spectral(energy=0.3, coefficients="int4")': "1c19bcf3e8192b56",
    'spectral(energy=1, coefficients="int4")': "4243a64b076da411",
    'spectral(bits_per_weight=3.5, coefficients="int4")': "b378f9499ba24a27",
    'spectral(retention=0.7, coefficients="int8")': "388267b7280c6cf8",
    'spectral(retention=0.7, coefficients="f16")': "dc8ad0a6b4b5f14e",
    'spectral(retention=0.7, coefficients="f32")': "998086338a38e2b0",
    'spectral(retention=0.7, coefficients="int4", group_size=64)': "ae7d0a5148259f59",
    'spectral(retention=0.7, coefficients="int4", group_size=128)': "ee5bbcfb091a29d5",
    'spectral(retention=0.7, coefficients="int4", scale="max")': "0400e583d2114ef8",
    'spectral(retention=0.7, coefficients="int4", transform="identity")': "9d2b1520b8485993",
    'spectral(retention=0.7, coefficients="int4", transform="dct_rows")': "9e9dab63abdeffc5",
    'spectral(retention=0.7, coefficients="int4", transform="dct_2d")': "b4fcaae7a2fb75de",
    'spectral(retention=0.7, coefficients="int4", transform="block_dct(16)")': "cf5d3142f600c269",
    'spectral(retention=0.7, coefficients="int4", transform="hadamard(8)")': "563b7a51cab6ab92",
    'spectral(retention=0.7, coefficients="int4", transform="hadamard(4, seed=7)")': "574b9fdf752a2882",
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
