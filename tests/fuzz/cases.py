"""One question to both sides: a network and a domain as plain data, the same for the same seed and number."""

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from fuzz.domains import some_place
from fuzz.extremes import with_monsters
from fuzz.facets import many_corners, many_facets, products
from fuzz.floats import one_of
from fuzz.lattices import lattice
from fuzz.layers import FAMILIES, rescaled, some_layers
from fuzz.limits import at_the_limit

# Families that choose their domain themselves. Those of the first kind take turns with the others, as often as two of
# them, and lattices as often as one; those of the last kind are slow in the reference, and come once in a round.
LIMITS = {"at the limit": at_the_limit, "monsters": with_monsters}
LATTICES = {"lattice": lattice}
FACETS = {"many corners": many_corners, "many facets": many_facets, "products": products}
# 79 cases, a number without a factor of five (below).
ROUND = (*(*FAMILIES, *LIMITS, *LIMITS, *LATTICES) * 4, *FACETS)

# Of five cases two are subdivided too: it takes longer than counting. One more goes through `count_in_pieces`. Five and
# the cases of a round have no common factor, so every family gets its share.
SUBDIVIDED, IN_PIECES = (0, 2), 3

# The network of a case ends with the layer after which it has more regions: fractions are slow.
MOST_CELLS = 60


@dataclass(frozen=True)
class Case:
    """seed, number : where it came from. tags : what it was made of, for the table. weights, biases, domain : plain
    lists and dicts. subdivide : whether the cells are listed too. pieces : into how many it is counted too, or 0.
    factors : where the domain is a product, polygons and intervals. most : cells after which the network ends."""

    seed: int
    number: int
    tags: list
    weights: list
    biases: list
    domain: dict
    subdivide: bool
    pieces: int = 0
    factors: list = field(default_factory=list)
    most: int = MOST_CELLS

    @property
    def name(self):
        return f"case {self.number} of seed {self.seed}"

    def cut_to(self, depth):
        """The case with its lowest layers only."""
        return replace(self, weights=self.weights[:depth], biases=self.biases[:depth])

    def write(self, path):
        """As JSON; Python writes each float so that it is read back as the same one."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        return path

    @classmethod
    def read(cls, path):
        return cls(**json.loads(Path(path).read_text(encoding="utf-8")))


def family_of(number):
    return ROUND[number % len(ROUND)]


def make(seed, number):
    """Case `number` of a seed; the families take turns."""
    rng = np.random.default_rng([seed, number])
    family = family_of(number)
    factors, most, scales = [], MOST_CELLS, ["not scaled"]
    if family in LIMITS or family in LATTICES:
        place, layers = (LIMITS | LATTICES)[family](rng)
    elif family in FACETS:
        place, layers, factors, most = FACETS[family](rng)
    else:
        place = some_place(rng, one_of(rng, (1, 2, 2, 2, 3)))
        layers, scales = rescaled(rng, some_layers(rng, family, place))
    return Case(
        seed=seed,
        number=number,
        tags=[family, place.domain["kind"], place.frame.name, *scales],
        weights=[[[float(w) for w in row] for row in rows] for rows, _ in layers],
        biases=[[float(b) for b in bias] for _, bias in layers],
        domain=place.domain,
        subdivide=number % 5 in SUBDIVIDED,
        pieces=one_of(rng, (2, 4, 9)) if number % 5 == IN_PIECES else 0,
        factors=factors,
        most=most,
    )
