"""A thousand random lines of a network of the size of MNIST, against vectorised numpy on the same lines; and a path."""

from __future__ import annotations

import numpy as np

import creases
from benchmarks.networks import WrongCount, as_network, random_layers
from benchmarks.peers.numpy_lines import count_on_lines
from benchmarks.rows import faster, within
from benchmarks.timing import in_turns

LINES = 1000
WIDTHS = [784, 100, 100, 10]
BLOCK = 20  # lines at a time whose arrays fit the second-level cache

# Regions on all lines together; `count_many` and numpy agree on each of them.
KNOWN = {"lines": 199_681, "segments": 100_073}


# A path of as many pieces: regions along it are those of its segments, less one a joint; `count_many` agrees.
PATH_WIDTHS, PATH_REGIONS, PATH_SECONDS = [784, 256, 256, 256, 10], 175_004, 0.5


def random_lines():
    """(points, directions), each (lines, n_in); the segment of a line is t in [0, 1]."""
    rng = np.random.default_rng(1)
    points, others = rng.standard_normal((2, LINES, WIDTHS[0]))
    return points, others - points


def rows(settings):
    """Whole lines and segments, against numpy on all at once, and in blocks that suit the cache."""
    layers = random_layers(WIDTHS)
    network, hidden = as_network(layers), layers[:-1]
    points, directions = random_lines()
    pairs = list(zip(points, directions, strict=True))
    whole = [creases.Line(point, direction) for point, direction in pairs]
    parts = [creases.Segment(point, point + direction) for point, direction in pairs]
    for name, domains, ends in (("lines", whole, (-np.inf, np.inf)), ("segments", parts, (0.0, 1.0))):
        found = {}

        def ours(domains=domains, found=found):
            found["ours"] = creases.count_many(network, domains, threads=1, progress=False)

        def numpy(block, ends=ends, found=found):
            groups = [slice(i, i + block) for i in range(0, LINES, block)]
            found["numpy"] = np.concatenate([count_on_lines(hidden, points[g], directions[g], *ends) for g in groups])

        samples = in_turns(
            ours, lambda run=numpy: run(LINES), lambda run=numpy: run(BLOCK), runs=settings.runs, budget=settings.budget
        )
        note = compare(found, KNOWN[name])
        counted, at_once, in_blocks = (sample.median for sample in samples)
        work = f"{LINES:,} {name} of {WIDTHS}"
        yield faster(work, "numpy, all lines at once", counted, at_once, at_least=20, note=note)
        yield faster(work, f"numpy, {BLOCK} lines at a time", counted, in_blocks, note=note)
    yield path(settings)


def path(settings):
    """To count along a path; it is made once."""
    network = as_network(random_layers(PATH_WIDTHS))
    points = np.random.default_rng(1).uniform(0, 1, (LINES + 1, PATH_WIDTHS[0]))
    domain, found = creases.Polyline(points), {}

    def work():
        found["it"] = creases.count(network, domain, threads=1, progress=False)

    (ours,) = in_turns(work, runs=settings.runs, budget=settings.budget)
    if found["it"].regions != PATH_REGIONS or not found["it"].certified:
        raise WrongCount(f"a path of {LINES:,} pieces has {PATH_REGIONS:,} regions, counted {found['it']!r}")
    note = f"{PATH_REGIONS:,} regions, {found['it'].distinct:,} of them different"
    return within(f"a Polyline of {LINES:,} pieces of {PATH_WIDTHS}", ours.median, PATH_SECONDS, note=note)


def compare(found, known):
    """Check our counts; say whether numpy has the same ones."""
    ours = [count.regions for count in found["ours"]]
    if sum(ours) != known or not all(count.certified for count in found["ours"]):
        raise WrongCount(f"{LINES:,} lines have {known:,} regions, counted {sum(ours):,}")
    differing = int((np.array(ours) != found["numpy"]).sum())
    return "same counts" if not differing else f"numpy differs on {differing} of {LINES:,}"
