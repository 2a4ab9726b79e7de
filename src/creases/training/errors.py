"""What can go wrong in training, in the family of `CreasesError`."""

from __future__ import annotations

from creases.errors import CreasesError, require_extra

__all__ = ["TrainingError", "need_torch"]


class TrainingError(CreasesError, ValueError):
    """A task, the settings of a training or its records are wrong or do not fit together."""


def need_torch(purpose: str) -> None:
    """Raise MissingExtraError, with the command that installs it, unless torch can be imported."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise require_extra("torch", "torch", purpose) from error
