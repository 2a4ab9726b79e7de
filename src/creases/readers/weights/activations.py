"""How callers write the activations of a file that holds only weights: "relu", "leaky:0.01", "abs", "linear".

A leaky ReLU is written with its slope after a colon, because a default might be another network's slope. Case does not
matter: torch writes "ReLU".
"""

from __future__ import annotations

import math

from creases.errors import ModelFileError, UnsupportedModelError
from creases.network import Abs, Kink, LeakyReLU, ReLU

__all__ = ["LINEAR", "RELU", "activation_word", "after", "is_activation", "kink_of"]

RELU, ABS, LINEAR, LEAKY = "relu", "abs", "linear", "leaky:"
SPELLED = '"relu", "leaky:0.01" (a leaky ReLU and its slope below zero), "abs" or "linear"'


def activation_word(word: object) -> str:
    """An activation in its standard spelling. Raises ModelFileError on a leaky ReLU without its slope,
    UnsupportedModelError on any other word.

    Examples
    --------
    >>> activation_word("ReLU"), activation_word("leaky:1e-2")
    ('relu', 'leaky:0.01')
    """
    spelled = word.lower().strip() if isinstance(word, str) else ""
    if spelled in (RELU, ABS, LINEAR):
        return spelled
    head, colon, slope = spelled.partition(":")
    if head in ("leaky", "leaky_relu", "leakyrelu"):
        try:
            number = float(slope)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise ModelFileError(
                f'activation={word!r} lacks its slope: write "leaky:0.01" with the number that the network multiplies '
                "what is below zero by."
            )
        if colon and head == "leaky":
            return f"{LEAKY}{number!r}"
    raise UnsupportedModelError(
        f"activation={word!r} is not supported: Creases counts {SPELLED}, or a list of these, one a layer."
    )


def is_activation(word: str) -> bool:
    """Whether a word is the spelling of an activation."""
    try:
        activation_word(word)
    except (ModelFileError, UnsupportedModelError):
        return False
    return True


def kink_of(word: str) -> Kink | None:
    """The kink of an activation; None for "linear"."""
    if word == LINEAR:
        return None
    return ReLU() if word == RELU else Abs() if word == ABS else LeakyReLU(float(word.removeprefix(LEAKY)))


def after(word: str) -> str:
    """An activation in a sentence: ReLU, a leaky ReLU of slope 0.01, the absolute value, nothing."""
    plain = {RELU: "ReLU", ABS: "the absolute value", LINEAR: "nothing"}
    return plain.get(word) or f"a leaky ReLU of slope {word.removeprefix(LEAKY)}"
