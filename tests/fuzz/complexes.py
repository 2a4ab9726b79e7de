"""Check complexes of random and degenerate networks until enough have been checked.

    PYTHONPATH=tests python -m fuzz.complexes --networks 2000
    PYTHONPATH=tests python -m fuzz.complexes --first 17 --networks 1     one that failed, again

Chains of every kind of `networks` and graphs of every kink, in one to four dimensions, on boxes, polygons, simplices,
lines, planes, whole spaces, balls and of directions. Of each the Complex is checked by its own arithmetic, points are
located, affine maps are compared with the forward pass, and of those that are small the linear regions with brute force
in rationals. Exit code 1 if anything was wrong.
"""

import argparse
import sys
import time
import traceback
from collections import Counter
from itertools import pairwise
from typing import NamedTuple

import numpy as np

import graph_cases
import reference
from complex_reference import Complex as TrueComplex
from creases import Ball, Directions, Network, subdivide
from creases.complex.maps import affine_maps_in_slice
from creases.domain import domain_from_dict
from creases.errors import ComputationError
from graph_networks import as_network, packed
from networks import KINDS, as_lists

# Regions of which linear regions are compared: brute force takes tenths of a second then.
MOST_REGIONS = 60


class Case(NamedTuple):
    """levels : of the reference. specification : the domain of the reference, None for one that it does not know."""

    name: str
    levels: list
    network: Network
    domain: object
    specification: object


def make(number, seed=0):
    """The case of a number: a chain or a graph, on a kind of domain."""
    rng = np.random.default_rng([number, seed, 2026])
    n_in = (2, 3, 1, 2, 4)[number % 5]
    name, levels, network = a_chain(rng, n_in, number) if rng.integers(2) else a_graph(rng, n_in)
    clips = any(isinstance(level.kink, reference.Clip) for level in levels)
    kinds = [*graph_cases.DOMAINS[n_in], "ball", *([] if clips or n_in == 1 else ["directions"])]
    kind = kinds[rng.integers(len(kinds))]
    name = f"{number}: {name} in {n_in} dimensions, {kind}"
    if kind == "directions":
        levels = graph_cases.without_biases(levels)
        return Case(name, levels, as_network(levels, n_in), Directions(n_in), None)
    if kind == "ball":
        return Case(name, levels, network, Ball((rng.integers(-4, 5, n_in) / 4).tolist(), rng.uniform(0.2, 1.5)), None)
    place = graph_cases.random_domain(rng, n_in, kind)
    return Case(name, levels, network, domain_from_dict(place.data), place.specification)


def a_chain(rng, n_in, number):
    """A chain of one of the kinds with an output layer of small whole numbers, so that much cancels."""
    kind = KINDS[number % len(KINDS)]
    weights, biases = as_lists(kind(rng, n_in))
    outputs = int(rng.integers(1, 3))
    last = rng.integers(-1, 2, (outputs, len(biases[-1]))).astype(float).tolist()
    levels = reference.chain(weights, biases)
    levels.append(reference.Level({len(levels): last}, [0.0] * outputs, reference.linear(outputs)))
    return kind.__name__, levels, Network.from_arrays([*weights, last], [*biases, [0.0] * outputs])


def a_graph(rng, n_in):
    """A graph of every kink, of small whole numbers or generic."""
    degenerate = bool(rng.integers(2))
    levels = graph_cases.random_graph(rng, n_in, degenerate=degenerate, most_units=5)
    return f"graph{' of whole numbers' if degenerate else ''}", levels, as_network(levels, n_in)


def check(case):
    """Check one case; returns what was looked at, by name. Raises AssertionError or ComputationError if it is wrong."""
    try:
        cells = subdivide(case.network, case.domain)
    except ComputationError as error:
        return Counter({f"refused: {str(error).split('.')[0][:60]}": 1})
    cells.check(sample=None if len(cells) <= MOST_REGIONS else 20)
    found = Counter({"complexes": 1, "cells": len(cells), f"dimension {cells.dimension}": 1})
    check_locate(cells)
    # Of extreme numbers the forward pass loses all digits on the way; of directions points have no place.
    if not isinstance(case.domain, Directions) and "extreme" not in case.name:
        check_maps(cells)
    if case.specification is not None and len(cells) <= MOST_REGIONS:
        compare_linear_regions(case, cells)
        found["with linear regions by brute force"] = 1
        found["of which cells were joined"] = int(cells.linear_regions.max() + 1 < len(cells))
    return found


def check_locate(cells):
    """The point inside each cell is in it; so says `Network.pattern` of points whose pattern floats cannot mistake."""
    if not np.isfinite(cells.domain.slice.points(cells.interior_points)).all():
        return  # inputs are beyond floats
    stored = [i for i in range(len(cells)) if i not in cells.exact_interior_points]
    assert cells.locate(cells.interior_points[stored]).tolist() == stored
    rng = np.random.default_rng(len(cells))
    points = cells.interior_points[rng.integers(len(cells), size=20)]
    points = points + rng.standard_normal(points.shape) * 10.0 ** rng.integers(-6, 1, (20, 1))
    located = cells.locate(points)
    inputs = cells.domain.slice.points(points)
    if not np.isfinite(inputs).all():
        return
    distances = cells.network.pre_activations(inputs)
    sizes = 1e-9 * (1.0 + max((np.abs(z).max(initial=0.0) for z in distances), default=0.0))
    patterns = cells.network.packed_pattern(inputs)
    clear = np.ones(len(points), bool)
    for number, level in enumerate(cells.network.levels, 1):
        if number in cells.network.layers:
            z = distances[cells.network.layers.index(number)]
            clear &= (np.abs(z) > sizes).all(axis=1) & (not level.switches)
    for i in np.flatnonzero(clear & (located >= 0)).tolist():
        assert (patterns[i] == cells.patterns[located[i]]).all()


def check_maps(cells):
    """The map of each cell takes the point inside to where the network does."""
    matrices, offsets = affine_maps_in_slice(cells)
    points = cells.interior_points
    outputs = (matrices @ points[:, :, None])[..., 0] + offsets
    with np.errstate(over="ignore"):
        size = (1 + np.abs(matrices).max() + np.abs(offsets).max()) * (1 + np.abs(points).max())
    if not size < 1e150:  # on the way there may be numbers beyond floats
        return
    expected = cells.network.forward(cells.domain.slice.points(points))
    np.testing.assert_allclose(outputs, expected, rtol=1e-9, atol=1e-11 * size)


def compare_linear_regions(case, cells):
    """The same linear regions, cell by cell, and as many maps, as in rationals."""
    true = TrueComplex(case.levels, case.specification)
    names = {packed(case.network, pattern): cell for cell, pattern in enumerate(true.patterns)}
    order = [names[row.tobytes()] for row in cells.patterns]
    assert sorted(order) == list(range(len(true.patterns)))
    found = {}
    for cell, region in zip(order, cells.linear_regions.tolist(), strict=True):
        found.setdefault(region, set()).add(cell)
    assert sorted(map(sorted, found.values())) == sorted(map(sorted, true.linear_regions()))
    maps = [true.outputs[cell] for cell in order]
    for one, other in pairwise(range(len(maps))):
        assert (maps[one] == maps[other]) == (cells.affine_maps[one] == cells.affine_maps[other])
    assert len(set(maps)) == cells.affine_maps.max() + 1


def main(arguments=None):
    """Run the command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="fuzz.complexes", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", type=int, default=2000, help="how many (2,000)")
    parser.add_argument("--first", type=int, default=0, help="number of the first case (0)")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other cases (0)")
    options = parser.parse_args(arguments)
    totals, failures, said = Counter(), 0, time.monotonic()
    for number in range(options.first, options.first + options.networks):
        case = make(number, options.seed)
        try:
            totals += check(case)
        except Exception:  # whatever it is, the other cases are checked too
            failures += 1
            print(f"WRONG {case.name}")
            traceback.print_exc()
        if time.monotonic() > said + 10.0:
            said = time.monotonic()
            print(f"{number + 1 - options.first} networks, {failures} wrong", flush=True)
    print(f"{options.networks} networks, {failures} wrong")
    for name, count in sorted(totals.items()):
        print(f"  {count:>8,}  {name}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
