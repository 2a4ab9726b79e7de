"""A level: units that are evaluated together. Each depends only on the input and on earlier levels.

    z = sum over sources p of operator_p(values of level p) + bias,    values = kink(z)

The input is level 0, and the first level has the number 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from creases.errors import NetworkError
from creases.network.kinks import Kink
from creases.network.operators import Operator
from creases.network.operators.operator import Floats, as_finite, whole

__all__ = ["Level", "check_levels"]


@dataclass(frozen=True, eq=False, repr=False)
class Level:
    """A level of units: the sum of operators applied to values of earlier levels, plus a bias, followed by a kink.

    sources : dict from the number of an earlier level (0 for the input) to the operator on its values; at least one,
        all with the same n_out, the number of units. Stored in the order of the numbers, read-only.
    bias : float64, shape (n_units,), read-only; None for zeros.
    kink : the nonlinearity, for example ReLU().
    name : used in tables and error messages; not part of the hash.
    Raises NetworkError if there is no source, the operators or the bias do not fit, or a number is not finite.
    """

    sources: Mapping[int, Operator]
    bias: Floats
    kink: Kink
    name: str

    def __init__(self, sources: Mapping[int, Operator], bias: ArrayLike | None, kink: Kink, name: str = "") -> None:
        said = f"Level {name!r}: " if name else "Level: "
        if not isinstance(sources, Mapping) or not sources:
            raise NetworkError(
                f"{said}sources must be operators by the number of their level, at least one, such as {{0: Dense(w)}}; "
                f"got {sources!r}."
            )
        for source, operator in sources.items():
            whole(source, f"{said}the number of a source", 0)
            if not isinstance(operator, Operator):
                raise NetworkError(
                    f"{said}source {source} must be an operator (Dense, Sparse, Conv, ConvTranspose, AveragePool, "
                    f"Select, Scale, Divide), got a {type(operator).__name__}."
                )
        if not isinstance(kink, Kink):
            raise NetworkError(
                f"{said}kink must be ReLU(), LeakyReLU(slope), Abs(), Clip(low, high), Linear() or Max(groups), got "
                f"{kink!r}."
            )
        if not isinstance(name, str):
            raise NetworkError(f"Level: name must be text, got {name!r}.")
        ordered = {int(source): sources[source] for source in sorted(sources)}
        widths = {source: operator.n_out for source, operator in ordered.items()}
        n_units = next(iter(widths.values()))
        if len(set(widths.values())) > 1:
            raise NetworkError(f"{said}all operators must have as many results; got {widths} (by source).")
        biases = np.zeros(n_units) if bias is None else as_finite(bias, f"{said}bias")
        biases.setflags(write=False)
        if biases.shape != (n_units,):
            raise NetworkError(f"{said}bias must have shape ({n_units},), one number a unit, got shape {biases.shape}.")
        kink.check(n_units)
        for field, value in (
            ("sources", MappingProxyType(ordered)),
            ("bias", biases),
            ("kink", kink),
            ("name", name),
        ):
            object.__setattr__(self, field, value)

    @property
    def n_units(self) -> int:
        """Number of units."""
        return len(self.bias)

    @property
    def n_values(self) -> int:
        """Number of values: one per unit, or one per switch."""
        return self.kink.n_values(self.n_units)

    @property
    def neurons(self) -> int:
        """Number of neurons: units whose slopes differ; two per unit of a clip."""
        return self.kink.neurons(self.n_units)

    @property
    def switches(self) -> int:
        """Number of switches."""
        return self.kink.switches(self.n_units)

    @property
    def is_layer(self) -> bool:
        """Whether it is counted as a layer, that is has neurons or switches."""
        return self.neurons > 0 or self.switches > 0

    @property
    def hyperplanes(self) -> int:
        """The maximal number of hyperplanes that cut a region of the levels below: one per neuron, and one per pair
        of candidates of a switch.
        """
        return self.kink.hyperplanes(self.n_units)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of its values: (channels, *sides) after a convolution, (n_values,) if no operator defines a
        shape.
        """
        if self.switches:
            return (self.n_values,)
        return max((operator.output_shape for operator in self.sources.values()), key=len)

    def sums(self, values: Sequence[Floats | None]) -> Floats:
        """The sums z, float64 (..., n_units), from the values of the input and of the source levels."""
        return self.linear(values) + self.bias

    def linear(self, values: Sequence[Floats | None]) -> Floats:
        """`sums` without the bias; a new array."""
        parts = (operator.apply(values[source]) for source, operator in self.sources.items())  # type: ignore[arg-type]
        result = next(parts)
        for part in parts:
            result = result + part
        return result

    def __reduce__(self) -> tuple[Callable[..., Level], tuple[Any, ...]]:
        return Level, (dict(self.sources), self.bias, self.kink, self.name)

    def __repr__(self) -> str:
        sources = ", ".join(f"{source}: {operator!r}" for source, operator in self.sources.items())
        name = f", {self.name!r}" if self.name else ""
        return f"Level({{{sources}}}, {self.kink!r}{name})"


def check_levels(levels: Sequence[Level], n_in: int) -> None:
    """Raise NetworkError unless every level takes only earlier ones, and its operators fit their values."""
    sizes = [n_in]
    for number, level in enumerate(levels, start=1):
        if not isinstance(level, Level):
            raise NetworkError(f"Level {number} must be a Level, got a {type(level).__name__}.")
        said = f"level {number}" + (f" ({level.name})" if level.name else "")
        for source, operator in level.sources.items():
            if source >= number:
                raise NetworkError(
                    f"{said} takes from level {source}; a level takes from the input (0) and from earlier levels "
                    f"(1 to {number - 1}) only."
                )
            if operator.n_in != sizes[source]:
                of = "the input has" if source == 0 else f"level {source} has"
                raise NetworkError(f"{said}: {operator!r} takes {operator.n_in} values, but {of} {sizes[source]}.")
        sizes.append(level.n_values)
