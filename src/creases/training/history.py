"""The measurements during a training."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from creases.training.files import Row, as_frame, save_table

if TYPE_CHECKING:
    import pandas

__all__ = ["History"]

COLUMNS = ("epoch", "step", "loss", "train_accuracy", "test_accuracy")


@dataclass
class History:
    """The loss and accuracies during a training, one row per measured step.

    rows : dicts with epoch (float), step, loss (mean cross-entropy of all training examples, in nats), train_accuracy
        and test_accuracy (from 0 to 1; None if the task has no test set).
    """

    rows: list[Row] = field(default_factory=list)

    @property
    def last(self) -> Row:
        """The last row."""
        return self.rows[-1]

    def table(self) -> list[Row]:
        """A copy of the rows."""
        return [dict(row) for row in self.rows]

    def to_pandas(self) -> pandas.DataFrame:
        """The rows as a DataFrame. Raises MissingExtraError if pandas is not installed."""
        return as_frame(self.rows, COLUMNS)

    def save(self, path: str | Path) -> Path:
        """Write the rows as .csv or .json. Raises TrainingError if the extension is another one."""
        return save_table(self.rows, COLUMNS, path)
