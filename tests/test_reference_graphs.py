"""The specification on graphs: folds, envelopes, and laws that hold for every network of levels."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

import reference
from engine_twins import LONG
from graph_cases import DOMAINS, KINKS, random_domain, random_graph, values, without_biases
from reference import (
    Clip,
    Level,
    Max,
    Slopes,
    affine,
    box,
    chain,
    graph_bounded_unbounded,
    graph_by_layer,
    graph_by_neuron,
    graph_count,
    graph_forward,
    graph_path,
    graph_pattern_at,
    graph_pieces,
    graph_regions,
    linear,
    relu,
    segment,
    space,
)

HALF = Fraction(1, 2)
ONE = segment([-1], [1])
SQUARE = box([-1, -1], [1, 1])


def patterns(levels, domain):
    return sorted(region.pattern for region in graph_regions(levels, domain))


def counts(levels, domain):
    return graph_by_layer(levels, domain), graph_by_neuron(levels, domain)


def identity(n):
    return [[int(i == j) for j in range(n)] for i in range(n)]


def many(number, seed, n_ins=(1, 2, 3), **options):
    """A test of (levels, domain): random graphs, half of them degenerate, on every kind of domain in turn.

    number : of each number of inputs, with `LONG`. Everyday runs have one for each kind of domain, of which every other
    one is degenerate.
    """
    cases = []
    for n_in in n_ins:
        everyday = [2 * k + k % 2 for k in range(min(len(DOMAINS[n_in]), number // 2))]
        for i in range(number) if LONG else everyday:
            rng = np.random.default_rng([seed, n_in, i])
            levels = random_graph(rng, n_in, degenerate=bool(i % 2), **options)
            place = random_domain(rng, n_in, DOMAINS[n_in][i // 2 % len(DOMAINS[n_in])])
            cases.append(pytest.param(levels, place.specification, id=f"{place.name}-{n_in}-{seed}-{i}"))
    return pytest.mark.parametrize(("levels", "domain"), cases)


# By hand.


def test_known_switch_of_four_is_one_region():
    """max(x, -x, 3, 3) on [-1, 1]: no wall where x = -x, since 3 is above both. Of the 3s the first one wins."""
    levels = [Level({0: [[1], [-1], [0], [0]]}, [0, 0, 3, 3], Max([[0, 1, 2, 3]]))]
    (region,) = graph_regions(levels, ONE)
    assert region.pattern == ((2,),)
    assert counts(levels, ONE) == ([1], [[0]])
    # On all of R it is 3 between -3 and 3.
    assert patterns(levels, space(1)) == [((0,),), ((1,),), ((2,),)]
    assert counts(levels, space(1)) == ([3], [[1]])
    assert graph_bounded_unbounded(levels, space(1)) == (1, 2)


def test_known_groups_overlap_and_differ_in_size():
    """max(x, y), max(x, y, 0) and max(y): the diagonal, then three sectors, then nothing."""
    levels = [Level({0: [[1, 0], [0, 1], [0, 0]]}, [0, 0, 0], Max([[0, 1], [1, 2, 0], [1]]))]
    assert patterns(levels, SQUARE) == [((0, 1, 0),), ((0, 2, 0),), ((1, 0, 0),), ((1, 1, 0),)]
    assert counts(levels, SQUARE) == ([4], [[1, 1, 0]])
    assert graph_forward(levels, [HALF, -1]) == [HALF, HALF, -1]


def test_known_relu_before_a_max_cuts_nothing_where_all_are_zero():
    """max(relu(x), relu(y)): four quadrants, of which only the one where both are positive is cut in two."""
    levels = [Level({0: identity(2)}, [0, 0], relu(2)), Level({1: identity(2)}, [0, 0], Max([[0, 1]]))]
    assert counts(levels, SQUARE) == ([4, 5], [[1, 1], [1]])
    winner = {}
    for region in graph_regions(levels, SQUARE):
        winner.setdefault(region.pattern[0], []).append(region.pattern[1])
    assert winner == {
        (False, False): [(0,)],  # both zero: the first one
        (True, False): [(0,)],
        (False, True): [(1,)],
        (True, True): [(0,), (1,)],
    }


def test_known_switch_on_a_slice_where_candidates_agree():
    """On the diagonal of the plane x and y are identically equal."""
    levels = [Level({0: identity(2)}, [0, 0], Max([[1, 0]]))]
    diagonal = affine([0, 0], [[1, 1]], space(1))
    assert patterns(levels, diagonal) == [((0,),)]
    assert graph_count(levels, SQUARE) == 2


def test_known_clip():
    """clip(x, -1/2, 1/2) has three of four signs, two layers of which are one."""
    levels = [Level({0: [[1]]}, [0], Clip(-HALF, HALF))]
    assert patterns(levels, ONE) == [((False, False),), ((True, False),), ((True, True),)]
    assert counts(levels, ONE) == ([3], [[1, 1]])
    assert [graph_forward(levels, [x]) for x in (-1, 0, Fraction(1, 3), 1)] == [[-HALF], [0], [Fraction(1, 3)], [HALF]]
    # First z > low of all units, then z > high of all units.
    levels = [Level({0: [[1], [1]]}, [0, 0], Clip([-HALF, -3], [2, HALF]))]
    assert counts(levels, ONE) == ([3], [[1, 0, 0, 1]])
    assert patterns(levels, ONE)[0] == ((False, True, False, False),)


def test_known_slopes():
    """What a unit is worth on either side, for slopes in any order; equal slopes leave no trace."""
    pairs = [(0, 1), (1, 0), (-1, 1), (2, 2), (0, 0), (0.25, -0.5)]
    levels = [Level({0: [[1]] * 6}, [0] * 6, Slopes(pairs))]
    assert graph_forward(levels, [2]) == [2, 0, 2, 4, 0, -1]
    assert graph_forward(levels, [-2]) == [0, -2, 2, -4, 0, -HALF]
    assert patterns(levels, ONE) == [((False,) * 4,), ((True,) * 4,)]
    assert counts(levels, ONE) == ([2], [[1, 1, 1, 1]])


def test_known_leaky_unit_that_vanishes():
    """On the axis z = x is identically zero: inactive, and nothing is cut."""
    levels = [Level({0: [[1, 0]]}, [0], Slopes([(-1, 1)])), Level({1: [[1]]}, [0], relu(1))]
    assert patterns(levels, segment([0, -1], [0, 1])) == [((False,), (False,))]
    assert patterns(levels, SQUARE) == [((False,), (True,)), ((True,), (True,))]


def test_known_skip_connection():
    """x + relu(x) - 1 is zero at 1/2, where relu(x) alone is seen too late."""
    levels = [Level({0: [[1]]}, [0], relu(1)), Level({0: [[1]], 1: [[1]]}, [-1], relu(1))]
    assert counts(levels, ONE) == ([2, 3], [[1], [1]])
    ends = {x for region in graph_regions(levels, ONE) for x, w in region.rays}
    assert [ONE.at([u])[0] for u in sorted(ends)] == [-1, 0, HALF, 1]
    # The order of the sources says nothing.
    turned = [levels[0], levels[1]._replace(sources={1: [[1]], 0: [[1]]})]
    assert patterns(turned, ONE) == patterns(levels, ONE)


def test_known_level_that_skips_the_one_below():
    """Two layers side by side, written as two levels: the second takes from the input alone."""
    levels = [Level({0: [[1, 0]]}, [0], relu(1)), Level({0: [[0, 1]]}, [0], relu(1))]
    assert patterns(levels, SQUARE) == [((a,), (b,)) for a in (False, True) for b in (False, True)]


def test_known_only_linear_levels():
    levels = [Level({0: identity(2)}, [1, 0], linear(2)), Level({0: [[1, 1]], 1: [[1, 0]]}, [0], Slopes([(2, 2)]))]
    ((region, outputs),) = graph_pieces(levels, SQUARE)
    assert region.pattern == graph_pattern_at(levels, [0, 0]) == ()
    assert outputs == [(4, 2, 2)]  # 2 (x + y + x + 1)
    assert counts(levels, SQUARE) == ([], [])


def test_known_path_through_a_switch():
    levels = [Level({0: identity(2)}, [0, 0], Max([[0, 1]]))]
    assert graph_path(levels, [(1, 0), (0, 1), (-1, 0), (0, -1), (1, 0)]) == (3, 2)
    assert graph_path(levels, [(1, 0), (3, 1), (2, 1)]) == (1, 1)


# Closed forms.


@pytest.mark.parametrize("depth", [1, 2, 5, 8])
def test_known_abs_folds(depth):
    """x -> |2 |x| - 1| and so on: every level lays the segment in two."""
    first, fold = Level({0: [[1]]}, [0], Slopes([(-1, 1)])), Slopes([(-1, 1)])
    levels = [first, *(Level({number: [[2]]}, [-1], fold) for number in range(1, depth))]
    assert counts(levels, ONE) == ([2**k for k in range(1, depth + 1)], [[2**k] for k in range(depth)])
    assert graph_bounded_unbounded(levels, space(1)) == (2**depth - 2, 2)


def envelope(lines):
    """The lines (slope, constant) of the upper envelope from left to right, by their slopes: a scan with a stack."""
    best = {slope: max(b for a, b in lines if a == slope) for slope, _ in lines}
    hull = []
    for a, b in sorted(best.items()):
        # The last one is hidden if the new line passes the one before it no later than the last one does.
        while len(hull) > 1 and (b - hull[-2][1]) * (hull[-1][0] - hull[-2][0]) >= (hull[-1][1] - hull[-2][1]) * (
            a - hull[-2][0]
        ):
            hull.pop()
        hull.append((a, b))
    return hull


@pytest.mark.parametrize("k", [2, 3, 5, 9])
@pytest.mark.parametrize("seed", range(8))
def test_against_envelope_of_lines(seed, k):
    """max of k lines: as many regions as lines in the envelope, each with its first line as winner."""
    rng = np.random.default_rng([seed, k])
    size = 3 if seed % 2 else 1000  # small numbers: parallel, equal and concurrent lines
    lines = [tuple(row) for row in rng.integers(-size, size + 1, (k, 2)).tolist()]
    levels = [Level({0: [[a] for a, _ in lines]}, [b for _, b in lines], Max([list(range(k))]))]
    found = sorted(graph_regions(levels, space(1)), key=lambda region: region.interior_point())
    assert [lines[region.pattern[0][0]] for region in found] == envelope(lines)
    assert [region.pattern[0][0] for region in found] == [lines.index(line) for line in envelope(lines)]


def winners_in_the_plane(forms, sides):
    """Which forms are the largest somewhere inside {side >= 0}: corners of all pairs of lines, and their mean.

    The part where a form wins is a bounded polygon. It has an inside iff its corners do not lie in a line.
    """
    found = []
    for i, form in enumerate(forms):
        if form in forms[:i]:
            continue
        walls = [tuple(x - y for x, y in zip(form, other, strict=True)) for other in forms] + sides
        corners = set()
        for (a, b, c), (d, e, f) in ((p, q) for p in walls for q in walls):
            if (det := a * e - b * d) != 0:
                x, y = Fraction(b * f - c * e, det), Fraction(c * d - a * f, det)
                if all(p * x + q * y + r >= 0 for p, q, r in walls):
                    corners.add((x, y))
        if any((q[0] - p[0]) * (r[1] - p[1]) != (q[1] - p[1]) * (r[0] - p[0]) for p, q, r in triples(corners)):
            found.append(i)
    return found


def triples(points):
    first, *others = points or [None]
    return [(first, p, q) for p in others for q in others]


@pytest.mark.parametrize("k", [2, 3, 5, 9])
@pytest.mark.parametrize("seed", range(8))
def test_against_brute_force_of_winners_in_the_plane(seed, k):
    rng = np.random.default_rng([seed, k, 2])
    size = 2 if seed % 2 else 1000
    forms = [tuple(row) for row in rng.integers(-size, size + 1, (k, 3)).tolist()]
    levels = [Level({0: [list(form[:2]) for form in forms]}, [form[2] for form in forms], Max([list(range(k))]))]
    expected = winners_in_the_plane(forms, [(1, 0, 1), (-1, 0, 1), (0, 1, 1), (0, -1, 1)])
    assert [pattern[0][0] for pattern in patterns(levels, SQUARE)] == expected
    assert counts(levels, SQUARE) == ([len(expected)], [[int(len(expected) > 1)]])


# Laws of random graphs.


@many(40, seed=1)
def test_laws_patterns_at_interior_points(levels, domain):
    """Regions have different patterns, each that of its inner point; there the outputs are the region's affine map."""
    pieces = graph_pieces(levels, domain)
    assert len({region.pattern for region, _ in pieces}) == len(pieces)
    for region, outputs in pieces:
        u = region.interior_point()
        assert graph_pattern_at(levels, domain.at(u)) == region.pattern
        assert [reference.dot(form, (*u, 1)) for form in outputs] == graph_forward(levels, domain.at(u))


@many(30, seed=2)
def test_laws_outputs_are_continuous(levels, domain):
    """At the corners of a region its affine map still says what the network says."""
    for region, outputs in graph_pieces(levels, domain):
        for *u, w in region.rays:
            if w:
                assert [reference.dot(form, (*u, w)) for form in outputs] == graph_forward(levels, domain.at(u))


@many(14, seed=3, n_ins=(1, 2, 3, 4))
def test_laws_random_points_find_these_patterns_only(levels, domain):
    found, rng = set(patterns(levels, domain)), np.random.default_rng(3)
    if not domain.cone.lines:
        corners = [ray.vector for ray in domain.cone.rays]
        for weights in rng.dirichlet(np.ones(len(corners)), size=20).tolist():
            *u, w = (
                sum(Fraction(t) * x / c[-1] for t, x, c in zip(weights, column, corners, strict=True))
                for column in zip(*corners, strict=True)
            )
            assert graph_pattern_at(levels, domain.at([x / w for x in u])) in found
    else:
        for u in rng.standard_normal((20, len(domain.cone.lines))).tolist():
            assert graph_pattern_at(levels, domain.at(u)) in found


@many(20, seed=4)
def test_laws_counts_agree(levels, domain):
    """A level with a cut has more regions than the one below, and only a cut makes more."""
    layers, neurons = counts(levels, domain)
    assert ([1, *layers])[-1] == graph_count(levels, domain) == sum(graph_bounded_unbounded(levels, domain))
    for before, after, cutting in zip([1, *layers], layers, neurons, strict=False):
        assert max(cutting) <= after - before
        assert max(cutting) <= before
        assert any(cutting) == (after > before)


@many(20, seed=5)
def test_laws_regions_of_a_segment_follow_each_other(levels, domain):
    """On a bounded domain of one coordinate there is no gap and no overlap."""
    if len(domain.inputs[0]) == 2 and not domain.cone.lines:
        parts = sorted(sorted(u for u, _ in region.rays) for region in graph_regions(levels, domain))
        assert all(right == left for (_, right), (left, _) in pairwise(parts))
        ends = sorted(Fraction(u, w) for u, w in (ray.vector for ray in domain.cone.rays))
        assert [parts[0][0], parts[-1][1]] == ends


@many(10, seed=6)
def test_laws_a_residual_block_of_zero_weights_adds_nothing(levels, domain):
    """x + W relu(V x + b) with W = 0: the regions of V x + b, and the same ones above as before."""
    n = values(levels[0])
    zero = [[0] * 2 for _ in range(n)]
    block = [Level({1: [[0] * n] * 2}, [0, 0], relu(2)), Level({1: identity(n), 2: zero}, [0] * n, linear(n))]
    number = {0: 0, 1: 3} | {p: p + 2 for p in range(2, len(levels) + 1)}
    above = [level._replace(sources={number[p]: matrix for p, matrix in level.sources.items()}) for level in levels[1:]]
    changed = [levels[0], *block, *above]
    assert graph_count(changed, domain) == graph_count(levels, domain)
    place = len(graph_by_layer(levels[:1], domain))  # in the pattern: after the first level, if it is a layer
    expected = [(*p[:place], (False, False), *p[place:]) for p in patterns(levels, domain)]
    assert patterns(changed, domain) == sorted(expected)


@many(10, seed=7)
def test_laws_linear_levels_in_between_change_nothing(levels, domain):
    """Slopes (1, 1) cut nothing: the input passes through two linear levels, of which one doubles and one halves."""
    n = len(domain.inputs)
    double = Level({0: [[2 * x for x in row] for row in identity(n)]}, [0] * n, linear(n))
    halve = Level({1: identity(n)}, [0] * n, Slopes([(HALF, HALF)] * n))
    number = {0: 2} | {p: p + 2 for p in range(1, len(levels) + 1)}
    moved = [level._replace(sources={number[p]: matrix for p, matrix in level.sources.items()}) for level in levels]
    changed = [double, halve, *moved]
    assert patterns(changed, domain) == patterns(levels, domain)
    assert counts(changed, domain) == counts(levels, domain)


@many(10, seed=8)
def test_laws_two_copies_side_by_side_count_as_one(levels, domain):
    """Every level twice, each copy from its own copies below."""
    shift = {p: p and p + len(levels) for p in range(len(levels))}
    copy = [level._replace(sources={shift[p]: matrix for p, matrix in level.sources.items()}) for level in levels]
    assert patterns(levels + copy, domain) == [2 * pattern for pattern in patterns(levels, domain)]
    layers, neurons = counts(levels + copy, domain)
    k = len(layers) // 2
    assert (layers[:k], neurons[:k]) == counts(levels, domain)
    assert layers[k:] == [graph_count(levels, domain)] * k
    assert not any(map(any, neurons[k:]))


@many(10, seed=9, kinks=("clip", "relu", "linear"))
def test_laws_clip_is_two_relus(levels, domain):
    """clip(z, low, high) = low + relu(z - low) - relu(z - high), whose fourth sign never occurs."""
    for number, level in enumerate(levels, start=1):
        if isinstance(level.kink, Clip):
            low, high = level.kink
            n = len(level.bias)
            if not isinstance(low, list):
                low, high = [low] * n, [high] * n
            bias = [
                Fraction(b) - Fraction(x) for bounds in (low, high) for b, x in zip(level.bias, bounds, strict=True)
            ]
            double = Level({p: matrix * 2 for p, matrix in level.sources.items()}, bias, relu(2 * n))
            add = [row + [-x for x in row] for row in identity(n)]
            below, clipped = levels[: number - 1], levels[:number]
            unfolded = [*below, double, Level({number: add}, low, linear(n))]
            assert patterns(unfolded, domain) == patterns(clipped, domain)
            assert counts(unfolded, domain) == counts(clipped, domain)
            for region in graph_regions(clipped, domain):
                signs = region.pattern[-1]
                assert all(signs[j] or not signs[n + j] for j in range(n))
                point = domain.at(region.interior_point())
                assert graph_forward(unfolded, point) == graph_forward(clipped, point)


@many(10, seed=10)
def test_laws_max_of_two_is_a_relu_of_the_difference(levels, domain):
    """max(b, a) = b + relu(a - b) over the outputs of a network: winner 1 is an active neuron."""
    top = len(levels)
    width = values(levels[-1])
    last = [1] * width  # a, against the first output, b
    first = identity(width)[0]
    switch = [*levels, Level({top: [first, last]}, [0, 0.25], Max([[0, 1]]))]
    difference = Level({top: [[x - y for x, y in zip(last, first, strict=True)]]}, [0.25], relu(1))
    neuron = [*levels, difference, Level({top: [first], top + 1: [[1]]}, [0], linear(1))]
    assert patterns(switch, domain) == patterns(neuron, domain)
    assert counts(switch, domain) == counts(neuron, domain)
    for region in graph_regions(switch, domain):
        point = domain.at(region.interior_point())
        assert graph_forward(switch, point) == graph_forward(neuron, point)


@many(20, seed=11, kinks=("max", "max", "relu"))
def test_laws_order_of_candidates_does_not_matter(levels, domain):
    turned = [
        level._replace(kink=Max([group[::-1] for group in level.kink.groups])) if isinstance(level.kink, Max) else level
        for level in levels
    ]
    assert counts(turned, domain) == counts(levels, domain)


def test_laws_chains_are_graphs():
    """A chain written with matrices from everywhere, all but one of them zero."""
    rng = np.random.default_rng(12)
    weights = [rng.integers(-3, 4, (n, m)).tolist() for m, n in ((2, 4), (4, 3), (3, 3))]
    biases = [rng.integers(-2, 3, n).tolist() for n in (4, 3, 3)]
    levels = chain(weights, biases)
    others = [
        level._replace(
            sources={**{p: [[0] * n] * len(level.bias) for p, n in enumerate((2, 4, 3)[:k])}, **level.sources}
        )
        for k, level in enumerate(levels)
    ]
    assert patterns(others, SQUARE) == patterns(levels, SQUARE)
    assert counts(others, SQUARE) == (
        reference.by_layer(weights, biases, SQUARE),
        reference.by_neuron(weights, biases, SQUARE),
    )
    point = (HALF, Fraction(1, 7))
    assert graph_pattern_at(others, point) == reference.pattern_at(weights, biases, point)


@many(10, seed=13, kinks=tuple(kink for kink in KINKS if kink != "clip"))
def test_laws_zero_bias(levels, domain):
    """Without biases the regions are cones: as many in the space as in a box around zero."""
    zero, n = without_biases(levels), len(domain.inputs)
    assert patterns(zero, space(n)) == patterns(zero, box([-1] * n, [1] * n))
    assert graph_bounded_unbounded(zero, space(n))[0] == 0


# The generator.


def test_laws_random_graphs_are_the_same_every_time():
    def drawn(seed):
        return random_graph(np.random.default_rng(seed), 2, degenerate=True)

    assert [drawn(seed) for seed in range(9)] == [drawn(seed) for seed in range(9)]
    assert drawn(0) != drawn(1)


@pytest.mark.parametrize("degenerate", [False, True])
def test_laws_random_graphs_have_every_structure(degenerate):
    """Of 200 networks some have each kink, each way of taking from below, and each degeneracy; few are trivial."""
    seen, trivial, counted = set(), 0, 200 if LONG else 50
    for seed in range(200):
        levels = random_graph(np.random.default_rng(seed), 2, degenerate=degenerate)
        assert 2 <= len(levels) <= 5
        trivial += seed < counted and graph_count(levels, SQUARE) < 3
        for number, level in enumerate(levels, start=1):
            assert 1 <= len(level.bias) <= 6
            assert all(type(x) is float for x in level.bias)
            seen |= structures(number, level)
    expected = {"relu", "abs", "leaky", "equal slopes", "linear", "clip", "clip by unit", "max of 2", "max of 4"}
    expected |= {"overlap", "below", "skip", "two sources", "three sources", "identity"}
    if degenerate:
        expected |= {"equal units", "opposite units", "equal candidates", "zero row", "dead", "zero biases"}
    assert expected <= seen
    assert trivial < counted / (5 if degenerate else 10)


def structures(number, level):
    seen, kink = set(), level.kink
    units = [
        (*(x for row in rows for x in row), bias)
        for *rows, bias in zip(*level.sources.values(), level.bias, strict=True)
    ]
    if isinstance(kink, Slopes):
        seen |= {{(0, 1): "relu", (-1, 1): "abs", (1, 1): "linear"}.get(pair, "leaky") for pair in kink.pairs}
        seen |= {"equal slopes" for below, above in kink.pairs if below == above != 1}
    elif isinstance(kink, Clip):
        seen.add("clip by unit" if isinstance(kink.low, list) else "clip")
    else:
        seen |= {f"max of {len(group)}" for group in kink.groups}
        seen |= {"overlap" for a, b in pairwise(kink.groups) if set(a) & set(b)}
        seen |= {"equal candidates" for group in kink.groups if len({units[i] for i in group}) < len(group)}
    seen.add({1: "below", 2: "two sources"}.get(len(level.sources), "three sources"))
    seen |= {"skip"} if number - 1 not in level.sources else set()
    for matrix in level.sources.values():
        if len(level.sources) > 1 and len(matrix) > 1 and matrix == np.eye(*np.shape(matrix)).tolist():
            seen.add("identity")
    seen |= {"equal units"} if len(set(units)) < len(units) else set()
    seen |= {"opposite units" for unit in units if any(unit) and tuple(-x for x in unit) in units}
    seen |= {"zero row" for unit in units if not any(unit[:-1])}
    seen |= {"dead"} if min(level.bias) <= -1000 else set()
    seen |= {"zero biases"} if not any(level.bias) else set()
    return seen


@pytest.mark.parametrize("n_in", [1, 2, 3, 4])
def test_laws_random_domains(n_in):
    """The same every time, of n_in inputs, and bounded unless they are a line, a plane or a space."""
    for kind in DOMAINS[n_in]:
        for seed in range(10):
            place = random_domain(np.random.default_rng(seed), n_in, kind)
            assert place == random_domain(np.random.default_rng(seed), n_in, kind)
            assert len(place.specification.inputs) == n_in
            assert bool(place.specification.cone.lines) == (kind in ("line", "plane slice", "space"))
    with pytest.raises(ValueError, match="unknown kind of domain 'ball'"):
        random_domain(np.random.default_rng(0), n_in, "ball")


# Bad input.


@pytest.mark.parametrize(
    "level",
    [
        Level({0: [[1, 2, 3]]}, [0], relu(1)),
        Level({0: [[1, 2]]}, [0, 1], relu(1)),
        Level({0: [[1, 2]]}, [0], relu(2)),
        Level({0: [[1, 2]]}, [0], Clip([0, 0], [1, 1])),
    ],
)
def test_bad_input_shapes(level):
    with pytest.raises(ValueError, match="zip"):
        graph_count([level], SQUARE)


def test_bad_input_no_cones_of_a_clip():
    with pytest.raises(ValueError, match="not positively homogeneous"):
        without_biases([Level({0: [[1]]}, [0], Clip(0, 1))])
