"""Convolutional networks at their own size: ResNet-18, ResNet-20 and VGG-16 for 32 x 32 images.

    python -m benchmarks.large resnet18        # all: see NAMES

He weights of seed 0 in float32 as torch stores them, batch norm with mean 0 and variance 1; the plane, or the segment,
goes through images drawn uniformly from [0, 1]. Prints regions, proof, wall time and the largest resident set.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import creases
from creases import build
from creases.domain import Domain, Plane, Segment

__all__ = ["NAMES", "resnet", "vgg16"]

VGG = (64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512, "pool")


class Layers:
    """Convolutions with He weights and batch norm, drawn one after the other."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def weight(self, *shape: int) -> np.ndarray:
        """He weights that float32 holds."""
        scale = np.sqrt(2 / np.prod(shape[1:]))
        return (self._rng.normal(size=shape) * scale).astype(np.float32).astype(np.float64)

    def conv(self, flow: build.Flow, outputs: int, kernel: int, stride: int = 1) -> build.Flow:
        """A convolution and a batch norm."""
        weight = self.weight(outputs, flow.shape[0], kernel, kernel)
        h = build.conv(flow, weight, np.zeros(outputs), stride=stride, padding=kernel // 2)
        ones, zeros = np.ones(outputs), np.zeros(outputs)
        return build.batch_norm(h, mean=zeros, variance=ones, weight=ones, bias=zeros, eps=1e-5)


def resnet(widths: tuple[int, ...], blocks: tuple[int, ...], seed: int = 0) -> creases.Network:
    """A residual network of basic blocks for 32 x 32 images (He, Zhang, Ren and Sun 2016)."""
    layers = Layers(seed)
    h = build.relu(layers.conv(build.input(3, 32, 32), widths[0], 3))
    for stage, (width, count) in enumerate(zip(widths, blocks, strict=True)):
        for block in range(count):
            stride = 2 if stage and not block else 1
            inner = layers.conv(build.relu(layers.conv(h, width, 3, stride)), width, 3)
            skip = h if stride == 1 and h.shape[0] == width else layers.conv(h, width, 1, stride)
            h = build.relu(build.add(inner, skip))
    h = build.flatten(build.global_average_pool(h))
    return build.network(build.dense(h, layers.weight(10, widths[-1])))


def vgg16(seed: int = 0) -> creases.Network:
    """The thirteen convolutions of VGG-16 with batch norm and max pooling for 32 x 32 images."""
    layers = Layers(seed)
    h = build.input(3, 32, 32)
    for width in VGG:
        h = build.max_pool(h, 2) if isinstance(width, str) else build.relu(layers.conv(h, width, 3))
    return build.network(build.dense(build.flatten(h), layers.weight(10, 512)))


def images(count: int) -> list[np.ndarray]:
    """Images of uniform pixels."""
    rng = np.random.default_rng(0)
    return [rng.uniform(size=3 * 32 * 32) for _ in range(count)]


def window(half_width: float) -> Domain:
    """A square around the middle of three images, in their plane."""
    return Plane.through(*images(3)).square(half_width)


@dataclass(frozen=True)
class Case:
    """One network and one domain."""

    network: Callable[[], creases.Network]
    domain: Callable[[], Domain]


CASES = {
    "resnet18": Case(lambda: resnet((64, 128, 256, 512), (2, 2, 2, 2)), lambda: window(0.0056)),
    "resnet18-small": Case(lambda: resnet((64, 128, 256, 512), (2, 2, 2, 2)), lambda: window(0.001)),
    "resnet20-segment": Case(lambda: resnet((16, 32, 64), (3, 3, 3)), lambda: Segment(*images(2))),
    "vgg16": Case(vgg16, lambda: window(0.002)),
}
NAMES = tuple(CASES)


def main() -> None:
    """Count the cases that were named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=NAMES, help=", ".join(NAMES))
    for name in parser.parse_args().names:
        network = CASES[name].network()
        start = time.perf_counter()
        found = creases.count(network, CASES[name].domain(), progress=True)
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        proof = "certified" if found.certified else f"{found.unproved_signs} signs unproved"
        print(f"{name}: {network.neurons:,} units, {found.regions:,} regions, {proof}, {seconds:.0f} s, {peak:.1f} GiB")


if __name__ == "__main__":
    main()
