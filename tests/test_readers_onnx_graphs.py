"""`.onnx` files as graphs: constants worked out ahead, what is left out, names, batches, and files that lie."""

import gzip
import re
import warnings
from fractions import Fraction

import numpy as np
import pytest

import creases
from creases.errors import CreasesError, ModelFileError, UnsupportedModelError
from creases.network import Divide, Linear, ReLU, Scale

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

from onnx_models import assert_same, model_of, onnxruntime, session_of  # noqa: E402
from shared_networks import shared_case  # noqa: E402

RNG = np.random.default_rng(11)


def numbers(*shape):
    return RNG.standard_normal(shape)


def ints(*values):
    return np.array(values, dtype=np.int64)


@pytest.fixture
def load(tmp_path):
    def load_model(model, name="net.onnx", **options):
        path = tmp_path / name
        path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
        return creases.load(path, **options)

    return load_model


W1, B1, W2, B2 = numbers(6, 4), numbers(4), numbers(4, 2), numbers(2)
MLP = [("Gemm", "x W1 B1", "h", {}), ("Relu", "h", "r", {}), ("Gemm", "r W2 B2", "y", {})]
WEIGHTS = {"W1": W1, "B1": B1, "W2": W2, "B2": B2}


# Exactly the file's network.


def test_known_centring_does_not_part_lines_that_meet(load):
    """Eight lines through (.1, .7): in floats W @ c is rounded, and they make 37 regions; there are 16."""
    weight = np.random.default_rng(0).standard_normal((2, 8))
    nodes = [("Sub", "x c", "n", {}), ("MatMul", "n W", "h", {}), ("Relu", "h", "r", {}), ("MatMul", "r V", "y", {})]
    model = model_of(nodes, ("N", 2), c=np.array([0.1, 0.7]), W=weight, V=np.ones((8, 1)))
    for network in (load(model), load(model, output="r")):
        found = creases.count(network, creases.Space(2), threads=1, progress=False)
        assert (found.regions, found.certified, found.notes) == (16, True, ())


def test_known_the_shared_file_has_16():
    found = creases.count(creases.load(shared_case("centred_double.onnx")), creases.Space(2), threads=1, progress=False)
    assert (found.regions, found.certified, found.notes) == (16, True, ())


def test_known_a_division_is_one_and_no_product(load):
    nodes = [("Div", "x d", "n", {}), *[(op, names.replace("x", "n"), out, told) for op, names, out, told in MLP]]
    network = load(model_of(nodes, ("N", 6), d=np.array([3.0, 1, 0.1, 49, 2, -7]), **WEIGHTS))
    assert isinstance(network.levels[0].sources[0], Divide)
    assert network.levels[0].sources[0].numbers.tolist() == [3.0, 1, 0.1, 49, 2, -7]
    assert network.notes == ()
    ones = load(model_of(nodes, ("N", 6), d=np.ones(6), **WEIGHTS))
    assert ones.sha256 == load(model_of(MLP, ("N", 6), **WEIGHTS)).sha256


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_known_a_factor_of_gemm_is_folded_only_if_no_product_rounds(load, dtype):
    weights = {name: values.astype(dtype) for name, values in WEIGHTS.items()}
    nodes = [("Gemm", "x W1 B1", "h", {"alpha": 0.3, "beta": -0.7}), *MLP[1:]]
    kind = TensorProto.FLOAT if dtype == np.float32 else TensorProto.DOUBLE
    network = load(model_of(nodes, ("N", 6), kind=kind, **weights))
    assert network.notes == ()
    alpha, beta = (Fraction(float(np.float32(factor))) for factor in (0.3, -0.7))
    if dtype == np.float64:
        assert not network.is_chain
        factors = [op.factors for level in network.levels for op in level.sources.values() if isinstance(op, Scale)]
        assert sorted({float(factor[0]) for factor in factors}) == sorted([float(alpha), float(beta)])
        return
    assert network.is_chain
    for stored, factor, ours in (
        (weights["W1"].T, alpha, network.hidden[0].weight),
        (weights["B1"], beta, network.hidden[0].bias),
    ):
        for mine, theirs in zip(ours.ravel().tolist(), stored.ravel().tolist(), strict=True):
            assert Fraction(mine) == factor * Fraction(theirs)


def test_laws_exact_products_are_found_out():
    from creases.network.builder.exact import exact_product

    rng = np.random.default_rng(5)
    known = {True: 0, False: 0}
    for _ in range(400):
        bits = int(rng.integers(1, 54))
        value = float(rng.integers(1 << (bits - 1), 1 << bits)) * 2.0 ** int(rng.integers(-300, 300))
        factor = float(rng.integers(1, 1 << int(rng.integers(1, 54)))) * 2.0 ** int(rng.integers(-300, 300)) * -1
        exact = Fraction(value) * Fraction(factor) == Fraction(value * factor)
        found = exact_product(np.array([value]), factor)
        known[exact] += 1
        assert (found is not None) == exact
        assert found is None or found[0] == value * factor
    assert min(known.values()) > 50
    assert exact_product(np.array([2.0**-600]), 2.0**-600) is None, "it underflows"
    assert exact_product(np.array([2.0**600]), 2.0**600) is None, "it overflows"


def test_known_a_batch_norm_is_noted_where_its_scale_is_no_float64_and_only_there(load):
    nodes = [("BatchNormalization", "x s b m v", "n", {"epsilon": 0.0}), *MLP[1:2], ("Identity", "r", "y", {})]
    nodes[1] = ("Relu", "n", "r", {})
    told = {"s": np.ones(6), "b": np.zeros(6), "m": numbers(6)}
    assert load(model_of(nodes, ("N", 6), v=np.full(6, 9.0), **told)).notes == ()
    (note,) = load(model_of(nodes, ("N", 6), v=np.full(6, 2.0), **told)).notes
    assert "weight / sqrt(variance + eps), is no float64" in note


# Constants.


def test_against_onnxruntime_shapes_that_are_computed(load):
    """As torch writes x.view(x.size(0), -1): Shape, Gather, Unsqueeze, Concat, Reshape."""
    nodes = [
        ("Shape", "x", "shape", {}),
        ("Constant", "", "zero", {"value_int": 0}),
        ("Gather", "shape zero", "n", {"axis": 0}),
        ("Unsqueeze", "n axes", "n1", {}),
        ("Constant", "", "rest", {"value_ints": [-1]}),
        ("Concat", "n1 rest", "wanted", {"axis": 0}),
        ("Reshape", "x wanted", "flat", {}),
        ("MatMul", "flat W1", "h", {}),
        ("Relu", "h", "r", {}),
        ("Size", "x", "size", {}),
        ("Cast", "size", "six", {"to": TensorProto.DOUBLE}),
        ("Div", "r six", "y", {}),
    ]
    assert_same(load, nodes, (1, 2, 3), 13, {"W1": W1, "axes": ints(0)}, np.random.default_rng(0))
    network = load(model_of(nodes, ("N", 2, 3), W1=W1, axes=ints(0)))
    assert [type(op) for level in network.levels for op in level.sources.values()][-1] is Divide


FOLDED = {
    "add": [("Add", "a b", "c", {})],
    "sub": [("Sub", "b a", "c", {})],
    "mul": [("Mul", "a b", "c", {})],
    "div": [("Div", "a b", "c", {})],
    "sqrt": [("Abs", "a", "d", {}), ("Sqrt", "d", "c", {})],
    "reciprocal": [("Reciprocal", "a", "c", {})],
    "neg": [("Neg", "a", "c", {})],
    "sum": [("Sum", "a b a", "c", {})],
    "max": [("Max", "a b", "c", {})],
    "min of one": [("Min", "a", "c", {})],
    "floor": [("Floor", "a", "c", {})],
    "ceil": [("Ceil", "a", "c", {})],
    "sign": [("Sign", "a", "c", {})],
    "relu": [("Relu", "a", "c", {})],
    "identity": [("Identity", "a", "c", {})],
    "transpose": [("Transpose", "m", "n", {}), ("Slice", "n s e t", "c", {})],
    "pad": [("Pad", "i p seven", "j", {}), ("Cast", "j", "c", {"to": 11})],
    "split": [("Split", "m", "d c", {"axis": 0})],
    "range": [("Range", "zero six two", "j", {}), ("ReduceProd", "j", "k", {}), ("Cast", "j", "c", {"to": 11})],
    "integer division": [("Div", "i j", "k", {}), ("Cast", "k", "c", {"to": 11})],
    "integer remainder": [("Mod", "i j", "k", {}), ("Cast", "k", "c", {"to": 11})],
    "integer remainder as in C": [("Mod", "i j", "k", {"fmod": 1}), ("Cast", "k", "c", {"to": 11})],
    "product": [("ReduceProd", "i", "k", {"axes": [0], "keepdims": 0}), ("Cast", "k", "c", {"to": 11})],
    "product of all": [("ReduceProd", "i none", "k", {}), ("Cast", "k", "c", {"to": 11})],
    "product of none": [
        ("ReduceProd", "i none", "k", {"noop_with_empty_axes": 1}),
        ("Cast", "k", "c", {"to": 11}),
    ],
    "cast": [("Cast", "a", "k", {"to": 7}), ("Cast", "k", "c", {"to": 11})],
    "comparison": [("Greater", "a b", "g", {}), ("Not", "g", "n", {}), ("Where", "n a b", "c", {})],
    "equal": [("Equal", "i j", "g", {}), ("Where", "g a b", "c", {})],
    "both": [("Less", "i j", "g", {}), ("Equal", "i j", "h", {}), ("Or", "g h", "o", {}), ("Where", "o a b", "c", {})],
    "filled": [
        ("ConstantOfShape", "one_of_3", "c", {"value": numpy_helper.from_array(np.array([2.5]))}),
    ],
    "tile": [("Tile", "small r", "c", {})],
    "expand": [("Expand", "small one_of_3", "c", {})],
    "concat": [("Concat", "small small small", "c", {"axis": 0})],
}
# What came out of the nodes above is added to what flows, so that it shows.
PARTS = {
    "a": np.array([1.3, -2.7, 0.1]),
    "b": np.array([0.7, 0.3, -0.1]),
    "m": numbers(2, 3),
    "i": ints(7, -7, 5),
    "j": ints(2, 2, 5),
    "p": ints(0, 0),
    "seven": np.int64(7),
    "s": ints(0),
    "e": ints(1),
    "t": ints(1),
    "none": np.zeros(0, np.int64),
    "zero": np.int64(0),
    "six": np.int64(6),
    "two": np.int64(2),
    "one_of_3": ints(3),
    "small": np.array([0.25]),
    "r": ints(3),
}


@pytest.mark.parametrize("name", FOLDED)
def test_against_onnxruntime_constants_computed_of_constants(load, name):
    nodes = FOLDED[name]
    made = {output for _, _, outputs, _ in nodes for output in outputs.split()}
    constants = {key: values for key, values in PARTS.items() if key not in made}
    shape = (1, 3, 2) if name == "transpose" else (1, 3)
    nodes = [*nodes, ("Mul", "x c", "q", {}), ("Add", "q c", "y", {})]
    opset = 18 if "none" in constants and "i none" in str(nodes) else 13
    assert_same(load, nodes, shape, opset, constants, np.random.default_rng(0))


def test_known_float_constants_are_computed_in_the_file_s_own_type_and_that_is_noted(load):
    """0.1 + 0.2 in float32, not in float64, and the nodes are named."""
    a, b = np.float32(0.1), np.float32(0.2)
    nodes = [("Add", "a b", "c", {}), ("Add", "x c", "y", {})]
    network = load(model_of(nodes, ("N", 1), kind=TensorProto.FLOAT, a=a, b=b))
    assert network.levels[0].bias.tolist() == [float(a + b)]
    assert float(a + b) != float(a) + float(b)
    (note,) = network.notes
    assert note.startswith("Add node 'add_0': constants computed of constants in the file's own float32, which rounds")
    whole = [("Add", "i i", "c", {}), ("Reshape", "x c", "y", {})]
    assert load(model_of(whole, ("N", 4), i=ints(1, 1))).notes == ()


@pytest.mark.parametrize("op", ["Exp", "MatMul", "Gemm", "Conv"])
def test_bad_input_constants_that_are_not_worked_out(load, op):
    names = "x" if op == "Exp" else "W W"
    nodes = [(op, names.replace("x", "W"), "c", {}), ("MatMul", "x c", "y", {})]
    text = "has Exp node" if op == "Exp" else f"{op} node '{op.lower()}_0' takes constants only, and is not worked out"
    with pytest.raises(UnsupportedModelError, match=text):
        load(model_of(nodes, ("N", 3), W=np.ones((3, 3))))


HUGE = 10**12


@pytest.mark.parametrize(
    ("nodes", "constants"),
    [
        ([("ConstantOfShape", "s", "c", {}), ("Add", "x c", "y", {})], {"s": ints(10**6, 10**6)}),
        (
            [("Range", "a b c", "d", {}), ("Add", "x d", "y", {})],
            {"a": ints(0)[0], "b": ints(HUGE)[0], "c": ints(1)[0]},
        ),
        ([("Expand", "o s", "c", {}), ("Add", "x c", "y", {})], {"o": np.ones(1), "s": ints(HUGE)}),
        ([("Expand", "x s", "y", {})], {"s": ints(10**6, 10**6, 1)}),
        ([("Tile", "o s", "c", {}), ("Add", "x c", "y", {})], {"o": np.ones(1), "s": ints(HUGE)}),
        ([("Tile", "x s", "y", {})], {"s": ints(1, HUGE)}),
        ([("Pad", "x s", "y", {})], {"s": ints(0, 0, 0, HUGE)}),
        ([("Pad", "x s", "y", {"mode": "edge"})], {"s": ints(0, HUGE, 0, -HUGE)}),
        ([("Add", "a b", "c", {}), ("Add", "x c", "y", {})], {"a": np.ones((30_000, 1)), "b": np.ones(30_000)}),
        ([("Gather", "a b", "c", {}), ("Add", "x c", "y", {})], {"a": np.ones((1, 9000)), "b": np.zeros(9000, int)}),
        ([("Upsample", "x", "y", {"scales": [1.0, 2.0**40]})], {}),
        ([("Expand", "x s", "e", {}), ("MatMul", "e W", "y", {})], {"s": ints(3000, 1, 1), "W": np.ones((6, 6000))}),
        (
            [("Unsqueeze", "x a", "i", {}), ("Conv", "i W", "y", {"pads": [2**31 - 2, 0]})],
            {"a": ints(1), "W": np.ones((1, 1, 1))},
        ),
        (
            [("Unsqueeze", "x a", "i", {}), ("ConvTranspose", "i W", "y", {"strides": [2**31 - 2]})],
            {"a": ints(1), "W": np.ones((1, 1, 2))},
        ),
    ],
)
def test_bad_input_a_few_bytes_that_ask_for_much(load, nodes, constants):
    opset = 7 if nodes[0][0] == "Upsample" else 13
    with pytest.raises(CreasesError, match=r"are the most|windows fit|make more than|claim more|Give sizes"):
        load(model_of(nodes, ("N", 6), opset=opset, **constants))


def test_bad_input_many_nodes_that_ask_for_much_together(load):
    """None of them alone is too large."""
    nodes = [("Expand", "x s", "e0", {})]
    nodes += [("Mul", f"e{i} c", f"e{i + 1}", {}) for i in range(400)]
    with pytest.raises(ModelFileError, match=r"and the nodes before it make more than 201,326,592 numbers"):
        load(model_of(nodes, ("N", 1), s=ints(1, 2**20), c=np.float64(3.0)))


# Number types.


def rounding_notes(network):
    return [note for note in network.notes if "constants computed of constants" in note]


def added(*nodes):
    """What `nodes` make is added to the input."""
    return [*nodes, ("Add", "x c", "y", {})]


def test_bad_input_a_remainder_of_floats_with_the_sign_of_the_divisor(load):
    """ONNX has it for whole numbers only; -1e-9 mod 1 would be rounded to 1. As C has it, it is exact."""
    parts = {"a": np.array([-1e-9, 5.5]), "b": np.ones(2)}
    with pytest.raises(ModelFileError, match="Mod node 'mod_0' takes a remainder of floats, for which"):
        load(model_of(added(("Mod", "a b", "c", {})), ("N", 2), **parts))
    network = load(model_of(added(("Mod", "a b", "c", {"fmod": 1})), ("N", 2), **parts))
    assert network.forward(np.zeros(2)).tolist() == [-1e-9, 0.5]
    assert network.notes == ()


@pytest.mark.parametrize(
    ("value", "to", "fits"),
    [
        (np.inf, 7, False),
        (np.nan, 6, False),
        (3e9, 6, False),
        (2.0**31, 6, False),
        (2.0**31 - 0.5, 6, True),
        (-(2.0**31) - 0.5, 6, True),
        (-(2.0**31) - 1, 6, False),
        (2.0**63, 7, False),
        (-(2.0**63), 7, True),
    ],
)
def test_known_casts_of_constants_to_whole_numbers_that_hold_them(load, value, to, fits):
    nodes = added(("Cast", "a", "i", {"to": to}), ("Cast", "i", "c", {"to": 11}))
    model = model_of(nodes, ("N", 1), a=np.array([value]))
    if fits:
        assert load(model).forward(np.zeros(1)).tolist() == [float(np.trunc(value))]
        return
    with pytest.raises(UnsupportedModelError, match=r"'cast_0' makes INT(32|64) of constants that are not finite"):
        load(model)


def test_known_the_rounding_to_bfloat16_that_is_advised_is_one(load):
    more = [helper.make_tensor_value_info("z", TensorProto.BFLOAT16, (3,))]
    model = model_of([("Cast", "z", "c", {"to": 11}), ("Add", "x c", "y", {})], ("N", 3), inputs=more)
    array = np.array([0.1, -0.2, 3.0])
    with pytest.raises(ModelFileError, match="holds numbers of type bfloat16") as caught:
        load(model, inputs={"z": array})
    way = str(caught.value).split("Round them yourself: ")[1].removesuffix(".")
    rounded = eval(way, {}, {"array": array})
    found = load(model, inputs={"z": rounded}).forward(np.zeros(3))
    assert (np.abs(found - array) <= np.abs(array) * 2.0**-7).all()
    assert found[2] == 3.0


@pytest.mark.parametrize(
    ("values", "to", "kind"),
    [
        (np.array([0.1, 0.5]), TensorProto.FLOAT, "float32"),
        (np.array([0.1, 0.5], np.float32), TensorProto.FLOAT16, "float16"),
        (ints(2**24 + 1, 1), TensorProto.FLOAT, "float32"),
        (ints(2**63 - 1, 1), TensorProto.DOUBLE, "float64"),
        (np.array([0.25, 0.5]), TensorProto.FLOAT16, None),
        (np.array([0.1, 0.5], np.float32), TensorProto.DOUBLE, None),
        (ints(2**24, 1), TensorProto.FLOAT, None),
    ],
)
def test_known_a_cast_that_rounds_constants_is_noted(load, values, to, kind):
    network = load(model_of(added(("Cast", "a", "c", {"to": to})), ("N", 2), a=values))
    texts = rounding_notes(network)
    assert len(texts) == (kind is not None)
    assert kind is None or f"Cast node 'cast_0': constants computed of constants in the file's own {kind}" in texts[0]
    dtype = {TensorProto.FLOAT: np.float32, TensorProto.FLOAT16: np.float16, TensorProto.DOUBLE: np.float64}[to]
    assert (network.forward(np.zeros(2)) == values.astype(dtype)).all()


def bfloats(*values):
    """A constant of BFLOAT16."""
    return helper.make_tensor("b", TensorProto.BFLOAT16, [len(values)], values)


def test_known_casts_to_bfloat16_that_change_nothing(load):
    nodes = added(("Cast", "a", "b", {"to": TensorProto.BFLOAT16}), ("Cast", "b", "c", {"to": 1}))
    network = load(model_of(nodes, ("N", 2), a=np.array([0.5, -3.0])))
    assert (network.forward(np.zeros(2)) == [0.5, -3.0]).all()
    assert not rounding_notes(network)


@pytest.mark.parametrize(
    ("nodes", "text"),
    [
        ([("Cast", "a", "c", {"to": 16})], "Cast node 'cast_0' rounds constants to BFLOAT16"),
        ([("Cast", "wide", "c", {"to": 16})], "Cast node 'cast_0' rounds constants to BFLOAT16"),
        ([("CastLike", "a b", "c", {})], "CastLike node 'castlike_1' rounds constants to BFLOAT16"),
        ([("Add", "b b", "c", {})], "Add node 'add_1' computes constants in BFLOAT16"),
        ([("Neg", "b", "n", {}), ("Mul", "n b", "c", {})], "Mul node 'mul_2' computes constants in BFLOAT16"),
        ([("Concat", "b b", "n", {"axis": 0}), ("Sqrt", "n", "c", {})], "Sqrt node 'sqrt_2' computes constants in"),
    ],
)
def test_bad_input_constants_that_bfloat16_would_round(load, nodes, text):
    if "b" in nodes[0][1].split():
        nodes = [("Constant", "", "b", {"value": bfloats(2.0, 3.0)}), *nodes]
    constants = {"a": np.array([0.1, 0.5], np.float32), "wide": np.array([1 + 2.0**-30, 1])}
    with pytest.raises(UnsupportedModelError, match=re.escape(text)):
        load(model_of(added(*nodes), ("N", 2), **constants))


def test_bad_input_an_input_fixed_by_what_is_no_bfloat16(load):
    more = [helper.make_tensor_value_info("c", TensorProto.BFLOAT16, (2,))]
    model = model_of([("Add", "x c", "y", {})], ("N", 2), inputs=more)
    with pytest.raises(
        ModelFileError, match=r"input 'c' holds numbers of type bfloat16, and those that fix it are not"
    ):
        load(model, inputs={"c": np.array([0.1, 1.0])})
    assert (load(model, inputs={"c": np.array([0.5, 1.0])}).forward(np.zeros(2)) == [0.5, 1.0]).all()


def test_known_a_constant_takes_the_number_type_of_a_flow_where_the_file_tells_it(load):
    nodes = [("CastLike", "a x", "c", {}), ("Add", "x c", "y", {})]
    model = model_of(nodes, ("N", 2), opset=15, kind=TensorProto.FLOAT, a=np.array([0.1, 0.5]))
    network = load(model)
    assert (network.forward(np.zeros(2)) == np.array([0.1, 0.5], np.float32)).all()
    assert "CastLike node 'castlike_0'" in rounding_notes(network)[0]
    nodes = [("Neg", "x", "n", {}), ("CastLike", "a n", "c", {}), ("Add", "x c", "y", {})]
    model = model_of(nodes, ("N", 2), opset=15, kind=TensorProto.FLOAT, a=np.array([0.1, 0.5]))
    with pytest.raises(UnsupportedModelError, match=r"the number type of 'n', which the file does not tell"):
        load(model)
    model.graph.value_info.append(helper.make_tensor_value_info("n", TensorProto.FLOAT, None))
    assert load(model).sha256 == network.sha256


def narrowing_notes(network):
    return [note for note in network.notes if "is the function of real numbers, which does not round" in note]


DOUBLE, FLOAT, HALF, BRIEF = TensorProto.DOUBLE, TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16


@pytest.mark.parametrize(
    ("kind", "to", "rounds"),
    [
        (DOUBLE, (FLOAT, DOUBLE), {0: "FLOAT"}),
        (FLOAT, (DOUBLE, FLOAT), {1: "FLOAT"}),  # of what was widened only: the reader does not look back
        (DOUBLE, (DOUBLE, DOUBLE), {}),
        (FLOAT, (FLOAT, FLOAT), {}),
        (HALF, (FLOAT, HALF), {1: "FLOAT16"}),
        (HALF, (BRIEF, DOUBLE), {0: "BFLOAT16"}),
        (BRIEF, (FLOAT, DOUBLE), {}),
        (BRIEF, (HALF, FLOAT), {0: "FLOAT16"}),
        (DOUBLE, (FLOAT, HALF), {0: "FLOAT", 1: "FLOAT16"}),
    ],
)
def test_known_a_cast_that_rounds_what_flows_is_noted(load, kind, to, rounds):
    """Between two operators that keep the type; the network is the one without a Cast, as real numbers go."""
    steps = [("Neg", "x", "n", {}), ("Cast", "n", "c", {"to": to[0]}), ("Relu", "c", "r", {})]
    model = model_of([*steps, ("Cast", "r", "d", {"to": to[1]}), ("Neg", "d", "y", {})], ("N", 2), kind=kind)
    network = load(model)
    plain = model_of([("Neg", "x", "n", {}), ("Relu", "n", "r", {}), ("Neg", "r", "y", {})], ("N", 2), kind=kind)
    assert network.sha256 == load(plain).sha256
    assert narrowing_notes(load(plain)) == []
    (found,) = narrowing_notes(network) if rounds else [""]
    assert [i for i in (0, 1) if f"Cast node 'cast_{2 * i + 1}'" in found] == list(rounds)
    if rounds:
        assert f"what flows is rounded to {' and '.join(sorted(rounds.values()))} there by programs" in found
        assert creases.count(network, creases.Box([-1, -1], [1, 1]), progress=False, threads=1).notes == network.notes
    else:
        assert narrowing_notes(network) == []


def test_against_onnxruntime_the_rounding_that_the_note_names_is_there(load):
    """Twice 1 + 2^-30: a program makes 2 of it, real numbers do not."""
    nodes = [("Add", "x x", "n", {}), ("Cast", "n", "c", {"to": FLOAT}), ("Cast", "c", "y", {"to": DOUBLE})]
    model, x = model_of(nodes, ("N", 1), ("N", 1)), np.array([[1 + 2.0**-30]])
    network = load(model)
    assert len(narrowing_notes(network)) == 1
    assert network.forward(x)[0] == 2 + 2.0**-29
    session = session_of(model)
    assert session is not None
    assert session.run(None, {"x": x})[0][0] == 2


@pytest.mark.parametrize(("like", "rounds"), [(np.float32(1), 1), (np.float64(1), 0), (np.float16(1), 1)])
def test_known_a_castlike_that_rounds_what_flows_is_noted(load, like, rounds):
    nodes = [("Relu", "x", "r", {}), ("CastLike", "r like", "y", {})]
    assert len(narrowing_notes(load(model_of(nodes, ("N", 2), opset=15, like=like)))) == rounds
    made = [("Relu", "x", "r", {}), ("Add", "like like", "two", {}), ("CastLike", "r two", "y", {})]
    assert len(narrowing_notes(load(model_of(made, ("N", 2), opset=15, like=like)))) == rounds


def test_known_many_casts_are_one_note(load):
    nodes = [("Cast", f"v{i}" if i else "x", f"v{i + 1}", {"to": DOUBLE if i % 2 else FLOAT}) for i in range(14)]
    (found,) = narrowing_notes(load(model_of([*nodes, ("Relu", "v14", "y", {})], ("N", 2))))
    assert found.startswith("Cast node 'cast_0', Cast node 'cast_2', ")
    assert "'cast_8' and 2 more: what flows is rounded to FLOAT there" in found


# What stands last.


@pytest.mark.parametrize("op", ["Softmax", "LogSoftmax", "Sigmoid", "Tanh", "Erf", "Softplus", "ArgMax"])
def test_known_what_is_smooth_and_stands_last_is_left_out_with_a_note(load, op):
    behind = (
        [("Cast", "s", "i", {"to": 7}), ("Squeeze", "i", "y", {})] if op == "ArgMax" else [("Identity", "s", "y", {})]
    )
    told = {"axis": 1} if op == "ArgMax" else {}
    nodes = [*MLP[:2], ("Gemm", "r W2 B2", "m", {}), (op, "m", "s", told), *behind]
    network = load(model_of(nodes, ("N", 6), **WEIGHTS))
    assert network.sha256 == load(model_of(MLP, ("N", 6), **WEIGHTS)).sha256
    (note,) = network.notes
    assert f"{op} node '{op.lower()}_3' stands last and is left out" in note
    assert ("it is no kink and cuts nothing" in note) == (op != "ArgMax")
    assert ("it cuts where the largest changes" in note) == (op == "ArgMax")
    assert ("decision regions are those of network.with_argmax()" in note) == (op == "ArgMax")


def test_known_two_that_stand_last_are_both_left_out(load):
    nodes = [*MLP[:2], ("Gemm", "r W2 B2", "m", {}), ("Softmax", "m", "s", {}), ("ArgMax", "s", "y", {"axis": -1})]
    network = load(model_of(nodes, ("N", 6), **WEIGHTS))
    assert [note.split()[0] for note in network.notes] == ["ArgMax", "Softmax"]
    assert network.n_out == 2


@pytest.mark.parametrize(
    ("behind", "text"),
    [
        # A Cast to whole numbers jumps where the Sigmoid is 1/2; so it does behind an ArgMax and a Softmax.
        ([("Sigmoid", "m", "s", {}), ("Cast", "s", "y", {"to": 7})], "Sigmoid node 'sigmoid_3'"),
        ([("Sigmoid", "m", "s", {}), ("Cast", "s", "t", {"to": 9}), ("Squeeze", "t", "y", {})], "Sigmoid node"),
        ([("Tanh", "m", "s", {}), ("Cast", "s", "c", {"to": 6}), ("Cast", "c", "y", {"to": 11})], "Tanh node"),
        (
            [("Softmax", "m", "s", {}), ("Cast", "s", "c", {"to": 7}), ("ArgMax", "c", "y", {"axis": 1})],
            "Softmax node",
        ),
        # Only what lies on one side is what the largest is taken of.
        ([("Softmax", "m", "s", {}), ("Slice", "s zero one one", "y", {})], "Softmax node"),
        ([("Softmax", "m", "s", {}), ("Gather", "s zero", "y", {"axis": 1})], "Softmax node"),
        ([("Softmax", "m", "s", {"axis": 0})], "Softmax node 'softmax_3' goes along the batch axis"),
        ([("LogSoftmax", "m", "s", {"axis": -2})], "LogSoftmax node 'logsoftmax_3' goes along the batch axis"),
        ([("ArgMax", "m", "s", {})], "ArgMax node 'argmax_3' goes along the batch axis"),
        (
            [("Softmax", "m", "s", {}), ("Unsqueeze", "s one", "u", {}), ("ArgMax", "u", "y", {"axis": 1})],
            "Softmax node 'softmax_3'",
        ),
    ],
)
def test_bad_input_what_stands_last_and_jumps_or_mixes(load, behind, text):
    nodes = [*MLP[:2], ("Gemm", "r W2 B2", "m", {}), *behind]
    with pytest.raises(UnsupportedModelError, match=re.escape(text)):
        load(model_of(nodes, ("N", 6), zero=ints(0), one=ints(1), **WEIGHTS))


def test_bad_input_an_argmax_along_another_axis_than_the_softmax(load):
    model = model_of([("Softmax", "x", "s", {"axis": 1}), ("ArgMax", "s", "y", {"axis": 2})], ("N", 2, 3))
    with pytest.raises(UnsupportedModelError, match="'softmax_0' goes along axis 1, and the ArgMax behind it along 2"):
        load(model)


@pytest.mark.parametrize(
    ("nodes", "text"),
    [
        ([("Softmax", "r", "y", {"axis": 0})], "Softmax node 'softmax_1' goes along axis 0 of shape (1, 3)"),
        ([("LogSoftmax", "r", "y", {"axis": -2})], "LogSoftmax node 'logsoftmax_1' goes along axis 0"),
        ([("ArgMax", "r", "y", {"axis": 0})], "ArgMax node 'argmax_1' goes along axis 0 of shape (1, 3)"),
        (
            [("Transpose", "r", "t", {"perm": [1, 0]}), ("Softmax", "t", "y", {"axis": 1})],
            "Softmax node 'softmax_2' goes along axis 1 of shape (3, 1)",
        ),
        ([("Softmax", "r", "s", {"axis": 0}), ("ArgMax", "s", "y", {"axis": 1})], "Softmax node 'softmax_1' goes"),
        # Each of these ends in an axis of one number too, behind the first.
        ([("ArgMax", "r", "a", {"axis": 1}), ("ArgMax", "a", "y", {"axis": 1})], "ArgMax node 'argmax_1'"),
        (
            [("ArgMax", "r", "a", {"axis": 1}), ("Cast", "a", "c", {"to": 1}), ("Softmax", "c", "y", {"axis": 1})],
            "ArgMax node 'argmax_1'",
        ),
    ],
)
def test_bad_input_what_is_constant_is_not_left_out(load, nodes, text):
    """Along an axis of one number a Softmax is 1 and an ArgMax 0, whatever the input."""
    model = model_of([("Relu", "x", "r", {}), *nodes], (1, 3))
    with pytest.raises(UnsupportedModelError, match=re.escape(text)) as caught:
        load(model)
    assert "output='" in str(caught.value)


def test_known_a_softmax_of_an_older_version_takes_all_axes_from_its_own(load):
    """Before version 13 it is one over (1, 3) from axis 0 on."""
    nodes = [("Relu", "x", "r", {}), ("Softmax", "r", "y", {"axis": 0})]
    assert load(model_of(nodes, (1, 3), opset=11)).n_out == 3


@pytest.mark.parametrize(("kind", "holds"), [(6, True), (7, True), (1, True), (11, True), (9, False), (3, False)])
@pytest.mark.parametrize("again", [[], [("Cast", "c", "d", {"to": 1}), ("Squeeze", "d", "e", {})]])
def test_known_casts_behind_an_argmax_keep_its_places_apart(load, kind, holds, again):
    """INT32, INT64, FLOAT and DOUBLE hold every place; of BOOL and INT8 several are one."""
    nodes = [("Relu", "x", "r", {}), ("ArgMax", "r", "a", {"axis": 1}), ("Cast", "a", "c", {"to": kind}), *again]
    model = model_of(nodes, ("N", 3))
    if holds:
        assert load(model).n_out == 3
        return
    with pytest.raises(UnsupportedModelError, match="of the places that ArgMax node 'argmax_1' gives") as why:
        load(model)
    assert "output='r'" in str(why.value)
    assert load(model, output="r").n_out == 3


def test_bad_input_a_float16_does_not_hold_many_places(load):
    model = model_of([("ArgMax", "x", "a", {"axis": 1}), ("Cast", "a", "y", {"to": 10})], ("N", 3))
    with pytest.raises(UnsupportedModelError, match="makes FLOAT16 of the places that ArgMax node") as why:
        load(model)
    assert "output=" not in str(why.value)  # nothing stands before it


def test_known_moves_behind_a_softmax_change_nothing(load):
    nodes = [*MLP[:2], ("Gemm", "r W2 B2", "m", {}), ("Softmax", "m", "s", {}), ("Cast", "s", "c", {"to": 1})]
    nodes += [("Unsqueeze", "c one", "u", {}), ("Transpose", "u", "t", {}), ("Reshape", "t shape", "y", {})]
    network = load(model_of(nodes, ("N", 6), one=ints(1), shape=ints(-1), **WEIGHTS))
    assert network.sha256 == load(model_of(MLP, ("N", 6), **WEIGHTS)).sha256


def test_known_an_argmax_along_one_of_several_axes_is_no_decision_of_the_network(load):
    nodes = [("Relu", "x", "r", {}), ("ArgMax", "r", "y", {"axis": 1})]
    (note,) = load(model_of(nodes, ("N", 2, 3))).notes
    assert "it cuts where the largest changes" in note
    assert "with_argmax" not in note


def test_bad_input_a_softmax_of_old_versions_takes_all_axes_behind_its_own(load):
    nodes = [*MLP[:2], ("Gemm", "r W2 B2", "m", {}), ("Softmax", "m", "y", {"axis": 0})]
    with pytest.raises(UnsupportedModelError, match=r"Softmax node 'softmax_3' goes along the batch axis"):
        load(model_of(nodes, ("N", 6), opset=11, **WEIGHTS))
    assert load(model_of([*nodes[:-1], ("Softmax", "m", "y", {})], ("N", 6), opset=11, **WEIGHTS)).n_out == 2


def test_bad_input_what_is_smooth_and_is_not_last(load):
    nodes = [*MLP[:2], ("Gemm", "r W2 B2", "m", {}), ("Sigmoid", "m", "s", {}), ("Add", "s B2", "y", {})]
    model = model_of(nodes, ("N", 6), **WEIGHTS)
    with pytest.raises(UnsupportedModelError, match=r"Sigmoid node 'sigmoid_3'.*load\(\.\.\., output='m'\)"):
        load(model)
    assert load(model, output="m").sha256 == load(model_of(MLP, ("N", 6), **WEIGHTS)).sha256


# Values by name.


def two_headed():
    """Two outputs, and a second input."""
    nodes = [("Add", "x z", "s", {}), ("Gemm", "s W1 B1", "h", {}), *MLP[1:], ("Elu", "r", "other", {})]
    outputs = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, None) for name in ("y", "other")]
    more = [helper.make_tensor_value_info("z", TensorProto.DOUBLE, ("N", 6))]
    return model_of(nodes, ("N", 6), inputs=more, outputs=outputs, **WEIGHTS)


def test_against_onnxruntime_one_output_by_name_and_one_input_by_value(load):
    model = two_headed()
    fixed = numbers(6)
    for values in (fixed, fixed[None, :]):
        network = load(model, output="y", inputs={"z": values})
        session = session_of(model)
        assert session is None or session.get_inputs()[1].name == "z"
        x = numbers(1, 6)
        feeds = {"x": x, "z": fixed[None, :]}
        run = ReferenceEvaluator(model).run if session is None else session.run
        wanted = run(["y"], feeds)[0].ravel()
        np.testing.assert_allclose(network.forward(x.ravel()), wanted, rtol=1e-12)
    inner = load(model, output="h", inputs={"z": np.zeros(6)})
    np.testing.assert_allclose(inner.forward(x.ravel()), (x @ W1 + B1).ravel(), rtol=1e-12)
    other = load(model, output="s", inputs={"x": fixed})
    np.testing.assert_allclose(other.forward(np.zeros(6)), fixed)


def test_known_inputs_that_the_output_does_not_need_are_left_alone(load):
    model = model_of(MLP, ("N", 6), inputs=[helper.make_tensor_value_info("z", TensorProto.INT64, ("N",))], **WEIGHTS)
    assert load(model).n_in == 6


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, r"must have one output; it has y, other\. Choose one by its name: load\(\.\.\., output='y'\)"),
        ({"output": "other", "inputs": {"z": numbers(6)}}, r"it has Elu node 'elu_4'.*output='r'"),
        ({"output": "nothing"}, r"has no value 'nothing' that a node gives\. Its outputs are y, other"),
        ({"output": "x"}, r"has no value 'x' that a node gives"),
        ({"output": 3}, r"output must be the name of one value, got 3"),
        ({"output": "y"}, r"must have one input beside its weights; it has x, z"),
        ({"output": "y", "inputs": {"q": numbers(6)}}, r"has no input 'q' to fix; it has x, z"),
        ({"output": "y", "inputs": {"x": numbers(6), "z": numbers(6)}}, r"it has none that its output needs"),
        (
            {"output": "y", "inputs": {"z": numbers(5)}},
            r"input 'z' has shape \(N, 6\), .* but is fixed by an array of shape \(5,\)",
        ),
        ({"output": "y", "inputs": {"z": "six"}}, r"input 'z' must be fixed by an array of numbers, got a str"),
        ({"output": "y", "inputs": [1.0]}, r"inputs must be arrays by the names"),
        ({"output": "y", "inputs": {"z": np.full(6, np.nan)}}, r"those that fix it are not such numbers|is nan"),
        ({"activation": "relu"}, r"says itself what it computes"),
    ],
)
def test_bad_input_names(load, options, text):
    with pytest.raises(CreasesError, match=text):
        load(two_headed(), **options)


def test_bad_input_a_fixed_input_that_the_file_s_type_does_not_hold(load):
    entry = helper.make_tensor_value_info("z", TensorProto.FLOAT, (1, 6))
    weights = {name: values.astype(np.float32) for name, values in WEIGHTS.items()}
    nodes = [("Add", "x z", "s", {}), ("Gemm", "s W1 B1", "y", {})]
    model = model_of(nodes, ("N", 6), kind=TensorProto.FLOAT, inputs=[entry], **weights)
    tenth = np.full(6, 0.1)
    with pytest.raises(ModelFileError, match=r"Round them yourself: array\.astype\('float32'\)"):
        load(model, inputs={"z": tenth})
    assert load(model, inputs={"z": tenth.astype("float32")}).levels[0].bias.tolist() == [float(np.float32(0.1))] * 6


@pytest.mark.parametrize("options", [{"output": "y"}, {"inputs": {"z": np.ones(2)}}])
def test_bad_input_names_where_values_have_none(tmp_path, options):
    network = creases.Network.he([2, 3, 1])
    path = network.save(tmp_path / "net.npz")
    for source in (path, {"0.weight": np.ones((2, 2))}):
        with pytest.raises(ModelFileError, match=r"has no values with names; (output|inputs) is for files of graphs"):
            creases.load(source, **options)


def test_known_names_on_the_command_line(tmp_path, capsys):
    import json

    from creases import cli

    (tmp_path / "net.onnx").write_bytes(two_headed().SerializeToString())
    np.save(tmp_path / "z.npy", np.zeros(6))
    words = ["info", str(tmp_path / "net.onnx"), "--json", "--output-name", "y"]
    assert cli.run([*words, "--fix-input", f"z={tmp_path / 'z.npy'}"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["widths"], told["inputs"]) == ([4], 6)
    for wrong in ("z", "z=nowhere.npy", "=z.npy"):
        assert cli.run([*words, "--fix-input", wrong]) == 2
        assert "--fix-input" in capsys.readouterr().err


# Batches.


@pytest.mark.parametrize(
    ("nodes", "constants", "text"),
    [
        ([("ReduceSum", "x a", "y", {})], {"a": ints(0)}, "reduces the batch axis"),
        ([("ReduceMean", "x", "y", {})], {}, "reduces the batch axis"),
        ([("ReduceMax", "x", "y", {"axes": [-2]})], {}, "reduces the batch axis"),
        ([("Relu", "x", "r", {}), ("Concat", "r x", "y", {"axis": 0})], {}, "together along the batch axis"),
        (
            [("Transpose", "x", "t", {}), ("MatMul", "t W", "y", {})],
            {"W": np.ones((1, 3))},
            "adds up along the batch axis",
        ),
        ([("MatMul", "W x", "y", {})], {"W": np.ones((3, 1))}, "adds up along the batch axis"),
        ([("Transpose", "x", "t", {}), ("ReduceSum", "t a", "y", {})], {"a": ints(1)}, "reduces the batch axis"),
        (
            [("Unsqueeze", "x u", "t", {}), ("ReduceSum", "t a", "y", {})],
            {"u": ints(0), "a": ints(1)},
            "reduces the batch axis",
        ),
    ],
)
def test_bad_input_what_mixes_inputs_of_an_open_batch(load, nodes, constants, text):
    """A file that takes one input, and no more, may do all that."""
    with pytest.raises(UnsupportedModelError, match=text):
        load(model_of(nodes, ("N", 6), **constants))
    rng = np.random.default_rng(0)
    assert_same(load, nodes, (1, 6), 13, constants, rng)


@pytest.mark.parametrize("op", ["MatMul", "Gemm"])
def test_bad_input_a_fixed_batch_of_many(load, op):
    with pytest.raises(UnsupportedModelError, match=r"acts on each of the 64 entries of the first axis.*with size 1"):
        load(model_of([(op, "x W1", "y", {})], (64, 6), W1=W1))
    image = [("Conv", "x W", "y", {})]
    with pytest.raises(
        UnsupportedModelError, match=r"needs shape \(1, channels, side, \.\.\.\), not \(64, 2, 5\).*size 1"
    ):
        load(model_of(image, (64, 2, 5), W=np.ones((3, 2, 2))))


def test_bad_input_inputs_of_whole_numbers(load):
    with pytest.raises(UnsupportedModelError, match=r"input 'x' has numbers of type INT64, which do not fill a space"):
        load(model_of([("Cast", "x", "y", {"to": 11})], ("N", 6), kind=TensorProto.INT64))


# What programs do not agree on.


@pytest.mark.parametrize(
    ("op", "names", "told", "text"),
    [
        ("MaxPool", "x", {"kernel_shape": [1], "strides": [4]}, "has auto_pad SAME_UPPER with stride 4 and kernel 1"),
        ("Conv", "x W", {"strides": [4]}, "has auto_pad SAME_UPPER with stride 4 and kernel 2 on a side of 8"),
        ("ConvTranspose", "x W", {"strides": [4]}, r"asks for sides \[32\] where there are \[30\]"),
    ],
)
def test_bad_input_windows_that_leave_numbers_out(load, op, names, told, text):
    model = model_of([(op, names, "y", {"auto_pad": "SAME_UPPER", **told})], ("N", 1, 8), W=np.ones((1, 1, 2)))
    with pytest.raises(UnsupportedModelError, match=text):
        load(model)


def test_bad_input_flags_that_are_none(load):
    with pytest.raises(
        ModelFileError, match=r"ReduceSum node 'reducesum_0' has 7 as its attribute 'keepdims'; 0 and 1"
    ):
        load(model_of([("ReduceSum", "x", "y", {"keepdims": 7})], (1, 8)))


# Whole networks.


def test_against_onnxruntime_a_residual_network(load):
    rng = np.random.default_rng(2)
    weights = {
        "w1": rng.standard_normal((4, 2, 3, 3)),
        "w2": rng.standard_normal((4, 4, 3, 3)),
        "w3": rng.standard_normal((4, 2, 1, 1)),
        **{key: rng.standard_normal(4) for key in "sbm"},
        "v": rng.random(4) + 0.5,
        "w4": rng.standard_normal((3, 4)),
    }
    same = {"pads": [1, 1, 1, 1]}
    nodes = [
        ("Conv", "x w1", "c1", same),
        ("BatchNormalization", "c1 s b m v", "n1", {}),
        ("Relu", "n1", "r1", {}),
        ("Conv", "r1 w2", "c2", same),
        ("Conv", "x w3", "c3", {}),
        ("Add", "c2 c3", "a", {}),
        ("Relu", "a", "r2", {}),
        ("MaxPool", "r2", "p", {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("GlobalAveragePool", "p", "g", {}),
        ("Flatten", "g", "f", {}),
        ("Gemm", "f w4", "y", {"transB": 1}),
    ]
    assert_same(load, nodes, (1, 2, 6, 6), 13, weights, rng)
    network = load(model_of(nodes, ("N", 2, 6, 6), **weights))
    assert [len(level.sources) for level in network.levels].count(2) == 1
    assert network.widths == (144, 144, 36)
    assert network.layer_names == ("relu_2", "relu_6", "maxpool_7")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network.forward(rng.standard_normal((3, 72)))


def test_against_onnxruntime_the_newest_opset_and_the_oldest(load):
    onnxruntime()
    for opset in (7, onnx.defs.onnx_opset_version()):
        model = model_of(MLP, ("N", 6), opset=opset, **WEIGHTS)
        network = load(model)
        assert network.is_chain
        assert [level.kink for level in network.levels] == [ReLU(), Linear()]
        x = numbers(1, 6)
        wanted = ReferenceEvaluator(model).run(None, {"x": x})[0]
        np.testing.assert_allclose(network.forward(x.ravel()), wanted.ravel(), rtol=1e-12)


def test_known_packed_files_are_the_same_network(load):
    data = model_of(MLP, ("N", 6), **WEIGHTS).SerializeToString()
    wanted = load(data).sha256
    for name in ("net.onnx.gz", "NET.ONNX.GZ"):
        assert load(gzip.compress(data), name).sha256 == wanted
    assert load(gzip.compress(data), "net.onnx.gz", output="h").n_out == 4


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda _: gzip.compress(bytes(1 << 28)), r"unpacks to more than 67,108,864"),
        (lambda data: data[:-4], r"is truncated: gzip's end is missing"),
        (lambda data: data[:-4] + b"abcd", r"is truncated or damaged"),
        (lambda data: data + b"more", r"4 bytes follow gzip's end"),
        (lambda data: gzip.decompress(data), r"or no gzip file"),
    ],
)
def test_bad_input_packed_files(load, change, text):
    data = gzip.compress(model_of(MLP, ("N", 6), **WEIGHTS).SerializeToString())
    with pytest.raises(ModelFileError, match=text):
        load(change(data), "net.onnx.gz")
