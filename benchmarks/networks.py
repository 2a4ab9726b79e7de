"""The networks of the benchmarks, by formula, and how many regions each is known to have.

No time is printed for a count that is not the known one and certified: `checked` decides. Where a number comes
from is said beside it: "the table" is the one of ../shared/networks (rational arithmetic, or two programs that
agree), "the reference" is tests/reference.py, run once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np

import creases

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared" / "networks"
SQUARE = creases.Box([-1, -1], [1, 1])
PLANE = creases.Space(2)


class WrongCount(AssertionError):
    """A count is not the known one, or is not certified: nothing may be printed."""


def random_layers(widths, seed=0, bias=0.1):
    """(weight, bias) of every layer, the last one the output: He weights, the same on every machine."""
    rng = np.random.default_rng(seed)
    return [
        (rng.standard_normal((n_out, n_in)) * np.sqrt(2 / n_in), rng.standard_normal(n_out) * bias)
        for n_in, n_out in pairwise(widths)
    ]


def as_network(layers):
    """The Network of a list of (weight, bias)."""
    return creases.Network.from_arrays([weight for weight, _ in layers], [bias for _, bias in layers])


def twins(widths):
    """A random network in which a quarter of each hidden layer repeats another, and a quarter is another's opposite."""
    *hidden, output = random_layers(widths)
    for weight, bias in hidden:
        q = len(bias) // 4
        weight[2 * q : 3 * q], bias[2 * q : 3 * q] = weight[:q], bias[:q]
        weight[3 * q : 4 * q], bias[3 * q : 4 * q] = -weight[q : 2 * q], -bias[q : 2 * q]
    return [*hidden, output]


def dead(widths):
    """A random network in which a quarter of each hidden layer is dead: its bias is -10."""
    *hidden, output = random_layers(widths)
    for _, bias in hidden:
        bias[: len(bias) // 4] = -10.0
    return [*hidden, output]


def integers(widths, most=3):
    """Weights and biases drawn from -most ... most: lines that coincide, are parallel, or meet three in a point."""
    rng = np.random.default_rng(0)
    return [
        (rng.integers(-most, most + 1, (b, a)).astype(float), rng.integers(-most, most + 1, b).astype(float))
        for a, b in pairwise(widths)
    ]


@dataclass(frozen=True, eq=False)
class Case:
    """A network, a domain and the count that is known.

    by_layer : regions after each hidden layer; only the last where the others are not known.
    """

    name: str
    layers: list
    domain: object
    by_layer: tuple[int, ...]

    @cached_property
    def network(self):
        """The network, made once: no time is for making it."""
        return as_network(self.layers)

    @property
    def regions(self):
        """The known number of regions."""
        return self.by_layer[-1]

    @property
    def hidden(self):
        """(weight, bias) of the hidden layers."""
        return self.layers[:-1]


# Regions of random networks with seed 0 and bias 0.1 on [-1, 1]^2, from the table.
ON_SQUARE = {
    (16, 16): (126, 412),
    (32, 32, 32): (487, 1780, 3897),
    (64, 64, 64): (1949, 6671, 14353),
    (128, 128, 128): (7663, 27312, 56887),
    (256, 256, 256): (30569, 119787, 262431),
    (512, 512, 512): (1026302,),
    # Not in the table: counted here, the sum of both halves less the wall between them agrees on all layers.
    (1024, 1024, 1024): (477943, 1899168, 4215772),
    (64,) * 5: (1949, 6671, 14353, 23467, 37723),
    (32,) * 10: (487, 1780, 3897, 7030, 12162, 17800, 22662, 27169, 30998, 35038),
    (32,) * 20: (71732,),
    # Not in the table: counted here, the same when each tie was decided in rationals and when it is from structure.
    (250,) * 3: (239365,),
    (500,) * 3: (943173,),
}

# The same on [-1, 1]^d. Those of five and six dimensions were counted twice, as 250 x 3. 3-32-32 is from the table; the
# other totals agree with those of a trial that is no relation of this program; layers below the last were counted here.
ON_CUBE = {
    (3, 32, 32): (4932, 40141),
    (3, 64, 64): (38281, 283433),
    (3, 128, 128): (310250, 2318221),
    (3, 64, 64, 64): (38281, 283433, 876518),
    (4, 32, 32): (36080, 563943),
    (4, 64, 64): (581000, 9307316),
    (5, 16, 16): (118561,),
    (6, 12, 12): (77455,),
}

# The same on all of R^2; 8 x 2 and 16 x 2 from the table, the others from the reference.
ON_PLANE = {
    (8, 8): (37, 111),
    (16, 16): (137, 450),
    (64, 64, 64): (2081, 7401, 16123),
}

# Degenerate networks of 32 x 3 on [-1, 1]^2; from the reference.
DEGENERATE = {
    "zero bias": (lambda widths: random_layers(widths, bias=0.0), (64, 134, 194)),
    "twins and opposites": (twins, (121, 524, 1298)),
    "a quarter dead": (dead, (283, 1026, 2207)),
    "integer weights": (integers, (129, 658, 1611)),
}


def name_of(hidden):
    """64 x 3 for three layers of 64."""
    return f"{hidden[0]} x {len(hidden)}" if len(set(hidden)) == 1 else "-".join(map(str, hidden))


def on_square(*hidden):
    """The case of a random network on [-1, 1]^2."""
    return Case(name_of(hidden), random_layers([2, *hidden, 1]), SQUARE, ON_SQUARE[hidden])


def in_cube(d, *hidden):
    """The case of a random network on [-1, 1]^d."""
    cube = creases.Box([-1] * d, [1] * d)
    return Case(f"{name_of(hidden)}, [-1, 1]^{d}", random_layers([d, *hidden, 1]), cube, ON_CUBE[(d, *hidden)])


def on_plane(*hidden):
    """The case of a random network on the whole plane."""
    return Case(f"{name_of(hidden)}, R^2", random_layers([2, *hidden, 1]), PLANE, ON_PLANE[hidden])


def degenerate(name):
    """The case of a degenerate network of 32 x 3."""
    make, by_layer = DEGENERATE[name]
    return Case(f"32 x 3, {name}", make([2, 32, 32, 32, 1]), SQUARE, by_layer)


def acasxu():
    """The case of a real network's plane, or None where the shared folder is not beside the project; from the table."""
    path = SHARED / "acasxu_1_1.nnet"
    if not path.exists():
        return None
    network = creases.load(path)
    layers = [(layer.weight, layer.bias) for layer in (*network.hidden, network.output)]
    square = creases.Box([-0.5, -0.5, 0, 0, 0], [0.5, 0.5, 0, 0, 0])
    return Case("acasxu_1_1", layers, square, (568, 2434, 8409, 18379, 33087, 51005))


def check(found, case):
    """Raise WrongCount unless a Count or Complex has the known number of regions and is certified; return it."""
    known = case.by_layer
    if tuple(found.by_layer[-len(known) :]) != known or found.regions != case.regions or not found.certified:
        raise WrongCount(f"{case.name}: {found!r}, but {known} is known")
    return found


def checked(case, threads=1, count=creases.count):
    """Count (or subdivide) a case and check it."""
    return check(count(case.network, case.domain, threads=threads, progress=False), case)
