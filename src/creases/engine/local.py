"""The local network: what of the network is still undecided on one cell.

On a small cell nearly every neuron keeps one sign. An inactive one drops out; an active one is linear and is
substituted into the layers above. What remains, for each layer from the lowest that is not decided, are the
open rows only, over the same few coordinates, with couplings that may skip layers:

    z_l = forms_l (x, 1) + sum over open layers p < l of coupling_{l,p} relu(z_p)      up to the row's bounds.

`localise` makes the local network of a cell from that of a larger one, layer by layer: each layer's rows are looked
at over the cell's corners (`scan` where they are affine, else `relax`), and those that stay open are written, with
all that is stable below substituted. A layer that did not change is shared by offset.

What the bounds (E_g, E_w) of a row say, with z* the true pre-activations of the real network:

    | z*_i(x) - [ forms_i (x, 1) + sum_q coupling_iq relu(z*_q(x)) ] | <= E_g max|x_c| + E_w   on the cell,

so the rounding of couplings is in them too. The pair (S_g, S_w) bounds the size: |z*_i(x)| <= S_g max|x_c| + S_w.
"""

from __future__ import annotations

from creases.engine.kernel import inlined
from creases.engine.record import field, mark_active, need
from creases.engine.relax import relax_affine, relax_layer
from creases.engine.scan import CROSSING, CROSSING_UNPROVED, UNKNOWN, halving, note_scan, scan_row
from creases.engine.substitution import copy_row, write_row
from creases.engine.work import (
    ACTIVE,
    ACTIVE_AT,
    ACTIVE_COLUMNS,
    ACTIVE_ROW,
    ACTIVE_SHIFT,
    ACTIVE_START,
    BLOCK,
    CHANGED,
    COUPLED,
    DEPTH,
    DONE,
    FIELDS,
    FIRST,
    FIRST_NEURON,
    FRESH,
    FULL,
    HEADER,
    HIGH,
    IDS,
    INACTIVE,
    INTS_TOP,
    KIND,
    LOW,
    LOWEST,
    NETWORK,
    NEW_FIRST,
    NO,
    OPEN,
    OPEN_AT,
    OPEN_ROW,
    OPEN_START,
    OPEN_STATUS,
    REALS_TOP,
    ROWS,
    SCANNED,
    START,
    STATUS,
    STRIDE,
    THRESHOLD,
    YES,
    Work,
)

__all__ = ["localise"]

# A layer of more than this many rows of which more than STUBBORN stay open says that the cell is still large:
# the layers above are not looked at. Sound, only looser.
FEW_ROWS = 8
STUBBORN = 0.9

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
    state, layers = work.state, work.layer_ints
    net, new = state[NETWORK], state[INTS_TOP]
    lowest, depth = work.ints[net + LOWEST], state[DEPTH]
    if make_room(work, net, lowest, depth) == FULL:
        return FULL
    work.ints[new + LOWEST] = lowest
    state[INTS_TOP] = new + HEADER + FIELDS * depth
    state[SCANNED] = 0
    layers[lowest, OPEN_START] = layers[lowest, ACTIVE_START] = 0
    take_lowest(work, net, new, lowest, reach)
    stubborn, temporary = NO, layers[lowest + 1, ACTIVE_START] * COUPLED
    affine = layers[lowest + 1, OPEN_START] == 0
    for layer in range(lowest + 1, depth):
        rows = work.ints[field(net, layer, ROWS)]
        first = max(work.ints[field(net, layer, FIRST)], lowest)
        if affine:
            temporary = write_affine(work, net, new, layer, first, reach, corner_error, temporary)
            affine = layers[layer + 1, OPEN_START] == 0
            continue
        if not stubborn:
            stay = relax_layer(work, net, layer, first, reach, corner_error)
            stubborn = rows > FEW_ROWS and stay > STUBBORN * rows
        if stubborn:
            for q in range(layers[layer, START], layers[layer + 1, START]):
                work.open_ints[OPEN_STATUS, q] = OPEN
        temporary = write_layer(work, net, new, layer, first, temporary)
    enter(work, new)
    return DONE


@inlined
def make_room(work: Work, net: int, lowest: int, depth: int) -> int:
    """See that there is room for the new local network whatever drops out; FULL if not. Counts rows in START."""
    state, layers = work.state, work.layer_ints
    most, total = 0, 0
    layers[lowest, START] = 0
    for layer in range(lowest, depth):
        rows = work.ints[field(net, layer, ROWS)]
        most += rows * (COUPLED + total)
        total += rows
        layers[layer + 1, START] = total
    if state[REALS_TOP] + most > work.reals.size:
        return need(state, REALS_FIELD, state[REALS_TOP] + most)
    if most > work.temporary.size:
        return need(state, TEMPORARY_FIELD, most)
    if state[INTS_TOP] + HEADER + FIELDS * depth + total > work.ints.size:
        return need(state, INTS_FIELD, state[INTS_TOP] + HEADER + FIELDS * depth + total)
    return DONE


@inlined
def take_lowest(work: Work, net: int, new: int, lowest: int, reach: float) -> None:
    """The lowest layer's rows by the statuses of the scan: the open ones are kept, the active ones to substitute."""
    ints, layers, state = work.ints, work.layer_ints, work.state
    rows, block, stride = work.ints[field(net, lowest, ROWS)], ints[field(net, lowest, BLOCK)], COUPLED
    old_ids, stay, active = ints[field(net, lowest, IDS)], 0, 0
    top, ids = state[REALS_TOP], state[INTS_TOP]
    old_stride = ints[field(net, lowest, STRIDE)]
    for i in range(rows):
        status = work.row_ints[STATUS, i]
        work.open_ints[OPEN_STATUS, i] = status
        at = block + i * old_stride
        low = work.row_reals[i, LOW] - work.row_reals[i, THRESHOLD]
        high = work.row_reals[i, HIGH] + work.row_reals[i, THRESHOLD]
        if status == OPEN:
            relax_affine(work, i, status, at, low, high, reach, YES)
            for c in range(COUPLED):
                work.reals[top + stay * stride + c] = work.reals[at + c]
            work.open_ints[OPEN_ROW, stay], work.open_ints[OPEN_AT, stay] = i, top + stay * stride
            ints[ids + stay] = ints[old_ids + i]
            stay += 1
        elif status == ACTIVE:
            relax_affine(work, i, status, at, low, high, reach, YES)
            for c in range(COUPLED):
                work.temporary[active * stride + c] = work.reals[at + c]
            note_active(work, active, i, active * stride, 0, 0)
            active += 1
    close_layer(work, new, lowest, lowest, stay, active, rows, stride, stride)


@inlined
def note_active(work: Work, place: int, q: int, at: int, shift: int, columns: int) -> None:
    """List a row to substitute."""
    work.open_ints[ACTIVE_ROW, place], work.open_ints[ACTIVE_AT, place] = q, at
    work.open_ints[ACTIVE_SHIFT, place], work.open_ints[ACTIVE_COLUMNS, place] = shift, columns


@inlined
def close_layer(
    work: Work, new: int, layer: int, new_first: int, stay: int, active: int, rows: int, stride: int, used: int
) -> None:
    """Write a layer's record and move the tops past its rows; `used` numbers a row."""
    ints, layers, state = work.ints, work.layer_ints, work.state
    ints[field(new, layer, ROWS)], ints[field(new, layer, FIRST)] = stay, new_first
    ints[field(new, layer, IDS)], ints[field(new, layer, BLOCK)] = state[INTS_TOP], state[REALS_TOP]
    ints[field(new, layer, STRIDE)] = stride
    state[INTS_TOP] += stay
    state[REALS_TOP] += stay * used
    layers[layer, NEW_FIRST], layers[layer, CHANGED] = new_first, stay < rows
    layers[layer + 1, OPEN_START] = layers[layer, OPEN_START] + stay
    layers[layer + 1, ACTIVE_START] = layers[layer, ACTIVE_START] + active


@inlined
def write_affine(
    work: Work, net: int, new: int, layer: int, first: int, reach: float, corner_error: float, temporary: int
) -> int:
    """A layer below which nothing is open: its rows are affine, and are scanned as soon as they are written.

    If some stay open it is the new lowest layer, and the scan need not be done again.
    Returns the next free place of `temporary`.
    """
    ints, layers, state = work.ints, work.layer_ints, work.state
    rows, old_ids = ints[field(net, layer, ROWS)], ints[field(net, layer, IDS)]
    block, stride = ints[field(net, layer, BLOCK)], ints[field(net, layer, STRIDE)]
    top, ids, start = state[REALS_TOP], state[INTS_TOP], layers[layer, START]
    base, neurons = layers[layer, ACTIVE_START], layers[layer, FIRST_NEURON]
    stay = active = crossing = half_proved = unknown = 0
    best, best_row = -1.0, -1
    for i in range(rows):
        at = top + stay * COUPLED
        write_row(work, net, layer, first, layer, block + i * stride, at, YES)
        status = scan_row(work, stay, at, reach, corner_error)
        work.open_ints[OPEN_STATUS, start + i] = status
        if status == INACTIVE:
            continue
        low = work.row_reals[stay, LOW] - work.row_reals[stay, THRESHOLD]
        high = work.row_reals[stay, HIGH] + work.row_reals[stay, THRESHOLD]
        relax_affine(work, start + i, status, at, low, high, reach, YES)
        if status == ACTIVE:
            copy_row(work, at, temporary)
            note_active(work, base + active, start + i, temporary, 0, 0)
            mark_active(work.pattern, neurons + ints[old_ids + i])
            active += 1
            temporary += COUPLED
            continue
        work.open_ints[OPEN_ROW, stay], work.open_ints[OPEN_AT, stay] = start + i, at
        ints[ids + stay] = ints[old_ids + i]
        kind = work.row_ints[KIND, stay]
        half_proved += kind == CROSSING_UNPROVED
        unknown += kind == UNKNOWN
        if kind == CROSSING:
            crossing += 1
            score = halving(work, stay, at)
            if score > best or best_row < 0:
                best, best_row = score, stay
        stay += 1
    close_layer(work, new, layer, layer, stay, active, rows, COUPLED, COUPLED)
    if stay:
        note_scan(work, crossing, half_proved, unknown, best_row)
        state[SCANNED] = 1
    return temporary


@inlined
def write_layer(work: Work, net: int, new: int, layer: int, first: int, temporary: int) -> int:
    """Write the rows of a layer by their statuses; returns the next free place of `temporary`."""
    ints, layers, state = work.ints, work.layer_ints, work.state
    rows, old_ids = ints[field(net, layer, ROWS)], ints[field(net, layer, IDS)]
    block, old_stride = ints[field(net, layer, BLOCK)], ints[field(net, layer, STRIDE)]
    start, base, neurons = layers[layer, START], layers[layer, ACTIVE_START], layers[layer, FIRST_NEURON]
    new_first, changed_below = min(first, layer), NO
    for below in range(first, layer):
        changed_below = changed_below or layers[below, CHANGED] == 1
        if layers[below + 1, ACTIVE_START] > layers[below, ACTIVE_START]:
            new_first = min(new_first, layers[below, NEW_FIRST])
    shift = layers[new_first, OPEN_START]
    columns = layers[layer, OPEN_START] - shift
    stride = COUPLED + columns
    shared = not changed_below
    for q in range(start, start + rows):
        shared = shared and work.open_ints[OPEN_STATUS, q] == OPEN
    top, ids, opened = state[REALS_TOP], state[INTS_TOP], layers[layer, OPEN_START]
    stay = active = 0
    for i in range(rows):
        status = work.open_ints[OPEN_STATUS, start + i]
        source = block + i * old_stride
        if status == OPEN:
            at = source if shared else top + stay * stride
            if not shared:
                write_row(work, net, layer, first, new_first, source, at, YES)
                ints[ids + stay] = ints[old_ids + i]
            work.open_ints[OPEN_ROW, opened + stay], work.open_ints[OPEN_AT, opened + stay] = start + i, at
            stay += 1
        elif status == ACTIVE:
            write_row(work, net, layer, first, new_first, source, temporary, NO)
            note_active(work, base + active, start + i, temporary, shift, columns)
            mark_active(work.pattern, neurons + ints[old_ids + i])
            active += 1
            temporary += stride
    if shared:
        layers[layer, NEW_FIRST], layers[layer, CHANGED] = ints[field(net, layer, FIRST)], 0
        layers[layer + 1, OPEN_START] = opened + stay
        layers[layer + 1, ACTIVE_START] = base
        for name in range(FIELDS):
            ints[field(new, layer, name)] = ints[field(net, layer, name)]
    else:
        close_layer(work, new, layer, new_first, stay, active, rows, stride, stride)
    return temporary


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
        for i in range(ints[field(new, layer, ROWS)]):
            work.row_ints[STATUS, i] = OPEN
