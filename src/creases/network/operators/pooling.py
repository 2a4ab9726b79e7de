"""Average pooling: sums of windows, divided by whole numbers. A ninth is no float, so it is kept as a division."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.errors import NetworkError
from creases.network.operators.operator import Floats, Integers, Operator, as_input_shape, as_sides, as_sparse
from creases.network.operators.windows import Windows, as_padding, at

__all__ = ["AveragePool"]


@dataclass(frozen=True, eq=False, repr=False)
class AveragePool(Operator):
    """Means over windows of an image (channels, *sides), channel by channel, as torch takes them.

    kernel : whole number of at least 1, one for all sides or one a side.
    input_shape : (channels, *sides).
    stride : as kernel; the kernel itself where it is None.
    padding : zeros around the image, less than the kernel: one number, one a side, or pairs (before, after).
    count_include_pad : whether the zeros of the padding count among what is divided by.
    ceil_mode : whether a last window may reach beyond the padding; what lies there never counts.
    Its `matrix` holds ones; the means are exact as matrix @ values / divisors.
    Raises NetworkError if shapes do not fit, or the kernel is larger than the padded image.
    """

    kernel: int | tuple[int, ...]
    input_shape: tuple[int, ...]
    stride: int | tuple[int, ...] | None = None
    padding: int | tuple[int, ...] | tuple[tuple[int, int], ...] = 0
    count_include_pad: bool = True
    ceil_mode: bool = False
    _windows: Windows = field(init=False)

    def __post_init__(self) -> None:
        shape = as_input_shape(self.input_shape, "AveragePool: input_shape")
        sides = len(shape) - 1
        kernel = as_sides(self.kernel, "AveragePool: kernel", sides, 1)
        stride = kernel if self.stride is None else as_sides(self.stride, "AveragePool: stride", sides, 1)
        padding = as_padding(self.padding, "AveragePool: padding", sides)
        for pair, taps in zip(padding, kernel, strict=True):
            if max(pair) >= taps:
                raise NetworkError(
                    f"AveragePool: padding must be less than the kernel, got {pair} with a kernel of {taps}."
                )
        windows = Windows.over(shape[1:], kernel, stride, padding, (1,) * sides, "AveragePool", bool(self.ceil_mode))
        for name, value in (
            ("kernel", kernel),
            ("stride", stride),
            ("padding", padding),
            ("count_include_pad", bool(self.count_include_pad)),
            ("ceil_mode", bool(self.ceil_mode)),
            ("_windows", windows),
        ):
            object.__setattr__(self, name, value)
        self._set_shapes(shape, (shape[0], *windows.counts))

    @cached_property
    def _divisors(self) -> Integers:
        divisors = np.tile(self._windows.sizes(self.count_include_pad), self.input_shape[0])
        divisors.setflags(write=False)
        return divisors

    @property
    def divisors(self) -> Integers:
        """How many numbers each mean is of, int64 (n_out,)."""
        return self._divisors

    def _matrix(self) -> Any:
        channels, places = self.input_shape[0], self._windows.places()
        seen = np.broadcast_to(places >= 0, (channels, *places.shape))
        columns = (np.arange(channels)[:, None, None] * np.prod(self._windows.sides) + places)[seen]
        starts = np.concatenate(([0], np.cumsum(np.tile((places >= 0).sum(axis=1), channels))))
        return as_sparse(np.ones(len(columns)), columns, starts, (self.n_out, self.n_in))

    def _apply(self, rows: Floats) -> Floats:
        windows: Windows = self._windows
        padded = windows.padded(rows.reshape(-1, *self.input_shape))
        sums = np.zeros((len(rows), *self.output_shape))
        for tap in windows.taps():
            sums += padded[at(*windows.at(tap))]
        return np.asarray(sums.reshape(len(rows), self.n_out) / self.divisors)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """None: it has no numbers of its own."""
        return {}

    def settings(self) -> dict[str, Any]:
        """All that it was made from, one number a side."""
        return {
            "kernel": list(self.kernel),  # type: ignore[arg-type]
            "input_shape": list(self.input_shape),
            "stride": list(self.stride),  # type: ignore[arg-type]
            "padding": [list(pair) for pair in self.padding],  # type: ignore[union-attr, arg-type]
            "count_include_pad": self.count_include_pad,
            "ceil_mode": self.ceil_mode,
        }
