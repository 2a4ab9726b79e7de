"""Named tensors without a program: torch state dicts (.pt, .pth) and .safetensors.

Decides which layers the names spell and where the ReLUs stand, for a state dict does not say. Tensors
'<prefix>.weight' and '<prefix>.bias' are a Linear; with running_mean and running_var, a BatchNorm. One ReLU
is assumed between any two consecutive Linears and none after the last, and the notes say so. With a BatchNorm
between the two, numbered names tell on which side of it another module stood; names that tell nothing mean
Linear, BatchNorm, ReLU, and numbers that leave two places are refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.errors import ModelFileError, UnsupportedModelError
from creases.network import Network
from creases.readers.chain import Chain

__all__ = ["from_tensors", "natural_order", "state_dict_in"]

Floats = NDArray[np.float64]

STATISTICS = ("running_mean", "running_var")
LEAVES = ("weight", "bias", *STATISTICS, "num_batches_tracked")
CHECKPOINT_KEYS = ("state_dict", "model_state_dict", "model")
EPS = 1e-5  # the default of torch.nn.BatchNorm1d
SUPPORTED = (
    "Creases reads chains of Linear ('<prefix>.weight' with two axes, '<prefix>.bias') and BatchNorm1d "
    "(also running_mean, running_var), ReLU between."
)


def state_dict_in(loaded: object, source: str) -> Mapping[str, Any]:
    """The mapping of names to tensors in what a checkpoint holds: itself, or one level down.

    One level down it may stand under 'state_dict', 'model_state_dict' or 'model', there also as the only
    element of a list. Raises ModelFileError if there is none, or more than one.
    """
    if not isinstance(loaded, Mapping):
        raise ModelFileError(
            f"{source} holds a {type(loaded).__name__}, not a state dict. Save it with "
            "torch.save(model.state_dict(), path)."
        )
    nested = {}
    for key in CHECKPOINT_KEYS:
        value = loaded.get(key)
        if isinstance(value, list | tuple) and len(value) == 1:
            value = value[0]
        if isinstance(value, Mapping):
            nested[key] = value
    if len(nested) > 1:
        raise ModelFileError(
            f"{source} has more than one state dict, under {', '.join(map(repr, nested))}. Save the one that "
            "you mean with torch.save(checkpoint[key], path)."
        )
    return next(iter(nested.values())) if nested else loaded


def natural_order(name: str) -> list[tuple[int, int, str]]:
    """A sort key by which 'net.10.weight' comes after 'net.9.weight'.

    Examples
    --------
    >>> sorted(["net.10.bias", "net.9.bias", "net.9.weight"], key=natural_order)
    ['net.9.bias', 'net.9.weight', 'net.10.bias']
    """
    parts = [part for part in re.split(r"([0-9]+)", name) if part]
    # Numbers compare by length first and are never converted: a name may hold thousands of digits.
    bare = [part.lstrip("0") if "0" <= part[0] <= "9" else None for part in parts]
    return [(1, 0, part) if n is None else (0, len(n), n) for part, n in zip(parts, bare, strict=True)]


def from_tensors(tensors: Mapping[str, Floats], source: str) -> Network:
    """The network whose layers are named tensors, in the order in which they come.

    tensors : name to float64 array, in the order of the layers.
    source : the file's name, for messages.
    Raises UnsupportedModelError on a tensor that is no Linear's or BatchNorm's, by its name and shape.
    """
    layers = grouped(tensors, source)
    linears = [i for i, (_prefix, group) in enumerate(layers) if not is_norm(group)]
    if not linears:
        raise ModelFileError(f"{source} has no Linear layer. {SUPPORTED}")
    relus = {
        relu_place([prefix for prefix, _group in layers[first : last + 1]], first, source)
        for first, last in pairwise(linears)
    }
    chain = Chain(source)
    chain.note("ReLU assumed between the Linear layers, none after the last: a state dict does not say.")
    for i, (prefix, group) in enumerate(layers):
        if is_norm(group):
            chain.note(f"BatchNorm '{prefix}': eps={EPS} assumed, torch's default: a state dict does not say.")
            mean, variance = (group[what] for what in STATISTICS)
            gamma, beta = group.get("weight", np.ones(mean.shape)), group.get("bias", np.zeros(mean.shape))
            chain.batch_norm(f"BatchNorm '{prefix}'", mean, variance, gamma, beta, EPS)
        else:
            chain.dense(f"Linear '{prefix}'", group["weight"], group.get("bias"))
        if i in relus:
            chain.relu()
            if is_norm(group):
                chain.note(f"The ReLU is assumed to follow BatchNorm '{prefix}'.")
            elif i + 1 < len(layers) and is_norm(layers[i + 1][1]):
                chain.note(f"The ReLU is assumed to stand before BatchNorm '{layers[i + 1][0]}', by their numbers.")
    return chain.network()


def grouped(tensors: Mapping[str, Floats], source: str) -> list[tuple[str, dict[str, Floats]]]:
    """The tensors of each prefix, in order of first appearance; checks that each group is a known layer."""
    groups: dict[str, dict[str, Floats]] = {}
    for name, tensor in tensors.items():
        prefix, _dot, leaf = name.rpartition(".")
        if leaf not in LEAVES:
            raise UnsupportedModelError(f"{source}: tensor '{name}' {tensor.shape} is not supported. {SUPPORTED}")
        if tensor.ndim > 2:
            kind = "a convolution" if leaf == "weight" else "no dense layer"
            raise UnsupportedModelError(
                f"{source}: tensor '{name}' has shape {tensor.shape}, so it is of {kind}. {SUPPORTED}"
            )
        groups.setdefault(prefix, {})[leaf] = tensor
    for prefix, group in groups.items():
        missing = [what for what in STATISTICS if what not in group] if is_norm(group) else []
        if not is_norm(group) and "weight" not in group:
            missing = ["weight"]
        if missing:
            found = f"{prefix}.{next(iter(group))}" if prefix else next(iter(group))
            raise ModelFileError(f"{source}: tensor '{found}' stands without its {' and '.join(missing)}.")
        if not is_norm(group) and group["weight"].ndim != 2:
            name, shape = f"{prefix}.weight" if prefix else "weight", group["weight"].shape
            raise UnsupportedModelError(
                f"{source}: tensor '{name}' has shape {shape} and no running_mean beside it: a LayerNorm, a "
                f"PReLU, or a BatchNorm that keeps no running statistics. {SUPPORTED}"
            )
    return list(groups.items())


def is_norm(group: Mapping[str, Floats]) -> bool:
    """True for the tensors of a BatchNorm."""
    return any(what in group for what in (*STATISTICS, "num_batches_tracked"))


def relu_place(prefixes: Sequence[str], first: int, source: str) -> int:
    """The index of the layer that the ReLU follows, among a Linear, BatchNorms and the next Linear.

    prefixes : of these layers; the first of them is layer number `first`.
    """
    last = first + len(prefixes) - 2
    if last == first:
        return first
    numbers = [re.fullmatch(r"(.*?)([0-9]{1,9})", prefix) for prefix in prefixes]
    if any(number is None for number in numbers) or len({number[1] for number in numbers if number}) > 1:
        return last
    at = [int(number[2]) for number in numbers if number]
    gaps = [i for i, (below, above) in enumerate(pairwise(at)) if above - below > 1]
    if len(gaps) > 1:
        raise UnsupportedModelError(
            f"{source}: modules without weights stand on more than one side of the BatchNorm between "
            f"'{prefixes[0]}' and '{prefixes[-1]}', so the place of the ReLU is not known. Load the torch "
            "module itself: creases.load(model)."
        )
    return first + gaps[0] if gaps else last
