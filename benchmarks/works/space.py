"""Three dimensions and more, on the cube [-1, 1]^d: against other programs, and one size against another."""

from __future__ import annotations

from benchmarks.networks import checked, in_cube
from benchmarks.peers import Peer, affinitree_peer, edge_subdivision_space
from benchmarks.rows import costs, faster
from benchmarks.timing import in_turns

# Hidden layers, and how many times faster than edge subdivision and affinitree `count` is to be.
SIZES = {(32, 32): (40, 3000), (64, 64): (100, None)}


def rows(settings):
    """All of this theme."""
    for hidden, (edges_target, tree_target) in SIZES.items():
        if settings.quick and hidden != (32, 32):
            continue
        case = in_cube(3, *hidden)
        edges, tree = (Peer(edge_subdivision_space.count_in_cube, case), Peer(affinitree_peer.count_in_cube, case))
        works = [lambda case=case: checked(case), edges]
        if tree_target and not settings.quick:
            works.append(tree)
        ours, split, *trees = in_turns(*works, runs=settings.runs, budget=settings.budget)
        name, note = f"count {case.name}", edges.note(split)
        against = "edge subdivision (ours, numpy)"
        yield faster(name, against, ours.median, split.median, at_least=edges_target, note=note)
        for sample in trees:
            note = tree.note(sample)
            yield faster(name, "affinitree", ours.median, sample.median, at_least=tree_target, note=note)
    yield from a_region(settings)


def a_region(settings):
    """The time of a region, of larger networks against the smallest of their dimension."""
    for sizes in ([(3, 32, 32), (3, 128, 128), (3, 64, 64, 64)], [(4, 32, 32), (4, 64, 64)]):
        if settings.quick:
            continue
        cases = [in_cube(*size) for size in sizes]
        works = [lambda case=case: checked(case) for case in cases]
        base, *others = in_turns(*works, runs=settings.runs, budget=settings.budget)
        for case, sample in zip(cases[1:], others, strict=True):
            target = 1.5 if case.name.startswith("128 x 2") else None
            yield costs(
                f"a region of {case.name}",
                cases[0].name,
                1e9 * sample.median / case.regions,
                1e9 * base.median / cases[0].regions,
                at_most=target,
                note=f"{case.regions:,} in {sample.median:.3g} s",
                unit="ns",
            )
