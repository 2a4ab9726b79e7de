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

from creases.engine.bounds import ROUND_UP, UNDERFLOW, UNIT, gamma
from creases.engine.kernel import inlined, kernel
from creases.engine.work import (
    ACTIVE,
    CELL,
    CHANGED,
    CORNERS,
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
    FULL_ARRAY,
    GATHERED,
    HEADER,
    HIGH,
    IDS,
    INACTIVE,
    INT_ZERO,
    INTS_TOP,
    KEPT,
    LOW,
    LOWEST,
    NEEDED,
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
    THRESHOLD,
    YES,
    Floats,
    Ints,
    Work,
)

__all__ = ["field", "localise", "mark_active", "need"]

# A layer of more than this many rows of which more than STUBBORN stay open says that the cell is still large:
# the layers above are not looked at. Sound, only looser.
FEW_ROWS = 8
STUBBORN = 0.9

# Places of the arrays among the fields of Work, for FULL_ARRAY.
REALS_FIELD = Work._fields.index("reals")
INTS_FIELD = Work._fields.index("ints")
TEMPORARY_FIELD = Work._fields.index("temporary")


@inlined
def field(net: int, layer: int, name: int) -> int:
    """Where a layer's field stands in `ints`, in the local network recorded at `net`."""
    return net + HEADER + FIELDS * layer + name


@inlined
def need(state: Ints, array: int, room: int) -> int:
    """Say that an array of Work (by its place among the fields) needs `room` entries."""
    state[FULL_ARRAY] = array
    state[NEEDED] = room
    return FULL


@inlined
def mark_active(pattern: Ints, neuron: int) -> None:
    """Set a neuron's bit."""
    pattern[neuron >> 6] |= 1 << (neuron & 63)


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
def relax(work: Work, net: int, reach: float, corner_error: float) -> int:
    """Bound all open neurons over the current cell, layer by layer; return the first layer not looked at.

    A neuron z with lo <= z <= hi, lo < 0 < hi, has s z <= relu(z) <= s z + t for any s in [0, 1] and
    t = max(-s lo, (1 - s) hi): relu(z) - s z is convex, so it is largest at an end, and smallest (0) at z = 0.
    So relu(z) = s Z + t / 2 up to s R + t / 2, where z = Z up to R. The last coordinate is 1 all over the cell.
    """
    state, ints = work.state, work.ints
    lowest, depth = ints[net + LOWEST], state[DEPTH]
    layers = work.layer_ints
    layers[lowest, START] = 0
    for layer in range(lowest, depth):
        layers[layer + 1, START] = layers[layer, START] + ints[field(net, layer, ROWS)]
    relax_lowest(work, net, lowest, reach)
    for layer in range(lowest + 1, depth):
        start, rows = layers[layer, START], ints[field(net, layer, ROWS)]
        terms = combine(work, net, layer, reach)
        stay = bound_rows(work, start, rows, reach, corner_error, terms)
        if rows > FEW_ROWS and stay > STUBBORN * rows:
            work.open_ints[OPEN_STATUS, start : layers[depth, START]] = OPEN
            return layer
    return depth


@inlined
def relax_lowest(work: Work, net: int, lowest: int, reach: float) -> None:
    """The rows of the lowest layer are affine on the cell: their forms, and the statuses of the scan."""
    ints, reals, d = work.ints, work.reals, work.state[DIMENSION]
    rows = ints[field(net, lowest, ROWS)]
    forms, errors = ints[field(net, lowest, FORMS)], ints[field(net, lowest, ERRORS)]
    for i in range(rows):
        status = work.row_ints[STATUS, i]
        work.open_ints[OPEN_STATUS, i] = status
        if status == INACTIVE:
            continue
        for c in range(d + 1):
            work.relaxed_km[c, i] = reals[forms + c * rows + i]
        radius = (reals[errors + i] * reach + reals[errors + rows + i]) * ROUND_UP
        low = work.row_reals[LOW, i] - work.row_reals[THRESHOLD, i]
        high = work.row_reals[HIGH, i] + work.row_reals[THRESHOLD, i]
        set_relaxed(work, i, status, low, high, radius, reach, INT_ZERO)


@inlined
def combine(work: Work, net: int, layer: int, reach: float) -> int:
    """Linear part and radius of the rows of a layer from those of the layers below; returns how many terms.

    The radius takes up |coupling| times the radii below, the row's own bounds, and the rounding of the sums.
    """
    ints, reals, d = work.ints, work.reals, work.state[DIMENSION]
    rows, start = ints[field(net, layer, ROWS)], work.layer_ints[layer, START]
    first = max(ints[field(net, layer, FIRST)], ints[net + LOWEST])
    forms, errors = ints[field(net, layer, FORMS)], ints[field(net, layer, ERRORS)]
    coupling = ints[field(net, layer, COUPLING)]
    begin, end = work.layer_ints[first, START], start
    terms = end - begin
    rounding = gamma(terms + 4)
    radius = work.relaxed_km[d + 1, start : start + rows]
    radius[:] = 0.0
    for c in range(d + 1):
        given = reals[forms + c * rows : forms + (c + 1) * rows]
        linear = work.relaxed_km[c, start : start + rows]
        largest = reach if c < d else 1.0
        for i in range(rows):
            linear[i] = given[i]
            radius[i] += rounding * largest * abs(given[i])
    for q in range(begin, end):
        if work.open_ints[OPEN_STATUS, q] == INACTIVE:
            continue
        column = reals[coupling + (q - begin) * rows : coupling + (q - begin + 1) * rows]
        for c in range(d + 1):
            factor = work.relaxed_km[c, q]
            linear = work.relaxed_km[c, start : start + rows]
            for i in range(rows):
                linear[i] += column[i] * factor
        below = work.relaxed_km[d + 1, q]
        for i in range(rows):
            radius[i] += abs(column[i]) * below
    for i in range(rows):
        radius[i] = (radius[i] + reals[errors + i] * reach + reals[errors + rows + i]) * ROUND_UP + UNDERFLOW
    return terms


@inlined
def bound_rows(work: Work, start: int, rows: int, reach: float, corner_error: float, terms: int) -> int:
    """Lower and upper bounds of a layer's rows over the cell, their statuses, their relaxation; count the open.

    The linear part is evaluated at the computed corners; corner errors and the rounding of the evaluation
    (4 u of the sizes, as in `bounds.sign_threshold`; 8 u to cover the rounding of the bounds) widen the radius.
    """
    d, corners = work.state[DIMENSION], work.state[CORNERS]
    low_n, high_n = work.row_reals[LOW], work.row_reals[HIGH]
    for v in range(corners):
        x = work.cell_reals[CELL, v, 0]
        y = work.cell_reals[CELL, v, d - 1]
        for i in range(rows):
            value = work.relaxed_km[0, start + i] * x + work.relaxed_km[d, start + i]
            if d == 2:
                value += work.relaxed_km[1, start + i] * y
            low_n[i] = min(value, low_n[i]) if v else value
            high_n[i] = max(value, high_n[i]) if v else value
    stay = 0
    for i in range(rows):
        gradient = 0.0
        for c in range(d):
            gradient += abs(work.relaxed_km[c, start + i])
        size = gradient * reach + abs(work.relaxed_km[d, start + i])
        radius = work.relaxed_km[d + 1, start + i]
        slack = (radius + gradient * corner_error + 8.0 * UNIT * size) * ROUND_UP + UNDERFLOW
        low, high = low_n[i] - slack, high_n[i] + slack
        # A NaN or an infinity proves nothing: such a row stays open.
        if low > 0.0 and high < 1e300:
            status = ACTIVE
        elif high < 0.0 and low > -1e300:
            status = INACTIVE
        else:
            status = OPEN
            stay += 1
        work.open_ints[OPEN_STATUS, start + i] = status
        if status != INACTIVE:
            set_relaxed(work, start + i, status, low, high, radius, reach, terms)
    return stay


@inlined
def set_relaxed(
    work: Work, q: int, status: int, low: float, high: float, radius: float, reach: float, terms: int
) -> None:
    """Turn the linear part Z and radius R of neuron q into those of relu(q), rounding included.

    The factor s and the products s Z are rounded, a relative 2 u at most of s |Z|; gamma(terms + 6) also pays for
    the sums of the layer above, which see the result as a factor (`combine`).
    """
    d = work.state[DIMENSION]
    slope, lift = 1.0, 0.0
    if status == OPEN:
        slope = 1.0 if low >= 0.0 else (0.0 if high <= 0.0 else high / (high - low))
        if not 0.0 <= slope <= 1.0:
            slope = 0.0
        lift = max(-slope * low, (1.0 - slope) * high, 0.0) * ROUND_UP
        if not lift < 1e300:
            slope, lift = 0.0, 1e305
    size = 0.0
    for c in range(d + 1):
        value = slope * work.relaxed_km[c, q]
        work.relaxed_km[c, q] = value
        size += abs(value) * (reach if c < d else 1.0)
    work.relaxed_km[d, q] += 0.5 * lift
    rounding = gamma(work.relaxed_km.shape[1] + terms + 8)
    work.relaxed_km[d + 1, q] = (slope * radius + 0.5 * lift + rounding * (size + lift)) * ROUND_UP + UNDERFLOW


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
        for below in range(layers[layer, NEW_FIRST], layer):
            stay, sizes = layers[below, NEW_OPEN], ints[field(new, below, SIZES)]
            for j in range(stay):
                size_g, size_w = reals[sizes + j], reals[sizes + stay + j]
                for i in range(n):
                    target[sizes_at + i] += abs(target[column + i]) * size_g
                    target[sizes_at + n + i] += abs(target[column + i]) * size_w
                column += n
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
