"""Room for the output and state of a cut: arrays that are full are made larger, between two calls of a kernel.

A kernel that finds an array too small changes nothing and says which one it is, and how much it needs (`record.need`).
What is written from Python asks here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar, cast

import numpy as np

from creases.engine.proof.signs import UNPROVED
from creases.engine.state.cell_layout import (
    FACETS_A_WORD,
)
from creases.engine.state.slots import (
    FULL_ARRAY,
    NEEDED,
)
from creases.engine.state.work import (
    AnyWork,
)
from creases.errors import NotEnoughMemoryError
from creases.memory import as_bytes, free_memory

__all__ = ["check_room", "grown", "with_room"]

# Numbers of eight bytes that nobody asks for: to ask takes longer than to count little.
NEGLIGIBLE = 1 << 24

W = TypeVar("W", bound=AnyWork)

# Arrays with an axis of corners grow together: the axis, and what fills the new part.
PER_CORNER = {
    "cell_reals": (1, 0),
    "cell_ints": (1, 0),
    "points": (2, 0),
    "masks": (2, 0),
    "sides": (0, 0),
    "edges": (0, 0),
    "row_values": (0, 0),
    "section_reals": (2, 0),
    "section_ints": (2, 0),
    "values_nc": (1, 0),
    "answers_nc": (1, UNPROVED),
    "asks": (0, 0),
}


def grown(work: W) -> W:
    """The workspace with the array that was full made larger."""
    name, needed = type(work)._fields[int(work.state[FULL_ARRAY])], int(work.state[NEEDED])
    if name == "masks":
        return with_room(work, words=needed)
    if name in PER_CORNER:
        return with_room(work, corners=needed)
    return with_room(work, **{name: max(needed, 2 * getattr(work, name).size)})


def check_room(numbers: int, rows: Sequence[int]) -> None:
    """Raise NotEnoughMemoryError if so many numbers of eight bytes certainly do not fit: before they are allocated.

    rows : how many rows of each layer the first local network has.
    """
    if numbers <= NEGLIGIBLE:
        return
    free = free_memory()
    if free is not None and 8 * numbers > free:
        layers = ", ".join(f"{count:,}" for count in rows)
        raise NotEnoughMemoryError(
            f"On the whole domain {sum(rows):,} units of this network are undecided ({layers}, layer by layer), and to "
            f"write down how each depends on those below takes {as_bytes(8 * numbers)}; {as_bytes(free)} of memory are "
            "free. Count on a smaller domain, where fewer are undecided."
        )


def with_room(work: W, corners: int = 0, words: int = 0, **sizes: int) -> W:
    """The workspace with room for so many corners of a cell, so many words of their masks, and so many numbers in its
    flat arrays; what they hold stays."""
    larger: dict[str, Any] = {}
    before = work.values_nc.shape[1]
    for name, (axis, fill) in PER_CORNER.items() if corners > before else ():
        if name in work._fields:
            old = getattr(work, name)
            pads = [(0, 0)] * old.ndim
            pads[axis] = (0, old.shape[axis] // before * (corners - before))
            larger[name] = np.pad(old, pads, constant_values=fill)
    masks = larger.get("masks", getattr(work, "masks", None))
    if masks is not None and words > masks.shape[1]:
        larger["masks"] = np.pad(masks, [(0, 0), (0, words - masks.shape[1]), (0, 0)])
        sizes |= {"slots": FACETS_A_WORD * words, "at_corner": FACETS_A_WORD * words}
    for name, size in sizes.items():
        old = getattr(work, name)
        if old.size < size:
            larger[name] = np.zeros(size, old.dtype)
            larger[name][: old.size] = old
    made: Any = work._replace(**larger)
    return cast(W, made)
