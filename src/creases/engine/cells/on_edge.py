"""A new corner between two known ones, where a row cuts the edge that they share.

A corner where d facets meet is the solution of d equations, and to bound its error an inverse is needed (`corner`): d^3
steps. But the new corner x* also lies between two corners u* and v* of the cell. With a and b the sizes of the row's
values at the computed corners u and v, each within T of the true one at the true corner, a* and b*,

    x* = u* + t* (v* - u*),   t* = a* / (a* + b*),        x = u + t (v - u),   t = a / (a + b),
    x - x* = (1 - t*) (u - u*) + t* (v - v*) + (t - t*) (v - u),

and t - t* = (a (b* - b) - (a* - a) b) / ((a + b) (a* + b*)), at most T / (a* + b*), where a* + b* >= a + b - 2 T. So a
coordinate is off by max(e_u, e_v) + T / (a + b - 2 T) max |v - u| at most, and by the rounding of (b u + a v) / (a +
b), of which 8 u times the largest coordinate is a bound (two products, a sum, a quotient of a sum, and a product).
That grows from corner to corner, some times over; beyond LARGEST_ERROR the facets place the corner, which forgets the
past.
"""

from __future__ import annotations

from creases.engine.cells.corner import place_corner
from creases.engine.kernel import by_domain, inlined, kernel
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW, UNIT, sign_threshold
from creases.engine.state.cell_layout import (
    CELL,
    CHILD,
)
from creases.engine.state.facet_masks import list_facets, mask_words
from creases.engine.state.network_layout import (
    ERROR_G,
    ERROR_W,
    ONE,
)
from creases.engine.state.slots import (
    CORNERS,
    DIMENSION,
    PLACES,
)
from creases.engine.state.work import SpaceWork, Work

__all__ = ["place_on_edge", "sharpen"]

# Of the signs of a generic network few are so near zero that this hides them, and for those corners are sharpened.
LARGEST_ERROR = 2.0**-34
# Corners known better than this are as sharp as their facets make them, as a rule.
SHARP = 2.0**-46
# Sums a + b that are let in: what products lose to underflow, divided by the smaller, is below UNDERFLOW.
SMALLEST_SUM, LARGEST_SUM = 2.0**-70, 2.0**460


@inlined
def place_on_edge(work: SpaceWork, row: int, source: int, gradient: float, u: int, v: int, k: int) -> bool:
    """Write the corner at which a row cuts the edge between corners u and v of the cell to column k of the child.

    row, source : the row was evaluated at the corners, and stands at `source`. gradient : the sum of |x_c| of its form.
    Returns False, with nothing promised of column k, where the error is larger than LARGEST_ERROR.
    """
    reals, points, d = work.reals, work.points, work.state[DIMENSION]
    a, b = abs(work.values_nc[row, u]), abs(work.values_nc[row, v])
    weight = 1.0 / (a + b)
    size = length = 0.0
    for c in range(d):
        x, y = points[CELL, c, u], points[CELL, c, v]
        size, length = max(size, abs(x), abs(y)), max(length, abs(x - y))
        points[CHILD, c, k] = (b * x + a * y) * weight
    error = max(points[CELL, d, u], points[CELL, d, v])
    bound = sign_threshold(
        gradient, abs(reals[source + ONE]), reals[source + ERROR_G], reals[source + ERROR_W], size, error, d + 3.0
    )
    left = a + b - 2.0 * bound
    error = (error + bound / left * length + 8.0 * UNIT * size) * ROUND_UP + UNDERFLOW
    points[CHILD, d, k] = error
    # A NaN in any of them lands in False; coordinates of a corner without a place are zeros, and its error is infinite.
    return 2.0 * left > a + b and SMALLEST_SUM < a + b < LARGEST_SUM and error < LARGEST_ERROR


@kernel
def sharpen_in_space(work: SpaceWork) -> bool:
    """Have their facets place the corners of the current cell; whether that makes any of them sharper."""
    points, masks, d, words = work.points, work.masks[CELL], work.state[DIMENSION], mask_words(work.state[PLACES])
    sharper = False
    for v in range(work.state[CORNERS] if d > 3 else 0):
        if points[CELL, d, v] < SHARP:
            continue
        facets = list_facets(work.slots, masks, words, v, work.at_corner)
        place_corner(work.facet_reals, work.sums, points[CHILD], d, work.at_corner, facets, v)
        if points[CHILD, d, v] < points[CELL, d, v]:
            sharper = True
            for c in range(d + 1):
                points[CELL, c, v] = points[CHILD, c, v]
    return sharper


@inlined
def sharpen_in_plane(work: Work) -> bool:
    """Corners of polygons and intervals are always as sharp as their edges make them."""
    return False


sharpen = by_domain(sharpen_in_plane, sharpen_in_space)
