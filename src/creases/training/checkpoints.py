"""Checkpoints of a training: the network at every saved step, and everything needed to continue from the last one.

    step_000123.npz    the network, for `creases.load`; kept for every saved step
    step_000123.pt     weights, optimiser and history as plain tensors and numbers; kept for the last two

Each file appears complete or not at all. A .pt is written after its .npz, so a step with a .pt has both.
"""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from creases.files import replace_file
from creases.readers import load
from creases.training.errors import TrainingError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["Folder"]

# It increases when the steps after a checkpoint would change: 2 draws the order of the examples in another way.
FORMAT = "creases-checkpoint-2"
KEPT_CHECKPOINTS = 2  # also the one before the last, in case the last one is damaged


class Folder:
    """The checkpoints of one training.

    path : created if it does not exist. Only one training at a time may use it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainingError(f"{self.path} cannot be made a folder of checkpoints: {error.strerror}.") from error

    def steps(self) -> list[int]:
        """The steps from which the training can continue, in order."""
        found = (re.fullmatch(r"step_(\d+)\.pt", file.name) for file in self.path.iterdir())
        return sorted(int(match[1]) for match in found if match)

    def save(self, step: int, model: nn.Module, state: dict[str, Any]) -> None:
        """Write both files of a step, then delete the .pt files that are no longer needed."""
        import torch

        network = load(model)
        network.save(self.path / f"step_{step:06d}.npz")
        content = {"format": FORMAT, "step": step, **state}
        # Into memory first: on a full disk, torch raises errors that do not say so.
        buffer = io.BytesIO()
        torch.save(content, buffer)
        replace_file(self.path / f"step_{step:06d}.pt", lambda partial: partial.write_bytes(buffer.getbuffer()))
        for old in self.steps()[:-KEPT_CHECKPOINTS]:
            (self.path / f"step_{old:06d}.pt").unlink(missing_ok=True)

    def latest(self) -> dict[str, Any] | None:
        """The state of the last saved step; None if there is none.

        Raises TrainingError if its file is damaged or was not written by Creases. No code in the file is run.
        """
        import torch

        steps = self.steps()
        if not steps:
            return None
        path = self.path / f"step_{steps[-1]:06d}.pt"
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # what torch raises on a damaged file is not foreseeable
            raise TrainingError(
                f"{path} cannot be read: {type(error).__name__}. Delete it to go on from the step saved before it."
            ) from error
        if not isinstance(state, dict) or state.get("format") != FORMAT:
            raise TrainingError(
                f"{path} is not a checkpoint of this version of the program, which could go on from it bit for bit. "
                "Choose another folder."
            )
        return state
