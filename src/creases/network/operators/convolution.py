"""Convolutions of one, two and three dimensions, and their transposes, with torch's layout of the weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.errors import NetworkError
from creases.network.operators.operator import (
    Floats,
    Integers,
    Operator,
    as_finite,
    as_input_shape,
    as_sides,
    as_sparse,
    whole,
)
from creases.network.operators.windows import Windows, as_padding, at

__all__ = ["Conv", "ConvTranspose"]

Padding = int | tuple[int, ...] | tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False, repr=False)
class Conv(Operator):
    """A convolution of an image (channels, *sides), as in torch, where the kernel is not flipped.

    weight : float64, shape (out, in / groups, *kernel); one, two or three sides. Read-only.
    input_shape : (in, *sides).
    stride, dilation : positive integers, one for all sides or one per side.
    padding : zeros around the image: one number, one per side, or pairs (before, after); not negative.
    groups : integer that divides both numbers of channels.
    Raises NetworkError if shapes do not fit, a number is not finite, or the kernel is larger than the padded image.
    """

    weight: Floats
    input_shape: tuple[int, ...]
    stride: int | tuple[int, ...] = 1
    padding: Padding = 0
    dilation: int | tuple[int, ...] = 1
    groups: int = 1
    _windows: Windows = field(init=False)

    def __post_init__(self) -> None:
        shape = set_all(self, "(out, in / groups, *kernel)")
        weight, groups = self.weight, self.groups
        if shape[0] != weight.shape[1] * groups or weight.shape[0] % groups:
            raise NetworkError(
                f"Conv: weight of shape {weight.shape} with groups={groups} takes {weight.shape[1] * groups} channels, "
                f"and its {weight.shape[0]} outputs must be a multiple of groups; input_shape is {shape}."
            )
        windows = Windows.over(shape[1:], weight.shape[2:], self.stride, self.padding, self.dilation, "Conv")  # type: ignore[arg-type]
        object.__setattr__(self, "_windows", windows)
        self._set_shapes(shape, (weight.shape[0], *windows.counts))

    def _matrix(self) -> Any:
        return as_sparse(*convolution_matrix(self.weight, self._windows, self.groups), (self.n_out, self.n_in))

    def _apply(self, rows: Floats) -> Floats:
        windows: Windows = self._windows
        outputs, inputs = self.weight.shape[:2]
        padded = windows.padded(rows.reshape(-1, *self.input_shape))
        # One product per tap: (groups, outputs, inputs) @ (b, groups, inputs, windows).
        kernel = self.weight.reshape(self.groups, outputs // self.groups, inputs, *windows.kernel)
        result = np.zeros((len(rows), self.groups, outputs // self.groups, windows.n_windows))
        for tap in windows.taps():
            seen = padded[at(*windows.at(tap))].reshape(len(rows), self.groups, inputs, windows.n_windows)
            result += kernel[at(*tap)] @ seen
        return result.reshape(len(rows), self.n_out)

    @property
    def kernel(self) -> Floats:
        """The weight of each group, float64 (groups, outputs, inputs, *taps)."""
        return self.weight.reshape(self.groups, -1, *self.weight.shape[1:])

    @property
    def windows(self) -> Windows:
        """The positions of the windows."""
        windows: Windows = self._windows
        return windows

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The weight."""
        return {"weight": self.weight}

    def settings(self) -> dict[str, Any]:
        """The arguments of the constructor without the weight, one number per side."""
        return settings_of(self)


@dataclass(frozen=True, eq=False, repr=False)
class ConvTranspose(Operator):
    """A transposed convolution of an image (channels, *sides): each value adds a multiple of the kernel to the result.

    weight : float64, shape (in, out / groups, *kernel), torch's layout. Read-only.
    input_shape : (in, *sides).
    stride, dilation : positive integers, one for all sides or one per side.
    padding : entries cut off from the result: one number, one per side, or pairs (before, after); not negative.
    output_padding : entries added at the end of the result, fewer than stride or dilation: one number or one per side.
    groups : integer that divides both numbers of channels.
    Raises NetworkError if shapes do not fit, a number is not finite, or nothing is left of the result.
    """

    weight: Floats
    input_shape: tuple[int, ...]
    stride: int | tuple[int, ...] = 1
    padding: Padding = 0
    output_padding: int | tuple[int, ...] = 0
    dilation: int | tuple[int, ...] = 1
    groups: int = 1
    _windows: Windows = field(init=False)

    def __post_init__(self) -> None:
        shape = set_all(self, "(in, out / groups, *kernel)")
        weight, groups = self.weight, self.groups
        if shape[0] != weight.shape[0] or shape[0] % groups:
            raise NetworkError(
                f"ConvTranspose: weight of shape {weight.shape} takes {weight.shape[0]} channels, a multiple of "
                f"groups={groups}; input_shape is {shape}."
            )
        more = as_sides(self.output_padding, "ConvTranspose: output_padding", len(shape) - 1, 0)
        object.__setattr__(self, "output_padding", more)
        lengths = []
        for side, taps, step, pair, extra, gap in zip(
            shape[1:],
            weight.shape[2:],
            self.stride,  # type: ignore[arg-type]
            self.padding,  # type: ignore[arg-type]
            more,
            self.dilation,  # type: ignore[arg-type]
            strict=True,
        ):
            if extra >= max(step, gap):
                raise NetworkError(
                    f"ConvTranspose: output_padding must be less than stride or dilation, got {extra} with stride "
                    f"{step} and dilation {gap}."
                )
            length = (side - 1) * step + gap * (taps - 1) + 1 + extra - sum(pair)
            if length < 1:
                raise NetworkError(
                    f"ConvTranspose: padding {pair} cuts off all of a side: {length + sum(pair)} numbers and no more."
                )
            lengths.append(length)
        # It is the transpose of a convolution from the result to the image.
        windows = Windows(tuple(lengths), weight.shape[2:], self.stride, self.padding, self.dilation, shape[1:])  # type: ignore[arg-type]
        object.__setattr__(self, "_windows", windows)
        self._set_shapes(shape, (weight.shape[1] * groups, *lengths))

    def _matrix(self) -> Any:
        back = as_sparse(*convolution_matrix(self.weight, self._windows, self.groups), (self.n_in, self.n_out))
        matrix = back.T.tocsr()
        return as_sparse(matrix.data, matrix.indices, matrix.indptr, (self.n_out, self.n_in))

    def _apply(self, rows: Floats) -> Floats:
        windows: Windows = self._windows
        inputs, outputs = self.weight.shape[:2]
        images = rows.reshape(len(rows), self.groups, inputs // self.groups, windows.n_windows)
        # (groups, outputs, inputs, *kernel)
        kernel = np.swapaxes(self.weight.reshape(self.groups, inputs // self.groups, outputs, *windows.kernel), 1, 2)
        whole_sides = [
            max(length, before + side)
            for length, (before, _after), side in zip(windows.lengths, windows.padding, windows.sides, strict=True)
        ]
        result = np.zeros((len(rows), self.groups, outputs, *whole_sides))
        for tap in windows.taps():
            result[at(*windows.at(tap))] += (kernel[at(*tap)] @ images).reshape(
                len(rows), self.groups, outputs, *windows.counts
            )
        kept = [
            slice(before, before + side) for (before, _after), side in zip(windows.padding, windows.sides, strict=True)
        ]
        return np.asarray(result[at(*kept)].reshape(len(rows), self.n_out))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The weight."""
        return {"weight": self.weight}

    def settings(self) -> dict[str, Any]:
        """The arguments of the constructor without the weight, one number per side."""
        return settings_of(self) | {"output_padding": list(self.output_padding)}  # type: ignore[arg-type]


def as_kernel(weight: Any, name: str, layout: str) -> Floats:
    """The weight of a convolution as float64. Raises NetworkError if it has another number of axes or is not finite."""
    kernel = as_finite(weight, f"{name}: weight")
    if kernel.ndim not in (3, 4, 5) or 0 in kernel.shape:
        raise NetworkError(
            f"{name}: weight must have shape {layout} with one, two or three sides, none of them empty; got "
            f"{kernel.shape}."
        )
    return kernel


def set_all(operator: Any, layout: str) -> tuple[int, ...]:
    """Check and set the fields that both kinds of convolution have, with one number per side; returns the shape of an
    image.

    layout : the description of the weight's axes in an error.
    """
    name = type(operator).__name__
    weight = as_kernel(operator.weight, name, layout)
    sides = weight.ndim - 2
    shape = as_input_shape(operator.input_shape, f"{name}: input_shape", sides)
    for part, value in (
        ("weight", weight),
        ("groups", whole(operator.groups, f"{name}: groups", 1)),
        ("stride", as_sides(operator.stride, f"{name}: stride", sides, 1)),
        ("padding", as_padding(operator.padding, f"{name}: padding", sides)),
        ("dilation", as_sides(operator.dilation, f"{name}: dilation", sides, 1)),
    ):
        object.__setattr__(operator, part, value)
    return shape


def settings_of(operator: Any) -> dict[str, Any]:
    """The parameters of both kinds of convolution, without the weight."""
    return {
        "input_shape": list(operator.input_shape),
        "stride": list(operator.stride),
        "padding": [list(pair) for pair in operator.padding],
        "dilation": list(operator.dilation),
        "groups": operator.groups,
    }


def convolution_matrix(weight: Floats, windows: Windows, groups: int) -> tuple[Floats, Integers, Integers]:
    """The sparse matrix of a convolution as data, columns and row starts; rows are (output, window), columns (input,
    place)."""
    outputs, inputs = weight.shape[:2]
    places = windows.places()
    n_windows, n_taps = places.shape
    n_places = int(np.prod(windows.sides))
    group = np.arange(outputs) // (outputs // groups)
    channels = group[:, None] * inputs + np.arange(inputs)
    shape = (outputs, n_windows, inputs, n_taps)
    seen = np.broadcast_to((places >= 0)[None, :, None, :], shape)
    columns = (channels[:, None, :, None] * n_places + places[None, :, None, :])[seen]
    data = np.broadcast_to(weight.reshape(outputs, 1, inputs, n_taps), shape)[seen]
    in_row = np.tile((places >= 0).sum(axis=1) * inputs, outputs)
    return data, columns, np.concatenate(([0], np.cumsum(in_row)))
