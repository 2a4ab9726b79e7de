"""The authors' length of training beside ours: what their epochs are in steps, and in epochs of fewer images."""

from __future__ import annotations

from creases.paper.choices import IdxFiles
from creases.paper.figure import Data, Line, Size

__all__ = ["EPOCH_1", "EPOCH_20", "authors_epochs", "steps_at"]

# Optimiser steps of the authors' epochs 1 and 20: 468 batches of 128 of 60,000 images.
EPOCH_1, EPOCH_20 = 468, 9360
# Whole epochs of 31 batches, as 4,000 images have, that are at least as many steps: 496 and 9,362.
OF_FEWER = (16, 302)


def authors_epochs(size: Size) -> tuple[int, int]:
    """The epochs of this size's images that are as many steps as the authors' epochs 1 and 20."""
    return (1, 20) if size.rank == 2 or isinstance(size.images, IdxFiles) else OF_FEWER


def steps_at(data: Data, line: Line, epoch: float) -> float:
    """Optimiser steps of a run of a line up to this epoch."""
    epochs = line.experiment.epochs
    return data.steps(line) * epoch / epochs if epochs else 0.0
