"""ONNX models made by hand, and what other programs say that they compute."""

import warnings

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402


def model_of(nodes, shape, /, out=("N", 2), opset=13, kind=TensorProto.DOUBLE, inputs=(), outputs=None, **constants):
    """A model with input x and output y; a node is (operator, inputs, output, attributes).

    Several names of inputs or outputs are parted by spaces; "_" is an input that is left out.
    """
    protos = [
        helper.make_node(
            op,
            ["" if name == "_" else name for name in names.split()],
            output.split(),
            name=f"{op.lower()}_{i}",
            **attributes,
        )
        for i, (op, names, output, attributes) in enumerate(nodes)
    ]
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(
        protos,
        "graph",
        [helper.make_tensor_value_info("x", kind, shape), *inputs],
        outputs or [helper.make_tensor_value_info(nodes[-1][2].split()[0], kind, out)],
        tensors,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def onnxruntime():
    """The package; the test that asks is skipped without it."""
    return pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


def session_of(model):
    """onnxruntime's session of a model, or None where it has no kernel for an operator on these numbers."""
    package = onnxruntime()
    options = package.SessionOptions()
    options.log_severity_level = 4
    # Rewriting graphs may round; what is asked for is the graph as it stands.
    options.graph_optimization_level = package.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        return package.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        if "NOT_IMPLEMENTED" in str(error) or "Could not find an implementation" in str(error):
            return None
        raise


def points_of(network, rng, count=8):
    """Random points, and as many on which a unit of the first layer is zero, or two candidates of a switch tie."""
    points = rng.standard_normal((count, network.n_in)) * 2
    if not network.layers:
        return points
    level = network.levels[network.layers[0] - 1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        near, far = (network.pre_activations(side)[0] for side in (points, points[::-1] + 0.5))
    pairs = level.kink.groups if level.switches else None
    kinks = []
    for i in range(count):
        if pairs is not None:
            first, second = pairs[i % len(pairs)][0], pairs[i % len(pairs)][-1]
            a, b = near[i, first] - near[i, second], far[i, first] - far[i, second]
        else:
            a, b = near[i, i % near.shape[1]], far[i, i % near.shape[1]]
        if a != b:
            kinks.append(points[i] + a / (a - b) * (points[::-1][i] + 0.5 - points[i]))
    return np.concatenate([points, *([kinks] if kinks else [])])


def assert_same(load, nodes, shape, opset, constants, rng, coarse=False):
    """The network's outputs are those of onnxruntime, to float64's rounding.

    Where it has no float64, to float32's, and to float64's those of the evaluator of onnx itself.
    coarse : whether the program computes weights of its own in float32.
    """
    model = model_of(nodes, shape, None, opset, **constants)
    session = session_of(model)
    if session is not None:
        compare(
            load(model), lambda x: session.run(None, {"x": x})[0], shape, np.float64, rng, 1e-5 if coarse else 1e-12
        )
        return
    small = model_of(
        [(op, names, outputs, as_float32(told)) for op, names, outputs, told in nodes],
        shape,
        None,
        opset,
        TensorProto.FLOAT,
        **as_float32(constants),
    )
    session = session_of(small)
    assert session is not None, "onnxruntime runs it on no floats"
    compare(load(small), lambda x: session.run(None, {"x": x})[0], shape, np.float32, rng, 1e-5)
    if not {op for op, *_ in nodes} & UNRELIABLE:
        run = ReferenceEvaluator(model).run
        compare(load(model), lambda x: np.asarray(run(None, {"x": x})[0]), shape, np.float64, rng, 1e-12)


# Operators of which the evaluator of onnx lacks versions or attributes, or differs from onnxruntime.
UNRELIABLE = {"BatchNormalization", "ConvTranspose", "GlobalMaxPool", "Resize", "Upsample"}


def as_float32(values):
    """Arrays and tensors by name, float64 as float32."""
    result = {}
    for name, value in values.items():
        if isinstance(value, onnx.TensorProto) and value.data_type == TensorProto.DOUBLE:
            value = numpy_helper.from_array(numpy_helper.to_array(value).astype(np.float32))
        elif isinstance(value, np.ndarray | np.float64) and value.dtype == np.float64:
            value = value.astype(np.float32)
        result[name] = value
    return result


def compare(network, run, shape, dtype, rng, tolerance):
    """A network and a program agree at points."""
    points = points_of(network, rng)
    wanted = np.array([run(x.reshape(shape).astype(dtype)).ravel() for x in points])
    found = network.forward(points)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= tolerance * max(np.abs(wanted).max(), 1.0)
    assert np.ptp(found, axis=0).max() > 0, "the outputs say nothing"
