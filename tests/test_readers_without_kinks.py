"""Networks without a kink: every reader opens them, and each is one region on every domain, no error."""

import io
import zipfile

import numpy as np
import pytest

import creases
from creases import (
    Ball,
    Box,
    Circle,
    Directions,
    Line,
    Network,
    Plane,
    Polygon,
    Polyline,
    Polytope,
    Segment,
    Simplex,
    Space,
    Subspace,
    count,
    count_many,
    subdivide,
)
from keras_files import begin, dense, h5_bytes, keras_bytes, sequential

RNG = np.random.default_rng(5)
# Of two affine layers the product is one; quarters, so that it is exact.
WEIGHTS = [RNG.integers(-8, 9, shape) / 4 for shape in ((3, 2), (1, 3))]
BIASES = [RNG.integers(-8, 9, shape) / 4 for shape in (3, 1)]
POINTS = RNG.integers(-8, 9, (20, 2)) / 4


def expected(depth):
    """What the first layers give at POINTS; the last of them is the output."""
    values = POINTS
    for weight, bias in zip(WEIGHTS[:depth], BIASES[:depth], strict=True):
        values = values @ weight.T + bias
    return values


def pairs(depth):
    return list(zip(WEIGHTS[:depth], BIASES[:depth], strict=True))


def npz(path, depth):
    """One level, or two that Network.from_arrays would have a ReLU between."""
    named = enumerate(pairs(depth))
    levels = [creases.Level({i: creases.Dense(weight)}, bias, creases.Linear()) for i, (weight, bias) in named]
    return Network.from_levels(levels).save(path / "net.npz"), {}


def plain_npz(path, depth):
    np.savez(path / "plain.npz", **tensors(depth))
    return path / "plain.npz", {"activation": "linear"}


def nnet(path, depth):
    """A ReLU stands between any two layers of this format: one layer it is."""
    if depth > 1:
        pytest.skip(".nnet has a ReLU behind every layer but the last")
    weight, bias = WEIGHTS[0], BIASES[0]
    header = "1,2,3,3,\n2,3,\n0,\n-1,-1,\n1,1,\n0,0,0,\n1,1,1,\n"
    (path / "net.nnet").write_text(header + "".join(f"{v},\n" for v in (*weight.ravel(), *bias)))
    return path / "net.nnet", {}


def polar(path, depth):
    sizes = [WEIGHTS[depth - 1].shape[0], depth - 1, *(len(bias) for bias in BIASES[: depth - 1])]
    numbers = [v for weight, bias in pairs(depth) for row, c in zip(weight, bias, strict=True) for v in (*row, c)]
    words = [2, *sizes, *["Affine"] * depth, *numbers, 0.0, 1.0]
    (path / "net.polar").write_text("\n".join(map(str, words)) + "\n")
    return path / "net.polar", {}


def onnx(path, depth):
    onnx = pytest.importorskip("onnx", reason="onnx is not installed")
    helper = onnx.helper
    value = lambda name, n: helper.make_tensor_value_info(name, onnx.TensorProto.DOUBLE, ["N", n])  # noqa: E731
    nodes = [helper.make_node("Gemm", [f"v{i}", f"W{i}", f"B{i}"], [f"v{i + 1}"], transB=1) for i in range(depth)]
    arrays = [(f"{k}{i}", a) for i, pair in enumerate(pairs(depth)) for k, a in zip("WB", pair, strict=True)]
    tensors = [onnx.numpy_helper.from_array(array, name) for name, array in arrays]
    out = value(f"v{depth}", len(BIASES[depth - 1]))
    (path / "net.onnx").write_bytes(
        helper.make_model(helper.make_graph(nodes, "g", [value("v0", 2)], [out], tensors)).SerializeToString()
    )
    return path / "net.onnx", {}


def module(depth):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    layers = [torch.nn.Linear(*weight.shape[::-1]) for weight, _ in pairs(depth)]
    made = torch.nn.Sequential(*layers).double()
    made.load_state_dict({name: torch.tensor(array) for name, array in tensors(depth).items()})
    return made


def tensors(depth):
    return {f"{i}.{k}": a for i, pair in enumerate(pairs(depth)) for k, a in zip(("weight", "bias"), pair, strict=True)}


def torch_module(_path, depth):
    return module(depth), {}


def state_dict(_path, depth):
    return module(depth).state_dict(), {"activation": "linear"}


def pt(path, depth):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    torch.save(module(depth).state_dict(), path / "net.pt")
    return path / "net.pt", {"activation": "linear"}


def pt2(path, depth):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    torch.export.save(torch.export.export(module(depth), (torch.zeros(1, 2, dtype=torch.float64),)), path / "net.pt2")
    return path / "net.pt2", {}


def safetensors(path, depth):
    made = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
    made.save_file(tensors(depth), path / "net.safetensors")
    return path / "net.safetensors", {"activation": "linear"}


def policy(path, depth):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    stream = io.BytesIO()
    torch.save(module(depth).state_dict(), stream)
    with zipfile.ZipFile(path / "policy.zip", "w") as archive:
        archive.writestr("policy.pth", stream.getvalue())
    return path / "policy.zip", {"activation": "linear"}


def keras_layers(depth):
    pytest.importorskip("h5py", reason="h5py is not installed")
    return [begin(2), *(dense(f"d{i}", weight.T, bias) for i, (weight, bias) in enumerate(pairs(depth)))]


def keras(path, depth):
    layers = keras_layers(depth)
    (path / "net.keras").write_bytes(keras_bytes(sequential(*layers), layers))
    return path / "net.keras", {}


def h5(path, depth):
    layers = keras_layers(depth)
    names = {f"d{i}": ("kernel", "bias") for i in range(depth)}
    (path / "net.h5").write_bytes(h5_bytes(sequential(*layers), layers, names))
    return path / "net.h5", {}


def sklearn(_path, depth):
    """Fitted by hand: `coefs_` and `intercepts_` are all that is read of the weights."""
    neural = pytest.importorskip("sklearn.neural_network", reason="scikit-learn is not installed")
    model = neural.MLPRegressor(hidden_layer_sizes=(3,) * (depth - 1), activation="identity")
    model.coefs_ = [weight.T for weight, _ in pairs(depth)]
    model.intercepts_, model.out_activation_ = [bias for _, bias in pairs(depth)], "identity"
    return model, {}


def nested(_path, depth):
    made = {f"Dense_{i}": {"kernel": weight.T, "bias": bias} for i, (weight, bias) in enumerate(pairs(depth))}
    return {"params": made}, {"activation": "linear"}


READERS = [npz, plain_npz, nnet, polar, onnx, torch_module, state_dict, pt, pt2]
READERS += [safetensors, policy, keras, h5, sklearn, nested]


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
def test_known_every_reader_opens_what_has_no_kink(reader, depth, tmp_path):
    source, options = reader(tmp_path, depth)
    network = creases.load(source, **options)
    assert network.layers == ()
    assert network.neurons == 0
    assert (network.forward(POINTS) == expected(depth)).all()
    assert count(network, Space(2), progress=False, threads=1).regions == 1


@pytest.mark.parametrize("layers", [["Identity"], ["Flatten"], ["Dropout", "Flatten", "Identity"]], ids=" ".join)
def test_known_modules_without_weights_take_the_shape_that_is_told(layers):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    made = torch.nn.Sequential(*(getattr(torch.nn, name)() for name in layers)).eval()
    for shape in ((2,), (1, 2)):
        network = creases.load(made, input_shape=shape)
        assert (network.input_shape, network.layers) == (shape, ())
        assert (network.forward(POINTS) == POINTS).all()
        assert count(network, Space(2), progress=False, threads=1).regions == 1
    with pytest.raises(creases.ModelFileError, match=r"creases\.load\(model, input_shape="):
        creases.load(made)


@pytest.mark.parametrize("reader", [plain_npz, state_dict, pt, safetensors, policy, nested], ids=lambda r: r.__name__)
def test_known_weights_of_one_layer_that_are_told_relu_are_one_affine_map_and_say_so(reader, tmp_path):
    source, _ = reader(tmp_path, 1)
    network = creases.load(source, activation="relu")
    assert network.layers == ()
    told = "It is one affine map. If its last layer has a kink too, say final_kink=True (--final-kink)."
    assert told in network.notes
    assert creases.load(source, activation="relu", final_kink=True).widths == (3,)


def test_known_arrays_of_one_layer_are_one_affine_map_and_say_so():
    network = Network.from_arrays(WEIGHTS[:1], BIASES[:1])
    assert (network.n_in, network.n_out, network.layers) == (2, 3, ())
    assert (network.forward(POINTS) == expected(1)).all()
    assert network.notes[-1].endswith("If a ReLU follows it, say output_layer=False.")
    found = count(network, Space(2), progress=False, threads=1)
    assert found.regions == 1
    assert found.notes == network.notes
    # The remedy is one.
    hidden = Network.from_arrays(WEIGHTS[:1], BIASES[:1], output_layer=False)
    assert hidden.widths == (3,)
    assert hidden.notes == ()


def test_known_saved_and_opened_it_is_the_same(tmp_path):
    network = Network.from_arrays(WEIGHTS[:1], BIASES[:1])
    again = creases.load(network.save(tmp_path / "affine.npz"))
    assert again.sha256 == network.sha256
    assert again.notes == network.notes


def test_known_a_classifier_with_identity_is_affine_and_its_note_stays():
    neural = pytest.importorskip("sklearn.neural_network", reason="scikit-learn is not installed")
    model = neural.MLPClassifier(hidden_layer_sizes=(3,), activation="identity", max_iter=3, random_state=0)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        model.fit(POINTS, POINTS[:, 0] > 0)
    network = creases.load(model)
    assert network.layers == ()
    assert network.notes == ("The outputs are what MLPClassifier's last layer gives, before its logistic.",)
    assert ((network.forward(POINTS)[:, 0] > 0) == model.predict(POINTS)).all()


def domains(n):
    """Of every kind, in n inputs; and whether `subdivide` takes it."""
    zero, one, axes = np.zeros(n), np.ones(n), np.eye(n)
    bounded = [Segment(zero, one), Box(-one, one), Ball(zero, 1.0), Simplex(np.vstack([zero, axes]))]
    bounded += [Polytope(np.vstack([axes, -axes, zero]))]
    open_ = [Line(zero, one), Space(n), Subspace(zero, axes[: n // 2 + 1]), Directions(n)]
    if n > 1:
        open_ += [Plane.through(zero, axes[0], axes[1])]
    if n == 2:
        bounded += [Polygon([[0, 0], [1, 0], [0, 1]])]
    return bounded + open_


@pytest.mark.parametrize("n", range(1, 9))
def test_known_one_region_on_every_domain(n):
    network = Network.from_arrays([np.ones((2, n))], [np.zeros(2)])
    for domain in domains(n):
        assert count(network, domain, progress=False, threads=1).regions == 1, domain
        cells = subdivide(network, domain, progress=False, threads=1)
        assert len(cells) == 1, domain
        assert cells.patterns.shape == (1, 0), domain
    zero, one = np.zeros(n), np.ones(n)
    path = Polyline([zero, one, 3 * one])
    assert count(network, path, progress=False, threads=1).regions == 1
    assert [one.regions for one in count_many(network, path.segments, progress=False, threads=1)] == [1, 1]


def test_known_one_piece_of_every_circle():
    network = Network.from_arrays([np.ones((2, 2))], [np.zeros(2)])
    for circle in (Circle([0, 0], 1.0), Circle([3, 4], 5.0)):
        found = count(network, circle, progress=False, threads=1)
        assert (found.regions, found.distinct, found.by_layer) == (1, 1, ())
    wide = Network.from_arrays([np.ones((2, 3))], [np.zeros(2)])
    plane = Plane.through([0, 0, 0], [1, 0, 0], [0, 1, 0])
    assert count(wide, Circle([0, 0], 1.0, inside=plane), progress=False, threads=1).regions == 1
