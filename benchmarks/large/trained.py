"""A ResNet-18 trained for a minute or two on patches of photographs that come with scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.torch import load_file, save_file
from sklearn.datasets import load_sample_images
from torch import nn, optim, random, tensor
from torch.nn import functional

import creases
from creases.domain import Domain, Plane

__all__ = ["photographs_window", "trained_resnet18"]

KEPT = Path("build/resnet18-photographs.safetensors")
SIDE, STRIPS, STEPS, BATCH = 32, 5, 150, 32


class Block(nn.Module):
    """Two convolutions and a skip."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first, self.second = conv(inputs, outputs, 3, stride), conv(outputs, outputs, 3)
        self.skip = nn.Identity() if stride == 1 and inputs == outputs else conv(inputs, outputs, 1, stride)

    def forward(self, x):
        """The sum, folded."""
        return functional.relu(self.second(functional.relu(self.first(x))) + self.skip(x))


def conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Module:
    """A convolution and a batch norm."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs))


def resnet18() -> nn.Module:
    """Of the shape of `networks.resnet18`."""
    widths = (64, 64, 128, 256, 512)
    blocks = [
        Block(widths[i] if j == 0 else widths[i + 1], widths[i + 1], 2 if i and not j else 1)
        for i in range(4)
        for j in range(2)
    ]
    stem = [conv(3, 64, 3), nn.ReLU()]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 2 * STRIPS))


def patches(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Patches of two photographs, float32 (count, 3, 32, 32) in [0, 1]; and of which strip of which of the two."""
    photographs = load_sample_images().images
    which, strips = rng.integers(2, size=count), rng.integers(STRIPS, size=count)
    found = []
    for photograph, strip in zip(which, strips, strict=True):
        height, width, _ = photographs[photograph].shape
        top, left = rng.integers(height - SIDE), strip * (width // STRIPS) + rng.integers(width // STRIPS - SIDE)
        found.append(photographs[photograph][top : top + SIDE, left : left + SIDE])
    images = np.array(found, np.float32).transpose(0, 3, 1, 2) / np.float32(255)
    return images, which * STRIPS + strips


def trained_resnet18() -> creases.Network:
    """The network after STEPS steps; its weights stay in `build/`, and are read from there the next time."""
    random.manual_seed(0)
    module = resnet18()
    if KEPT.exists():
        module.load_state_dict(load_file(KEPT))
    else:
        train(module)
        KEPT.parent.mkdir(exist_ok=True)
        save_file(module.state_dict(), KEPT)
    return creases.load(module.eval(), input_shape=(3, SIDE, SIDE))


def train(module: nn.Module) -> None:
    """Descend; prints the loss."""
    rng = np.random.default_rng(0)
    optimiser = optim.SGD(module.parameters(), lr=0.02, momentum=0.9, weight_decay=5e-4)
    for step in range(1, STEPS + 1):
        images, classes = patches(rng, BATCH)
        given = module(tensor(images))
        loss = functional.cross_entropy(given, tensor(classes))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 10 == 0:
            right = float((given.argmax(1) == tensor(classes)).float().mean())
            print(f"step {step} of {STEPS}: loss {loss.item():.2f}, {right:.0%} of the batch right", flush=True)


def photographs_window(half_width: float) -> Domain:
    """A square around the first of three patches, in their plane."""
    images, _ = patches(np.random.default_rng(1), 3)
    return Plane.through(*images.reshape(3, -1).astype(np.float64)).square(half_width)
