"""What a region costs against width, depth, dimension and kind of network: `python -m benchmarks.picture`.

It measures, writes docs/cost.json, draws docs/cost.png from it, and puts the caption into README.md; with --draw it
only draws. Times are processor times of one thread, the best of several runs, because other work on the machine makes
wall-clock times longer. All of our counts must be certified, and right where the number is known (`networks.py`). A
program that gives another number, or none, is marked.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from typing import Any

from threadpoolctl import threadpool_limits

import creases
from benchmarks import cliffs, machine, networks, table
from benchmarks.networks import ON_SQUARE, ROOT, SQUARE, WrongCount, as_network, random_layers
from benchmarks.peers import affinitree_peer, edge_subdivision, edge_subdivision_space, regioncam_peer

NUMBERS, PICTURE = ROOT / "docs" / "cost.json", ROOT / "docs" / "cost.png"
OURS, CAMERA, EDGES, TREES = "Creases", "regioncam", "edge subdivision (numpy)", "affinitree"
# Runs of each program, and processor seconds after which it is not run again; a program that took more than LONG for a
# network is not run for the next size.
RUNS, BUDGET, LONG = 8, 0.4, 0.5


@dataclass(frozen=True)
class Work:
    """A point of a panel: a network's layers (or a Network), its domain, and the number of regions if it is known."""

    at: Any
    layers: Any
    domain: Any
    regions: int | None
    peers: dict[str, Any]

    @property
    def network(self) -> Any:
        """The Network."""
        return as_network(self.layers)


def in_plane(trees: bool = True) -> dict[str, Any]:
    """The programs for the square."""
    found = {CAMERA: regioncam_peer.count_on_square, EDGES: edge_subdivision.count_on_square}
    return {**found, TREES: affinitree_peer.count_on_square} if trees else found


def widths() -> list[Work]:
    """Three layers of n on the square."""
    return [
        Work(n, random_layers([2, n, n, n, 1]), SQUARE, ON_SQUARE.get((n,) * 3, (None,))[-1], in_plane())
        for n in (16, 32, 64, 128, 256, 512)
    ]


def depths() -> list[Work]:
    """Layers of 32 on the square; the shallow networks are the lower layers of the deep one."""
    known = dict(enumerate(ON_SQUARE[(32,) * 10], start=1)) | {20: ON_SQUARE[(32,) * 20][-1]}
    return [Work(n, random_layers([2] + [32] * n + [1]), SQUARE, known[n], in_plane()) for n in (1, 2, 3, 5, 10, 20)]


def dimensions() -> list[Work]:
    """Two layers of 16 on [-1, 1]^d."""
    known = {2: ON_SQUARE[16, 16][-1], 5: networks.ON_CUBE[5, 16, 16][-1]}
    space = {EDGES: edge_subdivision_space.count_in_cube, TREES: affinitree_peer.count_in_cube}
    peers = {2: in_plane(), 3: space}
    return [
        Work(d, random_layers([d, 16, 16, 1]), creases.Box([-1] * d, [1] * d), known.get(d), peers.get(d, {}))
        for d in range(1, 7)
    ]


def kinds() -> list[Work]:
    """Generic networks, and those that people make on purpose, on the square."""
    three = [2, 64, 64, 64, 1]
    named = [
        ("generic, 64 x 3", random_layers(three), ON_SQUARE[(64,) * 3][-1]),
        ("int8 weights, 64 x 3", cliffs.rounded(three, 127), None),
        ("int4 weights, 64 x 3", cliffs.rounded(three, 7), None),
        ("ternary integers, 64 x 3", networks.integers(three, 1), None),
        ("pruned to 20 %, 64 x 3", cliffs.pruned(three, 0.2), None),
        ("max encoding, 32", cliffs.max_encoding(32), None),
        ("identity layer, 64 x 2", cliffs.with_identities([2, 64, 64, 1], (1,)), None),
    ]
    for name, (make, by_layer) in networks.DEGENERATE.items():
        named.append((f"{name}, 32 x 3", make([2, 32, 32, 32, 1]), by_layer[-1]))
    return [Work(name, layers, SQUARE, regions, in_plane(trees=False)) for name, layers, regions in named]


PANELS = {"width": widths, "depth": depths, "dimension": dimensions, "kind": kinds}


def best_of(work: Any) -> tuple[Any, float]:
    """(its result, the least processor seconds of some runs)."""
    times: list[float] = []
    with threadpool_limits(1, user_api="blas"):
        while len(times) < RUNS and (not times or sum(times) < BUDGET):
            start = time.process_time()
            found = work()
            times.append(time.process_time() - start)
    return found, min(times)


def measured(work: Work, left_out: set[str]) -> list[dict[str, Any]]:
    """Our point and those of the other programs. `left_out` gets the programs that took long. Raises WrongCount."""
    network = work.network

    def count() -> Any:
        return creases.count(network, work.domain, threads=1, progress=False)

    count()  # it loads the kernels
    found, seconds = best_of(count)
    if not found.certified or work.regions not in (None, found.regions):
        raise WrongCount(f"{work.at}: {found!r}, but {work.regions} is known")
    regions = found.regions
    base = {"at": work.at, "regions": regions}
    points = [{**base, "program": OURS, "us": 1e6 * seconds / regions, "certified": True, "known": work.regions}]
    for name, peer in work.peers.items():
        if name in left_out:
            continue
        try:
            theirs, seconds = best_of(lambda peer=peer: peer(work.layers[:-1]))
        except (ArithmeticError, IndexError, RuntimeError, ValueError) as error:
            points.append({**base, "program": name, "us": None, "failed": type(error).__name__})
            continue
        points.append({**base, "program": name, "us": 1e6 * seconds / regions, "counts": theirs})
        if seconds > LONG:
            left_out.add(name)
    return points


def measure() -> dict[str, Any]:
    """All panels, and what they were measured on."""
    about, start, panels = machine.describe(), time.perf_counter(), {}
    for peer in (regioncam_peer, edge_subdivision, affinitree_peer):
        peer.count_on_square(random_layers([2, 2, 2, 1])[:-1])  # it imports what it needs
    for panel, works in PANELS.items():
        left_out: set[str] = set()
        points = panels[panel] = []
        for work in works():
            points += measured(work, left_out if panel != "kind" else set())
            print(f"{time.perf_counter() - start:5.0f} s  {panel} {work.at}", file=sys.stderr, flush=True)
    about |= {"load_after": machine.load(), "seconds": round(time.perf_counter() - start)}
    return {"machine": about, "panels": panels}


def value(numbers: dict[str, Any], panel: str, at: Any, program: str = OURS) -> float:
    """Microseconds a region of a point."""
    points = numbers["panels"][panel]
    return next(point["us"] for point in points if (point["at"], point["program"]) == (at, program))


def caption(numbers: dict[str, Any]) -> str:
    """What README.md says below the picture."""
    about, us = numbers["machine"], lambda *where: table.number(value(numbers, *where), "µs")
    return (
        "![Microseconds a region against width, depth, dimension and kind of network](../docs/cost.png)\n\n"
        f"Processor time of one thread, best of up to {RUNS} runs, {about['date']}, {about['processor']} "
        f"({about['cores']} cores), load before {about['load_before']}, after {about['load_after']}; "
        f"`python -m benchmarks.picture` made it in {about['seconds']} s. "
        f"A region of 64 x 3 takes {us('width', 64)}, of 512 x 3 {us('width', 512)}, of 32 x 20 {us('depth', 20)}, "
        f"and of [6,16,16,1] {us('dimension', 6)}; regioncam takes {us('width', 64, CAMERA)} for 64 x 3. "
        "Small networks show the set-up of a call. "
        "Our counts are certified. Hollow marks: the program gives another number of regions; "
        "no mark: it fails, or is not for such networks. "
        f"A program that took more than {LONG:g} s was not run for the next size. "
        "The numbers are in `docs/cost.json`."
    )


def main() -> None:
    """Measure, draw, and write the caption."""
    from benchmarks.drawing import draw

    parser = argparse.ArgumentParser(prog="python -m benchmarks.picture", description=__doc__.split("\n")[0])
    parser.add_argument("--draw", action="store_true", help="draw the numbers of docs/cost.json anew")
    if not parser.parse_args().draw:
        NUMBERS.write_text(json.dumps(measure(), indent=1) + "\n", encoding="utf-8")
    numbers = json.loads(NUMBERS.read_text(encoding="utf-8"))
    draw(numbers, PICTURE)
    table.write_between("picture", caption(numbers))


if __name__ == "__main__":
    main()
