"""Columns: one number per cell of a complex, with a name and a unit; and the words for some of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.complex.decisions import classes_of as decided
from creases.complex.decisions import has_argmax
from creases.errors import DomainError

if TYPE_CHECKING:
    from creases.complex import Complex

__all__ = ["COLOURINGS", "OWN_NAMES", "Column", "classes", "column_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# The words that `color_by` accepts besides "pattern", which is not a column. They include the columns of
# `Complex.table`, under these names or their own.
COLOURINGS = ("layer", "gradient", "class", "activity", "volume", "facets", "vertices", "bounded")
OWN_NAMES = {"layer_of_birth": "layer", "gradient_norm": "gradient"}
# The name of a volume and its unit, in one, two and three dimensions.
VOLUMES = {1: ("length", "input"), 2: ("area", "input²"), 3: ("volume", "input³")}
KINDS = ("amount", "layer", "class")


@dataclass(frozen=True, eq=False)
class Column:
    """A number for each cell of a complex, for colours and histograms.

    values : shape (cells,), real numbers or booleans; NaN and infinity are drawn grey.
    label : the label of the colour bar or axis.
    unit : their unit, "" for none.
    kind : "amount" for numbers on a scale; "layer" for ordered integers from 1, with 0 for none; "class" for unordered
        integers from 0.
    most : the last layer or class on the scale; if None or too small, the largest one among the values.
    Raises DomainError if the values are not such numbers or the kind is unknown.

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
        """The values as an array, float64 for amounts and int64 for the other kinds."""
        return np.asarray(self.values)

    @property
    def title(self) -> str:
        """The label with its unit."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


def column_of(complex: Complex, given: str | Column | ArrayLike, name: str = "color_by") -> Column:
    """The column with this name, or the given one.

    given : "layer" for the layer of birth, the highest whose neurons bound the cell, 0 if none does; "gradient" for
        `Complex.gradient_norms`; "class" for the largest output at the cell's interior point (for a single output,
        whether it is above zero); "activity" for the number of active neurons; another column of `Complex.table`, or
        the name of an array of the complex with one number per cell; such an array itself; or a Column. name : the name
        of the argument, for errors. Raises DomainError if there is no such column, or it does not have one number per
        cell.
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
    """The column with this name."""
    word = OWN_NAMES.get(word, word)
    if word in COLUMN_OF:
        return COLUMN_OF[word](complex)
    values = getattr(complex, word, None) if word.isidentifier() and not word.startswith("_") else None
    if isinstance(values, np.ndarray) and values.shape == (len(complex),):
        return Column(values, word.replace("_", " "))
    raise DomainError(
        f"{name} is a word ({', '.join(('pattern', *COLOURINGS))}), the name of an array of the complex with one "
        f"number a cell, or such numbers; got {word!r}."
    )


def of_table(complex: Complex, name: str) -> NDArray[Any]:
    """A column of `Complex.table`."""
    from creases.complex.table import COLUMNS

    return COLUMNS[name](complex)


def layer_column(complex: Complex) -> Column:
    """The layer of birth."""
    return Column(of_table(complex, "layer_of_birth"), "layer of birth", kind="layer", most=complex.network.depth)


def gradient_column(complex: Complex) -> Column:
    """`Complex.gradient_norms`; for a single output, the length of its gradient."""
    label = "gradient norm" if complex.network.n_out == 1 else "gradient norm, Frobenius"
    return Column(complex.gradient_norms, label, unit="output / input")


def class_column(complex: Complex) -> Column:
    """The class; the scale has all possible classes."""
    network = complex.network
    number = int(network.places[-1].sum()) if has_argmax(network) else network.n_out
    return Column(classes(complex), "class", kind="class", most=max(number, 2) - 1)


def activity_column(complex: Complex) -> Column:
    """The number of active neurons."""
    from creases.plot.colours import active_neurons

    return Column(active_neurons(complex), "active neurons")


def volume_column(complex: Complex) -> Column:
    """`Complex.volumes`, with the name of the quantity in this dimension."""
    d = complex.dimension
    label, unit = VOLUMES.get(d, ("volume", f"input^{d}"))
    return Column(complex.volumes, label, unit)


COLUMN_OF: dict[str, Callable[[Complex], Column]] = {
    "layer": layer_column,
    "gradient": gradient_column,
    "class": class_column,
    "activity": activity_column,
    "volume": volume_column,
    "facets": lambda complex: Column(of_table(complex, "facets"), "facets"),
    "vertices": lambda complex: Column(of_table(complex, "vertices"), "vertices"),
    "bounded": lambda complex: Column(of_table(complex, "bounded"), "bounded (1 is yes)", kind="class", most=1),
}


def classes(complex: Complex) -> Ints:
    """The index of the largest output at each cell's interior point, the first among equal ones, int64 (cells,); for a
    single output, 1 if it is above zero.

    The class may change within a cell, except for cells of `network.with_argmax()`.
    """
    if has_argmax(complex.network):
        return decided(complex)
    found = of_table(complex, "class")
    return np.maximum(found, 0) if complex.network.n_out == 1 else found
