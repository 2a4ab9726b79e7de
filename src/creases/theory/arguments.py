"""What the formulas take: whole numbers in their range, or an error that names them."""

from __future__ import annotations

import operator
from collections.abc import Iterable

from creases.errors import NetworkError

__all__ = ["as_layers", "positive", "whole"]


def as_layers(widths: Iterable[int]) -> list[int]:
    """Hidden widths as ints, each at least 1, one at least."""
    layers = [whole(width, f"widths[{i}]", 1) for i, width in enumerate(widths)]
    if not layers:
        raise NetworkError("widths is empty; give the neurons of each hidden layer, as in [32, 32, 32].")
    return layers


def whole(value: int, name: str, least: int) -> int:
    """The argument as an int; NetworkError, naming it, unless it is a whole number of at least `least`."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < least:
        raise NetworkError(f"{name} must be a whole number, at least {least}; got {value!r}.")
    return number


def positive(value: float, name: str, *, zero: bool = False) -> float:
    """The argument as a finite float above zero (or zero, if that is allowed); else NetworkError, naming it."""
    number = float(value) if isinstance(value, int | float) or hasattr(value, "__float__") else float("nan")
    if not (0.0 < number < float("inf") or (zero and number == 0.0)):
        raise NetworkError(f"{name} must be a finite number {'of at least' if zero else 'above'} 0; got {value!r}.")
    return number
