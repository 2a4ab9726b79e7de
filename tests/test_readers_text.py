"""`.nnet` and `.polar` files."""

from pathlib import Path

import numpy as np
import pytest

import creases
from creases.errors import CreasesError, ModelFileError, NetworkError, UnsupportedModelError
from creases.network import Network, Normalisation

SHARED = Path(__file__).parents[2] / "shared" / "networks"


def shared(name):
    if not (SHARED / name).exists():
        pytest.skip("the shared networks are not here")
    return SHARED / name


@pytest.fixture
def load(tmp_path):
    def load_text(text, suffix, **options):
        path = tmp_path / f"net{suffix}"
        path.write_text(text)
        return creases.load(path, **options)

    return load_text


ROUNDED = "{}: its decimals are read as the nearest float64 numbers, which are what is certified."

NNET = """// A comment
// and another, with 1,2,3
2,2,1,3,
2,3,1,
0,
-1.0,-2.0,
1.0,2.0,
0.5,0.0,10.0,
2.0,4.0,3.0,
1.0,2.0,
-0.1,0.3,
4.0,-5.0,
0.5,
0.25,
-1.0,
1.0,1.0,-2.0,
0.125,
"""


def test_known_nnet_is_read_number_by_number(load):
    network = load(NNET, ".nnet")
    assert network.hidden[0].weight.tolist() == [[1.0, 2.0], [-0.1, 0.3], [4.0, -5.0]]
    assert network.hidden[0].bias.tolist() == [0.5, 0.25, -1.0]
    assert network.output.weight.tolist() == [[1.0, 1.0, -2.0]]
    assert network.output.bias.tolist() == [0.125]
    norm = network.normalisation
    assert (norm.minimum.tolist(), norm.maximum.tolist()) == ([-1.0, -2.0], [1.0, 2.0])
    assert (norm.mean.tolist(), norm.range.tolist()) == ([0.5, 0.0], [2.0, 4.0])
    assert (norm.output_mean, norm.output_range, norm.applied) == (10.0, 3.0, False)
    assert network.notes == (ROUNDED.format("net.nnet"),)


def test_known_nnet_line_breaks_and_commas_do_not_matter(load):
    header, numbers = NNET.split("2.0,4.0,3.0,\n")
    loose = header.replace(",\n", "\r\n") + "2.0 4.0 3.0\n\n" + numbers.replace("\n", " ").replace(",", ", ")
    assert load(loose, ".nnet").sha256 == load(NNET, ".nnet").sha256


def test_laws_applied_normalisation_is_the_network_on_raw_values(load):
    plain, applied = load(NNET, ".nnet"), load(NNET, ".nnet", apply_normalisation=True)
    assert applied.normalisation.applied
    assert applied.normalisation.mean is not None
    raw = np.random.default_rng(0).uniform(-1, 1, (50, 2)) * [1.0, 2.0]
    wanted = plain.forward((raw - [0.5, 0.0]) / [2.0, 4.0]) * 3.0 + 10.0
    assert np.abs(applied.forward(raw) - wanted).max() < 1e-14 * np.abs(wanted).max() * 10
    assert any("Inputs are raw: they are not clipped" in note for note in applied.notes)


def test_known_applied_normalisation_rounds_nothing(load):
    """0.25 - 0.5 * (-0.1) / 2 is no float: mean and range stand in levels of their own, as the file has them."""
    applied = load(NNET, ".nnet", apply_normalisation=True)
    centred, quotient, layer, output = applied.levels
    assert centred.bias.tolist() == [-0.5, 0.0]
    assert quotient.sources[1].numbers.tolist() == [2.0, 4.0]
    assert layer.sources[2].weight.tolist() == [[1.0, 2.0], [-0.1, 0.3], [4.0, -5.0]]
    assert layer.bias.tolist() == [0.5, 0.25, -1.0]
    assert output.sources[3].weight.tolist() == [[3.0, 3.0, -6.0]]
    assert output.bias.tolist() == [0.125 * 3 + 10]


def test_known_applied_normalisation_that_is_exact_stays_a_chain(load):
    """Where every number of the product is a float64, the network is the chain that it always was."""
    applied = load(NNET.replace("-0.1,0.3", "-0.5,0.25"), ".nnet", apply_normalisation=True)
    assert applied.is_chain
    assert applied.hidden[0].weight.tolist() == [[0.5, 0.5], [-0.25, 0.0625], [2.0, -1.25]]
    assert applied.hidden[0].bias.tolist() == [0.25, 0.375, -2.0]
    assert applied.notes[-2:] == (
        "Hidden layer 1 is the inputs' normalisation, then layer 1 of the file, made one layer exactly: no number was "
        "rounded.",
        "The output layer is the output layer of the file, then the outputs' normalisation, made one layer exactly: no "
        "number was rounded.",
    )


PROPORTIONAL = """1,
2,5,
0,
-9,-9,
9,9,
0.1,0.7,0,
0.3,2.2,1,
1,2,
3,6,
7,14,
-1,-2,
5,-3,
1,3,7,-1,2,
"""


@pytest.mark.parametrize("applied", [False, True])
def test_known_proportional_neurons_stay_so(load, applied):
    """Rows 1, 3, 7 and -1 times (1, 2 | 1) are one line, and a fifth crosses it: 4 regions, whatever stands below."""
    with_relu = PROPORTIONAL.replace("1,\n2,5,", "2,\n2,5,1,") + "1,1,1,1,1,\n0,\n"
    network = load(with_relu, ".nnet", apply_normalisation=applied)
    found = creases.count(network, creases.domain.Space(2), progress=False, threads=1)
    assert (found.regions, found.certified) == (4, True)
    assert network.is_chain != applied


def test_laws_a_normalised_graph_is_applied_level_by_level(tmp_path):
    """Any network that is saved with a normalisation, not only a chain."""
    x = creases.build.input(1, 4)
    flow = creases.build.max_pool(creases.build.relu(creases.build.conv(x, np.ones((2, 1, 2)), [0.1, -0.3])), 3)
    norm = Normalisation(*np.array([[-1.0] * 4, [1.0] * 4, [0.1, 0.2, 0.0, -0.3], [0.1, 0.3, 1.0, 7.0]]), 0.7, 0.3)
    plain = creases.build.network(flow, normalisation=norm)
    applied = creases.load(plain.save(tmp_path / "net.npz"), apply_normalisation=True)
    raw = np.random.default_rng(2).standard_normal((20, 4))
    np.testing.assert_allclose(
        applied.forward(raw), plain.forward((raw - norm.mean) / norm.range) * 0.3 + 0.7, rtol=1e-15
    )
    assert applied.normalisation.applied
    assert applied.input_shape == (1, 4)
    assert applied.widths == plain.widths


def test_laws_normalisation_survives_a_save(load, tmp_path):
    plain = load(NNET, ".nnet")
    again = creases.load(plain.save(tmp_path / "again.npz"))
    assert again.sha256 == plain.sha256
    assert (again.normalisation.mean == plain.normalisation.mean).all()
    applied = creases.load(tmp_path / "again.npz", apply_normalisation=True)
    assert applied.sha256 == load(NNET, ".nnet", apply_normalisation=True).sha256
    twice = creases.load(applied.save(tmp_path / "applied.npz"), apply_normalisation=True)
    assert twice.sha256 == applied.sha256


@pytest.mark.parametrize(
    ("name", "n_in", "widths", "n_out"),
    [
        ("acasxu_1_1.nnet", 5, (50,) * 6, 5),
        ("hcas_pra0_tau00.nnet", 3, (25,) * 5, 5),
        ("hcas_pra1_tau05.nnet", 3, (25,) * 5, 5),
        ("vertcas_pra01.nnet", 4, (45,) * 6, 9),
        ("nv_cartpole.nnet", 4, (16,) * 3, 2),
        ("nv_mnist3.nnet", 784, (25,) * 4, 10),
        ("marabou_mnist10x10.nnet", 784, (10,) * 10, 10),
    ],
)
def test_known_shared_nnets(name, n_in, widths, n_out):
    network = creases.load(shared(name))
    assert (network.n_in, network.widths, network.n_out) == (n_in, widths, n_out)


def test_known_acasxu_outputs_are_raw_when_applied():
    """The raw middle of the input box is the origin of normalised space, up to the decimals' digits."""
    plain = creases.load(shared("acasxu_1_1.nnet"))
    applied = creases.load(shared("acasxu_1_1.nnet"), apply_normalisation=True)
    norm = plain.normalisation
    assert norm.output_mean == 7.5188840201005975
    assert norm.range[0] == 60261.0
    raw = np.random.default_rng(0).uniform(norm.minimum, norm.maximum, (100, 5))
    wanted = plain.forward((raw - norm.mean) / norm.range) * norm.output_range + norm.output_mean
    assert np.abs(applied.forward(raw) - wanted).max() < 1e-11 * np.abs(wanted).max()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("nv_cartpole.nnet", "its lines have 1, 1, 1, 1 entries, not 4, 4, 5, 5"),
        ("nv_mnist3.nnet", "its lines have 784, 784, 784, 784 entries, not 784, 784, 785, 785"),
    ],
)
def test_bad_input_junk_normalisation_is_ignored_with_a_note(name, text):
    network = creases.load(shared(name))
    assert network.normalisation is None
    assert network.notes == (f"Normalisation ignored: {text}.", ROUNDED.format(name))
    with pytest.raises(NetworkError, match=rf"There is no normalisation to apply. Normalisation ignored: {text}"):
        creases.load(shared(name), apply_normalisation=True)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("2.0,4.0,3.0,", "0,4.0,3.0,", "ranges that are not positive"),
        ("2.0,4.0,3.0,", "nan,4.0,3.0,", "numbers that are not finite"),
        ("2.0,4.0,3.0,", "2.0,four,3.0,", "'four' in the ranges is not a number"),
        ("-1.0,-2.0,\n", "-1.0,9.0,\n", "minima above their maxima"),
    ],
)
def test_bad_input_normalisation_of_no_use(load, old, new, text):
    assert old in NNET
    network = load(NNET.replace(old, new, 1), ".nnet")
    assert network.normalisation is None
    assert text in network.notes[0]


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("2,2,1,3,", "999999999999,2,1,3,", "999999999999 layers need 1000000000000 sizes.*lists 3"),
        ("2,2,1,3,", "two,2,1,3,", "the number of layers must be a whole number of at least 1, got 'two'"),
        ("2,2,1,3,", ",", "the number of layers must be a whole number of at least 1, got ''"),
        ("2,2,1,3,", "2,3,1,3,", "the first line counts 3 inputs, the layer sizes 2"),
        ("2,2,1,3,", "2,2,7,3,", "the first line counts 7 outputs, the layer sizes 1"),
        ("2,3,1,\n", "2,0,1,\n", "a layer size must be a whole number of at least 1, got '0'"),
        ("2,3,1,\n", "2,-3,1,\n", "a layer size must be a whole number of at least 1, got '-3'"),
        (
            "2,3,1,\n",
            "2,300000000000,1,\n",
            r"layers of sizes 2-300000000000-1 need 1200000000001 .* the file has 13: it is truncated",
        ),
        ("0.125,\n", "", "need 13 weights and biases, the file has 12: it is truncated"),
        ("0.125,\n", "0.125,7\n", "the file has 14: it has too many, or its sizes are wrong"),
        ("0.125,\n", "half,\n", "'half' in the weights is not a number"),
        ("0.125,\n", "1_0,\n", "'1_0' in the weights is not a number"),
        ("0.125,\n", "nan,\n", r"layer 2: bias\[0\] is nan; every number must be finite"),
        ("4.0,-5.0,\n", "4.0,1e999,\n", r"layer 1: weight\[2, 1\] is inf"),
        ("4.0,-5.0,\n", "4.0,-Infinity,\n", r"layer 1: weight\[2, 1\] is -inf"),
    ],
)
def test_bad_input_nnet(load, old, new, text):
    assert old in NNET
    with pytest.raises(CreasesError, match=text):
        load(NNET.replace(old, new, 1), ".nnet")


def test_bad_input_nnet_that_ends_in_the_header(load):
    with pytest.raises(ModelFileError, match=r"is truncated: it ends before the means, line 6 of the 7"):
        load("\n".join(NNET.split("\n")[:7]), ".nnet")
    with pytest.raises(ModelFileError, match=r"it ends before the counts"):
        load("// nothing\n", ".nnet")


def test_known_nnet_of_one_layer_is_affine(load):
    affine = load("1\n1,1\n0\n0\n0\n0\n0\n1,\n1,", ".nnet")
    assert creases.count(affine, creases.domain.Space(1), progress=False, threads=1).regions == 1


POLAR = "2 1 2 3 1 ReLU Affine ReLU  1 2 .5  -1 .25 0  3 -4 1  1 2 3 -.5  7 8  0.0 1.0 ".replace(" ", "\n")


def test_known_polar_is_read_number_by_number(load):
    """Two hidden layers of which the second is affine and folds into the output, which has a ReLU."""
    network = load(POLAR.replace("Affine", "ReLU"), ".polar")
    assert network.hidden[0].weight.tolist() == [[1.0, 2.0], [-1.0, 0.25], [3.0, -4.0]]
    assert network.hidden[0].bias.tolist() == [0.5, 0.0, 1.0]
    assert network.hidden[1].weight.tolist() == [[1.0, 2.0, 3.0]]
    assert network.hidden[1].bias.tolist() == [-0.5]
    assert network.widths == (3, 1, 1)
    assert network.output is None
    assert network.notes == ()
    folded = load(POLAR, ".polar")
    assert folded.widths == (3, 1)
    assert folded.hidden[1].weight.tolist() == [[7.0, 14.0, 21.0]]
    assert folded.hidden[1].bias.tolist() == [4.5]
    assert "Hidden layer 2 is layer 2, then layer 3, made one layer" in folded.notes[0]


def test_known_a_text_that_may_have_been_cut_within_its_last_number_is_noted(load):
    note = "The file ends in '{}' without a line end: were it cut there, nothing would show it."
    with pytest.raises(ModelFileError, match="truncated: its last number lacks the comma"):
        load(NNET.removesuffix("5,\n"), ".nnet")
    assert load(NNET.removesuffix("\n"), ".nnet").notes == (ROUNDED.format("net.nnet"),)
    assert load(POLAR.replace("Affine", "ReLU").removesuffix("\n"), ".polar").notes == (note.format("1.0"),)


@pytest.mark.parametrize(
    ("word", "exact"),
    [
        ("0.5", True),
        ("-3", True),
        ("1e22", True),
        ("0.5000000000000000000", True),
        ("0.0e-500", True),
        ("0.1", False),
        ("1e23", False),
        ("9007199254740993", False),
        ("1e-400", False),
        ("5e-324", False),
        ("1e-99999999999999999999", False),
    ],
)
def test_known_decimals_that_float64_does_not_hold_are_noted(load, word, exact):
    exact_nnet = NNET.replace("-0.1,0.3", "-0.5,0.25")
    assert load(exact_nnet, ".nnet").notes == ()
    for text, suffix in (
        (exact_nnet.replace("-0.5,0.25", f"-0.5,{word}"), ".nnet"),
        (exact_nnet.replace("0.5,0.0,10.0", f"0.5,{word},10.0"), ".nnet"),
        (POLAR.replace("Affine", "ReLU").replace(".25", word), ".polar"),
    ):
        assert load(text, suffix).notes == (() if exact else (ROUNDED.format(f"net{suffix}"),))


def test_known_polar_offset_and_scale(load):
    plain = load(POLAR, ".polar")
    scaled = load(POLAR.replace("0.0\n1.0", "0.5\n4.0"), ".polar")
    points = np.random.default_rng(0).standard_normal((20, 2))
    assert (scaled.forward(points) == (plain.forward(points) - 0.5) * 4.0).all()
    assert "the file's output offset and scale" in scaled.notes[-1]


def test_known_shared_polar():
    network = creases.load(shared("jr_inverted_pendulum.polar"))
    assert (network.n_in, network.widths, network.n_out, network.notes) == (
        2,
        (25, 25),
        1,
        (ROUNDED.format("jr_inverted_pendulum.polar"),),
    )
    assert network.hidden[0].weight[0].tolist() == [-0.24301, -0.18771]
    assert network.hidden[0].bias[0] == -0.00419
    assert network.output.bias.tolist() == [-0.0049]


@pytest.mark.parametrize(
    ("name", "box", "counts"),
    [
        ("jr_inverted_pendulum.polar", 1.0, (321, 1252)),
        ("jr_inverted_pendulum.polar", 4.0, (323, 1269)),
        ("marabou_fc1.onnx", 4.0, (174, 625, 875)),
        ("marabou_fc1.onnx", 1.0, (25, 43, 71)),
    ],
)
def test_known_counts_of_the_shared_networks(name, box, counts):
    """Counted once by a program that shares nothing with this one; they fail if one weight is misread."""
    if name.endswith(".onnx"):
        pytest.importorskip("onnx", reason="onnx is not installed")
    network = creases.load(shared(name))
    assert creases.count(network, creases.Box([-box] * 2, [box] * 2)).by_layer == counts


@pytest.mark.parametrize(
    ("old", "new", "kind", "text"),
    [
        ("Affine", "tanh", UnsupportedModelError, "layer 2 has activation 'tanh'; supported are ReLU and Affine"),
        ("Affine", "sigmoid", UnsupportedModelError, "activation 'sigmoid'"),
        ("ReLU\nAffine\nReLU\n", "", ModelFileError, "has '1' where the activation of layer 1 must be named.*Sherlock"),
        (
            "2\n1\n2\n",
            "2\n1\n999999999\n",
            ModelFileError,
            "999999999 hidden layers need 999999999 widths and 1000000000 activations",
        ),
        (
            "2\n1\n2\n",
            "2.0\n1\n2\n",
            ModelFileError,
            "the number of inputs must be a whole number of at least 1, got '2.0'",
        ),
        (
            "2\n1\n2\n",
            "2\n0\n2\n",
            ModelFileError,
            "the number of outputs must be a whole number of at least 1, got '0'",
        ),
        ("2\n3\n1\n", "2\n-3\n1\n", ModelFileError, "the width of layer 1 must be a whole number"),
        ("2\n3\n1\n", "2\n800000000000\n1\n", ModelFileError, "sizes 2-800000000000-1-1 need .*: it is truncated"),
        ("\n1.0", "", ModelFileError, "need 15 weights and biases, the file has 14: it is truncated"),
        (
            "\n0.0\n1.0",
            "",
            ModelFileError,
            "the outputs' offset and scale factor are missing.*append two lines, 0.0 and 1.0",
        ),
        ("\n1.0", "\n1.0\n2.0", ModelFileError, "the file has 16: it has too many"),
        ("-.5", "nan", NetworkError, r"layer 2: bias\[0\] is nan"),
        ("-.5", "1e400", NetworkError, r"layer 2: bias\[0\] is inf"),
        ("-.5", "x", ModelFileError, "'x' in the weights is not a number"),
        ("\n1.0", "\ninf", NetworkError, "offset 0.0 or scale inf is not finite"),
    ],
)
def test_bad_input_polar(load, old, new, kind, text):
    assert old in POLAR
    changed = new.join(POLAR.rsplit(old, 1)) if old == "\n1.0" else POLAR.replace(old, new, 1)
    with pytest.raises(kind, match=text):
        load(changed, ".polar")


def test_bad_input_polar_too_short(load):
    with pytest.raises(ModelFileError, match=r"is truncated: it ends before the number of outputs"):
        load("2", ".polar")


def test_bad_input_normalisation_of_a_network_without(tmp_path):
    path = Network.from_arrays([[[1.0]], [[1.0]]], [[0.0], [0.0]]).save(tmp_path / "net.npz")
    with pytest.raises(NetworkError, match=r"There is no normalisation to apply. Load it without apply_normalisation"):
        creases.load(path, apply_normalisation=True)


def test_bad_input_normalisation_by_what_no_value_can_be_divided_by(tmp_path):
    tiny = np.array([1e-300])
    norm = Normalisation(-tiny, tiny, tiny, tiny, 0.0, 1.0)
    network = Network.from_arrays([[[1e100]], [[1.0]]], [[0.0], [0.0]], normalisation=norm)
    with pytest.raises(NetworkError, match=r"Divide: numbers\[0\] is 1e-300; its last bit is below 2\^-1023"):
        creases.load(network.save(tmp_path / "net.npz"), apply_normalisation=True)
