"""`.polar` files: the text format of POLAR, one number or word a line.

The format has no written specification; this is how it is read here: inputs, outputs, number of hidden layers, their
widths; the activation of every layer and of the output; then, neuron by neuron, its weights and its bias; last an
offset and a scale factor of the outputs, y = (value - offset) * scale. The older format of Sherlock, without the names
of activations, is refused, because they would have to be guessed.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from creases.errors import ModelFileError, NetworkError, UnsupportedModelError
from creases.network import Network
from creases.readers.chain import Chain
from creases.readers.text import LONGEST, expect_count, floats, is_number, note_decimals, note_open_end, whole

__all__ = ["read_polar"]

ENDING = 2  # offset and scale factor


def read_polar(data: bytes, source: str) -> Network:
    """The network in a .polar file; decimals are read as float64.

    data : the whole file. source : its name, for messages.
    Raises ModelFileError if it is not such a text, or if its sizes and numbers disagree; UnsupportedModelError on an
    activation other than ReLU and Affine; NetworkError if a weight is not finite.
    """
    text = data.decode("utf-8", errors="replace")
    words = text.split()
    names = (("the number of inputs", 1), ("the number of outputs", 1), ("the number of hidden layers", 0))
    n_in, n_out, depth = (
        whole(word_at(words, i, what, source), what, source, least) for i, (what, least) in enumerate(names)
    )
    if len(words) < 3 + depth + depth + 1:
        raise ModelFileError(
            f"{source} is truncated: {depth} hidden layers need {depth} widths and {depth + 1} activations, "
            f"and only {len(words) - 3} words follow."
        )
    widths = [whole(word, f"the width of layer {i}", source) for i, word in enumerate(words[3 : 3 + depth], start=1)]
    sizes = [n_in, *widths, n_out]
    rectified = [is_relu(word, i, source) for i, word in enumerate(words[3 + depth : 4 + 2 * depth], start=1)]
    decimals = words[4 + 2 * depth :]
    pairs = list(pairwise(sizes))
    expected = sum(above * (below + 1) for below, above in pairs)
    if len(decimals) == expected:
        raise ModelFileError(
            f"{source} is truncated: the outputs' offset and scale factor are missing after the last bias. If it was "
            "written without them, append two lines, 0.0 and 1.0."
        )
    expect_count(len(decimals) - ENDING, expected, sizes, source)
    numbers = floats(decimals, "the weights", source)
    chain, start = Chain(source), 0
    for layer, ((below, above), relu) in enumerate(zip(pairs, rectified, strict=True), start=1):
        table = numbers[start : start + above * (below + 1)].reshape(above, below + 1)
        chain.dense(f"layer {layer}", table[:, :-1], table[:, -1])
        start += table.size
        if relu:
            chain.relu()
    rescale(chain, numbers[start], numbers[start + 1], n_out)
    note_open_end(text, chain)
    note_decimals(decimals, chain)
    return chain.network()


def word_at(words: list[str], place: int, what: str, source: str) -> str:
    """The word at a position. Raises ModelFileError if the file is shorter."""
    if place >= len(words):
        raise ModelFileError(f"{source} is truncated: it ends before {what}.")
    return words[place]


def is_relu(word: str, layer: int, source: str) -> bool:
    """True for ReLU, False for Affine. Raises UnsupportedModelError on another word."""
    if word.lower() in ("relu", "affine"):
        return word.lower() == "relu"
    if is_number(word):
        raise ModelFileError(
            f"{source} has {word[:LONGEST]!r} where the activation of layer {layer} must be named, ReLU or "
            "Affine, one a layer after the widths. (A file of Sherlock's format has none: write ReLU once a "
            "layer.)"
        )
    raise UnsupportedModelError(
        f"{source}: layer {layer} has activation {word[:LONGEST]!r}; supported are ReLU and Affine."
    )


def rescale(chain: Chain, offset: np.float64, factor: np.float64, n_out: int) -> None:
    """Subtract the outputs' offset and multiply by their scale factor; (0, 1), as in most files, has no effect."""
    if not np.isfinite([offset, factor]).all():
        raise NetworkError(f"{chain.source}: the outputs' offset {offset} or scale {factor} is not finite.")
    chain.shift("the file's output offset and scale", np.full(n_out, -offset))
    chain.multiply("the file's output offset and scale", np.full(n_out, factor))
