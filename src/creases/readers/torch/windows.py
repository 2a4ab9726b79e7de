"""Torch operators that are linear in windows, channels or axes: convolutions, batch norms, means, sums, pools."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from creases import build
from creases.network.builder.flows import Flow
from creases.network.builder.linear import rows_of
from creases.network.operators import Select
from creases.readers.torch.graph import Arguments, Handler, Integers, Shape, TorchValue, Trace
from creases.readers.torch.linear import constant, divided, places, products, value_in
from creases.readers.torch.tensor import eps_beside

__all__ = ["WINDOWS", "adaptive_windows", "image_of", "one_a_side", "reduced_axes", "reduction"]


# Convolutions.


def convolve(trace: Trace, a: Arguments) -> TorchValue:
    """conv1d, conv2d, conv3d and `convolution`, transposed or not; padding may be "same" or "valid"."""
    if a.get("transposed"):
        return convolve_transposed(trace, a)
    value = value_in(trace, a, "input")
    weight = trace.numbers(constant(trace, a, "weight"), "weight")
    flow, lead, batch = image_of(trace, value, weight.ndim - 1)
    padding = a["padding"]
    dilation = one_a_side(a["dilation"], weight.ndim - 2)
    if isinstance(padding, str):
        reach = [gap * (taps - 1) for gap, taps in zip(dilation, weight.shape[2:], strict=True)]
        padding = [(side // 2, side - side // 2) if padding == "same" else (0, 0) for side in reach]
    else:
        padding = one_a_side(padding, weight.ndim - 2)
    made = build.conv(
        flow,
        weight,
        None if a["bias"] is None else trace.numbers(a["bias"], "bias"),
        stride=one_a_side(a["stride"], weight.ndim - 2),
        padding=padding,
        dilation=dilation,
        groups=a["groups"],
        name=trace.label,
    )
    return TorchValue(made, (*lead, *made.shape), batch)


def convolve_transposed(trace: Trace, a: Arguments) -> TorchValue:
    """conv_transpose1d, conv_transpose2d, conv_transpose3d."""
    value = value_in(trace, a, "input")
    weight = trace.numbers(constant(trace, a, "weight"), "weight")
    flow, lead, batch = image_of(trace, value, weight.ndim - 1)
    sides = weight.ndim - 2
    made = build.conv_transpose(
        flow,
        weight,
        None if a["bias"] is None else trace.numbers(a["bias"], "bias"),
        stride=one_a_side(a["stride"], sides),
        padding=one_a_side(a["padding"], sides),
        output_padding=one_a_side(a["output_padding"], sides),
        dilation=one_a_side(a["dilation"], sides),
        groups=a["groups"],
        name=trace.label,
    )
    return TorchValue(made, (*lead, *made.shape), batch)


def image_of(trace: Trace, value: TorchValue, rank: int) -> tuple[Flow, Shape, int | None]:
    """A value as an image (channels, *sides) of `rank` axes; the axes before it; and the batch axis among these.

    Raises UnsupportedModelError if the axes before it hold more than one image.
    """
    lead = value.shape[: len(value.shape) - rank]
    if math.prod(lead) != 1 or (value.batch is not None and value.batch >= len(lead)):
        raise trace.mixes("takes an image for each of several inputs")
    return build.reshape(value.flow, *value.shape[len(lead) :]), lead, value.batch


def one_a_side(given: Any, sides: int) -> list[int]:
    """One integer per side; torch also accepts a single one for all sides, or a list of one."""
    numbers = list(given) if isinstance(given, Sequence) else [given]
    return numbers * sides if len(numbers) == 1 else numbers


def normalise(trace: Trace, a: Arguments) -> Any:
    """A batch norm with its running statistics."""
    value = value_in(trace, a, "input")
    if a.get("training") or a.get("running_mean") is None or a.get("running_var") is None:
        raise trace.refuse(
            "keeps no running statistics (track_running_stats=False), so its output depends on the batch and it is no "
            "fixed function.",
            "Train it with track_running_stats=True.",
        )
    if value.batch not in (0, None) or len(value.shape) < 2 or value.shape[0] != 1:
        raise trace.mixes()
    mean, variance, weight, bias = (
        None if a.get(name) is None else trace.numbers(a[name], name)
        for name in ("running_mean", "running_var", "weight", "bias")
    )
    flow = build.reshape(value.flow, value.shape[1], -1)
    eps = eps_beside(a["running_var"], a["eps"])
    normal = build.batch_norm(flow, mean, variance, weight, bias, eps, name=trace.label)  # type: ignore[arg-type]
    made = TorchValue(build.flatten(normal), value.shape, value.batch)
    return [made, None, None, None, None]


def normalise_alone(trace: Trace, a: Arguments) -> Any:
    """`batch_norm`, which returns only the result, without statistics."""
    return normalise(trace, a)[0]


# Means and sums.


def reduced_axes(trace: Trace, value: TorchValue, given: Any) -> list[int]:
    """The axes over which a reduction runs; all of them if none is named. Refuses the batch's."""
    rank = len(value.shape)
    axes = [given] if isinstance(given, int) else list(range(rank)) if given is None or not len(given) else given
    kept = sorted({trace.axis(axis, rank) for axis in axes})
    if value.batch in kept:
        raise trace.mixes("reduces over the batch")
    return kept


def reduction(trace: Trace, value: TorchValue, axes: list[int], keepdim: bool) -> tuple[Integers, Shape, int | None]:
    """For each result, the indices of the entries that are combined, (results, terms); the shape of the results; the
    batch axis."""
    kept = [axis for axis in range(len(value.shape)) if axis not in axes]
    rows = places(value).transpose([*kept, *axes]).reshape(math.prod(value.shape[axis] for axis in kept), -1)
    batch = value.batch
    if keepdim:
        return rows, tuple(1 if axis in axes else side for axis, side in enumerate(value.shape)), batch
    return rows, tuple(value.shape[axis] for axis in kept), None if batch is None else kept.index(batch)


def mean(trace: Trace, a: Arguments) -> TorchValue:
    """Means over axes: sums divided by integers."""
    value = a["self"]
    rows, shape, batch = reduction(trace, value, reduced_axes(trace, value, a.get("dim")), a.get("keepdim", False))
    flow = build.flatten(value.flow)
    if not (rows.reshape(-1) == np.arange(flow.size)).all():
        flow = trace.sum_of([(flow, Select(rows.reshape(-1), flow.size))], (flow.size,), None).flow
    made = build.average_pool(build.reshape(flow, *rows.shape), rows.shape[1], name=trace.label)
    return TorchValue(build.flatten(made), shape, batch)


def summation(trace: Trace, a: Arguments) -> TorchValue:
    """Sums over axes."""
    value = a["self"]
    rows, shape, batch = reduction(trace, value, reduced_axes(trace, value, a.get("dim")), a.get("keepdim", False))
    return products(trace, value, rows.reshape(*shape, -1), np.ones(1), shape, batch)


def average_pool(trace: Trace, a: Arguments) -> TorchValue:
    """avg_pool1d, avg_pool2d, avg_pool3d."""
    value, sides = a["self"], int(trace.call.name[-2])
    if a.get("divisor_override") is not None:
        raise trace.refuse("has divisor_override, which is not read.", "Leave it out, and scale after it.")
    flow, lead, batch = image_of(trace, value, sides + 1)
    made = build.average_pool(
        flow,
        one_a_side(a["kernel_size"], sides),
        stride=one_a_side(a["stride"] or a["kernel_size"], sides),
        padding=one_a_side(a["padding"], sides),
        count_include_pad=a["count_include_pad"],
        ceil_mode=a["ceil_mode"],
        name=trace.label,
    )
    return TorchValue(made, (*lead, *made.shape), batch)


def adaptive_average_pool(trace: Trace, a: Arguments) -> TorchValue:
    """Means over windows that are as equal as the sides allow."""
    value, sides = a["self"], int(trace.call.name[-2])
    flow, lead, batch = image_of(trace, value, sides + 1)
    wanted = one_a_side(a["output_size"], sides)
    if all(side % count == 0 for side, count in zip(flow.shape[1:], wanted, strict=True)):
        kernel = [side // count for side, count in zip(flow.shape[1:], wanted, strict=True)]
        made = build.average_pool(flow, kernel, name=trace.label)
        return TorchValue(made, (*lead, *made.shape), batch)
    windows = adaptive_windows(flow.shape, wanted)
    columns, counts = np.concatenate(windows), np.array([len(window) for window in windows])
    shape = (*lead, flow.shape[0], *wanted)
    sums = trace.sum_of([(flow, rows_of(columns, np.ones(len(columns)), counts, flow.size))], shape, batch)
    return divided(trace, sums, counts.astype(np.float64).reshape(shape))


def adaptive_windows(shape: Shape, wanted: Sequence[int]) -> list[Integers]:
    """The indices in each adaptive window: from floor(i n / m) to ceil((i + 1) n / m) along a side."""
    where = np.arange(math.prod(shape)).reshape(shape)
    windows = [where[channel] for channel in range(shape[0])]
    for axis, count in enumerate(wanted):
        side = shape[axis + 1]
        windows = [
            np.take(window, range(i * side // count, -(-(i + 1) * side // count)), axis=axis)
            for window in windows
            for i in range(count)
        ]
    return [window.reshape(-1) for window in windows]


WINDOWS: dict[str, Handler] = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d", "convolution"), convolve),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), convolve_transposed),
    "batch_norm": normalise_alone,
    **dict.fromkeys(
        ("_native_batch_norm_legit_no_training", "_native_batch_norm_legit", "native_batch_norm", "cudnn_batch_norm"),
        normalise,
    ),
    "mean": mean,
    "sum": summation,
    **dict.fromkeys(("avg_pool1d", "avg_pool2d", "avg_pool3d"), average_pool),
    **dict.fromkeys(
        (
            "adaptive_avg_pool1d",
            "adaptive_avg_pool2d",
            "adaptive_avg_pool3d",
            "_adaptive_avg_pool2d",
            "_adaptive_avg_pool3d",
        ),
        adaptive_average_pool,
    ),
}
