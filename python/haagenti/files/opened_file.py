"""`safe_open`, the tensors of an ``.hct`` or safetensors file one at a time, as the safetensors library's class of that name.

Not responsible for: file formats (`haagenti.files.tensor_file`), or which elements an index needs (`haagenti.files.slicing`).
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from types import TracebackType
from typing import Any

from haagenti.errors import InvalidArgumentError, UnsupportedError
from haagenti.files.stored_tensor import StoredTensor
from haagenti.files.tensor_file import TensorFile, missing, open_tensor_file

StrPath = str | os.PathLike[str]

# Where the functions `check_device`, `whole` and `part` of a framework are; loaded when a file is opened for it.
_ADAPTERS = {"np": "haagenti.files.arrays", "pt": "haagenti.torch.tensors"}
_FRAMEWORKS = {"np": "np", "numpy": "np", "pt": "pt", "torch": "pt", "pytorch": "pt"}


class safe_open:
    """Opens a file and returns its tensors as asked, compressed ones decoded.

    The methods are those of ``safetensors.safe_open`` 0.8. Every index that it accepts gives the same result; with numpy, negative
    bounds and steps, bounds past the end, and index arrays work too, as in numpy. Errors are ``haagenti.Error`` (``IndexError`` for
    an index) instead of ``SafetensorError``. In a file with compressed tensors, ``get_shape`` and ``get_dtype`` are those of the
    decoded tensor, and a slice decodes only the chunks that hold it.

    Example:
        >>> import tempfile, numpy as np, haagenti.numpy
        >>> path = os.path.join(tempfile.mkdtemp(), "a.hct")
        >>> haagenti.numpy.save_file({"w": np.arange(6, dtype="f4").reshape(2, 3)}, path)
        >>> with safe_open(path, framework="np") as f:
        ...     f.keys(), f.get_slice("w")[1, :2].tolist()
        (['w'], [3.0, 4.0])
    """

    def __init__(self, filename: StrPath, framework: str, device: Any = "cpu", *, backend: str = "mmap") -> None:
        """Opens the file and checks its headers.

        Args:
            filename: An ``.hct`` or safetensors file.
            framework: ``"pt"`` for torch tensors, ``"np"`` for numpy arrays (bf16 and fp8 as ``ml_dtypes`` has them).
            device: Where torch tensors shall be: a name, a number or a ``torch.device``.
            backend: ``"mmap"`` maps the file, ``"pread"`` reads tensor by tensor.

        Raises:
            InvalidArgumentError: An unknown device or backend.
            UnsupportedError: A framework other than torch and numpy, or another kind of file.
            CorruptError, TruncatedError: The file is damaged.
            OSError: The file cannot be opened.
        """
        if framework not in _FRAMEWORKS:
            raise UnsupportedError(f"framework: expected one of {', '.join(map(repr, _FRAMEWORKS))}, found {framework!r}")
        kind = _FRAMEWORKS[framework]
        self._name = os.fspath(filename)
        self._adapter = importlib.import_module(_ADAPTERS[kind])
        self._device = self._adapter.check_device(device)
        self._file: TensorFile | None = open_tensor_file(self._name, backend=backend, copy_on_write=kind == "pt")

    def keys(self) -> list[str]:
        """Names of the tensors, sorted."""
        return sorted(self._opened().names())

    def offset_keys(self) -> list[str]:
        """Names of the tensors in the order of their data."""
        return self._opened().names()

    def metadata(self) -> dict[str, str] | None:
        """The text metadata that the file was saved with, None when there is none. What describes the records is left out."""
        return dict(self._opened().metadata) or None

    def get_tensor(self, name: str) -> Any:
        """A whole tensor.

        Raises:
            InvalidArgumentError: There is no such tensor, or the file is closed.
            CorruptError, TruncatedError: Its record is damaged.
        """
        return self._adapter.whole(self._stored(name), self._device)

    def get_tensors(self) -> dict[str, Any]:
        """Every tensor by name, in the order of their data. Names that share a record share the tensor."""
        return load_all(self._opened(), lambda stored: self._adapter.whole(stored, self._device))

    def get_slice(self, name: str) -> TensorSlice:
        """A tensor to be indexed; it stays usable when the file is closed.

        Raises:
            InvalidArgumentError: There is no such tensor, or the file is closed.
            CorruptError, TruncatedError: Its record's header is damaged.
        """
        return TensorSlice(self._stored(name), self._adapter, self._device)

    def _opened(self) -> TensorFile:
        if self._file is None:
            raise InvalidArgumentError(f"{self._name}: expected an open file, found a closed one")
        return self._file

    def _stored(self, name: str) -> StoredTensor:
        file = self._opened()
        if name not in file:
            raise missing(name, file)
        return file.tensor(name)

    def __enter__(self) -> safe_open:
        self._opened()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file = None


def load_all(file: TensorFile, decode: Callable[[StoredTensor], Any]) -> dict[str, Any]:
    """Decodes every tensor of a file, in the order of the data; names that share their bytes share the tensor.

    Args:
        file: The file.
        decode: Makes an array of a stored tensor.
    """
    by_span: dict[tuple[int, int], Any] = {}
    tensors = {}
    for name in file.names():
        span = file.span(name)
        if span not in by_span or span[1] == 0:  # tensors without bytes may begin at the same place
            by_span[span] = decode(file.tensor(name))
        tensors[name] = by_span[span]
    return tensors


class TensorSlice:
    """What ``safe_open.get_slice`` returns: a tensor that is read when it is indexed."""

    def __init__(self, stored: StoredTensor, adapter: Any, device: Any) -> None:
        """Keeps the tensor and how to make arrays of it."""
        self._stored, self._adapter, self._device = stored, adapter, device

    def get_shape(self) -> list[int]:
        """Elements along each axis."""
        return list(self._stored.shape)

    def get_dtype(self) -> str:
        """The element type as safetensors spells it, such as ``"BF16"``."""
        return self._stored.dtype

    def __getitem__(self, index: Any) -> Any:
        """The part of the tensor that the framework's own indexing would give.

        Raises:
            IndexError: ``index`` does not fit the shape.
            CorruptError: A chunk is damaged.
        """
        return self._adapter.part(self._stored, index, self._device)
