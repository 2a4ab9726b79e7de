"""Small networks for the tests: generic ones, and every way of being degenerate that we know of.

A network is (weights, biases) of HIDDEN layers only, nested lists of floats, small enough for the rationals
of `reference.py`: a few milliseconds each. A kind is a function of (rng, n_in): `table` cycles over them and
`networks` draws from them. The degenerate ones are made around the box [-1, 1]^n_in: their lines meet its
corners and walls.
"""

from itertools import cycle, islice, pairwise

import numpy as np
from hypothesis import strategies as st

MULTIPLES = (1.0, -1.0, 2.0, -3.0, 0.5)
WIDTHS = ((4,), (6,), (3, 3), (5, 4), (2, 6), (4, 3, 3), (2, 2, 2, 2), (3, 2, 3))
WIDER = (*WIDTHS, (12,), (7, 5), (8, 6), (6, 4, 4))  # where cells are small: one or two inputs


def random_network(widths, seed, bias):
    """The recipe of shared/networks/README.md: weights and biases of all layers, the output layer too."""
    rng = np.random.default_rng(seed)
    layers = [he_layer(rng, n_in, n_out, bias) for n_in, n_out in pairwise(widths)]
    return as_lists(layers)


def he_layer(rng, n_in, n_out, bias):
    weight = rng.standard_normal((n_out, n_in)) * np.sqrt(2 / n_in)
    return weight, rng.standard_normal(n_out) * bias


def as_lists(layers):
    """(weights, biases) as nested lists of Python floats, without a negative zero."""
    weights = [(np.asarray(weight, dtype=np.float64) + 0.0).tolist() for weight, _ in layers]
    biases = [(np.asarray(bias, dtype=np.float64) + 0.0).tolist() for _, bias in layers]
    return weights, biases


def some_widths(rng, n_in):
    known = WIDER if n_in <= 2 else WIDTHS
    return known[rng.integers(len(known))]


def he(rng, n_in, widths=None, bias=None):
    widths = widths or some_widths(rng, n_in)
    bias = rng.choice([0.1, 1.0]) if bias is None else bias
    return [he_layer(rng, m, n, bias) for m, n in pairwise((n_in, *widths))]


def whole(rng, n_in, widths=None, size=2):
    """Weights and biases from -size to size."""
    widths = widths or some_widths(rng, n_in)
    return [
        (rng.integers(-size, size + 1, (n, m)).astype(float), rng.integers(-size, size + 1, n).astype(float))
        for m, n in pairwise((n_in, *widths))
    ]


def through(rng, points, count, size=2):
    """`count` whole-numbered rows, each vanishing exactly at one of the dyadic points."""
    points = np.array(points, dtype=float)
    weight = rng.integers(-size, size + 1, (count, points.shape[1])).astype(float)
    return weight, -np.sum(weight * points[rng.integers(len(points), size=count)], axis=1)


# Kinds: the name of each function is the name in the table.


def generic(rng, n_in):
    return he(rng, n_in)


def small_integers(rng, n_in):
    return whole(rng, n_in)


def signs(rng, n_in):
    return whole(rng, n_in, size=1)


def duplicates(rng, n_in):
    """Rows that are exact multiples of others, in every layer: one line, cut once."""
    layers = whole(rng, n_in, widths=((2, 2), (3,), (3, 2), (2, 2, 1))[rng.integers(4)], size=4)
    result = []
    for weight, bias in layers:
        if result:  # take the doubled layer below, its copies with weights of their own
            weight = np.hstack([weight, rng.integers(-1, 2, (len(weight), len(result[-1][1]) - weight.shape[1]))])
        chosen = rng.integers(len(bias), size=2)
        factors = rng.choice(MULTIPLES, size=2)
        result.append((np.vstack([weight, weight[chosen] * factors[:, None]]), np.append(bias, bias[chosen] * factors)))
    return result


def duplicates_across_layers(rng, n_in):
    """z = relu(z) - relu(-z): a second and a third layer whose lines are those of the first."""
    weight, bias = whole(rng, n_in, widths=(2,), size=3)[0]
    first = (np.vstack([weight, -weight]), np.append(bias, -bias))
    copies = np.hstack([np.eye(2), -np.eye(2)])
    second = (
        np.vstack([copies, -2 * copies[:1], np.eye(4)[:1], rng.integers(-1, 2, (1, 4))]),
        [0.0, 0.0, 0.0, 0.0, rng.integers(-1, 2)],
    )
    third = ([[1, 0, -0.5, 0, 0], [0, 1, 0, 0, rng.integers(-1, 2)]], [0.0, rng.integers(-1, 2)])
    return [first, second, third]


def zero_bias(rng, n_in):
    if rng.integers(2):
        return he(rng, n_in, bias=0.0)
    return [(weight, 0 * bias) for weight, bias in whole(rng, n_in)]


def dead_neurons(rng, n_in):
    layers = he(rng, n_in)
    for _, bias in layers:
        bias[rng.random(len(bias)) < 0.4] = -100.0
    return layers


def dead_layer(rng, n_in):
    """Everything above a layer that never fires is constant, and sometimes exactly zero."""
    layers = whole(rng, n_in, widths=((3, 2, 3), (2, 3, 2, 2), (3, 3))[rng.integers(3)])
    dead = rng.integers(1, len(layers))
    weight, bias = layers[dead]
    layers[dead] = (-abs(weight), -abs(bias) * rng.integers(2))
    return layers


def zero_rows(rng, n_in):
    layers = whole(rng, n_in, size=1)
    for weight, _ in layers:
        weight[rng.random(len(weight)) < 0.4] = 0.0
    return layers


def through_corners(rng, n_in):
    corners = 2.0 * np.indices((2,) * n_in).reshape(n_in, -1).T - 1
    return [through(rng, corners, 6), *whole(rng, 6, widths=(3,))]


def through_walls(rng, n_in):
    """Several lines through the same points inside the walls, in two layers."""
    points = rng.integers(-3, 4, (2, n_in)) / 4
    points[[0, 1], rng.integers(n_in, size=2)] = rng.choice([-1.0, 1.0], size=2)
    return [through(rng, points, 6), *whole(rng, 6, widths=(3,), size=1)]


def along_walls(rng, n_in):
    """Lines such as x = 1, again in the layer above."""
    weight, bias = whole(rng, n_in, widths=(5,))[0]
    weight[:3] = np.eye(n_in)[rng.integers(n_in, size=3)] * rng.choice(MULTIPLES, size=(3, 1))
    bias[:3] = abs(weight[:3]).sum(axis=1) * rng.choice([-1, 1], size=3)
    above, constant = whole(rng, 5, widths=(3,), size=1)[0]
    above[0], constant[0] = np.eye(5)[0], 0.0
    return [(weight, bias), (above, constant)]


def concurrent(rng, n_in):
    """All lines of all layers through one point that is not the origin."""
    layers = whole(rng, n_in, widths=((4, 3), (3, 3, 2), (5,))[rng.integers(3)])
    point = rng.integers(-3, 4, (1, n_in)) / 4
    first = through(rng, point, len(layers[0][1]), size=3)
    return [first, *((weight, 0 * bias) for weight, bias in layers[1:])]


def parallel(rng, n_in):
    """First-layer lines in one direction, so that the network is constant along others."""
    direction = rng.integers(-2, 3, n_in).astype(float) if rng.integers(2) else rng.standard_normal(n_in)
    weight = rng.choice(MULTIPLES, size=(4, 1)) * direction
    return [(weight, rng.integers(-2, 3, 4) / 2), *whole(rng, 4, widths=(3, 2))]


def mixed_scales(rng, n_in):
    layers = he(rng, n_in)
    for weight, bias in layers:
        scale = 10.0 ** rng.choice([-8, 0, 8], size=len(bias))
        weight *= scale[:, None]
        bias *= scale
        weight *= 10.0 ** rng.choice([-8, 0, 0, 0, 8], size=weight.shape)
    return layers


def deep(rng, n_in):
    widths = tuple(rng.integers(1, 4, size=rng.integers(6, 13)))
    if rng.integers(3) == 0:
        return whole(rng, n_in, widths=widths)
    # Few narrow networks live to their last layer, and those with more positive weights do.
    return [(weight + 0.3, bias) for weight, bias in he(rng, n_in, widths=widths, bias=0.3)]


def width_one(rng, n_in):
    widths = ((3, 1, 3), (1, 1, 1, 4), (4, 1), (1, 3, 1, 2), (1,))[rng.integers(5)]
    return whole(rng, n_in, widths=widths) if rng.integers(2) else he(rng, n_in, widths=widths)


def sawtooth(rng, n_in):
    """Telgarsky's tent folds a direction in two, layer after layer; then one layer of anything."""
    direction = rng.integers(-1, 2, n_in).astype(float)
    direction[rng.integers(n_in)] = 1.0
    shift = rng.integers(-2, 3) / 4
    layers = [(np.array([direction, direction]), np.array([shift, shift - 0.5]))]
    layers += [([[2.0, -4.0], [2.0, -4.0]], [0.0, -0.5])] * rng.integers(1, 4)
    return [*layers, *whole(rng, 2, widths=(2,))]


def nudged(rng, n_in):
    """A degenerate network, some numbers moved to the next float: three lines nearly through one point."""
    kind = (concurrent, through_corners, duplicates, along_walls, small_integers)[rng.integers(5)]
    layers = [(np.array(weight, dtype=float), np.array(bias, dtype=float)) for weight, bias in kind(rng, n_in)]
    for arrays in layers:
        for array in arrays:
            moved = rng.random(array.shape) < 0.3
            array[moved] = np.nextafter(array, rng.choice([-9.0, 9.0], size=array.shape))[moved]
    return layers


def extreme(rng, n_in):
    """Each layer times 1e-200, 1 or 1e200: products underflow and overflow in float64, no weight does."""
    layers = whole(rng, n_in) if rng.integers(2) else he(rng, n_in)
    return [(weight * scale, bias * scale) for weight, bias in layers for scale in [rng.choice([1e-200, 1.0, 1e200])]]


KINDS = (
    generic,
    small_integers,
    signs,
    duplicates,
    duplicates_across_layers,
    zero_bias,
    dead_neurons,
    dead_layer,
    zero_rows,
    through_corners,
    through_walls,
    along_walls,
    concurrent,
    parallel,
    mixed_scales,
    deep,
    width_one,
    sawtooth,
    nudged,
    extreme,
)


def table(count, seed, n_in=2, kinds=KINDS):
    """`count` networks (name, weights, biases), the same ones for the same arguments."""
    return [
        (f"{kind.__name__}-{n_in}-{seed}-{i}", *as_lists(kind(np.random.default_rng([seed, i, n_in]), n_in)))
        for i, kind in enumerate(islice(cycle(kinds), count))
    ]


def touching(rng, d):
    """A layer of hyperplanes that touch the sphere of radius 5 around zero, or nearly, or pass through points of it;
    and a layer above. Normals of whole length, points of whole coordinates."""
    normals = [[3, 4], [4, -3], [5, 12], [0, 1], [-8, 15]] if d == 2 else [[1, 2, 2], [2, 3, 6], [0, 3, -4], [4, 4, 7]]
    rows = [[normal[i] for i in rng.permutation(d)] for normal in rng.permutation(normals)[: rng.integers(2, 5)]]
    lengths = [round(sum(x * x for x in row) ** 0.5) for row in rows]
    biases = [5.0 * length * int(rng.choice([-1, 1])) for length in lengths]
    points = [[3, 4, 0][:d], [-5, 0, 0][:d]]
    more = rng.integers(-3, 4, (2, d)).tolist()
    rows += more
    biases += [-float(sum(a * x for a, x in zip(row, points[i % 2], strict=True))) for i, row in enumerate(more)]
    biases[0] = float(np.nextafter(biases[0], rng.choice([-99.0, 0.0, 99.0])))
    above_rows = rng.integers(-2, 3, (2, len(rows)))
    return [[[float(x) for x in row] for row in rows], above_rows.astype(float).tolist()], [biases, [0.0, 1.0]]


# Hypothesis.


@st.composite
def integer_networks(draw, n_in=2):
    """Networks of small integers, drawn number by number: they shrink to a readable example."""
    widths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    entry = st.integers(-2, 2).map(float)

    def row(length):
        return st.lists(entry, min_size=length, max_size=length)

    weights = [[draw(row(m)) for _ in range(n)] for m, n in pairwise((n_in, *widths))]
    return weights, [draw(row(n)) for n in widths]


@st.composite
def networks(draw, n_in=2, kinds=KINDS):
    """(weights, biases) of any kind; integer networks first, as failures shrink towards them."""
    if draw(st.booleans()):
        kind = draw(st.sampled_from(kinds))
        seed = draw(st.integers(0, 2**32 - 1))
        return as_lists(kind(np.random.default_rng([seed, n_in]), n_in))
    return draw(integer_networks(n_in))
