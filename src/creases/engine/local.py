"""The local network: what of the network is still undecided on one cell.

On a small cell nearly every neuron keeps one sign. An inactive one drops out; an active one is linear and is
substituted into the layers above. What remains, for each layer from the lowest that is not decided, are the
open rows only, over the same few coordinates, with couplings that may skip layers:

    z_l = forms_l (x, 1) + sum over open layers p < l of coupling_{l,p} relu(z_p)      up to the row's bounds.

Four steps make the local network of a cell from that of a larger one: `relax` bounds every open neuron over
the cell's corners, `plan` sizes the new network, `reduce` writes it, `enter` makes it the current one. A layer
that did not change is shared by offset.

What the bounds (E_g, E_w) of a row say, with z* the true pre-activations of the real network:

    | z*_i(x) - [ forms_i (x, 1) + sum_q coupling_iq relu(z*_q(x)) ] | <= E_g max|x_c| + E_w   on the cell,

so the rounding of couplings is in them too. The pair (S_g, S_w) bounds the size: |z*_i(x)| <= S_g max|x_c| + S_w.
"""

from __future__ import annotations

from creases.engine.bounds import ROUND_UP, UNDERFLOW, gamma
from creases.engine.kernel import inlined, kernel
from creases.engine.record import field, mark_active, need
from creases.engine.relax import relax
from creases.engine.work import (
    ACTIVE,
    CHANGED,
    COUPLING,
    DEPTH,
    DIMENSION,
    DONE,
    ERRORS,
    FIELDS,
    FIRST,
    FIRST_NEURON,
    FORMS,
    FRESH,
    FULL,
    GATHERED,
    HEADER,
    IDS,
    INACTIVE,
    INT_ZERO,
    INTS_TOP,
    KEPT,
    LOWEST,
    NETWORK,
    NEW_ACTIVE,
    NEW_FIRST,
    NEW_OPEN,
    NO,
    OPEN,
    OPEN_STATUS,
    PLACE,
    REALS_TOP,
    ROWS,
    SHARED,
    SIZES,
    START,
    STATUS,
    TEMPORARY,
    YES,
    Floats,
    Ints,
    Work,
)

__all__ = ["localise"]

# Places of the arrays among the fields of Work, for FULL_ARRAY.
REALS_FIELD = Work._fields.index("reals")
INTS_FIELD = Work._fields.index("ints")
TEMPORARY_FIELD = Work._fields.index("temporary")


@inlined
def localise(work: Work, reach: float, corner_error: float) -> int:
    """Replace the current cell's local network by its own; the lowest layer's rows are given by STATUS.

    reach : max |x_c| over the cell. corner_error : largest error of a corner.
    To be called after a scan of the same cell, whose LOW, HIGH and THRESHOLD it reads.
    Returns DONE, or FULL with nothing changed.
    """
    net = work.state[NETWORK]
    horizon = relax(work, net, reach, corner_error)
    new = work.state[INTS_TOP]
    if plan(work, net, horizon) == FULL:
        return FULL
    reduce(work, net, new)
    enter(work, new)
    return DONE


@inlined
def plan(work: Work, net: int, horizon: int) -> int:
    """Count what stays and what is substituted in each layer, and see that there is room; FULL if not."""
    state, ints = work.state, work.ints
    lowest, depth, k = ints[net + LOWEST], state[DEPTH], state[DIMENSION] + 1
    layers = work.layer_ints
    reals_room, temporary_room = state[REALS_TOP], 0
    ints_room = state[INTS_TOP] + HEADER + FIELDS * depth
    for layer in range(lowest, depth):
        stay = active = 0
        for q in range(layers[layer, START], layers[layer + 1, START]):
            stay += work.open_ints[OPEN_STATUS, q] == OPEN
            active += work.open_ints[OPEN_STATUS, q] == ACTIVE
        changed = stay < layers[layer + 1, START] - layers[layer, START]
        first = max(ints[field(net, layer, FIRST)], lowest)
        new_first, shared = min(first, layer), not changed and layer >= horizon
        for below in range(first, layer):
            if layers[below, CHANGED]:
                shared = False
            if layers[below, NEW_ACTIVE] > 0:
                new_first = min(new_first, layers[below, NEW_FIRST])
        columns = 0
        for below in range(new_first, layer):
            columns += layers[below, NEW_OPEN]
        layers[layer, NEW_OPEN], layers[layer, NEW_ACTIVE] = stay, active
        layers[layer, NEW_FIRST], layers[layer, SHARED] = new_first, shared
        layers[layer, TEMPORARY], layers[layer, CHANGED] = temporary_room, changed
        if not shared:
            reals_room += stay * (k + 4 + columns)
            temporary_room += active * (k + 4 + columns)
            ints_room += stay
    if reals_room > work.reals.size:
        return need(state, REALS_FIELD, reals_room)
    if ints_room > ints.size:
        return need(state, INTS_FIELD, ints_room)
    if temporary_room > work.temporary.size:
        return need(state, TEMPORARY_FIELD, temporary_room)
    return DONE


@inlined
def reduce(work: Work, net: int, new: int) -> None:
    """Write the new local network at the top of the arenas, lowest layer first."""
    state, ints, layers = work.state, work.ints, work.layer_ints
    lowest, depth, k = ints[net + LOWEST], state[DEPTH], state[DIMENSION] + 1
    ints[new + LOWEST] = lowest
    ints_top, reals_top = new + HEADER + FIELDS * depth, state[REALS_TOP]
    for layer in range(lowest, depth):
        stay, active = layers[layer, NEW_OPEN], layers[layer, NEW_ACTIVE]
        if layers[layer, SHARED]:
            for name in range(FIELDS):
                ints[field(new, layer, name)] = ints[field(net, layer, name)]
            for q in range(work.layer_ints[layer, START], work.layer_ints[layer + 1, START]):
                work.open_ints[PLACE, q] = q - work.layer_ints[layer, START]
            continue
        sort_rows(work, net, layer, lowest, ints_top)
        columns = INT_ZERO
        for below in range(layers[layer, NEW_FIRST], layer):
            columns += layers[below, NEW_OPEN]
        ints[field(new, layer, ROWS)] = stay
        ints[field(new, layer, FIRST)] = layers[layer, NEW_FIRST]
        ints[field(new, layer, IDS)] = ints_top
        set_offsets(ints, field(new, layer, 0), reals_top, stay, k)
        write_rows(work, net, new, layer, INT_ZERO, stay, work.reals, reals_top, columns)
        if active:
            write_rows(work, net, new, layer, stay, active, work.temporary, layers[layer, TEMPORARY], columns)
        ints_top += stay
        reals_top += stay * (k + 4 + columns)
    state[INTS_TOP], state[REALS_TOP] = ints_top, reals_top


@inlined
def set_offsets(ints: Ints, record: int, at: int, rows: int, k: int) -> None:
    """Lay a layer's blocks one after the other from `at`: forms, errors, sizes, coupling."""
    ints[record + FORMS] = at
    ints[record + ERRORS] = at + k * rows
    ints[record + SIZES] = at + (k + 2) * rows
    ints[record + COUPLING] = at + (k + 4) * rows


@inlined
def sort_rows(work: Work, net: int, layer: int, lowest: int, ids_at: int) -> None:
    """List the rows that stay, then those to substitute, in KEPT; give each its place; mark the active."""
    ints = work.ints
    start, rows = work.layer_ints[layer, START], ints[field(net, layer, ROWS)]
    old_ids = ints[field(net, layer, IDS)]
    stay, active = 0, work.layer_ints[layer, NEW_OPEN]
    base = work.layer_ints[layer, FIRST_NEURON]
    for i in range(rows):
        status = work.open_ints[OPEN_STATUS, start + i]
        if status == OPEN:
            work.row_ints[KEPT, stay] = i
            work.open_ints[PLACE, start + i] = stay
            ints[ids_at + stay] = ints[old_ids + i]
            stay += 1
        elif status == ACTIVE:
            work.row_ints[KEPT, active] = i
            work.open_ints[PLACE, start + i] = active - work.layer_ints[layer, NEW_OPEN]
            active += 1
            if layer > lowest:
                mark_active(work.pattern, base + ints[old_ids + i])


@kernel
def write_rows(
    work: Work, net: int, new: int, layer: int, begin: int, n: int, target: Floats, at: int, columns: int
) -> None:
    """Write n rows of a layer (those of KEPT from `begin`) with everything stable below substituted.

    target, at : the array and place for forms (k n), errors (2 n), sizes (2 n), coupling (columns n).

    Rounding: with m substituted rows p of forms B_p, couplings A_p, bounds e_p and sizes S_p,
    fl(B + sum_p a_p B_p) differs from the exact sum by at most gamma(m + 2) (|B| + sum_p |a_p| |B_p|), the
    couplings likewise, and relu(z*_q) <= S_q on the cell. Together: gamma (|B| + sum_q |A_q| S_q) for what was
    there, and sum_p |a_p| (e_p + gamma S_p) for what came in.
    """
    ints, reals, k = work.ints, work.reals, work.state[DIMENSION] + 1
    rows, lowest = ints[field(net, layer, ROWS)], ints[net + LOWEST]
    forms, errors = ints[field(net, layer, FORMS)], ints[field(net, layer, ERRORS)]
    errors_at, sizes_at, coupling_at = at + k * n, at + (k + 2) * n, at + (k + 4) * n
    target[sizes_at : coupling_at + columns * n] = 0.0
    for i in range(n):
        old = work.row_ints[KEPT, begin + i]
        for c in range(k):
            value = reals[forms + c * rows + old]
            target[at + c * n + i] = value
            target[sizes_at + (n if c == k - 1 else 0) + i] += abs(value)
        target[errors_at + i] = reals[errors + old]
        target[errors_at + n + i] = reals[errors + rows + old]
    if layer == lowest:
        for i in range(2 * n):
            target[sizes_at + i] = (target[sizes_at + i] + target[errors_at + i]) * ROUND_UP
        return
    first = max(ints[field(net, layer, FIRST)], lowest)
    begin_q, end_q = work.layer_ints[first, START], work.layer_ints[layer, START]
    terms = 2 + end_q - begin_q
    coupling = ints[field(net, layer, COUPLING)]
    gathered = work.row_reals[GATHERED]
    shift = 0
    for below in range(work.layer_ints[layer, NEW_FIRST], first):
        shift += work.layer_ints[below, NEW_OPEN]
    substituted = touched_g = touched_w = NO
    for below in range(first, layer):
        stay = work.layer_ints[below, NEW_OPEN]
        sizes_below = ints[field(new, below, SIZES)]
        for q in range(work.layer_ints[below, START], work.layer_ints[below + 1, START]):
            status = work.open_ints[OPEN_STATUS, q]
            if status == INACTIVE:
                continue
            column = coupling + (q - begin_q) * rows
            for i in range(n):
                gathered[i] = reals[column + work.row_ints[KEPT, begin + i]]
            place = work.open_ints[PLACE, q]
            if status == OPEN:
                slot = coupling_at + (shift + place) * n
                size_g, size_w = reals[sizes_below + place], reals[sizes_below + stay + place]
                touched_g, touched_w = touched_g or size_g > 0.0, touched_w or size_w > 0.0
                for i in range(n):
                    target[slot + i] += gathered[i]
                    target[sizes_at + i] += abs(gathered[i]) * size_g
                    target[sizes_at + n + i] += abs(gathered[i]) * size_w
            else:
                substituted = YES
                grown_g, grown_w = substitute(work, layer, below, place, n, target, at, gamma(terms))
                touched_g, touched_w = touched_g or grown_g, touched_w or grown_w
        shift += stay
    finish_rows(work, new, layer, n, target, at, substituted, touched_g, touched_w, gamma(terms))


@kernel
def substitute(
    work: Work, layer: int, below: int, place: int, n: int, target: Floats, at: int, rounding: float
) -> tuple[bool, bool]:
    """Add GATHERED times one active row (in `temporary`) to n rows; say which of its bounds are not zero."""
    temporary, layers, k = work.temporary, work.layer_ints, work.state[DIMENSION] + 1
    gathered, active = work.row_reals[GATHERED], layers[below, NEW_ACTIVE]
    source = layers[below, TEMPORARY]
    for c in range(k):
        value = temporary[source + c * active + place]
        for i in range(n):
            target[at + c * n + i] += gathered[i] * value
    errors, sizes = source + k * active + place, source + (k + 2) * active + place
    error_g = temporary[errors] + rounding * temporary[sizes]
    error_w = temporary[errors + active] + rounding * temporary[sizes + active]
    # The product with the size may have underflowed, and gathered may be large.
    if temporary[sizes] > 0.0:
        error_g += UNDERFLOW
    if temporary[sizes + active] > 0.0:
        error_w += UNDERFLOW
    errors_at, coupling_at = at + k * n, at + (k + 4) * n
    for i in range(n):
        target[errors_at + i] += abs(gathered[i]) * error_g
        target[errors_at + n + i] += abs(gathered[i]) * error_w
    slot, columns = coupling_at, 0
    for under in range(layers[layer, NEW_FIRST], below):
        if under < layers[below, NEW_FIRST]:
            slot += layers[under, NEW_OPEN] * n
        else:
            columns += layers[under, NEW_OPEN]
    source += (k + 4) * active + place
    for j in range(columns):
        value = temporary[source + j * active]
        for i in range(n):
            target[slot + j * n + i] += gathered[i] * value
    return temporary[sizes] > 0.0 or temporary[errors] > 0.0, (
        temporary[sizes + active] > 0.0 or temporary[errors + active] > 0.0
    )


@inlined
def finish_rows(
    work: Work,
    new: int,
    layer: int,
    n: int,
    target: Floats,
    at: int,
    substituted: bool,
    touched_g: bool,
    touched_w: bool,
    rounding: float,
) -> None:
    """Close the bounds of n rows: rounding of what was there, underflow, and the new sizes."""
    ints, reals, layers, k = work.ints, work.reals, work.layer_ints, work.state[DIMENSION] + 1
    errors_at, sizes_at, coupling_at = at + k * n, at + (k + 2) * n, at + (k + 4) * n
    for half in range(2):
        touched = touched_w if half else touched_g
        for i in range(half * n, half * n + n):
            tiny = UNDERFLOW if touched or target[sizes_at + i] > 0.0 else 0.0
            if substituted:
                target[errors_at + i] = (target[errors_at + i] + rounding * target[sizes_at + i]) * ROUND_UP + tiny
    if substituted:
        target[sizes_at : sizes_at + 2 * n] = 0.0
        for c in range(k):
            slot = sizes_at + (n if c == k - 1 else 0)
            for i in range(n):
                target[slot + i] += abs(target[at + c * n + i])
        column = coupling_at
        below_g = below_w = 0.0
        for below in range(layers[layer, NEW_FIRST], layer):
            stay, sizes = layers[below, NEW_OPEN], ints[field(new, below, SIZES)]
            for j in range(stay):
                size_g, size_w = reals[sizes + j], reals[sizes + stay + j]
                below_g += size_g
                below_w += size_w
                for i in range(n):
                    target[sizes_at + i] += abs(target[column + i]) * size_g
                    target[sizes_at + n + i] += abs(target[column + i]) * size_w
                column += n
        # A coupling that underflowed is multiplied by the size of what it couples to.
        for i in range(n):
            target[errors_at + i] += UNDERFLOW * below_g
            target[errors_at + n + i] += UNDERFLOW * below_w
    for half in range(2):
        tiny = UNDERFLOW if (touched_w if half else touched_g) else 0.0
        for i in range(half * n, half * n + n):
            target[sizes_at + i] = (target[sizes_at + i] + target[errors_at + i]) * ROUND_UP + tiny


@inlined
def enter(work: Work, new: int) -> None:
    """Make the network recorded at `new` the current one, past all layers that have no open row left."""
    state, ints = work.state, work.ints
    layer = ints[new + LOWEST]
    while layer < state[DEPTH] and ints[field(new, layer, ROWS)] == 0:
        work.by_layer[layer] += 1
        layer += 1
        state[FRESH] = 1
    ints[new + LOWEST] = layer
    state[NETWORK] = new
    if layer < state[DEPTH]:
        work.row_ints[STATUS, : ints[field(new, layer, ROWS)]] = OPEN
