"""Plans: roles, presets, rules, JSON."""

from __future__ import annotations

import json
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
from checkpoints import save_model, tiny_llama, weights

import haagenti
from haagenti import InvalidArgumentError
from haagenti.planning import Plan, PlanEntry, parse_rules
from haagenti.planning.encodings import expected_record_bytes
from haagenti.planning.roles import role_of, transposed_names
from haagenti.sources import SourceTensor

INT4, INT8, RAW = "int4(group_size=32)", 'int8(group_size="row")', 'raw(codec="zstd")'


def tensor(name: str, shape: tuple[int, ...], dtype: str = "BF16") -> SourceTensor:
    return SourceTensor(name, dtype, shape, 2 * int(np.prod(shape)))


def entries(plan: Plan) -> dict[str, PlanEntry]:
    return {entry.name: entry for entry in plan.entries}


@pytest.mark.parametrize(
    ("name", "shape", "role"),
    [
        ("model.layers.0.self_attn.q_proj.weight", (64, 64), "linear"),
        ("model.layers.0.mlp.gate_proj.weight", (172, 64), "linear"),
        ("model.layers.0.block_sparse_moe.experts.3.w1.weight", (128, 64), "linear"),
        ("model.layers.0.mlp.experts.gate_up_proj", (8, 256, 64), "linear"),
        ("model.layers.0.block_sparse_moe.gate.weight", (8, 64), "router"),
        ("model.layers.0.mlp.router.proj.weight", (3, 256), "router"),
        ("model.layers.0.mlp.gate.weight", (172, 64), "linear"),  # half of a gated MLP
        ("model.layers.0.mlp.shared_expert_gate.weight", (1, 64), "router"),
        ("model.embed_tokens.weight", (512, 64), "embedding"),
        ("transformer.wte.weight", (512, 64), "embedding"),
        ("transformer.wpe.weight", (128, 64), "embedding"),
        ("bert.embeddings.position_embeddings.weight", (128, 64), "embedding"),
        ("tok_embeddings.weight", (512, 64), "embedding"),
        ("pos_embed", (1, 197, 64), "embedding"),
        ("shared.weight", (512, 64), "embedding"),
        ("lm_head.weight", (512, 64), "head"),
        ("output.weight", (512, 64), "head"),
        ("layers.0.attention.output.weight", (64, 64), "linear"),
        ("embed_out.weight", (512, 64), "head"),
        ("model.norm.weight", (64,), "vector"),
        ("conv1.bias", (64,), "vector"),
        ("logit_scale", (), "vector"),
        ("blocks.0.norm1.weight", (8, 8), "norm"),
        ("blocks.0.norm1.linear.weight", (64, 64), "linear"),  # adaptive norms have real matrices
        ("encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", (32, 8), "bias"),
        ("conv1.weight", (16, 3, 3, 3), "convolution"),
        ("patch_embed.proj.weight", (64, 3, 14, 14), "convolution"),
        ("patch_embed.proj.weight", (64, 3, 16, 16), "linear"),
    ],
)
def test_role(name: str, shape: tuple[int, ...], role: str) -> None:
    assert role_of(tensor(name, shape)) == role


@pytest.mark.parametrize(
    ("preset", "linear", "embedding"), [("int4", INT4, INT8), ("int8", INT8, INT8), ("lossless", RAW, RAW), ("dense", "plain", "plain")]
)
def test_presets(llama: Path, preset: str, linear: str, embedding: str) -> None:
    plan = haagenti.plan(llama, preset=preset)
    found = entries(plan)
    assert [entry.name for entry in plan.entries] == [t.name for t in haagenti.sources.open_source(llama).tensors()]
    assert set(found) == set(tiny_llama())
    assert found["model.layers.1.mlp.down_proj.weight"].encoding == linear
    assert found["model.embed_tokens.weight"].encoding == embedding
    assert found["lm_head.weight"].encoding == embedding
    assert found["model.layers.0.input_layernorm.weight"].encoding == "plain"
    assert found["model.layers.0.self_attn.q_proj.bias"].encoding == "plain"
    assert all(entry.reason for entry in plan.entries)
    assert plan.source_bytes == sum(array.nbytes for array in tiny_llama().values())


def test_unknown_preset(llama: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"preset: expected one of lossless, int8, int4, spectral, dense, found 'int3'"):
        haagenti.plan(llama, preset="int3")


def test_other_dtypes_stay_lossless(tmp_path: Path) -> None:
    tensors = {
        "a.weight": weights((128, 128)).astype(ml_dtypes.float8_e4m3fn),
        "b.weight": np.arange(128 * 128).reshape(128, 128),
        "c.weight": weights((128, 128), np.float64),
        "d.weight": weights((128, 128), np.float16),
    }
    found = entries(haagenti.plan(save_model(tmp_path / "m", tensors), rules={"[ab].*": "int4"}))
    assert [found[name].encoding for name in tensors] == [RAW, RAW, RAW, INT4]
    assert "F8_E4M3" in found["a.weight"].reason
    assert "rule" in found["a.weight"].reason


def test_small_tensors_are_plain(tmp_path: Path) -> None:
    found = entries(haagenti.plan(save_model(tmp_path / "m", {"a.weight": weights((4, 32), ml_dtypes.bfloat16), "b": np.zeros((0, 8))})))
    assert found["a.weight"].encoding == found["b"].encoding == "plain"
    assert "would not be smaller" in found["a.weight"].reason


def test_short_rows_stay_lossless(tmp_path: Path) -> None:
    found = entries(
        haagenti.plan(save_model(tmp_path / "m", {"depthwise.weight": weights((512, 1, 5)), "conv.weight": weights((32, 16, 3, 3))}))
    )
    assert found["depthwise.weight"].encoding == RAW
    assert (found["conv.weight"].encoding, found["conv.weight"].matrix) == (INT4, "first")


class TestConv1D:
    """Layers of GPT-2 are stored as (in, out)."""

    gpt2 = (tensor("transformer.h.0.attn.c_attn.weight", (64, 192)), tensor("transformer.h.0.attn.c_proj.weight", (64, 64)))
    nano = (tensor("transformer.h.0.attn.c_attn.weight", (192, 64)), tensor("transformer.h.0.attn.c_proj.weight", (64, 64)))

    def test_by_model_type(self) -> None:
        assert transposed_names(self.gpt2, {"model_type": "gpt2"}) == {t.name for t in self.gpt2}
        assert not transposed_names(self.gpt2, {"model_type": "gpt_bigcode"})

    def test_by_shape_without_config(self) -> None:
        assert transposed_names(self.gpt2, None) == {t.name for t in self.gpt2}
        assert not transposed_names(self.nano, None)
        assert not transposed_names((tensor("transformer.h.0.attn.c_proj.weight", (64, 64)),), None)

    def test_plan(self, tmp_path: Path) -> None:
        tensors = {"transformer.h.0.mlp.c_fc.weight": weights((96, 384)), "transformer.wpe.weight": weights((128, 96))}
        plan = entries(haagenti.plan(save_model(tmp_path / "m", tensors, config={"model_type": "gpt2"})))
        assert plan["transformer.h.0.mlp.c_fc.weight"].matrix == "transposed"
        assert plan["transformer.wpe.weight"].encoding == INT8
        lossless = entries(haagenti.plan(tmp_path / "m", preset="lossless"))
        assert lossless["transformer.h.0.mlp.c_fc.weight"].matrix is None


class TestRules:
    """REGEX=ENCODING."""

    def test_first_match_wins(self, llama: Path) -> None:
        rules = {".*embed.*": "raw", r"model\.layers\.0\..*": "int8(group_size=64)", ".*": "int4(group_size=128)", "never": "raw"}
        plan = haagenti.plan(llama, rules=rules)
        found = entries(plan)
        assert found["model.embed_tokens.weight"].encoding == RAW
        assert found["model.layers.0.mlp.up_proj.weight"].encoding == "int8(group_size=64)"
        assert found["model.layers.1.mlp.up_proj.weight"].encoding == "int4(group_size=128)"
        assert found["lm_head.weight"].encoding == "int4(group_size=128)"
        assert plan.unmatched_rules == ['never=raw(codec="zstd")']
        assert "rule .*embed.*=raw" in found["model.embed_tokens.weight"].reason

    def test_whole_name_must_match(self, llama: Path) -> None:
        plan = haagenti.plan(llama, rules={"lm_head": "raw"})
        assert plan.unmatched_rules == ['lm_head=raw(codec="zstd")']
        assert entries(plan)["lm_head.weight"].encoding == INT8

    @pytest.mark.parametrize(
        ("text", "regex", "encoding"),
        [
            (".*embed.*=raw", ".*embed.*", RAW),
            ("a(?=b).*=int4(group_size=64)", "a(?=b).*", "int4(group_size=64)"),
            ("x=plain", "x", "plain"),
            ('w = int4( group_size = 64, scale="max" )', "w ", 'int4(group_size=64, scale="max")'),
            ("=raw", "", RAW),
        ],
    )
    def test_text(self, text: str, regex: str, encoding: str) -> None:
        (rule,) = parse_rules([text])
        assert (rule.regex, rule.encoding) == (regex, encoding)
        assert parse_rules([(regex, encoding)]) == [rule]

    @pytest.mark.parametrize(
        ("rules", "message"),
        [
            ([".*"], r"rule '\.\*': expected REGEX=ENCODING"),
            (["(=raw"], r"rule '\(=raw': not a regular expression"),
            (["a=int9"], r"rule 'a=int9': .*int9"),
            (["a=int4(group_size=33)"], r"rule 'a=int4\(group_size=33\)': .*group_size"),
            ({"a": "int4("}, r"rule 'a=int4\(': "),
            ("a=raw", r"rules: expected a mapping or a sequence of rules"),
        ],
    )
    def test_errors_name_the_rule(self, rules: object, message: str) -> None:
        with pytest.raises(InvalidArgumentError, match=message):
            parse_rules(rules)  # type: ignore[arg-type]


class TestDestination:
    """What the kind of the output changes."""

    def test_vectors(self, tmp_path: Path) -> None:
        source = save_model(tmp_path / "m", {"a.bias": weights((4096,))})
        anywhere, kept, fitted = (haagenti.plan(source, rules={".*": "int4"}, dst=dst).entries[0] for dst in (None, "out.hct", "out"))
        assert anywhere.encoding == INT4
        assert "1-D, so only .hct files have a record of it" in anywhere.reason
        assert kept == anywhere
        assert (fitted.encoding, fitted.expected_bytes) == ("plain", fitted.n_bytes)
        assert fitted.reason == f"{anywhere.reason}; stored as it is"

    def test_plan_and_preset(self, llama: Path, tmp_path: Path) -> None:
        for options in ({"preset": "int4"}, {"rules": {}}):
            with pytest.raises(InvalidArgumentError, match=f"{next(iter(options))}: a plan is given"):
                haagenti.convert(llama, tmp_path / "out", haagenti.plan(llama), **options)

    def test_every_encoding_of_the_core_has_a_size(self) -> None:
        for encoding in haagenti._core.encodings():
            record = haagenti.encode(weights((512, 512), ml_dtypes.bfloat16), encoding["name"])
            assert expected_record_bytes(encoding["name"], "BF16", (512, 512), None) == pytest.approx(record.n_bytes, rel=0.05)


class TestJson:
    """Plans as text."""

    def test_round_trip(self, llama: Path) -> None:
        plan = haagenti.plan(llama, rules={"never": "raw"})
        assert Plan.from_json(plan.to_json()) == plan

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda p: p["entries"][3].update(n_bytes="x"), r"\$\.entries\[3\]\.n_bytes"),
            (lambda p: p["entries"][3].update(n_bytes=1), r"\$\.entries\[3\]\.n_bytes .*expected \d+, found 1"),
            (lambda p: p["entries"][2].update(encoding="int5"), r"\$\.entries\[2\] .*int5"),
            (lambda p: p["entries"][2].update(dtype="BF17"), r"\$\.entries\[2\] .*BF17"),
            (lambda p: p["entries"][2].update(matrix="diagonal"), r"\$\.entries\[2\]\.matrix"),
            (lambda p: p["entries"][2].update(name=p["entries"][0]["name"]), r"\$\.entries\[2\]\.name: .*twice"),
            (lambda p: p["entries"][2].update(alias_of="nobody"), r"\$\.entries\[2\]\.alias_of .*nobody"),
            (lambda p: p["entries"][2].update(colour="red"), r"colour.*\$\.entries\[2\]"),
            (lambda p: p.update(version=2), r"\$\.version: expected 1, found 2"),
            (lambda p: p.pop("preset"), r"preset"),
        ],
    )
    def test_errors_carry_the_path(self, llama: Path, change: object, message: str) -> None:
        content = json.loads(haagenti.plan(llama).to_json())
        change(content)  # type: ignore[operator]
        with pytest.raises(InvalidArgumentError, match=message):
            Plan.from_json(json.dumps(content))

    def test_not_json(self) -> None:
        with pytest.raises(InvalidArgumentError, match="plan: "):
            Plan.from_json("{")

    def test_table(self, llama: Path) -> None:
        table = haagenti.plan(llama, rules={"never": "raw"}).table()
        assert "model.layers.0.mlp.up_proj.weight" in table
        assert "rule without effect: never" in table


@pytest.mark.parametrize(
    "encoding", ["int4", "int8", "int4(group_size=128)", "int8(group_size=32)", 'int4(group_axis="flat")', 'raw(codec="none")']
)
@pytest.mark.parametrize("shape", [(1, 1), (5, 33), (96, 160), (3000, 700), (40, 3, 3, 3), (3, 70_001)])
def test_expected_bytes_are_exact_for_fixed_rates(encoding: str, shape: tuple[int, ...]) -> None:
    record = haagenti.encode(weights(shape, ml_dtypes.bfloat16), encoding)
    assert abs(record.n_bytes - expected_record_bytes(encoding, "BF16", shape, None)) <= 64  # the chunk table is an estimate


def test_estimate_of_lossless_is_close(tmp_path: Path) -> None:
    array = weights((512, 512), ml_dtypes.bfloat16)
    assert haagenti.encode(array, "raw").n_bytes == pytest.approx(expected_record_bytes("raw", "BF16", array.shape, None), rel=0.05)
