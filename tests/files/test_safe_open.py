"""`safe_open`: the surface and the whole tensors of the safetensors library's class, on its files and on compressed ones."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import safetensors
import safetensors.numpy
from samples import ARRAYS, WIDE, assert_same

import haagenti
import haagenti.numpy
from haagenti.errors import InvalidArgumentError, UnsupportedError

torch = pytest.importorskip("torch")


def test_same_surface_as_the_library(folder):
    path = folder / "plain.safetensors"
    for framework in ("np", "pt"):
        ours, theirs = haagenti.safe_open(path, framework), safetensors.safe_open(path, framework)
        public = {name for name in dir(theirs) if not name.startswith("_")}
        assert public <= set(dir(ours))
        part = {name for name in dir(theirs.get_slice("matrix")) if not name.startswith("_")}
        assert part <= set(dir(ours.get_slice("matrix")))
        assert ours.keys() == theirs.keys()
        assert ours.offset_keys() == theirs.offset_keys()
        assert ours.metadata() == theirs.metadata()
        assert list(ours.get_tensors()) == list(theirs.get_tensors())


@pytest.mark.parametrize("backend", ["mmap", "pread"])
@pytest.mark.parametrize("framework", ["np", "numpy", "pt", "torch", "pytorch"])
def test_get_tensor_agrees(folder, framework, backend):
    with (
        haagenti.safe_open(folder / "plain.safetensors", framework, backend=backend) as ours,
        haagenti.safe_open(str(folder / "raw.hct"), framework=framework, device="cpu", backend=backend) as compressed,
        safetensors.safe_open(folder / "plain.safetensors", framework) as theirs,
    ):
        for name in theirs.keys():  # noqa: SIM118 (not a mapping)
            expected = theirs.get_tensor(name)
            for found in (ours.get_tensor(name), ours.get_tensors()[name], compressed.get_tensor(name)):
                assert type(found) is type(expected)
                assert_same(found, expected)
            for part in (ours.get_slice(name), compressed.get_slice(name)):
                assert part.get_shape() == theirs.get_slice(name).get_shape()
                assert part.get_dtype() == theirs.get_slice(name).get_dtype()


def test_metadata_is_none_without_any(tmp_path):
    for name in ("a.hct", "a.safetensors"):
        haagenti.numpy.save_file({"w": WIDE["w8"]}, tmp_path / name, encoding="int8")
        assert haagenti.safe_open(tmp_path / name, "np").metadata() is None


def test_arrays_are_writable_and_apart(folder):
    for name in ("plain.safetensors", "raw.hct"):
        with haagenti.safe_open(folder / name, "np") as file:
            for array in (file.get_tensor("matrix"), file.get_slice("matrix")[...], file.get_slice("matrix")[1:3, ::2]):
                assert array.flags.c_contiguous
                array[...] = 0
            assert (file.get_tensor("matrix") == ARRAYS["matrix"]).all()
    assert (safetensors.numpy.load_file(folder / "plain.safetensors")["matrix"] == ARRAYS["matrix"]).all()


def test_torch_tensors_can_be_written_without_touching_the_file(folder):
    before = (folder / "plain.safetensors").read_bytes()
    with haagenti.safe_open(folder / "plain.safetensors", "pt") as file:
        tensor = file.get_tensor("matrix")
    tensor.zero_()
    assert (folder / "plain.safetensors").read_bytes() == before


def test_closed_file(folder):
    with haagenti.safe_open(folder / "raw.hct", "np") as file:
        part = file.get_slice("matrix")
    for call in (file.keys, file.offset_keys, file.metadata, file.get_tensors, file.__enter__):
        with pytest.raises(InvalidArgumentError, match=r"raw.hct.*closed"):
            call()
    for call in (file.get_tensor, file.get_slice):
        with pytest.raises(InvalidArgumentError, match="closed"):
            call("matrix")
    assert (part[1] == ARRAYS["matrix"][1]).all()
    assert part.get_shape() == [6, 5]


def test_wrong_arguments(folder, tmp_path):
    path = folder / "plain.safetensors"
    with pytest.raises(InvalidArgumentError, match="'nope'"):
        haagenti.safe_open(path, "np").get_tensor("nope")
    with pytest.raises(InvalidArgumentError, match="'nope'"):
        haagenti.safe_open(folder / "raw.hct", "pt").get_slice("nope")
    with pytest.raises(UnsupportedError, match=r"framework.*'tf'"):
        haagenti.safe_open(path, "tf")
    with pytest.raises(InvalidArgumentError, match=r"device.*'cuda'"):
        haagenti.safe_open(path, "np", "cuda")
    with pytest.raises(InvalidArgumentError, match=r"device.*'attic'"):
        haagenti.safe_open(path, "pt", device="attic")
    with pytest.raises(InvalidArgumentError, match=r"backend.*'floppy'"):
        haagenti.safe_open(path, "np", backend="floppy")
    with pytest.raises(FileNotFoundError):
        haagenti.safe_open(tmp_path / "none.hct", "np")
    with pytest.raises(TypeError):
        haagenti.safe_open(path)


def test_device_is_where_tensors_go(folder):
    for name in ("plain.safetensors", "raw.hct"):
        with haagenti.safe_open(folder / name, "pt", device=torch.device("meta")) as file:
            assert file.get_tensor("matrix").device.type == "meta"
            assert file.get_slice("matrix")[:2].device.type == "meta"


def test_numpy_needs_no_torch(folder):
    code = (
        "import sys, haagenti\n"
        f"f = haagenti.safe_open({str(folder / 'raw.hct')!r}, 'np')\n"
        "assert f.get_slice('matrix')[1:3].shape == (2, 5)\n"
        "f.get_tensors()\n"
        "assert not {'torch', 'transformers', 'typer', 'rich'} & set(sys.modules)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
