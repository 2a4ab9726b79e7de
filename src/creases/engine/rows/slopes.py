"""What a unit hands on where its sign is known: its pre-activation times the slope of its kink on that side.

A row to substitute is listed with its slope in it, so that whoever adds it up multiplies by couplings only. ReLU's
slopes are 0 and 1: an inactive row drops out, an active one is listed as it stands.

Rounding, for a slope s that is neither 0, 1 nor -1: every number of a row times s loses u of itself, and what is
coupled to has its size; a row's size is no less than the sum of all that (`substitution`). So |s| (E + u S) bounds
the error.
"""

from __future__ import annotations

from creases.engine.kernel import by_domain, inlined, kernel
from creases.engine.problem import Floats
from creases.engine.proof.band import band, relu_band
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW, UNIT, or_infinite
from creases.engine.state.network_layout import (
    ERROR_G,
    FORM,
    ONE,
    SIZE_G,
    X,
)
from creases.engine.state.row_layout import (
    ABOVE,
    ACTIVE,
    ACTIVE_ERRORS,
    ACTIVE_FORM,
    ACTIVE_IN_SPACE,
    ACTIVE_SIZES,
    BELOW,
    INACTIVE,
    STEEPEST,
)
from creases.engine.state.slots import (
    DIMENSION,
    PLAIN_CHAIN,
)
from creases.engine.state.work import (
    AnyWork,
    SpaceWork,
    Work,
)

__all__ = ["is_dropped", "scale_listed", "scale_row", "slope_of"]


@inlined
def slope_of(work: AnyWork, neuron: int, status: int) -> float:
    """The slope of a unit whose sign is known."""
    return work.slopes[ABOVE, neuron] if status == ACTIVE else work.slopes[BELOW, neuron]


@inlined
def is_dropped(work: AnyWork, plain: int, neuron: int, status: int) -> bool:
    """Whether a unit is known to hand on nothing. plain : PLAIN_CHAIN, where slopes need not be looked up."""
    if plain:
        return status == INACTIVE
    return (status == INACTIVE and work.slopes[BELOW, neuron] == 0.0) or (
        status == ACTIVE and work.slopes[ABOVE, neuron] == 0.0
    )


@inlined
def band_of(work: AnyWork, neuron: int, low: float, high: float) -> tuple[float, float, float]:
    """The band of an undecided unit with values between these (`band`)."""
    if work.state[PLAIN_CHAIN]:
        return relu_band(low, high)
    return band(low, high, work.slopes[BELOW, neuron], work.slopes[ABOVE, neuron])


@inlined
def scaled_bound(error: float, size: float, slope: float, exact: int) -> float:
    """The bound of a row with this bound and this size, times a slope. exact : 1 if the product is (`exact_layers`)."""
    steep = abs(slope)
    if steep == 1.0 or (exact and error == 0.0):
        return error
    # An exact zero stays one: nothing of the row is there.
    # Of a tiny size u of it is zero, and a slope may be large.
    paid = UNDERFLOW if size > 0.0 or error > 0.0 else 0.0
    return or_infinite((steep * (error + UNIT * size + paid) + paid) * ROUND_UP)


@inlined
def handed_size(work: AnyWork, plain: int, size: float, neuron: int) -> float:
    """The size of a unit's activation: its own, times the steeper of its slopes."""
    if plain:
        return size
    return scaled_size(size, work.slopes[STEEPEST, neuron])


@inlined
def scaled_size(size: float, slope: float) -> float:
    """The size of a row with this size, times a slope; what is not zero stays so."""
    steep = abs(slope)
    return size if steep == 1.0 else or_infinite(steep * size * ROUND_UP + (UNDERFLOW if size > 0.0 else 0.0))


@kernel
def scale_row(reals: Floats, at: int, stride: int, slope: float, exact: int) -> None:
    """Multiply the row at `at`, of `stride` numbers, by a slope."""
    if slope == 1.0:
        return
    for c in range(2):
        error, size = reals[at + ERROR_G + c], reals[at + SIZE_G + c]
        reals[at + ERROR_G + c] = scaled_bound(error, size, slope, exact)
        reals[at + SIZE_G + c] = scaled_size(size, slope)
    for c in range(X, ONE + 1):
        reals[at + c] *= slope
    for c in range(FORM, stride):  # in space the coordinates, and the couplings
        reals[at + c] *= slope


@inlined
def scale_form_in_plane(work: Work, place: int, slope: float) -> None:
    """Multiply a listed form's coordinates by a slope."""
    work.open_reals[ACTIVE_FORM, place] *= slope
    work.open_reals[ACTIVE_FORM + 1, place] *= slope


@inlined
def scale_form_in_space(work: SpaceWork, place: int, slope: float) -> None:
    """Multiply a listed form's coordinates by a slope."""
    for c in range(work.state[DIMENSION]):
        work.open_forms[ACTIVE_IN_SPACE, c, place] *= slope


scale_form = by_domain(scale_form_in_plane, scale_form_in_space)


@kernel
def scale_listed(work: AnyWork, place: int, slope: float, exact: int) -> None:
    """Multiply a row that is listed to be substituted, and has no couplings, by a slope."""
    if slope == 1.0:
        return
    listed = work.open_reals
    for c in range(2):
        error, size = listed[ACTIVE_ERRORS + c, place], listed[ACTIVE_SIZES + c, place]
        listed[ACTIVE_ERRORS + c, place] = scaled_bound(error, size, slope, exact)
        listed[ACTIVE_SIZES + c, place] = scaled_size(size, slope)
    scale_form(work, place, slope)
    listed[ACTIVE_FORM + ONE, place] *= slope
