"""Columns: one number for each cell of a complex, with its name and unit; those that a word stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.errors import DomainError

if TYPE_CHECKING:
    from creases.complex import Complex

__all__ = ["WORDS", "Column", "births", "classes", "column_of", "layers_of_walls"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# What `color_by` takes as a word, beside "pattern", which is no column.
WORDS = ("layer", "gradient", "class", "activity")
KINDS = ("amount", "layer", "class")


@dataclass(frozen=True, eq=False)
class Column:
    """One number for each cell of a complex, to colour it by or to make a histogram of.

    values : shape (cells,), real numbers or truth values; NaN and infinity are allowed and drawn grey.
    label : what they are, to be written beside the colours.
    unit : their unit, "" where they have none.
    kind : "amount" for numbers on a scale; "layer" for whole numbers from 1, in an order, and 0 for none; "class" for
        whole numbers from 0, which only name.
    most : the last layer or class that the scale shows; where it is None, or less, the last that there is.
    Raises DomainError if the values are no such numbers or the kind is none.

    Examples
    --------
    >>> Column([0.5, 0.25], "area", unit="cm²").title
    'area (cm²)'
    """

    values: ArrayLike
    label: str = "value"
    unit: str = ""
    kind: str = "amount"
    most: int | None = None

    def __post_init__(self) -> None:
        try:
            values = np.asarray(self.values)
            if values.dtype.kind not in "fiub":
                raise ValueError
        except ValueError:
            raise DomainError(f"A column holds real numbers, and {self.label!r} does not.") from None
        if self.kind not in KINDS:
            raise DomainError(f"The kind of a column is one of {', '.join(KINDS)}; got {self.kind!r}.")
        if self.kind != "amount" and (values.dtype.kind == "f" or (values.dtype.kind == "i" and (values < 0).any())):
            raise DomainError(
                f"A column of kind {self.kind!r} holds whole numbers, 0 or more, and {self.label!r} does not."
            )
        if values.ndim != 1:
            raise DomainError(f"A column holds one number a cell, got {self.label!r} of shape {values.shape}.")
        kept = values.astype(np.float64 if self.kind == "amount" else np.int64)
        kept.setflags(write=False)
        object.__setattr__(self, "values", kept)

    @property
    def numbers(self) -> NDArray[np.generic]:
        """The values as an array, float64 of amounts and int64 of the other kinds."""
        return np.asarray(self.values)

    @property
    def title(self) -> str:
        """The label with its unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


def column_of(complex: Complex, given: str | Column | ArrayLike, name: str = "color_by") -> Column:
    """The column that a word stands for, or the given one.

    given : "layer" for the layer of birth, the highest whose neurons bound the cell, 0 where none does; "gradient" for
        the norm of the affine map (`gradient_norms`); "class" for the largest output at the cell's interior point (of
        one output whether it is above zero); "activity" for the number of active neurons; the name of an array of the
        complex with one number a cell; such an array itself; or a Column.
    name : of the argument, for errors.
    Raises DomainError if there is no such column, or it has not one number a cell.
    """
    if isinstance(given, str):
        return named(complex, given, name)
    column = given if isinstance(given, Column) else Column(given)
    if len(column.numbers) != len(complex):
        raise DomainError(
            f"{name} needs one number for each of the {len(complex):,} cells, got {len(column.numbers):,} "
            f"({column.label!r})."
        )
    return column


def named(complex: Complex, word: str, name: str) -> Column:
    """The column of a word."""
    if word == "layer":
        return Column(births(complex), "layer of birth", kind="layer", most=complex.network.depth)
    if word == "class":
        return Column(classes(complex), "class", kind="class", most=max(complex.network.n_out, 2) - 1)
    if word == "gradient":
        from creases.plot.forms import gradient_norms

        return Column(gradient_norms(complex), "gradient norm", unit="output / input")
    if word == "activity":
        from creases.plot.colours import active_neurons

        return Column(active_neurons(complex), "active neurons")
    values = getattr(complex, word, None) if word.isidentifier() and not word.startswith("_") else None
    if isinstance(values, np.ndarray) and values.shape == (len(complex),):
        return Column(values, word.replace("_", " "))
    raise DomainError(
        f"{name} is a word ({', '.join(('pattern', *WORDS))}), the name of an array of the complex with one number a "
        f"cell, or such numbers; got {word!r}."
    )


def births(complex: Complex) -> Ints:
    """The layer of birth of each cell, int64 (cells,): the highest, from 1, whose neurons or switches bound it, and 0
    where the domain alone does."""
    if complex.is_flat:
        return np.asarray(np.maximum.reduceat(layers_of_walls(complex, complex.edges), complex.first[:-1]))
    sides = complex.sides
    born = np.zeros(len(complex), np.int64)
    np.maximum.at(born, np.repeat(np.arange(len(born)), np.diff(sides.first)), layers_of_walls(complex, sides.walls))
    return born


def layers_of_walls(complex: Complex, walls: NDArray[np.int64]) -> Ints:
    """The layer, from 1, of what each wall is, as `Complex.edges` numbers them; 0 of the domain's and of infinity."""
    network = complex.network
    ends = np.cumsum([int(places.sum()) for places in network.places])
    if network.bits == 0:
        return np.zeros(len(walls), np.int64)
    return np.where(walls < 0, 0, 1 + np.searchsorted(ends, walls % network.bits, side="right"))


def classes(complex: Complex) -> Ints:
    """The largest output at each cell's interior point, the lowest among equal ones, int64 (cells,); of one output 1
    where it is above zero.

    The class may change within a cell: on cells of `network.with_argmax()` it does not.
    """
    outputs = complex.network.forward(complex.domain.slice.points(complex.interior_points))
    if outputs.shape[1] == 1:
        return (outputs[:, 0] > 0.0).astype(np.int64)
    return np.asarray(outputs.argmax(axis=1))
