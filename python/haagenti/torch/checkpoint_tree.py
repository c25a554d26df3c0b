"""The tree of a torch checkpoint, such as ``{'state_dict': {...}, 'epoch': 3}``, as tensors and text under dotted names.

Not responsible for: loading the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from haagenti.errors import CorruptError, InvalidArgumentError

MAX_DEPTH = 64  # of nested dicts and lists; a tree that contains itself is deeper than any


def flatten(tree: Any, where: str) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Tensors by dotted name, and everything else as text.

    Numbers, booleans and None become their JSON; text stays. Empty containers are left out.

    Args:
        tree: nested dicts, lists and tuples.
        where: the file, for messages.

    Raises:
        CorruptError: two leaves have one dotted name, or the tree is nested too deeply.

    Example:
        >>> tensors, metadata = flatten({"state_dict": {"w": torch.ones(2)}, "epoch": 3}, "a.pt")
        >>> list(tensors), metadata
        (['state_dict.w'], {'epoch': '3'})
    """
    tensors: dict[str, torch.Tensor] = {}
    metadata: dict[str, str] = {}
    for parts, leaf in _leaves(tree, (), where):
        name = ".".join(parts) or "tensor"  # a file that is one tensor
        if name in tensors or name in metadata:
            raise CorruptError(f"{where}: two values of the checkpoint have the dotted name {name!r}")
        if isinstance(leaf, torch.Tensor):
            tensors[name] = leaf
        else:
            metadata[name] = _text(leaf)
    return tensors, metadata


def select(tree: Any, key: str, where: str) -> Any:
    """The part of the tree under a dotted name.

    Raises:
        InvalidArgumentError: there is none; the message names what is there.
    """
    rest = key
    while rest:
        children = dict(_children(tree) or ())
        found = next((name for name in children if rest == name or rest.startswith(name + ".")), None)
        if found is None:
            names = ", ".join(repr(name) for name in list(children)[:10]) or "nothing"
            raise InvalidArgumentError(f"{where}: key {key!r}: no {rest!r} there; found {names}")
        tree, rest = children[found], rest[len(found) + 1 :]
    return tree


def _leaves(node: Any, path: tuple[str, ...], where: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    if len(path) > MAX_DEPTH:
        raise CorruptError(f"{where}: nested more than {MAX_DEPTH} deep at {'.'.join(path[:4])!r}...")
    children = _children(node)
    if children is None:
        yield path, node
        return
    for name, child in children:
        yield from _leaves(child, (*path, name), where)


def _children(node: Any) -> list[tuple[str, Any]] | None:
    """Named children of a container; None for a leaf."""
    if isinstance(node, Mapping):
        return [(str(key), child) for key, child in node.items()]
    if isinstance(node, (list, tuple, set, frozenset)):
        return [(str(i), child) for i, child in enumerate(node)]
    return None


def _text(leaf: Any) -> str:
    if isinstance(leaf, str):
        return leaf
    return json.dumps(leaf) if isinstance(leaf, (int, float, bool, type(None))) else str(leaf)
