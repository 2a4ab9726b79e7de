"""Files of weights alone: what they do not say is asked, with the call that says it, and noted in every count."""

import io
import itertools
import json
import shlex
import struct

import numpy as np
import pytest

import creases
from creases import cli
from creases.errors import CreasesError, ModelFileError, NetworkError, UnsupportedModelError
from creases.readers.weights.layer_order import Named, fitting, side_by_side
from shared_networks import shared_case

torch = pytest.importorskip("torch", reason="torch is not installed")
prune = pytest.importorskip("torch.nn.utils.prune")
nn = torch.nn


def filled(module, seed=0):
    """The module with all numbers random, the statistics of BatchNorms too."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point():
            values = torch.randn(tensor.shape, generator=generator)
            tensor.copy_(values.abs() + 0.1 if name.endswith("running_var") else values)
    return module.eval()


def linears(seed=0, **shapes):
    """A state dict of Linears: name = (n_in, n_out)."""
    rng, found = np.random.default_rng(seed), {}
    for name, (n_in, n_out) in shapes.items():
        name = name.replace("__", ".").strip("_")
        found[f"{name}.weight"] = torch.tensor(rng.standard_normal((n_out, n_in)))
        found[f"{name}.bias"] = torch.tensor(rng.standard_normal(n_out))
    return found


def norms(*names, size, seed=1):
    """The tensors of BatchNorms, random."""
    found = {}
    for i, name in enumerate(names):
        module = filled(nn.BatchNorm1d(size).double(), seed + i)
        found |= {f"{name}.{key}": tensor for key, tensor in module.state_dict().items()}
    return found


def network_of(tensors, *names):
    """The chain of these Linears, put together here."""
    pairs = [[tensors[f"{name}.{what}"].double().numpy() for what in ("weight", "bias")] for name in names]
    return creases.Network.from_arrays(*zip(*pairs, strict=True))


@pytest.fixture
def saved(tmp_path):
    def save(tensors, name="net.pt"):
        path = tmp_path / name
        if name.endswith(".safetensors"):
            path.write_bytes(safetensors_bytes(tensors))
        else:
            torch.save(tensors, path)
        return path

    return save


def safetensors_bytes(tensors, **metadata):
    """The format as the package writes it: tensors listed by their names."""
    header, body = {"__metadata__": metadata} if metadata else {}, b""
    for name in sorted(tensors):
        values = tensors[name].numpy()
        kind = {"float64": "F64", "float32": "F32", "int64": "I64"}[str(values.dtype)]
        data = values.tobytes()
        header[name] = {
            "dtype": kind,
            "shape": list(values.shape),
            "data_offsets": [len(body), len(body) + len(data)],
        }
        body += data
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


# The question itself.


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.out = nn.Linear(2, 6), nn.Linear(6, 6), nn.Linear(6, 1)

    def forward(self, x):
        h = torch.relu(self.first(x))
        return self.out(h + torch.relu(self.second(h)))


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk, self.policy, self.value = nn.Linear(2, 6), nn.Linear(6, 6), nn.Linear(6, 1)


# Each has the state dict of a chain with ReLU, and none is one.
NO_CHAINS = {
    "residual": Residual,
    "two heads": TwoHeads,
    "GELU": lambda: nn.Sequential(nn.Linear(2, 6), nn.GELU(), nn.Linear(6, 1)),
    "no ReLU at one place": lambda: nn.Sequential(nn.Linear(2, 6), nn.Identity(), nn.Linear(6, 6), nn.ReLU()),
}


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".ckpt", ".safetensors"])
@pytest.mark.parametrize("name", NO_CHAINS)
def test_bad_input_what_may_be_no_chain_is_asked_for(saved, name, suffix):
    path = saved(filled(NO_CHAINS[name]()).state_dict(), f"net{suffix}")
    with pytest.raises(ModelFileError) as caught:
        creases.load(path)
    said = str(caught.value)
    assert f"net{suffix} holds weights and no graph: what stands between its layers is not in it" in said
    assert f'creases.load("{path}", activation="relu"' in said
    assert "(on the command line add: --activation relu" in said


def test_known_the_call_that_the_error_shows_is_the_one_that_reads_the_file(saved, capfd):
    """Both forms, run as they stand in the message; the path has a blank and a quote."""
    tensors = linears(a__0=(2, 5), a__2=(5, 1), b__0=(2, 3), b__2=(3, 1))
    path = saved(tensors, "it's one.pt")
    with pytest.raises(ModelFileError) as caught:
        creases.load(path)
    python, command = str(caught.value).split("say so: ")[1].split(" (on the command line add: ")
    command = command.split("). If not")[0]
    network = eval(python, {"creases": creases})
    assert network.sha256 == network_of(tensors, "a.0", "a.2").sha256
    words = shlex.split(command)
    assert words == ["--activation", "relu", "--prefix", "a."]
    assert cli.run(["info", str(path), *words, "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["sha256"] == network.sha256


def test_known_told_it_is_read_and_the_notes_say_as_what(saved):
    tensors = filled(nn.Sequential(nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 1))).state_dict()
    network = creases.load(saved(tensors), activation="relu")
    (note,) = network.notes
    assert note == (
        "net.pt holds weights and no graph: it is read as the layers '0', '2', by the numbers in their names, ReLU "
        'between them, none after the last, and nothing else, as activation="relu" says.'
    )
    assert network.sha256 == network_of(tensors, "0", "2").sha256


def test_known_final_kink_makes_the_last_layer_hidden(saved):
    path = saved(linears(_0=(2, 4), _2=(4, 3)))
    network = creases.load(path, activation="relu", final_kink=True)
    assert network.widths == (4, 3)
    assert network.output is None
    assert "ReLU between them, and after the last, and nothing else" in network.notes[0]
    one = saved(linears(_0=(2, 4)), "one.pt")
    affine = creases.load(one, activation="relu")
    assert affine.notes[-1].endswith("If its last layer has a kink too, say final_kink=True (--final-kink).")
    assert creases.count(affine, creases.Space(2)).regions == 1
    assert creases.load(one, activation="relu", final_kink=True).widths == (4,)


def test_known_batch_norm_eps_is_what_is_told(saved):
    module = filled(nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4, eps=0.5), nn.ReLU(), nn.Linear(4, 1)))
    path = saved(module.state_dict())
    told = creases.load(path, activation="relu", batch_norm_eps=0.5)
    assert told.sha256 == creases.load(module).sha256
    assert not any("assumed, torch's default" in note for note in told.notes)
    assert "BatchNorm '1': eps=0.5, as batch_norm_eps= says." in told.notes
    assumed = creases.load(path, activation="relu")
    assert assumed.sha256 != told.sha256
    assert any("eps=1e-05 assumed, torch's default" in note for note in assumed.notes)
    with pytest.raises(ModelFileError, match=r"has no BatchNorm, so batch_norm_eps has no meaning here"):
        creases.load(saved(linears(_0=(2, 4), _2=(4, 1)), "plain.pt"), activation="relu", batch_norm_eps=0.5)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"activation": "gelu"}, r"activation='gelu' is not supported: Creases counts \"relu\", \"leaky:0.01\""),
        ({"activation": 3}, r"activation=3 is not supported"),
        ({"activation": []}, r"activation=\[\] is not supported"),
        ({"activation": "leaky"}, r"activation='leaky' lacks its slope: write \"leaky:0.01\""),
        ({"activation": "leaky:nan"}, r"activation='leaky:nan' lacks its slope"),
        ({"activation": "leaky_relu"}, r"activation='leaky_relu' lacks its slope: write \"leaky:0.01\""),
        ({"activation": ["relu", "gelu"]}, r"activation='gelu' is not supported"),
        ({"activation": ["relu"]}, r"1 entries for 2 Linear layers, '0', '2'.*activation=\[\"relu\", \"linear\"\]"),
        (
            {"activation": ["relu"] * 2, "final_kink": True},
            r"as a list says what follows the last layer; leave final_k",
        ),
        ({"order": ["0", "relu", "abs", "2"]}, r"order= places 'abs' directly behind 'relu'"),
        ({"order": ["0", "relu", "2"], "activation": "abs"}, r"order= places 'relu', but activation= says \"abs\""),
        ({"order": ["0", "relu", "2"], "activation": ["relu", "linear"]}, r"leave activation= out: creases\.load\("),
        (
            {"activation": None, "order": ["relu", "0", "abs", "2"], "final_kink": True},
            r"final_kink= does not say which of 'relu', 'abs'",
        ),
        ({"order": "0,2"}, r"order must be a list of the layers' names"),
        ({"order": [0, 2]}, r"order must be a list of the layers' names"),
        ({"order": ["0", "3"]}, r"has no layer '3' for order=; its layers are '0', '2'"),
        ({"order": ["0", "0", "2"]}, r"order= must name the layers.*each once; got '0', '0', '2'"),
        ({"order": 5}, r"order must be a list of the layers' names, such as .*got 5"),
        ({"order": {"0": 1}}, r"order must be a list of the layers' names"),
        ({"prefix": "ac"}, r"no tensor under prefix 'ac\.'; its layers are"),
        ({"order": []}, r"each once; got nothing"),
        ({"prefix": 3}, r"prefix must be the beginning"),
        ({"prefix": "actor"}, r"has no tensor under prefix 'actor\.'; its layers are '0', '2'"),
        ({"final_kink": 1}, r"final_kink must be True or False"),
        ({"batch_norm_eps": -1.0}, r"batch_norm_eps must be a finite number"),
        ({"batch_norm_eps": "small"}, r"batch_norm_eps must be a finite number"),
    ],
)
def test_bad_input_answers(saved, options, text):
    path = saved(linears(_0=(2, 4), _2=(4, 1)))
    with pytest.raises(ModelFileError, match=text):
        creases.load(path, **{"activation": "relu", **options})


def test_bad_input_answers_where_nothing_is_asked(tmp_path):
    """An option that was ignored would be taken for one that counts."""
    network = creases.Network.he([2, 3, 1])
    with pytest.raises(
        ModelFileError, match=r"net\.npz says itself what it computes; activation is for files that hold"
    ):
        creases.load(network.save(tmp_path / "net.npz"), activation="relu")
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    with pytest.raises(ModelFileError, match=r"A torch module says itself.*order and prefix are for files"):
        creases.load(module, order=["0"], prefix="a")
    assert creases.load(module).notes == ()


def test_known_activation_is_read_in_any_case(saved):
    path = saved(linears(_0=(2, 4), _2=(4, 1)))
    for word in ("ReLU", "RELU"):
        assert creases.load(path, activation=word).notes == creases.load(path, activation="relu").notes


def test_bad_input_a_prefix_ends_at_a_dot(saved):
    path = saved(linears(actor__0=(2, 4), actor__2=(4, 1), action__0=(2, 2)))
    with pytest.raises(ModelFileError, match=r"a prefix ends at a dot\. .*under 'action\.', 'actor\.'"):
        creases.load(path, activation="relu", prefix="act")


REWRITTEN = {
    "weight norm": (torch.nn.utils.weight_norm, r"weight norm of layer '0'.*remove_weight_norm\(layer\)"),
    "spectral norm": (torch.nn.utils.spectral_norm, r"spectral norm of layer '0'.*remove_spectral_norm\(layer\)"),
    "parametrization": (
        torch.nn.utils.parametrizations.spectral_norm,
        r"parametrization .* of layer '0'.*remove_parametrizations\(layer, 'weight'\)",
    ),
    "pruning": (
        lambda layer: prune.l1_unstructured(layer, "weight", 0.5),
        r"pruning of layer '0'.*prune\.remove\(layer, 'weight'\)",
    ),
}


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("name", REWRITTEN)
def test_bad_input_weights_made_from_others_are_made_permanent_first(saved, name):
    change, text = REWRITTEN[name]
    module = nn.Sequential(change(nn.Linear(2, 4)), nn.ReLU(), nn.Linear(4, 1))
    for suffix in (".pt", ".safetensors"):
        with pytest.raises(UnsupportedModelError, match=rf"{text}, and save it again\.$") as caught:
            creases.load(saved(module.state_dict(), f"net{suffix}"), activation="relu")
        assert "order=" not in str(caught.value)


@pytest.mark.parametrize("layer", [nn.LayerNorm(4), nn.PReLU()])
def test_bad_input_what_acts_between_layers_is_not_left_out(saved, layer):
    path = saved(nn.Sequential(nn.Linear(2, 4), layer, nn.ReLU(), nn.Linear(4, 1)).state_dict())
    with pytest.raises(UnsupportedModelError, match=r"None of them is supported, and without it.*another one") as e:
        creases.load(path, activation="relu")
    assert "order=" not in str(e.value)


def test_bad_input_tensors_of_other_forms_are_converted_first(saved):
    weight = linears(_0=(2, 4))["0.weight"]
    forms = {
        r"sparse.*\.to_dense\(\)": weight.to_sparse(),
        r"quantized|qint8.*\.dequantize\(\)": torch.quantize_per_tensor(weight.float(), 0.1, 0, torch.qint8),
    }
    for text, tensor in forms.items():
        for source in ({"0.weight": tensor}, saved({"0.weight": tensor})):
            with pytest.raises(CreasesError, match=text):
                creases.load(source, activation="relu")


@pytest.mark.parametrize(("kind", "shape"), [("I64", []), ("I32", [2]), ("U8", [8]), ("F32", [2])])
def test_known_how_many_batches_were_tracked_is_of_any_type(tmp_path, kind, shape):
    tensors = linears(_0=(2, 4), _3=(4, 1)) | norms("1", size=4)
    whole = safetensors_bytes(tensors)
    (length,) = struct.unpack("<Q", whole[:8])
    header = json.loads(whole[8 : 8 + length])
    header["1.num_batches_tracked"] |= {"dtype": kind, "shape": shape}  # of as many bytes
    text = json.dumps(header).encode()
    path = tmp_path / "net.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + whole[8 + length :])
    assert creases.load(path, activation="relu").widths == (4,)


# Order.


def test_known_encoder_and_decoder_are_not_read_by_their_names(saved):
    """Eight lines in general position: 1 + 8 + 28 regions; in the order of the names there would be four."""
    tensors = linears(encoder=(2, 8), decoder=(8, 2))
    path = saved(tensors, "net.safetensors")
    with pytest.raises(ModelFileError, match=r"'decoder', 'encoder', and so do 'encoder', 'decoder' fit") as caught:
        creases.load(path, activation="relu")
    # Neither order is likelier: both calls are shown, and either works.
    shown = set()
    for part in str(caught.value).split("creases.load(")[1:]:
        shown.add(eval("creases.load(" + part.split(")")[0] + ")", {"creases": creases}).sha256)
    assert shown == {network_of(tensors, *order).sha256 for order in (("encoder", "decoder"), ("decoder", "encoder"))}
    network = creases.load(path, activation="relu", order=["encoder", "decoder"])
    assert network.sha256 == network_of(tensors, "encoder", "decoder").sha256
    assert "'encoder', 'decoder', as order= gives them" in network.notes[0]
    assert creases.count(network, creases.Space(2)).regions == 37


def test_known_the_shared_autoencoder():
    path = shared_case("autoencoder_flat.safetensors")
    with pytest.raises(ModelFileError, match=r"order="):
        creases.load(path, activation="relu")
    network = creases.load(path, activation="relu", order=["encoder", "decoder"])
    assert creases.count(network, creases.Space(2)).regions == 37


def test_known_shapes_that_fit_in_one_order_tell_it(saved):
    tensors = linears(encoder=(2, 8), decoder=(8, 3))
    network = creases.load(saved(tensors, "net.safetensors"), activation="relu")
    assert network.sha256 == network_of(tensors, "encoder", "decoder").sha256
    assert "the only one in which their shapes fit" in network.notes[0]


BATCH_NORMS = ["fc1", "bn1", "fc2", "bn2", "fc3"]


def with_norms(last=3):
    return linears(fc1=(2, 12), fc2=(12, 12), fc3=(12, last)) | norms("bn1", "bn2", size=12)


def module_with_norms(tensors):
    layers = [nn.Linear(2, 12), nn.BatchNorm1d(12), nn.Linear(12, 12), nn.BatchNorm1d(12), nn.Linear(12, 3)]
    for name, layer in zip(BATCH_NORMS, layers, strict=True):
        layer.double().load_state_dict({key.split(".")[1]: v for key, v in tensors.items() if key.startswith(name)})
    (fc1, bn1, fc2, bn2, fc3) = layers
    return nn.Sequential(fc1, bn1, nn.ReLU(), fc2, bn2, nn.ReLU(), fc3).eval()


@pytest.mark.parametrize("shared", [False, True])
def test_known_batch_norms_by_name_are_asked_for(saved, shared):
    tensors = with_norms()
    path = shared_case("fc1_bn1_fc2_bn2_fc3.safetensors") if shared else saved(tensors, "net.safetensors")
    with pytest.raises(
        ModelFileError, match=r"lists its layers by name.*order=\[\"fc1\", \"bn1\", \"fc2\", \"bn2\", \"fc3\"\]"
    ):
        creases.load(path, activation="relu")
    network = creases.load(path, activation="relu", order=BATCH_NORMS)
    assert network.widths == (12, 12)
    if not shared:
        assert network.sha256 == creases.load(module_with_norms(tensors)).sha256


def test_known_batch_norms_made_together_and_used_apart_are_asked_for(saved):
    """In a .pt they are stored as they were made. Of equal widths they would fit there too."""
    for last in (3, 12):
        tensors = with_norms(last)
        path = saved(tensors)  # fc1, fc2, fc3, bn1, bn2
        with pytest.raises(
            ModelFileError, match=r"contradict; order= .*order=\[\"fc1\", \"bn1\", \"fc2\", \"bn2\", \"fc3\"\]"
        ):
            creases.load(path, activation="relu")
        assert creases.load(path, activation="relu", order=BATCH_NORMS).widths == (12, 12)
    in_turn = {name: tensors[name] for layer in BATCH_NORMS for name in tensors if name.startswith(layer)}
    network = creases.load(saved(in_turn), activation="relu")
    assert "as the file stores them" in network.notes[0]


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_known_numbers_in_names_count_as_numbers(saved, suffix):
    tensors = linears(_4=(3, 3), _0=(3, 3), _2=(3, 3), _10=(3, 3))
    network = creases.load(saved(tensors, f"net{suffix}"), activation="relu")
    assert network.sha256 == network_of(tensors, "0", "2", "4", "10").sha256
    assert "'0', '2', '4', '10', by the numbers in their names" in network.notes[0]


def test_known_the_shared_square_layers():
    path = shared_case("layers_4_0_2.pt")
    tensors = torch.load(path, weights_only=True)
    assert creases.load(path, activation="relu").sha256 == network_of(tensors, "0", "2", "4").sha256


def test_known_a_torch_file_keeps_the_order_of_words(saved):
    tensors = linears(wide=(2, 5), narrow=(5, 5), out=(5, 1))
    assert creases.load(saved(tensors), activation="relu").sha256 == network_of(tensors, "wide", "narrow", "out").sha256
    backwards = {name: tensors[name] for name in reversed(tensors)}
    with pytest.raises(ModelFileError, match=r"as the file stores them\) its layers do not fit one another"):
        creases.load(saved(backwards), activation="relu")


def test_bad_input_layers_that_fit_in_no_order(saved):
    path = saved(linears(first=(2, 6), policy=(6, 4), value=(6, 1)))
    with pytest.raises(NetworkError, match=r"takes 6 numbers but what stands before it gives 4.*two heads.*order="):
        creases.load(path, activation="relu")
    assert creases.load(path, activation="relu", order=["first", "value"]).n_out == 1


def test_laws_orders_that_fit_are_all_found():
    """Against all permutations; a search that is given up says so."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        count = int(rng.integers(2, 6))
        layers = [Named(str(i), *map(int, rng.integers(1, 3, 2)), is_norm=False) for i in range(count)]
        wanted = {
            order
            for order in itertools.permutations(layers)
            if all(below.n_out == above.n_in for below, above in itertools.pairwise(order))
        }
        found, settled = fitting([[layer] for layer in layers])
        assert len(found) == min(len(wanted), 2)
        assert {tuple(order) for order in found} <= wanted
        assert settled or len(wanted) >= 2
    # Nothing takes what the last gives: every order of the others would be tried, and they are too many.
    many = [Named(str(i), 1, 1, is_norm=False) for i in range(30)] + [Named("x", 2, 3, False), Named("y", 4, 5, False)]
    assert fitting([[layer] for layer in many]) == ([], False)


# Activations.

KINKS = {
    "relu": torch.relu,
    "leaky:0.3": lambda x: nn.functional.leaky_relu(x, 0.3),
    "abs": torch.abs,
    "linear": lambda x: x,
}


def through(tensors, names, words, points):
    """What these Linears and activations compute, in torch."""
    values = torch.tensor(points)
    for name, word in zip(names, words, strict=True):
        values = KINKS[word](nn.functional.linear(values, tensors[f"{name}.weight"], tensors[f"{name}.bias"]))
    return values.numpy()


@pytest.mark.parametrize("word", KINKS)
def test_laws_one_activation_stands_between_the_layers(saved, word):
    tensors, points = linears(_0=(2, 4), _2=(4, 3), _4=(3, 2)), np.random.default_rng(1).standard_normal((20, 2))
    path = saved(tensors)
    for final in (False, True):
        network = creases.load(path, activation=word.upper(), final_kink=final)
        words = [word, word, word if final else "linear"]
        np.testing.assert_allclose(network.forward(points), through(tensors, "024", words, points), rtol=1e-12)
        assert network.depth == (0 if word == "linear" else 2 + final)
        assert f'as activation="{word}" says' in network.notes[0]
    told = creases.load(path, activation=word).notes[0]
    between = {
        "relu": "ReLU",
        "leaky:0.3": "a leaky ReLU of slope 0.3",
        "abs": "the absolute value",
        "linear": "nothing",
    }
    assert f"{between[word]} between them" in told


@pytest.mark.parametrize("words", list(itertools.product(KINKS, repeat=3))[::5])
def test_laws_a_list_says_what_follows_each_layer(saved, words):
    """And so does order=, with the same words among the names."""
    tensors, points = linears(_0=(2, 4), _1=(4, 3), _3=(3, 2)), np.random.default_rng(1).standard_normal((20, 2))
    path = saved(tensors)
    network = creases.load(path, activation=list(words))
    np.testing.assert_allclose(network.forward(points), through(tensors, "013", words, points), rtol=1e-12)
    assert network.depth == sum(word != "linear" for word in words)
    order = [entry for pair in zip("013", words, strict=True) for entry in pair]
    placed = creases.load(path, order=order)
    assert placed.sha256 == network.sha256
    assert "as order= says" in placed.notes[0]


def test_known_a_list_places_kinks_beside_batch_norms(saved):
    """By the numbers, as a ReLU is; a batch norm behind the last layer stands before its activation."""
    layers = [nn.Linear(2, 4), nn.LeakyReLU(0.3), nn.BatchNorm1d(4), nn.Linear(4, 3), nn.BatchNorm1d(3)]
    module = filled(nn.Sequential(*layers)).double()
    network = creases.load(saved(module.state_dict()), activation=["leaky:0.3", "abs"])
    points = np.random.default_rng(1).standard_normal((20, 2))
    with torch.no_grad():
        expected = module(torch.tensor(points)).abs().numpy()
    np.testing.assert_allclose(network.forward(points), expected, rtol=1e-12)
    assert any(
        "The activation, a leaky ReLU of slope 0.3, is assumed to stand before" in note for note in network.notes
    )


def test_known_activations_on_the_command_line(saved, capfd):
    path = saved(linears(_0=(2, 4), _2=(4, 3)))
    for typed, given in (("leaky:0.3", "leaky:0.3"), ("relu,abs", ["relu", "abs"])):
        assert cli.run(["info", str(path), "--activation", typed, "--json"]) == 0
        assert json.loads(capfd.readouterr().out)["sha256"] == creases.load(path, activation=given).sha256
    assert cli.run(["info", str(path), "--order", "0,abs,2,relu", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["sha256"] == creases.load(path, activation=["abs", "relu"]).sha256


def test_known_the_call_for_a_list_of_the_wrong_length_works(saved):
    path = saved(linears(_0=(2, 4), _2=(4, 3), _4=(3, 2)))
    with pytest.raises(ModelFileError) as caught:
        creases.load(path, activation=["abs", "relu"])
    call = str(caught.value).split("nothing follows: ")[1].removesuffix(".")
    assert eval(call, {"creases": creases}).depth == 2


# Numbers without room for a kink.


@pytest.mark.parametrize("shared", [False, True])
def test_known_two_linears_in_a_row_are_one_affine_map(saved, shared):
    if shared:
        path = shared_case("linear_0_1_relu_2_linear_3.pt")
        tensors = torch.load(path, weights_only=True)
    else:
        tensors = linears(_0=(2, 12), _1=(12, 12), _3=(12, 3))
        path = saved(tensors)
    with pytest.raises(ModelFileError, match=r"'0' and '1' leave no place for a ReLU.*one affine map") as caught:
        creases.load(path, activation="relu")
    for kinks in ('order=["0", "1", "relu", "3"]', 'order=["0", "relu", "1", "relu", "3"]'):
        assert kinks in str(caught.value)
    one = creases.load(path, activation="relu", order=["0", "1", "relu", "3"])
    assert one.widths == (12,)
    for number, name in enumerate(("0", "1", "3")):
        assert (one.levels[number].sources[number].weight == tensors[f"{name}.weight"].double().numpy()).all()
    assert len(one.notes) == 1  # as what it was read, and nothing that was rounded
    two = creases.load(path, activation="relu", order=["0", "relu", "1", "relu", "3"])
    assert two.sha256 == network_of(tensors, "0", "1", "3").sha256
    # Twelve lines in general position, and no more; with a kink between there are more than these.
    assert creases.count(one, creases.Space(2)).regions == 1 + 12 + 66
    assert creases.count(two, creases.Space(2)).regions > 1 + 12 + 66


def test_known_an_order_against_the_numbers_is_the_caller_s(saved):
    tensors = linears(_0=(3, 3), _1=(3, 3), _3=(3, 3), _5=(3, 3))
    for order in (["3", "1", "5"], ["5", "3", "1", "0"]):
        network = creases.load(saved(tensors), activation="relu", order=order)
        assert network.sha256 == network_of(tensors, *order).sha256
    with pytest.raises(ModelFileError, match=r"'0' and '1' leave no place"):
        creases.load(saved(tensors), activation="relu", order=["5", "0", "1", "3"])


def test_known_a_list_of_layers_has_numbers_without_any_gap(saved):
    tensors = linears(layers__0=(2, 5), layers__1=(5, 5), layers__2=(5, 1))
    network = creases.load(saved(tensors), activation="relu")
    assert network.sha256 == network_of(tensors, "layers.0", "layers.1", "layers.2").sha256


def test_known_order_places_kinks_beside_batch_norms(saved):
    tensors = linears(fc=(2, 4), out=(4, 1)) | norms("bn", size=4)
    path = saved(tensors)
    before = creases.load(path, activation="relu", order=["fc", "relu", "bn", "out"])
    after = creases.load(path, activation="relu", order=["fc", "bn", "relu", "out"])
    assert before.sha256 != after.sha256
    assert after.sha256 == creases.load(path, activation="relu", order=["fc", "bn", "out"]).sha256
    assert "it is read as 'fc', 'relu', 'bn', 'out', as order= says" in before.notes[0]
    assert creases.load(path, activation="relu", order=["relu", "fc", "relu", "out", "relu"]).widths == (2, 4, 1)


def test_known_notes_say_every_kink_and_every_layer(saved):
    path = saved(linears(_0=(2, 4), _2=(4, 1)))
    told = creases.load(path, activation="relu", order=["0", "relu", "2"], final_kink=True)
    assert told.widths == (4, 1)
    assert "read as '0', 'relu', '2', as order= says, and a ReLU after the last, as final_kink= says." in told.notes[0]
    ends = creases.load(path, activation="relu", order=["0", "relu", "2", "relu"], final_kink=True)
    assert "'relu', as order= says." in ends.notes[0]
    many = {f"{2 * i}.weight": np.ones((1, 1)) for i in range(20)}
    (note,) = creases.load(many, activation="relu").notes
    assert all(f"'{2 * i}'" in note for i in range(20))
    (_read, left) = creases.load(many, activation="relu", order=["0", "2"]).notes
    assert all(f"'{2 * i}'" in left for i in range(2, 20))


# Networks side by side.


@pytest.mark.parametrize("shared", [False, True])
def test_known_networks_side_by_side_are_never_chained(saved, shared):
    if shared:
        path = shared_case("actor_critic_2_2.pt")
        tensors = torch.load(path, weights_only=True)
    else:
        tensors = linears(actor__0=(2, 16), actor__2=(16, 2), critic__0=(2, 16), critic__2=(16, 1))
        path = saved(tensors)
    with pytest.raises(ModelFileError, match=r"'actor\.' and 'critic\.' stand side by side.*prefix=\"actor\.\""):
        creases.load(path, activation="relu")
    for prefix in ("actor.", "critic", "critic."):
        stem = prefix.rstrip(".")
        network = creases.load(path, activation="relu", prefix=prefix)
        assert network.sha256 == network_of(tensors, f"{stem}.0", f"{stem}.2").sha256
        other = "critic" if stem == "actor" else "actor"
        assert any(f"also holds '{other}.0', '{other}.2', left out" in note for note in network.notes)
    within = creases.load(path, activation="relu", prefix="actor.", order=["0", "2"])
    assert within.sha256 == network_of(tensors, "actor.0", "actor.2").sha256
    through = ["actor.0", "actor.2", "critic.0", "critic.2"]
    assert creases.load(path, activation="relu", order=through).depth == 3


@pytest.mark.parametrize(
    ("names", "several"),
    [
        (["0", "2", "4"], []),
        (["fc1", "fc2", "out"], []),
        (["net.0", "net.2"], []),
        (["layers.0.linear", "layers.1.linear"], []),
        (["trunk.0", "trunk.2", "head"], []),
        (["q1.0", "q1.2", "q2.0", "q2.2"], ["q1.", "q2."]),
        (["members.0.0", "members.0.2", "members.1.0", "members.1.2"], ["members.0.", "members.1."]),
        (["net.a.0", "net.a.2", "net.b.0"], ["net.a.", "net.b."]),
        (["fc1", "fc2", "critic.0", "critic.2"], ["fc1", "fc2", "critic."]),
        (["critic.0", "critic.2", "0", "2"], ["0", "2", "critic."]),
        (["net.0", "net.2", "net.aux.0", "net.aux.2"], ["net.0", "net.2", "net.aux."]),
        (["features.0", "features.2", "fc"], []),
        (["fc1", "fc2", "head.linear"], []),
        (["layer1.linear", "layer2.linear", "fc1", "fc2"], []),
    ],
)
def test_known_prefixes_side_by_side(names, several):
    assert side_by_side([Named(name, 2, 2, is_norm=False) for name in names]) == several


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("actor_fc1", "actor_fc2"), ("critic_fc1", "critic_fc2")),
        (("actor1", "actor2"), ("critic1", "critic2")),
        (("net.q_in", "net.q_out"), ("net.v_in", "net.v_out")),
    ],
)
def test_known_networks_that_only_underscores_part_are_never_chained(saved, first, second):
    """Two networks of [2, 8, 2] fit one another: as a chain they were counted, every sign proved."""
    keys = [name.replace(".", "__") for name in first + second]
    tensors = linears(**dict(zip(keys, [(2, 8), (8, 2)] * 2, strict=True)))
    for name in ("net.pt", "net.safetensors"):
        path = saved(tensors, name)
        with pytest.raises(ModelFileError, match=r"stand side by side in it, each with as many inputs"):
            creases.load(path, activation="relu")
        for names in (first, second):
            network = creases.load(path, activation="relu", order=list(names))
            assert network.sha256 == network_of(tensors, *names).sha256
    # Where the second takes what the first gives, and nothing else, it is one network.
    other = linears(**dict(zip(keys, [(2, 8), (8, 5), (5, 6), (6, 1)], strict=True)))
    assert creases.load(saved(other, "one.pt"), activation="relu").widths == (8, 5, 6)


def test_known_layers_without_prefix_beside_a_prefix_are_never_chained(saved):
    """The critic gives as many numbers as the actor takes: they would fit one another."""
    tensors = linears(critic__0=(2, 5), critic__2=(5, 2), fc1=(2, 4), fc2=(4, 3))
    for name in ("net.pt", "net.safetensors"):
        path = saved(tensors, name)
        with pytest.raises(ModelFileError, match=r"'fc1', 'fc2' and 'critic\.' stand side by side") as caught:
            creases.load(path, activation="relu")
        for call in ('order=["fc1", "fc2"]', 'prefix="critic."'):
            assert call in str(caught.value)
        actor = creases.load(path, activation="relu", order=["fc1", "fc2"])
        assert actor.sha256 == network_of(tensors, "fc1", "fc2").sha256
        assert creases.load(path, activation="relu", prefix="critic.").widths == (5,)
    one = linears(body__0=(2, 5), body__2=(5, 5), head=(5, 1))
    assert creases.load(saved(one), activation="relu").depth == 2


# Checkpoints, and state dicts in memory.


def test_known_lists_of_state_dicts_are_chosen_by_their_place(saved):
    """As two critics are kept: the actor alone must not pass for all that is there."""
    actor, *critics = (linears(seed, _0=(2, 4), _2=(4, 2)) for seed in range(3))
    for content in ({"actor": actor, "critics": critics}, {"actor": actor, "critics": tuple(critics)}):
        path = saved(content)
        with pytest.raises(ModelFileError, match=r"'actor\.' and 'critics\.' stand side by side"):
            creases.load(path, activation="relu")
        second = creases.load(path, activation="relu", prefix="critics.1")
        assert second.sha256 == network_of(critics[1], "0", "2").sha256


def test_bad_input_what_is_nested_deep_is_not_passed_over(saved):
    shallow, deep = linears(0, _0=(2, 4), _2=(4, 2)), linears(1, _0=(2, 3), _2=(3, 1))
    for _ in range(6):
        deep = {"x": deep}
    with pytest.raises(ModelFileError, match=r"'a\.' and 'x\.' stand side by side"):
        creases.load(saved({"a": shallow, **deep}), activation="relu")
    for _ in range(30):
        deep = {"x": [deep]}
    with pytest.raises(ModelFileError, match=r"nested more than 16 deep.*Give the state dict itself"):
        creases.load(saved({"a": shallow, **deep}), activation="relu")


@pytest.mark.parametrize(
    "content",
    [
        {"a": linears(0, b__0=(2, 4), b__2=(4, 1)), "a.b": linears(1, _0=(2, 4), _2=(4, 1))},
        {1: linears(0, _0=(2, 4), _2=(4, 1)), "1": linears(1, _0=(2, 4), _2=(4, 1))},
    ],
)
def test_bad_input_two_tensors_of_one_name(saved, content):
    for source in (content, saved(content)):
        with pytest.raises(ModelFileError, match=r"two tensors that would both be named '(a\.b|1)\.0\.weight'"):
            creases.load(source, activation="relu")


def test_bad_input_mappings_that_hold_one_another():
    """A few objects that unfold into more than memory holds: the walk through them ends."""
    inner = {"x": 1}
    for _ in range(15):
        inner = dict.fromkeys(range(30), inner)
    with pytest.raises(ModelFileError, match=r"more than 1000000 entries"):
        creases.load(inner, activation="relu")


# Tied weights, and files that claim more than they hold.


def test_known_tied_layers_of_safetensors_are_read(tmp_path):
    """save_model stores tied tensors once; the other name is in the metadata alone."""
    tensors = linears(_0=(2, 2), _4=(2, 1))
    tied = {"2.weight": "0.weight", "2.bias": "0.bias", "format": "pt", "note": "tied"}
    (tmp_path / "net.safetensors").write_bytes(safetensors_bytes(tensors, **tied))
    network = creases.load(tmp_path / "net.safetensors", activation="relu")
    assert network.sha256 == network_of(tensors, "0", "0", "4").sha256


def test_known_what_save_model_writes(tmp_path):
    save_model = pytest.importorskip("safetensors.torch", reason="safetensors is not installed").save_model
    linear = nn.Linear(2, 2)
    module = nn.Sequential(linear, nn.ReLU(), linear, nn.ReLU(), nn.Linear(2, 1))
    save_model(module, str(tmp_path / "net.safetensors"))
    assert creases.load(tmp_path / "net.safetensors", activation="relu").sha256 == creases.load(module).sha256


def test_bad_input_tied_thousands_of_times(tmp_path, saved):
    weight = torch.ones(50, 50, dtype=torch.float64)
    path = tmp_path / "net.safetensors"
    path.write_bytes(safetensors_bytes({"0.weight": weight}, **{f"{i}.weight": "0.weight" for i in range(1, 1000)}))
    with pytest.raises(ModelFileError, match=r"share storage and together claim more than 64 times the file's"):
        creases.load(path, activation="relu")
    with pytest.raises(ModelFileError, match=r"share storage and together claim more than 64 times the file's"):
        creases.load(saved({f"{i}.weight": weight.view(50, 50) for i in range(1000)}), activation="relu")
    assert creases.load(saved({f"{i}.weight": weight for i in range(9)}), activation="relu").depth == 8


def test_bad_input_safetensors_that_overlap(tmp_path):
    entry = {"dtype": "F64", "shape": [1, 1]}
    header = {
        "0.weight": {**entry, "data_offsets": [0, 8]},
        "2.weight": {**entry, "data_offsets": [8, 16]},
        "4.weight": {**entry, "data_offsets": [4, 12]},
    }
    text = json.dumps(header).encode()
    path = tmp_path / "net.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + np.ones(2).tobytes())
    with pytest.raises(ModelFileError, match=r"invalid offset for tensor `(2|4)\.weight`"):
        creases.load(path, activation="relu")


@pytest.mark.parametrize("key", ["net", "policy", "params", "model", "state_dict", "ema", 3])
def test_known_checkpoints_keep_their_weights_under_any_name(saved, key):
    module = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
    optimiser = torch.optim.Adam(module.parameters())
    module(torch.ones(1, 2)).sum().backward()
    optimiser.step()
    content = {"epoch": 3, "optimizer": optimiser.state_dict(), key: module.state_dict()}
    for inner in (content, {"checkpoint": content}):
        assert creases.load(saved(inner), activation="relu").sha256 == creases.load(module).sha256
    assert creases.load(content, activation="relu").sha256 == creases.load(module).sha256


def test_known_lightning_checkpoints(saved):
    module = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
    weights = {f"model.{name}": tensor for name, tensor in module.state_dict().items()}
    content = {"epoch": 1, "pytorch-lightning_version": "2.4", "state_dict": weights, "hyper_parameters": {"lr": 0.1}}
    assert creases.load(saved(content, "last.ckpt"), activation="relu").sha256 == creases.load(module).sha256


def test_known_several_state_dicts_are_chosen_by_prefix(saved):
    one, two = linears(0, _0=(2, 4), _2=(4, 2)), linears(1, _0=(2, 3), _2=(3, 1))
    path = saved({"params": one, "params_ema": two})
    with pytest.raises(ModelFileError, match=r"'params\.' and 'params_ema\.' stand side by side"):
        creases.load(path, activation="relu")
    assert creases.load(path, activation="relu", prefix="params_ema").sha256 == network_of(two, "0", "2").sha256


def test_known_state_dicts_in_memory():
    module = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 1))
    with pytest.raises(
        ModelFileError, match=r"The state dict holds weights and no graph.*creases\.load\(state_dict, act"
    ) as e:
        creases.load(module.state_dict())
    assert "command line" not in str(e.value)
    with_gradients = dict(module.named_parameters())
    arrays = {name: tensor.numpy() for name, tensor in module.state_dict().items()}
    for tensors in (module.state_dict(), with_gradients, arrays):
        assert creases.load(tensors, activation="relu").sha256 == creases.load(module).sha256
    with pytest.raises(ModelFileError, match=r"entry '0\.weight' is a list, not a torch tensor or a numpy array"):
        creases.load({"0.weight": [[1.0]]}, activation="relu")
    with pytest.raises(UnsupportedModelError, match=r"tensor 'log_std' .* is not supported.*prefix= or order="):
        creases.load({**linears(net__0=(2, 3), net__2=(3, 1)), "log_std": torch.zeros(1)})
    with pytest.raises(CreasesError, match=r"must hold real numbers"):
        creases.load({"0.weight": np.ones((2, 2), complex)}, activation="relu")


def test_known_what_is_no_layer_is_left_out_by_prefix_and_order(saved):
    tensors = {**linears(net__0=(2, 3), net__2=(3, 1)), "log_std": torch.zeros(1)}
    for options in ({"prefix": "net"}, {"order": ["net.0", "net.2"]}):
        network = creases.load(saved(tensors), activation="relu", **options)
        assert network.sha256 == network_of(tensors, "net.0", "net.2").sha256
        assert any("also holds 'log_std', left out" in note for note in network.notes)


# TorchScript, Softmax.


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_bad_input_torchscript_by_its_name(tmp_path):
    module = nn.Sequential(nn.Linear(2, 12), nn.ReLU(), nn.Linear(12, 1))
    program = torch.jit.trace(module, torch.ones(1, 2))
    stream = io.BytesIO()
    torch.jit.save(program, stream)
    (tmp_path / "net.pt").write_bytes(stream.getvalue())
    text = r"net\.pt is a TorchScript program \(torch\.jit\.save\), which is not read\. Load the torch module"
    with pytest.raises(UnsupportedModelError, match=text):
        creases.load(tmp_path / "net.pt", activation="relu")
    with pytest.raises(UnsupportedModelError, match=r"This module is a TorchScript program"):
        creases.load(program)


def test_bad_input_the_shared_torchscript():
    with pytest.raises(UnsupportedModelError, match=r"TorchScript program \(torch\.jit\.save\), which is not read"):
        creases.load(shared_case("torchscript.pt"))


def test_known_softmax_at_the_end_is_left_out():
    module = nn.Sequential(nn.Linear(2, 12), nn.ReLU(), nn.Linear(12, 3), nn.Softmax(1))
    network = creases.load(module)
    assert network.sha256 == creases.load(module[:-1]).sha256
    assert network.notes == (
        "The end of Sequential is left out: softmax of Softmax '3'. It is smooth, so it cuts nothing.",
    )


def test_bad_input_what_stands_between_layers_is_named_with_what_can_be_cut_off():
    module = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.GELU(), nn.Linear(3, 1))
    with pytest.raises(UnsupportedModelError, match=r"gelu of GELU '2' .*cut it off: creases\.load\(model\[:2\]\)"):
        creases.load(module)
    assert creases.load(module[:2]).widths == (3,)


def test_bad_input_names_without_end_take_no_time():
    """Thousands of words, or of dots: no search and no recursion goes through them all."""
    one = np.ones((1, 1))
    words = {f"{'ab'[i % 2] * (i + 1)}.weight": one for i in range(1500)}
    assert creases.load(words, activation="relu").depth == 1499  # a dict keeps its order
    layers = [Named(name.removesuffix(".weight"), 1, 1, is_norm=False) for name in words]
    found, settled = fitting([[layer] for layer in layers])
    assert len(found) < 2
    assert not settled
    deep = {f"{'a.' * 5000}{i}.weight": one for i in (0, 2)}
    assert creases.load(deep, activation="relu").depth == 1


def relu_chain(rng):
    """A Sequential with one ReLU between any two Linears, BatchNorms and Dropouts on either side of it."""
    widths = rng.integers(1, 4, int(rng.integers(3, 6))).tolist()
    modules = [nn.BatchNorm1d(widths[0])] if rng.random() < 0.2 else []
    for n_in, n_out in itertools.pairwise(widths):
        modules.append(nn.Linear(n_in, n_out, bias=bool(rng.random() < 0.8)))
        between = [nn.ReLU()]
        between += [nn.BatchNorm1d(n_out) for _ in range(2) if rng.random() < 0.3]
        between += [nn.Dropout()] if rng.random() < 0.3 else []
        rng.shuffle(between)
        modules += between
    while not isinstance(modules[-1], nn.Linear):
        modules.pop()
    return nn.Sequential(*modules)


def test_laws_chains_are_read_as_they_are_or_asked_for(saved):
    """Whatever stands between: never another network than the module's own."""
    rng, read, asked = np.random.default_rng(4), {".pt": 0, ".safetensors": 0}, set()
    for seed in range(100):
        module = filled(relu_chain(rng), seed)
        wanted = creases.load(module).sha256
        named = {f"body.{name}": tensor for name, tensor in module.state_dict().items()}
        for suffix in read:
            path = saved(named if seed % 2 else module.state_dict(), f"net{suffix}")
            try:
                found = creases.load(path, activation="relu")
            except ModelFileError as error:
                asked.add("more than one side of the BatchNorm" in str(error))
                continue
            assert found.sha256 == wanted, list(module)
            read[suffix] += 1
    assert min(read.values()) > 60
    assert asked == {True}
