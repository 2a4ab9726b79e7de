"""Networks with He weights, and images of uniform pixels."""

from __future__ import annotations

import numpy as np

import creases
from creases import build
from creases.domain import Domain, Plane

__all__ = ["images", "resnet", "resnet8", "resnet18", "resnet20", "vgg16", "window"]

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


def resnet18() -> creases.Network:
    """Of 557,056 units."""
    return resnet((64, 128, 256, 512), (2, 2, 2, 2))


def resnet20() -> creases.Network:
    """Of width 16: 188,416 units."""
    return resnet((16, 32, 64), (3, 3, 3))


def resnet8() -> creases.Network:
    """Of width 8: 38,912 units."""
    return resnet((8, 16, 32), (1, 1, 1))


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
    """A square around the first of three images, in their plane."""
    return Plane.through(*images(3)).square(half_width)
