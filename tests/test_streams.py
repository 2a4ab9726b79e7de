"""Random numbers: every use of a seed has a stream of its own, and nothing draws from any other."""

import ast
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import creases
from creases.paper.starts import Sawtooth
from creases.theory import empirical_bias_density, expected_stratum
from creases.training import (
    Initialisation,
    Settings,
    Task,
    fit,
    he_network,
    planes_through_examples,
    planes_through_origin,
    random_points_task,
    with_label_noise,
    with_pixel_noise,
)

SOURCES = Path(creases.__file__).parent
SEEDS = range(4)


def pictures(examples=60, pixels=784, classes=10):
    """A task of made-up pictures; the first pixel of each is its number, by which it is known again."""
    rng = np.random.default_rng([11, 7])
    inputs = rng.uniform(0.0, 1.0, (examples, pixels)).astype(np.float32)
    inputs[:, 0] = np.arange(examples)
    labels = np.arange(examples) % classes
    nothing = np.zeros((0, pixels), np.float32), np.zeros(0, np.int64)
    return Task("made up", inputs, labels, *nothing, classes, (pixels,), 0, "nowhere")


# Streams.


def test_laws_no_two_streams_are_alike():
    """Every use and seed, and parts as the epochs of a training have: no number of one is in another."""
    from creases.streams import TAGS, stream

    owner = {}
    for use in TAGS:
        for seed in SEEDS:
            for parts in ((), (0,), (1,), (2,), (0, 1), (1, 0)):
                if not TAGS[use] and parts:
                    continue  # the weights of a network are the seed's own, without parts
                for number in stream(use, seed, *parts).bit_generator.random_raw(200).tolist():
                    assert owner.setdefault(number, (use, seed, parts)) == (use, seed, parts)
    assert len(owner) >= 200 * 4 * 6 * (len(TAGS) - 1)


def test_laws_tags():
    """No tag is given twice, and a stream is known by use, seed and parts alone."""
    from creases.streams import TAGS, stream

    assert len(set(TAGS.values())) == len(TAGS)
    assert [use for use, tag in TAGS.items() if not tag] == ["network"]
    assert all(len(tag) <= 1 and min(tag, default=1) > 0 for tag in TAGS.values())
    assert stream("pixel noise", 5, 2).random() == stream("pixel noise", 5, 2).random()
    assert stream("network", 5).random() == np.random.default_rng(5).random()  # as the documentation promises


def test_bad_input_streams():
    from creases.streams import stream

    with pytest.raises(KeyError, match="no such use"):
        stream("no such use", 0)
    with pytest.raises(ValueError, match="non-negative"):
        stream("pixel noise", -1)


# What the sources draw from.


def calls_of_random(tree):
    """Lines at which a module draws random numbers by itself, with what."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            name = ast.unparse(node)
            if name.startswith(("np.random.", "numpy.random.")) and name.split(".")[2] != "Generator":
                found.append((node.lineno, name))
            if name.startswith("torch.") and name.split(".")[1] in {"rand", "randn", "randint", "randperm", "normal"}:
                found.append((node.lineno, name))
            if node.attr in {"default_rng", "SeedSequence", "RandomState", "PCG64", "rvs"}:
                found.append((node.lineno, name))
        elif isinstance(node, ast.Import):
            found += [(node.lineno, one.name) for one in node.names if one.name in {"random", "numpy.random"}]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
            found += [(node.lineno, name) for name in names & {"random", "numpy.random"}]
    return found


def test_house_nothing_else_draws():
    """Only `creases.streams` makes generators."""
    for path in sorted(SOURCES.rglob("*.py")):
        found = calls_of_random(ast.parse(path.read_text(encoding="utf-8")))
        if path.name == "streams.py" and path.parent == SOURCES:
            assert {name for _, name in found} == {"np.random.default_rng", "np.random.SeedSequence"}
        else:
            assert found == [], path


@pytest.mark.parametrize(
    "line",
    [
        "rng = np.random.default_rng(seed)",
        "x = numpy.random.rand(3)",
        "from numpy.random import default_rng",
        "from numpy import random",
        "import random",
        "from random import shuffle",
        "x = scipy.stats.norm.rvs()",
        "x = torch.randn(3)",
    ],
)
def test_house_the_search_finds(line):
    assert calls_of_random(ast.parse(line))


def test_house_every_use_has_a_tag():
    """Uses are written out where they are drawn, so that no two places can mean the same stream by accident."""
    from creases.streams import TAGS

    places = {}
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "stream":
                use = node.args[0]
                if isinstance(use, ast.Constant):
                    assert use.value in TAGS, path
                    places.setdefault(use.value, set()).add(path.relative_to(SOURCES).as_posix())
    # Two modules may mean one stream only where they make the same thing of it.
    shared = {use for use, modules in places.items() if len(modules) > 1}
    assert shared <= {"network", "noise on a construction", "points for gradients"}


# What is drawn.


def drawers():
    """What draws from a seed, by what it is for."""
    torch = pytest.importorskip("torch")
    task = pictures(pixels=5)

    def train(seed):
        model = torch.nn.Sequential(torch.nn.Linear(5, 4), torch.nn.ReLU(), torch.nn.Linear(4, 10))
        fit(model, task, Settings(epochs=3, batch_size=20, seed=seed))

    def gaussian(rng):
        return creases.Network.from_arrays([rng.standard_normal((3, 1)), np.ones((1, 3))], [np.ones(3), np.zeros(1)])

    return {
        "weights": lambda seed: Initialisation().build([5, 4, 10], seed, task.train_inputs),
        "label noise": lambda seed: with_label_noise(task, 0.5, seed),
        "pixel noise": lambda seed: with_pixel_noise(task, seed),
        "random points": lambda seed: random_points_task(7, seed=seed),
        "order of examples": train,
        "planes through the origin": lambda seed: planes_through_origin(task, 2, seed),
        "planes through examples": lambda seed: planes_through_examples(task, 2, seed),
        "noise on a construction": lambda seed: Sawtooth(0.1).build([1, 2, 2, 1], seed),
        "C_bias": lambda seed: empirical_bias_density(np.linspace(0.0, 1.0, 20) ** 2, resamples=2, seed=seed),
        "Kac-Rice": lambda seed: expected_stratum(gaussian, lambda z: 0 * z, [0.0], [1.0], 1, networks=2, seed=seed),
    }


def test_laws_no_two_uses_of_a_seed_begin_alike(monkeypatch):
    """Generators as they are made, whoever makes them: those of two uses are in different states."""
    made, true = [], np.random.default_rng

    def watched(*arguments):
        rng = true(*arguments)
        made.append(rng.bit_generator.state["state"]["state"])
        return rng

    uses = drawers()
    monkeypatch.setattr(np.random, "default_rng", watched)
    states = {}
    for use, draw in uses.items():
        for seed in SEEDS:
            made.clear()
            draw(seed)
            assert made, use
            states[use, seed] = set(made)
    for one, other in combinations(states, 2):
        assert states[one].isdisjoint(states[other]), (one, other)


def largest_correlation(rows, others):
    """The largest of a row of the one with a row of the other, in absolute value."""
    rows, others = (one - one.mean(axis=1, keepdims=True) for one in (rows, others))
    rows, others = (one / np.linalg.norm(one, axis=1, keepdims=True) for one in (rows, others))
    return np.abs(rows @ others.T).max()


@pytest.mark.parametrize("seed", range(5))
def test_laws_noise_images_are_not_the_weights(seed):
    """They were, picture i those of neuron i: a network learned images that were its own first layer."""
    pytest.importorskip("torch")
    task = pictures()
    noise = (with_pixel_noise(task, seed).train_inputs - task.train_inputs.mean(axis=0)) / task.train_inputs.std(axis=0)
    first = Initialisation().build([784, 32, 10], seed)[0].weight.detach().numpy()
    same = he_network([784, 32, 10], seed=seed)[0].weight.detach().numpy()
    assert np.array_equal(first, same)
    # 60 x 32 pairs of 784 numbers: each correlation has a spread of 1 / 28, the largest of 1,920 is about 0.13.
    assert largest_correlation(noise, first) < 0.2


def test_laws_random_points_are_not_the_weights():
    """Of the same bits a generator makes a uniform number and the size of a normal one, without the highest three."""
    pytest.importorskip("torch")
    points, weights = [], []
    for seed in range(20):
        drawn = random_points_task(16, n_in=2, seed=seed).train_inputs.astype(np.float64).ravel()
        points.append((drawn + 1.0) / 2.0 * 8.0 % 1.0)
        weights.append(np.abs(he_network([2, 16, 2], seed=seed)[0].weight.detach().numpy()).ravel())
    # 640 pairs: a spread of 0.04.
    assert abs(np.corrcoef(np.concatenate(points), np.concatenate(weights))[0, 1]) < 0.2


@pytest.mark.parametrize("seed", SEEDS)
def test_laws_wrong_labels_are_not_learned_first(seed):
    """The order of the first epoch was that in which labels were made wrong."""
    torch = pytest.importorskip("torch")
    task = pictures(examples=400, pixels=3)
    noisy = with_label_noise(task, 0.5, seed)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 10))
    seen = []

    def remember(module, inputs):
        if module.training:
            seen.append(inputs[0][:, 0].detach().numpy().round().astype(int))

    model.register_forward_pre_hook(remember)
    fit(model, noisy, Settings(epochs=1, batch_size=40, seed=seed))
    order = np.concatenate(seen)
    assert sorted(order) == list(range(400))
    wrong = (noisy.train_labels != task.train_labels)[order]
    # About 90 of 180 wrong labels in the first half, with a spread of 5; all of them, when the two orders are one.
    assert abs(wrong[:200].sum() - wrong[200:].sum()) < 0.35 * wrong.sum()


def test_laws_noise_on_a_construction_is_no_network():
    """The noise of a seed on the first layer of a sawtooth, and the weights of the network of that seed."""
    pytest.importorskip("torch")
    noise, weights = [], []
    for seed in range(60):
        noise += (Sawtooth(1.0).build([1, 2, 2, 1], seed)[0].weight.detach().numpy() - 1.0).ravel().tolist()
        weights += he_network([1, 2, 2, 1], seed=seed)[0].weight.detach().numpy().ravel().tolist()
    # 120 pairs: a spread of 0.09.
    assert abs(np.corrcoef(noise, weights)[0, 1]) < 0.4
