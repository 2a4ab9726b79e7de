"""Arguments of the formulas: integers in their range, or an error that names them."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from fractions import Fraction

from creases.errors import NetworkError
from creases.network import DenseLayer, Network

__all__ = ["as_chain", "as_layers", "positive", "whole"]


def as_chain(network: Network, what: str, why: str, instead: str) -> tuple[DenseLayer, ...]:
    """The hidden layers of a chain of dense layers with ReLU. Raises NetworkError, with `what` is not known, for a
    graph.

    why : a sentence that says why it holds for chains only. instead : what to use for a graph.
    """
    if not isinstance(network, Network):
        raise NetworkError(f"{what} takes a Network, got {shown(network)}.")
    if not network.is_chain:
        raise NetworkError(f"{what} is for chains of dense layers with ReLU, and {network!r} is none: {why} {instead}")
    return network.hidden


def as_layers(widths: Iterable[int]) -> list[int]:
    """Hidden widths as ints, at least one, each at least 1. Raises NetworkError for a Network, because functions of
    widths are for chains."""
    if isinstance(widths, Network):
        remedy = (
            f"Give them: widths={list(widths.widths)}."
            if widths.is_chain
            else "The formula is for chains of dense layers with ReLU, of which widths say all; for a graph use "
            "theory.network_upper(network)."
        )
        raise NetworkError(f"widths must list the neurons of each hidden layer, got {widths!r}. {remedy}")
    try:
        given = list(widths)
    except TypeError as error:
        raise NetworkError(
            f"widths must list the neurons of each hidden layer, as in [32, 32, 32]; got {shown(widths)}."
        ) from error
    layers = [whole(width, f"widths[{i}]", 1) for i, width in enumerate(given)]
    if not layers:
        raise NetworkError("widths is empty; give the neurons of each hidden layer, as in [32, 32, 32].")
    return layers


def whole(value: int, name: str, least: int) -> int:
    """The argument as an int. Raises NetworkError, with its name, unless it is an integer of at least `least`."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < least:
        raise NetworkError(f"{name} must be a whole number, at least {least}; got {shown(value)}.")
    return number


def positive(value: float | Fraction, name: str, *, zero: bool = False) -> float:
    """The argument as a finite float above zero (or at least zero, if `zero`). Raises NetworkError, with its name,
    otherwise."""
    try:
        number = float("nan") if isinstance(value, str) else float(value)
    except (TypeError, ValueError, OverflowError):  # not a number, or beyond the range of floats
        number = float("nan")
    if not (0.0 < number < float("inf") or (zero and number == 0.0)):
        least = "of at least" if zero else "above"
        raise NetworkError(f"{name} must be a finite number {least} 0; got {shown(value)}.")
    return number


def shown(value: object) -> str:
    """The given value, shortened: a fraction or an integer may have thousands of digits."""
    try:
        text = repr(value)
    except ValueError:  # Python converts at most 4,300 digits to text
        return "a number of very many digits"
    return text if len(text) <= 80 else f"{text[:77]}..."
