"""A torch `nn.Module` in memory: a plain Sequential is read as a chain, any other module by the program that it runs.

This module decides whether a module is certainly a chain. Only `nn.Sequential` determines the order in which its
children act. Any other container may compute anything in `forward`, and so may a module that was changed from outside
by a parametrization or a patched forward; for these, torch lists the operators that they call (`export`). A forward
hook is refused: it is not part of the module, and may use more than its input. Training mode has no effect: the network
is that of `eval()`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from creases.errors import ModelFileError, NetworkError, UnsupportedModelError
from creases.network import Network
from creases.readers.chain import Chain
from creases.readers.torch.tensor import eps_beside, tensor_values

if TYPE_CHECKING:
    import torch

__all__ = ["is_module", "read_module"]

DEEPEST = 64  # the deepest nesting of Sequentials that is read


def is_module(source: object) -> bool:
    """True if `source` is a torch module; torch is not imported to find out."""
    torch = sys.modules.get("torch")
    return torch is not None and hasattr(torch, "nn") and isinstance(source, torch.nn.Module)


def read_module(module: torch.nn.Module, input_shape: tuple[int, ...] | None = None) -> Network:
    """The network that a torch module computes in evaluation mode, in exact arithmetic.

    module : any module whose forward takes one input and is piecewise linear.
    input_shape : the shape of one input without the batch, if the module does not determine it. With a shape of several
    axes, even a chain is read by running it: a Linear acts along the last axis. Weights are copied (float32, bfloat16
    and half widen without loss); the module is not changed.
    Raises UnsupportedModelError, with the operator and its line, if the module is not piecewise linear; ModelFileError
    if `input_shape` is needed; NetworkError on shapes that do not fit or numbers that are not finite.
    """
    import torch

    from creases.readers.torch.export import unwrapped

    if isinstance(module, torch.jit.ScriptModule):
        raise UnsupportedModelError(
            "This module is a TorchScript program (torch.jit), which is not read. Load the torch module that it was "
            "made from, creases.load(model), or save that as .onnx with torch.onnx.export(model, ...)."
        )
    module = unwrapped(module)
    check_readable(module)
    several_axes = input_shape is not None and len(input_shape) > 1
    chain = None if several_axes else plain_chain(module)
    if chain is None or chain.n_in is None:  # an Identity, for example, which takes any number of inputs
        return read_program(module, input_shape)
    return chain.network()


def plain_chain(module: torch.nn.Module) -> Chain | None:
    """The chain that a module's Sequentials determine, or None."""
    chain = Chain(type(module).__name__)
    try:
        add(module, "", chain)
    except NotAPlainChainError:
        return None
    return chain


def read_program(module: torch.nn.Module, input_shape: tuple[int, ...] | None) -> Network:
    """The network of a module, from the operators that it calls."""
    from creases.readers.torch.export import program_of
    from creases.readers.torch.interpreter import KNOWN, network_of

    check_statistics(module)
    shape = input_shape_of(module) if input_shape is None else input_shape
    return network_of(program_of(module, type(module).__name__, shape, training_notes(module), KNOWN))


def input_shape_of(module: torch.nn.Module) -> tuple[int, ...]:
    """The shape of one input, if the module determines it: Lightning's example, or a first layer that takes vectors."""
    import torch
    from torch import nn

    example = getattr(module, "example_input_array", None)
    if isinstance(example, torch.Tensor) and example.ndim > 1:
        return tuple(example.shape[1:])
    first = next((part for part in module.modules() if next(part.parameters(recurse=False), None) is not None), None)
    if isinstance(first, nn.Linear):
        return (first.in_features,)
    if isinstance(first, nn.BatchNorm1d):
        return (first.num_features,)
    sides = {nn.Conv1d: (100,), nn.Conv2d: (32, 32), nn.Conv3d: (16, 16, 16)}
    shape: tuple[int, ...] = next(
        ((first.in_channels, *more) for kind, more in sides.items() if isinstance(first, kind)), (3, 32, 32)
    )
    layer = f"whose first layer is a {type(first).__name__}" if first is not None else "without numbers"
    raise ModelFileError(
        f"{type(module).__name__} is a module {layer}: it does not say the shape of its inputs. Say it, without the "
        f"batch: creases.load(model, input_shape={shape})."
    )


def check_readable(module: torch.nn.Module) -> None:
    """Refuse a module whose numbers are not there yet, or with a hook that torch itself did not add."""
    from torch.nn.parameter import is_lazy
    from torch.nn.utils import prune, spectral_norm, weight_norm

    own = tuple(
        kind
        for kind in (
            getattr(prune, "BasePruningMethod", None),
            getattr(sys.modules.get(spectral_norm.__module__), "SpectralNorm", None),
            getattr(sys.modules.get(weight_norm.__module__), "WeightNorm", None),
        )
        if kind is not None
    )
    for path, part in module.named_modules():
        name = described(part, path)
        if any(is_lazy(tensor) for tensor in part.parameters(recurse=False)):
            raise NetworkError(f"{name} holds no numbers yet. Run the model once on an input, or load its weights.")
        for what, tensor in (*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)):
            if tensor.device.type == "meta":
                raise NetworkError(f"{name}: {what} holds no numbers yet. Load the model's weights first.")
        hooks = (*part._forward_hooks.values(), *part._forward_pre_hooks.values())
        if any(not isinstance(hook, own) for hook in hooks):
            raise UnsupportedModelError(
                f"{name} has a forward hook, which may change what it computes. Remove the hook first (for "
                "pruning: torch.nn.utils.prune.remove; for weight norm: torch.nn.utils.remove_weight_norm)."
            )


def check_statistics(module: torch.nn.Module) -> None:
    """Refuse a BatchNorm that is not a fixed function of one input."""
    from torch import nn

    for path, part in module.named_modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm) and part.running_mean is None:
            raise UnsupportedModelError(
                f"{described(part, path)} keeps no running statistics (track_running_stats=False), so its output "
                "depends on the batch and it is no fixed function. Train it with track_running_stats=True."
            )


def training_notes(module: torch.nn.Module) -> list[str]:
    """The notes on layers that training mode changes."""
    from torch import nn

    notes = []
    for path, part in module.named_modules():
        if part.training and isinstance(part, nn.modules.batchnorm._BatchNorm) and part.running_mean is not None:
            notes.append(
                f"{described(part, path)} was in training mode; its running statistics are used, as eval() would."
            )
        elif part.training and isinstance(part, nn.modules.dropout._DropoutNd) and part.p > 0:
            notes.append(f"{described(part, path)} was in training mode; it is left out, as eval() would.")
    return notes


class NotAPlainChainError(Exception):
    """The module is not a chain that its Sequentials determine; it has to be read by its program."""


def add(module: torch.nn.Module, path: str, chain: Chain, depth: int = 0) -> None:
    """Add a module, and all modules inside it, to the chain. Raises NotAPlainChainError on an unknown module."""
    from torch import nn
    from torch.nn.utils import parametrize

    kinds: dict[type, Callable[[Any, str, Chain], None]] = {
        nn.Linear: add_linear,
        nn.ReLU: lambda _module, _name, chain: chain.relu(),
        nn.Flatten: check_flatten,
        nn.Dropout: note_dropout,
        nn.Identity: lambda _module, _name, _chain: None,
        nn.BatchNorm1d: add_batch_norm,
    }
    kind = next((kind for kind in (nn.Sequential, *kinds) if isinstance(module, kind)), None)
    changed = (
        kind is None
        or any(
            getattr(type(module), method, None) is not getattr(kind, method, None)
            for method in ("forward", "__call__", "__iter__")  # Sequential's forward iterates over itself
        )
        or parametrize.is_parametrized(module)
        or module._forward_hooks
        or module._forward_pre_hooks
        or "forward" in vars(module)
    )
    if changed or depth == DEEPEST:
        raise NotAPlainChainError
    if kind is not nn.Sequential:
        kinds[kind](module, described(module, path), chain)  # type: ignore[index]
        return
    # Not named_children(): it lists a module that occurs twice (a shared ReLU, for example) only once.
    for key, child in module._modules.items():
        if child is not None:
            add(child, f"{path}.{key}" if path else key, chain, depth + 1)


def described(module: torch.nn.Module, path: str) -> str:
    """The type and dotted path of a module, as in "Linear 'net.0'"."""
    return f"{type(module).__name__} '{path}'" if path else f"{type(module).__name__} (the module itself)"


def add_linear(module: torch.nn.Linear, name: str, chain: Chain) -> None:
    """Add a Linear; a missing bias is zeros."""
    bias = None if module.bias is None else tensor_values(module.bias, f"{name}: bias")
    chain.dense(name, tensor_values(module.weight, f"{name}: weight"), bias)


def add_batch_norm(module: torch.nn.BatchNorm1d, name: str, chain: Chain) -> None:
    """Add a BatchNorm1d with its running statistics."""
    mean, variance = module.running_mean, module.running_var
    if mean is None or variance is None:
        raise NotAPlainChainError
    if module.training:
        chain.note(f"{name} was in training mode; its running statistics are used, as eval() would.")
    size = module.num_features
    gamma = np.ones(size) if module.weight is None else tensor_values(module.weight, f"{name}: weight")
    beta = np.zeros(size) if module.bias is None else tensor_values(module.bias, f"{name}: bias")
    means = tensor_values(mean, f"{name}: running_mean")
    variances = tensor_values(variance, f"{name}: running_var")
    chain.batch_norm(name, means, variances, gamma, beta, eps_beside(variance, module.eps))


def check_flatten(module: torch.nn.Flatten, name: str, chain: Chain) -> None:
    """Flatten changes no number. Raises NotAPlainChainError if it would flatten the batch too, or only some axes."""
    if (module.start_dim, module.end_dim) != (1, -1):
        raise NotAPlainChainError


def note_dropout(module: torch.nn.Dropout, name: str, chain: Chain) -> None:
    """Dropout has no effect in evaluation mode."""
    if module.training and module.p > 0:
        chain.note(f"{name} was in training mode; it is left out, as eval() would.")
