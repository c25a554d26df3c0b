"""Sources: model directories and files of tensors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from checkpoints import assert_holds, every_dtype, listing, save_model, save_shard, tiny_llama, weights

import haagenti
from haagenti import CorruptError, InvalidArgumentError, IoError, TruncatedError
from haagenti.sources import open_source


class TestDirectory:
    """Shards, their index, and what lies beside them."""

    def test_single(self, llama: Path) -> None:
        with open_source(llama) as source:
            assert_holds(source, tiny_llama())
            assert (source.kind, source.stem, source.metadata["format"]) == ("directory", "model", "pt")
            assert source.config()["model_type"] == "llama"  # type: ignore[index]

    def test_sharded(self, sharded: Path) -> None:
        assert len(list(sharded.glob("*.safetensors"))) == 3
        with open_source(str(sharded)) as source:
            assert_holds(source, tiny_llama())

    def test_every_dtype(self, tmp_path: Path) -> None:
        assert_holds(open_source(save_model(tmp_path / "m", every_dtype())), every_dtype())

    def test_missing_shard(self, sharded: Path) -> None:
        (sharded / "model-00002-of-00003.safetensors").unlink()
        with pytest.raises(CorruptError, match=r"shard 'model-00002-of-00003.safetensors' is missing; it holds \d tensors, e\.g\. 'model"):
            open_source(sharded)

    def test_tensor_missing_from_its_shard(self, sharded: Path) -> None:
        change_index(sharded, lambda weight_map: weight_map.update({"model.norm.weight": "model-00001-of-00003.safetensors"}))
        with pytest.raises(CorruptError, match=r"tensor 'model.norm.weight' is not in shard 'model-00001-of-00003.safetensors'"):
            open_source(sharded)

    def test_extra_tensors_are_kept(self, sharded: Path) -> None:
        change_index(sharded, lambda weight_map: weight_map.pop("model.norm.weight"))
        assert_holds(open_source(sharded), tiny_llama())

    def test_extra_tensor_in_two_shards(self, tmp_path: Path) -> None:
        path = save_model(tmp_path / "m", {"a": weights((2, 2)), "b": weights((3, 3))}, n_shards=2)
        save_shard(path / "model-00001-of-00002.safetensors", {"a": weights((2, 2)), "c": weights((1,))})
        save_shard(path / "model-00002-of-00002.safetensors", {"b": weights((3, 3)), "c": weights((1,))})
        with pytest.raises(CorruptError, match=r"tensor 'c' is in shards .* and not in the index"):
            open_source(path)

    @pytest.mark.parametrize("name", ["../other/model.safetensors", "/etc/passwd", "..", ""])
    def test_index_names_other_folders(self, sharded: Path, name: str) -> None:
        change_index(sharded, lambda weight_map: weight_map.update({"model.norm.weight": name}))
        with pytest.raises(CorruptError, match="expected a file of the same directory"):
            open_source(sharded)

    @pytest.mark.parametrize("text", ["", "[]", '{"weight_map": {"a": 3}}', '{"weight_map": {}}', "{", "\xff"])
    def test_bad_index(self, sharded: Path, text: str) -> None:
        (sharded / "model.safetensors.index.json").write_bytes(text.encode("latin-1"))
        with pytest.raises(CorruptError, match=r"model\.safetensors\.index\.json"):
            open_source(sharded)

    def test_truncated_shard(self, sharded: Path) -> None:
        shard = sharded / "model-00001-of-00003.safetensors"
        shard.write_bytes(shard.read_bytes()[:-1])
        with pytest.raises(TruncatedError, match="model-00001-of-00003"):
            open_source(sharded)

    def test_no_weights(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidArgumentError, match=r"no weights found; looked for model\.safetensors"):
            open_source(tmp_path)

    def test_another_name(self, tmp_path: Path) -> None:
        path = save_model(tmp_path / "m", tiny_llama())
        (path / "model.safetensors").rename(path / "adapter_model.safetensors")
        assert open_source(path).stem == "adapter_model"
        save_shard(path / "second.safetensors", {"a": weights((2,))})
        with pytest.raises(InvalidArgumentError, match=r"several weight files.*adapter_model\.safetensors, second\.safetensors"):
            open_source(path)

    def test_bad_config(self, llama: Path) -> None:
        (llama / "config.json").write_text("{")
        with pytest.raises(CorruptError, match=r"config\.json"):
            haagenti.plan(llama)

    def test_config_with_infinity(self, llama: Path) -> None:
        (llama / "config.json").write_text('{"time_step_limit": [0.0, Infinity]}')
        assert open_source(llama).config() == {"time_step_limit": [0.0, float("inf")]}

    def test_side_files(self, llama: Path) -> None:
        copied = ["tokenizer.json", "tokenizer.model", "README.md", "1_Pooling/config.json", "generation_config.json"]
        left_out = [
            "pytorch_model.bin",
            "model.gguf",
            "tf_model.h5",
            "flax_model.msgpack",
            "onnx/model.onnx",
            "x.ckpt",
            "consolidated.safetensors",
        ]
        left_out += ["original/params.json", "original/consolidated.00.pth", "pytorch_model.bin.index.json", "Model-Q4.GGUF"]
        hidden = [".git/config", ".cache/huggingface/x", ".gitattributes"]
        for name in copied + left_out + hidden:
            (llama / name).parent.mkdir(exist_ok=True, parents=True)
            (llama / name).write_bytes(b"12")
        (llama / "loop").symlink_to(llama)
        (llama / "gone").symlink_to(llama / "nowhere")
        files = {file.path: file for file in open_source(llama).side_files()}
        assert {name for name, file in files.items() if not file.left_out} == {*copied, "config.json"}
        assert {name for name, file in files.items() if file.left_out} == {*left_out, "loop", "gone"}
        assert files["consolidated.safetensors"].left_out == "weights that the model's index does not name"
        assert files["model.gguf"].left_out == "weights in another format"


def change_index(directory: Path, change: object) -> None:
    file = directory / "model.safetensors.index.json"
    content = json.loads(file.read_text())
    change(content["weight_map"])  # type: ignore[operator]
    file.write_text(json.dumps(content))


class TestFiles:
    """Single files of tensors."""

    def test_safetensors(self, llama: Path) -> None:
        with open_source(llama / "model.safetensors") as source:
            assert_holds(source, tiny_llama())
            assert source.kind == "file"
            assert source.config() is None
            assert source.side_files() == []

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(IoError, match="nowhere: no such file or directory"):
            open_source(tmp_path / "nowhere")

    def test_unknown_kind(self, tmp_path: Path) -> None:
        (tmp_path / "model.gguf").write_bytes(b"GGUF")
        with pytest.raises(InvalidArgumentError, match=r"found '\.gguf'"):
            open_source(tmp_path / "model.gguf")

    def test_arguments_that_do_not_apply(self, llama: Path) -> None:
        with pytest.raises(InvalidArgumentError, match="key='a' applies to pickled checkpoints"):
            open_source(llama, key="a")
        with pytest.raises(InvalidArgumentError, match="revision='main' applies to a repository on the hub"):
            open_source(llama, revision="main")


class TestCompressed:
    """What haagenti wrote is a source too: it reads as the decoded tensors."""

    @pytest.mark.parametrize("name", ["out", "out.safetensors", "out.hct"])
    def test_lossless(self, tmp_path: Path, name: str) -> None:
        tensors = every_dtype() | tiny_llama()
        haagenti.convert(save_model(tmp_path / "m", tensors), tmp_path / name, preset="lossless")
        with open_source(tmp_path / name) as source:
            assert_holds(source, tensors)
            assert listing(source)["model.embed_tokens.weight"].encoding == 'raw(codec="zstd")'

    def test_record(self, llama: Path, tmp_path: Path) -> None:
        haagenti.convert(llama, tmp_path / "out")
        with open_source(tmp_path / "out") as source:
            record = source.record("model.layers.0.mlp.up_proj.weight")
            assert record is not None
            decoded = haagenti.decode(record)
            assert bytes(source.read("model.layers.0.mlp.up_proj.weight")) == decoded.tobytes()
            assert source.record("model.norm.weight") is None
