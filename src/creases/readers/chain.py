"""A chain of affine pieces and ReLUs, as a file tells it, made into the layers of a `Network`.

Decides what is folded into what. Everything that stands between two ReLUs is one affine map; where that is
a single Linear its numbers are copied as they are. Where it is more (a BatchNorm, a shift of the inputs, two
Linears in a row) the product is worked out in rational numbers, from the float64 values of the stored ones,
and each entry is rounded once to the nearest float64. A sign that is proved for the rounded numbers need not be that
of the file's own: hyperplanes that meet in one point there may form a small polygon here. So `network.notes` says that
what is certified is the folded network, or that nothing was rounded, where nothing was. A BatchNorm's square root is
irrational as a rule: a rational within a factor 1 +- 2**-255 of it stands in for it, 2**200 times finer than
float64, so that only a value that near to a tie could round the other way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.errors import NetworkError
from creases.network import Network, Normalisation

__all__ = ["Chain", "rationals"]

Floats = NDArray[np.float64]
Rationals = tuple[Fraction, ...]

ROOT_BITS = 256


@dataclass(frozen=True, eq=False)
class Matrix:
    """x -> weight @ x + bias; float64, shapes (n_out, n_in) and (n_out,)."""

    name: str
    weight: Floats
    bias: Floats


@dataclass(frozen=True, eq=False)
class Diagonal:
    """x -> scale * x + shift, entry by entry; `rooted` if a square root was replaced by a rational."""

    name: str
    scale: Rationals
    shift: Rationals
    rooted: bool = False


LinearPart = list[Matrix | Diagonal]


class Chain:
    """Takes the pieces of a network in the order in which they act; `network()` gives the result.

    source : what is read ("net.onnx"); it opens every message.
    Each piece's `name` says what and where it is ("Gemm node 'fc1'"); it goes into errors and notes.
    Every method raises NetworkError where shapes do not follow or a number is not finite.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.segments: list[LinearPart] = [[]]
        self.notes: list[str] = []
        self.width: int | None = None  # of what flows after the last piece; None before the first
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
        self.segments[-1].append(Matrix(name, weights, biases))
        self.width = n_out

    def shift(self, name: str, values: ArrayLike) -> None:
        """Add a constant of shape (n,): into a bias of zeros as it is, else exactly, rounded at the end."""
        shifts = self._finite(name, values)
        self._follow(name, shifts.size)
        segment = self.segments[-1]
        if not shifts.any():
            return
        if segment and isinstance(before := segment[-1], Matrix) and not before.bias.any():
            segment[-1] = Matrix(before.name, before.weight, shifts)
            return
        segment.append(Diagonal(name, (Fraction(1),) * shifts.size, rationals(shifts)))

    def scale(self, name: str, scale: Sequence[Fraction], shift: Sequence[Fraction], rooted: bool = False) -> None:
        """Entry by entry x -> scale * x + shift, both of length n."""
        self._follow(name, len(scale))
        self.segments[-1].append(Diagonal(name, tuple(scale), tuple(shift), rooted))

    def batch_norm(
        self, name: str, mean: ArrayLike, variance: ArrayLike, gamma: ArrayLike, beta: ArrayLike, eps: float
    ) -> None:
        """A batch normalisation as it acts in evaluation; four arrays of shape (n,)."""
        named = {"running_mean": mean, "running_var": variance, "weight": gamma, "bias": beta}
        arrays = {what: self._finite(f"{name}: {what}", values) for what, values in named.items()}
        shapes = {array.shape for array in arrays.values()}
        if len(shapes) != 1 or arrays["running_mean"].ndim != 1:
            listed = ", ".join(f"{what} {array.shape}" for what, array in arrays.items())
            raise NetworkError(f"{self.source}: {name} needs four arrays of one shape (n,), got {listed}.")
        if (arrays["running_var"] < 0).any() or not 0 <= eps < float("inf"):
            raise NetworkError(f"{self.source}: {name} has a negative variance or eps; neither can be.")
        scales, shifts, rooted = [], [], False
        for m, v, g, b in zip(*(rationals(array) for array in arrays.values()), strict=True):
            if v + Fraction(eps) == 0:
                raise NetworkError(f"{self.source}: {name} has a variance of zero and eps 0; it divides by zero.")
            deviation = root(v + Fraction(eps))
            rooted = rooted or deviation**2 != v + Fraction(eps)
            scales.append(g / deviation)
            shifts.append(b - m * scales[-1])
        self.scale(name, scales, shifts, rooted)

    @property
    def is_affine(self) -> bool:
        """Whether there are layers and no ReLU so far."""
        return self.n_in is not None and len(self.segments) == 1

    def relu(self) -> None:
        """A ReLU on all that flows."""
        self.segments.append([])

    def network(
        self, *, input_shape: Sequence[int] | None = None, normalisation: Normalisation | None = None
    ) -> Network:
        """The network of all pieces so far; what follows the last ReLU is its output layer, if anything does.

        Raises NetworkError if there is no affine piece, no ReLU, or a folded number leaves float64's range.
        """
        if self.n_in is None:
            raise NetworkError(f"{self.source} is empty: it has no layer with weights.")
        if len(self.segments) == 1:
            raise NetworkError(
                f"{self.source} has no ReLU: it is an affine map, with one activation region and nothing to count."
            )
        *hidden, last = self.segments
        width = self.n_in
        layers: list[tuple[Floats, Floats]] = []
        for number, segment in enumerate(hidden):
            if not segment and number > 0:  # ReLU(ReLU(x)) = ReLU(x)
                self.note("A ReLU that directly follows another changes nothing and is left out.")
                continue
            layers.append(self._fold(segment, f"Hidden layer {len(layers) + 1}", width))
            width = layers[-1][1].size
        if last:
            layers.append(self._fold(last, "The output layer", width, output=True))
        return Network.from_arrays(
            [weight for weight, _ in layers],
            [bias for _, bias in layers],
            output_layer=bool(last),
            input_shape=input_shape,
            normalisation=normalisation,
            notes=self.notes,
        )

    def _finite(self, name: str, values: ArrayLike) -> Floats:
        array = np.asarray(values, dtype=np.float64)
        wrong = ~np.isfinite(array)
        if wrong.any():
            where = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise NetworkError(
                f"{self.source}: {name}{list(where)} is {array[where]}; every number must be finite. The "
                "network may have diverged in training."
            )
        return array

    def _follow(self, name: str, n_in: int) -> None:
        if self.width is None:
            self.width = self.n_in = n_in
        elif self.width != n_in:
            raise NetworkError(
                f"{self.source}: {name} takes {n_in} numbers but what stands before it gives {self.width}."
            )

    def _fold(self, segment: LinearPart, label: str, width: int, output: bool = False) -> tuple[Floats, Floats]:
        if len(segment) == 1 and isinstance(only := segment[0], Matrix):
            return only.weight, only.bias
        if not segment:
            self.note("The ReLU on the inputs themselves is hidden layer 1, its weight the identity.")
            return np.eye(width), np.zeros(width)
        try:
            weight, bias, exact = folded(segment)
        except OverflowError:
            raise NetworkError(
                f"{self.source}: {label.lower()}, folded from {listed(segment)}, leaves the range of float64."
            ) from None
        rooted = any(isinstance(piece, Diagonal) and piece.rooted for piece in segment)
        made = f"{label} is {listed(segment)}, made one layer"
        if exact and not rooted:
            self.note(f"{made} exactly: no number was rounded.")
            return weight, bias
        how = f"computed in rationals{f' (square roots to {ROOT_BITS} bits)' if rooted else ''}"
        # The output layer is no part of what is certified.
        meaning = (
            "Certified is the network with these folded weights: what met in one point before need not meet after."
        )
        meaning = "It cuts nothing." if output else meaning
        self.note(f"{made}: {how}, each number rounded once to float64. {meaning}")
        return weight, bias


def listed(segment: LinearPart) -> str:
    """The names of a segment's pieces, first to last."""
    return ", then ".join(piece.name for piece in segment)


def rationals(values: Floats) -> Rationals:
    """The exact values of finite floats."""
    return tuple(Fraction(value) for value in values.ravel().tolist())


def root(value: Fraction) -> Fraction:
    """The square root of a positive rational: exact if rational, else within a factor 1 +- 2**-255."""
    top, bottom = isqrt(value.numerator), isqrt(value.denominator)
    if top * top == value.numerator and bottom * bottom == value.denominator:
        return Fraction(top, bottom)
    # value * 4**bits must have 2 * ROOT_BITS bits, so that its integer root has ROOT_BITS.
    missing = ROOT_BITS - (value.numerator.bit_length() - value.denominator.bit_length()) // 2 + 1
    bits = max(missing, 0)
    return Fraction(isqrt((value.numerator << 2 * bits) // value.denominator), 1 << bits)


def folded(segment: LinearPart) -> tuple[Floats, Floats, bool]:
    """The product of a segment's pieces, rounded once; float64 of shapes (n_out, n_in) and (n_out,).

    Third comes whether every number is the product itself, which float64 happened to hold.
    Rows are rationals one at a time where only one Matrix is in it: rationals take ten times a float's memory.
    Raises OverflowError if an entry is too large for float64.
    """
    from flint import fmpq, fmpq_mat

    rows: Iterable[list[Any]] | None = None  # no Matrix yet: the map is diagonal
    scale: list[Any] = []
    shift: list[Any] = []
    for piece in segment:
        if isinstance(piece, Matrix):
            moved = [fmpq(0)] * len(piece.bias)
            if shift:
                column = fmpq_mat([[entry] for entry in shift])
                moved = [(fmpq_mat([row]) * column)[0, 0] for row in exact_rows(piece.weight)]
            shift = [m + fmpq(*b.as_integer_ratio()) for m, b in zip(moved, piece.bias.tolist(), strict=True)]
            if rows is not None:
                rows = (fmpq_mat(list(exact_rows(piece.weight))) * fmpq_mat(list(rows))).tolist()
            else:
                rows = by_columns(exact_rows(piece.weight), scale)
            continue
        factors, terms = ([fmpq(v.numerator, v.denominator) for v in values] for values in (piece.scale, piece.shift))
        if rows is not None:
            rows = by_rows(rows, factors)
        else:
            scale = [f * s for f, s in zip(factors, scale, strict=True)] if scale else factors
        shift = [f * s + t for f, s, t in zip(factors, shift, terms, strict=True)] if shift else terms
    bias, exact = rounded(shift)
    if rows is None:
        diagonal, held = rounded(scale)
        return np.diag(diagonal), bias, exact and held
    weight = []
    for row in rows:
        values, held = rounded(row)
        weight.append(values)
        exact = exact and held
    return np.array(weight), bias, exact


def exact_rows(weight: Floats) -> Iterator[list[Any]]:
    """The rows of a matrix of floats, as flint rationals."""
    from flint import fmpq

    for row in weight:
        yield [fmpq(*value.as_integer_ratio()) for value in row.tolist()]


def by_columns(rows: Iterable[list[Any]], factors: list[Any]) -> Iterator[list[Any]]:
    """Each column times its factor; no factors mean ones."""
    for row in rows:
        yield [entry * f for entry, f in zip(row, factors, strict=True)] if factors else row


def by_rows(rows: Iterable[list[Any]], factors: list[Any]) -> Iterator[list[Any]]:
    """Each row times its factor."""
    for row, factor in zip(rows, factors, strict=True):
        yield [factor * entry for entry in row]


def rounded(entries: Iterable[Any]) -> tuple[Floats, bool]:
    """The float64s nearest to flint rationals, and whether each is equal to its own."""
    values, exact = [], True
    for entry in entries:
        top, bottom = int(entry.p), int(entry.q)
        value = top / bottom  # Python divides integers with one correct rounding
        exact = exact and value.as_integer_ratio() == (top, bottom)  # flint's fractions are in lowest terms too
        values.append(value)
    return np.array(values), exact
