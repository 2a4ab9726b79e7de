"""A chain of affine maps and kinks, as a file describes it, becomes a `Network` without rounding.

This module decides what one layer is. All affine maps between two kinks are together one affine map. If it is a single
Linear, its numbers are copied. Otherwise (a BatchNorm, a shift of the inputs, two Linears in a row) the product is
computed in rational numbers, and if every number of it is a float64, it is one layer too. If not, each piece becomes a
level of its own with the stored numbers: a rounded product would be another network, with other hyperplanes. One number
cannot always be represented: a BatchNorm's scale, gamma / sqrt(variance + eps), which may not be a float64. The network
then has the nearest float64, and `network.notes` says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.arrays import first_not_finite
from creases.errors import NetworkError
from creases.network import Kink, Network, Normalisation, ReLU
from creases.network import builder as build
from creases.network.builder.exact import batch_norm_numbers
from creases.network.builder.flows import bend

__all__ = ["Chain"]

Floats = NDArray[np.float64]
Layer = tuple[Floats, Floats]
Does = Literal["plus", "times", "over"]


@dataclass(frozen=True, eq=False)
class Matrix:
    """x -> weight @ x + bias; float64, shapes (n_out, n_in) and (n_out,)."""

    name: str
    weight: Floats
    bias: Floats

    @cached_property
    def exact(self) -> Any:
        """The weight in flint's rationals."""
        from flint import fmpq_mat

        return fmpq_mat([list(map(exactly, row)) for row in self.weight.tolist()])


@dataclass(frozen=True, eq=False)
class Each:
    """Each value plus, times or divided by a number of its own, float64 of shape (n,).

    nearest : whether a number was rounded to the nearest float64.
    """

    name: str
    does: Does
    numbers: Floats
    nearest: bool = False


Piece = Matrix | Each


@dataclass(eq=False)
class UpToKink:
    """The affine pieces before a kink, and the kink; None after the last kink."""

    pieces: list[Piece] = field(default_factory=list)
    kink: Kink | None = None


class Chain:
    """Collects the pieces of a network in the order in which they act; `network()` gives the result.

    source : the name of what is read ("net.onnx"); every message begins with it.
    Each piece's `name` says what and where it is ("Gemm node 'fc1'"); errors and notes quote it. Every method raises
    NetworkError if shapes do not fit or a number is not finite.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.segments = [UpToKink()]
        self.notes: list[str] = []
        self.width: int | None = None  # number of values after the last piece; None before the first
        self.n_in: int | None = None

    def note(self, text: str) -> None:
        """Add a sentence to the network's notes, once."""
        if text not in self.notes:
            self.notes.append(text)

    def dense(self, name: str, weight: ArrayLike, bias: ArrayLike | None = None) -> None:
        """A fully connected layer: weight of shape (n_out, n_in); bias (n_out,), or None for zeros."""
        weights = self._finite(f"{name}: weight", weight)
        if weights.ndim != 2 or 0 in weights.shape:
            raise NetworkError(
                f"{self.source}: {name} has a weight of shape {weights.shape}; a dense layer's has two axes, "
                "(n_out, n_in), and at least one number on each."
            )
        n_out, n_in = weights.shape
        biases = self._finite(f"{name}: bias", np.zeros(n_out) if bias is None else bias)
        if biases.shape != (n_out,):
            raise NetworkError(
                f"{self.source}: {name} has a bias of shape {biases.shape} beside a weight of shape "
                f"{weights.shape}; it must be ({n_out},), one number a neuron."
            )
        self._follow(name, n_in)
        self._pieces.append(Matrix(name, weights, biases))
        self.width = n_out

    def shift(self, name: str, values: ArrayLike) -> None:
        """Add a constant of shape (n,)."""
        shifts = self._finite(name, values)
        self._follow(name, shifts.size)
        if not shifts.any():
            return
        if self._pieces and isinstance(before := self._pieces[-1], Matrix) and not before.bias.any():
            self._pieces[-1] = Matrix(before.name, before.weight, shifts)
        else:
            self._each(name, "plus", shifts)

    def multiply(self, name: str, factors: ArrayLike) -> None:
        """Multiply by factors of shape (n,)."""
        self._each(name, "times", factors)

    def divide(self, name: str, numbers: ArrayLike) -> None:
        """Divide by numbers of shape (n,), exactly. Raises NetworkError if one is zero."""
        values = self._finite(name, numbers)
        if not values.all():
            raise NetworkError(f"{self.source}: {name} divides by zero.")
        self._each(name, "over", values)

    def scale(self, name: str, scale: Sequence[Fraction], shift: Sequence[Fraction]) -> None:
        """x -> scale * x + shift for each entry; both have length n. Rationals that are not float64 are rounded, with a
        note."""
        factors, exact = nearest_floats(scale)
        sums, held = nearest_floats(shift)
        if not exact and all(scale):
            numbers, exact = nearest_floats([1 / factor for factor in scale])
            if exact:
                self.divide(name, numbers)
                factors = np.ones(len(factors))
        if not (exact and held):
            self.note(f"{name}: a number that is no float64 is rounded to the nearest one.")
        self._each(name, "times", factors, nearest=not exact)
        self._each(name, "plus", sums, nearest=not held)

    def batch_norm(
        self, name: str, mean: ArrayLike, variance: ArrayLike, gamma: ArrayLike, beta: ArrayLike, eps: float
    ) -> None:
        """A batch normalisation in evaluation mode; the arrays have shape (n,)."""
        named = {"running_mean": mean, "running_var": variance, "weight": gamma, "bias": beta}
        arrays = {what: self._finite(f"{name}: {what}", values) for what, values in named.items()}
        shapes = {array.shape for array in arrays.values()}
        if len(shapes) != 1 or arrays["running_mean"].ndim != 1:
            listed = ", ".join(f"{what} {array.shape}" for what, array in arrays.items())
            raise NetworkError(f"{self.source}: {name} needs four arrays of one shape (n,), got {listed}.")
        means, variances, weights, biases = arrays.values()
        if (variances < 0).any() or not 0 <= eps < float("inf"):
            raise NetworkError(f"{self.source}: {name} has a negative variance or eps; neither can be.")
        if eps == 0 and not variances.all():
            raise NetworkError(f"{self.source}: {name} has a variance of zero and eps 0; it divides by zero.")
        try:
            factors, divisors, exact = batch_norm_numbers(variances, weights, eps)
        except NetworkError as error:
            raise NetworkError(f"{self.source}: {name} has a scale beyond float64.") from error
        self.shift(name, 0.0 - means)
        self._each(name, "over", divisors)
        self._each(name, "times", factors, nearest=not exact)
        self.shift(name, biases)
        if not exact:
            self.note(
                f"{name}: its scale, weight / sqrt(variance + eps), is no float64; the network's is the nearest "
                "one. Nothing else of it is rounded."
            )

    def bend(self, kink: Kink) -> None:
        """Apply a kink to all values."""
        self.segments[-1].kink = kink
        self.segments.append(UpToKink())

    def relu(self) -> None:
        """Apply a ReLU to all values."""
        self.bend(ReLU())

    def network(
        self, *, input_shape: Sequence[int] | None = None, normalisation: Normalisation | None = None
    ) -> Network:
        """The network of all pieces so far; the pieces after the last kink, if any, are its output layer.

        If each segment is exactly one layer and each kink a ReLU, the result is a chain of dense layers, otherwise a
        graph. Without a kink it is one affine map. Raises NetworkError if there is no affine piece.
        """
        if self.n_in is None:
            raise NetworkError(f"{self.source} is empty: it has no layer with weights.")
        segments = self._segments()
        layers = [self._layer(segment, number) for number, segment in enumerate(segments)]
        *hidden, last = segments
        parts = layers if last.pieces else layers[:-1]
        if hidden and None not in parts and all(isinstance(segment.kink, ReLU) for segment in hidden):
            chain = [layer for layer in parts if layer is not None]
            network = Network.from_arrays(
                [weight for weight, _ in chain],
                [bias for _, bias in chain],
                output_layer=bool(last.pieces),
                normalisation=normalisation,
                notes=self.notes,
            )
        else:
            network = self._graph(segments, layers, normalisation)
        return network if input_shape is None else replace(network, input_shape=tuple(input_shape))

    @property
    def _pieces(self) -> list[Piece]:
        return self.segments[-1].pieces

    def _each(self, name: str, does: Does, values: ArrayLike, nearest: bool = False) -> None:
        numbers = self._finite(name, values)
        self._follow(name, numbers.size)
        if (numbers != (0.0 if does == "plus" else 1.0)).any():
            self._pieces.append(Each(name, does, numbers, nearest))

    def _finite(self, name: str, values: ArrayLike) -> Floats:
        array = np.asarray(values, dtype=np.float64)
        if wrong := first_not_finite(array, f"{self.source}: {name}"):
            raise NetworkError(f"{wrong}; every number must be finite. The network may have diverged in training.")
        return array

    def _follow(self, name: str, n_in: int) -> None:
        if self.width is None:
            self.width = self.n_in = n_in
        elif self.width != n_in:
            raise NetworkError(
                f"{self.source}: {name} takes {n_in} numbers but what stands before it gives {self.width}."
            )

    def _segments(self) -> list[UpToKink]:
        """The segments, without ReLUs that directly follow another one: ReLU(ReLU(x)) = ReLU(x)."""
        kept = self.segments[:1]
        for segment in self.segments[1:]:
            if not segment.pieces and isinstance(segment.kink, ReLU) and isinstance(kept[-1].kink, ReLU):
                self.note("A ReLU that directly follows another changes nothing and is left out.")
            else:
                kept.append(segment)
        return kept

    def _layer(self, segment: UpToKink, number: int) -> Layer | None:
        """A segment, counted from 0, as one layer, or None if it is not exactly one layer."""
        pieces = segment.pieces
        if len(pieces) == 1 and isinstance(only := pieces[0], Matrix):
            return only.weight, only.bias
        if pieces:
            layer = folded(pieces)
            if layer is not None:
                label = f"Hidden layer {number + 1}" if segment.kink else "The output layer"
                self.note(f"{label} is {listed(pieces)}, made one layer exactly: no number was rounded.")
            return layer
        if number == 0 and isinstance(segment.kink, ReLU):
            assert self.n_in is not None
            self.note("The ReLU on the inputs themselves is hidden layer 1, its weight the identity.")
            return np.eye(self.n_in), np.zeros(self.n_in)
        return None

    def _graph(
        self, segments: Sequence[UpToKink], layers: Sequence[Layer | None], normalisation: Normalisation | None
    ) -> Network:
        """The network as a graph, with one level for each piece of the segments that are not layers."""
        assert self.n_in is not None
        flow = build.input(self.n_in)
        for segment, layer in zip(segments, layers, strict=True):
            for piece in segment.pieces if layer is None else [Matrix("", *layer)]:
                if isinstance(piece, Matrix):
                    flow = build.dense(flow, piece.weight, piece.bias)
                else:
                    act = {"plus": build.shift, "times": build.scale, "over": build.divide}[piece.does]
                    flow = act(flow, piece.numbers)
            if segment.kink is not None:
                flow = bend(flow, segment.kink, flow.shape)
        return build.network(flow, normalisation=normalisation, notes=self.notes)


def listed(pieces: Sequence[Piece]) -> str:
    """The names of a segment's pieces, first to last."""
    return ", then ".join(dict.fromkeys(piece.name for piece in pieces))


def nearest_floats(values: Sequence[Fraction]) -> tuple[Floats, bool]:
    """The float64s nearest to rationals, and whether all of them are equal; infinite beyond float64's range."""
    floats = []
    for value in values:
        try:
            floats.append(float(value))
        except OverflowError:
            floats.append(float("inf"))
    return np.array(floats), all(x != float("inf") and Fraction(x) == y for x, y in zip(floats, values, strict=True))


def folded(pieces: Sequence[Piece]) -> Layer | None:
    """The product of a segment's pieces, float64 of shapes (n_out, n_in) and (n_out,); None if a number is not a
    float64.

    The product is computed row by row and stops at the first number that is not a float64, which in most products is
    near the beginning.
    """
    if any(isinstance(piece, Each) and piece.nearest for piece in pieces):
        return None
    last = pieces[-1]
    rows, biases = [], []
    for unit in range(len(last.bias if isinstance(last, Matrix) else last.numbers)):
        row, bias = exact_row(pieces, unit)
        floats = [as_float(value) for value in (*row, bias)]
        if None in floats:
            return None
        *weights, last_float = floats
        rows.append(weights)
        biases.append(last_float)
    return np.array(rows, dtype=np.float64), np.array(biases, dtype=np.float64)


def exact_row(pieces: Sequence[Piece], unit: int) -> tuple[list[Any], Any]:
    """One row of the product of pieces and its bias, as flint rationals, computed from the last piece to the first."""
    from flint import fmpq, fmpq_mat

    factor, bias = fmpq(1), fmpq(0)
    row: list[Any] | None = None  # None before the first Matrix: the row is `factor` times the unit's value
    for piece in reversed(pieces):
        if isinstance(piece, Matrix):
            if row is None:
                bias += factor * exactly(piece.bias[unit])
                row = [factor * exactly(value) for value in piece.weight[unit].tolist()]
            else:
                bias += dot(row, piece.bias)
                row = (fmpq_mat([row]) * piece.exact).tolist()[0]
        elif piece.does == "plus":
            bias += dot(row, piece.numbers) if row is not None else factor * exactly(piece.numbers[unit])
        elif row is None:
            number = exactly(piece.numbers[unit])
            factor = factor * number if piece.does == "times" else factor / number
        else:
            numbers = map(exactly, piece.numbers.tolist())
            times = piece.does == "times"
            row = [x * y if times else x / y for x, y in zip(row, numbers, strict=True)]
    if row is None:
        n = len(pieces[-1].numbers)  # type: ignore[union-attr]  # none of them is a Matrix
        row = [factor if i == unit else fmpq(0) for i in range(n)]
    return row, bias


def exactly(value: float) -> Any:
    """A float as a flint rational."""
    from flint import fmpq

    return fmpq(*float(value).as_integer_ratio())


def dot(row: Sequence[Any], values: Floats) -> Any:
    """The dot product as a flint rational."""
    from flint import fmpq

    return sum((x * exactly(y) for x, y in zip(row, values.tolist(), strict=True) if y), fmpq(0))


def as_float(value: Any) -> float | None:
    """The float64 equal to a flint rational, or None if there is none."""
    top, bottom = int(value.p), int(value.q)
    try:
        near = top / bottom  # Python divides integers with one correct rounding
    except OverflowError:
        return None
    return near if near.as_integer_ratio() == (top, bottom) else None  # flint's fractions are in lowest terms too
