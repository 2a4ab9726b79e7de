"""Pre-activations of a network and their gradients in floats, level by level: at points, or on given patterns.

Derivatives are propagated upwards with the values, along orthonormal directions of input space: all of them, those that
the levels above the input take (every gradient is a combination of these), or those of a slice. A level's operators act
on derivatives as they act on values; a kink multiplies derivatives by its slope, and a switch passes on those of its
winner.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.arrays import as_floats
from creases.domain.lengths import directions_of
from creases.domain.slice import Slice
from creases.errors import NetworkError
from creases.network import Clip, Level, Linear, Max, Network
from creases.network.evaluation import last_uses
from creases.network.kinks.slopes import TwoSlopes
from creases.rationals import independent, whole

__all__ = ["Forms", "Walk", "all_directions", "bent", "directions_along", "unpacked"]

Floats = NDArray[np.float64]
Patterns = list[NDArray[Any]]  # one array a layer, (p, neurons) or (p, switches)

# The largest number of derivatives of one level in memory at a time.
AT_A_TIME = 10_000_000

# The error of a sum of n products is below SLACK * (n + 4) times their absolute sum, in any order: gamma_(n + 2) of
# Higham, with a margin for the rounding of the bound itself (n < 2^40).
SLACK = 2.0**-52
# Squares of lengths beyond these would underflow or overflow.
SHORTEST, LONGEST = 1e-140, 1e140


class Forms(NamedTuple):
    """The units of one layer at p points, or on p patterns.

    z : (p, n), the pre-activations; None on patterns. gradients : (p, k, n), along k directions. lengths : (p, n),
        their Euclidean lengths. errors : (p, n), bounds on the length of the rounding error of each gradient.
    pattern : (p, neurons) or (p, switches). If the gradients are the same at all p points, gradients, lengths and
        errors may have p = 1.
    """

    level: Level
    z: Floats | None
    gradients: Floats
    lengths: Floats
    errors: Floats
    pattern: NDArray[Any]

    def neuron_lengths(self) -> Floats:
        """Lengths of shape (p or 1, neurons or switches): one per neuron, two per clip; for a switch the largest of its
        candidates."""
        kink = self.level.kink
        if isinstance(kink, Max):
            return np.asarray(np.maximum.reduceat(self.lengths[:, kink.units], kink.starts, axis=1))
        if isinstance(kink, Clip):
            return np.concatenate([self.lengths, self.lengths], axis=1)
        return self.lengths[:, bent(self.level)]

    def walls(self) -> Iterator[tuple[Floats, Floats, Floats]]:
        """The constraints of a region: heights (p, w), gradients (p or 1, k, w) and their lengths (p or 1, w).

        A wall is where a height vanishes: z of a neuron, z - low and z - high of a clip, and for a switch the
        difference between its winner and each other candidate. A height without a gradient is not a wall; its length is
        0.
        """
        assert self.z is not None
        kink = self.level.kink
        if isinstance(kink, Clip):
            for bound in kink.bounds(self.level.n_units):
                yield self.z - bound, self.gradients, self.lengths
        elif isinstance(kink, Max):
            winners = np.repeat(kink.units[kink.starts + self.pattern], kink.sizes, axis=1)
            heights = np.take_along_axis(self.z, winners, 1) - self.z[:, kink.units]
            steps = chosen(self.gradients, winners) - self.gradients[:, :, kink.units]
            errors = np.take_along_axis(self.errors, winners, 1) + self.errors[:, kink.units]
            added = np.take_along_axis(self.lengths, winners, 1) + self.lengths[:, kink.units]
            yield heights, *without_rounding(steps, errors + SLACK * added)
        elif (places := bent(self.level)).size == self.level.n_units:
            yield self.z, self.gradients, self.lengths
        else:
            yield self.z[:, places], self.gradients[:, :, places], self.lengths[:, places]


class Walk:
    """Evaluates the levels of a network from the input up to the last layer.

    directions : float64 (k, n_in), orthonormal rows.
    """

    def __init__(self, network: Network, directions: Floats) -> None:
        self.levels = levels_with_walls(network)
        self.directions = directions
        self._magnitudes = [
            {source: abs(operator.matrix) for source, operator in level.sources.items()} for level in self.levels
        ]
        self._roundings = [SLACK * (4 + sum(map(most_entries, of.values()))) for of in self._magnitudes]
        self._last = last_uses(self.levels)

    @property
    def at_a_time(self) -> int:
        """The number of points that are evaluated together."""
        sizes = [max(len(kink.units) if isinstance(kink, Max) else 0, n) for kink, n in map(kink_of, self.levels)]
        return max(1, AT_A_TIME // (len(self.directions) * max(sizes, default=1)))

    def at(self, points: Floats) -> Iterator[Forms]:
        """Each layer at points (p, n_in)."""
        return self._up(points, None)

    def on(self, patterns: Sequence[NDArray[Any]]) -> Iterator[Forms]:
        """Each layer on patterns, which are given as one array per layer."""
        return self._up(None, iter(patterns))

    def _up(self, points: Floats | None, patterns: Iterator[NDArray[Any]] | None) -> Iterator[Forms]:
        values: list[Floats | None] = [points]
        slopes: list[Floats | None] = [self.directions[None]]
        # Two rows per pattern: the lengths of the derivatives, and bounds on their rounding errors.
        norms = np.linalg.norm(self.directions, axis=0)
        below: list[Floats | None] = [np.stack([norms, np.zeros_like(norms)])[:, None]]
        for level, magnitudes, rounding, unneeded in zip(
            self.levels, self._magnitudes, self._roundings, self._last, strict=True
        ):
            parts, errors = parts_of(level, magnitudes, below)
            errors = errors + rounding * parts
            gradients, lengths = without_rounding(level.linear(slopes), errors)
            z = level.sums(values) if points is not None else None
            pattern: NDArray[Any] = np.zeros((1, 0), bool)
            if level.is_layer:
                pattern = level.kink.pattern(z) if z is not None else next(patterns)  # type: ignore[arg-type]
                yield Forms(level, z, gradients, lengths, errors, pattern)
            known = np.stack([lengths, errors])
            if not isinstance(level.kink, Linear):
                branch = level.kink.branch(pattern, level.n_units)
                if branch.units is not None:
                    gradients = chosen(gradients, branch.units)
                    known = np.take_along_axis(known, branch.units[None], 2)
                gradients, known = gradients * branch.slopes[..., None, :], known * np.abs(branch.slopes)
                known[1] += SLACK * known[0]
            slopes.append(gradients)
            below.append(known)
            values.append(None if z is None else level.kink.apply(z))
            for source in unneeded:
                values[source], slopes[source], below[source] = None, None, None


def levels_with_walls(network: Network) -> tuple[Level, ...]:
    """The levels up to the last layer."""
    return network.levels[: max(network.layers, default=0)]


def kink_of(level: Level) -> tuple[Any, int]:
    """A level's kink and number of units."""
    return level.kink, level.n_units


def bent(level: Level) -> NDArray[np.int64]:
    """The units of a level with two slopes that are neurons."""
    assert isinstance(level.kink, TwoSlopes)
    return np.flatnonzero(level.kink.bent(level.n_units))


def most_entries(matrix: Any) -> int:
    """The largest number of entries in a row of a matrix."""
    return int(matrix.shape[1] if isinstance(matrix, np.ndarray) else np.diff(matrix.indptr).max(initial=0))


def parts_of(level: Level, magnitudes: dict[int, Any], below: Sequence[Floats | None]) -> Floats:
    """For each unit, the sum of the lengths of the terms of its gradient, and the sum of the bounds on their errors.

    below : (2, p or 1, m) for each source. Returns (2, p or 1, n).
    """
    total: Any = 0.0
    for source, operator in level.sources.items():
        known: Any = below[source]
        part = (magnitudes[source] @ known.reshape(-1, known.shape[2]).T).T.reshape(2, known.shape[1], -1)
        total = total + (part if operator.divisors is None else part / operator.divisors)
    return np.asarray(total)


def chosen(gradients: Floats, units: NDArray[np.int64]) -> Floats:
    """The gradients (p or 1, k, n) of some units (p, m): shape (p, k, m)."""
    return np.asarray(np.take_along_axis(gradients, units[:, None, :], 2))


def without_rounding(gradients: Floats, errors: Floats) -> tuple[Floats, Floats]:
    """Gradients (p, k, n) and their lengths (p, n), set to zero where they may be rounding errors only.

    A unit whose terms cancel has no boundary; a rounding error as its gradient would create one, at distance 0.
    errors : (p, n), at least the length of the rounding error. It is infinite where a bound exceeds float64 and so says
        nothing; then the gradient is kept.
    """
    lengths = lengths_of(gradients)
    nothing = (lengths <= errors) & (lengths > 0) & np.isfinite(errors)
    if nothing.any():
        gradients, lengths = np.where(nothing[:, None, :], 0.0, gradients), np.where(nothing, 0.0, lengths)
    return gradients, lengths


def lengths_of(gradients: Floats) -> Floats:
    """The Euclidean lengths (p, n) of gradients (p, k, n), scaled first if their squares would underflow or
    overflow."""
    with np.errstate(over="ignore", under="ignore"):
        lengths = np.sqrt(np.einsum("pkn,pkn->pn", gradients, gradients))
    if ((lengths < SHORTEST) | (lengths > LONGEST)).any():
        largest = np.abs(gradients).max(axis=1)
        scales = np.where(largest > 0, largest, 1.0)
        scaled = gradients / scales[:, None, :]
        lengths = scales * np.sqrt(np.einsum("pkn,pkn->pn", scaled, scaled))
    return np.asarray(lengths)


def all_directions(network: Network, *, euclidean: bool) -> Floats:
    """Directions (k, n_in) whose derivatives determine the gradients; for Euclidean lengths as few as possible.

    Gradients are combinations of the rows of the levels above the input. If there are fewer rows than inputs, Euclidean
    lengths can be computed in an orthonormal basis of their span, with k numbers per gradient instead of n_in.
    """
    first = [level.sources[0] for level in levels_with_walls(network) if 0 in level.sources]
    if not euclidean or sum(operator.n_out for operator in first) >= network.n_in:
        return np.eye(network.n_in)
    rows = [matrix if isinstance(matrix, np.ndarray) else matrix.toarray() for matrix in (o.matrix for o in first)]
    if not rows:
        return np.zeros((1, network.n_in))
    return np.ascontiguousarray(np.linalg.qr(np.concatenate(rows).T)[0].T)


def directions_along(network: Network, along: ArrayLike) -> Floats:
    """An orthonormal basis (k, n_in) of the span of the rows `along` (d, n_in); a single zero row if all of them are
    zero."""
    rows = as_floats(along, "along", NetworkError)
    if rows.ndim != 2 or rows.shape[1] != network.n_in or not np.isfinite(rows).all():
        raise NetworkError(f"along must hold finite directions, shape (d, {network.n_in}); got shape {rows.shape}.")
    own = independent([whole(row) for row in rows.tolist()])
    if not own:
        return np.zeros((1, network.n_in))
    return directions_of(Slice(np.zeros(network.n_in), rows[own], np.zeros((len(own), network.n_in))))


def unpacked(network: Network, packed: NDArray[np.uint8]) -> Patterns:
    """Patterns of regions, (p, bytes) with the bits of `Network.packed_pattern`, as one array per layer."""
    kinks = [network.levels[number - 1].kink for number in network.layers]
    ends = np.cumsum([int(places.sum()) for places in network.places], dtype=np.int64)
    bits = np.unpackbits(packed, axis=1, count=network.bits, bitorder="little").astype(bool)
    return [kink.of_bits(part) for kink, part in zip(kinks, np.split(bits, ends[:-1], axis=1), strict=False)]
