"""The numbers of walls in `Complex.edges`, decoded.

N is the number of bits of a pattern: one for each neuron, one for each candidate of a switch, layer after layer. A
neuron's number is its bit; the wall between the candidates with bits a and a + k of one switch is N (1 + k) + a.
"""

from __future__ import annotations

import numpy as np

from creases.network import Network

__all__ = ["name_of"]


def name_of(network: Network, edge: int) -> tuple[str | int, ...]:
    """`Complex.wall_name`."""
    from creases.engine.problem import FIRST_WALL, INFINITY

    if edge < 0:
        return ("infinity",) if edge == INFINITY else ("domain", FIRST_WALL - edge)
    bits = network.bits
    if bits:
        further, bit = divmod(edge, bits)
        begin = 0
        for layer, places in zip(network.layer_names, network.places, strict=True):
            starts = begin + np.cumsum(places) - places
            end = begin + int(places.sum())
            if bit < end:
                index = int(np.searchsorted(starts, bit, side="right")) - 1
                one = bit - int(starts[index])
                if further == 0 and places[index] == 1:
                    return "neuron", layer, index
                if 1 < further <= int(places[index]) - one:
                    return "switch", layer, index, one, one + further - 1
                break
            begin = end
    raise IndexError(f"{network!r} has no wall with the number {edge}.")
