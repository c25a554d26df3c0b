"""safetensors files: what the writer writes the library reads, and what is cut, flipped or lying the reader refuses.

The oracle is the safetensors library: a file that it refuses, the reader refuses too.
"""

from __future__ import annotations

import json
import struct
import tracemalloc

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from haagenti import dtypes
from haagenti.errors import CorruptError, Error, InvalidArgumentError, TruncatedError
from haagenti.files.byte_source import PreadSource, open_source
from haagenti.files.safetensors_file import SafetensorsReader, SafetensorsWriter, TensorSpec, header_size

ENTRY = '{"dtype":"F32","shape":[4],"data_offsets":[0,16]}'


def file_of(header: str | bytes, data: bytes = bytes(16), n: int | None = None) -> bytes:
    raw = header.encode() if isinstance(header, str) else header
    return struct.pack("<Q", len(raw) if n is None else n) + raw + data


def tensors() -> dict[str, np.ndarray]:
    return {
        "weight": np.arange(12, dtype=np.float32).reshape(3, 4),
        "ids": np.array([1, -2, 3], np.int64),
        "flag": np.array([True, False, True]),
        "scalar": np.array(2.5, np.float16),
        "empty": np.zeros((0, 7), np.uint8),
        'a "quoted"\n name/é': np.array([7], np.uint8),
    }


def test_reads_what_the_library_writes(tmp_path):
    path = tmp_path / "a.safetensors"
    safetensors.numpy.save_file(tensors(), path, metadata={"format": "np", "k": "ü"})
    for source in (path, str(path), path.read_bytes(), PreadSource(path)):
        reader = SafetensorsReader(source)
        assert reader.metadata == {"format": "np", "k": "ü"}
        assert sorted(reader.names()) == sorted(tensors())
        offsets = [reader.info(name).offset for name in reader.names()]
        assert offsets == sorted(offsets)
        for name, array in tensors().items():
            info = reader.info(name)
            assert (dtypes.to_numpy(info.dtype), info.shape, info.n_bytes) == (array.dtype, array.shape, array.nbytes)
            assert bytes(reader.raw(name)) == array.tobytes()


def test_views_outlive_the_reader_and_are_read_only(tmp_path):
    path = tmp_path / "a.safetensors"
    safetensors.numpy.save_file(tensors(), path)
    with SafetensorsReader(path) as reader:
        view = reader.raw("weight")
    assert view.readonly
    assert np.frombuffer(view, "<f4")[5] == 5
    with pytest.raises(InvalidArgumentError, match="closed"):
        reader.raw("weight")


def test_unknown_name_is_named(tmp_path):
    reader = SafetensorsReader(safetensors.numpy.save(tensors()))
    with pytest.raises(InvalidArgumentError, match="'nope'"):
        reader.info("nope")


def test_copy_on_write_stays_private(tmp_path):
    path = tmp_path / "a.safetensors"
    safetensors.numpy.save_file(tensors(), path)
    before = path.read_bytes()
    reader = SafetensorsReader(open_source(path, copy_on_write=True))
    reader.raw("weight")[0] = 255
    assert path.read_bytes() == before


@pytest.mark.parametrize("dtype", dtypes.names())
def test_every_dtype(tmp_path, dtype):
    data = bytes(range(48))
    shape = (48 * 8 // dtypes.bits(dtype) // 2, 2)
    path = tmp_path / "a.safetensors"
    with SafetensorsWriter(path, header_size=header_size([TensorSpec("t", dtype, shape)])) as writer:
        writer.append("t", data, dtype=dtype, shape=shape)
    reader = SafetensorsReader(path)
    assert (reader.info("t").dtype, reader.info("t").shape, bytes(reader.raw("t"))) == (dtype, shape, data)
    opened = safetensors.safe_open(path, "np")
    assert (opened.get_slice("t").get_dtype(), opened.get_slice("t").get_shape()) == (dtype, list(shape))


# --- refused ---------------------------------------------------------------------------------------------------------------------------

HUGE = 2**62
REFUSED = {
    "empty": (b"", TruncatedError, "header size"),
    "shorter than the size": (b"1234567", TruncatedError, "expected 8 bytes, found 7"),
    "header too large": (file_of("{}", n=100_000_001), CorruptError, "at most 100000000, found 100000001"),
    "header size of all ones": (b"\xff" * 16, CorruptError, "header size"),
    "header past the end": (file_of("{}", b"", n=3), TruncatedError, "expected 3 bytes.*found 2"),
    "no header": (file_of("", b""), CorruptError, "JSON object"),
    "array": (file_of("[]"), CorruptError, "JSON object"),
    "leading space": (file_of(f' {{"a":{ENTRY}}}'), CorruptError, "JSON object"),
    "trailing zero": (file_of(f'{{"a":{ENTRY}}}\0'), CorruptError, "JSON object"),
    "trailing text": (file_of(f'{{"a":{ENTRY}}}x'), CorruptError, "JSON object"),
    "not UTF-8": (file_of(b'{"\xff":' + ENTRY.encode() + b"}"), CorruptError, "JSON object"),
    "not UTF-8 in an unknown field": (
        file_of(b'{"a":{"dtype":"F32","x":"\xff","shape":[4],"data_offsets":[0,16]}}'),
        CorruptError,
        "JSON object",
    ),
    "lone surrogate": (file_of(rf'{{"\ud800":{ENTRY}}}'), CorruptError, "surrogate"),
    "NaN": (file_of('{"a":{"dtype":"F32","x":NaN,"shape":[4],"data_offsets":[0,16]}}'), CorruptError, "JSON object"),
    "deep": (file_of('{"a":' + "[" * 100_000 + "]" * 100_000 + "}"), CorruptError, "JSON object|expected dtype"),
    "tensor twice": (file_of(f'{{"a":{ENTRY},"a":{ENTRY}}}'), CorruptError, "'a' twice"),
    "field twice": (file_of('{"a":{"dtype":"F32","dtype":"I32","shape":[4],"data_offsets":[0,16]}}'), CorruptError, "'dtype' twice"),
    "metadata twice": (file_of(f'{{"__metadata__":{{}},"__metadata__":{{}},"a":{ENTRY}}}'), CorruptError, "'__metadata__' twice"),
    "metadata key twice": (file_of(f'{{"__metadata__":{{"k":"1","k":"2"}},"a":{ENTRY}}}'), CorruptError, "'k' twice"),
    "metadata number": (file_of(f'{{"__metadata__":{{"k":1}},"a":{ENTRY}}}'), CorruptError, "__metadata__.*`str`, got `int`"),
    "metadata list": (file_of(f'{{"__metadata__":[],"a":{ENTRY}}}'), CorruptError, "__metadata__"),
    "entry is a list": (file_of('{"a":["F32",[4],[0,16]]}'), CorruptError, "'a'"),
    "no shape": (file_of('{"a":{"dtype":"F32","data_offsets":[0,16]}}'), CorruptError, "'a'.*`shape`"),
    "unknown dtype": (file_of('{"a":{"dtype":"F33","shape":[4],"data_offsets":[0,16]}}'), CorruptError, "'a'.*dtype.*BF16.*'F33'"),
    "lower case": (file_of('{"a":{"dtype":"f32","shape":[4],"data_offsets":[0,16]}}'), CorruptError, "'f32'"),
    "float extent": (file_of('{"a":{"dtype":"F32","shape":[4.0],"data_offsets":[0,16]}}'), CorruptError, r"'a'.*`float`.*shape\[0\]"),
    "boolean extent": (file_of('{"a":{"dtype":"F32","shape":[true],"data_offsets":[0,4]}}', bytes(4)), CorruptError, "`bool`"),
    "negative extent": (file_of('{"a":{"dtype":"F32","shape":[-4],"data_offsets":[0,16]}}'), CorruptError, "shape"),
    "enormous extent": (file_of(f'{{"a":{{"dtype":"F32","shape":[{"9" * 5000}],"data_offsets":[0,16]}}}}'), CorruptError, "JSON|shape"),
    "three offsets": (file_of('{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16,16]}}'), CorruptError, "data_offsets"),
    "negative offset": (file_of('{"a":{"dtype":"F32","shape":[4],"data_offsets":[-16,0]}}'), CorruptError, "data_offsets"),
    "backwards": (file_of('{"a":{"dtype":"F32","shape":[0],"data_offsets":[8,4]}}'), CorruptError, "data_offsets"),
    "overlap": (file_of(f'{{"a":{ENTRY},"b":{ENTRY}}}'), CorruptError, "'b'.*begin at 16.*found \\[0, 16\\]"),
    "hole": (
        file_of('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}'),
        CorruptError,
        "'b'.*begin at 8.*found \\[12, 16\\]",
    ),
    "hole at the beginning": (file_of('{"a":{"dtype":"F32","shape":[3],"data_offsets":[4,16]}}'), CorruptError, "begin at 0"),
    "shape too large": (file_of('{"a":{"dtype":"F32","shape":[5],"data_offsets":[0,16]}}'), CorruptError, "expected 20 bytes.*found 16"),
    "shape too small": (file_of('{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,16]}}'), CorruptError, "expected 12 bytes.*found 16"),
    "product overflows": (file_of(f'{{"a":{{"dtype":"F32","shape":[{HUGE},4],"data_offsets":[0,16]}}}}'), CorruptError, "2\\*\\*63 bits"),
    "product overflows before a zero": (
        file_of(f'{{"a":{{"dtype":"F32","shape":[{HUGE},4,0],"data_offsets":[0,0]}}}}', b""),
        CorruptError,
        "2\\*\\*63 bits",
    ),
    "half a byte": (file_of('{"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}', bytes(2)), CorruptError, "whole number of bytes"),
    "six bits": (file_of('{"a":{"dtype":"F6_E2M3","shape":[3],"data_offsets":[0,3]}}', bytes(3)), CorruptError, "whole number of bytes"),
    "bytes after the last tensor": (file_of('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'), CorruptError, "file size"),
    "bytes without tensors": (file_of("{}"), CorruptError, "file size"),
    "data cut": (file_of(f'{{"a":{ENTRY}}}', bytes(15)), TruncatedError, "file size: expected 79 bytes.*found 78"),
    "data of exabytes": (
        file_of(f'{{"a":{{"dtype":"U8","shape":[{HUGE // 8}],"data_offsets":[0,{HUGE // 8}]}}}}'),
        TruncatedError,
        "file size",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused_with_the_reason(tmp_path, case):
    data, kind, message = REFUSED[case]
    path = tmp_path / "bad.safetensors"
    path.write_bytes(data)
    tracemalloc.start()
    try:
        for source in (data, path) if data else (path,):
            with pytest.raises(kind, match=message if data else "empty file") as caught:
                SafetensorsReader(source)
            assert ("bad.safetensors" if source is path else "buffer") in str(caught.value)
        assert tracemalloc.get_traced_memory()[1] < 20 * len(data) + 1_000_000  # no allocation beyond what the file's size justifies
    finally:
        tracemalloc.stop()


def test_accepted_as_the_library_does():
    padded = SafetensorsReader(file_of(f'{{"a":{ENTRY}}}\n\t  '))
    assert padded.info("a").shape == (4,)
    assert SafetensorsReader(file_of(f'{{"__metadata__":null,"a":{ENTRY}}}')).metadata == {}
    assert SafetensorsReader(file_of('{"a":{"dtype":"F32","x":[{}],"shape":[4],"data_offsets":[0,16]}}')).names() == ["a"]
    assert SafetensorsReader(file_of("{}", b"")).names() == []
    assert SafetensorsReader(file_of(r'{"\u0061":' + ENTRY + "}")).names() == ["a"]


def test_every_truncation_is_refused():
    whole = safetensors.numpy.save(tensors(), metadata={"k": "v"})
    for size in range(len(whole)):
        with pytest.raises((TruncatedError, CorruptError)):
            SafetensorsReader(whole[:size])
    with pytest.raises(CorruptError, match="file size"):
        SafetensorsReader(whole + b"\0")


def compare_with_library(data: bytes) -> None:
    """What the reader accepts the library accepts, with the same tensors."""
    try:
        reader = SafetensorsReader(data)
    except Error:
        return
    theirs = {name: (view["dtype"], tuple(view["shape"]), bytes(view["data"])) for name, view in safetensors.deserialize(data)}
    assert {name: (reader.info(name).dtype, reader.info(name).shape, bytes(reader.raw(name))) for name in reader.names()} == theirs


def test_every_bit_flip_in_the_header_agrees_with_the_library():
    whole = safetensors.numpy.save({"w": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.zeros(3, np.int8)}, metadata={"k": "v"})
    for position in range(8 + int.from_bytes(whole[:8], "little")):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[position] ^= 1 << bit
            compare_with_library(bytes(damaged))


SYMBOLS = "{}[],: \n"
WORDS = ["null", "true", "0", "4", "16", "-1", "1.0", str(2**63), str(2**64), ENTRY]
STRINGS = ["a", "b", "k", "F32", "U8", "dtype", "shape", "data_offsets", "__metadata__"]
FRAGMENT = st.sampled_from([*SYMBOLS, *WORDS, *(f'"{text}"' for text in STRINGS)])


@settings(max_examples=300, deadline=None)
@given(st.lists(FRAGMENT, max_size=14), st.integers(0, 20))
def test_random_headers_agree_with_the_library(fragments, n_data):
    compare_with_library(file_of("".join(fragments), bytes(n_data)))
    compare_with_library(file_of('{"a":' + "".join(fragments) + "}", bytes(n_data)))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_lying_fields_agree_with_the_library(data):
    numbers = st.sampled_from([0, 1, 2, 3, 4, 8, 12, 16, 20, 24, 2**31, 2**32, 2**61, 2**62, 2**63 - 1])
    entries = {
        name: {
            "dtype": data.draw(st.sampled_from(["F32", "U8", "F4", "F6_E3M2", "F64", "BOOL"])),
            "shape": data.draw(st.lists(numbers, max_size=3)),
            "data_offsets": [data.draw(numbers), data.draw(numbers)],
        }
        for name in data.draw(st.lists(st.sampled_from(["a", "b", "c"]), unique=True))
    }
    compare_with_library(file_of(json.dumps(entries), bytes(data.draw(st.sampled_from([0, 8, 16, 24])))))


def test_directory_and_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        SafetensorsReader(tmp_path / "none.safetensors")
    with pytest.raises(IsADirectoryError):
        SafetensorsReader(tmp_path)
