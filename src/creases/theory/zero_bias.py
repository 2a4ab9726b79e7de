"""The regions of a network without biases, and the regions of the network with biases to which they correspond.

Far from the origin, a pre-activation has the sign of its linear part, or, if that vanishes, of its constant. So each
region of the zero-bias network, an open cone, corresponds to one region of the network with biases: one that contains
an open cone of directions, which means that its recession cone has full dimension. Hence #regions(zero bias) <=
#regions for every network (Hanin and Rolnick 2019, appendix D, give such a map for the mean; this one holds for any
biases, including ties).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from creases.complex import Complex
from creases.domain import Directions, Space
from creases.domain.cone import dot, extreme_rays
from creases.errors import NetworkError
from creases.network import Network
from creases.rationals import independent
from creases.subdivision import subdivide
from creases.theory.arguments import as_chain

__all__ = ["Pair", "has_full_recession_cone", "unbounded_cones", "zero_bias_map"]

Bools = NDArray[np.bool_]

CHAINS_ONLY = (
    "the map is proved for neurons that are off or hand on what they get, layer upon layer.",
    "For a graph compare counts: count(network.without_biases(), Directions(n_in)) and count(network, Space(n_in)).",
)
Pattern = tuple[Bools, ...]  # one array per layer


class Pair(NamedTuple):
    """The patterns of a region of the network without biases and of the corresponding region of the network."""

    zero_bias: Pattern
    biased: Pattern


def zero_bias_map(network: Network, *, threads: int | None = None) -> list[Pair]:
    """The injective map from the regions of `network.without_biases()` to those of `network`, in exact arithmetic.

    network : a chain of dense layers with ReLU, of at most nine inputs. threads : as for `count`.
    Returns a list of `Pair`, one for each region of `count(network, Directions(n_in))`; no region of the network occurs
    twice.
    Raises NetworkError if the network is a graph, DomainError if it has more inputs, ComputationError as `subdivide`
    does.

    Examples
    --------
    >>> two_steps = Network.from_arrays([[[1.0], [1.0]]], [[0.0, -1.0]], output_layer=False)
    >>> [[layer.tolist() for layer in pair.biased] for pair in zero_bias_map(two_steps)]
    [[[False, False]], [[True, True]]]
    """
    layers = exact_layers(network, "zero_bias_map")
    cones = subdivide(network.without_biases(), Directions(network.n_in), threads=threads, progress=False)
    pairs = []
    for index in range(len(cones)):
        zero_bias = tuple(cones.pattern(index))
        pairs.append(Pair(zero_bias, far_out(layers, zero_bias)))
    return pairs


def unbounded_cones(network: Network, *, threads: int | None = None) -> list[Pattern]:
    """Patterns of the regions of `network` on all of its input space whose recession cone has full dimension.

    These are the images of `zero_bias_map`. Arguments and errors as there, but for at most eight inputs.
    """
    as_chain(network, "unbounded_cones", *CHAINS_ONLY)
    found = subdivide(network, Space(network.n_in), threads=threads, progress=False)
    patterns = (tuple(pattern) for pattern in patterns_of(found))
    return [pattern for pattern in patterns if has_full_recession_cone(network, pattern)]


def patterns_of(found: Complex) -> Iterator[list[Bools]]:
    """The patterns of all regions."""
    return (found.pattern(index) for index in range(len(found)))


def has_full_recession_cone(network: Network, pattern: Sequence[Bools]) -> bool:
    """Whether the recession cone of a region, given by its pattern, has full dimension; decided in integer arithmetic.

    That is, whether there is a direction in which the linear part of every pre-activation, unless it is zero, has the
    sign of the pattern.
    pattern : one bool array per layer. Raises NetworkError if the network is a graph, or the pattern does not fit its
        widths.
    """
    layers = exact_layers(network, "has_full_recession_cone")
    if [len(active) for active in pattern] != list(network.widths):
        raise NetworkError(f"The pattern must have one bool array a layer, of {list(network.widths)} neurons.")
    forms = []
    for active, row in signed_forms(layers, pattern):
        if any(row[:-1]):
            forms.append(tuple(value if active else -value for value in row[:-1]))
    if not forms:
        return True
    # Directions along which all forms are constant have no effect, so axes on which the forms have full rank suffice.
    axes = independent(list(zip(*forms, strict=True)))
    seen = [tuple(form[axis] for axis in axes) for form in forms]
    rays = extreme_rays(seen)
    if not rays:
        return False
    middle = tuple(map(sum, zip(*(ray.vector for ray in rays), strict=True)))
    return all(dot(form, middle) > 0 for form in seen)


class Exact(NamedTuple):
    """A layer in integers: weight and bias times 2^scale."""

    weight: NDArray[Any]
    bias: NDArray[Any]
    scale: int

    @classmethod
    def of(cls, weight: NDArray[np.float64], bias: NDArray[np.float64]) -> Exact:
        """The exact layer of float arrays."""
        ratios = [[value.as_integer_ratio() for value in row] for row in [*weight.tolist(), bias.tolist()]]
        scale = max(denominator.bit_length() - 1 for row in ratios for _, denominator in row)
        *rows, last = [[n << (scale - d.bit_length() + 1) for n, d in row] for row in ratios]
        return cls(np.array(rows, object).reshape(weight.shape), np.array(last, object), scale)


def exact_layers(network: Network, what: str) -> list[Exact]:
    """The layers of a chain in integers. Raises NetworkError, with `what` was asked for, for a graph."""
    return [Exact.of(layer.weight, layer.bias) for layer in as_chain(network, what, *CHAINS_ONLY)]


def signed_forms(layers: Sequence[Exact], pattern: Sequence[Bools]) -> Iterator[tuple[bool, list[int]]]:
    """For each neuron, whether it is active and its exact form (linear part, constant) on the pattern, up to a
    factor."""
    values, scale = start_of(layers)
    for layer, active in zip(layers, pattern, strict=True):
        forms, scale = pre_activations(layer, values, scale)
        yield from zip(active.tolist(), forms.tolist(), strict=True)
        values = np.where(active[:, None], forms, 0)


def far_out(layers: Sequence[Exact], zero_bias: Pattern) -> Pattern:
    """The pattern far from the origin in a cone with this pattern of the network without biases."""
    values, scale = start_of(layers)
    pattern = []
    for layer, grows in zip(layers, zero_bias, strict=True):
        forms, scale = pre_activations(layer, values, scale)
        constant = np.array([not any(row[:-1]) for row in forms.tolist()], np.bool_)
        active = np.where(constant, np.array([row[-1] > 0 for row in forms.tolist()], np.bool_), grows)
        values = np.where(active[:, None], forms, 0)
        pattern.append(active)
    return tuple(pattern)


def start_of(layers: Sequence[Exact]) -> tuple[NDArray[Any], int]:
    """The inputs as affine forms of themselves."""
    n = layers[0].weight.shape[1]
    return np.array([[int(i == j) for j in range(n + 1)] for i in range(n)], object), 0


def pre_activations(layer: Exact, values: NDArray[Any], scale: int) -> tuple[NDArray[Any], int]:
    """The forms of a layer from those of the activations below, which are scaled by 2^scale, and their own scale."""
    forms = layer.weight.dot(values)
    forms[:, -1] += layer.bias * (1 << scale)
    return forms, scale + layer.scale
