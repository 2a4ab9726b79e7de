"""Networks that are graphs: levels and kinks, patterns and affine maps, hashes and files."""

import json
import pickle

import numpy as np
import pytest

import creases
from creases import Network, build
from creases.errors import ModelFileError, NetworkError
from creases.network import (
    Abs,
    AveragePool,
    Clip,
    Conv,
    Dense,
    LeakyReLU,
    Level,
    Linear,
    Max,
    Normalisation,
    ReLU,
    Scale,
    Select,
    Sparse,
)

sparse = pytest.importorskip("scipy.sparse")

RNG = np.random.default_rng(11)


def numbers(*shape):
    return RNG.standard_normal(shape)


KINKS = {
    "relu": ReLU(),
    "leaky": LeakyReLU(0.1),
    "prelu": LeakyReLU([0.25, 1.0, -2.0, 0.0, 1.0, 3.0]),
    "abs": Abs(),
    "linear": Linear(),
    "clip": Clip(-0.5, 0.25),
    "clips": Clip(np.linspace(-1, 0, 6), np.linspace(0.1, 1, 6)),
    "max": Max([[0, 1, 2], [2, 5], [4]]),
    "maxout": Max.of(6, 2),
}


@pytest.fixture(params=KINKS.values(), ids=KINKS.keys())
def kink(request):
    return request.param


def mixed(kink=None, width=6):
    """A network of every kind of operator; `kink` on a level of six units."""
    return Network.from_levels(
        [
            Level({0: Conv(numbers(2, 1, 2), (1, 4))}, numbers(width), kink or LeakyReLU(0.5), "conv"),
            Level({0: Dense(numbers(3, 4))}, None, Linear()),
            Level({0: Select([0, 1, -1], 4), 2: Scale(numbers(3))}, numbers(3), Abs()),
            Level({2: Select.all(3), 3: Sparse(sparse.csr_array(np.tri(3)))}, numbers(3), Clip(-1, 1), "clip"),
            Level({4: AveragePool(3, (1, 3)), 1: Dense(numbers(1, kink.n_values(6) if kink else 6))}, [0.5], Linear()),
        ],
        n_in=4,
    )


def plain_values(network, point):
    """Level after level, by matrices, one point at a time: sums and values."""
    values, sums = [np.asarray(point)], []
    for level in network.levels:
        z = np.array(level.bias)
        for source, operator in level.sources.items():
            matrix = operator.matrix if isinstance(operator, Dense) else operator.matrix.toarray()
            z = z + matrix @ values[source] / (1 if operator.divisors is None else operator.divisors)
        sums.append(z)
        values.append(plain_kink(level.kink, z))
    return sums, values


def plain_kink(kink, z):
    if isinstance(kink, Max):
        return np.array([max(z[unit] for unit in group) for group in kink.groups])
    if isinstance(kink, Clip):
        low, high = np.broadcast_to(kink.low, len(z)), np.broadcast_to(kink.high, len(z))
        return np.array([min(max(x, a), b) for x, a, b in zip(z, low, high, strict=True)])
    below, above = kink.slopes(len(z))
    return np.array([x * (b if x > 0 else a) for x, a, b in zip(z, below, above, strict=True)])


# What it computes.


def test_known_forward_is_level_after_level(kink):
    network = mixed(kink)
    points = numbers(3, 5, 4)
    outputs, pre_activations = network.forward(points), network.pre_activations(points)
    for index in np.ndindex(3, 5):
        sums, values = plain_values(network, points[index])
        np.testing.assert_allclose(outputs[index], values[-1], rtol=1e-12, atol=1e-13)
        for number, z in zip(network.layers, pre_activations, strict=True):
            np.testing.assert_allclose(z[index], sums[number - 1], rtol=1e-12, atol=1e-13)


def test_known_affine_map_is_the_network(kink):
    network = mixed(kink)
    for point in numbers(20, 4):
        matrix, offset = network.affine_map(point)
        assert matrix.shape == (1, 4)
        assert offset.shape == (1,)
        near = point + 1e-7 * numbers(4)
        for x in (point, near):
            np.testing.assert_allclose(matrix @ x + offset, network.forward(x), rtol=1e-9, atol=1e-9)
        again = network.affine_map_of(network.pattern(point))
        assert np.array_equal(again[0], matrix)


def test_known_patterns_have_a_place_for_each_neuron_and_switch(kink):
    network = mixed(kink)
    points = numbers(7, 4)
    patterns = network.pattern(points)
    places = kink.neurons(6) + kink.switches(6)
    assert network.widths == ((places,) if places else ()) + (3, 6)
    assert [pattern.shape for pattern in patterns] == [(7, width) for width in network.widths]
    assert network.neurons == sum(network.widths)
    bits = sum(kink.sizes) if isinstance(kink, Max) else places
    packed = network.packed_pattern(points)
    assert packed.shape == (7, -(-int(bits + 9) // 8))
    assert packed.dtype == np.uint8


def test_known_counts_of_neurons_and_switches():
    found = {name: (kink.neurons(6), kink.switches(6), kink.n_values(6)) for name, kink in KINKS.items()}
    assert found == {
        "relu": (6, 0, 6),
        "leaky": (6, 0, 6),
        "prelu": (4, 0, 6),
        "abs": (6, 0, 6),
        "linear": (0, 0, 6),
        "clip": (12, 0, 6),
        "clips": (12, 0, 6),
        "max": (0, 3, 3),
        "maxout": (0, 3, 3),
    }


def test_known_slopes():
    assert ReLU().slopes(2).tolist() == [[0.0, 0.0], [1.0, 1.0]]
    assert LeakyReLU(0.5).slopes(1).tolist() == [[0.5], [1.0]]
    assert LeakyReLU([0.5, 2.0]).slopes(2).tolist() == [[0.5, 2.0], [1.0, 1.0]]
    assert Abs().slopes(1).tolist() == [[-1.0], [1.0]]
    assert Linear().slopes(1).tolist() == [[1.0], [1.0]]


def test_known_patterns_by_hand():
    z = np.array([3.0, -1.0, 3.0, 0.0])
    assert LeakyReLU([0.5, 1.0, 1.0, 2.0]).pattern(z).tolist() == [True, False]
    assert Clip(0.0, 3.0).pattern(z).tolist() == [True, False, True, False, False, False, False, False]
    # Among equal candidates the first of the group wins, whatever its number.
    maxima = Max([[1, 2, 0], [3], [0, 2], [2, 0]])
    assert maxima.pattern(z).tolist() == [1, 0, 0, 0]
    assert maxima.bits(np.array([1, 0, 0, 1])).tolist() == [False, True, False, True, True, False, False, True]
    assert maxima.apply(z).tolist() == [3.0, 0.0, 3.0, 3.0]


def test_known_packed_pattern_by_hand():
    network = Network.from_levels(
        [Level({0: Dense([[1.0], [-1.0]])}, None, ReLU()), Level({1: Select.all(2)}, None, Max([[0, 1]]))], n_in=1
    )
    # Two neurons, then two candidates.
    assert network.packed_pattern([[2.0], [-2.0], [0.0]]).tolist() == [[0b0101], [0b1010], [0b0100]]


def test_known_no_layers():
    """A graph without a kink is affine: one region, no pattern."""
    network = Network.from_levels([Level({0: Dense([[1.0, 2.0]])}, [3.0], Linear())])
    assert (network.depth, network.widths, network.neurons, network.layers) == (0, (), 0, ())
    assert network.pattern([1.0, 1.0]) == []
    assert network.packed_pattern(np.zeros((5, 2))).shape == (5, 0)
    assert network.forward([1.0, 1.0]).tolist() == [6.0]
    assert network.affine_map([0.0, 0.0])[0].tolist() == [[1.0, 2.0]]
    assert repr(network) == "Network(2 -> [] -> 1, 0 neurons, graph of 1 level)"


# What it is.


def test_known_names_and_repr():
    network = mixed()
    assert repr(network) == "Network(4 -> [6, 3, 6] -> 1, 15 neurons, graph of 5 levels)"
    assert network.layers == (1, 3, 4)
    assert network.layer_names == ("conv", "layer 2", "clip")
    assert repr(network.levels[0]) == "Level({0: Conv(1x4 -> 2x3)}, LeakyReLU(0.5), 'conv')"
    assert repr(network.with_argmax()) == "Network(4 -> [6, 3, 6, 1], 15 neurons and 1 switch, graph of 6 levels)"
    deep = Network.from_levels([Level({i: Dense([[1.0]])}, None, Abs()) for i in range(6)])
    assert repr(deep) == "Network(1 -> [1, 1, 1, 1, ..], 6 neurons, graph of 6 levels)"
    assert network.levels[0].shape == (2, 3)
    assert network.levels[3].shape == (3,)


def test_known_input_shape():
    levels = [Level({0: Conv(numbers(2, 1, 2, 2), (1, 3, 2))}, None, ReLU())]
    network = Network.from_levels(levels)
    assert network.input_shape == (1, 3, 2)
    images = numbers(7, 1, 3, 2)
    assert network.forward(images).shape == (7, 4)
    assert np.array_equal(network.forward(images), network.forward(images.reshape(7, 6)))
    assert Network.from_levels(levels, n_in=6).input_shape == (6,)
    assert Network.from_levels(levels, n_in=6, input_shape=(2, 3)).input_shape == (2, 3)


def test_laws_a_chain_of_levels_is_a_chain():
    network = Network.he([3, 5, 4, 2], seed=1)
    # The hash of before networks were levels.
    assert network.sha256 == "3e8205b8e59142ebc58805d83282935769db75c34c36bb15325715544ec295af"
    chain = [*network.hidden, network.output]
    kinks = [ReLU(), ReLU(), Linear()]
    levels = [
        Level({i: Dense(layer.weight)}, layer.bias, kink, f"named {i}")
        for i, (layer, kink) in enumerate(zip(chain, kinks, strict=True))
    ]
    again = Network.from_levels(levels)
    x = build.input(3)
    for layer, kink in zip(chain, kinks, strict=True):
        x = build.dense(x, layer.weight, layer.bias)
        x = build.relu(x) if isinstance(kink, ReLU) else x
    for other in (again, build.network(x)):
        assert other.is_chain
        assert other.sha256 == network.sha256
        assert repr(other) == repr(network)
        assert [layer.weight.tolist() for layer in other.hidden] == [layer.weight.tolist() for layer in network.hidden]
        assert other.output.bias.tolist() == network.output.bias.tolist()
    hidden = Network.from_levels(levels[:2])
    assert hidden.is_chain
    assert hidden.output is None
    assert len(network.levels) == 3


@pytest.mark.parametrize(
    "levels",
    [
        [Level({0: Dense([[1.0]])}, None, Linear())],
        [Level({0: Dense([[1.0]])}, None, Linear()), Level({1: Dense([[1.0]])}, None, ReLU())],
        [Level({0: Sparse(sparse.csr_array([[1.0]]))}, None, ReLU())],
        [Level({0: Dense([[1.0]])}, None, LeakyReLU(0.0))],
        [Level({0: Dense([[1.0]])}, None, ReLU()), Level({0: Dense([[1.0]])}, None, ReLU())],
        [Level({0: Dense([[1.0]])}, None, ReLU()), Level({0: Dense([[1.0]]), 1: Dense([[1.0]])}, None, ReLU())],
    ],
)
def test_laws_other_networks_are_graphs(levels):
    network = Network.from_levels(levels)
    assert not network.is_chain
    for name in ("hidden", "output"):
        with pytest.raises(NetworkError, match=rf"is no chain .* but a graph, and has no `{name}`.*network\.levels"):
            getattr(network, name)


def test_laws_hash_tells_graphs_apart():
    def graph(weight=2.0, bias=1.0, kink=None, source=1, name=""):
        first = Level({0: Dense([[1.0]])}, None, Abs())
        return Network.from_levels([first, Level({source: Dense([[weight]])}, [bias], kink or Abs(), name)])

    variants = [
        graph(),
        graph(weight=3.0),
        graph(bias=2.0),
        graph(kink=Linear()),
        graph(kink=LeakyReLU(-1.0)),
        graph(kink=LeakyReLU([-1.0])),
        graph(kink=Clip(0.0, 1.0)),
        graph(kink=Clip(0.0, 2.0)),
        graph(source=0),
        graph(kink=Max([[0]])),
        graph(kink=Max([[0], [0]])),
        graph(kink=Max([[0, 0]])),
    ]
    assert len({network.sha256 for network in variants}) == len(variants)
    assert graph(name="other").sha256 == graph().sha256
    windows = [Conv([[[1.0, 2.0]]], (1, 4), stride, padding) for stride, padding in ((1, 0), (2, 1), (2, ((1, 1),)))]
    hashes = [Network.from_levels([Level({0: operator}, None, Abs())]).sha256 for operator in windows]
    assert hashes[0] != hashes[1] == hashes[2]


def test_known_hash_of_a_graph():
    """This number must be the same on every platform and in every version."""
    network = Network.from_levels(
        [
            Level({0: Conv([[[1.0, -2.0]]], (1, 3), padding=1)}, [0.5, 0.0, 0.0, -0.5], Clip(0.0, 6.0)),
            Level({0: Select([2, -1], 3), 1: AveragePool(2, (2, 2))}, None, Max([[0, 1]])),
        ]
    )
    assert network.sha256 == "444f2f4fcfd41179a553eab73fc51389210851698a388ca98de0984d94664d71"


def test_laws_nothing_can_change():
    network = mixed()
    level = network.levels[0]
    for owner, name in [(network, "levels"), (level, "kink"), (level.kink, "slope"), (level.sources[0], "weight")]:
        with pytest.raises(AttributeError, match="cannot assign"):
            setattr(owner, name, None)
    with pytest.raises(TypeError, match="does not support item assignment"):
        level.sources[0] = None
    with pytest.raises(ValueError, match="read-only"):
        level.bias[0] = 1.0
    bias = np.zeros(1)
    kept = Level({0: Dense([[1.0]])}, bias, ReLU())
    bias[0] = 1.0
    assert kept.bias.tolist() == [0.0]


def test_laws_without_biases():
    network = Network.from_levels(
        [
            Level({0: Dense(numbers(4, 2))}, numbers(4), LeakyReLU(0.1), "first"),
            Level({1: Select.all(4)}, numbers(4), Max.of(4, 2)),
            Level({2: Dense(numbers(1, 2)), 0: Dense(numbers(1, 2))}, numbers(1), Linear()),
        ]
    )
    bare = network.without_biases()
    point = numbers(2)
    np.testing.assert_allclose(bare.forward(3.0 * point), 3.0 * bare.forward(point), rtol=1e-13)
    assert bare.layer_names == network.layer_names
    assert not any(level.bias.any() for level in bare.levels)
    with pytest.raises(NetworkError, match=r"Level 4 \(clip\) has a clip, Clip\(-1, 1\), whose bounds are not zero"):
        mixed().without_biases()


def test_known_argmax():
    network = Network.he([2, 6, 3], seed=0)
    classes = network.with_argmax()
    points = numbers(50, 2)
    assert classes.pattern(points)[-1][:, 0].tolist() == network.forward(points).argmax(axis=1).tolist()
    assert classes.forward(points)[:, 0].tolist() == network.forward(points).max(axis=1).tolist()
    assert classes.layer_names == ("layer 1", "argmax")
    assert len(network.levels) == 2


# On disk.


@pytest.mark.parametrize("how", ["file", "pickle"])
def test_laws_save_and_load(tmp_path, kink, how):
    norm = Normalisation(-np.ones(4), np.ones(4), np.zeros(4), np.full(4, 2.0), 0.5, 3.0)
    network = Network.from_levels(mixed(kink).levels, input_shape=(2, 2), normalisation=norm, notes=["told"])
    if how == "file":
        again = creases.load(network.save(tmp_path / "net.npz"))
    else:
        again = pickle.loads(pickle.dumps(network))
    assert again.sha256 == network.sha256
    assert repr(again) == repr(network)
    assert repr(again.levels) == repr(network.levels)
    assert (again.notes, again.input_shape, again.layer_names) == (("told",), (2, 2), network.layer_names)
    assert again.normalisation.mean.tolist() == [0.0] * 4
    points = numbers(9, 4)
    assert np.array_equal(again.forward(points), network.forward(points))
    with pytest.raises(ValueError, match="read-only"):
        again.levels[0].bias[0] = 1.0


def test_laws_names_of_a_chain_are_saved(tmp_path):
    x = build.input(2)
    network = build.network(build.dense(build.relu(build.dense(x, numbers(3, 2)), name="first"), numbers(1, 3)))
    assert network.is_chain
    again = creases.load(network.save(tmp_path / "net.npz"))
    assert again.layer_names == network.layer_names == ("first",)
    assert again.sha256 == network.sha256


@pytest.fixture
def altered(tmp_path):
    """The path of a saved graph of which `change(arrays, header, levels)` has altered the parts."""

    def alter(change):
        path = mixed(Max([[0, 1, 2], [2, 5], [4]])).save(tmp_path / "net.npz")
        with np.load(path) as archive:
            arrays = dict(archive)
        header, levels = json.loads(str(arrays["header"])), json.loads(arrays["levels"].tobytes())
        change(arrays, header, levels)
        arrays["header"] = np.array(json.dumps(header))
        if arrays.get("levels") is not None and arrays["levels"].dtype == np.uint8:
            arrays["levels"] = np.frombuffer(json.dumps(levels).encode(), dtype=np.uint8)
        np.savez_compressed(path, **arrays)
        return path

    return alter


def nudge(arrays, _header, _levels):
    arrays["level_2_source_0_weight"][0, 0] += 1e-12


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (nudge, r"the sha256 of its arrays is .*it was altered"),
        (lambda a, h, v: a.pop("levels"), "lacks its levels, or they are no bytes"),
        (lambda a, h, v: a.update(levels=np.zeros(3)), "lacks its levels, or they are no bytes"),
        (lambda a, h, v: v.clear(), "holds no network: the levels must be a list of at least one"),
        (lambda a, h, v: a.update(weight_1=np.zeros(3)), "was not written by Network.save: it holds 'weight_1'"),
        (lambda a, h, v: a.update(level_9_bias=np.zeros(3)), "holds no network: no level has the array 'level_9_bias'"),
        (lambda a, h, v: a.pop("level_3_bias"), r"level 3 \(Abs\) lacks a part, or has one of the wrong kind"),
        (lambda a, h, v: a.pop("level_2_source_0_weight"), r"level 2, source 0 \(Dense\) lacks a part"),
        (lambda a, h, v: v[1].update(kink="Sine"), r"level 2 \(Sine\) lacks a part.*KeyError"),
        (lambda a, h, v: v[1].update(kink=["Sine"]), r"level 2 .* lacks a part"),
        (lambda a, h, v: v[0]["sources"][0].update(operator="Fold"), r"level 1, source 0 \(Fold\) lacks a part"),
        (lambda a, h, v: v[0]["sources"][0].update(settings={"a": 1}), r"level 1, source 0 \(Conv\) lacks a part"),
        (
            lambda a, h, v: v[0]["sources"][0]["settings"].update(groups=2),
            r"level 1, source 0 \(Conv\): Conv: weight of",
        ),
        (lambda a, h, v: v[0]["sources"][0].update(level=3), r"level 1, source 3 \(Conv\) lacks a part"),
        (lambda a, h, v: v[0].update(sources=[]), r"sources must be operators by the number"),
        (lambda a, h, v: v[0].update(sources=3), r"level 1 lacks a part, or has one of the wrong kind"),
        (lambda a, h, v: v[0].update(name=3), "Level: name must be text, got 3"),
        (lambda a, h, v: a.update(level_1_kink_sizes=np.array([3, 4])), "sizes of its groups do not fit its units"),
        (lambda a, h, v: a.update(level_1_kink_units=np.array([0, 1, 2, 2, 9, 4])), "Max names unit 9"),
        (lambda a, h, v: a.update(level_4_source_3_indices=np.array([0, 0, 9, 0, 1, 2])), r"no parts of a csr_array"),
        (lambda a, h, v: a.update(level_3_source_2_factors=np.full(3, np.nan)), r"Scale: factors\[0\] is nan"),
        (lambda a, h, v: a.update(level_3_bias=np.zeros(4)), r"bias must have shape \(3,\)"),
        (lambda a, h, v: h.update(input_shape=[7]), r"input_shape \(7,\) does not hold the 4 inputs"),
        (lambda a, h, v: h.update(notes=3), "the header's 'notes' is missing or of the wrong type"),
        (lambda a, h, v: h.update(format="creases-graph-9"), "has format 'creases-graph-9'; this version"),
        (lambda a, h, v: h.update(format="creases-network-1", output_layer=True), "it holds 'level"),
        (lambda a, h, v: h.update(normalisation=3), "the normalisation is incomplete"),
    ],
)
def test_bad_input_files(altered, change, text):
    with pytest.raises(ModelFileError, match=text):
        creases.load(altered(change))


# Bad input.

ONE = Dense([[1.0]])


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: LeakyReLU(np.nan), "LeakyReLU: slope is nan; every number of a network must be finite"),
        (lambda: LeakyReLU([1.0, np.inf]), r"LeakyReLU: slope\[1\] is inf"),
        (lambda: LeakyReLU([[1.0]]), r"slope must be one number or one a unit, got shape \(1, 1\)"),
        (lambda: Clip(1.0, 1.0), r"Clip needs low < high in every unit, got low=1\.0 and high=1\.0"),
        (lambda: Clip([0.0, 2.0], 1.0), "Clip needs low < high in every unit"),
        (lambda: Clip([0.0, 2.0], [3.0]), "Clip: low has 2 numbers and high 1"),
        (lambda: Clip(-np.inf, 1.0), "Clip: low is -inf"),
        (lambda: Clip(0.0, 1.0).slopes(3), r"Clip\(0, 1\) has no two slopes"),
        (lambda: Max([]), r"Max needs at least one group of units.*got \[\]"),
        (lambda: Max([[0], []]), "Max: group 1 has no candidates; every group needs at least one unit"),
        (lambda: Max([[0, -1]]), "Max: a unit of group 0 must be a whole number of at least 0, got -1"),
        (lambda: Max([[2**70]]), "Max: a unit of group 0 may be 2,147,483,647 at most"),
        (lambda: Max([[0.5]]), "must be a whole number of at least 0, got 0.5"),
        (lambda: Max(3), "Max needs at least one group"),
        (lambda: Max.of(6, 4), "groups of 4 do not divide 6 units"),
        (lambda: Max([[0]]).branch(np.array([1]), 1), r"A pattern of Max\(1 of 1\) holds a position in each group"),
        (lambda: Level({}, None, ReLU()), r"sources must be operators by the number of their level, at least one"),
        (lambda: Level({0: [[1.0]]}, None, ReLU()), "source 0 must be an operator .* got a list"),
        (lambda: Level({-1: ONE}, None, ReLU()), "the number of a source must be a whole number of at least 0, got -1"),
        (lambda: Level({0: ONE}, None, max), r"kink must be ReLU\(\), .* got <built-in function max>"),
        (lambda: Level({0: ONE}, None, ReLU), r"kink must be ReLU\(\), LeakyReLU\(slope\)"),
        (
            lambda: Level({0: ONE}, [0.0, 0.0], ReLU(), "up"),
            r"Level 'up': bias must have shape \(1,\), .* got shape \(2,\)",
        ),
        (lambda: Level({0: ONE}, [np.nan], ReLU()), r"Level: bias\[0\] is nan"),
        (
            lambda: Level({0: ONE, 1: Dense([[1.0], [2.0]])}, None, ReLU()),
            r"all operators must have as many results; got \{0: 1, 1: 2\}",
        ),
        (lambda: Level({0: ONE}, None, LeakyReLU([1.0, 2.0])), "slope must be one number or one a unit, 1 here; got 2"),
        (lambda: Level({0: ONE}, None, Max([[0, 1]])), "Max names unit 1; a level of 1 units has 0 to 0"),
        (lambda: Network.from_levels([]), "A network needs at least one level; got none"),
        (lambda: Network.from_levels([ReLU()]), "Level 1 must be a Level, got a ReLU"),
        (
            lambda: Network.from_levels([Level({1: ONE}, None, ReLU())], n_in=1),
            r"level 1 takes from level 1; a level takes from the input \(0\) and from earlier levels",
        ),
        (
            lambda: Network.from_levels([Level({0: ONE}, None, ReLU()), Level({2: ONE}, None, ReLU(), "b")]),
            r"level 2 \(b\) takes from level 2",
        ),
        (
            lambda: Network.from_levels([Level({0: ONE}, None, ReLU()), Level({1: Dense([[1, 2]])}, None, ReLU())]),
            r"level 2: Dense\(2 -> 1\) takes 2 values, but level 1 has 1",
        ),
        (
            lambda: Network.from_levels([Level({0: ONE}, None, ReLU()), Level({0: Dense([[1, 2]])}, None, ReLU())]),
            r"level 2: Dense\(2 -> 1\) takes 2 values, but the input has 1",
        ),
        (lambda: Network.from_levels([Level({0: ONE}, None, ReLU())], n_in=2), r"\(2,\) does not hold the 1 inputs"),
        (lambda: Network.from_levels([Level({0: ONE}, None, ReLU())], n_in=0), "n_in must be a whole number"),
        (
            lambda: Network.from_levels([Level({0: ONE}, None, ReLU())], n_in=2, input_shape=(3, 1)),
            r"input_shape \(3, 1\) holds 3 inputs, but n_in is 2",
        ),
        (lambda: Network([np.ones((1, 2))], [np.zeros(1)]), r"got a ndarray.*Network\.from_arrays\(weights, biases\)"),
        (lambda: mixed().affine_map_of([]), "A pattern has one array for each of the 3 layers, got 0"),
        (lambda: mixed().affine_map_of([np.zeros(5)] * 3), r"has shape \(6,\), got \(5,\)"),
        (lambda: mixed().affine_map(np.zeros((2, 4))), "affine_map takes one point"),
        (lambda: mixed().forward(np.zeros(3)), r"Points must have shape \(\.\.\., 4\), got shape \(3,\)"),
    ],
)
def test_bad_input_graphs(make, text):
    with pytest.raises(NetworkError, match=text):
        make()
