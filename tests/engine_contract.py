"""What a local network promises, checked in rationals wherever a cut is interrupted: on lines, in the plane, in space,
for chains and for graphs.

At true points of the true cell: every open row equals the real pre-activation up to its bounds, every unit that was
dropped has the sign, or has lost or won its switch, as the pattern says, and relaxations enclose what is handed on.
"""

from fractions import Fraction

import numpy as np

from creases.engine.rows.scan import cell_reach
from creases.engine.state.row_layout import (
    ACTIVE,
    CLAIMED,
    INACTIVE,
    KIND,
    OPEN,
    OPEN_STATUS,
    START,
    STATUS,
    THRESHOLD,
)
from creases.engine.state.slots import (
    BEST_ROW,
    CORNERS,
    DEPTH,
    HAVE,
    NETWORK,
    SCANNED,
)
from engine_states import Cut, copied, found_by_scan, local_network, localised, relaxed_rows, scan
from engine_twins import dot, exactly


def points_of(corners, rng, count):
    """The corners' mean, some corners, and some points between, as rays with last coordinate one."""
    weights = [[1] * len(corners)]
    while len(weights) < count:
        row = rng.integers(0, 2**16, len(corners)) * (rng.random(len(corners)) < 0.5)
        weights.append(row.tolist() if row.any() else [int(i == 0) for i in range(len(corners))])
    return [tuple(dot(row, column) / sum(row) for column in zip(*corners, strict=True)) for row in weights]


def check_scanned(work, seen):
    """If `localise` says that the new lowest rows are scanned, a scan finds what it has left."""
    net, lowest = int(work.state[NETWORK]), local_network(work)[0]
    if not work.state[SCANNED] or lowest == work.state[DEPTH]:
        return
    seen["scanned"] += 1
    rows, corners = len(local_network(work)[1][lowest].ids), int(work.state[CORNERS])
    assert (work.row_ints[STATUS, :rows] == OPEN).all()
    again = copied(work)
    for array in (again.row_reals, again.values_nc, again.row_ints[KIND]):
        array[:] = -77
    reach, corner_error = cell_reach(again)
    scan(again, net, lowest, reach, corner_error)
    same = [(again.row_reals[:rows, :3], work.row_reals[:rows, :3])]
    same += [(array.values_nc[:rows, :corners] for array in (again, work))]
    assert all(np.array_equal(*pair, equal_nan=True) for pair in same)
    assert found_by_scan(again) == found_by_scan(work)
    assert again.state[BEST_ROW] == work.state[BEST_ROW]
    assert (again.row_ints[[STATUS, KIND], :rows] == work.row_ints[[STATUS, KIND], :rows]).all()
    # `localise` is told a reach that covers the true corners: its threshold is the larger one, and decides no sign.
    thresholds = again.row_reals[:rows, THRESHOLD], work.row_reals[:rows, THRESHOLD]
    assert (thresholds[0] == thresholds[1] if corner_error == 0.0 else thresholds[0] <= thresholds[1]).all()


class Checker:
    """Checks a cut between two calls of the kernel, and counts what it has seen happen."""

    def __init__(self, cut, rng, seen):
        self.cut, self.rng, self.seen = cut, rng, seen
        self.before = 0, local_network(cut.work)[1]

    def check(self):
        work = self.cut.work
        if not work.state[HAVE]:
            return
        pattern = self.cut.pattern()
        corners = self.cut.true_corners(self.cut.twin.forms(pattern))
        points = points_of(corners, self.rng, 3)
        values = [self.cut.twin.values(point) for point in points]
        lowest, layers = local_network(work)
        self.look_for_events(lowest, layers)
        statuses = work.row_ints[STATUS].tolist()
        for point, z in zip(points, values, strict=True):
            self.check_rows(lowest, layers, point, z)
            self.check_dropped(lowest, layers, statuses, pattern, z)
        if lowest < int(work.state[DEPTH]) and CLAIMED not in statuses:
            self.check_localised(lowest, layers, points, values)

    def check_rows(self, lowest, layers, point, z):
        """|z* - [forms (x, 1) + sum coupling relu(z*)]| <= E_g max|x_c| + E_w and |z*| <= S_g max|x_c| + S_w."""
        reach = max(map(abs, point[:-1]))
        open_below = {}
        for layer, rows in layers.items():
            below = [value for p in range(rows.first, layer) for value in open_below[p]]
            for i, neuron in enumerate(rows.ids):
                true = z[layer][neuron]
                coupling = [column[i] for column in rows.coupling]
                self.seen["rows"] += 1
                assert not np.isnan([*rows.errors[i], *rows.sizes[i]]).any()
                # A number that overflowed says nothing.
                if np.isfinite([*rows.forms[i], *rows.errors[i], *coupling]).all():
                    self.seen["finite"] += 1
                    local = dot(map(Fraction, [*rows.forms[i], *coupling]), [*point, *below])
                    error_g, error_w = map(Fraction, rows.errors[i])
                    assert abs(true - local) <= error_g * reach + error_w, (layer, neuron)
                if np.isfinite(rows.sizes[i]).all():
                    size_g, size_w = map(Fraction, rows.sizes[i])
                    assert abs(true) <= size_g * reach + size_w, (layer, neuron)
            handed = self.cut.twin.handed(layer, z[layer], rather=rows.ids)
            open_below[layer] = [handed[neuron] for neuron in rows.ids]

    def check_dropped(self, lowest, layers, statuses, pattern, z):
        """A neuron without an open row has its pattern's sign, up to zeros on the cell's boundary."""
        for layer, bits in enumerate(pattern):
            rows = layers[layer].ids if layer in layers else []
            undecided = [n for i, n in enumerate(rows) if layer > lowest or statuses[i] in (OPEN, CLAIMED)]
            for neuron, on in enumerate(bits):
                if neuron not in undecided:
                    ahead = self.ahead(layer, neuron, z)
                    assert ahead >= 0 if on else ahead <= 0, (layer, neuron)

    def ahead(self, layer, unit, z):
        """z of a neuron; of a candidate what it exceeds all others of its switch by."""
        groups = self.cut.twin.kinks[layer][1]
        if groups is None:
            return z[layer][unit]
        others = [z[layer][j] for j, group in enumerate(groups) if group == groups[unit] and j != unit]
        return z[layer][unit] - max(others) if others else Fraction(0)

    def check_localised(self, lowest, layers, points, values):
        """A copy of the state, localised here and now, keeps the contract too, and so does all that led to it."""
        work = localised(self.cut.work)
        self.check_relaxed(work, lowest, layers, points, values)
        new_lowest, new_layers = local_network(work)
        pattern, statuses = self.cut.pattern(work), work.row_ints[STATUS].tolist()
        for point, z in zip(points, values, strict=True):
            self.check_rows(new_lowest, new_layers, point, z)
            self.check_dropped(new_lowest, new_layers, statuses, pattern, z)
        check_scanned(work, self.seen)

    def check_relaxed(self, work, lowest, layers, points, values):
        """What is handed on is the linear part (x, 1) up to the radius, and statuses are true signs."""
        for layer, rows in layers.items():
            at = int(work.layer_ints[layer, START])
            relaxed = relaxed_rows(work, at, len(rows.ids))
            statuses = work.open_ints[OPEN_STATUS, at : at + len(rows.ids)].tolist()
            self.seen["horizon"] += bool(rows.ids) and bool(np.isnan(relaxed).all())  # not looked at
            for point, z in zip(points, values, strict=True):
                self.check_statuses(layer, rows.ids, statuses, z)
                handed = self.cut.twin.handed(layer, z[layer], rather=rows.ids)
                for some in self.together(layer, rows.ids):
                    if np.isfinite(relaxed[some]).all():
                        true = sum(handed[rows.ids[i]] for i in some)
                        linear = sum(dot(exactly(relaxed[i, :-1]), point) for i in some)
                        assert abs(true - linear) <= sum(exactly(relaxed[some, -1])), (layer, some)
                        self.seen["enclosed"] += 1
                        self.seen["enclosed switches"] += [statuses[i] for i in some].count(OPEN) > 1

    def check_statuses(self, layer, ids, statuses, z):
        """Signs, or which candidates win and lose, are true."""
        for unit, status in zip(ids, statuses, strict=True):
            ahead = self.ahead(layer, unit, z)
            self.seen["active"] += status == ACTIVE
            self.seen["inactive"] += status == INACTIVE
            assert status != INACTIVE or ahead <= 0
            assert status != ACTIVE or ahead >= 0

    def together(self, layer, ids):
        """Places of the rows whose relaxations hold together: the candidates of one switch, or one neuron."""
        groups = self.cut.twin.kinks[layer][1]
        names = ids if groups is None else [groups[unit] for unit in ids]
        return [[i for i, name in enumerate(names) if name == one] for one in sorted(set(names))]

    def look_for_events(self, lowest, layers):
        net = int(self.cut.work.state[NETWORK])
        if self.before is not None and net > self.before[0]:
            self.seen["localised"] += 1
            for layer, rows in layers.items():
                old = self.before[1].get(layer)
                if old is None or not rows.ids:
                    continue
                self.seen["shared"] += old.at == rows.at
                self.seen["fewer rows"] += len(rows.ids) < len(old.ids)
                self.seen["substituted"] += layer > 0 and sum(map(sum, rows.errors)) > sum(map(sum, old.errors))
                skipping = sum(len(layers[p].ids) for p in range(rows.first, layer - 1))
                self.seen["skipping"] += any(any(column) for column in rows.coupling[:skipping])
        self.before = net, layers


def check(problem, rng, seen, states, start=None, blur=True):
    """Check up to `states` states of the cut of a problem, some at the beginning and some deep in it."""
    cut = Cut(problem, start)
    if blur and rng.integers(2):
        cut.blur(rng, float(rng.choice([1e-12, 1e-6, 1e-3])))
    checker = Checker(cut, rng, seen)
    for i, _ in enumerate(cut.steps(limit=3 * states)):
        if i < states / 3 or rng.random() < 0.33:
            checker.check()
        else:
            checker.before = None
    return cut
