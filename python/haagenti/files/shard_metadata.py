"""The JSON that a safetensors shard carries under ``__metadata__["haagenti"]``: which of its tensors are records.

Not responsible for: reading or writing the file, or checking a record's bytes.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from haagenti.errors import CorruptError, UnsupportedError

KEY = "haagenti"
VERSION = 1


class Described(msgspec.Struct, frozen=True):
    """What the shard's metadata says of one compressed tensor."""

    dtype: str
    shape: tuple[int, ...]
    encoding: str


class ShardMetadata(msgspec.Struct, frozen=True):
    """Content of the JSON.

    Attributes:
        version: of this JSON; 1.
        tensors: the compressed tensors of this shard by name.
        aliases: names that are not stored because they share a stored tensor's memory (tied weights), alias -> stored name.
    """

    version: int = VERSION
    tensors: dict[str, Described] = {}
    aliases: dict[str, str] = {}


def build(tensors: Mapping[str, Described], aliases: Mapping[str, str] | None = None) -> str:
    """The JSON text for a shard holding these compressed tensors."""
    content: dict[str, object] = {"version": VERSION, "tensors": dict(tensors)}
    if aliases:
        content["aliases"] = dict(aliases)
    return msgspec.json.encode(content).decode()


def parse(metadata: Mapping[str, str], path: str) -> ShardMetadata:
    """Reads the JSON out of a shard's metadata; an empty one when the shard is an ordinary file.

    Raises:
        CorruptError: the JSON is not what `build` writes.
        UnsupportedError: its version is newer than this package knows.
    """
    text = metadata.get(KEY)
    if text is None:
        return ShardMetadata()
    try:
        found = msgspec.json.decode(text, type=ShardMetadata)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise CorruptError(f"{path}: __metadata__.{KEY}: {error}") from error
    if found.version != VERSION:
        raise UnsupportedError(f"{path}: __metadata__.{KEY}: version {found.version}, this haagenti reads version {VERSION}")
    return found
