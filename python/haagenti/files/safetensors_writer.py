"""Writing a safetensors file tensor by tensor, straight to its place, with the header last and nothing half written.

Not responsible for: encoding tensors, reading (`haagenti.files.safetensors_file`), the form of the header (`safetensors_header`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from types import TracebackType

import msgspec

from haagenti import dtypes
from haagenti.errors import InvalidArgumentError
from haagenti.files import shard_metadata
from haagenti.files.atomic import AtomicFile
from haagenti.files.safetensors_header import METADATA_KEY, align, encode_header, tensor_bytes

StrPath = str | os.PathLike[str]

# Room for the names of encodings that a record may end up with instead of the one asked for, such as raw(codec="zstd"), whose quotes
# take four bytes each in a string within a string.
_LONGEST_FALLBACK = 'raw(codec="zstd",padding="longer than any")'

# What the name of an encoding grows by when its transform is chosen and its defaults are spelled out.
_LONGEST_TRANSFORM = ', retention=0.123456789, coefficients="int4", transform="hadamard(65536, seed=4294967295)"'


class TensorSpec(msgspec.Struct, frozen=True):
    """What is known of a tensor before it is written.

    Attributes:
        name: Of the tensor.
        dtype: As safetensors spells it.
        shape: Elements along each axis.
        encoding: None when it is stored plainly for certain; otherwise what it may be encoded with. It may still be stored plainly,
            or as a lossless record.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    encoding: str | None = None


def header_size(specs: Iterable[TensorSpec], metadata: Mapping[str, str] | None = None, aliases: Mapping[str, str] | None = None) -> int:
    """Bytes to reserve so that the header fits, whatever the records' sizes turn out to be.

    Args:
        specs: Every tensor that the file may hold.
        metadata: The caller's own strings.
        aliases: Names that share a stored tensor, see ``shard_metadata``.

    Raises:
        InvalidArgumentError: A dtype or shape is not possible.
    """
    specs = list(specs)
    sizes = {spec.name: tensor_bytes(spec.dtype, spec.shape) for spec in specs}
    # A record may exceed the plain bytes by its tables, and every record and the data itself are padded to 64.
    largest = 2 * sum(sizes.values()) + 65536 * (len(specs) + 1)
    entries = [(spec.name, spec.dtype, _longer_shape(spec, largest), (largest, largest)) for spec in specs]
    described = {spec.name: _longest_description(spec) for spec in specs if spec.encoding is not None}
    return len(encode_header(entries, _with_description(metadata, described, aliases)))


class SafetensorsWriter:
    """Writes a safetensors file tensor by tensor; it appears under its name when ``finish`` has succeeded.

    Space for the header is reserved at the front, the tensors go straight to the temporary file, and ``finish`` writes the header
    padded with spaces. The data starts at a multiple of 64 bytes. As a context manager it finishes when the block ends and aborts
    when the block raises.

    Attributes:
        n_bytes: Bytes of data appended so far.

    Example:
        >>> import tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "a.safetensors")
        >>> with SafetensorsWriter(path, header_size=header_size([TensorSpec("w", "U8", (3,))])) as writer:
        ...     writer.append("w", b"abc", dtype="U8", shape=(3,))
        >>> open(path, "rb").read()[-3:]
        b'abc'
    """

    def __init__(self, path: StrPath, *, header_size: int, metadata: Mapping[str, str] | None = None, overwrite: bool = False) -> None:
        """Creates the temporary file.

        Args:
            path: Where the file shall appear.
            header_size: Bytes to reserve, from the function of that name; rounded up to a multiple of 64.
            metadata: Strings for ``__metadata__``.
            overwrite: Whether a file that is there already may be replaced.

        Raises:
            InvalidArgumentError: ``metadata`` is not text by name, or uses the key that describes the records.
            IoError: ``path`` exists and ``overwrite`` is false.
        """
        self.path = os.fspath(path)
        self._metadata = None if metadata is None else check_metadata(metadata)
        self._header_size = align(header_size)
        self._entries: list[tuple[str, str, tuple[int, ...], tuple[int, int]]] = []
        self._names: set[str] = set()
        self._described: dict[str, shard_metadata.Described] = {}
        self._aliases: dict[str, str] = {}
        self.n_bytes = 0
        self._atomic = AtomicFile(path, overwrite=overwrite)
        self._atomic.file.seek(self._header_size)

    def append(self, name: str, data: object, *, dtype: str, shape: Sequence[int]) -> None:
        """Appends a plain tensor.

        Since the format allows no holes, a tensor that would begin within one of its own elements is refused: append records first,
        then wider elements before narrower ones.

        Args:
            name: Of the tensor.
            data: Its little-endian bytes in C order, through the buffer protocol.
            dtype: As safetensors spells it.
            shape: Elements along each axis.

        Raises:
            InvalidArgumentError: The name is taken, the size disagrees with dtype and shape, or the place is not aligned.
        """
        view = memoryview(data).cast("B")  # type: ignore[arg-type]
        expected = tensor_bytes(dtype, shape)
        if len(view) != expected:
            raise InvalidArgumentError(
                f"{self.path}: tensor {name!r}: data: expected {expected} bytes for {dtype} {list(shape)}, found {len(view)}"
            )
        width = max(dtypes.bits(dtype) // 8, 1)
        if self.n_bytes % width and expected:
            raise InvalidArgumentError(
                f"{self.path}: tensor {name!r}: offset: expected a multiple of {width}, the size of {dtype}, found {self.n_bytes}; "
                "append wider elements first"
            )
        self._write(name, view, dtype, shape)

    def append_record(self, name: str, record: object, *, dtype: str, shape: Sequence[int], encoding: str) -> None:
        """Appends a compressed tensor, stored as a 1-D ``U8`` tensor and described in the metadata.

        Args:
            name: Of the tensor.
            record: The record's bytes, through the buffer protocol.
            dtype: Of the tensor before encoding.
            shape: Of the tensor before encoding.
            encoding: The record's own.

        Raises:
            InvalidArgumentError: The name is taken, the record is not a multiple of 64 bytes, or comes after a plain tensor.
        """
        view = memoryview(record).cast("B")  # type: ignore[arg-type]
        if len(view) % 64 or self.n_bytes % 64:
            raise InvalidArgumentError(
                f"{self.path}: tensor {name!r}: record: expected offset and size to be multiples of 64, found {self.n_bytes} and "
                f"{len(view)}; append records before plain tensors"
            )
        self._write(name, view, "U8", (len(view),))
        self._described[name] = shard_metadata.Described(dtype, tuple(shape), encoding)

    def add_alias(self, alias: str, name: str) -> None:
        """Notes that ``alias`` shares the stored tensor ``name``.

        Raises:
            InvalidArgumentError: The alias is taken, or ``name`` is not stored.
        """
        if alias in self._names or name not in self._names or name in self._aliases:
            raise InvalidArgumentError(f"{self.path}: alias {alias!r}: expected a new name for a stored tensor, found one of {name!r}")
        self._names.add(alias)
        self._aliases[alias] = name

    def finish(self) -> None:
        """Writes the header and makes the file appear.

        Raises:
            InvalidArgumentError: The header does not fit the space reserved; nothing is left behind.
            OSError: Writing failed; nothing is left behind.
        """
        try:
            metadata = _with_description(self._metadata, self._described, self._aliases)
            header = encode_header(self._entries, metadata, self._header_size)
            self._atomic.file.seek(0)
            self._atomic.file.write(header)
        except BaseException:
            self.abort()
            raise
        self._atomic.commit()

    def abort(self) -> None:
        """Removes the temporary file."""
        self._atomic.abort()

    def _write(self, name: str, view: memoryview, dtype: str, shape: Sequence[int]) -> None:
        check_name(name, self._names, self.path)
        self._atomic.file.write(view)
        start, self.n_bytes = self.n_bytes, self.n_bytes + len(view)
        self._names.add(name)
        self._entries.append((name, dtype, tuple(shape), (start, self.n_bytes)))

    def __enter__(self) -> SafetensorsWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is None:
            self.finish()
        else:
            self.abort()


def check_name(name: str, taken: Iterable[str], where: str) -> None:
    """Checks the name of a tensor to be written.

    Raises:
        InvalidArgumentError: It is not text, is taken, or is the name of the metadata.
    """
    if not isinstance(name, str):
        raise InvalidArgumentError(f"{where}: name: expected str, found {type(name).__name__}")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise InvalidArgumentError(f"{where}: name: expected text that UTF-8 can hold, found {name!r}: {error.reason}") from None
    if name == METADATA_KEY:
        raise InvalidArgumentError(f"{where}: name: {METADATA_KEY!r} is reserved by the format")
    if name in taken:
        raise InvalidArgumentError(f"{where}: tensor {name!r}: expected a new name, found it written already")


def check_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """Checks a caller's metadata.

    Raises:
        InvalidArgumentError: Keys or values are not text, or the key that describes the records is used.
    """
    for key, value in metadata.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise InvalidArgumentError(f"metadata {key!r}: expected str by str, found {type(value).__name__} by {type(key).__name__}")
    if shard_metadata.KEY in metadata:
        raise InvalidArgumentError(f"metadata: the key {shard_metadata.KEY!r} is reserved for the description of the records")
    return dict(metadata)


def _with_description(
    metadata: Mapping[str, str] | None, described: Mapping[str, shard_metadata.Described], aliases: Mapping[str, str] | None
) -> Mapping[str, str] | None:
    if not described and not aliases:
        return metadata
    return {**(metadata or {}), shard_metadata.KEY: shard_metadata.build(described, aliases)}


def _longer_shape(spec: TensorSpec, largest: int) -> tuple[int, ...]:
    """The shape, or where it may become a record, whatever takes more digits."""
    return spec.shape if spec.encoding is None else max((spec.shape, (largest,)), key=lambda shape: len(str(shape)))


def _settled(encoding: str) -> str:
    """At least as long as the name that an encoding has once its transform is chosen."""
    return f"{encoding}{_LONGEST_TRANSFORM}" if "transform" in encoding or encoding.startswith("spectral") else encoding


def _longest_description(spec: TensorSpec) -> shard_metadata.Described:
    encoding = max((_settled(spec.encoding or ""), _LONGEST_FALLBACK), key=lambda text: len(msgspec.json.encode(text)))
    return shard_metadata.Described(spec.dtype, spec.shape, encoding)
