"""Pickled checkpoints of torch as sources."""

from __future__ import annotations

import json
import os
import pickle
from collections import OrderedDict
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import ml_dtypes
import numpy as np
import pytest
from checkpoints import assert_holds, save_shard, weights

from haagenti import CorruptError, InvalidArgumentError, UnsupportedError
from haagenti.sources import open_source


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
@pytest.mark.filterwarnings("ignore:.*quantize.*:UserWarning", "ignore:TypedStorage is deprecated:UserWarning")
@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning", "ignore:.*TorchScript archive:UserWarning")
class TestPickles:
    """Checkpoints of torch."""

    @property
    def torch(self) -> ModuleType:
        return import_module("torch")

    def save(self, path: Path, tree: object, zipped: bool = True) -> Path:
        self.torch.save(tree, path, _use_new_zipfile_serialization=zipped)
        return path

    @pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
    @pytest.mark.parametrize("suffix", [".bin", ".pt", ".pth", ".th"])
    def test_nested(self, tmp_path: Path, zipped: bool, suffix: str) -> None:
        torch = self.torch
        state = OrderedDict(
            w=torch.arange(12.0).reshape(3, 4), h=torch.ones(5, dtype=torch.bfloat16), s=torch.tensor(2), e=torch.zeros(0, 3)
        )
        tree = {"state_dict": state, "epoch": 3, "name": "x", "ok": True, "none": None, "lr": [0.1, 0.2], "nothing": {}}
        with open_source(self.save(tmp_path / f"a{suffix}", tree, zipped)) as source:
            arrays = {"w": state["w"].numpy(), "h": np.ones(5, ml_dtypes.bfloat16), "s": np.array(2), "e": np.zeros((0, 3), np.float32)}
            assert_holds(source, {f"state_dict.{name}": array for name, array in arrays.items()})
            assert source.metadata == {"epoch": "3", "name": "x", "ok": "true", "none": "null", "lr.0": "0.1", "lr.1": "0.2"}
        with open_source(tmp_path / f"a{suffix}", key="state_dict") as source:
            assert_holds(source, arrays)

    def test_key(self, tmp_path: Path) -> None:
        tree = {"a.b": {"c": {"w": self.torch.ones(2)}}, "d": 1}
        path = self.save(tmp_path / "a.pt", tree)
        assert [t.name for t in open_source(path, key="a.b.c").tensors()] == ["w"]
        assert [t.name for t in open_source(path, key="a.b.c.w").tensors()] == ["tensor"]
        with pytest.raises(InvalidArgumentError, match=r"key 'a\.x': no 'a\.x' there; found 'a\.b', 'd'"):
            open_source(path, key="a.x")
        with pytest.raises(InvalidArgumentError, match=r"expected tensors under 'd', found none"):
            open_source(path, key="d")

    @pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
    def test_tied_and_views(self, tmp_path: Path, zipped: bool) -> None:
        torch = self.torch
        base = torch.arange(24.0).reshape(4, 6)
        tree = {"wte": base, "lm_head": base, "part": base[1:3], "turned": base.T, "strided": base[:, ::2], "copy": base.clone()}
        with open_source(self.save(tmp_path / "a.pt", tree, zipped)) as source:
            assert {t.name: t.alias_of for t in source.tensors() if t.alias_of} == {"lm_head": "wte"}
            assert_holds(source, {name: value.contiguous().numpy() for name, value in tree.items()})

    def test_dotted_names_collide(self, tmp_path: Path) -> None:
        path = self.save(tmp_path / "a.pt", {"a": {"b": self.torch.ones(1)}, "a.b": self.torch.zeros(1)})
        with pytest.raises(CorruptError, match=r"two values of the checkpoint have the dotted name 'a\.b'"):
            open_source(path)

    def test_code_is_not_run(self, tmp_path: Path) -> None:
        class Evil:
            def __reduce__(self) -> object:
                return os.system, (f"touch {tmp_path / 'ran'}",)

        for zipped in (True, False):
            path = self.save(tmp_path / "a.pt", {"w": self.torch.ones(2), "x": Evil()}, zipped)
            with pytest.raises(UnsupportedError, match=r"cannot be loaded without running its code.*system"):
                open_source(path)
        assert not (tmp_path / "ran").exists()

    def test_self_containing(self, tmp_path: Path) -> None:
        tree: dict[str, object] = {"w": self.torch.ones(1)}
        tree["self"] = tree
        with pytest.raises(CorruptError, match="nested more than 64 deep"):
            open_source(self.save(tmp_path / "a.pt", tree))

    @pytest.mark.parametrize("kind", ["sparse", "quantized", "meta"])
    def test_not_dense(self, tmp_path: Path, kind: str) -> None:
        torch = self.torch
        make = {
            "sparse": lambda: torch.eye(3).to_sparse(),
            "quantized": lambda: torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
            "meta": lambda: torch.ones(3, device="meta"),
        }
        path = self.save(tmp_path / "a.pt", {"layer": {"w": make[kind]()}})
        with pytest.raises(UnsupportedError, match=r"tensor 'layer\.w': expected a dense tensor"):
            open_source(path)

    def test_program(self, tmp_path: Path) -> None:
        torch = self.torch
        torch.jit.trace(torch.nn.Linear(2, 2), torch.ones(1, 2)).save(tmp_path / "a.pt")
        with pytest.raises(UnsupportedError, match=r"a\.pt: a TorchScript program"):
            open_source(tmp_path / "a.pt")

    @pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
    def test_truncated(self, tmp_path: Path, zipped: bool) -> None:
        content = self.save(tmp_path / "whole.pt", {"w": self.torch.ones(500)}, zipped).read_bytes()
        for n in (0, 1, 10, len(content) // 2, len(content) - 3):
            (tmp_path / "a.pt").write_bytes(content[:n])
            with pytest.raises((CorruptError, UnsupportedError), match=r"a\.pt"):
                open_source(tmp_path / "a.pt")

    @pytest.mark.parametrize("content", [b"hello world, no checkpoint", pickle.dumps({"w": [1, 2]}, 2), b"PK\x03\x04nothing"])
    def test_not_a_checkpoint(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "a.bin").write_bytes(content)
        with pytest.raises((CorruptError, UnsupportedError, InvalidArgumentError), match=r"a\.bin"):
            open_source(tmp_path / "a.bin")

    def test_directory(self, tmp_path: Path) -> None:
        torch = self.torch
        self.save(tmp_path / "pytorch_model-00001-of-00002.bin", {"a": torch.ones(2, 3)})
        self.save(tmp_path / "pytorch_model-00002-of-00002.bin", {"b": torch.ones(4)})
        weight_map = {"a": "pytorch_model-00001-of-00002.bin", "b": "pytorch_model-00002-of-00002.bin"}
        (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": weight_map}))
        with open_source(tmp_path) as source:
            assert_holds(source, {"a": np.ones((2, 3), np.float32), "b": np.ones(4, np.float32)})
            assert source.stem == "model"
            assert source.side_files() == []
        self.save(tmp_path / "pytorch_model.bin", {"c": torch.ones(1)})
        assert [t.name for t in open_source(tmp_path).tensors()] == ["c"]
        save_shard(tmp_path / "model.safetensors", {"d": weights((2, 2))})
        assert [t.name for t in open_source(tmp_path).tensors()] == ["d"]
