"""`safe_open` and the element types and shapes that numpy or torch hold only in part."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
import safetensors
import safetensors.numpy
from samples import assert_same

import haagenti
import haagenti.numpy
from haagenti.errors import UnsupportedError
from haagenti.files.safetensors_file import SafetensorsWriter

torch = pytest.importorskip("torch")


FLOATS = {
    "BF16": ml_dtypes.bfloat16,
    "F8_E4M3": ml_dtypes.float8_e4m3fn,
    "F8_E5M2": ml_dtypes.float8_e5m2,
    "F8_E8M0": ml_dtypes.float8_e8m0fnu,
    "F8_E4M3FNUZ": ml_dtypes.float8_e4m3fnuz,
    "F8_E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
}


@pytest.mark.parametrize("dtype", FLOATS)
def test_floats_that_numpy_does_not_have(tmp_path, dtype):
    codes = np.arange(24, dtype=np.uint16 if dtype == "BF16" else np.uint8).reshape(4, 6)
    array = codes.view(FLOATS[dtype])
    for name in ("a.hct", "a.safetensors"):
        path = tmp_path / name
        haagenti.numpy.save_file({"t": array}, path)
        part = haagenti.safe_open(path, "np").get_slice("t")
        assert part.get_dtype() == dtype
        assert_same(part[1:3, ::2], array[1:3, ::2])
        tensor = haagenti.safe_open(path, "pt").get_slice("t")[1:3]
        assert np.array_equal(tensor.view(torch.int16 if dtype == "BF16" else torch.uint8).numpy(), codes[1:3])
    with safetensors.safe_open(tmp_path / "a.safetensors", "pt") as library:
        assert library.get_slice("t").get_dtype() == dtype


def test_pairs_of_four_bit_floats(tmp_path):
    packed = np.arange(24, dtype=np.uint8)
    plain = tmp_path / "plain.safetensors"
    with SafetensorsWriter(plain, header_size=4096) as writer:
        writer.append("t", packed, dtype="F4", shape=(4, 12))
    values = haagenti.numpy.load_file(plain)
    haagenti.numpy.save_file(values, tmp_path / "a.hct")
    expected = np.stack([packed & 15, packed >> 4], -1).reshape(4, 12).view(ml_dtypes.float4_e2m1fn)
    for path in (plain, tmp_path / "a.hct"):
        part = haagenti.safe_open(path, "np").get_slice("t")
        assert (part.get_shape(), part.get_dtype()) == ([4, 12], "F4")
        assert part[1, 3:7].tobytes() == expected[1, 3:7].tobytes()
        tensor = haagenti.safe_open(path, "pt").get_tensor("t")
        assert tensor.shape == (4, 6)
        assert bytes(tensor.view(torch.uint8).numpy().tobytes()) == packed.tobytes()
        whole = haagenti.safe_open(path, "pt").get_slice("t")
        assert whole[...].shape == whole[:].shape == (4, 6)
        with pytest.raises(UnsupportedError, match=r"'t'.*F4"):
            whole[1]
    assert safetensors.safe_open(plain, "pt").get_tensor("t").shape == (4, 6)


def test_six_bit_floats_are_bytes_only(tmp_path):
    path = tmp_path / "a.safetensors"
    with SafetensorsWriter(path, header_size=4096) as writer:
        writer.append("t", bytes(6), dtype="F6_E2M3", shape=(2, 4))
    for framework in ("np", "pt"):
        file = haagenti.safe_open(path, framework)
        assert file.get_slice("t").get_shape() == [2, 4]
        with pytest.raises(UnsupportedError, match=r"'t'.*F6_E2M3"):
            file.get_tensor("t")


def test_shapes_that_arrays_cannot_have(tmp_path):
    path = tmp_path / "a.safetensors"
    with SafetensorsWriter(path, header_size=4096) as writer:
        writer.append("deep", bytes(4), dtype="F32", shape=(1,) * 70)
    for framework in ("np", "pt"):
        with pytest.raises(UnsupportedError, match="'deep': rank: expected at most 64, found 70"):
            haagenti.safe_open(path, framework).get_tensor("deep")


def test_misaligned_tensors_of_other_tools(tmp_path):
    header = b'{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}}'
    path = tmp_path / "a.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\7" + np.array([1.5, -2], np.float32).tobytes())
    assert haagenti.safe_open(path, "np").get_tensor("b").tolist() == [1.5, -2]
    assert haagenti.safe_open(path, "pt").get_tensor("b").tolist() == [1.5, -2]
    assert haagenti.safe_open(path, "pt").get_slice("b")[1:].tolist() == [-2]
