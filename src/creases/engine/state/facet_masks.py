"""Which facets a corner of a polytope lies on: bits of one number, or of several where a cell has many facets.

A cell numbers its facets by places; `slots` says which kept facet each place stands for, and bit p % 62 of word
p // 62 of a corner's mask whether the corner lies on facet p. Nearly all cells need one word. A cell with more facets
than that has as many words as it needs, whatever cells before and after it have: where the parts of such a cell have
few facets again, their places are numbered anew.
"""

from __future__ import annotations

import numpy as np

from creases.engine.kernel import inlined, kernel
from creases.engine.problem import Ints
from creases.engine.state.cell_layout import (
    CELL,
    FACETS_A_WORD,
)
from creases.engine.state.slots import (
    CORNERS,
    PLACES,
)
from creases.engine.state.work import SpaceWork

__all__ = [
    "NO_PLACE",
    "WHOLE_WORD",
    "count_bits",
    "count_facets",
    "free_place",
    "is_on",
    "list_facets",
    "lowest_bit",
    "mask_words",
    "number_anew",
    "place_of_facet",
    "words_of_places",
]

NO_PLACE = -1
# All bits of a word.
WHOLE_WORD = (1 << FACETS_A_WORD) - 1
PLACE_OF_POWER = np.zeros(67, np.int64)
PLACE_OF_POWER[[(1 << place) % 67 for place in range(FACETS_A_WORD)]] = np.arange(FACETS_A_WORD)


def words_of_places(places: int) -> int:
    """How many words a mask of so many places has."""
    return 1 if places <= FACETS_A_WORD else (places + FACETS_A_WORD - 1) // FACETS_A_WORD


# The same for kernels.
mask_words = inlined(words_of_places)


@kernel
def count_bits(mask: int) -> int:
    """How many bits of a word are set."""
    count, rest = 0, mask
    while rest:
        rest &= rest - 1
        count += 1
    return count


@inlined
def lowest_bit(mask: int) -> int:
    """The place of the lowest bit of a word that is set; it is not zero. Powers of two differ modulo 67."""
    return PLACE_OF_POWER[(mask & -mask) % 67]


@inlined
def is_on(masks: Ints, v: int, place: int) -> int:
    """1 if corner v lies on the facet of a place. masks : int64 (words, corners)."""
    return masks[place // FACETS_A_WORD, v] >> place % FACETS_A_WORD & 1


@inlined
def count_facets(masks: Ints, words: int, v: int) -> int:
    """On how many facets corner v lies."""
    facets = 0
    for word in range(words):
        facets += count_bits(masks[word, v])
    return facets


@inlined
def list_facets(slots: Ints, masks: Ints, words: int, v: int, on: Ints) -> int:
    """List the kept facets on which corner v lies, in the order of their places; how many."""
    count = 0
    for word in range(words):
        rest = masks[word, v]
        while rest:
            on[count] = slots[FACETS_A_WORD * word + lowest_bit(rest)]
            rest &= rest - 1
            count += 1
    return count


@inlined
def union(masks: Ints, word: int, corners: int) -> int:
    """The places of one word that any of the corners lies on."""
    used = 0
    for v in range(corners):
        used |= masks[word, v]
    return used


@inlined
def free_place(masks: Ints, words: int, corners: int) -> int:
    """The first place on which no corner lies, or the one behind all words."""
    for word in range(words):
        free = ~union(masks, word, corners) & WHOLE_WORD
        if free:
            return FACETS_A_WORD * word + lowest_bit(free)
    return FACETS_A_WORD * words


@kernel
def place_of_facet(work: SpaceWork, facet: int) -> int:
    """The place of a kept facet in the current cell, NO_PLACE if no corner lies on it."""
    for place in range(work.state[PLACES]):
        if work.slots[place] == facet:
            for v in range(work.state[CORNERS]):
                if is_on(work.masks[CELL], v, place):
                    return place
    return NO_PLACE


@kernel
def number_anew(work: SpaceWork) -> None:
    """Give the current cell's facets the lowest places, where they and one more then need fewer words."""
    state, masks, corners = work.state, work.masks[CELL], work.state[CORNERS]
    words, used = mask_words(state[PLACES]), 0
    for word in range(words):
        used += count_bits(union(masks, word, corners))
    if mask_words(used + 1) == words:
        return
    place = 0
    for word in range(words):
        here = union(masks, word, corners)
        for bit in range(FACETS_A_WORD):
            if here >> bit & 1 == 0:
                continue
            # Places before this one are free, or have their facet already.
            work.slots[place] = work.slots[FACETS_A_WORD * word + bit]
            target, shift = place // FACETS_A_WORD, place % FACETS_A_WORD
            for v in range(corners):
                on = masks[word, v] >> bit & 1
                masks[word, v] &= ~(1 << bit)
                masks[target, v] |= on << shift
            place += 1
    state[PLACES] = place
