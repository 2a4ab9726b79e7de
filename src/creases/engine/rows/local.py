"""The local network: what of the network is still undecided on one cell.

On a small cell nearly every neuron keeps one sign. One whose slope there is zero drops out; any other is linear and is
substituted into the layers above. What remains, for each layer from the lowest that is not decided, are the
open rows only, over the same few coordinates, with couplings that may skip layers:

    z_l = forms_l (x, 1) + sum over open layers p < l of coupling_{l,p} kink(z_p)      up to the row's bounds.

`localise` makes the local network of a cell from that of a larger one, layer by layer: each layer's rows are looked
at over the cell's corners (`scan` where they are affine, else `relax`), and those that stay open are written, with
all that is stable below substituted. A layer that did not change is shared by offset.

What the bounds (E_g, E_w) of a row say, with z* the true pre-activations of the real network:

    | z*_i(x) - [ forms_i (x, 1) + sum_q coupling_iq kink(z*_q(x)) ] | <= E_g max|x_c| + E_w   on the cell,

so the rounding of couplings is in them too. The pair (S_g, S_w) bounds the size: |z*_i(x)| <= S_g max|x_c| + S_w.
None of the four is ever NaN (`substitution`), so the largest size of a layer is a maximum that loses nothing.
"""

from __future__ import annotations

from creases.engine.kernel import by_domain, inlined, kernel
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW, or_infinite
from creases.engine.rows.pairs import write_pairs
from creases.engine.rows.relax import drop, relax_affine, relax_layer
from creases.engine.rows.relax_switches import relax_switches
from creases.engine.rows.rows_in_space import list_form_in_space
from creases.engine.rows.scan import follow, halving, note_scan, scan_row, status_of
from creases.engine.rows.slopes import handed_size, is_dropped, scale_listed, scale_row, slope_of
from creases.engine.rows.substitution import write_row
from creases.engine.rows.sums import status_of_sum
from creases.engine.state.network_layout import (
    BLOCK,
    ERROR_G,
    ERROR_W,
    FIELDS,
    FIRST,
    HEADER,
    IDS,
    LOWEST,
    ONE,
    PAIR_COLUMNS,
    PAIRS,
    ROWS,
    SCRATCH,
    SIZE_G,
    SIZE_W,
    STRIDE,
    X,
    Y,
)
from creases.engine.state.record import coupled, field, mark_active, need
from creases.engine.state.row_layout import (
    ACTIVE,
    ACTIVE_AT,
    ACTIVE_COLUMNS,
    ACTIVE_ERRORS,
    ACTIVE_FORM,
    ACTIVE_ROW,
    ACTIVE_SHIFT,
    ACTIVE_SIZES,
    ACTIVE_START,
    CHANGED,
    CROSSING,
    CROSSING_UNPROVED,
    EXACT,
    FIRST_NEURON,
    FOLLOWS,
    HIGH,
    KIND,
    KIND_OF_LAYER,
    LOW,
    MOST_G,
    MOST_W,
    NEW_FIRST,
    NO_SIGNS,
    OPEN,
    OPEN_ROW,
    OPEN_START,
    OPEN_STATUS,
    SIGNS,
    START,
    STATUS,
    SWITCH_LAYER,
    THRESHOLD,
    UNKNOWN,
)
from creases.engine.state.slots import (
    DEPTH,
    DONE,
    FRESH,
    FULL,
    INTS_TOP,
    MOST_CANDIDATES,
    NETWORK,
    NO,
    NO_ROW,
    PLAIN_CHAIN,
    REALS_TOP,
    SCANNED,
    WALL,
)
from creases.engine.state.work import (
    INTS_FIELD,
    REALS_FIELD,
    AnyWork,
    Work,
)

__all__ = ["localise"]

# A layer of more than this many rows of which more than STUBBORN stay open says that the cell is still large:
# the layers above are not looked at. Sound, only looser.
STUBBORN_ROWS = 8
STUBBORN = 0.9


@inlined
def localise(work: AnyWork, reach: float, corner_error: float) -> int:
    """Replace the current cell's local network by its own; the lowest layer's rows are given by STATUS.

    reach : max |x_c| over the cell. corner_error : largest error of a corner.
    To be called after a scan of the same cell, whose LOW, HIGH and THRESHOLD it reads.
    Returns DONE, or FULL with nothing changed.
    """
    state, layers = work.state, work.layer_ints
    net, new = state[NETWORK], state[INTS_TOP]
    lowest, depth = work.ints[net + LOWEST], state[DEPTH]
    if make_room(work, net, lowest, depth) == FULL:
        return FULL
    work.ints[new + LOWEST] = lowest
    state[INTS_TOP] = new + HEADER + FIELDS * depth
    state[SCANNED] = 0
    layers[lowest, OPEN_START] = layers[lowest, ACTIVE_START] = 0
    # Rows to substitute are put together behind the place that the new network can take at most.
    apart = (work.reals.size + state[REALS_TOP]) // 2
    take_lowest(work, net, new, lowest, reach, corner_error)
    stubborn, affine = NO, layers[lowest + 1, OPEN_START] == 0 and state[WALL] == 0
    for layer in range(lowest + 1, depth):
        rows = work.ints[field(net, layer, ROWS)]
        first = max(work.ints[field(net, layer, FIRST)], lowest)
        switches = layers[layer, KIND_OF_LAYER] == SWITCH_LAYER
        if affine and not switches:
            write_affine(work, net, new, layer, first, reach, corner_error)
            affine = layers[layer + 1, OPEN_START] == 0
            continue
        if not stubborn:
            stay = relax_layer(work, net, layer, first, reach, corner_error)
            if switches:
                stay = relax_switches(work, net, layer, first, layers[layer, START], reach, corner_error)
            stubborn = rows > STUBBORN_ROWS and stay > STUBBORN * rows
        if stubborn:
            for q in range(layers[layer, START], layers[layer + 1, START]):
                work.open_ints[OPEN_STATUS, q] = OPEN
        apart = write_layer(work, net, new, layer, first, apart)
        affine = affine and layers[layer + 1, OPEN_START] == 0
    enter(work, new)
    return DONE


@inlined
def make_room(work: AnyWork, net: int, lowest: int, depth: int) -> int:
    """See that there is room for the new local network whatever drops out; FULL if not. Counts rows in START."""
    state, layers = work.state, work.layer_ints
    most, total, pairs = 0, 0, 0
    layers[lowest, START] = 0
    for layer in range(lowest, depth):
        rows = work.ints[field(net, layer, ROWS)]
        most += rows * (coupled(work) + total)
        total += rows
        layers[layer + 1, START] = total
        if layers[layer, KIND_OF_LAYER] == SWITCH_LAYER:
            pairs = max(pairs, rows * (min(rows, state[MOST_CANDIDATES]) - 1) // 2)
    room = state[REALS_TOP] + 2 * (most + pairs * coupled(work) + SCRATCH)  # the rows, and those to substitute
    if room > work.reals.size:
        return need(state, REALS_FIELD, room)
    room = state[INTS_TOP] + HEADER + FIELDS * depth + total + PAIR_COLUMNS * pairs
    if room > work.ints.size:
        return need(state, INTS_FIELD, room)
    return DONE


@inlined
def take_lowest(work: AnyWork, net: int, new: int, lowest: int, reach: float, corner_error: float) -> None:
    """The lowest layer's rows by the statuses of the scan: the open ones are kept, the active ones to substitute."""
    ints, reals, state = work.ints, work.reals, work.state
    rows, old_ids, wide = ints[field(net, lowest, ROWS)], ints[field(net, lowest, IDS)], coupled(work)
    source, stride = ints[field(net, lowest, BLOCK)], ints[field(net, lowest, STRIDE)]
    at, ids = state[REALS_TOP], state[INTS_TOP]
    stay = active = 0
    neurons, plain = work.layer_ints[lowest, FIRST_NEURON], state[PLAIN_CHAIN]
    switches = work.layer_ints[lowest, KIND_OF_LAYER] == SWITCH_LAYER
    most_g = most_w = 0.0
    for i in range(rows):
        status, neuron = work.row_ints[STATUS, i], neurons + ints[old_ids + i]
        work.open_ints[OPEN_STATUS, i] = status
        if is_dropped(work, plain, neuron, status):
            drop(work, i)
        else:
            low = work.row_reals[i, LOW] - work.row_reals[i, THRESHOLD]
            high = work.row_reals[i, HIGH] + work.row_reals[i, THRESHOLD]
            # Open candidates are relaxed as linear rows, and their switches afterwards.
            relax_affine(work, i, neuron, ACTIVE if switches else status, source, low, high, reach)
            most_g = max(most_g, handed_size(work, plain, reals[source + SIZE_G], neuron))
            most_w = max(most_w, handed_size(work, plain, reals[source + SIZE_W], neuron))
            if status == OPEN:
                for c in range(wide):
                    reals[at + c] = reals[source + c]
                work.open_ints[OPEN_ROW, stay] = i
                ints[ids + stay] = ints[old_ids + i]
                stay += 1
                at += wide
            else:
                note_active(work, active, i, source, 0, 0)
                if not plain:
                    scale_listed(work, active, slope_of(work, neuron, status), work.layer_ints[lowest, EXACT])
                active += 1
        source += stride
    close_layer(work, new, lowest, lowest, stay, active, rows, wide, most_g, most_w)
    if switches and stay:
        relax_switches(work, net, lowest, lowest, 0, reach, corner_error)


@inlined
def note_active(work: AnyWork, place: int, q: int, at: int, shift: int, columns: int) -> None:
    """List a row to substitute, that stands at `at`."""
    ints = work.open_ints
    ints[ACTIVE_ROW, place], ints[ACTIVE_AT, place] = q, at
    ints[ACTIVE_SHIFT, place], ints[ACTIVE_COLUMNS, place] = shift, columns
    list_form(work, place, at)


@inlined
def list_form_in_plane(work: Work, place: int, at: int) -> None:
    """List the form, bounds and sizes of a row to substitute."""
    reals, listed = work.reals, work.open_reals
    listed[ACTIVE_FORM, place], listed[ACTIVE_FORM + 1, place] = reals[at + X], reals[at + Y]
    listed[ACTIVE_FORM + 2, place] = reals[at + ONE]
    listed[ACTIVE_ERRORS, place], listed[ACTIVE_ERRORS + 1, place] = reals[at + ERROR_G], reals[at + ERROR_W]
    listed[ACTIVE_SIZES, place], listed[ACTIVE_SIZES + 1, place] = reals[at + SIZE_G], reals[at + SIZE_W]


list_form = by_domain(list_form_in_plane, list_form_in_space)


@inlined
def close_layer(
    work: AnyWork,
    new: int,
    layer: int,
    new_first: int,
    stay: int,
    active: int,
    rows: int,
    stride: int,
    most_g: float,
    most_w: float,
) -> None:
    """Write a layer's record and move the tops past its rows."""
    ints, layers, state = work.ints, work.layer_ints, work.state
    ints[field(new, layer, ROWS)], ints[field(new, layer, FIRST)] = stay, new_first
    ints[field(new, layer, IDS)], ints[field(new, layer, BLOCK)] = state[INTS_TOP], state[REALS_TOP]
    ints[field(new, layer, STRIDE)], ints[field(new, layer, PAIRS)] = stride, 0
    state[INTS_TOP] += stay
    state[REALS_TOP] += stay * stride
    work.layer_reals[layer, MOST_G], work.layer_reals[layer, MOST_W] = most_g, most_w
    layers[layer, NEW_FIRST], layers[layer, CHANGED] = new_first, stay < rows
    layers[layer + 1, OPEN_START] = layers[layer, OPEN_START] + stay
    layers[layer + 1, ACTIVE_START] = layers[layer, ACTIVE_START] + active


@inlined
def write_affine(work: AnyWork, net: int, new: int, layer: int, first: int, reach: float, corner_error: float) -> None:
    """A layer below which nothing is open: its rows are affine, and are scanned as soon as they are written.

    If some stay open it is the new lowest layer, and the scan need not be done again.
    """
    ints, reals, layers, state = work.ints, work.reals, work.layer_ints, work.state
    rows, old_ids = ints[field(net, layer, ROWS)], ints[field(net, layer, IDS)]
    source, stride = ints[field(net, layer, BLOCK)], ints[field(net, layer, STRIDE)]
    at, ids, start, wide = state[REALS_TOP], state[INTS_TOP], layers[layer, START], coupled(work)
    base, neurons, plain = layers[layer, ACTIVE_START], layers[layer, FIRST_NEURON], state[PLAIN_CHAIN]
    stay = active = crossing = half_proved = unknown = following = 0
    best, best_row = -1.0, NO_ROW
    most_g = most_w = 0.0
    for q in range(start, start + rows):
        write_row(work, layer, first, layer, source, at)
        source += stride
        neuron, status = ints[old_ids + q - start], scan_row(work, stay, at, reach, corner_error)
        twin = work.twins[neurons + neuron]
        if status == OPEN and twin != 0:
            statuses = work.open_ints[OPEN_STATUS, start : start + rows]
            known = status_of(work.ints, statuses, work.pattern, neurons, old_ids, q - start, twin)
            status = follow(work, stay, twin, known)
        if status == OPEN and work.row_ints[KIND, stay] == UNKNOWN and layers[layer, SIGNS] != NO_SIGNS:
            status = status_of_sum(work.pattern, layers, work.signs, layer, neuron)
        work.open_ints[OPEN_STATUS, q] = status
        if status == ACTIVE:
            mark_active(work.pattern, neurons + neuron)
        if is_dropped(work, plain, neurons + neuron, status):
            drop(work, q)
            continue
        low = work.row_reals[stay, LOW] - work.row_reals[stay, THRESHOLD]
        high = work.row_reals[stay, HIGH] + work.row_reals[stay, THRESHOLD]
        relax_affine(work, q, neurons + neuron, status, at, low, high, reach)
        most_g = max(most_g, handed_size(work, plain, reals[at + SIZE_G], neurons + neuron))
        most_w = max(most_w, handed_size(work, plain, reals[at + SIZE_W], neurons + neuron))
        if status != OPEN:
            note_active(work, base + active, q, at, 0, 0)  # listed whole: its place may be written over
            if not plain:
                scale_listed(work, base + active, slope_of(work, neurons + neuron, status), layers[layer, EXACT])
            active += 1
            continue
        work.open_ints[OPEN_ROW, stay], ints[ids + stay] = q, neuron
        kind = work.row_ints[KIND, stay]
        half_proved += kind == CROSSING_UNPROVED
        unknown += kind == UNKNOWN
        following += kind == FOLLOWS
        if kind == CROSSING:
            crossing += 1
            score = halving(work, stay, at)
            if score > best or best_row == NO_ROW:
                best, best_row = score, stay
        stay += 1
        at += wide
    close_layer(work, new, layer, layer, stay, active, rows, wide, most_g, most_w)
    if stay:
        note_scan(work, crossing, half_proved, unknown, following, best_row)
        state[SCANNED] = 1


@inlined
def write_layer(work: AnyWork, net: int, new: int, layer: int, first: int, apart: int) -> int:
    """Write the rows of a layer by their statuses; where nothing has changed it is shared.

    apart : the next free place for rows to substitute; returns the one behind those of this layer.
    """
    ints, reals, layers, state = work.ints, work.reals, work.layer_ints, work.state
    rows, old_ids, ids = ints[field(net, layer, ROWS)], ints[field(net, layer, IDS)], state[INTS_TOP]
    source, old_stride = ints[field(net, layer, BLOCK)], ints[field(net, layer, STRIDE)]
    start, base, opened = layers[layer, START], layers[layer, ACTIVE_START], layers[layer, OPEN_START]
    new_first, rewrite, last, plain = min(first, layer), NO, layer + 1 == state[DEPTH], state[PLAIN_CHAIN]
    for below in range(first, layer):
        rewrite = rewrite or layers[below, CHANGED] == 1
        if layers[below + 1, ACTIVE_START] > layers[below, ACTIVE_START]:
            new_first = min(new_first, layers[below, NEW_FIRST])
    for q in range(start, start + rows):
        rewrite = rewrite or work.open_ints[OPEN_STATUS, q] != OPEN
    shift = layers[new_first, OPEN_START]
    top, stride = state[REALS_TOP], coupled(work) + opened - shift
    stay = active = 0
    most_g = most_w = 0.0
    for i in range(rows):
        status, neuron = work.open_ints[OPEN_STATUS, start + i], ints[old_ids + i]
        number = layers[layer, FIRST_NEURON] + neuron
        if status == ACTIVE:
            mark_active(work.pattern, number)
        if status == OPEN or (not last and not is_dropped(work, plain, number, status)):
            at = source
            if rewrite:
                at = top + stay * stride if status == OPEN else apart
                write_row(work, layer, first, new_first, source, at)
            most_g = max(most_g, handed_size(work, plain, reals[at + SIZE_G], number))
            most_w = max(most_w, handed_size(work, plain, reals[at + SIZE_W], number))
            if status == OPEN:
                work.open_ints[OPEN_ROW, opened + stay], ints[ids + stay] = start + i, neuron
                stay += 1
            else:
                # `at` is apart, because a layer of which a row does not stay is rewritten.
                if not plain:
                    slope = slope_of(work, number, status)
                    scale_row(reals, at, stride, slope, layers[layer, EXACT])
                    if abs(slope) != 1.0 and not layers[layer, EXACT]:
                        pay_for_couplings(work, at, new_first, layer)
                note_active(work, base + active, start + i, at, shift, opened - shift)
                active += 1
                apart += stride
        source += old_stride
    close_layer(work, new, layer, new_first, stay, active, rows, stride if rewrite else 0, most_g, most_w)
    if not rewrite:
        for name in (FIRST, BLOCK, STRIDE):
            ints[field(new, layer, name)] = ints[field(net, layer, name)]
    return apart


@kernel
def pay_for_couplings(work: AnyWork, at: int, first: int, layer: int) -> None:
    """Couplings of the row at `at` may have underflowed as they were scaled: each is multiplied by the size of what it
    couples to (`substitution.write_row`)."""
    reals = work.reals
    for below in range(first, layer):
        places = work.layer_ints[below + 1, OPEN_START] - work.layer_ints[below, OPEN_START]
        lost_g = UNDERFLOW * places * work.layer_reals[below, MOST_G]
        lost_w = UNDERFLOW * places * work.layer_reals[below, MOST_W]
        reals[at + ERROR_G] = or_infinite(reals[at + ERROR_G] + lost_g * ROUND_UP)
        reals[at + ERROR_W] = or_infinite(reals[at + ERROR_W] + lost_w * ROUND_UP)


@inlined
def enter(work: AnyWork, new: int) -> None:
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
        for i in range(ints[field(new, layer, ROWS)]):
            work.row_ints[STATUS, i] = OPEN
        if work.layer_ints[layer, KIND_OF_LAYER] == SWITCH_LAYER:
            write_pairs(work, new, layer)
