"""Converts a llama2.c legacy checkpoint into a HuggingFace model directory.

The checkpoint becomes ``model.safetensors``, ``config.json`` and
``generation_config.json`` of a ``LlamaForCausalLM``; the llama2.c tokenizer
file, when given, becomes ``tokenizer.json`` and ``tokenizer_config.json`` of a
fast tokenizer that splits text as llama2.c does.  The same input gives the same
bytes on every run.

Usage::

    convert_llama2c.py stories260K.bin tok512.bin stories260K/
    convert_llama2c.py tok105_model5000.bin none babyllama/
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import math
import pathlib
import struct
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save as save_safetensors
from tokenizers import AddedToken, Tokenizer, decoders, normalizers, processors
from tokenizers.models import BPE

Array = npt.NDArray[np.float32]

TRANSFORMERS_VERSION = "5.23.0"
RMS_NORM_EPS = 1e-5
ROPE_THETA = 10000.0
UNK_ID, BOS_ID, EOS_ID = 0, 1, 2
SPECIAL_TOKENS = ("<unk>", "<s>", "</s>")
FIRST_BYTE_ID = len(SPECIAL_TOKENS)
FIRST_PIECE_ID = FIRST_BYTE_ID + 256
SPACE = "\u2581"
"""How a vocabulary of the SentencePiece family writes a space."""


@dataclasses.dataclass(frozen=True)
class Header:
    """The seven integers at the start of a llama2.c legacy checkpoint.

    Attributes:
        dim: Width of the residual stream.
        hidden: Width of the feed-forward layer.
        layers: Number of decoder layers.
        heads: Number of query heads.
        kv_heads: Number of key and value heads.
        vocab: Number of tokens.
        max_seq: Longest sequence the rotary tables cover.
        tied: Whether the output head is the embedding.
    """

    dim: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    vocab: int
    max_seq: int
    tied: bool

    @property
    def head_dim(self) -> int:
        """Width of one attention head."""
        return self.dim // self.heads


@dataclasses.dataclass(frozen=True)
class Piece:
    """One token of the vocabulary.

    Attributes:
        text: The token as the fast tokenizer spells it.
        score: The merge score; of two possible merges the higher one is done.
    """

    text: str
    score: float


# --- checkpoint -------------------------------------------------------------


def read_header(data: bytes) -> Header:
    """Reads and checks the header of a checkpoint.

    Args:
        data: The whole checkpoint file.

    Returns:
        The header; a negative vocabulary size in the file means an untied head.

    Raises:
        ValueError: If the file is too short or the header makes no sense.
    """
    if len(data) < 28:
        raise ValueError("checkpoint is shorter than its header")
    fields = struct.unpack_from("<7i", data)
    dim, hidden, layers, heads, kv_heads, vocab, max_seq = fields
    header = Header(dim, hidden, layers, heads, kv_heads, abs(vocab), max_seq, tied=vocab > 0)
    if min(*fields[:5], abs(vocab), max_seq) < 1:
        raise ValueError(f"checkpoint header has a size below 1: {header}")
    if header.dim % header.heads or header.heads % header.kv_heads:
        raise ValueError(f"checkpoint header has uneven heads: {header}")
    return header


def checkpoint_layout(header: Header) -> list[tuple[str, tuple[int, ...]]]:
    """Lists the arrays of a checkpoint in file order.

    Args:
        header: The checkpoint's header.

    Returns:
        Name and shape of every array; the names are those of llama2.c.
    """
    n, dim, hidden = header.layers, header.dim, header.hidden
    kv_dim = header.kv_heads * header.head_dim
    rotary = (header.max_seq, header.head_dim // 2)
    layout: list[tuple[str, tuple[int, ...]]] = [
        ("embedding", (header.vocab, dim)),
        ("att_norm", (n, dim)),
        ("wq", (n, dim, dim)),
        ("wk", (n, kv_dim, dim)),
        ("wv", (n, kv_dim, dim)),
        ("wo", (n, dim, dim)),
        ("ffn_norm", (n, dim)),
        ("w1", (n, hidden, dim)),
        ("w2", (n, dim, hidden)),
        ("w3", (n, hidden, dim)),
        ("final_norm", (dim,)),
        ("freq_cis_real", rotary),
        ("freq_cis_imag", rotary),
    ]
    return layout if header.tied else [*layout, ("wcls", (header.vocab, dim))]


def read_arrays(data: bytes, header: Header) -> dict[str, Array]:
    """Reads the arrays of a checkpoint.

    Args:
        data: The whole checkpoint file.
        header: Its header.

    Returns:
        The arrays by llama2.c name.

    Raises:
        ValueError: If the file is not exactly as long as its header says.
    """
    layout = checkpoint_layout(header)
    sizes = [math.prod(shape) for _, shape in layout]
    expected = 28 + 4 * sum(sizes)
    if len(data) != expected:
        raise ValueError(f"checkpoint has {len(data)} bytes, expected {expected}")
    values = np.frombuffer(data, dtype="<f4", offset=28).astype(np.float32)
    parts = np.split(values, list(itertools.accumulate(sizes))[:-1])
    return {name: part.reshape(shape) for (name, shape), part in zip(layout, parts, strict=True)}


def permute_rotary(weight: Array, heads: int) -> Array:
    """Reorders the rows of a query or key projection.

    llama2.c rotates neighbouring rows (2i, 2i+1) of a head, HuggingFace rotates
    row i of the first half with row i of the second.

    Args:
        weight: The projection, rows in llama2.c order.
        heads: Number of heads the rows belong to.

    Returns:
        The projection, rows in HuggingFace order.
    """
    rows, columns = weight.shape
    pairs = weight.reshape(heads, rows // heads // 2, 2, columns)
    return pairs.transpose(0, 2, 1, 3).reshape(rows, columns)


def layer_tensors(arrays: dict[str, Array], header: Header, index: int) -> dict[str, Array]:
    """Names the weights of one decoder layer the HuggingFace way.

    Args:
        arrays: The checkpoint's arrays.
        header: Its header.
        index: Which layer.

    Returns:
        The layer's weights by HuggingFace name.
    """
    layer = {name: array[index] for name, array in arrays.items() if array.ndim > 1}
    weights = {
        "input_layernorm": layer["att_norm"],
        "self_attn.q_proj": permute_rotary(layer["wq"], header.heads),
        "self_attn.k_proj": permute_rotary(layer["wk"], header.kv_heads),
        "self_attn.v_proj": layer["wv"],
        "self_attn.o_proj": layer["wo"],
        "post_attention_layernorm": layer["ffn_norm"],
        "mlp.gate_proj": layer["w1"],
        "mlp.down_proj": layer["w2"],
        "mlp.up_proj": layer["w3"],
    }
    return {f"model.layers.{index}.{name}.weight": w for name, w in weights.items()}


def model_tensors(arrays: dict[str, Array], header: Header) -> dict[str, Array]:
    """Names all weights of the model the HuggingFace way.

    Args:
        arrays: The checkpoint's arrays.
        header: Its header.

    Returns:
        The weights by HuggingFace name, contiguous; a tied head is left out.
    """
    tensors = {
        "model.embed_tokens.weight": arrays["embedding"],
        "model.norm.weight": arrays["final_norm"],
    }
    if not header.tied:
        tensors["lm_head.weight"] = arrays["wcls"]
    for index in range(header.layers):
        tensors |= layer_tensors(arrays, header, index)
    return {name: np.ascontiguousarray(w) for name, w in sorted(tensors.items())}


# --- configuration ----------------------------------------------------------


def model_config(header: Header) -> dict[str, Any]:
    """Builds the content of ``config.json``.

    Args:
        header: The checkpoint's header.

    Returns:
        The configuration of a ``LlamaForCausalLM``.
    """
    return {
        "architectures": ["LlamaForCausalLM"],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": BOS_ID,
        "dtype": "float32",
        "eos_token_id": EOS_ID,
        "head_dim": header.head_dim,
        "hidden_act": "silu",
        "hidden_size": header.dim,
        "initializer_range": 0.02,
        "intermediate_size": header.hidden,
        "max_position_embeddings": header.max_seq,
        "mlp_bias": False,
        "model_type": "llama",
        "num_attention_heads": header.heads,
        "num_hidden_layers": header.layers,
        "num_key_value_heads": header.kv_heads,
        "pad_token_id": None,
        "pretraining_tp": 1,
        "rms_norm_eps": RMS_NORM_EPS,
        "rope_parameters": {"rope_theta": ROPE_THETA, "rope_type": "default"},
        "tie_word_embeddings": header.tied,
        "transformers_version": TRANSFORMERS_VERSION,
        "use_cache": True,
        "vocab_size": header.vocab,
    }


def generation_config() -> dict[str, Any]:
    """Builds the content of ``generation_config.json``.

    llama2.c models are trained on texts that each start with BOS and have no
    EOS, so that BOS is what such a model ends a text with.

    Returns:
        The generation defaults.
    """
    return {
        "bos_token_id": BOS_ID,
        "eos_token_id": [BOS_ID, EOS_ID],
        "transformers_version": TRANSFORMERS_VERSION,
    }


# --- tokenizer --------------------------------------------------------------


def read_records(data: bytes) -> Iterator[tuple[bytes, float]]:
    """Reads the records of a llama2.c tokenizer file.

    Args:
        data: The whole tokenizer file.

    Yields:
        The bytes and the score of each token.

    Raises:
        ValueError: If the file ends within a record.
    """
    offset = 4  # the length of the longest token, not needed here
    while offset < len(data):
        if offset + 8 > len(data):
            raise ValueError("tokenizer file ends within a record")
        score, length = struct.unpack_from("<fi", data, offset)
        offset += 8 + length
        if length < 1 or offset > len(data):
            raise ValueError("tokenizer file has a token of bad length")
        yield data[offset - length : offset], score


def piece_text(token: int, raw: bytes) -> str:
    """Spells a token the way the fast tokenizer does.

    Args:
        token: The token's number.
        raw: The token in the llama2.c file.

    Returns:
        The name of a special or byte token, or the text with visible spaces.

    Raises:
        ValueError: If a byte token is not where it must be.
    """
    if token < FIRST_BYTE_ID:
        return SPECIAL_TOKENS[token]
    text = raw.decode("utf-8").replace(" ", SPACE)
    if token < FIRST_PIECE_ID and text != f"<0x{token - FIRST_BYTE_ID:02X}>":
        raise ValueError(f"token {token} is {text!r} and not a byte")
    return text


def read_pieces(data: bytes, vocab: int) -> list[Piece]:
    """Reads the vocabulary.

    Args:
        data: The whole llama2.c tokenizer file.
        vocab: How many tokens the model has.

    Returns:
        The tokens in order of their numbers.

    Raises:
        ValueError: If the vocabulary does not fit the model or repeats a token.
    """
    pieces = [Piece(piece_text(token, raw), score) for token, (raw, score) in enumerate(read_records(data))]
    if len(pieces) != vocab:
        raise ValueError(f"tokenizer has {len(pieces)} tokens, the model has {vocab}")
    if len({piece.text for piece in pieces}) != vocab:
        raise ValueError("tokenizer has the same token twice")
    return pieces


def splits(text: str, known: set[str]) -> list[tuple[str, str]]:
    """Lists the pairs of known pieces that make up a text.

    Args:
        text: The text to split.
        known: The pieces that can be merged.

    Returns:
        The pairs, shortest left part first.
    """
    pairs = [(text[:cut], text[cut:]) for cut in range(1, len(text))]
    return [(a, b) for a, b in pairs if a in known and b in known]


def check_unambiguous(text: str, pairs: Sequence[tuple[str, str]]) -> None:
    """Refuses a token whose pairs could compete for the same characters.

    llama2.c does equally good merges from left to right; ranked merges prefer
    one pair over the other instead.  The two agree unless two different pairs
    of one token overlap, ``u + v == v + w``.

    Args:
        text: The token.
        pairs: The pairs that make it up.

    Raises:
        ValueError: If two of the pairs can overlap.
    """
    for (_, v), (v2, _) in itertools.permutations(pairs, 2):
        if v == v2:
            raise ValueError(f"the merges that give {text!r} can overlap")


def derive_merges(pieces: Sequence[Piece]) -> list[tuple[str, str]]:
    """Derives ranked merges from scores.

    Every pair of pieces whose concatenation is a piece is a merge, best score
    of the result first.

    Args:
        pieces: The vocabulary.

    Returns:
        The merges, most urgent first.

    Raises:
        ValueError: If ranked merges cannot reproduce merging by score.
    """
    normal = pieces[FIRST_PIECE_ID:]
    known = {piece.text for piece in normal}
    merges: list[tuple[str, str]] = []
    for piece in sorted(normal, key=lambda piece: -piece.score):
        pairs = splits(piece.text, known)
        check_unambiguous(piece.text, pairs)
        merges += pairs
    scores = [piece.score for piece in normal if len(piece.text) > 1]
    if len(set(scores)) != len(scores):
        raise ValueError("two tokens have the same score")
    return merges


def build_tokenizer(pieces: Sequence[Piece]) -> Tokenizer:
    """Builds the fast tokenizer.

    A text gets a leading space and BOS; characters outside the vocabulary become
    their UTF-8 bytes.  Decoding takes the leading space off again.

    Args:
        pieces: The vocabulary.

    Returns:
        The tokenizer.
    """
    unk, bos, _ = SPECIAL_TOKENS
    model = BPE(
        vocab={piece.text: token for token, piece in enumerate(pieces)},
        merges=derive_merges(pieces),
        unk_token=unk,
        fuse_unk=True,
        byte_fallback=True,
    )
    tokenizer = Tokenizer(model)
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in SPECIAL_TOKENS])
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend(SPACE), normalizers.Replace(" ", SPACE)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A",
        pair=f"{bos} $A {bos}:1 $B:1",
        special_tokens=[(bos, BOS_ID)],
    )
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace(SPACE, " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return tokenizer


def tokenizer_config(header: Header) -> dict[str, Any]:
    """Builds the content of ``tokenizer_config.json``.

    Args:
        header: The checkpoint's header.

    Returns:
        The configuration of the fast tokenizer.
    """
    unk, bos, eos = SPECIAL_TOKENS
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": bos,
        "eos_token": eos,
        "unk_token": unk,
        "clean_up_tokenization_spaces": False,
        "model_max_length": header.max_seq,
    }


# --- command line -----------------------------------------------------------


def write_json(path: pathlib.Path, content: dict[str, Any]) -> None:
    """Writes a JSON file.

    Args:
        path: The file.
        content: What to write.
    """
    path.write_bytes((json.dumps(content, indent=2) + "\n").encode())


def convert_model(data: bytes, output: pathlib.Path) -> Header:
    """Writes the weights and the configuration.

    Args:
        data: The whole checkpoint file.
        output: The model directory.

    Returns:
        The checkpoint's header.

    Raises:
        ValueError: If the checkpoint is malformed.
    """
    header = read_header(data)
    tensors = model_tensors(read_arrays(data, header), header)
    output.mkdir(parents=True, exist_ok=True)
    packed = save_safetensors(tensors, metadata={"format": "pt"})
    (output / "model.safetensors").write_bytes(packed)
    write_json(output / "config.json", model_config(header))
    write_json(output / "generation_config.json", generation_config())
    return header


def convert_tokenizer(data: bytes, header: Header, output: pathlib.Path) -> None:
    """Writes the tokenizer.

    Args:
        data: The whole llama2.c tokenizer file.
        header: The header of the checkpoint it belongs to.
        output: The model directory.

    Raises:
        ValueError: If the tokenizer file is malformed.
    """
    tokenizer = build_tokenizer(read_pieces(data, header.vocab))
    text = tokenizer.to_str(pretty=True) + "\n"
    (output / "tokenizer.json").write_bytes(text.encode())
    write_json(output / "tokenizer_config.json", tokenizer_config(header))


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parses the command line.

    Args:
        arguments: The arguments, or None for those of the process.

    Returns:
        The parsed arguments.
    """
    parser = argparse.ArgumentParser(description="Convert a llama2.c legacy checkpoint to a HuggingFace directory.")
    parser.add_argument("model", type=pathlib.Path, help="llama2.c legacy checkpoint")
    parser.add_argument("tokenizer", help="llama2.c tokenizer file, or 'none' for the weights alone")
    parser.add_argument("output", type=pathlib.Path, help="directory to write")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the conversion.

    Args:
        arguments: The arguments, or None for those of the process.

    Returns:
        The exit status: 0, or 1 for an unreadable or malformed file.
    """
    options = parse_arguments(arguments)
    try:
        header = convert_model(options.model.read_bytes(), options.output)
        if options.tokenizer != "none":
            data = pathlib.Path(options.tokenizer).read_bytes()
            convert_tokenizer(data, header, options.output)
    except (OSError, ValueError) as error:
        print(f"convert_llama2c: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
