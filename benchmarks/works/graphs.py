"""What a region costs of a convolutional, residual or pooled network, and what a switch of four costs.

Of a graph, against a chain of dense layers that has as many neurons (a switch is one), layer by layer, random weights,
on a square so small that it has about as many regions: both times hold the first local network, which is made once. A
switch of four is measured on networks of two layers of 64 units, against 64 ReLUs in place of 64 maxima: four times
their time is four ReLUs for a switch.
"""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace

import numpy as np

import creases
from benchmarks.networks import SHARED, SQUARE, as_network, check, random_layers
from benchmarks.rows import costs, missing
from benchmarks.timing import in_turns

# Regions after each layer, in the square of this half-width around u = (1/3, 1/3) of the plane of seed 0. Those of 0.02
# are from the table; larger ones were counted here, the sum of two parts less the wall between them agrees.
IN_A_PLANE = {
    ("cifar_resnet_2b", 0.02): (504, 1708, 2147, 2194, 2659, 2659),
    ("cifar_resnet_2b", 0.05): (2752, 10112, 13297, 14002, 16610, 16610),
    ("cifar_resnet_2b", 0.2): (34368, 119286, 171571, 192370, 226443, 227414),
    ("verivital_convnet_maxpool", 0.02): (2279, 2692),
    ("verivital_convnet_maxpool", 0.05): (14997, 18655),
    ("verivital_convnet_maxpool", 0.2): (311968, 415643),
}

# Half-widths of squares around zero on which a random chain of as many neurons has about as many regions.
CHAINS = {
    "cifar_resnet_2b": ([2, 2048, 1024, 1024, 1024, 1024, 100, 1], {0.02: 0.006, 0.05: 0.018, 0.2: 0.08}),
    "verivital_convnet_maxpool": ([2, 23328, 1152, 1], {0.02: 0.002, 0.05: 0.006, 0.2: 0.03}),
}


def rows(settings):
    """All of this theme."""
    for (name, half), known in IN_A_PLANE.items():
        if not (settings.quick and half > 0.05):
            yield of_graph(name, half, known, settings)
    yield of_switches(settings)


@cache
def shared_network(name):
    """A network of the shared folder, or None where that is absent."""
    if not (SHARED / f"{name}.onnx").exists():
        return None
    return creases.load(SHARED / f"{name}.onnx")


def square_in_plane(n_in, half):
    """The square of this half-width around u = (1/3, 1/3) in the plane through three uniform inputs."""
    a, b, c = np.random.default_rng(0).random((3, n_in))
    low, high = 1 / 3 - half, 1 / 3 + half
    return creases.Plane(a, [b - a, c - a]).polygon([[low, low], [high, low], [high, high], [low, high]])


@cache
def chain(name):
    """A random chain that has as many neurons as a shared network."""
    return as_network(random_layers(CHAINS[name][0]))


def of_graph(name, half, known, settings):
    """A row: microseconds a region of a graph over those of a chain of as many neurons."""
    network = shared_network(name)
    work, other = f"a region of {name}, {half:g}", "a chain of as many neurons"
    if network is None:
        return missing(work, other, "not measured: ../shared/networks is absent")
    domain = square_in_plane(network.n_in, half)
    case = SimpleNamespace(name=name, by_layer=known, regions=known[-1])
    h = CHAINS[name][1][half]
    around = creases.Box([0.3 - h, 0.3 - h], [0.3 + h, 0.3 + h])
    of_chain = creases.count(chain(name), around, threads=1, progress=False).regions
    ours, theirs = in_turns(
        lambda: check(creases.count(network, domain, threads=1, progress=False), case),
        lambda: creases.count(chain(name), around, threads=1, progress=False),
        runs=settings.runs,
        budget=settings.budget,
    )
    note = f"{case.regions:,} regions, the chain {of_chain:,}"
    each, of_other = 1e6 * ours.median / case.regions, 1e6 * theirs.median / of_chain
    return costs(work, other, each, of_other, at_most=3, note=note, unit="µs")


def of_switches(settings):
    """A row: two layers of 64 maxima of four, against two of 64 ReLUs."""
    (first, b), (second, c), output = random_layers([2, 256, 256, 1])
    x = creases.build.input(2)
    x = creases.build.maxout(creases.build.dense(x, first, b), 4)
    # A maximum of four is larger than a ReLU and has no zeros; inputs of 64, so scaled like He's of 64.
    x = creases.build.maxout(creases.build.dense(x, 2.0 * second[:, ::4], c), 4)
    network, other = (
        creases.build.network(creases.build.dense(x, output[0][:, ::4])),
        as_network(random_layers([2, 64, 64, 1])),
    )
    counts = [creases.count(each, SQUARE, threads=1, progress=False) for each in (network, other)]
    ours, theirs = in_turns(
        *(lambda each=each: creases.count(each, SQUARE, threads=1, progress=False) for each in (network, other)),
        runs=settings.runs,
        budget=settings.budget,
    )
    each, of_other = (1e6 * s.median / c.regions for s, c in zip((ours, theirs), counts, strict=True))
    note = f"{counts[0].regions:,} regions against {counts[1].regions:,}"
    return costs("a region of 64 x 2, maxima of 4", "64 x 2", each, of_other, at_most=4, note=note, unit="µs")
