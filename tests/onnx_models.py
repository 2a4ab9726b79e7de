"""ONNX models made by hand, and what other programs say that they compute."""

import warnings

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402


def model_of(nodes, shape, out=("N", 2), opset=13, kind=TensorProto.DOUBLE, inputs=(), outputs=None, **constants):
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
    """The network's outputs are those of onnxruntime, to float64's rounding; to float32's where it has no float64.

    coarse : whether the program computes weights of its own in float32.
    """
    for kind, dtype in ((TensorProto.DOUBLE, np.float64), (TensorProto.FLOAT, np.float32)):
        stored = {
            name: values.astype(dtype) if np.asarray(values).dtype == np.float64 else values
            for name, values in constants.items()
        }
        model = model_of(nodes, shape, None, opset, kind, **stored)
        session = session_of(model)
        if session is not None:
            break
    else:
        pytest.fail("onnxruntime runs it on no floats")
    network = load(model)
    points = points_of(network, rng)
    wanted = np.array([session.run(None, {"x": x.reshape(shape).astype(dtype)})[0].ravel() for x in points])
    found = network.forward(points)
    assert found.shape == wanted.shape
    tolerance = 1e-12 if dtype == np.float64 and not coarse else 1e-5
    assert np.abs(found - wanted).max() <= tolerance * max(np.abs(wanted).max(), 1.0)
    assert np.ptp(found, axis=0).max() > 0, "the outputs say nothing"
