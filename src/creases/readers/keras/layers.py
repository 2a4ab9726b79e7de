"""The layers of Keras, written with `creases.build`.

For each class, this module decides whether the layer is piecewise linear and how its weights are arranged; other layers
are refused with their class and name. Keras has the channels last, convolutions here have them first: a tensor
remembers its layout and is transposed only where a layer requires the other one. Softmax, sigmoid and tanh cut nothing
if they are the last layer: there they are left out, with a note; anywhere else they are refused. Numbers in a
configuration (slopes and scales) are float32 in Keras, unless the layer computes in float64.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.errors import ModelFileError, NetworkError, UnsupportedModelError
from creases.network import builder as build
from creases.network.builder import Flow

__all__ = ["Layer", "Notes", "Tensor", "applied", "settled"]

Floats = NDArray[np.float64]
Weights = Callable[[], list[Floats]]

WIDE = ("float32", "float64")
MIXED = ("mixed_float16", "mixed_bfloat16")  # variables are float32
SMOOTH = ("softmax", "log_softmax", "sigmoid", "tanh")
COUPLING = ("softmax", "log_softmax")
OWN = re.compile(r"builtins|(tf_keras|(tensorflow\.(python\.)?)?keras)(\..*)?")  # modules of Keras itself
LEAKY_DEFAULT = 0.2  # of keras.activations.leaky_relu
LEAST_VARIANCE = 1e-14  # of Normalization, which divides by max(sqrt(variance), 1e-7)
REMEDY = (
    "Creases counts piecewise-linear networks. If it is wanted without this layer, save a model that ends before it."
)


@dataclass
class Notes:
    """The notes of a reader on the model. source : the file's name, for messages."""

    source: str
    texts: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Add a sentence, once."""
        if text not in self.texts:
            self.texts.append(text)


@dataclass(frozen=True)
class Tensor:
    """A value in the model. flow : its numbers, perhaps with the channels first.

    last : whether `flow` has the channels first although Keras has them last.
    smooth : an activation that was left out and must be the last operation, and the layer that it belongs to; else "".
    """

    flow: Flow
    last: bool = False
    smooth: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape in Keras, without the batch."""
        shape = self.flow.shape
        return (*shape[1:], shape[0]) if self.last else shape

    @property
    def rank(self) -> int:
        """Number of axes, without the batch."""
        return len(self.flow.shape)


@dataclass(frozen=True)
class Layer:
    """One layer: its class, name and settings."""

    kind: str
    name: str
    config: dict[str, Any]
    source: str

    @property
    def label(self) -> str:
        """The layer's name in messages."""
        return f"{self.kind} '{self.name}'"

    def refuse(self, why: str) -> UnsupportedModelError:
        """The error that says why the layer is not read."""
        return UnsupportedModelError(f"{self.source}: {self.label} {why}")

    def sides(self, what: str, rank: int) -> tuple[int, ...]:
        """A setting with one integer per side."""
        value = self.config.get(what)
        sides = [value] * rank if isinstance(value, int) else value
        if (
            not isinstance(sides, list)
            or len(sides) != rank
            or not all(type(side) is int and side > 0 for side in sides)
        ):
            raise ModelFileError(f"{self.source}: {self.label} has {what} {value!r}, not {rank} whole numbers.")
        return tuple(sides)

    def rounded(self, values: Any) -> Floats:
        """Numbers of the configuration as the layer computes with them: rounded to float32, unless it computes in
        float64."""
        array = np.asarray(told_in(values, "value"), dtype=np.float64)
        if self.policy == "float64":
            return array
        with np.errstate(over="ignore"):
            return array.astype(np.float32).astype(np.float64)

    @property
    def policy(self) -> Any:
        """The name of its dtype policy, or whatever the configuration has instead; None if it has none."""
        return told_in(self.config.get("dtype"), "name")

    @property
    def channels_first(self) -> bool:
        """Whether the layer expects the channels first."""
        return self.config.get("data_format") == "channels_first"


def told_in(value: Any, what: str) -> Any:
    """A value of the configuration, which Keras 3 may wrap in the configuration of an object (of an array or a
    type)."""
    if isinstance(value, dict) and isinstance(value.get("config"), dict):
        return value["config"].get(what)
    return value


def applied(layer: Layer, inputs: list[Tensor], weights: Weights, notes: Notes) -> Tensor:
    """The output of a layer. Raises UnsupportedModelError if the layer is not supported, ModelFileError if its weights
    do not fit."""
    check_policy(layer, notes)
    if layer.kind in NOTHING_IN_EVALUATION and len(inputs) == 1:
        return inputs[0]
    for x in inputs:
        if x.smooth:
            raise UnsupportedModelError(
                f"{layer.source}: {x.smooth} stands inside the network, before {layer.label}. {REMEDY}"
            )
    try:
        if layer.kind in MERGES:
            return merged(layer, inputs)
        if len(inputs) != 1:
            raise layer.refuse(f"takes {len(inputs)} tensors, and one is read.")
        if layer.kind == "Lambda":
            raise layer.refuse("holds Python code, which is never run. Write it with layers of Keras.")
        known = LAYERS.get(layer.kind)
        if known is None:
            raise layer.refuse(f"is not supported. {REMEDY}")
        return known(layer, inputs[0], weights, notes)
    except NetworkError as error:
        raise type(error)(f"{layer.source}: {layer.label}: {error}") from error


def check_policy(layer: Layer, notes: Notes) -> None:
    """Refuse numbers narrower than float32; add a note where variables are float32 and the layer computes in another
    type."""
    told, policy = layer.config.get("dtype"), layer.policy
    if told is None or policy in WIDE:
        return
    if policy not in MIXED:
        kind = told.get("class_name") if policy is None and isinstance(told, dict) else policy
        raise layer.refuse(
            f"has dtype policy {str(kind)[:60]!r}; layers that keep float32s or float64s are read. Make the model with "
            'keras.config.set_dtype_policy("float32"), give it the weights, model.set_weights(old.get_weights()), and '
            "save that."
        )
    notes.add(
        f"{layer.source}: layers compute in {policy.removeprefix('mixed_')} (dtype policy {policy}), which rounds; the "
        "float32 numbers that they keep are read."
    )


def settled(x: Tensor, notes: Notes) -> Flow:
    """The output of the whole model, in Keras's layout."""
    if x.smooth:
        notes.add(f"The outputs are what the network gives before {x.smooth}, which cuts nothing.")
    return plain(x)


def plain(x: Tensor) -> Flow:
    """A tensor in Keras's layout."""
    return build.transpose(x.flow, *range(1, x.rank), 0) if x.last and x.rank > 1 else x.flow


def as_channels_first(layer: Layer, x: Tensor) -> Flow:
    """A tensor with its channels first: (channels, *sides)."""
    if x.rank < 2:
        raise layer.refuse(f"takes an image, and {x.shape} flows.")
    if layer.channels_first:
        return plain(x)
    return x.flow if x.last else build.transpose(x.flow, x.rank - 1, *range(x.rank - 1))


def of_channels(layer: Layer, flow: Flow) -> Tensor:
    """A result that has its channels first, in the layout of the layer."""
    return Tensor(flow, last=not layer.channels_first)


def exactly(layer: Layer, arrays: list[Floats], *shapes: tuple[int, ...]) -> list[Floats]:
    """A layer's weights. Raises ModelFileError if they do not have these shapes."""
    found = [array.shape for array in arrays]
    if found != list(shapes):
        raise ModelFileError(f"{layer.source}: {layer.label} has weights of shapes {found}, and needs {list(shapes)}.")
    return arrays


def repeated(values: Floats, shape: tuple[int, ...]) -> Floats | None:
    """Numbers broadcast to a shape; None if they do not broadcast to it."""
    try:
        return np.broadcast_to(values, shape)
    except ValueError:
        return None


def spread(layer: Layer, values: Floats, x: Tensor) -> Floats:
    """Numbers broadcast to the shape of a tensor in Keras, in the layout of its flow."""
    whole = repeated(values, x.shape)
    if whole is None:
        raise ModelFileError(f"{layer.source}: {layer.label} has numbers that do not fit {x.shape}.")
    return np.moveaxis(whole, -1, 0) if x.last else whole


# Activations.


def activation(layer: Layer, x: Tensor, told: Any, notes: Notes) -> Tensor:
    """An activation by its name."""
    word = told
    if isinstance(told, dict) and told.get("class_name") == "function":
        word, module, name = (told.get(what) for what in ("config", "module", "registered_name"))
        if not isinstance(module, str) or not OWN.fullmatch(module) or name not in (None, word):
            raise layer.refuse(
                f"has a function of its own as its activation, {str(word)[:60]!r} of {str(module)[:60]!r}; the file "
                'does not say what it computes. If it is one of Keras, give it by its name, as in activation="relu".'
            )
    if word is None or word == "linear":
        return x
    if word in SMOOTH:
        if word in COUPLING:
            check_coupled(layer, x, -1)
        return replace(x, smooth=f"the {word} of {layer.label}")
    if word == "relu":
        return replace(x, flow=build.relu(x.flow))
    if word == "relu6":
        return replace(x, flow=build.relu6(x.flow))
    if word == "hard_tanh":
        return replace(x, flow=build.hard_tanh(x.flow))
    if word == "leaky_relu":
        notes.add(f"{layer.label}: its leaky_relu has Keras's default slope, {LEAKY_DEFAULT}.")
        return replace(x, flow=build.leaky_relu(x.flow, float(layer.rounded(LEAKY_DEFAULT))))
    shown = word if isinstance(word, str) else word.get("class_name") if isinstance(word, dict) else word
    raise layer.refuse(f"has activation {str(shown)[:60]!r}, which is not supported. {REMEDY}")


def check_coupled(layer: Layer, x: Tensor, told: Any) -> None:
    """Refuse a softmax that mixes several inputs, or one over a single number, whose result is constant. told : its
    axes, as Keras numbers them."""
    axes = [*told] if isinstance(told, list | tuple) else [told]
    if not axes or not all(type(axis) is int and -x.rank - 1 <= axis <= x.rank for axis in axes):
        raise ModelFileError(f"{layer.source}: {layer.label} has axis {told!r} for {x.shape}.")
    places = {axis % (x.rank + 1) for axis in axes}
    if 0 in places:
        raise layer.refuse("goes along the batch, so that inputs are mixed. Give it another axis.")
    if math.prod(x.shape[place - 1] for place in places) == 1:
        raise layer.refuse(
            f"has a softmax over one number of {x.shape}, so that its result is constant. Save a model without it, or "
            "with a sigmoid in its place."
        )


def activation_layer(layer: Layer, x: Tensor, _weights: Weights, notes: Notes) -> Tensor:
    """Activation."""
    return activation(layer, x, layer.config.get("activation"), notes)


def softmax(layer: Layer, x: Tensor, _weights: Weights, _notes: Notes) -> Tensor:
    """Softmax, which must be the last layer."""
    check_coupled(layer, x, layer.config.get("axis", -1))
    return replace(x, smooth=layer.label)


def number(layer: Layer, *names: str) -> float:
    """A setting that is one number, under the first of these names that the configuration has; some versions store it
    as an array."""
    value = next((layer.config[name] for name in names if name in layer.config), None)
    try:
        one_number = float(layer.rounded(value).reshape(()))
    except (TypeError, ValueError):
        one_number = math.nan
    if not math.isfinite(one_number):
        raise ModelFileError(f"{layer.source}: {layer.label} has {names[0]} {value!r}, which is no finite number.")
    return one_number


def relu(layer: Layer, x: Tensor, _weights: Weights, _notes: Notes) -> Tensor:
    """ReLU, perhaps with a slope below zero or a maximum."""
    slope = number(layer, "negative_slope") if layer.config.get("negative_slope") is not None else 0.0
    most = layer.config.get("max_value")
    if layer.config.get("threshold") not in (None, 0, 0.0) or (slope and most is not None):
        raise layer.refuse("has a threshold, or a slope and a largest value, which are not read.")
    if most is not None:
        return replace(x, flow=build.clip(x.flow, 0.0, number(layer, "max_value")))
    return replace(x, flow=build.leaky_relu(x.flow, slope) if slope else build.relu(x.flow))


def leaky_relu(layer: Layer, x: Tensor, _weights: Weights, _notes: Notes) -> Tensor:
    """LeakyReLU."""
    return replace(x, flow=build.leaky_relu(x.flow, number(layer, "negative_slope", "alpha")))


def prelu(layer: Layer, x: Tensor, weights: Weights, _notes: Notes) -> Tensor:
    """PReLU; its slopes may be shared along some axes."""
    (slopes,) = weights() or [np.zeros(0)]
    if slopes.ndim != x.rank:
        raise ModelFileError(f"{layer.source}: {layer.label} has slopes of shape {slopes.shape} for {x.shape}.")
    return replace(x, flow=build.prelu(x.flow, spread(layer, slopes, x)))


# Linear layers.


def dense(layer: Layer, x: Tensor, weights: Weights, notes: Notes) -> Tensor:
    """Dense, along the last axis; on a tensor with several axes it is a convolution with a kernel of size 1."""
    n_in, arrays = x.shape[-1], weights()
    bias = bool(layer.config.get("use_bias", True))
    n_out = arrays[0].shape[-1] if arrays and arrays[0].ndim else 0
    kernel, *biases = exactly(layer, arrays, (n_in, n_out), *([(n_out,)] if bias else []))
    if layer.config.get("lora_rank") is not None:
        raise layer.refuse("has a LoRA, which is not read. Merge it into the kernel first.")
    if x.rank == 1:
        made = Tensor(build.dense(x.flow, kernel.T, *biases))
    else:
        flow = x.flow if x.last else build.transpose(x.flow, x.rank - 1, *range(x.rank - 1))
        made = Tensor(build.conv(flow, kernel.T.reshape(n_out, n_in, *[1] * (x.rank - 1)), *biases), last=True)
    return activation(layer, made, layer.config.get("activation"), notes)


def batch_norm(layer: Layer, x: Tensor, weights: Weights, _notes: Notes) -> Tensor:
    """BatchNormalization of the channels."""
    axis = layer.config.get("axis", -1)
    (axis,) = axis if isinstance(axis, list) and len(axis) == 1 else [axis]
    if type(axis) is not int or axis not in (-1, 1, x.rank):
        raise layer.refuse(f"has axis {axis!r}, which is not read: it must be that of the channels.")
    at_end = axis in (-1, x.rank)
    if at_end and x.rank > 1:
        x = Tensor(x.flow if x.last else build.transpose(x.flow, x.rank - 1, *range(x.rank - 1)), last=True)
    elif not at_end:
        x = Tensor(plain(x))
    n = x.flow.shape[0]
    scale, center = (bool(layer.config.get(what, True)) for what in ("scale", "center"))
    arrays = exactly(layer, weights(), *[(n,)] * (2 + scale + center))
    mean, variance = arrays[-2:]
    flow = build.batch_norm(
        x.flow,
        mean,
        variance,
        arrays[0] if scale else None,
        arrays[scale] if center else None,
        number(layer, "epsilon"),
    )
    return replace(x, flow=flow)


def normalization(layer: Layer, x: Tensor, weights: Weights, _notes: Notes) -> Tensor:
    """Normalization of the last axis: (x - mean) / sqrt(variance)."""
    axis = layer.config.get("axis", -1)
    (axis,) = axis if isinstance(axis, list) and len(axis) == 1 else [axis]
    if axis not in (-1, x.rank) or layer.config.get("invert"):
        raise layer.refuse("normalises along other axes than the last, or back, which is not read.")
    given = [layer.config.get(what) for what in ("mean", "variance")]
    try:
        arrays = weights() if None in given else [layer.rounded(values).ravel() for values in given]
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"{layer.source}: {layer.label} has a mean or variance that is no number.") from error
    mean, variance = exactly(layer, arrays, *[(x.shape[-1],)] * 2)
    if (variance < LEAST_VARIANCE).any():
        raise layer.refuse("has a variance of zero, so that it divides by Keras's epsilon; leave that input out.")
    if x.rank > 1:
        x = Tensor(x.flow if x.last else build.transpose(x.flow, x.rank - 1, *range(x.rank - 1)), last=True)
    return replace(x, flow=build.batch_norm(x.flow, mean, variance, eps=0.0))


def rescaling(layer: Layer, x: Tensor, _weights: Weights, _notes: Notes) -> Tensor:
    """Rescaling: x * scale + offset."""
    try:
        told = [layer.rounded(layer.config.get(what)) for what in ("scale", "offset")]
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"{layer.source}: {layer.label} has a scale or offset that is no number.") from error
    if 0 < told[0].ndim < 3:
        # Keras reshapes a list to (n, 1, 1) if its global setting is channels first, which the file does not contain.
        turned = repeated(told[0].reshape(*told[0].shape, *[1] * (3 - told[0].ndim)), x.shape)
        straight = repeated(told[0], x.shape)
        if turned is not None and (straight is None or (straight != turned).any()):
            raise layer.refuse(
                "has several scales for an image, and the file does not say whether they are those of its last axis "
                "or, where Keras is set to channels first, of its first. Give one scale, or use Normalization."
            )
    scale, offset = (spread(layer, values, x) for values in told)
    return replace(x, flow=build.shift(build.scale(x.flow, scale), offset))


def convolution(layer: Layer, x: Tensor, weights: Weights, notes: Notes) -> Tensor:
    """Conv, DepthwiseConv and SeparableConv; kernels in Keras have the shape (*kernel, in / groups, out)."""
    flow, rank, arrays = as_channels_first(layer, x), x.rank - 1, weights()
    if rank != int(layer.kind[-2]):
        raise layer.refuse(f"takes {layer.kind[-2]} sides and channels, and {x.shape} flows.")
    channels, bias = flow.shape[0], bool(layer.config.get("use_bias", True))
    if not arrays or arrays[0].ndim != rank + 2:
        raise ModelFileError(f"{layer.source}: {layer.label} has no kernel of {rank + 2} axes.")
    kernel = arrays[0]
    stride, dilation = layer.sides("strides", rank), layer.sides("dilation_rate", rank)
    padding = padded(layer, flow.shape[1:], kernel.shape[:rank], stride, dilation)
    depthwise = layer.kind.startswith(("Depthwise", "Separable"))
    groups = channels if depthwise else layer.config.get("groups", 1)
    # To (out, in / groups, *kernel); the outputs of a depthwise convolution are (channels, multiplier).
    if depthwise:
        if kernel.shape[rank] != channels:
            raise ModelFileError(
                f"{layer.source}: {layer.label} has a kernel of {kernel.shape} for {channels} channels."
            )
        outputs = channels * kernel.shape[rank + 1]
        turned = np.moveaxis(kernel, (rank, rank + 1), (0, 1)).reshape(outputs, 1, *kernel.shape[:rank])
    else:
        outputs = kernel.shape[rank + 1]
        turned = np.moveaxis(kernel, (rank + 1, rank), (0, 1))
    if layer.kind.startswith("Separable"):
        n_out = arrays[1].shape[-1] if len(arrays) > 1 and arrays[1].ndim else 0
        point = (*[1] * rank, outputs, n_out)
        _, second, *biases = exactly(layer, arrays, kernel.shape, point, *([(n_out,)] if bias else []))
        made = build.conv(flow, turned, stride=stride, padding=padding, dilation=dilation, groups=groups)
        made = build.conv(made, np.moveaxis(second, (rank + 1, rank), (0, 1)), *biases)
    else:
        _, *biases = exactly(layer, arrays, kernel.shape, *([(outputs,)] if bias else []))
        made = build.conv(flow, turned, *biases, stride=stride, padding=padding, dilation=dilation, groups=groups)
    return activation(layer, of_channels(layer, made), layer.config.get("activation"), notes)


def padded(
    layer: Layer, sides: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]
) -> tuple[tuple[int, int], ...]:
    """Zeros before and after each side, with TensorFlow's rule: "same" gives ceil(side / stride) outputs."""
    how = layer.config.get("padding", "valid")
    if how == "valid":
        return ((0, 0),) * len(sides)
    reaches = [(taps - 1) * step for taps, step in zip(kernel, dilation, strict=True)]
    if how == "causal" and len(sides) == 1:
        return ((reaches[0], 0),)
    if how != "same":
        raise layer.refuse(f"has padding {how!r}, which is not read.")
    pairs = []
    for side, reach, step in zip(sides, reaches, stride, strict=True):
        both = max((math.ceil(side / step) - 1) * step + reach + 1 - side, 0)
        pairs.append((both // 2, both - both // 2))
    return tuple(pairs)


# Pooling.


def pool(layer: Layer, x: Tensor, _weights: Weights, _notes: Notes) -> Tensor:
    """MaxPooling and AveragePooling in one, two or three dimensions; padding never counts."""
    flow, rank = as_channels_first(layer, x), x.rank - 1
    if rank != int(layer.kind[-2]):
        raise layer.refuse(f"takes {layer.kind[-2]} sides and channels, and {x.shape} flows.")
    kernel = layer.sides("pool_size", rank)
    stride = kernel if layer.config.get("strides") is None else layer.sides("strides", rank)
    padding = padded(layer, flow.shape[1:], kernel, stride, (1,) * rank)
    if layer.kind.startswith("Max"):
        return of_channels(layer, build.max_pool(flow, kernel, stride=stride, padding=padding))
    made = build.average_pool(flow, kernel, stride=stride, padding=padding, count_include_pad=False)
    return of_channels(layer, made)


def global_pool(layer: Layer, x: Tensor, _weights: Weights, _notes: Notes) -> Tensor:
    """GlobalMaxPooling and GlobalAveragePooling."""
    flow = as_channels_first(layer, x)
    made = build.max_pool(flow, flow.shape[1:]) if "Max" in layer.kind else build.global_average_pool(flow)
    return of_channels(layer, made) if layer.config.get("keepdims") else Tensor(build.flatten(made))


# Shapes.


def flatten(layer: Layer, x: Tensor, _weights: Weights, _notes: Notes) -> Tensor:
    """Flatten, in Keras's order: with channels first, Keras moves them last before it flattens."""
    flow = plain(x)
    if layer.channels_first and x.rank > 1:
        flow = build.transpose(flow, *range(1, x.rank), 0)
    return Tensor(build.flatten(flow))


def reshape(layer: Layer, x: Tensor, _weights: Weights, _notes: Notes) -> Tensor:
    """Reshape."""
    return Tensor(build.reshape(plain(x), *layer.config.get("target_shape", ())))


def permute(layer: Layer, x: Tensor, _weights: Weights, _notes: Notes) -> Tensor:
    """Permute; Keras numbers the axes from 1."""
    dims = layer.config.get("dims")
    if not isinstance(dims, list) or sorted(dims) != list(range(1, x.rank + 1)):
        raise ModelFileError(f"{layer.source}: {layer.label} has dims {dims!r} for {x.shape}.")
    return Tensor(build.transpose(plain(x), *(axis - 1 for axis in dims)))


def pairs_of(layer: Layer, what: str, rank: int) -> list[tuple[int, int]]:
    """Pairs (before, after), one per side; for one side Keras has a single pair."""
    given = layer.config.get(what)
    given = [given] if rank == 1 and isinstance(given, list) and given and isinstance(given[0], int) else given
    pairs = [tuple(pair) for pair in given if isinstance(pair, list)] if isinstance(given, list) else []
    if len(pairs) != rank or not all(len(pair) == 2 and all(type(n) is int and n >= 0 for n in pair) for pair in pairs):
        raise ModelFileError(f"{layer.source}: {layer.label} has {what} {given!r}, not a pair a side.")
    return pairs


def zero_padding(layer: Layer, x: Tensor, _weights: Weights, _notes: Notes) -> Tensor:
    """ZeroPadding."""
    flow = as_channels_first(layer, x)
    return of_channels(layer, build.pad(flow, ((0, 0), *pairs_of(layer, "padding", x.rank - 1))))


def cropping(layer: Layer, x: Tensor, _weights: Weights, _notes: Notes) -> Tensor:
    """Cropping."""
    flow = as_channels_first(layer, x)
    for axis, (before, after) in enumerate(pairs_of(layer, "cropping", x.rank - 1), start=1):
        flow = build.slice(flow, before, flow.shape[axis] - after, axis=axis)
    return of_channels(layer, flow)


def upsampling(layer: Layer, x: Tensor, _weights: Weights, _notes: Notes) -> Tensor:
    """UpSampling by repetition."""
    if layer.config.get("interpolation", "nearest") != "nearest":
        raise layer.refuse(f"has interpolation {layer.config['interpolation']!r}; nearest is read.")
    return of_channels(layer, build.upsample(as_channels_first(layer, x), layer.sides("size", x.rank - 1)))


# Layers that take several tensors.


def merged(layer: Layer, inputs: Sequence[Tensor]) -> Tensor:
    """Add, Subtract, Average, Maximum, Minimum, Concatenate."""
    rank = inputs[0].rank
    alike = all(x.last == inputs[0].last for x in inputs)
    flows = [x.flow if alike else plain(x) for x in inputs]
    last = inputs[0].last and alike
    if layer.kind == "Concatenate":
        axis = layer.config.get("axis", -1)
        if type(axis) is not int or axis == 0 or not -rank <= axis <= rank:
            raise ModelFileError(f"{layer.source}: {layer.label} has axis {axis!r} for {inputs[0].shape}.")
        place = axis % (rank + 1) - 1 if axis > 0 else axis + rank
        return Tensor(build.concatenate(flows, (place + 1) % rank if last else place), last)
    if len({x.shape for x in inputs}) > 1:
        raise layer.refuse(f"takes tensors of shapes {[x.shape for x in inputs]}; those of one shape are read.")
    return Tensor(MERGES[layer.kind](*flows), last)


def average(*flows: Flow) -> Flow:
    """The sum, divided by the number of flows."""
    return build.divide(build.add(*flows), float(len(flows)))


def minimum(*flows: Flow) -> Flow:
    """The negative of the maximum of the negatives."""
    return build.scale(build.maximum(*(build.scale(flow, -1.0) for flow in flows)), -1.0)


MERGES: dict[str, Callable[..., Flow]] = {
    "Add": build.add,
    "Average": average,
    "Concatenate": build.concatenate,
    "Maximum": build.maximum,
    "Minimum": minimum,
    "Subtract": build.subtract,
}
# Layers that have no effect after training.
NOTHING_IN_EVALUATION = (
    "ActivityRegularization",
    "AlphaDropout",
    "Dropout",
    "GaussianDropout",
    "GaussianNoise",
    "Identity",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "SpatialDropout3D",
)
LAYERS: dict[str, Callable[[Layer, Tensor, Weights, Notes], Tensor]] = {
    "Activation": activation_layer,
    "BatchNormalization": batch_norm,
    "Dense": dense,
    "Flatten": flatten,
    "LeakyReLU": leaky_relu,
    "Normalization": normalization,
    "PReLU": prelu,
    "Permute": permute,
    "ReLU": relu,
    "Rescaling": rescaling,
    "Reshape": reshape,
    "Softmax": softmax,
    **{f"{kind}{rank}D": convolution for kind in ("Conv", "SeparableConv") for rank in (1, 2)},
    **{f"DepthwiseConv{rank}D": convolution for rank in (1, 2)},
    "Conv3D": convolution,
    **{f"{kind}Pooling{rank}D": pool for kind in ("Max", "Average") for rank in (1, 2, 3)},
    **{f"Global{kind}Pooling{rank}D": global_pool for kind in ("Max", "Average") for rank in (1, 2, 3)},
    **{f"ZeroPadding{rank}D": zero_padding for rank in (1, 2, 3)},
    **{f"Cropping{rank}D": cropping for rank in (1, 2, 3)},
    **{f"UpSampling{rank}D": upsampling for rank in (1, 2, 3)},
}
