"""Named tensors without a program: torch state dicts (.pt, .pth, .ckpt, in memory) and .safetensors files.

This module finds the layers from the names. Tensors '<prefix>.weight' and '<prefix>.bias' are a Linear; with
running_mean and running_var, a BatchNorm. Such a file does not contain the positions of the kinks, so the caller gives
them (`Answers`): between any two consecutive Linears and not after the last, or one activation per layer, or at
positions in `order`. With a BatchNorm between two Linears, numbered names show on which side of it another module was;
names without numbers mean Linear, BatchNorm, kink; numbers with two gaps, or with none although others have one, are
refused. All assumptions are in the notes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.errors import ModelFileError, NetworkError, UnsupportedModelError
from creases.network import Network
from creases.readers.chain import Chain
from creases.readers.weights.activations import LINEAR, RELU, activation_word, is_activation, kink_of
from creases.readers.weights.answers import Answers
from creases.readers.weights.kinks import note_place, placed, reading
from creases.readers.weights.layer_order import Named, listed

__all__ = ["check_claims", "from_tensors", "state_dict_in"]

Floats = NDArray[np.float64]
Group = dict[str, Floats]

STATISTICS = ("running_mean", "running_var")
LEAVES = ("weight", "bias", *STATISTICS, "num_batches_tracked")
DEEPEST = 16  # levels of a checkpoint in which state dicts are searched: {"model": {"state_dict": ...}}
MOST_ENTRIES = 1_000_000  # of its mappings and lists
MOST_TENSORS = 100_000
MOST_SHARED = 64  # largest total size of the tensors as a multiple of the file's size: tied weights are stored once
EPS = 1e-5  # the default of torch.nn.BatchNorm1d
SUPPORTED = (
    "Creases reads chains of Linear ('<prefix>.weight' with two axes, '<prefix>.bias') and BatchNorm1d "
    "(also running_mean, running_var), ReLU between. If it is no part of the network, choose the part that is with "
    "prefix= or order= (--prefix, --order)."
)
WITH_GRAPH = (
    "If it is, weights alone do not say how it is connected: load the torch module itself, "
    "creases.load(module, input_shape=...), or a file with its graph, .pt2 of torch.export.save or .onnx."
)


@dataclass(frozen=True)
class Choice:
    """The tensors that are read, and their names; `left` are the layers and tensors with other names, which are left
    out."""

    tensors: dict[str, Floats]
    entries: tuple[str, ...] | None  # the entries of `order`: full names of layers, and activations
    left: list[str]


def state_dict_in(loaded: object, source: str, is_tensor: Callable[[object], bool]) -> Mapping[Any, Any]:
    """The mapping of names to tensors in a checkpoint: the checkpoint itself, or one some levels down.

    It may have any name ('state_dict', 'model', 'net', 'policy', 'params') and be inside lists. If there are several,
    they become one, with their names as prefixes: 'actor.0.weight', 'critics.1.0.weight'.
    Raises ModelFileError if there is none, if two names become the same, or if the nesting is too deep.
    """
    if not isinstance(loaded, Mapping):
        raise ModelFileError(
            f"{source} holds a {type(loaded).__name__}, not a state dict. Save it with "
            "torch.save(model.state_dict(), path)."
        )
    mappings = list(nested(loaded, is_tensor, source, DEEPEST, [0]))
    if not mappings:
        return loaded
    if len(mappings) == 1:
        return mappings[0][1]
    tensors: dict[str, Any] = {}
    for path, inner in mappings:
        if len(tensors) > MOST_TENSORS:
            raise ModelFileError(f"{source} has more than {MOST_TENSORS} tensors. Give the state dict itself.")
        for name, value in inner.items():
            full = f"{path}.{name}"
            if full in tensors:
                raise ModelFileError(
                    f"{source} holds two tensors that would both be named {full!r}. Give one of its state dicts alone."
                )
            tensors[full] = value
    return tensors


def nested(
    loaded: Mapping[Any, Any] | list[Any] | tuple[Any, ...],
    is_tensor: Callable[[object], bool],
    source: str,
    depth: int,
    entries: list[int],
    path: str = "",
) -> Iterator[tuple[str, Mapping[Any, Any]]]:
    """The state dicts within a checkpoint and their paths ('critics.0'); the path is '' if the checkpoint is one
    itself.

    entries : the number of entries visited so far. Raises ModelFileError beyond MOST_ENTRIES, or beyond DEEPEST levels,
        because a small file could contain one mapping in another again and again.
    """
    entries[0] += len(loaded) if isinstance(loaded, Mapping) else 1 + len(loaded) // 20  # histories are long lists
    if entries[0] > MOST_ENTRIES:
        raise ModelFileError(f"{source} has more than {MOST_ENTRIES} entries. Give the state dict itself.")
    if isinstance(loaded, Mapping):
        if any(is_tensor(value) and str(key).rpartition(".")[2] in LEAVES for key, value in loaded.items()):
            yield path, loaded
            return
        parts = [(f"{path}.{key}" if path else str(key), value) for key, value in loaded.items()]
    elif len(loaded) == 1:
        parts = [(path, loaded[0])]
    else:
        parts = [(f"{path}.{i}", value) for i, value in enumerate(loaded)]
    for name, value in parts:
        if isinstance(value, Mapping | list | tuple):
            if depth == 0:
                raise ModelFileError(
                    f"{source}: {name[:60]!r} is nested more than {DEEPEST} deep, and what is in it is not looked at. "
                    "Give the state dict itself: torch.save(model.state_dict(), path)."
                )
            yield from nested(value, is_tensor, source, depth - 1, entries, name)


def from_tensors(
    tensors: Mapping[str, Floats],
    source: str,
    answers: Answers,
    *,
    stored: bool = True,
    narrow: Collection[str] = frozenset(),
) -> Network:
    """The network whose layers are named tensors.

    tensors : name to float64 array. stored : whether their order is the file's own. narrow : the names of tensors that
        had a narrower type in the file: with these, torch rounds a batch norm's eps to float32. source : the file's
        name, for messages. answers : the caller's arguments.
    Raises UnsupportedModelError, with name and shape, on a tensor that does not belong to a Linear or BatchNorm;
    ModelFileError, with the call that supplies it, if an argument is missing.
    """
    choice = chosen(tensors, source, answers)
    layers = grouped(choice.tensors, source)
    if not any(not is_norm(group) for group in layers.values()):
        raise ModelFileError(f"{source} has no Linear layer. {SUPPORTED}")
    known = {name: as_named(name, group) for name, group in layers.items()}
    names, how, kinks = placed(known, choice.entries, stored, source, answers)
    if answers.activation is None and not kinks.told:
        raise answers.question(source)
    chain = Chain(source)
    chain.note(reading(names, how, kinks, source, answers))
    if choice.left:
        chain.note(f"{source} also holds {listed(choice.left, whole=True)}, left out as the caller chose.")
    for i, name in enumerate(["", *names], start=-1):  # a kink may come before the first layer
        if i >= 0:
            add(name, layers[name], chain, answers, f"{name}.{STATISTICS[1]}" in narrow)
        if (kink := kink_of(kinks.places.get(i, LINEAR))) is not None:
            chain.bend(kink)
            note_place([known[name] for name in names], i, kinks, chain)
    if answers.batch_norm_eps is not None and not any(is_norm(layers[name]) for name in names):
        raise ModelFileError(f"{source} has no BatchNorm, so batch_norm_eps has no meaning here; leave it out.")
    network = chain.network()
    if network.layers or kinks.told or answers.activation != RELU:
        return network
    note = "It is one affine map. If its last layer has a kink too, say final_kink=True (--final-kink)."
    return replace(network, notes=(*network.notes, note))


def add(name: str, group: Group, chain: Chain, answers: Answers, narrow: bool) -> None:
    """Add one layer to the chain. narrow : whether a batch norm's eps is rounded to float32."""
    if not is_norm(group):
        try:
            chain.dense(f"Linear '{name}'", group["weight"], group.get("bias"))
        except NetworkError as error:
            if "what stands before it" not in str(error):
                raise
            raise NetworkError(
                f"{error} Networks with branches or two heads are no chain; choose the layers of one with order= or "
                "prefix= (--order, --prefix)."
            ) from error
        return
    eps = answers.batch_norm_eps
    if eps is not None:
        chain.note(f"BatchNorm '{name}': eps={eps}, as batch_norm_eps= says.")
    else:
        eps = EPS
        chain.note(
            f"BatchNorm '{name}': eps={EPS} assumed, torch's default: a state dict does not say; batch_norm_eps= does."
        )
    mean, variance = (group[what] for what in STATISTICS)
    gamma, beta = group.get("weight", np.ones(mean.shape)), group.get("bias", np.zeros(mean.shape))
    chain.batch_norm(f"BatchNorm '{name}'", mean, variance, gamma, beta, float(np.float32(eps)) if narrow else eps)


def check_claims(claimed: int, size: int, source: str) -> None:
    """Raise ModelFileError if the tensors together have many times the file's bytes, such as thousands of views of one
    storage."""
    if claimed > MOST_SHARED * size:
        raise ModelFileError(
            f"{source}: its tensors share storage and together claim more than {MOST_SHARED} times the file's "
            f"{size} bytes. If that is meant, save each apart: tensor.clone()."
        )


# Choosing the tensors.


def chosen(tensors: Mapping[str, Floats], source: str, answers: Answers) -> Choice:
    """The tensors under `prefix` that belong to the layers in `order`. Raises ModelFileError on unknown names."""
    kept, left = dict(tensors), []
    prefix = answers.prefix or ""
    if prefix:
        prefix = prefix if prefix.endswith(".") else f"{prefix}."
        kept = {name: tensor for name, tensor in tensors.items() if name.startswith(prefix)}
        left = list(dict.fromkeys(layer_of(name) for name in tensors if name not in kept))
        if not kept:
            begun = prefix[:-1]
            nearest = {begun + name[len(begun) :].partition(".")[0] + "." for name in tensors if name.startswith(begun)}
            if nearest:
                raise ModelFileError(
                    f"{source} has no tensor under prefix {prefix!r}: a prefix ends at a dot. Names that begin with "
                    f"{begun!r} are under {listed(sorted(nearest))}."
                )
            raise ModelFileError(
                f"{source} has no tensor under prefix {prefix!r}; its layers are {listed(left)}, and a prefix is the "
                "beginning of such a name."
            )
    if answers.order is None:
        return Choice(kept, None, left)
    known = dict.fromkeys(layer_of(name) for name in kept)
    entries = tuple(full_name(name, prefix, known) for name in answers.order)
    if "" in entries and "" not in known:
        strange = answers.order[entries.index("")]
        raise ModelFileError(f"{source} has no layer {strange!r} for order=; its layers are {listed(list(known))}.")
    layers = [name for name in entries if name in known]
    if not layers or len(set(layers)) < len(layers):
        raise ModelFileError(
            f"{source}: order= must name the layers in the order in which they act, each once; got "
            f"{listed(list(answers.order)) or 'nothing'}. Its layers are {listed(list(known))}."
        )
    left += [name for name in known if name not in layers]
    return Choice({name: tensor for name, tensor in kept.items() if layer_of(name) in layers}, entries, left)


def full_name(entry: str, prefix: str, known: Collection[str]) -> str:
    """An entry of `order` in full: a layer's name, given with or without the prefix, or an activation; "" if it is
    neither."""
    for name in (entry, f"{prefix}{entry}"):
        if name in known:
            return name
    return activation_word(entry) if is_activation(entry) else ""


def layer_of(tensor: str) -> str:
    """The name of the layer to which a tensor belongs; a tensor that belongs to no layer gives its own name."""
    layer, _dot, leaf = tensor.rpartition(".")
    return layer if leaf in LEAVES else tensor


def grouped(tensors: Mapping[str, Floats], source: str) -> dict[str, Group]:
    """The tensors of each prefix, in order of first appearance. Raises UnsupportedModelError unless each group is a
    known layer, ModelFileError if one of its tensors is missing."""
    groups: dict[str, Group] = {}
    for name, tensor in tensors.items():
        prefix, _dot, leaf = name.rpartition(".")
        if leaf not in LEAVES:
            if remedy := rewritten_weight(name, tensors):
                raise UnsupportedModelError(f"{source}: tensor '{name}' {remedy}, and save it again.")
            raise UnsupportedModelError(f"{source}: tensor '{name}' {tensor.shape} is not supported. {SUPPORTED}")
        if tensor.ndim > 2:
            kind = "a convolution" if leaf == "weight" else "no dense layer"
            raise UnsupportedModelError(
                f"{source}: tensor '{name}' has shape {tensor.shape}, so it is of {kind}. {SUPPORTED} {WITH_GRAPH}"
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
                "PReLU, or a BatchNorm that keeps no running statistics. None of them is supported, and without it the "
                "network would be another one."
            )
    return groups


def rewritten_weight(name: str, tensors: Mapping[str, Floats]) -> str:
    """What a tensor is from which a layer's weight is computed, and how to make the weight permanent; '' if it is not
    one."""
    layer, _dot, leaf = name.rpartition(".")
    head, found, _rest = f".{name}".rpartition(".parametrizations.")
    if found:
        module = f"layer '{head[1:]}'" if head else "the module"
        return (
            f"belongs to a parametrization (weight or spectral norm, say) of {module}. Make the weight permanent, "
            "torch.nn.utils.parametrize.remove_parametrizations(layer, 'weight')"
        )
    beside = {other.rpartition(".")[2] for other in tensors if other.rpartition(".")[0] == layer}
    ways = {
        "weight norm": ({"weight_g", "weight_v"}, "torch.nn.utils.remove_weight_norm(layer)"),
        "pruning": ({"weight_orig", "weight_mask"}, "torch.nn.utils.prune.remove(layer, 'weight')"),
        "pruning of the bias": ({"bias_orig", "bias_mask"}, "torch.nn.utils.prune.remove(layer, 'bias')"),
        "spectral norm": ({"weight_orig", "weight_u"}, "torch.nn.utils.remove_spectral_norm(layer)"),
    }
    for what, (leaves, call) in ways.items():
        if leaf in leaves | {"weight_v"} and leaves <= beside:
            return f"belongs to the {what} of layer '{layer}'. Make the weight permanent, {call}"
    return ""


def is_norm(group: Mapping[str, Floats]) -> bool:
    """True for the tensors of a BatchNorm."""
    return any(what in group for what in (*STATISTICS, "num_batches_tracked"))


def as_named(name: str, group: Group) -> Named:
    """A layer's name and shapes."""
    if is_norm(group):
        size = group[STATISTICS[0]].size
        return Named(name, size, size, is_norm=True)
    n_out, n_in = group["weight"].shape
    return Named(name, n_in, n_out, is_norm=False)
