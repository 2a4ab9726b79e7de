"""Make every picture of docs/gallery.md: `python docs/gallery.py`, some seconds once the kernels are compiled.

Names of pictures on the command line make only those. Nothing is downloaded; one network is trained here, in NumPy.
"""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np

from creases import Box, Network, Segment, subdivide
from creases.plot import (
    Column,
    animate,
    house_style,
    plot_complex,
    plot_cut_away,
    plot_exploded,
    plot_histogram,
    plot_kinks,
    plot_line,
    plot_surface,
    save_figure,
)

FOLDER = Path(__file__).parent / "gallery"
SQUARE = Box([-1.0, -1.0], [1.0, 1.0])
CUBE = Box([-1.0, -1.0, -1.0], [1.0, 1.0, 1.0])
STEPS, EVERY = 1200, 50


def spirals(arms: int = 3, points: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Points on the arms of a spiral, float64 (arms * points, 2), and their arms."""
    rng = np.random.default_rng(0)
    along = np.linspace(0.12, 0.92, points)
    turned = [2.0 * np.pi * arm / arms + 3.6 * along + rng.normal(0.0, 0.10, points) for arm in range(arms)]
    places = [np.stack([along * np.cos(angle), along * np.sin(angle)], axis=1) for angle in turned]
    return np.concatenate(places), np.repeat(np.arange(arms), points)


def trained(widths: list[int]) -> list[Network]:
    """A network at every fiftieth step of its training on the spirals: Adam, all points at once, cross-entropy."""
    points, labels = spirals()
    start = Network.he(widths, seed=3, bias_std=0.3)
    parts = [part.copy() for layer in (*start.hidden, start.output) for part in (layer.weight, layer.bias)]
    mean, square = [np.zeros_like(part) for part in parts], [np.zeros_like(part) for part in parts]
    kept = []
    for step in range(STEPS + 1):
        if step % EVERY == 0:
            kept.append(Network.from_arrays(parts[0::2], parts[1::2]))
        for i, slope in enumerate(slopes(parts, points, labels)):
            mean[i] = 0.9 * mean[i] + 0.1 * slope
            square[i] = 0.999 * square[i] + 0.001 * slope**2
            corrected = mean[i] / (1 - 0.9 ** (step + 1)), square[i] / (1 - 0.999 ** (step + 1))
            parts[i] = parts[i] - 0.01 * corrected[0] / (np.sqrt(corrected[1]) + 1e-8)
    return kept


def slopes(parts: list[np.ndarray], points: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """The gradient of the mean cross-entropy by each weight and bias."""
    weights, biases, values = parts[0::2], parts[1::2], [points]
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        values.append(np.maximum(values[-1] @ weight.T + bias, 0.0))
    scores = values[-1] @ weights[-1].T + biases[-1]
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    back = (shares - np.eye(shares.shape[1])[labels]) / len(points)
    found: list[np.ndarray] = []
    for weight, value in zip(reversed(weights), reversed(values), strict=True):
        found = [back.T @ value, back.sum(axis=0), *found]
        back = (back @ weight) * (value > 0)
    return found


def areas(cells) -> Column:
    """The area of each cell of a bounded plane, by the shoelace formula."""
    values = [
        0.5 * sum(a[0] * b[1] - a[1] * b[0] for a, b in pairwise([*polygon, polygon[0]]))
        for polygon in cells.polygons()
    ]
    return Column(values, "area", unit="input²")


def pattern(path):
    """Regions by their pattern."""
    return save_figure(plot_complex(subdivide(Network.he([2, 32, 32, 32, 1], seed=1), SQUARE)), path)


def layer(path):
    """Regions by the layer that made them."""
    cells = subdivide(Network.he([2, 12, 12, 12, 12, 1], seed=5, bias_std=0.3), SQUARE)
    return save_figure(plot_complex(cells, color_by="layer"), path)


def gradient(path):
    """Regions by how steep the network is."""
    cells = subdivide(trained([2, 24, 24, 3])[-1], SQUARE)
    return save_figure(plot_complex(cells, color_by="gradient"), path)


def boundary(path):
    """Classes, the boundary between them, and the data."""
    points, labels = spirals()
    cells = subdivide(trained([2, 24, 24, 3])[-1], SQUARE)
    return save_figure(plot_complex(cells, color_by="class", boundary=True, points=points, labels=labels), path)


def column(path):
    """Any numbers: here the area."""
    cells = subdivide(Network.he([2, 20, 20, 1], seed=2, bias_std=0.4), SQUARE)
    return save_figure(plot_complex(cells, color_by=areas(cells)), path)


def kinks(path):
    """Where the network bends."""
    cells = subdivide(Network.he([2, 10, 10, 10, 1], seed=8, bias_std=0.4), SQUARE)
    return save_figure(plot_kinks(cells), path)


def surface(path):
    """The function over the plane."""
    cells = subdivide(trained([2, 24, 24, 3])[-1], SQUARE)
    return save_figure(plot_surface(cells), path)


def exploded(path):
    """Cells of three dimensions, pulled apart."""
    return save_figure(plot_exploded(subdivide(Network.he([3, 5, 3, 1], seed=4, bias_std=0.4), CUBE)), path)


def cut_away(path):
    """Cells of three dimensions, cut open."""
    cells = subdivide(Network.he([3, 10, 10, 1], seed=2, bias_std=0.4), CUBE)
    return save_figure(plot_cut_away(cells), path)


def line(path):
    """The outputs along a segment."""
    cells = subdivide(trained([2, 24, 24, 3])[-1], Segment([-1.0, -0.4], [1.0, 0.5]))
    return save_figure(plot_line(cells, breaks=True), path)


def histogram(path):
    """How a column is spread."""
    cells = subdivide(Network.he([2, 32, 32, 32, 1], seed=1), SQUARE)
    return save_figure(plot_histogram(cells, areas(cells)), path)


def training(path):
    """A training, a frame every fifty steps."""
    points, labels = spirals()
    networks = trained([2, 12, 12, 3])
    titles = [f"step {EVERY * i}" for i in range(len(networks))]
    return animate(
        networks, SQUARE, path, titles=titles, boundary=True, points=points, labels=labels, dpi=80, frames_per_second=4
    )


PICTURES = {
    "pattern.png": pattern,
    "layer.png": layer,
    "gradient.png": gradient,
    "boundary.png": boundary,
    "column.png": column,
    "kinks.png": kinks,
    "surface.png": surface,
    "exploded.png": exploded,
    "cut_away.png": cut_away,
    "line.svg": line,
    "histogram.svg": histogram,
    "training.gif": training,
}


def main(wanted: list[str]) -> None:
    """Make the pictures, or those whose names are given."""
    FOLDER.mkdir(exist_ok=True)
    with house_style():
        for name, make in PICTURES.items():
            if not wanted or name in wanted:
                path = make(FOLDER / name)
                print(f"{path.name}: {path.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    main(sys.argv[1:])
