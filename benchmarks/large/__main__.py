"""Count the cases that are named: regions, proof, wall time and the largest resident set."""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import creases
from benchmarks.large.checks import sampled, tiled
from benchmarks.large.networks import images, resnet8, resnet18, resnet20, vgg16, window
from benchmarks.large.trained import photographs_window, trained_resnet18
from creases.domain import Domain, Segment


@dataclass(frozen=True)
class Case:
    """One network and one domain."""

    network: Callable[[], creases.Network]
    domain: Callable[[], Domain]


CASES = {
    "resnet18": Case(resnet18, partial(window, 0.0056)),
    "resnet18-small": Case(resnet18, partial(window, 0.001)),
    "resnet18-trained": Case(trained_resnet18, partial(photographs_window, 0.0092)),
    "resnet20-segment": Case(resnet20, lambda: Segment(*images(2))),
    "vgg16": Case(vgg16, partial(window, 0.003)),
}
# What is compared, and not only counted.
CHECKS = {
    "samples": lambda: sampled(resnet8(), 0.001, points=1_000_000),
    "tilings": lambda: tiled(resnet18(), window(0.001), pieces=(2, 7)),
}


def count(name: str) -> None:
    """Count one case."""
    network, domain = CASES[name].network(), CASES[name].domain()
    start = time.perf_counter()
    found = creases.count(network, domain, progress=True)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    proof = "certified" if found.certified else f"{found.unproved_signs} signs unproved"
    print(f"{name}: {network.neurons:,} units, {found.regions:,} regions, {proof}, {seconds:.0f} s, {peak:.1f} GiB")


def main() -> None:
    """Count or check what was named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.large", description=__doc__)
    names = [*CASES, *CHECKS]
    parser.add_argument("names", nargs="+", choices=names, metavar="NAME", help=", ".join(names))
    for name in parser.parse_args().names:
        if name in CASES:
            count(name)
        else:
            CHECKS[name]()


if __name__ == "__main__":
    main()
