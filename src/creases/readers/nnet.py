"""`.nnet` files: the text format of Reluplex (K. Julian, Stanford, 2016).

The lines are: comments that begin with //; four counts; the layers' sizes; an unused flag; the inputs' minima and
maxima; means and ranges, each with one more entry for the outputs; then, layer by layer, all weights, row by row, and
all biases. Files in use have fewer counts or meaningless normalisations, so only the sizes must be correct. The network
takes normalised inputs; the normalisation is kept with it if it is usable.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from creases.errors import ModelFileError, NetworkError
from creases.network import Divide, Level, Linear, Network, Normalisation, Scale, Select
from creases.readers.chain import Chain
from creases.readers.text import expect_count, floats, note_decimals, note_open_end, whole

__all__ = ["normalised", "read_nnet"]

HEADER_LINES = ("the counts", "the layer sizes", "the flag", "the minima", "the maxima", "the means", "the ranges")


def read_nnet(data: bytes, source: str) -> Network:
    """The network in a .nnet file, on the file's own normalised inputs; decimals are read as float64.

    data : the whole file. source : its name, for messages.
    Raises ModelFileError if it is not such a text, or if its sizes and numbers disagree; NetworkError if a weight is
    not finite.
    """
    text = data.decode("utf-8", errors="replace")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("//")]
    if len(lines) < len(HEADER_LINES):
        raise ModelFileError(
            f"{source} is truncated: it ends before {HEADER_LINES[len(lines)]}, line {len(lines) + 1} of the "
            f"{len(HEADER_LINES)} that open a .nnet file."
        )
    counts, sizes_line, _flag, *norm_lines = (words(line) for line in lines[: len(HEADER_LINES)])
    sizes = layer_sizes(counts, sizes_line, source)
    body = [line.rstrip() for line in lines[len(HEADER_LINES) :]]
    decimals = [word for line in body for word in words(line)]
    pairs = list(itertools.pairwise(sizes))
    expect_count(len(decimals), sum(n_out * (n_in + 1) for n_in, n_out in pairs), sizes, source)
    if len(body) > 1 and body[-2].endswith(",") and not body[-1].endswith(","):
        raise ModelFileError(f"{source} is truncated: its last number lacks the comma that ends the other lines.")
    numbers = floats(decimals, "the weights", source)
    chain, start = Chain(source), 0
    for layer, (n_in, n_out) in enumerate(pairs, start=1):
        middle = start + n_out * n_in
        weight, bias = numbers[start:middle].reshape(n_out, n_in), numbers[middle : middle + n_out]
        chain.dense(f"layer {layer}", weight, bias)
        start = middle + n_out
        if layer < len(pairs):
            chain.relu()
    note_open_end(text, chain)
    normalisation = usable_normalisation(norm_lines, sizes[0], chain)
    note_decimals(itertools.chain(decimals, *(norm_lines if normalisation else ())), chain)
    return chain.network(normalisation=normalisation)


def words(line: str) -> list[str]:
    """The entries of a line, separated by commas, blanks or both."""
    return line.replace(",", " ").split()


def layer_sizes(counts: Sequence[str], sizes_line: Sequence[str], source: str) -> list[int]:
    """The sizes of all layers, beginning with the inputs, checked against the counts that the file has."""
    layers = whole(counts[0] if counts else "", "the number of layers", source)
    sizes = [whole(word, "a layer size", source) for word in sizes_line]
    if len(sizes) != layers + 1:
        raise ModelFileError(
            f"{source}: {layers} layers need {layers + 1} sizes, the inputs first, but the file lists {len(sizes)}."
        )
    for word, size, what in zip(counts[1:3], (sizes[0], sizes[-1]), ("inputs", "outputs"), strict=False):
        if whole(word, f"the number of {what}", source) != size:
            raise ModelFileError(f"{source}: the first line counts {word} {what}, the layer sizes {size}.")
    return sizes


def usable_normalisation(lines: Sequence[Sequence[str]], n_in: int, chain: Chain) -> Normalisation | None:
    """The normalisation in the last four header lines, or None, with a note that says why."""
    try:
        minimum, maximum, mean, width = (
            floats(line, what, chain.source) for line, what in zip(lines, HEADER_LINES[3:], strict=True)
        )
    except ModelFileError as error:
        chain.note(f"Normalisation ignored: {error}")
        return None
    problem = ""
    if [len(line) for line in lines] != [n_in, n_in, n_in + 1, n_in + 1]:
        found = ", ".join(str(len(line)) for line in lines)
        problem = f"its lines have {found} entries, not {n_in}, {n_in}, {n_in + 1}, {n_in + 1}"
    elif not all(np.isfinite(values).all() for values in (minimum, maximum, mean, width)):
        problem = "it has numbers that are not finite"
    elif not (width > 0).all():
        problem = "it has ranges that are not positive"
    elif (minimum > maximum).any():
        problem = "it has minima above their maxima"
    if problem:
        chain.note(f"Normalisation ignored: {problem}.")
        return None
    return Normalisation(minimum, maximum, mean[:-1], width[:-1], float(mean[-1]), float(width[-1]))


def normalised(network: Network) -> Network:
    """The network that takes raw inputs and gives raw outputs: its `normalisation` is applied at both ends, exactly.

    (raw - mean) / range before the first layer, and y * output_range + output_mean after the last. A network to which
    it has been applied already is returned unchanged. Raises NetworkError if the network has no normalisation.
    """
    norm = network.normalisation
    if norm is None:
        reasons = "".join(f"{note} " for note in network.notes if note.startswith("Normalisation ignored"))
        raise NetworkError(f"There is no normalisation to apply. {reasons}Load it without apply_normalisation=True.")
    if norm.applied:
        return network
    note = "Inputs are raw: they are not clipped to the file's minimum and maximum, so choose a domain within."
    notes = [*network.notes, *([] if note in network.notes else [note])]
    applied = replace(norm, applied=True)
    if network.is_chain:
        return chain_between(network, norm, notes).network(input_shape=network.input_shape, normalisation=applied)
    return Network(levels_between(network, norm), network.input_shape, applied, tuple(notes))


def chain_between(network: Network, norm: Normalisation, notes: list[str]) -> Chain:
    """A chain with its normalisations before and after; it remains a chain if no number has to be rounded."""
    chain = Chain("The network")
    chain.shift("the inputs' normalisation", 0.0 - norm.mean)
    chain.divide("the inputs' normalisation", norm.range)
    for number, layer in enumerate(network.hidden, start=1):
        chain.dense(f"layer {number} of the file", layer.weight, layer.bias)
        chain.relu()
    if network.output is not None:
        chain.dense("the output layer of the file", network.output.weight, network.output.bias)
    chain.multiply("the outputs' normalisation", np.full(network.n_out, norm.output_range))
    chain.shift("the outputs' normalisation", np.full(network.n_out, norm.output_mean))
    chain.notes = notes
    return chain


def levels_between(network: Network, norm: Normalisation) -> tuple[Level, ...]:
    """The levels of a network with its normalisations before and after."""
    n = network.n_in
    first = [
        Level({0: Select.all(n)}, 0.0 - norm.mean, Linear(), "inputs' mean"),
        Level({1: Divide(norm.range)}, None, Linear(), "inputs' range"),
    ]
    moved = [
        Level(
            {source + len(first): operator for source, operator in level.sources.items()},
            level.bias,
            level.kink,
            level.name,
        )
        for level in network.levels
    ]
    scale = Scale(np.full(network.n_out, norm.output_range))
    last = Level({len(first) + len(moved): scale}, np.full(network.n_out, norm.output_mean), Linear(), "outputs")
    return (*first, *moved, last)
