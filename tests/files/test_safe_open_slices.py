"""Slices of `safe_open`: those of safetensors.safe_open where it answers, of numpy and torch otherwise, from any layout of the record."""

from __future__ import annotations

import numpy as np
import pytest
import safetensors
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import ARRAYS, ODD, RNG, WIDE, assert_same, outcome

import haagenti
import haagenti.numpy
from haagenti import _core
from haagenti.errors import CorruptError
from haagenti.files.slicing import plan_block

torch = pytest.importorskip("torch")


bounds = st.none() | st.integers(-8, 8)
basic = st.integers(-7, 6) | st.builds(slice, bounds, bounds, st.none() | st.integers(1, 3)) | st.just(...) | st.none()
fancy = basic | st.lists(st.integers(-4, 3), max_size=3) | st.builds(slice, bounds, bounds, st.integers(-3, -1)) | st.booleans()
indices = st.one_of(fancy, st.lists(basic, max_size=5).map(tuple), st.lists(fancy, max_size=5).map(tuple))
names = st.sampled_from(sorted(ARRAYS))


@settings(max_examples=500, deadline=None)
@given(names, indices)
def test_numpy_slices_agree(folder, name, index):
    """Where the library answers, the same answer; elsewhere numpy's answer or its kind of error."""
    kind, expected = outcome(lambda: ARRAYS[name][index])
    library, theirs = outcome(lambda: safetensors.safe_open(folder / "plain.safetensors", "np").get_slice(name)[index])
    for file in ("plain.safetensors", "raw.hct"):
        found_kind, found = outcome(lambda file=file: haagenti.safe_open(folder / file, "np").get_slice(name)[index])
        assert found_kind == kind, found
        if kind == "error":
            assert isinstance(found, (IndexError, ValueError))
            continue
        assert_same(found, np.asarray(expected))
        if library == "value" and not has_boolean(index):
            assert_same(found, theirs)


def has_boolean(index) -> bool:
    """The library takes True for 1 with numpy, where numpy adds an axis."""
    return any(isinstance(item, bool) for item in (index if isinstance(index, tuple) else (index,)))


@settings(max_examples=500, deadline=None)
@given(names, indices)
def test_torch_slices_agree(folder, name, index):
    kind, expected = outcome(lambda: safetensors.safe_open(folder / "plain.safetensors", "pt").get_slice(name)[index])
    for file in ("plain.safetensors", "raw.hct"):
        found_kind, found = outcome(lambda file=file: haagenti.safe_open(folder / file, "pt").get_slice(name)[index])
        assert found_kind == kind, found
        if kind == "value":
            assert_same(found, expected)
            assert found.is_contiguous()
        else:
            assert isinstance(found, (IndexError, ValueError, TypeError, RuntimeError))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([name for name, _ in ODD]), indices)
def test_permuted_and_flat_records_agree(folder, name, index):
    array = ARRAYS[name.split()[0]]
    kind, expected = outcome(lambda: array[index])
    found_kind, found = outcome(lambda: haagenti.safe_open(folder / "odd.hct", "np").get_slice(name)[index])
    assert found_kind == kind, found
    if kind == "value":
        assert_same(found, np.asarray(expected))
    torch_kind, expected = outcome(lambda: torch.from_numpy(array)[index])
    found_kind, found = outcome(lambda: haagenti.safe_open(folder / "odd.hct", "pt").get_slice(name)[index])
    assert found_kind == torch_kind, found
    if torch_kind == "value":
        assert_same(found, expected)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(WIDE)), indices)
def test_lossy_slices_are_slices_of_the_whole(folder, name, index):
    with haagenti.safe_open(folder / "shard.safetensors", "np") as file:
        whole, part = file.get_tensor(name), file.get_slice(name)
        kind, expected = outcome(lambda: whole[index])
        found_kind, found = outcome(lambda: part[index])
        assert found_kind == kind
        if kind == "value":
            assert_same(found, np.asarray(expected))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(0, 5), max_size=4), st.data())
def test_blocks_are_runs_of_the_matrix(shape, data):
    shape = tuple(shape)
    perm = tuple(data.draw(st.permutations(range(len(shape)))))
    index = data.draw(st.lists(basic, max_size=5).map(tuple))
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    kind, expected = outcome(lambda: array[index])
    planned, result = outcome(lambda: plan_block(shape, perm, index))
    if kind == "error":
        assert planned == "error" or outcome(lambda: array[result[1]])[0] == "error"
        return
    block, rest = result
    stored = array.transpose(perm).reshape(-1)[block.start : block.stop]
    assert np.array_equal(block.arrange(stored)[rest], expected)
    if expected.size == 0 and array.size:
        assert block.start == block.stop or rest == index


def test_index_errors_name_the_tensor(folder):
    with pytest.raises(IndexError, match=r"matrix.*axis 1 of size 5, found 9"):
        haagenti.safe_open(folder / "raw.hct", "np").get_slice("matrix")[0, 9]
    with pytest.raises(IndexError, match=r"matrix.*at most 2 indices"):
        haagenti.safe_open(folder / "plain.safetensors", "pt").get_slice("matrix")[0, 0, 0]


def test_a_slice_decodes_only_its_chunks(tmp_path):
    """A damaged chunk is found by the slices that need it, and by no other."""
    array = RNG.normal(size=(2048, 512)).astype(np.float32)  # 4 MiB: four chunks
    record = haagenti.encode(array, 'raw(codec="none")')
    assert record.view.n_chunks > 2
    damaged = bytearray(record.data)
    damaged[-1] ^= 1  # in the last chunk
    path = tmp_path / "a.hct"
    writer = _core.HctWriter(path, {}, overwrite=True)
    writer.append("w", damaged)
    writer.finish()
    last = (record.view.n_chunks - 1) * record.view.chunk_rows
    for framework in ("np", "pt"):
        part = haagenti.safe_open(path, framework).get_slice("w")
        assert np.array_equal(np.asarray(part[:last]), array[:last])
        assert np.array_equal(np.asarray(part[last - 1, 5:9]), array[last - 1, 5:9])
        for index in (slice(None), slice(last, None), -1, (slice(None), 0), (2047, 511)):
            with pytest.raises(CorruptError, match=r"a\.hct: tensor 'w'.*checksum"):
                part[index]
