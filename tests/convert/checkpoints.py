"""Small checkpoints of every kind, made on the spot.

Not responsible for: what is done with them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import ml_dtypes
import numpy as np

from haagenti import dtypes
from haagenti.files.safetensors_file import SafetensorsWriter, TensorSpec, header_size
from haagenti.sources import Source, SourceTensor, open_source

ROOT = Path(__file__).resolve().parents[2]
OUTPUTS = ["out", "out.safetensors", "out.hct"]  # a directory and both kinds of file
LLAMA_CONFIG = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "rms_norm_eps": 1e-05, "tie_word_embeddings": True}


def weights(shape: tuple[int, ...], dtype: object = np.float32, seed: int = 0) -> np.ndarray:
    """Gaussian, like the weights of a trained network."""
    return (0.02 * np.random.default_rng(seed).standard_normal(shape)).astype(dtype)


def tiny_llama(dtype: object = ml_dtypes.bfloat16) -> dict[str, np.ndarray]:
    """Two layers with the names of a Llama; rows of 96 and 160 elements, so the last group of a row is short for 64."""
    tensors = {"model.embed_tokens.weight": weights((256, 96), dtype, 1)}
    for i in range(2):
        layer = f"model.layers.{i}"
        tensors |= {
            f"{layer}.input_layernorm.weight": np.ones(96, dtype),
            f"{layer}.self_attn.q_proj.weight": weights((96, 96), dtype, 10 + i),
            f"{layer}.self_attn.q_proj.bias": weights((96,), dtype, 20 + i),
            f"{layer}.mlp.up_proj.weight": weights((160, 96), dtype, 30 + i),
            f"{layer}.mlp.down_proj.weight": weights((96, 160), dtype, 40 + i),
        }
    return tensors | {"model.norm.weight": np.ones(96, dtype), "lm_head.weight": weights((256, 96), dtype, 2)}


def every_dtype() -> dict[str, np.ndarray]:
    """A tensor of each dtype that numpy has, of odd shapes."""
    rng = np.random.default_rng(7)
    kinds = [np.float64, np.float32, np.float16, ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2]
    kinds += [np.int64, np.int32, np.int16, np.int8, np.uint8, np.uint16, np.uint32, np.uint64, np.complex64]
    tensors = {np.dtype(kind).name: rng.integers(0, 100, (40, 33)).astype(kind) for kind in kinds}
    return tensors | {
        "bool": rng.integers(0, 2, (40, 33)).astype(bool),
        "scalar": np.array(3.5, np.float32),
        "empty": np.zeros((0, 5), np.float32),
        "empty_vector": np.zeros(0, np.float16),
        "rank5": weights((2, 3, 4, 5, 6)),
        "odd.bytes": rng.integers(0, 2, 7).astype(bool),
    }


def save_shard(path: Path, tensors: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None) -> None:
    """An ordinary safetensors file, wide elements first as the format wants them."""
    named = {name: (dtypes.from_numpy(array.dtype), np.ascontiguousarray(array).reshape(array.shape)) for name, array in tensors.items()}
    specs = [TensorSpec(name, dtype, array.shape) for name, (dtype, array) in named.items()]
    with SafetensorsWriter(path, header_size=header_size(specs, metadata), metadata=metadata, overwrite=True) as writer:
        for name, (dtype, array) in sorted(named.items(), key=lambda item: -item[1][1].itemsize):
            writer.append(name, array.reshape(-1).view(np.uint8), dtype=dtype, shape=array.shape)


def save_model(
    path: Path, tensors: Mapping[str, np.ndarray], n_shards: int = 1, config: Mapping[str, object] | None = LLAMA_CONFIG
) -> Path:
    """A model directory as transformers writes it."""
    path.mkdir(parents=True)
    if config is not None:
        (path / "config.json").write_text(json.dumps(config))
    if n_shards == 1:
        save_shard(path / "model.safetensors", tensors, {"format": "pt"})
        return path
    names = list(tensors)
    weight_map = {name: f"model-{1 + i * n_shards // len(names):05d}-of-{n_shards:05d}.safetensors" for i, name in enumerate(names)}
    for shard in sorted(set(weight_map.values())):
        save_shard(path / shard, {name: tensors[name] for name in names if weight_map[name] == shard}, {"format": "pt"})
    (path / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    return path


def contents(path: Path) -> dict[str, np.ndarray]:
    """Every tensor of anything that can be opened, decoded, as bytes."""
    with open_source(path) as source:
        return {tensor.name: np.frombuffer(source.read(tensor.name), np.uint8).copy() for tensor in source.tensors()}


def assert_equal(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert set(found) == set(expected)
    for name, array in expected.items():
        assert found[name].tobytes() == array.tobytes(), name


def files_under(path: Path) -> set[str]:
    return {file.relative_to(path).as_posix() for file in path.rglob("*")}


def listing(source: Source) -> dict[str, SourceTensor]:
    return {tensor.name: tensor for tensor in source.tensors()}


def assert_holds(source: Source, tensors: dict[str, np.ndarray]) -> None:
    """Names, dtypes, shapes and bytes."""
    found = listing(source)
    assert set(found) == set(tensors)
    for name, array in tensors.items():
        assert found[name].dtype == dtypes.from_numpy(array.dtype)
        assert found[name].shape == array.shape
        assert found[name].n_bytes == array.nbytes
        assert bytes(source.read(name)) == array.tobytes()
