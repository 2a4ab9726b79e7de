"""Faces, linear regions and six definitions in fractions, from the regions of `reference.py` and nothing else."""

from fractions import Fraction
from itertools import combinations

import reference


def rank(rows):
    """The rank of rows, by elimination."""
    rows, found = [[Fraction(x) for x in row] for row in rows], 0
    while rows:
        first = rows.pop()
        i = next((i for i, x in enumerate(first) if x), None)
        if i is not None:
            found += 1
            rows = [[x - row[i] / first[i] * y for x, y in zip(row, first, strict=True)] for row in rows]
    return found


def across(vector, lines):
    """The vector without its part along some lines, as the shortest whole one."""
    orthogonal = []
    for line in lines:
        line = [Fraction(x) for x in line]
        for other in orthogonal:
            share = reference.dot(line, other) / reference.dot(other, other)
            line = [x - share * y for x, y in zip(line, other, strict=True)]
        orthogonal.append(line)
    rest = [Fraction(x) for x in vector]
    for line in orthogonal:
        share = reference.dot(rest, line) / reference.dot(line, line)
        rest = [x - share * y for x, y in zip(rest, line, strict=True)]
    return reference.primitive(rest)


class Complex:
    """The cells of levels on a domain. faces : {generators: (dimension, cells)}; outputs : one list of forms a cell."""

    def __init__(self, levels, domain):
        self.levels, self.domain = levels, domain
        pieces = reference.graph_pieces(levels, domain)
        self.patterns = [region.pattern for region, _ in pieces]
        self.outputs = [tuple(forms) for _, forms in pieces]
        self.lines = pieces[0][0].cone.lines
        self.dimension = len(pieces[0][0].rays[0]) - 1
        self.faces = {}
        for cell, (region, _) in enumerate(pieces):
            for face in self.faces_of(region):
                k = rank([*face, *self.lines]) - 1
                self.faces.setdefault(face, (k, set()))[1].add(cell)

    def faces_of(self, region):
        """The faces of a region: sets of vectors, where some of its walls meet and not at infinity alone."""
        vectors = {ray: across(ray.vector, self.lines) for ray in region.cone.rays}
        on = {
            frozenset(v for ray, v in vectors.items() if name in ray.tight)
            for name in region.cone.walls
            if name != "infinity"
        }
        found = {frozenset(vectors.values())}
        while True:
            more = found | {face & wall for face in found for wall in on}
            if more == found:
                return {face for face in found if any(v[-1] for v in face)}
            found = more

    def f_vector(self):
        found = [0] * (self.dimension + 1)
        for k, _ in self.faces.values():
            found[k] += 1
        return found

    def pattern_inside(self, face):
        """The pattern at a point inside a face, by evaluating the network there."""
        *u, w = map(sum, zip(*face, strict=True))
        return reference.graph_pattern_at(self.levels, self.domain.at([Fraction(x, w) for x in u]))

    def joined(self, joins):
        """The components of cells of which every face joins those that have it, if joins(face, k) says so: one set of
        cells each."""
        parts = [{cell} for cell in range(len(self.patterns))]
        for face, (k, cells) in self.faces.items():
            if joins(face, k, cells):
                met = [part for part in parts if part & cells]
                parts = [part for part in parts if not part & cells] + [set().union(*met)]
        return parts

    def linear_regions(self):
        def joins(_face, k, cells):
            return k == self.dimension - 1 and len({self.outputs[cell] for cell in cells}) == 1

        return self.joined(joins)

    def closed_connected(self):
        """Components of {f = g} with an inside, for every map g of a cell. One output only."""
        found = 0
        for g in set(self.outputs):

            def meets(face, _k, cells, g=g):
                (form,), (mine,) = g, self.outputs[min(cells)]
                values = {v: reference.dot(mine, v) - reference.dot(form, v) for v in face}
                touched = any(value == 0 and v[-1] for v, value in values.items())
                return touched or min(values.values()) < 0 < max(values.values())

            parts = self.joined(meets)
            found += sum(any(self.outputs[cell] == g for cell in part) for part in parts)
        return found

    def activation_patterns(self):
        return {self.pattern_inside(face) for face in self.faces}

    def is_convex(self, cells):
        """Whether some cells together are convex: all points between points inside two of them are in one of them."""
        inside = {cell: self.inside(cell) for cell in cells}
        return all(self.holds_between(inside[a], inside[b], cells) for a, b in combinations(sorted(cells), 2))

    def inside(self, cell):
        face = next(face for face, (k, cells) in self.faces.items() if k == self.dimension and cells == {cell})
        *u, w = map(sum, zip(*face, strict=True))
        return [Fraction(x, w) for x in u]

    def holds_between(self, a, b, cells, steps=12):
        """Whether points between two points have patterns of these cells, or lie on their boundaries."""
        own = [self.patterns[cell] for cell in cells]
        for i in range(1, steps):
            u = [x + Fraction(i, steps) * (y - x) for x, y in zip(a, b, strict=True)]
            pattern = reference.graph_pattern_at(self.levels, self.domain.at(u))
            if pattern in self.patterns and pattern not in own:
                return False
        return True
