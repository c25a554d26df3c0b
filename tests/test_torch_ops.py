"""haagenti::linear, CompressedLinear and the pure-torch decoder against each other and against a dense product.

Not responsible for: the encodings' own tests, or models (test_hf_loading.py).
"""

from __future__ import annotations

import copy
import io
import pickle

import pytest

torch = pytest.importorskip("torch")

import haagenti  # noqa: E402
import haagenti.torch  # noqa: E402
from haagenti.torch import ops  # noqa: E402
from haagenti.torch.modules import CompressedLinear  # noqa: E402
from haagenti.torch.reference import decode_reference  # noqa: E402

DTYPES = (torch.float32, torch.bfloat16, torch.float16)
LOSSY = ("int8", "int8(group_size=32)", "int4", "int4(group_size=128)")
ENCODINGS = (*LOSSY, "raw", 'raw(codec="none")')
TRANSFORMED = (
    "int4(transform=hadamard)",
    'int8(transform="hadamard(8, seed=5)")',
    "int8(transform=block_dct(32))",
    "int4(transform=dct_rows)",
    "int8(transform=dct_2d)",
    "spectral(transform=identity)",
    "spectral(transform=block_dct(16))",
    "spectral(bits_per_weight=6, transform=hadamard)",
)
TRANSFORMED_SHAPES = ((1, 8), (5, 40), (33, 200), (0, 8), (4, 0), (700, 1024))
# (rows, columns): around groups, nibble pairs and chunks; the last three have several chunks, a row cut in chunks, several tiles
SHAPES = ((1, 1), (3, 31), (5, 33), (17, 64), (33, 200), (0, 8), (4, 0), (700, 1024), (20, 140_000), (1100, 2050))


def tensor_of(record):
    return torch.frombuffer(bytearray(record.data), dtype=torch.uint8)


def encoded(rows, cols, encoding, dtype=torch.float32, seed=0):
    weight = torch.randn(rows, cols, generator=torch.Generator().manual_seed(seed)).to(dtype)
    return haagenti.torch.encode(weight, encoding, name="w")


def close(found, expected):
    """Equal up to the order of the sums: a few roundings of the dtype, scaled by the largest output."""
    eps = torch.finfo(found.dtype).eps
    scale = expected.abs().max().item() if expected.numel() else 0.0
    torch.testing.assert_close(found, expected, rtol=4 * eps, atol=4 * eps * scale)


@pytest.mark.parametrize("encoding", LOSSY)
@pytest.mark.parametrize("dtype", DTYPES)
def test_reference_agrees_with_core(encoding, dtype):
    for rows, cols in SHAPES:
        record = encoded(rows, cols, encoding, dtype)
        assert record.encoding.startswith(encoding[:4])
        assert torch.equal(decode_reference(tensor_of(record)), haagenti.torch.decode(record)), (rows, cols)


def test_reference_undoes_the_permutation():
    record = haagenti.torch.encode(torch.randn(40, 24), "int4", matrix="transposed")
    assert torch.equal(decode_reference(tensor_of(record)), haagenti.torch.decode(record))
    flat = haagenti.torch.encode(torch.randn(7, 5, 3), "int4(group_axis=flat)")
    assert torch.equal(decode_reference(tensor_of(flat)), haagenti.torch.decode(flat))


def test_reference_refuses_what_it_does_not_know():
    with pytest.raises(haagenti.UnsupportedError, match="quantiser"):
        decode_reference(tensor_of(encoded(3, 4, "raw")))
    with pytest.raises(haagenti.UnsupportedError, match="transform"):
        decode_reference(tensor_of(encoded(3, 64, "int4(transform=hadamard)")))


@pytest.mark.parametrize("encoding", TRANSFORMED)
@pytest.mark.parametrize("dtype", DTYPES)
def test_transformed_linear_equals_dense(encoding, dtype):
    """The activations are transformed in place of the weights: the same product up to the rounding of the transformed inputs."""
    for rows, cols in TRANSFORMED_SHAPES:
        weight = torch.randn(rows, cols) + 0.5
        record = haagenti.torch.encode(weight, encoding, name="w")
        x, bias = torch.randn(2, 3, cols).to(dtype), torch.randn(rows).to(dtype)
        gradient = torch.randn(2, 3, rows).to(dtype)
        dense = haagenti.torch.decode(record)
        found = ops.linear(x, tensor_of(record), bias, rows, "w")
        back = ops.linear_input_gradient(gradient, tensor_of(record), cols, "w")
        assert (found.dtype, back.dtype) == (dtype, dtype)
        tolerance = 16 * torch.finfo(dtype).eps
        for one, expected in ((found, torch.nn.functional.linear(x.float(), dense, bias.float())), (back, gradient.float() @ dense)):
            assert one.shape == expected.shape
            scale = expected.abs().max().item() if expected.numel() else 0.0
            torch.testing.assert_close(one.float(), expected, rtol=tolerance, atol=tolerance * scale)


@pytest.mark.parametrize("encoding", ["int8(transform=dct_rows)", "int8(transform=dct_2d)", "int8(transform=block_dct(64))"])
def test_transformed_float16_does_not_overflow(encoding):
    """A transform gathers what is smooth into few large values, beyond float16; the product itself is not."""
    record = haagenti.torch.encode((torch.randn(256, 4096) * 0.02).half(), encoding)
    dense = haagenti.torch.decode(record)
    x, gradient = torch.full((1, 4096), 1500.0).half(), torch.full((1, 256), 1500.0).half()
    expected = torch.nn.functional.linear(x.float(), dense.float())
    torch.testing.assert_close(
        ops.linear(x, tensor_of(record), None, 256, "w").float(), expected, rtol=1e-2, atol=1e-2 * expected.abs().max().item()
    )
    assert ops.linear_input_gradient(gradient, tensor_of(record), 4096, "w").isfinite().all()


def test_transformed_linear_learns():
    """Gradients reach input and bias through a transformed record."""
    record = haagenti.torch.encode(torch.randn(24, 64), "int8(transform=hadamard)")
    x, bias = torch.randn(3, 64, requires_grad=True), torch.randn(24, requires_grad=True)
    ops.linear(x, tensor_of(record), bias, 24, "w").sum().backward()
    torch.testing.assert_close(x.grad, haagenti.torch.decode(record).sum(0).expand(3, -1), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(bias.grad, torch.full((24,), 3.0))


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_linear_equals_dense(encoding, dtype):
    for rows, cols in SHAPES:
        record = encoded(rows, cols, encoding, torch.bfloat16)
        dense = haagenti.torch.decode(record).to(dtype)
        x, bias = torch.randn(3, cols).to(dtype), torch.randn(rows).to(dtype)
        found = ops.linear(x, tensor_of(record), bias, rows, "w")
        expected = torch.nn.functional.linear(x, dense, bias)
        assert found.dtype == dtype
        one_tile = rows <= ops._tile_rows(record.view)
        assert torch.equal(found, expected) if one_tile else True, (rows, cols)
        close(found, expected)


def test_shapes_reach_several_tiles_and_chunks():
    views = [encoded(rows, cols, "int4", torch.bfloat16).view for rows, cols in SHAPES]
    assert any(view.n_rows > ops._tile_rows(view) for view in views)
    assert any(0 < view.n_rows <= ops._tile_rows(view) and view.n_chunks > 1 for view in views)
    assert any(view.chunk_cols < view.row_length for view in views)


@pytest.mark.parametrize("shape", [(64,), (1, 64), (2, 3, 64), (2, 0, 64), (0, 64), (2, 1, 3, 64)])
def test_linear_takes_any_leading_shape(shape):
    record = encoded(10, 64, "int4")
    x = torch.randn(shape)
    found = ops.linear(x, tensor_of(record), None, 10)
    assert found.shape == (*shape[:-1], 10)
    assert torch.equal(found, torch.nn.functional.linear(x, haagenti.torch.decode(record)))


def test_linear_takes_strided_input():
    record = encoded(10, 64, "int8")
    x = torch.randn(64, 5, 3).permute(2, 1, 0)
    close(ops.linear(x, tensor_of(record), None, 10), torch.nn.functional.linear(x, haagenti.torch.decode(record)))


def test_never_the_whole_matrix(monkeypatch):
    record = encoded(1100, 2050, "int4", torch.bfloat16)
    asked = []
    real = ops._tiles

    def tiles(view, dtype):
        for start, stop, tile in real(view, dtype):
            asked.append(tile.numel())
            yield start, stop, tile

    monkeypatch.setattr(ops, "_tiles", tiles)
    ops.linear(torch.randn(1, 2050), tensor_of(record), None, 1100)
    assert len(asked) > 1
    assert max(asked) <= ops.TILE_ELEMENTS
    assert sum(asked) == record.n_elements


@pytest.mark.parametrize("rows_cols", [(10, 64), (1100, 2050)])
def test_gradients_reach_input_and_bias(rows_cols):
    rows, cols = rows_cols
    record = encoded(rows, cols, "int4")
    x, bias = torch.randn(2, 3, cols, requires_grad=True), torch.randn(rows, requires_grad=True)
    (ops.linear(x, tensor_of(record), bias, rows) ** 2).sum().backward()
    y, other = x.detach().clone().requires_grad_(), bias.detach().clone().requires_grad_()
    (torch.nn.functional.linear(y, haagenti.torch.decode(record), other) ** 2).sum().backward()
    torch.testing.assert_close(x.grad, y.grad, rtol=1e-4, atol=1e-2)
    torch.testing.assert_close(bias.grad, other.grad, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize(("encoding", "rows_cols"), [("int8", (10, 64)), ("raw", (10, 64)), ("int4", (10, 64)), ("int4", (1100, 2050))])
def test_opcheck(encoding, rows_cols):
    rows, cols = rows_cols
    record = tensor_of(encoded(rows, cols, encoding))
    for dtype in DTYPES if rows == 10 else (torch.float32,):
        x = torch.randn(2, 3, cols, dtype=dtype, requires_grad=True)
        bias = torch.randn(rows, dtype=dtype, requires_grad=True)
        # several tiles sum the gradient in another order than autograd would
        tolerances = {"rtol": 1e-3, "atol": 1e-3} if rows > 10 else {}
        torch.library.opcheck(ops.linear, (x, record, bias, rows, "w"), **tolerances)
        torch.library.opcheck(ops.linear, (x.detach(), record, None, rows), **tolerances)
        torch.library.opcheck(ops.linear_input_gradient, (torch.randn(4, rows, dtype=dtype), record, cols, "w"), **tolerances)


def test_linear_compiles_to_one_graph():
    layer = CompressedLinear.from_record(encoded(10, 64, "int4"))
    x = torch.randn(2, 64)
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(x), layer(x))


def test_linear_ignores_autocast():
    record = encoded(10, 64, "int4")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert ops.linear(torch.randn(2, 64), tensor_of(record), None, 10).dtype == torch.float32


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"x": torch.zeros(2, 63)}, haagenti.InvalidArgumentError, "matrix: expected 10 x 63, found 10 x 64"),
        ({"out_features": 11}, haagenti.InvalidArgumentError, "matrix: expected 11 x 64, found 10 x 64"),
        ({"x": torch.zeros(2, 64, dtype=torch.float64)}, haagenti.InvalidArgumentError, "input: expected float32"),
        ({"x": torch.zeros(2, 64, dtype=torch.uint8)}, haagenti.InvalidArgumentError, "input: expected float32"),
        ({"x": torch.tensor(1.0)}, haagenti.InvalidArgumentError, "with an axis"),
        ({"record": torch.zeros(2, 64)}, haagenti.InvalidArgumentError, "1-D uint8"),
        ({"record": torch.zeros(256, dtype=torch.uint8)}, haagenti.CorruptError, "HGTR"),
        ({"bias": torch.zeros(9)}, haagenti.InvalidArgumentError, "bias of tensor 'blocks.0.w'"),
        ({"bias": torch.zeros(10, dtype=torch.float16)}, haagenti.InvalidArgumentError, "bias of tensor 'blocks.0.w'"),
    ],
)
def test_errors_name_the_tensor(change, error, message):
    arguments = {"x": torch.zeros(2, 64), "record": tensor_of(encoded(10, 64, "int4")), "bias": None, "out_features": 10, **change}
    with pytest.raises(error, match=message) as caught:
        ops.linear(*arguments.values(), "blocks.0.w")
    assert "'blocks.0.w'" in str(caught.value)


def test_damaged_records_are_refused():
    good = tensor_of(encoded(100, 64, "int4"))
    for position in range(0, good.numel(), 97):
        bad = good.clone()
        bad[position] ^= 0x10
        if position >= good.numel() - 64:
            continue  # the padding at the end is only looked at by verify
        with pytest.raises(haagenti.Error, match=r"'blocks\.0\.w'"):
            ops.linear(torch.zeros(1, 64), bad, None, 100, "blocks.0.w")
    with pytest.raises(haagenti.TruncatedError, match=r"'blocks\.0\.w'"):
        ops.linear(torch.zeros(1, 64), good[:-64], None, 100, "blocks.0.w")


def test_integer_records_are_refused():
    record = haagenti.torch.encode(torch.ones(10, 64, dtype=torch.int32), "raw")
    with pytest.raises(haagenti.UnsupportedError, match="I32"):
        ops.linear(torch.zeros(1, 64), tensor_of(record), None, 10)


def test_flat_records_are_refused():
    record = haagenti.torch.encode(torch.ones(10, 64), "int4(group_axis=flat)")
    with pytest.raises(haagenti.InvalidArgumentError, match="matrix: expected 10 x 64, found 1 x 640"):
        ops.linear(torch.zeros(1, 64), tensor_of(record), None, 10)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_other_devices_are_refused():
    layer = CompressedLinear.from_record(encoded(10, 64, "int4")).cuda()
    with pytest.raises(haagenti.UnsupportedError, match="device: expected cpu"):
        layer(torch.zeros(1, 64, device="cuda"))


# --- CompressedLinear


def test_layer_keeps_the_record_through_casts():
    record = encoded(10, 64, "int4", torch.bfloat16)
    layer = CompressedLinear.from_record(record, torch.nn.Parameter(torch.randn(10, dtype=torch.bfloat16)))
    for dtype in ("half", "double", "bfloat16", torch.float32, torch.float16, "float"):
        getattr(layer, dtype)() if isinstance(dtype, str) else layer.to(dtype) and layer.type(dtype)
        assert layer.weight.dtype == torch.uint8
        assert bytes(layer.weight.numpy()) == bytes(record.data)
    assert layer.bias.dtype == torch.float32
    x = torch.randn(3, 64)
    dense = haagenti.torch.decode(record).float()
    assert torch.equal(layer(x), torch.nn.functional.linear(x, dense, layer.bias))
    assert torch.equal(layer.dense_weight(), haagenti.torch.decode(record))
    assert torch.equal(layer.dense_weight(torch.float32), dense)


def test_layer_state_is_the_record():
    record = encoded(10, 64, "int8")
    layer = CompressedLinear.from_record(record)
    assert {name: t.dtype for name, t in layer.state_dict().items()} == {"weight": torch.uint8}
    assert [*layer.parameters()] == []
    stream = io.BytesIO()
    torch.save(layer.state_dict(), stream)
    stream.seek(0)
    other = CompressedLinear.from_record(encoded(10, 64, "int4", seed=1))  # a record of another size for the same matrix
    other.load_state_dict(torch.load(stream, weights_only=True))
    assert other.record.encoding == record.encoding
    x = torch.randn(1, 64)
    for twin in (other, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(twin(x), layer(x))
        twin.check()


def test_layer_checks_its_record():
    layer = CompressedLinear(tensor_of(encoded(10, 64, "int4")), in_features=64, out_features=11, name="blocks.0.w")
    with pytest.raises(haagenti.CorruptError, match=r"'blocks.0.w': matrix: expected 11 x 64, found 10 x 64"):
        layer.check()
    with pytest.raises(haagenti.InvalidArgumentError, match="1-D uint8"):
        CompressedLinear(torch.zeros(3, 4), in_features=4, out_features=3)


def test_layer_says_what_it_is():
    record = encoded(10, 64, "int4")
    assert "in_features=64, out_features=10, bias=False, int4(group_size=32), " in repr(CompressedLinear.from_record(record))
    empty = CompressedLinear(torch.empty(record.n_bytes, dtype=torch.uint8, device="meta"), in_features=64, out_features=10)
    assert repr(empty) == "CompressedLinear(in_features=64, out_features=10, bias=False)"


def test_layer_of_a_transposed_weight():
    weight = torch.randn(64, 10)  # as GPT-2's Conv1D keeps it: (in, out)
    layer = CompressedLinear.from_record(haagenti.torch.encode(weight, "int8", matrix="transposed"))
    assert (layer.in_features, layer.out_features) == (64, 10)
    dense = layer.dense_weight()
    assert dense.shape == (64, 10)
    x = torch.randn(3, 64)
    close(layer(x), x @ dense)
