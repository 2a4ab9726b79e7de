"""A second reference, for polygons of hundreds of corners: corners in order, in whole numbers, and nothing else.

`reference.layers` compares all pairs of corners. In the plane a line leaves on either side the corners there and its
two zeros on edges; this yields the same as `reference.layers`.
"""

from typing import NamedTuple

from reference import dot, primitive, whole


class Flat(NamedTuple):
    pattern: tuple
    corners: list  # homogeneous whole numbers, in order round the cell
    bounded: bool = True


def layers(weights, biases, inputs, vertices):
    """Yield (regions, cutting) after each layer on a convex polygon; inputs : affine forms of (u, w)."""
    inputs, scale = whole(inputs)
    cells = [(Flat((), [primitive((*vertex, 1)) for vertex in vertices]), inputs)]
    for weight, bias in zip(weights, biases, strict=True):
        rows, factor = whole([*row, b] for row, b in zip(weight, bias, strict=True))
        rows = [(*row[:-1], row[-1] * scale) for row in rows]
        scale *= factor
        below, cells, cutting = cells, [], [0] * len(rows)
        for cell, outputs in below:
            columns = list(zip(*outputs, (0, 0, 1), strict=True))
            forms = [tuple(dot(row, column) for column in columns) for row in rows]
            pieces = [((), cell.corners)]
            for j, form in enumerate(forms):
                cutting[j] += cuts(form, cell.corners)
                pieces = [part for piece in pieces for part in split(piece, form)]
            for signs, corners in pieces:
                active = [form if on else (0, 0, 0) for on, form in zip(signs, forms, strict=True)]
                cells.append((Flat((*cell.pattern, signs), corners), active))
        yield [cell for cell, _ in cells], cutting


def cuts(form, corners):
    values = [dot(form, corner) for corner in corners]
    return min(values) < 0 < max(values)


def split(piece, form):
    """The piece, or its two parts, each with one more sign."""
    signs, corners = piece
    values = [dot(form, corner) for corner in corners]
    if not min(values) < 0 < max(values):
        return [((*signs, max(values) > 0), corners)]
    sides = {False: [], True: []}
    for p, q, a, b in zip(corners, corners[1:] + corners[:1], values, values[1:] + values[:1], strict=True):
        for side, value in ((False, -a), (True, a)):
            if value >= 0:
                sides[side].append(p)
            if value * (b if side else -b) < 0:
                zero = primitive([abs(a) * y + abs(b) * x for x, y in zip(p, q, strict=True)])
                sides[side].append(zero)
    return [((*signs, side), sides[side]) for side in (False, True)]
