"""The networks on which a region has cost most: what people make on purpose, deep ones, and four dimensions and more.

Each row has a target in microseconds a region. Where a number of regions comes from is said beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import creases
from benchmarks.networks import (
    DEGENERATE,
    ON_CUBE,
    ON_SQUARE,
    PLANE,
    ROOT,
    SHARED,
    SQUARE,
    as_network,
    integers,
    random_layers,
)
from creases import build

CASES = ROOT.parent / "shared" / "cases"
TWICE = creases.Box([-2, -2], [2, 2])


@dataclass(frozen=True)
class Cliff:
    """A work and its target.

    make : gives the network, or None where its file is not beside the project. target : microseconds a region.
    regions : how many there are: of `networks`, or of files from their table; [8,10,1] is Zaslavsky's formula. The
        others were counted twice, on 2026-11-30: when each tie was decided in rationals, and when it was known from
        structure; but the lattices of 32 on R^2 and of 64 only by the latter.
    work : counts or subdivides.
    """

    name: str
    make: Callable[[], Any]
    domain: Any
    target: float
    regions: int
    work: Callable[..., Any] = creases.count


def box(d: int) -> Any:
    """[-1, 1]^d."""
    return creases.Box([-1] * d, [1] * d)


def of(layers: Any) -> Any:
    """A network of (weight, bias), made where it is asked for."""
    return lambda: as_network(layers())


def file(folder: Any, name: str) -> Any:
    """A network in a file of the shared folders."""
    return lambda: creases.load(folder / name) if (folder / name).exists() else None


def with_identities(widths: list[int], identities: tuple[int, ...]) -> Any:
    """Random layers, of which some are the identity without bias."""
    layers = random_layers(widths)
    for i in identities:
        layers[i] = (np.eye(widths[i]), np.zeros(widths[i]))
    return layers


def tangents(lines: int) -> Any:
    """Lines that are tangent to the unit circle, at equal angles."""
    angles = 2 * np.pi * np.arange(lines) / lines
    return [(np.stack([np.cos(angles), np.sin(angles)], 1), -np.ones(lines)), (np.ones((1, lines)), np.zeros(1))]


def pruned(widths: list[int], kept: float, bias: float = 0.1) -> Any:
    """Random layers, of whose weights only the largest stay, layer by layer; the first keeps all."""
    first, *rest = random_layers(widths, bias=bias)
    return [first, *((np.where(abs(w) >= np.quantile(abs(w), 1 - kept), w, 0.0), b) for w, b in rest)]


def rounded(widths: list[int], levels: int, kept: float = 1.0) -> Any:
    """Random layers with weights rounded to whole multiples of a scale, up to `levels` of them; biases are floats."""
    layers = random_layers(widths) if kept == 1.0 else pruned(widths, kept)
    return [(np.round(w / abs(w).max() * levels) * (abs(w).max() / levels), b) for w, b in layers]


def as_type(widths: list[int], mantissa: int) -> Any:
    """Random layers with so many bits of mantissa: float16 has 11, bfloat16 8."""

    def cut(numbers: Any) -> Any:
        fraction, exponent = np.frexp(numbers)
        return np.ldexp(np.round(np.ldexp(fraction, mantissa)), exponent - mantissa)

    return [(cut(w), cut(b)) for w, b in random_layers(widths)]


def max_encoding(n: int) -> Any:
    """max(x, y) = y + relu(x - y) of a layer's neighbours, with y carried by relu(y) - relu(-y)."""
    first = random_layers([2, n, 1])[0]
    half = n // 2
    weight, bias = first
    (x, b), (y, c) = (weight[:half], bias[:half]), (weight[half:], bias[half:])
    hidden = (np.vstack([x - y, y, -y]), np.concatenate([b - c, c, -c]))
    eye = np.eye(half)
    mixed = random_layers([half, half, 1], seed=1)
    carried = np.hstack([eye, eye, -eye])
    return [hidden, (mixed[0][0] @ carried, mixed[0][1]), mixed[1]]


def lattice(n: int, inputs: int = 2) -> Any:
    """A maximum of n minima of n random affine functions, as `tll_n2_N8_0.onnx` has them: tournaments of ReLUs,

    min(x, y) = (relu(x + y) - relu(-x - y) - relu(y - x) - relu(x - y)) / 2, and max with plus for the last two.
    n is a power of two. A minimum is of some of the functions, the last one as often as there is room. Float32 weights.
    """
    rng = np.random.default_rng(0)
    weight = (rng.standard_normal((n, inputs)) * 1.5).astype(np.float32).astype(float)
    bias = rng.standard_normal(n).astype(np.float32).astype(float)
    places = []
    for _ in range(n):
        some = np.sort(rng.choice(n, rng.integers(2, 5 * n // 8 + 1), replace=False))
        places += [*some, *[some[-1]] * (n - len(some))]
    chosen = np.zeros((n * n, n))
    chosen[np.arange(n * n), places] = 1.0
    x = build.dense(build.dense(build.input(inputs), weight, bias), chosen)
    compared = np.array([[1.0, 1.0], [-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0]])
    width = n * n
    while width > 1:
        width //= 2
        pairs, sign = np.eye(width), -1.0 if width >= n else 1.0
        x = build.relu(build.dense(x, np.kron(pairs, compared)))
        x = build.dense(x, np.kron(pairs, [[0.5, -0.5, 0.5 * sign, 0.5 * sign]]))
    return build.network(x)


def in_images() -> Any:
    """A plane through three uniform images."""
    rng = np.random.default_rng(0)
    return creases.Plane.through(*rng.uniform(0, 1, (3, 784)))


# Regions of 32 x 3 without biases: as many on the plane as on the square, because all of them are cones.
CONES = DEGENERATE["zero bias"][1][-1]

CLIFFS = [
    Cliff("cliff_identity_layer.npz, R^2", file(CASES, "cliff_identity_layer.npz"), PLANE, 5, 137),
    Cliff("cliff_twin_streams.npz, R^2", file(CASES, "cliff_twin_streams.npz"), PLANE, 5, 530),
    *(
        Cliff(
            f"[2,{n},{n},1], second layer the identity, R^2",
            of(lambda n=n: with_identities([2, n, n, 1], (1,))),
            PLANE,
            5,
            1 + n + n * (n - 1) // 2,
        )
        for n in (32, 64, 128)
    ),
    Cliff(
        "[2,32,32,32,1], second and third the identity, R^2",
        of(lambda: with_identities([2, 32, 32, 32, 1], (1, 2))),
        PLANE,
        5,
        529,
    ),
    Cliff(
        "[3,24,24,1], second layer the identity, R^3",
        of(lambda: with_identities([3, 24, 24, 1], (1,))),
        creases.Space(3),
        5,
        2325,
    ),
    Cliff("301 lines tangent to a circle, R^2", of(lambda: tangents(301)), PLANE, 5, 45452),
    Cliff("tll_n2_N8_0.onnx, R^2", file(SHARED, "tll_n2_N8_0.onnx"), PLANE, 10, 589),
    Cliff("tll_n2_N8_0.onnx, [-2, 2]^2", file(SHARED, "tll_n2_N8_0.onnx"), TWICE, 10, 433),
    *(
        Cliff(f"lattice of {n} x {n}, {name}", lambda n=n: lattice(n), domain, 20, regions)
        for n, name, domain, regions in (
            (16, "[-2, 2]^2", TWICE, 4959),
            (16, "R^2", PLANE, 6644),
            (32, "[-2, 2]^2", TWICE, 42881),
            (32, "R^2", PLANE, 60722),
            (64, "[-2, 2]^2", TWICE, 325387),
        )
    ),
    Cliff("64 x 3 pruned to 20 %", of(lambda: pruned([2, 64, 64, 64, 1], 0.2)), SQUARE, 5, 15129),
    Cliff(
        "64 x 3 pruned to 20 %, no biases, R^2", of(lambda: pruned([2, 64, 64, 64, 1], 0.2, bias=0.0)), PLANE, 5, 382
    ),
    Cliff("relu of a max encoding, 32", of(lambda: max_encoding(32)), SQUARE, 5, 907),
    Cliff("integers -2 ... 2, 32 x 2, R^2", of(lambda: integers([2, 32, 32, 1], 2)), PLANE, 5, 1014),
    Cliff("integers -2 ... 2, 12 x 2, R^3", of(lambda: integers([3, 12, 12, 1], 2)), creases.Space(3), 10, 2324),
    Cliff("64 x 3 in int8", of(lambda: rounded([2, 64, 64, 64, 1], 127)), SQUARE, 0.6, 14388),
    Cliff("64 x 3 in float16", of(lambda: as_type([2, 64, 64, 64, 1], 11)), SQUARE, 0.6, 14357),
    Cliff("64 x 3 in bfloat16", of(lambda: as_type([2, 64, 64, 64, 1], 8)), SQUARE, 0.6, 14366),
    Cliff("64 x 3, ternary weights, float biases", of(lambda: rounded([2, 64, 64, 64, 1], 1)), SQUARE, 0.6, 4534),
    Cliff("64 x 3 in int4", of(lambda: rounded([2, 64, 64, 64, 1], 7)), SQUARE, 1.5, 13741),
    Cliff("64 x 3, ternary integers", of(lambda: integers([2, 64, 64, 64, 1], 1)), SQUARE, 1.5, 1618),
    Cliff("[3,32,32,1] in int4, cube", of(lambda: rounded([3, 32, 32, 1], 7)), box(3), 2, 38726),
    Cliff("[3,32,32,1] pruned to 30 %, cube", of(lambda: pruned([3, 32, 32, 1], 0.3)), box(3), 2, 45822),
    Cliff("ternary integers [4,16,16,1], R^4", of(lambda: integers([4, 16, 16, 1], 1)), creases.Space(4), 10, 29223),
    Cliff("int4 [6,8,8,1], box", of(lambda: rounded([6, 8, 8, 1], 7)), box(6), 10, 5696),
    Cliff("integers [8,10,1], box", of(lambda: integers([8, 10, 1], 2)), box(8), 30, 867),
    Cliff("[8,10,1], R^8", of(lambda: random_layers([8, 10, 1])), creases.Space(8), 30, 1013),
    Cliff("[8,9,3,1], R^8", of(lambda: random_layers([8, 9, 3, 1])), creases.Space(8), 30, 3347),
    Cliff(
        "plane of [784,64,64,1] without biases",
        of(lambda: random_layers([784, 64, 64, 1], bias=0.0)),
        in_images(),
        3,
        9048,
    ),
    Cliff("2 x 30 deep, R^2", of(lambda: random_layers([2] * 31 + [1])), PLANE, 30, 10),
    *(
        Cliff(
            f"subdivide [2,{n},{n},{n},1]",
            of(lambda n=n: random_layers([2, n, n, n, 1])),
            SQUARE,
            target,
            ON_SQUARE[(n,) * 3][-1],
            creases.subdivide,
        )
        for n, target in ((250, 1.0), (500, 1.5))
    ),
    Cliff("cliff_anisotropic_R3.npz, R^3", file(CASES, "cliff_anisotropic_R3.npz"), creases.Space(3), 1.4, 17760),
    Cliff("32 x 3 without biases", of(lambda: random_layers([2, 32, 32, 32, 1], bias=0.0)), SQUARE, 2.5, CONES),
    Cliff(
        "32 x 3 without biases, R^2",
        of(lambda: random_layers([2, 32, 32, 32, 1], bias=0.0)),
        PLANE,
        2.5,
        CONES,
    ),
    Cliff("32 x 10", of(lambda: random_layers([2] + [32] * 10 + [1])), SQUARE, 1.2, ON_SQUARE[(32,) * 10][-1]),
    Cliff("32 x 20", of(lambda: random_layers([2] + [32] * 20 + [1])), SQUARE, 4, ON_SQUARE[(32,) * 20][-1]),
    Cliff("[4,64,64,1], cube", of(lambda: random_layers([4, 64, 64, 1])), box(4), 0.3, ON_CUBE[4, 64, 64][-1]),
    Cliff("[5,16,16,1], box", of(lambda: random_layers([5, 16, 16, 1])), box(5), 0.6, ON_CUBE[5, 16, 16][-1]),
    Cliff("[6,12,12,1], box", of(lambda: random_layers([6, 12, 12, 1])), box(6), 1.1, ON_CUBE[6, 12, 12][-1]),
]
