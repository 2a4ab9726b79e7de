"""Networks beside and on top of one another: two on one input, their difference, and both signs of outputs.

Nothing is multiplied out or rounded: a difference is one more level of linear units above both.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import block_diag
from scipy.sparse import csr_array, eye_array, vstack

from creases.errors import NetworkError
from creases.network.kinks import Linear, Max, ReLU
from creases.network.levels import Level
from creases.network.network import Network
from creases.network.operators import Dense, Select, Sparse
from creases.network.operators.operator import as_finite

__all__ = ["beside", "combination_of", "difference_of", "signed_difference", "with_signs", "with_two_classes"]


def beside(f: Network, g: Network) -> tuple[list[Level], int, int]:
    """The levels of two networks on one input, and the numbers of their last levels.

    Raises NetworkError if they have different numbers of inputs.
    """
    if f.n_in != g.n_in:
        raise NetworkError(f"{f!r} has {f.n_in} inputs and {g!r} has {g.n_in}: they must have as many.")
    shift = len(f.levels)
    moved = [
        Level(
            {p + shift if p else 0: operator for p, operator in level.sources.items()},
            level.bias,
            level.kink,
            level.name,
        )
        for level in g.levels
    ]
    return [*f.levels, *moved], shift, shift + len(moved)


def difference_of(f: Network, g: Network) -> Network:
    """The network f - g, whose regions are the common refinement of the regions of both.

    Raises NetworkError if they have different numbers of inputs or outputs.
    """
    levels, one, other = beside(f, g)
    if f.n_out != g.n_out:
        raise NetworkError(f"{f!r} has {f.n_out} outputs and {g!r} has {g.n_out}: they must have as many.")
    identity = csr_array(eye_array(f.n_out))
    levels.append(Level({one: Sparse(identity), other: Sparse(-identity)}, None, Linear(), "difference"))
    return Network(tuple(levels), f.input_shape, f.normalisation, (*f.notes, *g.notes))


def with_signs(network: Network, levels: ArrayLike = 0.0) -> Network:
    """The network with one more layer of two neurons for each output: output - level of all outputs, then level -
    output. The last bits of a pattern say which outputs are larger, and which are less. The outputs stay as they are.

    levels : a number, or one for each output.
    Raises NetworkError if a level is not finite.
    """
    n = network.n_out
    values = np.broadcast_to(as_finite(levels, "level"), (n,))
    last, identity = len(network.levels), csr_array(eye_array(n))
    both = Sparse(csr_array(vstack([identity, -identity])))
    signs = Level({last: both}, np.concatenate([-values, values]), ReLU(), "signs")
    outputs = Level({last: Sparse(identity)}, None, Linear(), "outputs")
    return Network((*network.levels, signs, outputs), network.input_shape, network.normalisation, network.notes)


def signed_difference(f: Network, g: Network) -> Network:
    """f - g, with two neurons for each output that have its sign, as `with_signs` adds them; the last bits of a pattern
    say where f is larger, and where g is.

    Two chains of equal depth become one chain: their layers side by side. It computes f - g = relu(f - g) - relu(g -
    f), and a chain is cut faster than a graph.
    Raises NetworkError if they have different numbers of inputs or outputs.
    """
    difference = difference_of(f, g)
    return side_by_side(f, g) or with_signs(difference)


def side_by_side(f: Network, g: Network) -> Network | None:
    """Two chains as one chain with the outputs f - g; None if they are no chains of equal depth with output layers, or
    if the difference of two output biases is not a float."""
    if not (f.is_chain and g.is_chain and f.output and g.output and f.depth == g.depth):
        return None
    bias = f.output.bias - g.output.bias
    pairs = zip(f.output.bias.tolist(), g.output.bias.tolist(), bias.tolist(), strict=True)
    if not np.isfinite(bias).all() or any(Fraction(a) - Fraction(b) != Fraction(c) for a, b, c in pairs):
        return None
    layers = list(zip(f.hidden, g.hidden, strict=True))
    weights = [np.vstack([layer.weight for layer in layers[0]])]
    weights += [block_diag(one.weight, other.weight) for one, other in layers[1:]]
    last, identity = np.hstack([f.output.weight, -g.output.weight]), np.eye(f.n_out)
    weights += [np.vstack([last, -last]), np.hstack([identity, -identity])]
    biases = [np.concatenate([one.bias, other.bias]) for one, other in layers]
    biases += [np.concatenate([bias, -bias]), np.zeros(f.n_out)]
    return Network.from_arrays(
        weights, biases, input_shape=f.input_shape, normalisation=f.normalisation, notes=(*f.notes, *g.notes)
    )


def with_two_classes(f: Network, g: Network) -> Network:
    """Two networks on one input with a switch over the outputs of each: a pattern ends with both classes.

    Raises NetworkError if they have different numbers of inputs.
    """
    levels, one, other = beside(f, g)
    for number, network, name in ((one, f, "argmax"), (other, g, "argmax of the other")):
        n = network.n_out
        levels.append(Level({number: Select.all(n)}, None, Max((tuple(range(n)),)), name))
    return Network(tuple(levels), f.input_shape, f.normalisation, (*f.notes, *g.notes))


def combination_of(network: Network, weights: ArrayLike, offset: float = 0.0) -> Network:
    """The network with one output, weights @ outputs + offset, as one more level of one linear unit.

    weights : (n_out,). Raises NetworkError if they do not fit, or a number is not finite.
    """
    row = as_finite(weights, "weights")
    if row.shape != (network.n_out,):
        raise NetworkError(f"weights must have shape ({network.n_out},), one for each output; got {row.shape}.")
    last = Level({len(network.levels): Dense(row[None])}, np.array([offset], np.float64), Linear(), "combination")
    return Network((*network.levels, last), network.input_shape, network.normalisation, network.notes)
