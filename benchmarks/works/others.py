"""Against other programs on the same network, in turns, and against the floor."""

from __future__ import annotations

import creases
from benchmarks import floor
from benchmarks.networks import checked, on_square
from benchmarks.peers import Peer, affinitree_peer, edge_subdivision, rational, regioncam_peer
from benchmarks.rows import costs, faster
from benchmarks.timing import in_turns

# Hidden layers, and how many times faster than regioncam `count` is to be.
SIZES = {(64, 64, 64): 30, (128, 128, 128): 70, (256, 256, 256): 250}


def rows(settings):
    """All of this theme."""
    yield from against_floor(settings)
    yield from planar(settings)
    yield from trees(settings)
    yield from rationals(settings)


def against_floor(settings):
    """`count` against what must be touched at least once."""
    for case in floor_cases(settings):
        (ours,) = in_turns(lambda case=case: checked(case), runs=settings.runs, budget=settings.budget)
        yield costs(f"count {case.name}", "the floor", ours.median, floor.counting_floor(case).seconds)


def floor_cases(settings):
    """The sizes of which the floor is stated."""
    return [on_square(n, n, n) for n in ((64, 128, 256) if settings.quick else (64, 128, 256, 512))]


def planar(settings):
    """regioncam and edge subdivision, against `count` and, at 128 x 3, `subdivide`."""
    for hidden, at_least in SIZES.items():
        if settings.quick and hidden[0] > 128:
            continue
        case = on_square(*hidden)
        camera, edges = Peer(regioncam_peer.count_on_square, case), Peer(edge_subdivision.count_on_square, case)
        works, cells = [lambda case=case: checked(case), camera, edges], {}
        if hidden[0] == 128:
            works.append(lambda case=case, cells=cells: cells.update(it=checked(case, count=creases.subdivide)))
        ours, theirs, split, *listed = in_turns(*works, runs=settings.runs, budget=settings.budget)
        name, note = f"count {case.name}", camera.note(theirs)
        yield faster(name, "regioncam", ours.median, theirs.median, at_least=at_least, note=note)
        yield faster(name, "edge subdivision (ours, numpy)", ours.median, split.median, note=edges.note(split))
        for sample in listed:
            name = f"subdivide {case.name}"
            yield faster(name, "regioncam", sample.median, theirs.median, at_least=15, note=note)
            yield costs(
                name, "the floor", sample.median, floor.writing_floor(cells["it"]), note="to write its arrays once"
            )


def trees(settings):
    """affinitree, on the smallest network only where a minute must do."""
    for hidden, at_least in (((16, 16), None), ((32, 32, 32), 1000), ((64, 64, 64), 1000)):
        if settings.quick and len(hidden) > 2:
            continue
        case = on_square(*hidden)
        tree = Peer(affinitree_peer.count_on_square, case)
        ours, theirs = in_turns(lambda case=case: checked(case), tree, runs=settings.runs, budget=settings.budget)
        note = tree.note(theirs)
        yield faster(f"count {case.name}", "affinitree", ours.median, theirs.median, at_least=at_least, note=note)


def rationals(settings):
    """Rational arithmetic alone: what the float filter saves."""
    for hidden in ((16, 16), (32, 32, 32)):
        case = on_square(*hidden)
        if settings.quick and len(hidden) > 2:
            continue
        exact, slow = Peer(rational.count_on_square, case), Peer(rational.reference_on_square, case)
        ours, engine, reference = in_turns(
            lambda case=case: checked(case), exact, slow, runs=settings.runs, budget=settings.budget
        )
        name = f"count {case.name}"
        yield faster(name, "the rational engine", ours.median, engine.median, note=exact.note(engine))
        yield faster(name, "tests/reference.py", ours.median, reference.median, note=slow.note(reference))


def floors(settings):
    """The floor of each size, for the page that states it before the measurements."""
    return [floor.counting_floor(case) for case in floor_cases(settings)]
