"""Every ONNX operator that is read, against onnxruntime in float64: attributes, defaults, and how versions differ."""

import re
import zlib

import numpy as np
import pytest

import creases
from creases.errors import UnsupportedModelError

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from onnx_models import assert_same, model_of  # noqa: E402

RNG = np.random.default_rng(3)


def numbers(*shape):
    return RNG.standard_normal(shape)


def ints(*values):
    return np.array(values, dtype=np.int64)


IMAGE, LINE, CUBE = (1, 2, 5, 6), (1, 2, 7), (1, 2, 3, 4, 3)


def one(op, names="x", opset=13, shape=IMAGE, more=(), outputs="y", attributes=None, **constants):
    """One node between the input and the output, `more` nodes behind it."""
    return [(op, names, outputs, attributes or {}), *more], shape, opset, constants


def at(**attributes):
    return {"attributes": attributes}


W = numbers(3, 2, 3, 2)
CASES = {
    # Number by number.
    "add": one("Add", "x c", c=numbers(2, 1, 6)),
    "add, more axes": one("Add", "c x", shape=(1, 6), c=numbers(1, 1, 6)),
    "add, spread": one("Add", "x c", shape=(1, 2, 1), c=numbers(2, 3)),
    "sub": one("Sub", "x c", c=numbers(6)),
    "sub from": one("Sub", "c x", c=numbers(1)),
    "mul": one("Mul", "x c", c=numbers(2, 1, 1)),
    "mul by zero and more": one("Mul", "c x", shape=(1, 6), c=np.array([0.0, -1, 2, 1, 0.3, 1e-3])),
    "div": one("Div", "x c", c=numbers(2, 1, 1)),
    "div by one number": one("Div", "x c", c=np.float64(3.0)),
    "neg": one("Neg"),
    "sum of three": one("Sum", "x c x", c=numbers(6)),
    "add of two flows": ([("Relu", "x", "r", {}), ("Add", "r x", "y", {})], IMAGE, 13, {}),
    "add of one flow twice": ([("Relu", "x", "r", {}), ("Add", "r r", "y", {})], IMAGE, 13, {}),
    "add of two flows, spread": (
        [("ReduceMean", "x", "m", {"axes": [2, 3]}), ("Sub", "m x", "y", {})],
        IMAGE,
        13,
        {},
    ),
    "sub of two flows": (
        [("Mul", "x c", "m", {}), ("Relu", "m", "r", {}), ("Sub", "x r", "y", {})],
        IMAGE,
        13,
        {"c": numbers(6)},
    ),
    # Matrices.
    "gemm": one("Gemm", "x W c", shape=(1, 4), W=numbers(4, 3), c=numbers(3)),
    "gemm, factors and bias": one(
        "Gemm", "x W c", shape=(1, 4), **at(alpha=0.3, beta=-1.7, transB=1), W=numbers(3, 4), c=numbers(1, 1)
    ),
    "gemm, factors of no bias": one("Gemm", "x W c", shape=(1, 4), **at(beta=0.0), W=numbers(4, 3), c=numbers(3)),
    "gemm, left": one("Gemm", "W x c", shape=(4, 1), W=numbers(3, 4), c=numbers(3, 1)),
    "gemm, bias from a flow": (
        [("Relu", "x", "r", {}), ("Gemm", "x W r", "y", {"beta": 0.5})],
        (1, 4),
        13,
        {"W": numbers(4, 4)},
    ),
    "gemm, no bias": one("Gemm", "x W", opset=11, shape=(1, 4), W=numbers(4, 3)),
    "matmul": one("MatMul", "x W", shape=(1, 4), W=numbers(4, 3)),
    "matmul, vector": one("MatMul", "x W", shape=(4,), W=numbers(4, 3)),
    "matmul, vector by vector": one("MatMul", "x W", shape=(4,), W=numbers(4)),
    "matmul, rows": one("MatMul", "x W", shape=(1, 3, 4), W=numbers(4, 2)),
    "matmul, rows by vector": one("MatMul", "x W", shape=(1, 3, 4), W=numbers(4)),
    "matmul, vector by many": one("MatMul", "x W", shape=(4,), W=numbers(3, 4, 2)),
    "matmul, one matrix an axis": one("MatMul", "x W", shape=(1, 3, 2, 4), W=numbers(3, 4, 2)),
    "matmul, spread": one("MatMul", "x W", shape=(1, 1, 2, 4), W=numbers(3, 4, 2)),
    "matmul, left": one("MatMul", "W x", shape=(1, 3, 4), W=numbers(2, 3)),
    "matmul, left, one matrix an axis": one("MatMul", "W x", shape=(1, 3, 4, 2), W=numbers(3, 5, 4)),
    "matmul, left, vector": one("MatMul", "W x", shape=(4,), W=numbers(3, 4)),
    "matmul, left, vector by rows": one("MatMul", "W x", shape=(1, 4, 3), W=numbers(4)),
    # Windows.
    "conv": one("Conv", "x W c", W=W, c=numbers(3)),
    "conv, all": one(
        "Conv", "x W", **at(strides=[2, 1], pads=[1, 0, 2, 1], dilations=[2, 1], kernel_shape=[3, 2]), W=W
    ),
    "conv, same upper": one("Conv", "x W", **at(auto_pad="SAME_UPPER", strides=[2, 2]), W=W),
    "conv, same lower": one("Conv", "x W", **at(auto_pad="SAME_LOWER"), W=W),
    "conv, valid": one("Conv", "x W", **at(auto_pad="VALID", strides=[1, 2]), W=W),
    "conv, groups": one("Conv", "x W", **at(group=2), W=numbers(4, 1, 2, 2)),
    "conv of a line": one("Conv", "x W c", shape=LINE, **at(pads=[1, 2]), W=numbers(3, 2, 3), c=numbers(3)),
    "conv of a cube": one("Conv", "x W", shape=CUBE, W=numbers(2, 2, 2, 3, 2)),
    "conv transpose": one("ConvTranspose", "x W c", W=numbers(2, 3, 3, 2), c=numbers(3)),
    "conv transpose, all": one(
        "ConvTranspose",
        "x W",
        **at(strides=[2, 3], pads=[1, 0, 0, 1], dilations=[2, 1], output_padding=[1, 2]),
        W=numbers(2, 3, 3, 2),
    ),
    "conv transpose, groups": one("ConvTranspose", "x W", **at(group=2, strides=[2, 2]), W=numbers(2, 3, 2, 2)),
    "conv transpose, same upper": one(
        "ConvTranspose", "x W", **at(auto_pad="SAME_UPPER", strides=[2, 2]), W=numbers(2, 3, 3, 3)
    ),
    "conv transpose, same lower": one(
        "ConvTranspose", "x W", **at(auto_pad="SAME_LOWER", strides=[2, 2]), W=numbers(2, 3, 3, 3)
    ),
    "conv transpose, output shape": one(
        "ConvTranspose", "x W", **at(output_shape=[10, 11], strides=[2, 2]), W=numbers(2, 3, 3, 3)
    ),
    "conv transpose of a line": one("ConvTranspose", "x W", shape=LINE, **at(strides=[3]), W=numbers(2, 2, 2)),
    "conv transpose of a cube": one(
        "ConvTranspose", "x W", shape=CUBE, **at(strides=[2, 1, 2]), W=numbers(2, 2, 2, 2, 3)
    ),
    "max pool": one("MaxPool", **at(kernel_shape=[2, 3])),
    "max pool, all": one(
        "MaxPool", opset=12, **at(kernel_shape=[2, 2], strides=[2, 1], pads=[1, 0, 1, 1], dilations=[2, 1])
    ),
    "max pool, ceil": one("MaxPool", opset=12, **at(kernel_shape=[2, 2], strides=[3, 4], ceil_mode=1)),
    "max pool, same": one("MaxPool", **at(kernel_shape=[3, 2], strides=[2, 2], auto_pad="SAME_UPPER")),
    "max pool of old": one("MaxPool", opset=7, **at(kernel_shape=[2, 2], strides=[2, 2])),
    "max pool of a line": one("MaxPool", shape=LINE, **at(kernel_shape=[3], strides=[2])),
    "max pool of a cube": one("MaxPool", shape=CUBE, **at(kernel_shape=[2, 2, 2])),
    "max pool, places not taken": one("MaxPool", **at(kernel_shape=[2, 2]), outputs="y places"),
    "average pool": one("AveragePool", **at(kernel_shape=[3, 2])),
    "average pool, padding left out": one(
        "AveragePool", opset=7, **at(kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    ),
    "average pool, padding counted": one(
        "AveragePool", **at(kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], count_include_pad=1)
    ),
    "average pool, ceil": one("AveragePool", opset=19, **at(kernel_shape=[2, 2], strides=[3, 4], ceil_mode=1)),
    "average pool, ceil, padding counted": one(
        "AveragePool",
        opset=22,
        **at(kernel_shape=[3, 3], strides=[3, 2], pads=[1, 1, 1, 1], ceil_mode=1, count_include_pad=1),
    ),
    "average pool, same": one("AveragePool", **at(kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_LOWER")),
    "average pool, dilations": one("AveragePool", opset=19, **at(kernel_shape=[2, 2], dilations=[2, 3])),
    "average pool, dilations and padding": one(
        "AveragePool", opset=19, **at(kernel_shape=[2, 2], dilations=[2, 2], pads=[1, 1, 1, 1])
    ),
    "average pool of a line": one("AveragePool", shape=LINE, **at(kernel_shape=[3])),
    "global average pool": one("GlobalAveragePool"),
    "global max pool": one("GlobalMaxPool"),
    "global max pool of a line": one("GlobalMaxPool", shape=LINE),
    "batch norm": one(
        "BatchNormalization", "x s b m v", s=numbers(2), b=numbers(2), m=numbers(2), v=np.abs(numbers(2))
    ),
    "batch norm of 7": one(
        "BatchNormalization",
        "x s b m v",
        opset=7,
        shape=(1, 4),
        **at(epsilon=0.01, momentum=0.5),
        s=numbers(4),
        b=numbers(4),
        m=numbers(4),
        v=np.abs(numbers(4)),
    ),
    "batch norm of 15": one(
        "BatchNormalization",
        "x s b m v",
        opset=15,
        shape=LINE,
        **at(training_mode=0),
        s=numbers(2),
        b=numbers(2),
        m=numbers(2),
        v=np.abs(numbers(2)),
    ),
    # Along axes.
    "reduce mean": one("ReduceMean", **at(axes=[1, -1])),
    "reduce mean, all": one("ReduceMean", **at(keepdims=0)),
    "reduce mean of 18": one("ReduceMean", "x a", opset=18, **at(keepdims=0), a=ints(2)),
    "reduce sum of 11": one("ReduceSum", opset=11, **at(axes=[-2], keepdims=0)),
    "reduce sum of 13": one("ReduceSum", "x a", **at(keepdims=0), a=ints(1, 3)),
    "reduce sum, all": one("ReduceSum"),
    "reduce sum, none": one("ReduceSum", **at(noop_with_empty_axes=1)),
    "reduce max": one("ReduceMax", **at(axes=[1, 2])),
    "reduce max of 18": one("ReduceMax", "x a", opset=18, **at(keepdims=0), a=ints(-1)),
    "reduce min": one("ReduceMin", **at(axes=[3], keepdims=0)),
    # Moves.
    "pad of 2": one("Pad", opset=2 + 8, **at(pads=[0, 0, 1, 2, 0, 1, 0, 3], value=0.5)),
    "pad of 11": one("Pad", "x p c", opset=11, p=ints(0, 0, 1, 2, 0, 1, 0, 3), c=np.float64(-0.7)),
    "pad, cut off": one("Pad", "x p", opset=11, p=ints(0, 0, -1, 2, 0, 0, -2, 1)),
    "pad of 18": one("Pad", "x p c a", opset=18, p=ints(2, 1), c=np.float64(0.0), a=ints(3)),
    "pad, reflect": one("Pad", "x p", opset=11, **at(mode="reflect"), p=ints(0, 0, 1, 2, 0, 0, 0, 3)),
    "pad, edge": one("Pad", "x p", opset=11, **at(mode="edge"), p=ints(0, 0, 1, 2, 0, 0, 0, 3)),
    "concat": ([("Relu", "x", "r", {}), ("Concat", "x c r", "y", {"axis": 1})], IMAGE, 13, {"c": numbers(1, 1, 5, 6)}),
    "concat, last axis": ([("Concat", "c x", "y", {"axis": -1})], (1, 4), 13, {"c": numbers(1, 2)}),
    "split of 2": (
        [("Split", "x", "a b", {"axis": 3, "split": [2, 4]}), ("Relu", "b", "y", {})],
        IMAGE,
        11,
        {},
    ),
    "split, equal": ([("Split", "x", "a b", {"axis": 1}), ("Sub", "a b", "y", {})], IMAGE, 11, {}),
    "split of 13": (
        [("Split", "x s", "a b c", {"axis": 3}), ("Relu", "b", "y", {})],
        IMAGE,
        13,
        {"s": ints(1, 2, 3)},
    ),
    "split of 18": ([("Split", "x", "a b c", {"axis": 2, "num_outputs": 3}), ("Relu", "c", "y", {})], IMAGE, 18, {}),
    "slice of 1": one("Slice", opset=9, **at(starts=[1, -4], ends=[100, -1], axes=[2, 3])),
    "slice of 1, no axes": one("Slice", opset=7, **at(starts=[0, 1], ends=[1, 2])),
    "slice of 10": one("Slice", "x s e a t", opset=10, s=ints(-1, 0), e=ints(-100, 5), a=ints(3, 2), t=ints(-2, 2)),
    "slice, no steps": one("Slice", "x s e a", s=ints(1), e=ints(2**63 - 1), a=ints(-1)),
    "slice, back to the end": one("Slice", "x s e a t", s=ints(4), e=ints(0), a=ints(2), t=ints(-1)),
    "gather": one("Gather", "x i", **at(axis=2), i=ints(3, 0, -1)),
    "gather one": one("Gather", "x i", **at(axis=1), i=np.int64(1)),
    "gather a table": one("Gather", "x i", **at(axis=-1), i=np.array([[0, 2], [5, 5]], dtype=np.int32)),
    "transpose": one("Transpose", **at(perm=[0, 2, 3, 1])),
    "transpose, turned round": one("Transpose"),
    "reshape": one("Reshape", "x s", s=ints(0, 3, -1)),
    "reshape, allowzero": one("Reshape", "x s", opset=14, **at(allowzero=1), s=ints(1, 60)),
    "flatten": one("Flatten", **at(axis=-2)),
    "squeeze of 11": one("Squeeze", opset=11, shape=(1, 1, 4), **at(axes=[1])),
    "squeeze of 13": one("Squeeze", "x a", shape=(1, 1, 4), a=ints(-2)),
    "squeeze, all": one("Squeeze", shape=(1, 1, 4)),
    "unsqueeze of 11": one("Unsqueeze", opset=11, shape=(1, 4), **at(axes=[0, 3])),
    "unsqueeze of 13": one("Unsqueeze", "x a", shape=(1, 4), a=ints(-1, 1)),
    "expand": one("Expand", "x s", shape=(1, 2, 1), s=ints(2, 1, 3)),
    "expand, more axes": one("Expand", "x s", shape=(1, 3), s=ints(2, 2, 1, 1)),
    "tile": one("Tile", "x r", shape=(1, 2, 3), r=ints(1, 2, 2)),
    "depth to space": one("DepthToSpace", shape=(1, 8, 2, 3), **at(blocksize=2)),
    "depth to space, CRD": one("DepthToSpace", shape=(1, 8, 2, 3), **at(blocksize=2, mode="CRD")),
    "space to depth": one("SpaceToDepth", shape=(1, 2, 4, 6), **at(blocksize=2)),
    "where": (
        [("Relu", "x", "r", {}), ("Where", "k r c", "y", {})],
        (1, 4),
        13,
        {"k": np.array([1, 0, 1, 0], bool), "c": numbers(4)},
    ),
    "where, two flows": (
        [("Relu", "x", "r", {}), ("Where", "k r x", "y", {})],
        (1, 4),
        13,
        {"k": np.array([[True], [False]])},
    ),
    "identity": one("Identity"),
    "dropout of 7": one("Dropout", opset=7, **at(ratio=0.3)),
    "dropout of 12": one("Dropout", "x r t", opset=13, r=np.float32(0.3), t=np.False_),
    "dropout with its mask": one("Dropout", opset=12, outputs="y mask"),
    "cast": one("Cast", **at(to=onnx.TensorProto.DOUBLE)),
    # Kinks.
    "relu": one("Relu"),
    "relu twice": ([("Relu", "x", "r", {}), ("Relu", "r", "y", {})], IMAGE, 13, {}),
    "leaky relu": one("LeakyRelu", opset=16),
    "leaky relu of 7": one("LeakyRelu", opset=7, **at(alpha=0.3)),
    "prelu": one("PRelu", "x s", s=numbers(2, 1, 1)),
    "prelu, one slope": one("PRelu", "x s", opset=9, s=numbers(1)),
    "abs": one("Abs"),
    "clip of 6": one("Clip", opset=7, **at(min=-0.5, max=0.7)),
    "clip of 6, low": one("Clip", opset=10, **at(min=0.25)),
    "clip of 6, high": one("Clip", opset=10, **at(max=0.25)),
    "clip of 6, nothing": one("Clip", opset=10),
    "clip of 11": one("Clip", "x a b", opset=11, a=np.float64(-0.5), b=np.float64(0.7)),
    "clip, low": one("Clip", "x a", a=np.float64(-0.3)),
    "clip, low 0": one("Clip", "x a", a=np.float64(0.0)),
    "clip, high": one("Clip", "x _ b", b=np.float64(0.3)),
    "clip, infinite": one("Clip", "x a b", a=np.float64(-0.3), b=np.float64(np.inf)),
    "clip, largest number": one("Clip", "x a b", a=np.finfo(np.float64).min, b=np.float64(0.3)),
    "hard sigmoid": one("HardSigmoid"),
    "hard sigmoid, all": one("HardSigmoid", **at(alpha=0.7, beta=-0.1)),
    "max": one("Max", "x c d", c=numbers(6), d=numbers(2, 1, 1)),
    "max of flows": ([("Neg", "x", "n", {}), ("Max", "x n c", "y", {})], IMAGE, 13, {"c": numbers(6)}),
    "max of one": one("Max"),
    "max, spread": ([("ReduceMean", "x", "m", {"axes": [3]}), ("Max", "m x", "y", {})], IMAGE, 13, {}),
    "min": one("Min", "c x", c=numbers(6)),
    "min of flows": ([("Neg", "x", "n", {}), ("Min", "x n c", "y", {})], IMAGE, 13, {"c": numbers(6)}),
    # Sizes.
    "upsample of 7": one("Upsample", opset=7, **at(scales=[1.0, 1.0, 2.0, 3.0])),
    "upsample of 9": one("Upsample", "x s", opset=9, **at(mode="linear"), s=np.array([1, 1, 2, 2], np.float32)),
    "resize of 10": one("Resize", "x s", opset=10, s=np.array([1, 1, 0.5, 2.5], np.float32)),
    "resize of 10, by a quarter": one("Resize", "x s", opset=10, shape=(1, 9), s=np.array([1, 0.25], np.float32)),
    "resize of 10, linear": one("Resize", "x s", opset=10, **at(mode="linear"), s=np.array([1, 1, 2, 1], np.float32)),
}
for how in ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "half_pixel_symmetric"):
    opset = 19 if how == "half_pixel_symmetric" else 13
    scales = np.array([1, 1, 2, 0.5], np.float32)
    told = {"coordinate_transformation_mode": how}
    CASES[f"resize, linear, {how}"] = one("Resize", "x _ s", opset, **at(mode="linear", **told), s=scales)
    CASES[f"resize, linear to a size, {how}"] = one(
        "Resize", "x _ _ z", opset, **at(mode="linear", **told), z=ints(1, 2, 9, 11)
    )
    for rounding in ("floor", "ceil", "round_prefer_floor", "round_prefer_ceil"):
        CASES[f"resize, nearest, {how}, {rounding}"] = one(
            "Resize", "x _ s", opset, **at(nearest_mode=rounding, **told), s=np.array([1, 1, 2, 1.5], np.float32)
        )
CASES["resize to a size"] = one("Resize", "x _ _ z", z=ints(1, 2, 10, 9))
CASES["resize, axes"] = one("Resize", "x _ s", 18, **at(axes=[2, 3]), s=np.array([2, 2], np.float32))
CASES["resize, one result"] = one(
    "Resize", "x _ _ z", **at(mode="linear", coordinate_transformation_mode="pytorch_half_pixel"), z=ints(1, 2, 1, 1)
)
# Weights that are no float32: programs round them.
COARSE = {name for name in CASES if name.startswith("resize, linear to a size")} | {"resize, one result"}


@pytest.fixture
def load(tmp_path):
    def load_model(model, **options):
        path = tmp_path / "net.onnx"
        path.write_bytes(model.SerializeToString())
        return creases.load(path, **options)

    return load_model


@pytest.mark.parametrize("name", CASES)
def test_against_onnxruntime_each_operator(load, name):
    """The operator alone, and between a matrix and a ReLU, whose kinks it then meets."""
    nodes, shape, opset, constants = CASES[name]
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    assert_same(load, nodes, shape, opset, constants, rng, name in COARSE)
    size = int(np.prod(shape))
    before = [
        ("Reshape", "x row", "flat", {}),
        ("MatMul", "flat mixing", "mixed", {}),
        ("Relu", "mixed", "bent", {}),
        ("Reshape", "bent as_it_was", "x1", {}),
    ]
    renamed = [
        (op, " ".join("x1" if each == "x" else each for each in names.split()), outputs, attributes)
        for op, names, outputs, attributes in nodes
    ]
    mixed = {
        "row": ints(1, -1),
        "as_it_was": ints(*shape),
        "mixing": rng.standard_normal((size, size)) / np.sqrt(size),
    }
    nodes = [*before, *renamed, ("Abs", "y", "last", {})]
    assert_same(load, nodes, shape, opset, {**constants, **mixed}, rng, name in COARSE)


def resized(side, opset=13, scale=None, size=None, **told):
    """A Resize of one axis."""
    if size is not None:
        return ("Resize", "x _ _ z", (1, side), opset, told, {"z": ints(1, size)})
    names = "x _ s" if opset > 10 else "x s"
    return ("Resize", names, (1, side), opset, told, {"s": np.array([1, scale], np.float32)})


UNEQUAL = {
    "resize of 10, to a place that is not whole": (
        resized(5, 10, scale=0.6),
        "makes an axis shorter by 0.6 before version 11",
    ),
    "upsample that shrinks": (
        ("Upsample", "x", (1, 5), 9 - 2, {"scales": [1.0, 0.6]}, {}),
        "makes an axis shorter by 0.6 before version 11",
    ),
    # 4 / 1.3333334 is 2.9999998, and 3 in float32.
    "resize near a jump": (
        resized(9, scale=4 / 3, nearest_mode="floor", coordinate_transformation_mode="asymmetric"),
        "takes result 4 of an axis from place 2.99999991, so near to a jump from 2 to 3",
    ),
    "resize of 10 near a jump": (resized(9, 10, scale=4 / 3), "takes result 4 of an axis from place 2.99999991"),
    "resize at a jump, by a scale that is no float": (
        resized(15, size=9, nearest_mode="floor"),
        "takes result 1 of an axis from place 2, so near to a jump from 1 to 2",
    ),
    "resize, symmetric, at a jump": (
        resized(5, 19, scale=4.21, nearest_mode="floor", coordinate_transformation_mode="half_pixel_symmetric"),
        "takes result 10 of an axis from place 2, so near",
    ),
    "resize to a length that rounding tells": (
        resized(23, scale=12 / 23),
        "that makes 11.9999999 of 23: rounded, the product may be the next whole number",
    ),
    "resize that leaves all sizes": (resized(18, scale=1.01), "has scales other than 1 and leaves all sizes"),
    "pad, reflect and cut off": (
        ("Pad", "x p", (1, 5), 13, {"mode": "reflect"}, {"p": ints(0, -1, 0, 2)}),
        "cuts off numbers and repeats others (mode 'reflect'), for which programs differ",
    ),
    "pad, edge and cut off": (
        ("Pad", "x p", (1, 5), 13, {"mode": "edge"}, {"p": ints(0, 2, 0, -1)}),
        "cuts off numbers and repeats others (mode 'edge')",
    ),
    "prelu of 6": (
        ("PRelu", "x s", (1, 2, 2), 6, {}, {"s": np.array([0.1, 0.2])}),
        "has 2 slopes before version 7, where they are one a channel",
    ),
}


@pytest.mark.parametrize("name", UNEQUAL)
def test_bad_input_what_programs_compute_differently(load, name):
    (op, names, shape, opset, told, constants), text = UNEQUAL[name]
    with pytest.raises(UnsupportedModelError, match=re.escape(text)):
        load(model_of([(op, names, "y", told)], shape, None, opset, **constants))


def test_known_one_slope_is_one_in_all_versions(load):
    network = load(model_of([("PRelu", "x s", "y", {})], (1, 2), None, 6, s=np.array([0.25])))
    assert network.forward(np.array([-1.0, 2.0])).tolist() == [-0.25, 2.0]


@pytest.mark.parametrize("places", [resized(5, scale=1.5), resized(5, size=10), resized(7, size=3), resized(5, size=9)])
def test_known_neighbours_that_no_rounding_exchanges_are_read(load, places):
    op, names, shape, opset, told, constants = places
    assert_same(load, [(op, names, "y", told)], shape, opset, constants, np.random.default_rng(0))
