"""Synthetic weights with the statistics of a language model's, and whole checkpoints of them.

w[i, j] = 0.02 * n[i, j] * exp(0.25 a[i]) * exp(0.15 b[j]) with n, a, b ~ N(0, 1), and 0.2 % of the elements times 4.
Rows and columns of different scale are what real linear layers have, and the large elements stand for their outliers.
Everything is drawn in blocks of 1024 rows from PCG64 seeded with (seed, block), so a matrix of any height needs little memory and
the same arguments give the same matrix everywhere.

Not responsible for: timing anything (`harness.py`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import ml_dtypes
import numpy as np

from haagenti.files.safetensors_file import SafetensorsWriter, TensorSpec, header_size

BLOCK = 1024
COLUMN_STREAM = 10**6  # number of the stream that draws the columns' scales; blocks of rows are numbered from 0

# A Llama whose every matrix is 3200 x 3200: 20.48 MB in bf16.
WIDTH = 3200
MATRICES = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj")


def weights(rows: int, cols: int, seed: int = 0) -> np.ndarray:
    """Draws a matrix.

    Returns:
        (rows, cols) float32.
    """
    col = np.exp(0.15 * np.random.default_rng((seed, COLUMN_STREAM)).standard_normal(cols, dtype=np.float32))
    out = np.empty((rows, cols), np.float32)
    for block, start in enumerate(range(0, rows, BLOCK)):
        rng = np.random.default_rng((seed, block))
        n = min(BLOCK, rows - start)
        w = rng.standard_normal((BLOCK, cols), dtype=np.float32)[:n]
        row = np.exp(0.25 * rng.standard_normal(BLOCK, dtype=np.float32))[:n, None]
        hot = (rng.random((BLOCK, cols), dtype=np.float32) < 0.002)[:n]
        out[start : start + n] = w * (np.float32(0.02) * row * col) * np.where(hot, np.float32(4), np.float32(1))
    return out


def write_llama(path: Path, n_layers: int = 14) -> int:
    """Writes a Llama-shaped bf16 checkpoint in one shard: a directory with ``config.json`` and ``model.safetensors``.

    Args:
        path: directory to create.
        n_layers: 143 MB each; 14 make 2.05 GB.

    Returns:
        Bytes of its tensors.
    """
    path.mkdir(parents=True)
    (path / "config.json").write_text(json.dumps(_config(n_layers), indent=2))
    specs = [TensorSpec(name, "BF16", shape) for name, shape in _listing(n_layers)]
    metadata = {"format": "pt"}
    with SafetensorsWriter(path / "model.safetensors", header_size=header_size(specs, metadata), metadata=metadata) as writer:
        for seed, spec in enumerate(specs):
            values = weights(*spec.shape, seed=seed) if len(spec.shape) == 2 else np.ones(spec.shape, np.float32)
            writer.append(spec.name, values.astype(ml_dtypes.bfloat16).reshape(-1).view(np.uint8), dtype=spec.dtype, shape=spec.shape)
    return writer.n_bytes


def _listing(n_layers: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    yield "model.embed_tokens.weight", (WIDTH, WIDTH)
    for i in range(n_layers):
        yield f"model.layers.{i}.input_layernorm.weight", (WIDTH,)
        yield f"model.layers.{i}.post_attention_layernorm.weight", (WIDTH,)
        for name in MATRICES:
            yield f"model.layers.{i}.{name}.weight", (WIDTH, WIDTH)
    yield "model.norm.weight", (WIDTH,)
    yield "lm_head.weight", (WIDTH, WIDTH)


def _config(n_layers: int) -> dict[str, object]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "dtype": "bfloat16",
        "hidden_size": WIDTH,
        "intermediate_size": WIDTH,
        "num_hidden_layers": n_layers,
        "num_attention_heads": 32,
        "num_key_value_heads": 32,
        "vocab_size": WIDTH,
        "tie_word_embeddings": False,
    }
