"""`.onnx` files: chains of operators, on whichever side the weight stands, and all that is no chain."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

import creases
from creases.errors import CreasesError, MissingExtraError, ModelFileError, NetworkError, UnsupportedModelError
from creases.network import Linear, ReLU

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

from kink_points import with_kinks  # noqa: E402
from onnx_models import model_of  # noqa: E402
from shared_networks import shared_case  # noqa: E402

SHARED = Path(__file__).parents[2] / "shared" / "networks"
RNG = np.random.default_rng(7)


def shared(name):
    if not (SHARED / name).exists():
        pytest.skip("the shared networks are not here")
    return SHARED / name


def numbers(*shape):
    return RNG.standard_normal(shape)


@pytest.fixture
def load(tmp_path):
    def load_model(model, **options):
        path = tmp_path / "net.onnx"
        path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
        return creases.load(path, **options)

    return load_model


def agree(network, model, shape):
    """The network's outputs are those of onnx's own evaluator, at batch size 1, to 1e-12, at kinks too."""
    session = ReferenceEvaluator(model)
    for point in with_kinks(network, numbers(20, network.n_in)):
        (wanted,) = session.run(None, {"x": point.reshape(shape)})
        found = network.forward(point)
        assert np.abs(found - wanted.ravel()).max() <= 1e-12 * max(np.abs(wanted).max(), 1.0)


W1, B1, W2, B2 = numbers(6, 4), numbers(4), numbers(4, 2), numbers(2)
TAIL = [("Relu", "h", "r", {}), ("MatMul", "r W2", "m", {}), ("Add", "m B2", "y", {})]
REST = {"W2": W2, "B2": B2}


def column(*nodes):
    """Nodes for what flows as a column: the weight stands on the left."""
    return [*nodes, ("Relu", "h", "r", {}), ("MatMul", "V2 r", "y", {})]


CHAINS = {
    "gemm": ([("Gemm", "x W1 B1", "h", {}), *TAIL], (1, 6), {"W1": W1, "B1": B1, **REST}),
    "gemm transB, factors": (
        [("Gemm", "x W1 B1", "h", {"alpha": 0.3, "beta": -1.7, "transB": 1}), *TAIL],
        (1, 6),
        {"W1": W1.T, "B1": B1, **REST},
    ),
    "gemm without bias": ([("Gemm", "x W1", "h", {}), *TAIL], (1, 6), {"W1": W1, **REST}),
    "gemm, scalar bias": (
        [("Gemm", "x W1 c", "h", {"beta": 2.0}), *TAIL],
        (1, 6),
        {"W1": W1, "c": np.float64(0.7), **REST},
    ),
    "gemm transA": ([("Gemm", "x W1 B1", "h", {"transA": 1}), *TAIL], (6, 1), {"W1": W1, "B1": B1, **REST}),
    "gemm, weight on the left": (
        column(("Gemm", "W1 x B1", "h", {"transA": 1, "alpha": 2.0})),
        (6, 1),
        {"W1": W1, "B1": B1[:, None], "V2": W2.T},
    ),
    "gemm, weight on the left, transB": (
        column(("Gemm", "W1 x", "h", {"transB": 1})),
        (1, 6),
        {"W1": W1.T, "V2": W2.T},
    ),
    "matmul, rank 1": (
        [("MatMul", "x W1", "p", {}), ("Add", "B1 p", "h", {}), *TAIL],
        (6,),
        {"W1": W1, "B1": B1, **REST},
    ),
    "matmul on the left, rank 1": (
        [("MatMul", "W1 x", "p", {}), ("Add", "p B1", "h", {}), ("Relu", "h", "r", {}), ("MatMul", "W2 r", "y", {})],
        (6,),
        {"W1": W1.T, "B1": B1, "W2": W2.T},
    ),
    "matmul on the left, column": (column(("MatMul", "W1 x", "h", {})), (6, 1), {"W1": W1.T, "V2": W2.T}),
    "matmul, rank 4": (
        [("MatMul", "x W1", "p", {}), ("Add", "p B1", "h", {}), *TAIL],
        (1, 1, 1, 6),
        {"W1": W1, "B1": B1[None, None, None, :], **REST},
    ),
    "flatten": (
        [("Flatten", "x", "f", {}), ("Gemm", "f W1 B1", "h", {}), *TAIL],
        (1, 1, 2, 3),
        {"W1": W1, "B1": B1, **REST},
    ),
    "flatten at 0 and -1": (
        [("Flatten", "x", "e", {"axis": 0}), ("Flatten", "e", "f", {"axis": -1}), ("Gemm", "f W1 B1", "h", {}), *TAIL],
        (2, 3),
        {"W1": W1, "B1": B1, **REST},
    ),
    "reshape": (
        [("Reshape", "x s", "f", {}), ("Identity", "f", "i", {}), ("Gemm", "i W1 B1", "h", {}), *TAIL],
        (1, 2, 3),
        {"W1": W1, "B1": B1, "s": np.array([0, -1]), **REST},
    ),
    "dropout": (
        [("Gemm", "x W1 B1", "d", {}), ("Dropout", "d", "h", {}), *TAIL],
        (1, 6),
        {"W1": W1, "B1": B1, **REST},
    ),
    "shift of the inputs": (
        [("Sub", "x c", "n", {}), ("Gemm", "n W1 B1", "h", {}), *TAIL],
        (1, 6),
        {"W1": W1, "B1": B1, "c": numbers(6), **REST},
    ),
    "shift of an image, broadcast": (
        [("Add", "c x", "n", {}), ("Flatten", "n", "f", {}), ("Gemm", "f W1 B1", "h", {}), *TAIL],
        (1, 2, 3),
        {"W1": W1, "B1": B1, "c": numbers(2, 1), **REST},
    ),
    "constant minus x": (
        [("Sub", "c x", "n", {}), ("MatMul", "n W1", "p", {}), ("Sub", "B1 p", "h", {}), *TAIL],
        (1, 6),
        {"W1": W1, "B1": B1, "c": numbers(6), **REST},
    ),
    "two biases": (
        [("Gemm", "x W1 B1", "p", {}), ("Add", "p c", "q", {}), ("Sub", "q B1", "h", {}), *TAIL],
        (1, 6),
        {"W1": W1, "B1": B1, "c": numbers(1, 4), **REST},
    ),
    "two layers in a row": (
        [("MatMul", "x W1", "p", {}), ("MatMul", "p V", "h", {}), *TAIL],
        (1, 6),
        {"W1": W1, "V": numbers(4, 4), **REST},
    ),
    "a last relu": ([("Gemm", "x W1 B1", "h", {}), ("Relu", "h", "y", {})], (1, 6), {"W1": W1, "B1": B1}),
    "a bias of more axes": (
        [("MatMul", "x W1", "p", {}), ("Add", "p B1", "h", {}), *TAIL],
        (1, 6),
        {"W1": W1, "B1": B1[None, None], **REST},
    ),
}


@pytest.mark.parametrize("name", CHAINS)
def test_laws_every_chain_computes_what_onnx_computes(load, name):
    nodes, shape, constants = CHAINS[name]
    model = model_of(nodes, shape, None, **constants)
    agree(load(model), model, shape)


@pytest.mark.parametrize(
    ("shape", "input_shape"),
    [
        ((6,), (6,)),
        ((1, 6), (6,)),
        (("N", 6), (6,)),
        ((None, 6), (6,)),
        ((6, 1), (6, 1)),
        (("N", 1, 2, 3), (1, 2, 3)),
        ((2, 3), (2, 3)),
    ],
)
def test_known_input_shape_is_the_file_s_without_the_batch(load, shape, input_shape):
    s = np.array([1, 6])
    nodes = [("Reshape", "x s", "f", {}), ("Gemm", "f W1 B1", "h", {}), *TAIL]
    network = load(model_of(nodes, shape, s=s, W1=W1, B1=B1, **REST))
    assert network.input_shape == input_shape
    assert network.n_in == 6


def test_known_plain_layers_are_copied_and_not_noted(load):
    nodes = [("MatMul", "x W1", "p", {}), ("Add", "p B1", "h", {}), *TAIL]
    network = load(model_of(nodes, ("N", 6), W1=W1, B1=B1, **REST))
    assert network.notes == ()
    assert (network.hidden[0].weight == W1.T).all()
    assert (network.hidden[0].bias == B1).all()
    nodes = [("Sub", "x z", "n", {}), ("MatMul", "n W1", "p", {}), ("Add", "p B1", "h", {}), *TAIL]
    assert load(model_of(nodes, ("N", 6), W1=W1, B1=B1, z=np.zeros(6), **REST)).sha256 == network.sha256


def test_known_a_shift_of_the_inputs_stays_a_shift(load):
    """Lines that meet in one point stay so."""
    nodes, shape, constants = CHAINS["shift of the inputs"]
    network = load(model_of(nodes, shape, **constants))
    assert network.notes == ()
    assert [level.kink for level in network.levels] == [Linear(), ReLU(), Linear()]
    assert (network.levels[0].bias == -constants["c"]).all()
    assert (network.levels[1].sources[1].weight == constants["W1"].T).all()


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
@pytest.mark.parametrize("raw", [True, False])
def test_known_weights_of_every_float_type_widen(load, kind, raw):
    weight = W1.astype(kind)
    model = model_of([("MatMul", "x W1", "h", {}), *TAIL], ("N", 6), W1=weight, **REST)
    if not raw:
        flat = weight.ravel().view(np.uint16) if kind == "float16" else weight.ravel()
        tensor = helper.make_tensor("W1", helper.np_dtype_to_tensor_dtype(weight.dtype), weight.shape, weight.ravel())
        assert not tensor.HasField("raw_data")
        assert len(flat) == weight.size
        model.graph.initializer[0].CopyFrom(tensor)
    assert (load(model).hidden[0].weight == weight.T.astype(np.float64)).all()


def test_known_initialisers_may_be_inputs_too_and_constants_nodes(load):
    weight = helper.make_tensor_value_info("W1", TensorProto.DOUBLE, W1.shape)
    constant = ("Constant", "", "B1", {"value": numpy_helper.from_array(B1)})
    same = ("Identity", "W1", "V", {})
    nodes = [constant, same, ("Gemm", "x V B1", "h", {}), *TAIL]
    network = load(model_of(nodes, ("N", 6), inputs=[weight], W1=W1, **REST))
    assert (network.hidden[0].weight == W1.T).all()
    assert (network.hidden[0].bias == B1).all()
    shape = ("Constant", "", "s", {"value_ints": [1, -1]})
    scalar = ("Constant", "", "c", {"value_float": 0.5})
    nodes = [shape, scalar, ("Reshape", "x s", "f", {}), ("Add", "f c", "g", {}), ("MatMul", "g W1", "h", {}), *TAIL]
    assert load(model_of(nodes, ("N", 2, 3), W1=W1, **REST)).n_in == 6


def test_known_shared_networks():
    assert creases.load(shared("marabou_fc1.onnx")).widths == (25, 25, 25)
    acasxu = creases.load(shared("acasxu_1_1.onnx"))
    assert acasxu.input_shape == (5,)
    assert acasxu.widths == (50,) * 6
    assert acasxu.notes == ()


def test_laws_acasxu_is_one_network_in_two_formats():
    """The .onnx holds float32 roundings of the .nnet's decimals."""
    onnx_net, nnet = creases.load(shared("acasxu_1_1.onnx")), creases.load(shared("acasxu_1_1.nnet"))
    for mine, theirs in zip([*onnx_net.hidden, onnx_net.output], [*nnet.hidden, nnet.output], strict=True):
        assert (mine.weight == theirs.weight.astype(np.float32)).all()
        assert (mine.bias == theirs.bias.astype(np.float32)).all()
    points = RNG.uniform(-0.5, 0.5, (200, 5))
    scale = np.abs(nnet.forward(points)).max()
    assert np.abs(onnx_net.forward(points) - nnet.forward(points)).max() < 1e-5 * scale


def test_known_shared_convolutions():
    pooled = creases.load(shared("marabou_cnn_max_mnist3.onnx"))
    assert (pooled.input_shape, pooled.widths) == ((28, 28, 1), (1250, 288, 64, 32))
    assert creases.load(shared("marabou_tinytaxinet.onnx")).widths == (16, 8, 8)
    assert creases.load(shared("cifar_resnet_2b.onnx")).widths == (2048, 1024, 1024, 1024, 1024, 100)


GEMM = ("Gemm", "x W1 B1", "h", {})


@pytest.mark.parametrize(
    ("nodes", "extra", "text"),
    [
        (
            [GEMM, ("Elu", "h", "y", {})],
            {},
            r"has Elu node 'elu_1', which is not piecewise linear or not read\. Creases reads Abs, Add, .*"
            r"What stands before it can be read alone, with load\(\.\.\., output='h'\) or --output-name h\.",
        ),
        ([("Conv", "x W1", "h", {}), *TAIL], {}, r"Conv node 'conv_0' needs shape \(1, channels, side, ...\)"),
        ([GEMM, ("Softmax", "h", "s", {}), ("Relu", "s", "y", {})], {}, "Softmax node 'softmax_1'.*output='h'"),
        (
            [GEMM, *[("Tanh", "h", f"t{i}", {}) for i in range(7)], ("Sum", "t0 t1 t2 t3 t4 t5 t6", "y", {})],
            {},
            "Tanh node 'tanh_5' and 2 more.*output='h'",
        ),
        (
            [GEMM, ("Mul", "h h", "g", {}), ("Relu", "g", "y", {})],
            {},
            "Mul node 'mul_1' multiplies two values that both depend on the input.*output='h'",
        ),
        ([GEMM, ("Div", "B1 h", "y", {})], {}, "Div node 'div_1' divides by a value that depends on the input"),
        ([GEMM, ("Sign", "h", "y", {})], {}, "has Sign node 'sign_1', which is not piecewise linear"),
        ([GEMM, ("MatMul", "h h", "y", {})], {}, "MatMul node 'matmul_1' multiplies two values that both depend"),
        ([GEMM, ("Cast", "h", "y", {"to": 7})], {}, "Cast node 'cast_1' rounds what flows to INT64"),
        (
            [GEMM, ("Add", "h nothing", "y", {})],
            {},
            "Add node 'add_1' takes 'nothing', which no node gives, or none that is read",
        ),
        (
            [
                ("Unsqueeze", "x a", "i", {}),
                ("MaxPool", "i", "p places", {"kernel_shape": [2]}),
                ("Cast", "places", "y", {"to": 11}),
            ],
            {"a": np.array([1])},
            "Cast node 'cast_2' takes 'places', which no node gives, or none that is read",
        ),
        (
            [("Add", "x B1", "h", {}), *TAIL],
            {},
            r"Add node 'add_0' combines shapes \(1, 6\) and \(4,\), which do not fit each other",
        ),
        (
            [("Add", "x big", "h", {}), *TAIL],
            {"big": np.ones((5, 1))},
            r"combines shape \(1, 6\), whose batch axis has length 1, with 5 on that axis",
        ),
        (
            [("MatMul", "x W2", "h", {}), *TAIL],
            {},
            r"MatMul node 'matmul_0' multiplies shape \(1, 6\) by a weight of shape \(4, 2\), which do not fit",
        ),
        ([("MatMul", "x T", "h", {}), *TAIL], {"T": np.ones((1, 5, 4))}, r"by a weight of shape \(1, 5, 4\)"),
        ([("MatMul", "x", "h", {}), *TAIL], {}, "MatMul node 'matmul_0' needs two inputs"),
        ([("Gemm", "x W1 x", "h", {}), *TAIL], {}, r"adds shape \(1, 6\) to \(1, 4\), which it does not fit"),
        ([("Gemm", "W1 W2 x", "h", {}), *TAIL], {}, "Gemm node 'gemm_0' needs a constant factor"),
        ([("Gemm", "x x", "h", {"transB": 1}), *TAIL], {}, "Gemm node 'gemm_0' needs a constant factor"),
        ([("Gemm", "x W1 B1", "h", {"alpha": float("nan")}), *TAIL], {}, "has a factor that is not finite"),
        ([("Gemm", "x W1 B1", "h", {"beta": float("inf")}), *TAIL], {}, "has a factor that is not finite, 'beta'"),
        (
            [("Gemm", "x W1 B1", "h", {"gamma": 1}), *TAIL],
            {},
            "Gemm node 'gemm_0' has attribute 'gamma', which is not supported",
        ),
        ([("Add", "x c c", "h", {}), *TAIL], {"c": np.ones(6)}, "Add node 'add_0' has 3 inputs"),
        ([("Reshape", "x s", "h", {}), *TAIL], {"s": np.array([2, -1, -1])}, r"makes shape \(2, -1, -1\) of \(1, 6\)"),
        (
            [("Reshape", "x s", "h", {}), *TAIL],
            {"s": np.array([64, 6])},
            "exported with a fixed batch size, export it with size 1",
        ),
        ([("Reshape", "x s", "h", {}), *TAIL], {"s": np.ones(2)}, "needs a constant shape of integers"),
        ([("Flatten", "x", "h", {"axis": 5}), *TAIL], {}, r"has axis 5, but shape \(1, 6\) flows"),
        (
            [("Dropout", "x p t", "h", {}), *TAIL],
            {"p": np.float64(0.5), "t": np.True_},
            "Dropout node 'dropout_0' is in training mode",
        ),
        (
            [("Constant", "", "c", {"value_string": b"a"}), ("Gemm", "x W1 c", "h", {}), *TAIL],
            {},
            "Constant node 'constant_0' gives no plain tensor but value_string",
        ),
        (
            [("MatMul", "x I", "h", {}), *TAIL],
            {"I": np.ones((6, 4), np.uint8)},
            "tensor 'I' has type UINT8; supported are FLOAT",
        ),
    ],
)
def test_bad_input_graphs_by_node_and_operator(load, nodes, extra, text):
    with pytest.raises(ModelFileError, match=text):
        load(model_of(nodes, ("N", 6), W1=W1, B1=B1, **REST, **extra))


@pytest.mark.parametrize(
    ("shape", "text"),
    [
        (
            ("N", "height", 3),
            r"input 'x' has shape \(N, height, 3\); every axis but the first \(the batch\) must have a fixed length",
        ),
        (("N",), r"input 'x' has shape \(N\)"),
        ((), r"input 'x' has shape \(\)"),
        ((64, 6), "exported with a fixed batch size, export it with size 1"),
        ((1, 10**12), "more numbers than the file has bytes"),
    ],
)
def test_bad_input_shapes_of_the_input(load, shape, text):
    with pytest.raises(ModelFileError, match=text):
        load(model_of([GEMM, *TAIL], shape, W1=W1, B1=B1, **REST))


def test_bad_input_inputs_and_outputs(load):
    second = helper.make_tensor_value_info("z", TensorProto.DOUBLE, (1, 6))
    nodes = [("Add", "x z", "s", {}), ("Gemm", "s W1 B1", "h", {}), *TAIL]
    with pytest.raises(
        UnsupportedModelError,
        match=r"must have one input beside its weights; it has x, z\. Fix all but one by value: "
        r"load\(\.\.\., inputs=\{'z': array\}\), or --fix-input z=FILE\.npy",
    ):
        load(model_of(nodes, ("N", 6), inputs=[second], W1=W1, B1=B1, **REST))
    outputs = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, None) for name in ("h", "y")]
    with pytest.raises(
        UnsupportedModelError,
        match=r"must have one output; it has h, y\. Choose one by its name: load\(\.\.\., output='h'\)",
    ):
        load(model_of([GEMM, *TAIL], ("N", 6), outputs=outputs, W1=W1, B1=B1, **REST))


def test_bad_input_numbers(load):
    for value in (np.nan, np.inf):
        weight = W1.copy()
        weight[2, 3] = value
        with pytest.raises(NetworkError, match=rf"Gemm node 'gemm_0': weight\[2, 3\] is {value}"):
            load(model_of([GEMM, *TAIL], ("N", 6), W1=weight, B1=B1, **REST))


def test_bad_input_other_domains_and_dropouts_of_old(load):
    model = model_of([GEMM, *TAIL], ("N", 6), W1=W1, B1=B1, **REST)
    model.graph.node[1].domain = "com.example"
    with pytest.raises(UnsupportedModelError, match=r"has Relu node 'relu_1'"):
        load(model)
    nodes = [("Dropout", "x", "d", {}), ("Gemm", "d W1 B1", "h", {}), *TAIL]
    with pytest.raises(UnsupportedModelError, match=r"is in training mode"):
        load(model_of(nodes, ("N", 6), opset=6, W1=W1, B1=B1, **REST))


def test_bad_input_weights_of_integers(load):
    with pytest.raises(UnsupportedModelError, match=r"MatMul node 'matmul_0' has a weight of integers"):
        load(model_of([("MatMul", "x I", "h", {}), *TAIL], ("N", 6), I=np.ones((6, 4), int), **REST))
    with pytest.raises(UnsupportedModelError, match=r"Add node 'add_0' has a constant of integers"):
        load(model_of([("Add", "x I", "h", {}), *TAIL], ("N", 6), I=np.ones(6, int), **REST))


def test_bad_input_functions(load):
    model = model_of([GEMM, *TAIL], ("N", 6), W1=W1, B1=B1, **REST)
    negate = helper.make_node("Neg", ["a"], ["b"])
    model.functions.append(helper.make_function("", "Relu", ["a"], ["b"], [negate], [helper.make_opsetid("", 13)]))
    with pytest.raises(UnsupportedModelError, match=r"defines functions of its own, 'Relu'; inline them first"):
        load(model)


def test_bad_input_nothing_in_it(load):
    with pytest.raises(ModelFileError, match=r"its graph has no nodes"):
        load(helper.make_model(helper.make_graph([], "empty", [], [])))
    with pytest.raises(ModelFileError, match=r"net.onnx is empty"):
        load(b"")
    with pytest.raises(UnsupportedModelError, match=r"it has none that its output needs"):
        load(model_of([("Relu", "W1", "y", {})], ("N", 6), W1=W1))


def test_known_a_network_without_a_kink_is_one_region(load):
    network = load(model_of([("Gemm", "x W1 B1", "y", {})], ("N", 6), W1=W1, B1=B1))
    assert (network.neurons, network.layers) == (0, ())
    assert load(model_of([("Relu", "x", "y", {})], ("N", 6))).widths == (6,)


# Constants wherever they stand.


@pytest.mark.parametrize("shared", [False, True])
def test_known_a_constant_may_stand_behind_its_use(load, shared):
    weight = np.array([[1.0, 2.0], [3.0, -1.0]])
    nodes = [
        ("MatMul", "x W", "a", {}),
        ("Constant", "", "W", {"value": numpy_helper.from_array(weight)}),
        ("Relu", "a", "r", {}),
        ("MatMul", "r W", "y", {}),
    ]
    network = creases.load(shared_case("constant_after_use.onnx")) if shared else load(model_of(nodes, ("N", 2)))
    assert (network.hidden[0].weight == weight.T).all()
    assert (network.output.weight == weight.T).all()
    assert network.notes == ()


@pytest.mark.parametrize("shared", [False, True])
def test_known_a_constant_may_be_transposed(load, shared):
    weight = np.array([[1.0, 2.0], [3.0, -1.0]])
    nodes = [
        ("Transpose", "W", "Wt", {"perm": [1, 0]}),
        ("MatMul", "x Wt", "a", {}),
        ("Relu", "a", "r", {}),
        ("MatMul", "r W", "y", {}),
    ]
    network = (
        creases.load(shared_case("transposed_constant.onnx")) if shared else load(model_of(nodes, ("N", 2), W=weight))
    )
    assert (network.hidden[0].weight == weight).all()
    assert (network.output.weight == weight.T).all()


def test_laws_nodes_in_any_order_are_one_graph(load):
    """Transposed and passed on, of three axes too, and shuffled."""
    nodes = [
        ("Constant", "", "C", {"value": numpy_helper.from_array(B1.reshape(4, 1))}),
        ("Transpose", "C", "B", {}),
        ("Identity", "B", "B2", {}),
        ("Transpose", "V", "W", {}),
        ("MatMul", "x W", "p", {}),
        ("Add", "p B2", "h", {}),
        ("Relu", "h", "r", {}),
        ("MatMul", "r W2", "y", {}),
    ]
    model = model_of(nodes, ("N", 6), V=np.ascontiguousarray(W1.T), W2=W2)
    wanted = load(model)
    agree(wanted, model, (1, 6))
    for seed in range(10):
        order = np.random.default_rng(seed).permutation(len(nodes))
        shuffled = model_of([nodes[i] for i in order], ("N", 6), V=np.ascontiguousarray(W1.T), W2=W2)
        shuffled.graph.output[0].name = "y"
        assert load(shuffled).sha256 == wanted.sha256


@pytest.mark.parametrize(
    ("nodes", "text"),
    [
        ([("Transpose", "x", "t", {}), ("MatMul", "t W1", "h", {}), *TAIL], r"multiplies shape \(6, 1\) by a weight"),
        ([("Transpose", "W1", "t", {"perm": [0, 0]}), ("MatMul", "x t", "h", {}), *TAIL], "an order of its 2 axes"),
        ([("Identity", "W1", "W2", {}), GEMM, *TAIL], "gives 'W2', which stands for another"),
        ([GEMM, ("Relu", "h", "h", {}), *TAIL], "gives 'h', which stands for another"),
        ([("Add", "x b", "a", {}), ("Add", "a x", "b", {}), GEMM, *TAIL], "takes what is made from its own output"),
    ],
)
def test_bad_input_constants_and_orders(load, nodes, text):
    with pytest.raises(ModelFileError, match=text):
        load(model_of(nodes, ("N", 6), W1=W1, B1=B1, **REST))


# Numbers in another file.


def outside(model, place=0, offset=None, length=None, location="net.onnx.data", **more):
    """The model with one initialiser's numbers said to be elsewhere."""
    tensor = model.graph.initializer[place]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    given = {"location": location, "offset": offset, "length": length, **more}
    for key, value in given.items():
        if value is not None:
            tensor.external_data.add(key=key, value=str(value))
    return model


def gemm_model():
    return model_of([GEMM, *TAIL], ("N", 6), W1=W1, B1=B1, **REST)


def test_known_what_torch_exports_from_width_32_on(tmp_path):
    """Two files, read alike from any working folder."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("onnxscript", reason="torch.onnx.export needs onnxscript")
    module = torch.nn.Sequential(torch.nn.Linear(2, 32), torch.nn.ReLU(), torch.nn.Linear(32, 1)).eval()
    torch.onnx.export(module, (torch.ones(1, 2),), tmp_path / "model.onnx", dynamo=True, external_data=True)
    assert (tmp_path / "model.onnx.data").exists()
    assert creases.load(tmp_path / "model.onnx").sha256 == creases.load(module).sha256


@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_known_external_data_beside_the_model(load, tmp_path, kind):
    (tmp_path / "net.onnx.data").write_bytes(bytes(64) + W1.astype(kind).tobytes() + bytes(5))
    model = model_of([GEMM, *TAIL], ("N", 6), W1=W1.astype(kind), B1=B1, **REST)
    for length in (W1.astype(kind).nbytes, None):
        network = load(outside(model, offset=64, length=length))
        assert (network.hidden[0].weight == W1.astype(kind).T.astype(float)).all()
        del model.graph.initializer[0].external_data[:]


def test_known_onnx_s_own_external_data(tmp_path):
    model = gemm_model()
    wanted = [tensor.raw_data for tensor in model.graph.initializer]
    onnx.save(model, str(tmp_path / "a.onnx"), save_as_external_data=True, location="a.bin", size_threshold=0)
    assert wanted[0] in (tmp_path / "a.bin").read_bytes()
    network = creases.load(tmp_path / "a.onnx")
    assert (network.hidden[0].weight == W1.T).all()
    assert (network.output.bias == B2).all()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"location": "../secret.bin"}, "only a file in the model's own folder"),
        ({"location": "sub/../../secret.bin"}, "only a file in the model's own folder"),
        ({"location": "{folder}/secret.bin"}, "only a file in the model's own folder"),
        ({"location": "..\\secret.bin"}, "only a file in the model's own folder"),
        ({"location": "C:secret.bin"}, "only a file in the model's own folder"),
        ({"location": ""}, "only a file in the model's own folder"),
        ({"basepath": "/"}, "only a file in the model's own folder"),
        ({"location": "link.bin"}, "leads out of the model's folder"),
        ({"location": "linked/secret.bin"}, "leads out of the model's folder"),
        ({"location": "folder"}, "is not a plain file"),
        ({"location": "pipe"}, "is not a plain file"),
        ({"location": "nowhere.bin"}, "cannot be opened beside it.*Put that file into the model's folder"),
        ({"location": "loop"}, "cannot be opened beside it"),
        ({"offset": 8}, "needs 192 bytes and is placed at 8 to 200 of net.onnx.data, which has 192"),
        ({"length": 191}, "needs 192 bytes and is placed at 0 to 191"),
        ({"length": 10**15}, "is placed at 0 to 1000000000000000"),
        ({"offset": -1}, "has offset '-1', which is no number of bytes"),
        ({"offset": "9" * 5000}, "which is no number of bytes"),
    ],
)
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_bad_input_external_data_elsewhere(tmp_path, options, text):
    inner = tmp_path / "inner"
    (inner / "folder").mkdir(parents=True)
    (tmp_path / "secret.bin").write_bytes(W1.tobytes())
    (inner / "net.onnx.data").write_bytes(W1.tobytes())
    (inner / "link.bin").symlink_to(tmp_path / "secret.bin")
    (inner / "linked").symlink_to(tmp_path)
    (inner / "loop").symlink_to(inner / "loop")
    os.mkfifo(inner / "pipe")
    options = {key: str(value).replace("{folder}", str(tmp_path)) for key, value in options.items()}
    (inner / "net.onnx").write_bytes(outside(gemm_model(), **options).SerializeToString())
    with pytest.raises(ModelFileError, match=text):
        creases.load(inner / "net.onnx")


def test_bad_input_external_data_claimed_twice(load, tmp_path):
    """A small model must not read one large file again and again."""
    (tmp_path / "net.onnx.data").write_bytes(W1.tobytes())
    nodes = [("MatMul", "x W1", "p", {}), ("MatMul", "p V", "h", {}), *TAIL]
    square = model_of(nodes, ("N", 6), W1=W1, V=numbers(4, 4), **REST)
    with pytest.raises(ModelFileError, match=r"together claim more than the 192 bytes of net\.onnx\.data"):
        load(outside(outside(square), place=1))


def test_bad_input_external_data_without_a_folder():
    from creases.readers.onnx.graph import read_onnx

    with pytest.raises(ModelFileError, match=r"keeps its numbers in another file"):
        read_onnx(outside(gemm_model()).SerializeToString(), "net.onnx")


def test_bad_input_external_data_and_negative_shapes(load, tmp_path):
    (tmp_path / "net.onnx.data").write_bytes(W1.tobytes())
    model = outside(gemm_model())
    del model.graph.initializer[0].dims[:]
    model.graph.initializer[0].dims.extend([-6, -4])
    with pytest.raises(ModelFileError, match=r"declares shape \(-6, -4\)"):
        load(model)
    model.graph.initializer[0].dims[:] = [2**40, 4]
    with pytest.raises(ModelFileError, match=r"needs 35184372088832 bytes"):
        load(model)


def test_bad_input_tensors_that_declare_more_than_they_hold(load):
    model = model_of([GEMM, *TAIL], ("N", 6), W1=W1, B1=B1, **REST)
    for dims in ([2**40, 4], [6, 5], [-6, -4], [6, 3]):
        del model.graph.initializer[0].dims[:]
        model.graph.initializer[0].dims.extend(dims)
        with pytest.raises(ModelFileError, match=r"tensor 'W1' declares shape .* but the file holds 24 of them"):
            load(model)


def test_bad_input_onnx_missing(load, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"needs the package 'onnx'.*creases\[onnx\]"):
        load(b"anything")


def test_bad_input_no_protobuf(load):
    with pytest.raises(CreasesError, match=r"net.onnx is truncated or damaged"):
        load(b"this is no model")


def test_bad_input_what_stands_between_layers_has_no_remedy_of_the_last(load):
    model = model_of(
        [("MatMul", "x W1", "h", {}), ("Sigmoid", "h", "r", {}), ("MatMul", "r W2", "y", {})], ["N", 6], W1=W1, W2=W2
    )
    with pytest.raises(UnsupportedModelError, match=r"it has Sigmoid node") as caught:
        load(model)
    assert "without it" not in str(caught.value)


def plain_model():
    return model_of(
        [("MatMul", "x W1", "h", {}), ("Relu", "h", "r", {}), ("MatMul", "r W2", "y", {})], ["N", 6], W1=W1, W2=W2
    )


def test_bad_input_sparse_constants(load):
    model = plain_model()
    sparse = model.graph.sparse_initializer.add()
    sparse.values.CopyFrom(numpy_helper.from_array(np.ones(1), "S"))
    with pytest.raises(UnsupportedModelError, match=r"sparse constants \(sparse_initializer\), which are not read"):
        load(model)


def test_bad_input_axes_without_number_take_no_time(load):
    """The product of their lengths has millions of digits; it must not be worked out."""
    many = [2**62] * 20_000
    tensor = plain_model()
    del tensor.graph.initializer[0].dims[:]
    tensor.graph.initializer[0].dims.extend(many)
    with pytest.raises(ModelFileError, match=r"tensor 'W1' has 20000 axes; an array has 64 at most"):
        load(tensor)
    entry = plain_model()
    for side in many:
        entry.graph.input[0].type.tensor_type.shape.dim.add().dim_value = side
    with pytest.raises(ModelFileError, match=r"input 'x' has 20002 axes; an array has 64 at most"):
        load(entry)
    shape = model_of([("Reshape", "x S", "h", {}), *TAIL], ["N", 6], S=np.array(many), **REST)
    with pytest.raises(ModelFileError, match=r"makes 20000 axes; 64 are the most"):
        load(shape)


def chain_of_one(count):
    """As many layers, all with the weight W."""
    pairs = [(("MatMul", f"r{i} W", f"m{i}", {}), ("Relu", f"m{i}", f"r{i + 1}", {})) for i in range(count)]
    nodes = [("Identity", "x", "r0", {}), *(node for pair in pairs for node in pair)]
    return model_of(nodes, ["N", 50], out=("N", 50), W=numbers(50, 50))


def test_bad_input_one_weight_taken_thousands_of_times(load):
    assert load(chain_of_one(20)).depth == 20
    with pytest.raises(ModelFileError, match=r"together claim more than 64 times the file's"):
        load(chain_of_one(1000))
