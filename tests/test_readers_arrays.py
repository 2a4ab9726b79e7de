"""Weights that stand in other places: policies of stable-baselines3, nested dictionaries, plain .npz files."""

import io
import zipfile

import numpy as np
import pytest

import creases
from creases.errors import ModelFileError, NetworkError, UnsupportedModelError

RNG = np.random.default_rng(9)


def numbers(*shape):
    return RNG.standard_normal(shape)


W1, B1, W2, B2 = numbers(4, 2), numbers(4), numbers(3, 4), numbers(3)
NETWORK = creases.Network.from_arrays([W1, W2], [B1, B2])


def shown_call(error):
    """The call that an error shows."""
    return "creases.load(" + str(error).split("creases.load(")[1].split(" (on the command line")[0]


# Policies of stable-baselines3.


@pytest.fixture
def policy(tmp_path):
    torch = pytest.importorskip("torch", reason="torch is not installed")

    def written(tensors, name="agent.zip", **more):
        stream = io.BytesIO()
        torch.save({key: torch.tensor(value) for key, value in tensors.items()}, stream)
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("data", '{"policy_class": {":serialized:": "gASVMAAAAAAA"}}')
            archive.writestr("policy.pth", stream.getvalue())
            for member, data in more.items():
                archive.writestr(member, data)
        return tmp_path / name

    return written


def test_known_the_actor_of_a_policy(policy):
    """PPO's policy: two bodies side by side, a head each, and a parameter that is no layer's."""
    layers = {"mlp_extractor.policy_net.0": (W1, B1), "mlp_extractor.value_net.0": (numbers(4, 2), numbers(4))}
    layers |= {"action_net": (W2, B2), "value_net": (numbers(1, 4), numbers(1))}
    tensors = {
        f"{name}.{what}": a for name, pair in layers.items() for what, a in zip(("weight", "bias"), pair, strict=True)
    }
    path = policy({"log_std": np.zeros(3), **tensors})
    order = ["mlp_extractor.policy_net.0", "action_net"]
    network = creases.load(path, activation="relu", order=order)
    assert network.sha256 == NETWORK.sha256
    assert "as order= gives them" in network.notes[0]
    assert network.notes[-1] == (
        "agent.zip: squashing or clipping of actions, and normalisation of observations (VecNormalize), are not among "
        "a policy's weights; they are left out."
    )
    with pytest.raises(ModelFileError, match=r"PPO's and A2C's have Tanh if not told otherwise"):
        creases.load(path, order=order)


def test_known_prefix_chooses_one_network_of_a_policy(policy):
    tensors = {}
    for head in ("q_net.q_net", "q_net_target.q_net"):
        first, second = (W1, W2) if head == "q_net.q_net" else (numbers(4, 2), numbers(3, 4))
        tensors |= {f"{head}.0.weight": first, f"{head}.0.bias": B1, f"{head}.2.weight": second, f"{head}.2.bias": B2}
    path = policy(tensors)
    with pytest.raises(ModelFileError, match=r"prefix=\"q_net\.\"") as caught:
        creases.load(path, activation="relu")
    assert eval(shown_call(caught.value), {"creases": creases}).sha256 == NETWORK.sha256


def test_bad_input_policies(policy, tmp_path):
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("data.txt", "x")
    with pytest.raises(ModelFileError, match=r"other\.zip is no policy of stable-baselines3: it holds no policy\.pth"):
        creases.load(tmp_path / "other.zip", activation="relu")
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("policy.pth", b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(ModelFileError, match=r"evil\.zip"):
        creases.load(tmp_path / "evil.zip", activation="relu")
    data = policy({"0.weight": W1, "0.bias": B1}).read_bytes()
    (tmp_path / "cut.zip").write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelFileError, match=r"cut\.zip is truncated or damaged"):
        creases.load(tmp_path / "cut.zip", activation="relu")


# Nested dictionaries.


class Array:
    """As arrays of JAX: no numpy array, but one can be made of it."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.values, dtype)


FLAX = {"Dense_0": {"kernel": W1.T, "bias": B1}, "Dense_1": {"kernel": W2.T, "bias": B2}}
HAIKU = {"mlp/~/linear_0": {"w": W1.T, "b": B1}, "mlp/~/linear_1": {"w": W2.T, "b": B2}}


@pytest.mark.parametrize("tree", [FLAX, {"params": FLAX}, {"params": {"net": FLAX}}, HAIKU])
def test_known_kernels_are_transposed(tree):
    """Flax and Haiku have (n_in, n_out); numbers in names tell the order, whatever that of the dictionary is."""
    network = creases.load(tree, activation="relu")
    assert network.sha256 == NETWORK.sha256
    assert "The dictionary holds weights and no graph" in network.notes[0]
    leaf = "w" if tree is HAIKU else "kernel"
    assert network.notes[-1].startswith(f"The dictionary: what is named '{leaf}' is read as (n_in, n_out), as Flax")
    backwards = {name: dict(reversed(part.items())) for name, part in reversed(tree.items())} if tree is FLAX else tree
    assert creases.load(backwards, activation="relu").sha256 == NETWORK.sha256


def test_known_arrays_of_other_packages():
    tree = {
        name: {what: Array(values.astype("float32")) for what, values in part.items()} for name, part in FLAX.items()
    }
    network = creases.load(tree, activation="relu")
    assert (network.hidden[0].weight == W1.astype("float32")).all()


def test_known_batch_norms_of_flax():
    """Scale and bias among the parameters, mean and var among the statistics, under one name."""
    gamma, beta, mean, var = numbers(4), numbers(4), numbers(4), np.abs(numbers(4)) + 0.1
    tree = {
        "params": {**FLAX, "BatchNorm_0": {"scale": gamma, "bias": beta}},
        "batch_stats": {"BatchNorm_0": {"mean": mean, "var": var}},
    }
    order = ["Dense_0", "BatchNorm_0", "relu", "Dense_1"]
    network = creases.load(tree, order=order, batch_norm_eps=1e-5)
    points = numbers(20, 2)
    middle = (points @ W1.T + B1 - mean) / np.sqrt(var + 1e-5) * gamma + beta
    np.testing.assert_allclose(network.forward(points), np.maximum(middle, 0) @ W2.T + B2, rtol=1e-12)


def test_bad_input_dictionaries():
    with pytest.raises(ModelFileError, match=r"The dictionary holds weights and no graph"):
        creases.load(FLAX)
    conv = {"Conv_0": {"kernel": numbers(3, 3, 1, 2), "bias": numbers(2)}, **FLAX}
    with pytest.raises(UnsupportedModelError, match=r"tensor 'Conv_0\.weight' has shape \(3, 3, 1, 2\)"):
        creases.load(conv, activation="relu")
    norm = {**FLAX, "LayerNorm_0": {"scale": numbers(4), "bias": numbers(4)}}
    with pytest.raises(UnsupportedModelError, match=r"tensor 'LayerNorm_0\.weight' has shape \(4,\)"):
        creases.load(norm, activation="relu")
    words = {"enc": {"kernel": numbers(2, 4)}, "dec": {"kernel": numbers(4, 2)}}
    with pytest.raises(ModelFileError, match=r"order= names them as they act"):
        creases.load(words, activation="relu")
    assert creases.load(words, activation="relu", order=["enc", "dec"]).widths == (4,)
    with pytest.raises(NetworkError, match=r"array 'a\.kernel' must hold real numbers"):
        creases.load({"a": {"kernel": np.array([["x"]])}}, activation="relu")
    loop = {"a": {"kernel": numbers(2, 2)}}
    loop["b"] = loop
    with pytest.raises(ModelFileError):
        creases.load(loop, activation="relu")


# Plain .npz files.


@pytest.fixture
def saved(tmp_path):
    def written(*arrays, **named):
        np.savez(tmp_path / "net.npz", *arrays, **named)
        return tmp_path / "net.npz"

    return written


def test_known_names_that_say_what_they_are(saved):
    torch_like = saved(**{"fc0.weight": W1, "fc0.bias": B1, "fc1.weight": W2, "fc1.bias": B2})
    assert creases.load(torch_like, activation="relu").sha256 == NETWORK.sha256
    keras_like = saved(**{"fc0/kernel": W1.T, "fc0/bias": B1, "fc1/kernel": W2.T, "fc1/bias": B2})
    network = creases.load(keras_like, activation="relu")
    assert network.sha256 == NETWORK.sha256
    assert network.notes[-1].startswith("net.npz: what is named 'kernel' is read as (n_in, n_out), as Flax, Haiku and")


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("names", ["01", ("enc", "dec")])
def test_known_weights_named_w_stand_the_way_in_which_they_fit(saved, turned, biased, names):
    """Haiku has (n_in, n_out), others the other way round; a bias says it, and else numbers that tell the order."""
    weights = [(W1.T, W2.T), (W1, W2)][not turned]
    arrays = {f"{name}/w": weight for name, weight in zip(names, weights, strict=True)}
    if biased:
        arrays |= {f"{name}/b": bias for name, bias in zip(names, (B1, B2), strict=True)}
    path = saved(**arrays)
    if not biased and names != "01":  # backwards, and the other way round, they fit as well
        with pytest.raises(ModelFileError, match=r"fit one another as \(n_out, n_in\) and as \(n_in, n_out\)"):
            creases.load(path, activation="relu")
        return
    network = creases.load(path, activation="relu")
    biases = [B1, B2] if biased else [np.zeros(4), np.zeros(3)]
    assert network.sha256 == creases.Network.from_arrays([W1, W2], biases).sha256
    way = "(n_in, n_out)" if turned else "(n_out, n_in)"
    assert (
        network.notes[-1]
        == f"net.npz: what is named 'w' is read as {way}, the only way round in which the weights fit."
    )


def test_bad_input_weights_named_w_that_fit_both_ways_or_none(saved):
    square = {"0/w": numbers(2, 2), "0/b": numbers(2), "1/w": numbers(2, 2), "1/b": numbers(2)}
    with pytest.raises(ModelFileError, match=r"net\.npz: its weights fit one another as \(n_out, n_in\) and as"):
        creases.load(saved(**square), activation="relu")
    with pytest.raises(ModelFileError, match=r"holds weights and no graph"):  # asked first, as of all such files
        creases.load(saved(**square))
    with pytest.raises(NetworkError, match=r"Linear '1'"):
        creases.load(saved(**{"0/w": numbers(2, 3), "1/w": numbers(4, 5)}), activation="relu")


def test_known_notes_say_which_arrays_they_speak_of(saved):
    """A 'w' that stands one way round beside a 'kernel' that stands the other."""
    network = creases.load(saved(**{"0/w": W1, "0/b": B1, "1/kernel": W2.T, "1/b": B2}), activation="relu")
    assert network.sha256 == NETWORK.sha256
    assert [note.split(" read as ")[0] for note in network.notes[-2:]] == [
        "net.npz: what is named 'kernel' is",
        "net.npz: what is named 'w' is",
    ]
    assert "as (n_out, n_in)" in network.notes[-1]


def test_bad_input_shapes_are_those_that_are_stored(saved):
    path = saved(**{"0/w": numbers(3, 2), "0/b": numbers(5), "1/w": numbers(1, 3), "1/b": numbers(1)})
    text = (
        r"^net\.npz: Linear '0' has a bias of shape \(5,\) beside a weight of shape \(3, 2\).* the other way round\.$"
    )
    with pytest.raises(NetworkError, match=text):
        creases.load(path, activation="relu")


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        ("0/w", "0.w", "arrays '0/w' and '0.w' have one name"),
        ("0.kernel", "0/kernel", r"arrays '0/kernel' and '0\.kernel' have one name"),
        ("0.weight", "0.kernel", r"arrays '0\.kernel' and '0\.weight' are both the weight of '0'"),
        ("0/w", "0/kernel", r"arrays '0\.kernel' and '0\.w' are both the weight of '0'"),
    ],
)
def test_bad_input_two_arrays_of_one_name(saved, first, second, text):
    """None of them is lost."""
    with pytest.raises(ModelFileError, match=rf"^net\.npz: {text}"):
        creases.load(saved(**{first: numbers(1, 2), second: numbers(1, 2)}), activation="relu")


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        ({"a": {"kernel": W1.T, "w": W1.T}}, "are both the weight of 'a'"),
        ({"a": {"kernel": W1.T, "bias": B1, "b": B1}}, "are both the bias of 'a'"),
        ({"params": {"a": {"kernel": W1.T}}, "a": {"kernel": W1.T}}, r"two arrays that would be named 'a\.kernel'"),
        ({"a": {"b": {"kernel": W1.T}}, "a.b": {"kernel": W1.T}}, r"two arrays that would be named 'a\.b\.kernel'"),
    ],
)
def test_bad_input_two_arrays_of_one_name_in_a_dictionary(tree, text):
    with pytest.raises(ModelFileError, match=rf"^The dictionary.* {text}"):
        creases.load(tree, activation="relu")


@pytest.mark.parametrize("turned", [False, True])
def test_known_an_order_of_arrays(saved, turned):
    """The first question shows a call that reads the file; shapes tell which way round the weights stand."""
    path = saved(*([W1.T, B1, W2.T, B2] if turned else [W1, B1, W2, B2]))
    with pytest.raises(ModelFileError, match=r"order= names its arrays as they act") as caught:
        creases.load(path)
    network = eval(shown_call(caught.value), {"creases": creases})
    assert network.sha256 == NETWORK.sha256
    assert network.notes[-1].endswith(
        f"{'(n_in, n_out)' if turned else '(n_out, n_in)'}, the only way round in which the weights fit."
    )
    placed = creases.load(path, order=["arr_0", "arr_1", "abs", "arr_2", "arr_3"])
    points = numbers(20, 2)
    np.testing.assert_allclose(placed.forward(points), np.abs(points @ W1.T + B1) @ W2.T + B2, rtol=1e-12)


def test_known_layers_without_biases(saved):
    network = creases.load(saved(W1, W2), activation="relu", order=["arr_0", "arr_1"])
    assert network.sha256 == creases.Network.from_arrays([W1, W2], [np.zeros(4), np.zeros(3)]).sha256


@pytest.mark.parametrize(
    ("arrays", "order", "text"),
    [
        ([W1, B1, W2, B2], None, r"order= names its arrays as they act"),
        ([W1, B1, W2, B2], ["arr_0", "arr_4"], r"has no array 'arr_4' for order=; it has 'arr_0', 'arr_1'"),
        ([W1, B1, W2, B2], ["arr_1", "arr_0"], r"order= has 'arr_1' of shape \(4,\) where a weight with two axes must"),
        ([W1, B1, W2, B2], ["arr_0", "arr_1", "arr_3"], r"order= has 'arr_3' of shape \(3,\) where a weight"),
        (
            [W1, B1, W2, B2],
            ["arr_2", "arr_3", "arr_0"],
            r"its weights do not fit one another: 'arr_2' \(3, 4\), 'arr_0'",
        ),
        ([numbers(2, 2)] * 2, ["arr_0", "arr_1"], r"as \(n_out, n_in\) and as \(n_in, n_out\)\. Save them by names"),
        ([np.array([["x"]])], ["arr_0"], r"array 'arr_0' must hold real numbers"),
        ([np.array([{}], dtype=object)], ["arr_0"], r"holds objects, and not numbers"),
    ],
)
def test_bad_input_plain_arrays(saved, arrays, order, text):
    with pytest.raises((ModelFileError, NetworkError), match=text):
        creases.load(saved(*arrays), activation="relu", order=order)


def test_bad_input_an_order_alone_says_no_activation(saved):
    path = saved(W1, B1, W2, B2)
    with pytest.raises(ModelFileError, match=r"holds weights and no graph") as caught:
        creases.load(path, order=["arr_0", "arr_1", "arr_2", "arr_3"])
    assert eval(shown_call(caught.value), {"creases": creases}).sha256 == NETWORK.sha256
