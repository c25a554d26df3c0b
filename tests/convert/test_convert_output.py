"""What a conversion writes: shards, config, model card, other files, tied tensors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from checkpoints import (
    LLAMA_CONFIG,
    OUTPUTS,
    contents,
    every_dtype,
    files_under,
    save_model,
    save_shard,
    tiny_llama,
    weights,
)

import haagenti
from haagenti import InvalidArgumentError
from haagenti.files.safetensors_file import SafetensorsReader
from haagenti.sources import open_source

UP = "model.layers.0.mlp.up_proj.weight"


class TestDirectory:
    """The HuggingFace-style output."""

    def test_records_come_first_and_aligned(self, tmp_path: Path) -> None:
        source = save_model(tmp_path / "m", every_dtype() | tiny_llama())
        haagenti.convert(source, tmp_path / "out")
        reader = SafetensorsReader(tmp_path / "out" / "model.safetensors")
        described = json.loads(reader.metadata["haagenti"])["tensors"]
        assert reader.metadata["format"] == "pt"
        assert described[UP] == {"dtype": "BF16", "shape": [160, 96], "encoding": "int4(group_size=32)"}
        places = [(reader.info(name).offset, name in described) for name in reader.names()]
        assert [is_record for _, is_record in places] == sorted((is_record for _, is_record in places), reverse=True)
        for name in reader.names():
            info = reader.info(name)
            if name in described:
                assert info.offset % 64 == info.n_bytes % 64 == 0
                assert (info.dtype, info.shape) == ("U8", (info.n_bytes,))
                assert len(described[name]["shape"]) > 1  # a 1-D record could be loaded by mistake
        haagenti.convert(source, tmp_path / "all", rules={".*": "raw"})
        described = json.loads(SafetensorsReader(tmp_path / "all" / "model.safetensors").metadata["haagenti"])["tensors"]
        assert all(len(entry["shape"]) > 1 for entry in described.values())

    def test_other_tools_open_it(self, llama: Path, tmp_path: Path) -> None:
        safetensors = pytest.importorskip("safetensors")
        haagenti.convert(llama, tmp_path / "out", max_shard_bytes=30_000)
        for file in (tmp_path / "out").glob("*.safetensors"):
            with safetensors.safe_open(file, framework="np") as opened:
                assert set(opened.keys()) == set(SafetensorsReader(file).names())

    def test_shards(self, llama: Path, tmp_path: Path) -> None:
        report = haagenti.convert(llama, tmp_path / "out", max_shard_bytes=30_000)
        files = sorted((tmp_path / "out").glob("*.safetensors"))
        n = len(files)
        assert n > 2
        assert [file.name for file in files] == [f"model-{i:05d}-of-{n:05d}.safetensors" for i in range(1, n + 1)]
        index = json.loads((tmp_path / "out" / "model.safetensors.index.json").read_text())
        held = {name: file.name for file in files for name in SafetensorsReader(file).names()}
        assert index["weight_map"] == held
        sizes = [sum(SafetensorsReader(file).info(name).n_bytes for name in SafetensorsReader(file).names()) for file in files]
        assert max(sizes) <= 30_000
        assert index["metadata"] == {"total_parameters": sum(a.size for a in tiny_llama().values()), "total_size": sum(sizes)}
        assert report.stored_bytes == sum(file.stat().st_size for file in files)
        assert haagenti.verify(tmp_path / "out", llama).ok

    def test_a_tensor_larger_than_a_shard(self, llama: Path, tmp_path: Path) -> None:
        haagenti.convert(llama, tmp_path / "out", max_shard_bytes=1)
        assert len(list((tmp_path / "out").glob("*.safetensors"))) == len(tiny_llama())
        assert haagenti.verify(tmp_path / "out", llama).ok
        with pytest.raises(InvalidArgumentError, match="max_shard_bytes: expected a positive number"):
            haagenti.convert(llama, tmp_path / "other", max_shard_bytes=0)

    def test_config(self, llama: Path, tmp_path: Path) -> None:
        report = haagenti.convert(llama, tmp_path / "out")
        config = json.loads((tmp_path / "out" / "config.json").read_text())
        assert {key: value for key, value in config.items() if key != "quantization_config"} == LLAMA_CONFIG
        assert config["quantization_config"] == {
            "quant_method": "haagenti",
            "format_version": 1,
            "haagenti_version": haagenti.__version__,
            "preset": "int4",
            "bits_per_weight": round(report.bits_per_weight, 4),
            "encodings": {'int8(group_size="row")': 2, "int4(group_size=32)": 6},
        }
        haagenti.convert(tmp_path / "out", tmp_path / "dense", preset="dense")
        assert json.loads((tmp_path / "dense" / "config.json").read_text()) == LLAMA_CONFIG

    def test_config_of_another_method_comes_back(self, tmp_path: Path) -> None:
        foreign = {"quant_method": "fp8", "weight_block_size": [128, 128]}
        source = save_model(tmp_path / "m", tiny_llama(), config=LLAMA_CONFIG | {"quantization_config": foreign})
        haagenti.convert(source, tmp_path / "a", preset="lossless")
        config = json.loads((tmp_path / "a" / "config.json").read_text())["quantization_config"]
        assert (config["quant_method"], config["source_quantization_config"]) == ("haagenti", foreign)
        haagenti.convert(tmp_path / "a", tmp_path / "b", preset="int8")
        haagenti.convert(tmp_path / "b", tmp_path / "c", preset="dense")
        assert json.loads((tmp_path / "c" / "config.json").read_text())["quantization_config"] == foreign

    def test_other_files(self, llama: Path, tmp_path: Path) -> None:
        for name in ("tokenizer.json", "sub/merges.txt", "pytorch_model.bin", "original/params.json"):
            (llama / name).parent.mkdir(exist_ok=True)
            (llama / name).write_text(name)
        report = haagenti.convert(llama, tmp_path / "out")
        assert files_under(tmp_path / "out") == {"config.json", "README.md", "model.safetensors", "tokenizer.json", "sub", "sub/merges.txt"}
        assert (tmp_path / "out" / "sub" / "merges.txt").read_text() == "sub/merges.txt"
        assert {file.path for file in report.left_out} == {"pytorch_model.bin", "original/params.json"}
        report = haagenti.convert(llama, tmp_path / "out.hct")
        assert {"config.json", "tokenizer.json"} < {file.path for file in report.left_out}

    def test_card(self, llama: Path, tmp_path: Path) -> None:
        (llama / "README.md").write_text("---\nlicense: mit\n---\n# A model\n\nText.\n")
        haagenti.convert(llama, tmp_path / "out", rules={".*q_proj.*": "int8"})
        card = (tmp_path / "out" / "README.md").read_text()
        assert card.startswith("---\nlicense: mit\n---\n# A model\n\nText.\n\n<!-- haagenti: begin -->\n")
        assert "haagenti convert llama out --preset int4 --rule " in card
        assert 'haagenti.hf.from_pretrained("out")' in card
        assert str(tmp_path) not in card
        haagenti.convert(tmp_path / "out", tmp_path / "again", preset="int8")
        again = (tmp_path / "again" / "README.md").read_text()
        assert again.count("haagenti: begin") == 1
        assert "--preset int8" in again
        haagenti.convert(tmp_path / "out", tmp_path / "dense", preset="dense")
        assert (tmp_path / "dense" / "README.md").read_text() == (llama / "README.md").read_text()

    def test_card_names_key_and_file(self, tmp_path: Path) -> None:
        torch = pytest.importorskip("torch")
        torch.save({"state": {"up.weight": torch.tensor(weights((64, 64)))}, "ema": {}}, tmp_path / "a.pt")
        haagenti.convert(tmp_path / "a.pt", tmp_path / "out", key="state")
        assert "haagenti convert a.pt out --preset int4 --key state\n" in (tmp_path / "out" / "README.md").read_text()
        source = save_model(tmp_path / "m", {}, config=None)
        (source / "model.safetensors").unlink()
        save_shard(source / "adapter_model.safetensors", tiny_llama(), {"format": "pt"})
        haagenti.convert(source, tmp_path / "one")
        assert 'load_file("one/adapter_model.safetensors")' in (tmp_path / "one" / "README.md").read_text()
        haagenti.convert(source, tmp_path / "many", max_shard_bytes=30_000)
        assert 'Path("many").glob("*.safetensors")' in (tmp_path / "many" / "README.md").read_text()

    def test_without_config(self, tmp_path: Path) -> None:
        save_shard(tmp_path / "a.safetensors", tiny_llama(), {"format": "pt", "author": "me"})
        haagenti.convert(tmp_path / "a.safetensors", tmp_path / "out")
        assert files_under(tmp_path / "out") == {"model.safetensors", "README.md"}
        assert SafetensorsReader(tmp_path / "out" / "model.safetensors").metadata["author"] == "me"

    def test_empty_checkpoint(self, tmp_path: Path) -> None:
        for out in OUTPUTS:
            haagenti.convert(save_model(tmp_path / f"m-{out}", {}), tmp_path / out)
            assert contents(tmp_path / out) == {}


class TestTied:
    """Tensors that share memory are stored once."""

    def checkpoint(self, path: Path, config: dict[str, object]) -> Path:
        torch = pytest.importorskip("torch")
        path.mkdir()
        embedding = torch.tensor(weights((64, 96)))
        tree = {"model.embed_tokens.weight": embedding, "up.weight": torch.tensor(weights((96, 96), seed=1)), "lm_head.weight": embedding}
        torch.save(tree, path / "pytorch_model.bin")
        (path / "config.json").write_text(json.dumps(config))
        return path

    @pytest.mark.parametrize("out", OUTPUTS)
    def test_stay_tied(self, tmp_path: Path, out: str) -> None:
        source = self.checkpoint(tmp_path / "m", {"model_type": "llama", "tie_word_embeddings": True})
        report = haagenti.convert(source, tmp_path / out)
        rows = {row.name: row for row in report.rows}
        assert (rows["lm_head.weight"].alias_of, rows["lm_head.weight"].n_bytes) == ("model.embed_tokens.weight", 0)
        assert report.n_elements == 64 * 96 + 96 * 96
        with open_source(tmp_path / out) as opened:
            assert {t.name: t.alias_of for t in opened.tensors() if t.alias_of} == {"lm_head.weight": "model.embed_tokens.weight"}
            assert bytes(opened.read("lm_head.weight")) == bytes(opened.read("model.embed_tokens.weight"))
        assert haagenti.verify(tmp_path / out, source).ok
        if out == "out":
            assert "lm_head.weight" not in SafetensorsReader(tmp_path / "out" / "model.safetensors").names()
        haagenti.convert(tmp_path / out, tmp_path / "dense", preset="dense")
        assert set(contents(tmp_path / "dense")) == set(rows)

    def test_in_their_shard(self, tmp_path: Path) -> None:
        source = self.checkpoint(tmp_path / "m", {})
        haagenti.convert(source, tmp_path / "out", max_shard_bytes=1)
        assert haagenti.verify(tmp_path / "out", source).ok
        assert len(contents(tmp_path / "out")) == 3

    @pytest.mark.parametrize("preset", ["dense", "int4"])
    @pytest.mark.parametrize("out", OUTPUTS)
    def test_stored_twice_when_the_config_is_silent(self, tmp_path: Path, preset: str, out: str) -> None:
        source = self.checkpoint(tmp_path / "m", {"model_type": "llama"})
        report = haagenti.convert(source, tmp_path / out, preset=preset)
        tied = [row.name for row in report.rows if row.alias_of]
        assert tied == (["lm_head.weight"] if out == "out.hct" else [])
        assert any("1 tied tensors are stored again" in note for note in report.notes) == (out != "out.hct")
        assert haagenti.verify(tmp_path / out, source).ok
        if out != "out.hct":
            file = tmp_path / "out" / "model.safetensors" if out == "out" else tmp_path / out
            assert "lm_head.weight" in SafetensorsReader(file).names()

    def test_other_tools_see_every_tensor_of_dense(self, tmp_path: Path) -> None:
        torch = pytest.importorskip("torch")
        safetensors = pytest.importorskip("safetensors.torch")
        weight = torch.tensor(weights((8, 8)))
        torch.save({"emb.weight": weight, "out.weight": weight}, tmp_path / "a.pt")
        haagenti.convert(tmp_path / "a.pt", tmp_path / "out", preset="dense")
        loaded = safetensors.load_file(tmp_path / "out" / "model.safetensors")
        assert set(loaded) == {"emb.weight", "out.weight"}
        assert all(torch.equal(tensor, weight) for tensor in loaded.values())

    def test_only_embeddings_and_heads_are_tied_by_the_config(self, tmp_path: Path) -> None:
        torch = pytest.importorskip("torch")
        weight = torch.tensor(weights((64, 64)))
        (tmp_path / "m").mkdir()
        torch.save({"a.up.weight": weight, "b.up.weight": weight}, tmp_path / "m" / "pytorch_model.bin")
        (tmp_path / "m" / "config.json").write_text('{"tie_word_embeddings": true}')
        haagenti.convert(tmp_path / "m", tmp_path / "out", preset="dense")
        assert set(SafetensorsReader(tmp_path / "out" / "model.safetensors").names()) == {"a.up.weight", "b.up.weight"}

    def test_aliases_are_not_counted_as_records(self, tmp_path: Path) -> None:
        source = self.checkpoint(tmp_path / "m", {"tie_word_embeddings": True})
        haagenti.convert(source, tmp_path / "out.hct")
        report = haagenti.verify(tmp_path / "out.hct", source)
        assert (report.n_tensors, report.n_records, report.n_plain) == (3, 2, 0)

    def test_stored_twice_when_the_config_denies_the_tie(self, tmp_path: Path) -> None:
        source = self.checkpoint(tmp_path / "m", {"tie_word_embeddings": False})
        haagenti.convert(source, tmp_path / "out")
        assert set(SafetensorsReader(tmp_path / "out" / "model.safetensors").names()) == {
            "model.embed_tokens.weight",
            "up.weight",
            "lm_head.weight",
        }
        assert haagenti.verify(tmp_path / "out", source).ok
