"""One question to both sides: a network and a domain as plain data, the same for the same seed and number."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from fuzz.domains import some_place
from fuzz.floats import one_of
from fuzz.layers import FAMILIES, rescaled, some_layers

# Of five cases two are subdivided too: it takes longer than counting. Five and the number of families have no
# common factor, so every family gets its share.
SUBDIVIDED = (0, 2)


@dataclass(frozen=True)
class Case:
    """seed, number : where it came from. tags : what it was made of, for the table. weights, biases, domain : plain
    lists and dicts. subdivide : whether the cells are listed too."""

    seed: int
    number: int
    tags: list
    weights: list
    biases: list
    domain: dict
    subdivide: bool

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


def make(seed, number):
    """Case `number` of a seed; the families take turns."""
    rng = np.random.default_rng([seed, number])
    family = list(FAMILIES)[number % len(FAMILIES)]
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
    )
