"""Cells as a Parquet table: one row per cell, in row groups that are written while cells are found.

| column | type | content |
| --- | --- | --- |
| cell | int64 | the number of the cell |
| pattern | bytes | its activation pattern, neuron i is bit i % 8 of byte i // 8 |
| layer_of_birth | int32 | the layer of birth, from 1; 0 for a cell that is the whole domain (`births`) |
| bounded | bool | |
| corners | list of list of float64 | in slice coordinates; counter-clockwise for a polygon |
| at_infinity | list of bool | for each corner, whether it is a direction |
| walls | list of int64 | the wall of each side, as `Complex.wall_name` reads it |
| side_corners | list of list of int32 | for each side, the indices, from 0, of the cell's corners on it |
| neighbours | list of int64 | for each side, the cell on the other side, -1 on the boundary of the domain |

Tables of streamed cells have no column `neighbours`. The file's metadata has JSON under the key `creases`.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from creases.complex.births import layers_of_birth
from creases.complex.blocks import CellBlock, blocks_of
from creases.complex.exports.facts import check_form, facts_of, result_of
from creases.domain import Domain
from creases.errors import require_extra
from creases.files import replace_file
from creases.network import Network

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["CellFile", "to_parquet"]

FORMAT = "creases-cells-1"
# A row group is written when it has this many cells or takes this many bytes, which limits the memory of a stream.
MOST_ROWS, MOST_BYTES = 65_536, 32 << 20
# The number of cells that are converted to a table at once.
CELLS_AT_ONCE = 16_384
# Columns with many repeated values; for the others a dictionary would only take time.
REPEATED = ["layer_of_birth", "walls.list.element", "side_corners.list.element.list.element"]


def to_parquet(complex: Complex, path: str | Path, *, neighbours: bool = True) -> Path:
    """`Complex.to_parquet`."""
    path = Path(path)
    check_form(path, ".parquet")
    pyarrow_modules()  # a missing package is reported before the cells are connected

    def write(partial: Path) -> None:
        with CellFile(partial, complex.network, complex.domain, neighbours=neighbours) as file:
            for block in blocks_of(complex, CELLS_AT_ONCE, neighbours=neighbours):
                file.write(block)
            file.finish(result_of(complex))

    replace_file(path, write)
    return path


def pyarrow_modules() -> tuple[Any, Any]:
    """pyarrow and its module for Parquet. Raises MissingExtraError."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise require_extra("pyarrow", "files", "Writing a .parquet file") from error
    return pyarrow, pyarrow.parquet


class CellFile:
    """A Parquet file to which blocks of cells are added; only one row group is kept in memory.

    path : the file to write, which the caller moves to its final place (`files.replace_file`).
    neighbours : whether blocks contain the cells across their sides.
    Raises MissingExtraError without pyarrow, OSError if the file cannot be written.
    """

    def __init__(self, path: Path, network: Network, domain: Domain, *, neighbours: bool) -> None:
        self._arrow, parquet = pyarrow_modules()
        self._network, self._neighbours = network, neighbours
        self._facts = {"format": FORMAT, **facts_of(network, domain), "neighbours": neighbours}
        self._waiting: list[Any] = []
        self._rows = self._bytes = 0  # of the waiting rows
        self._file = path.open("wb")
        try:
            self._writer = parquet.ParquetWriter(
                self._file,
                self.schema(),
                compression="zstd",
                use_dictionary=REPEATED,
                store_schema=False,  # readers ignore metadata that was added at the end if there is one
            )
        except BaseException:
            self._file.close()
            raise

    def schema(self) -> Any:
        """The columns and their types."""
        arrow = self._arrow
        numbers = arrow.list_(arrow.int64())
        width = (self._network.bits + 7) // 8
        columns = {
            "cell": arrow.int64(),
            "pattern": arrow.binary(width) if width else arrow.binary(),  # Parquet has no values of length zero
            "layer_of_birth": arrow.int32(),
            "bounded": arrow.bool_(),
            "corners": arrow.list_(arrow.list_(arrow.float64())),
            "at_infinity": arrow.list_(arrow.bool_()),
            "walls": numbers,
            "side_corners": arrow.list_(arrow.list_(arrow.int32())),
            **({"neighbours": numbers} if self._neighbours else {}),
        }
        return arrow.schema([arrow.field(name, kind, nullable=False) for name, kind in columns.items()])

    def write(self, block: CellBlock) -> None:
        """Add cells to the file."""
        self._facts["lineality"] = block.lineality.tolist()
        table = self.table_of(block)
        self._waiting.append(table)
        self._rows += table.num_rows
        self._bytes += table.nbytes
        if self._rows >= MOST_ROWS or self._bytes >= MOST_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write the waiting rows as one row group."""
        if self._waiting:
            self._writer.write_table(self._arrow.concat_tables(self._waiting), row_group_size=self._rows)
            self._waiting, self._rows, self._bytes = [], 0, 0

    def finish(self, result: dict[str, Any]) -> None:
        """Write the waiting rows and the final metadata. result : as from `facts.result_of`."""
        self.flush()
        self._writer.add_key_value_metadata({"creases": json.dumps({**self._facts, **result})})
        self._writer.close()

    def __enter__(self) -> CellFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            # The footer of a file that will be deleted: an error in writing it must not hide the original error.
            with suppress(Exception):
                self._writer.close()
            with suppress(OSError):
                self._file.close()
            return
        self._file.close()

    def table_of(self, block: CellBlock) -> Any:
        """The rows of a block."""
        arrow = self._arrow
        d, cells = block.corners.shape[1], len(block)
        owners = np.repeat(block.first[:-1], np.diff(block.side_first))
        within = block.side_corners - np.repeat(owners, np.diff(block.corner_first))
        coordinates = self.lists(d * np.arange(len(block.corners) + 1), arrow.array(block.corners.ravel()))
        corners = self.lists(block.corner_first, arrow.array(within.astype(np.int32)))
        columns = {
            "cell": arrow.array(np.arange(block.start, block.start + cells)),
            "pattern": self.bytes_of(np.ascontiguousarray(block.patterns)),
            "layer_of_birth": arrow.array(
                layers_of_birth(self._network, block.side_first, block.walls).astype(np.int32)
            ),
            "bounded": arrow.array(block.is_bounded),
            "corners": self.lists(block.first, coordinates),
            "at_infinity": self.lists(block.first, arrow.array(block.at_infinity)),
            "walls": self.lists(block.side_first, arrow.array(block.walls)),
            "side_corners": self.lists(block.side_first, corners),
        }
        if self._neighbours:
            columns["neighbours"] = self.lists(block.side_first, arrow.array(block.neighbours))
        return arrow.table(columns, schema=self._writer.schema)

    def lists(self, first: NDArray[np.int64], values: Any) -> Any:
        """An array of lists that begin at `first` in `values`."""
        return self._arrow.ListArray.from_arrays(self._arrow.array(first.astype(np.int32)), values)

    def bytes_of(self, patterns: NDArray[np.uint8]) -> Any:
        """Patterns, one per row, as bytes."""
        arrow, (cells, width) = self._arrow, patterns.shape
        if not width:
            return arrow.array([b""] * cells)
        return arrow.FixedSizeBinaryArray.from_buffers(arrow.binary(width), cells, [None, arrow.py_buffer(patterns)])
