"""Average pooling: sums over windows, divided by integers. 1/9 is not a float, so the division is kept as a
division.
"""

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
    """Average pooling: means over windows of an image (channels, *sides), per channel, as in torch.

    kernel : window sizes, positive integers, one for all sides or one per side.
    input_shape : (channels, *sides).
    stride : as kernel; None means the kernel sizes.
    padding : zeros around the image, fewer than the kernel size: one number, one per side, or pairs (before, after).
    count_include_pad : whether the zeros of the padding are counted in the divisor.
    ceil_mode : whether the last window may extend beyond the padding; entries beyond it are never counted.
    The entries of `matrix` are ones; matrix @ values / divisors is the exact mean.
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
        """The number of values in each mean, int64 (n_out,)."""
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
        """Empty, as the operator has no arrays."""
        return {}

    def settings(self) -> dict[str, Any]:
        """The arguments of the constructor, one number per side."""
        return {
            "kernel": list(self.kernel),  # type: ignore[arg-type]
            "input_shape": list(self.input_shape),
            "stride": list(self.stride),  # type: ignore[arg-type]
            "padding": [list(pair) for pair in self.padding],  # type: ignore[union-attr, arg-type]
            "count_include_pad": self.count_include_pad,
            "ceil_mode": self.ceil_mode,
        }
