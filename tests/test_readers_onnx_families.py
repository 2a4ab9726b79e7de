"""Small networks made of the operators of each family of the verification benchmarks: opened, or why not.

The table of `docs/formats.md` is what this file finds; `python tests/test_readers_onnx_families.py` prints it.
"""

import re
import tempfile
from pathlib import Path

import numpy as np
import pytest

import creases
from creases.errors import UnsupportedModelError

onnx = pytest.importorskip("onnx", reason="onnx is not installed")

from onnx_models import assert_same, model_of  # noqa: E402

DOCS = Path(__file__).parents[1] / "docs" / "formats.md"
RNG = np.random.default_rng(4)
IMAGE = (1, 2, 6, 6)


def numbers(*shape):
    return RNG.standard_normal(shape)


def ints(*values):
    return np.array(values, dtype=np.int64)


def constant(values):
    return {"value": onnx.numpy_helper.from_array(np.asarray(values))}


PADS = {"pads": [1, 1, 1, 1]}
CONV = [("Conv", "x k1 b1", "c", PADS), ("Relu", "c", "r", {})]
KERNELS = {"k1": numbers(3, 2, 3, 3), "b1": numbers(3), "k2": numbers(3, 3, 3, 3)}
LAST = {"w": numbers(108, 4), "b": numbers(4)}
DENSE = {"w1": numbers(6, 5), "b1": numbers(5), "w2": numbers(5, 4), "b2": numbers(4)}
TAIL = [("Flatten", "r", "f", {}), ("Gemm", "f w b", "y", {})]
MLP = [("MatMul", "x w1", "m", {}), ("Add", "m b1", "a", {}), ("Relu", "a", "r", {})]
OUT = [("MatMul", "r w2", "n", {}), ("Add", "n b2", "y", {})]


def refused(node, **more):
    """A network with a node between its layers."""
    return [*MLP, node, ("MatMul", "s w2", "y", {})], (1, 6), {**DENSE, **more}


# Families of the VNN-COMP; the nodes that stand for them, input and constants.
FAMILIES = {
    "acasxu, mnistfc, rl, reach_prob_density, tll, lindex, cora, safenlp": (
        [("Flatten", "x", "f", {}), ("Sub", "f c", "s", {}), ("MatMul", "s w1", "m", {}), *MLP[1:], *OUT],
        (1, 2, 3),
        {**DENSE, "c": numbers(6)},
    ),
    "linearizenn": (
        [
            ("Constant", "", "from", constant(ints(0))),
            ("Slice", "x from to axes", "s", {}),
            *MLP,
            ("Concat", "r s", "t", {"axis": 1}),
            ("Gemm", "t w3 b2", "y", {}),
        ],
        (1, 6),
        {**DENSE, "to": ints(3), "axes": ints(1), "w3": numbers(8, 4)},
    ),
    "eran (relu)": (
        [
            ("Constant", "", "mean", constant(numbers(1, 2, 1, 1))),
            ("Sub", "x mean", "s", {}),
            ("Constant", "", "deviation", constant(np.array([0.3081, 0.7]).reshape(1, 2, 1, 1))),
            ("Div", "s deviation", "n", {}),
            ("Conv", "n k1 b1", "c", PADS),
            CONV[1],
            *TAIL,
        ],
        IMAGE,
        {**KERNELS, **LAST},
    ),
    "oval21, metaroom, cifar_biasfield": (
        [*CONV, ("Reshape", "r shape", "f", {}), TAIL[1]],
        IMAGE,
        {**KERNELS, **LAST, "shape": ints(-1, 108)},
    ),
    "collins_rul": ([*CONV[:1], ("Dropout", "c", "d", {}), ("Relu", "d", "r", {}), *TAIL], IMAGE, {**KERNELS, **LAST}),
    "marabou-cifar10": (
        [
            ("Transpose", "x", "t", {"perm": [0, 3, 1, 2]}),
            ("Conv", "t k1 b1", "c", PADS),
            CONV[1],
            ("Transpose", "r", "u", {"perm": [0, 2, 3, 1]}),
            ("Reshape", "u shape", "f", {}),
            ("MatMul", "f w", "m", {}),
            ("Add", "m b", "y", {}),
        ],
        (1, 6, 6, 2),
        {**KERNELS, **LAST, "shape": ints(-1, 108)},
    ),
    "cifar10_resnet, sri_resnet_a, sri_resnet_b": (
        [
            *CONV,
            ("Conv", "r k2", "d", PADS),
            ("Add", "d r", "e", {}),
            ("Relu", "e", "s", {}),
            ("Flatten", "s", "f", {}),
            TAIL[1],
        ],
        IMAGE,
        {**KERNELS, **LAST},
    ),
    "verivital": (
        [
            *CONV,
            ("MaxPool", "r", "p", {"kernel_shape": [2, 2], "strides": [1, 1]}),
            ("Pad", "p pads", "q", {}),
            ("AveragePool", "q", "a", {"kernel_shape": [2, 2]}),
            ("Flatten", "a", "f", {}),
            TAIL[1],
        ],
        IMAGE,
        {**KERNELS, **LAST, "pads": ints(0, 0, 1, 1, 0, 0, 1, 1)},
    ),
    "yolo": (
        [
            *CONV,
            ("Conv", "r k2", "d", PADS),
            ("Add", "d r", "e", {}),
            ("Pad", "e pads", "p", {}),
            ("AveragePool", "p", "a", {"kernel_shape": [2, 2]}),
            ("Flatten", "a", "f", {}),
            TAIL[1],
        ],
        IMAGE,
        {**KERNELS, **LAST, "pads": ints(0, 0, 0, 0, 0, 0, 1, 1)},
    ),
    "cgan": (
        [
            ("Gemm", "x w1 b1", "g", {}),
            ("Reshape", "g shape", "i", {}),
            ("ConvTranspose", "i t", "u", {"strides": [2, 2]}),
            ("BatchNormalization", "u s1 s2 s3 s4", "n", {}),
            ("Relu", "n", "r", {}),
            ("Conv", "r k", "y", {}),
        ],
        (1, 6),
        {
            "w1": numbers(6, 8),
            "b1": numbers(8),
            "shape": ints(-1, 2, 2, 2),
            "t": numbers(2, 3, 2, 2),
            **{f"s{i}": np.abs(numbers(3)) for i in range(1, 5)},
            "k": numbers(1, 3, 3, 3),
        },
    ),
    "cgan (_upsample)": refused(("Sigmoid", "r", "s", {})),
    "ml4acopf (linear-nonresidual)": (
        [
            *MLP,
            ("Gather", "r places", "g", {"axis": 1}),
            ("Mul", "g factors", "p", {}),
            ("Unsqueeze", "p one", "u", {}),
            ("Transpose", "u", "t", {"perm": [0, 2, 1]}),
            ("Slice", "t from to", "s", {}),
            ("Concat", "t s", "y", {"axis": 2}),
        ],
        (1, 6),
        {
            **DENSE,
            "places": ints(4, 0, 2),
            "factors": numbers(3),
            "one": ints(1),
            "from": ints(0),
            "to": ints(1),
        },
    ),
    "ml4acopf (linear-residual)": refused(("Floor", "r", "s", {})),
    "traffic_signs": refused(("Sign", "r", "s", {})),
    "vit, carvana": refused(("Softmax", "r", "s", {})),
    "lsnc": refused(("Sin", "r", "s", {})),
    "dist_shift": refused(("Sigmoid", "r", "s", {})),
    "mscn": refused(("Div", "r a", "s", {})),
    "pensieve": refused(("Pow", "r two", "s", {}), two=np.float64(2)),
    "cctsdb_yolo": refused(("ScatterND", "r where what", "s", {}), where=ints(0, 0).reshape(1, 2), what=numbers(1)),
}


def row_of(name, folder):
    """The table's row of a family: its operators, and what became of the file."""
    nodes, shape, constants = FAMILIES[name]
    path = Path(folder) / "net.onnx"
    path.write_bytes(model_of(nodes, shape, None, 13, **constants).SerializeToString())
    operators = ", ".join(dict.fromkeys(node[0] for node in nodes))
    try:
        creases.load(path)
        return f"| {name} | {operators} | opened |"
    except UnsupportedModelError as error:
        op, cut = re.search(r"(\w+) node '.*output='(\w+)'", str(error)).groups()
        creases.load(path, output=cut)
        return f"| {name} | {operators} | no: {op}; what stands before it with `output=` |"


def table():
    """All rows."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [row_of(name, folder) for name in FAMILIES]
    return "\n".join(["| family | operators | opened |", "| --- | --- | --- |", *rows])


@pytest.mark.parametrize("name", [name for name, (nodes, *_) in FAMILIES.items() if nodes[3:4] != [nodes[-2]]])
def test_against_onnxruntime_families_that_are_piecewise_linear(tmp_path, name):
    nodes, shape, constants = FAMILIES[name]
    path = tmp_path / "net.onnx"

    def load(model):
        path.write_bytes(model.SerializeToString())
        return creases.load(path)

    assert_same(load, nodes, shape, 13, constants, np.random.default_rng(0))


def test_house_the_table_of_families_is_what_this_file_finds():
    assert table() in DOCS.read_text(), (
        "run python tests/test_readers_onnx_families.py, and put its table into the page"
    )


if __name__ == "__main__":
    print(table())
