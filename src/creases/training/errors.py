"""Errors of trainings, derived from `CreasesError`."""

from __future__ import annotations

from typing import Any

from creases.errors import CreasesError, require_extra

__all__ = ["DivergedError", "TrainingError", "need_torch"]


class TrainingError(CreasesError, ValueError):
    """Raised when a task, the settings of a training or its files are invalid or do not fit together."""


class DivergedError(TrainingError):
    """Raised when the loss of a training, or a weight, is no longer finite.

    history : the rows of the training's `History` up to this step.
    """

    history: list[dict[str, Any]]

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.history = []


def need_torch(purpose: str) -> None:
    """Raise MissingExtraError, with the command that installs it, unless torch can be imported."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise require_extra("torch", "torch", purpose) from error
