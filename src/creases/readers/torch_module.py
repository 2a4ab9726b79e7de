"""A torch `nn.Module` in memory, read as a chain.

Decides whether a module can be trusted to be the chain that it looks like. Only `nn.Sequential` says in which
order its children act; any other container may do what it likes in `forward`, so it is refused, with the
remedy. So is a module whose behaviour was changed from outside: a hook, a parametrization, a patched forward.
Training mode makes no difference: the network read is the one that `eval()` gives.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from creases.errors import ModelFileError, NetworkError, NotEnoughMemoryError, UnsupportedModelError
from creases.network import Network
from creases.readers.chain import Chain

if TYPE_CHECKING:
    import torch

__all__ = ["is_module", "read_module", "tensor_values"]

SUPPORTED = "Linear, ReLU, Flatten, Dropout, Identity, BatchNorm1d and nested Sequential"
DEEPEST = 64


def is_module(source: object) -> bool:
    """True if `source` is a torch module; torch is not imported to find out."""
    torch = sys.modules.get("torch")
    return torch is not None and hasattr(torch, "nn") and isinstance(source, torch.nn.Module)


def read_module(module: torch.nn.Module) -> Network:
    """The network that a chain of torch layers computes in evaluation mode, in exact arithmetic.

    module : an `nn.Sequential` of Linear, ReLU, Flatten, Dropout, Identity, BatchNorm1d and Sequentials.
    Weights are copied (float32 widens without loss); the module is not changed.
    Raises UnsupportedModelError on any other layer, by its dotted path and type; NetworkError on shapes that
    do not chain or numbers that are not finite.
    """
    import torch

    if isinstance(module, torch.jit.ScriptModule):
        raise UnsupportedModelError(
            "This module is a TorchScript program (torch.jit), which is not read. Load the torch module that it was "
            "made from, creases.load(model), or save that as .onnx with torch.onnx.export(model, ...)."
        )
    chain = Chain(type(module).__name__)
    add(module, "", chain, 0)
    return chain.network()


def add(module: torch.nn.Module, path: str, chain: Chain, depth: int, is_last: bool = True) -> None:
    """Add one module, with all inside it, to the chain; `is_last` if nothing follows it."""
    from torch import nn

    name = described(module, path)
    kinds: dict[type, Callable[[Any, str, Chain], None]] = {
        nn.Linear: add_linear,
        nn.ReLU: lambda _module, _name, chain: chain.relu(),
        nn.Flatten: check_flatten,
        nn.Dropout: note_dropout,
        nn.Identity: lambda _module, _name, _chain: None,
        nn.BatchNorm1d: add_batch_norm,
    }
    kind = next((kind for kind in (nn.Sequential, *kinds) if isinstance(module, kind)), None)
    if kind is None or any(
        getattr(type(module), method, None) is not getattr(kind, method, None)
        for method in ("forward", "__call__", "__iter__")  # Sequential's forward iterates over itself
    ):
        home = type(module).__module__  # told where it is not torch's own: a quantized Linear is named Linear too
        name = name if home.startswith("torch.nn.modules.") else f"{home}.{name}"
        raise UnsupportedModelError(f"{name} is not supported. {remedy(module, path, is_last)}")
    check_untouched(module, name)
    if kind is not nn.Sequential:
        kinds[kind](module, name, chain)
        return
    if depth == DEEPEST:
        raise UnsupportedModelError(f"{name} is nested more than {DEEPEST} deep; flatten it into one Sequential.")
    # Not named_children(): it names a module that stands twice (one shared ReLU, say) only once.
    children = [(key, child) for key, child in module._modules.items() if child is not None]
    for i, (key, child) in enumerate(children, start=1):
        add(child, f"{path}.{key}" if path else key, chain, depth + 1, is_last and i == len(children))


def described(module: torch.nn.Module, path: str) -> str:
    """The type and dotted path of a module, as in "Linear 'net.0'"."""
    return f"{type(module).__name__} '{path}'" if path else f"{type(module).__name__} (the module itself)"


def remedy(module: torch.nn.Module, path: str, is_last: bool) -> str:
    """What is supported, and what to do about a module that is not."""
    from torch import nn

    text = f"Creases reads chains of {SUPPORTED}."
    if not module._modules:
        if not (is_last and path):
            return text
        call = ": creases.load(model[:-1])" if "." not in path else ""
        return f"{text} It stands last: if the network is wanted without it, load the module without it{call}."
    text += " Only a Sequential tells in which order its children act; the forward of another class is not read."
    inner = next((key for key, child in module._modules.items() if type(child) is nn.Sequential), None)
    if inner is not None:
        where = f"{path}.{inner}" if path else inner
        return f"{text} If '{where}' is the whole network, load that: creases.load(model.{where})."
    return f"{text} Build an nn.Sequential of its layers in the order of forward and load that."


def check_untouched(module: torch.nn.Module, name: str) -> None:
    """Refuse a module that something outside its class has changed, or that is not initialised."""
    from torch.nn.parameter import is_lazy
    from torch.nn.utils import parametrize

    if any(is_lazy(parameter) for parameter in module.parameters(recurse=False)):
        raise NetworkError(f"{name} holds no numbers yet. Run the model once on an input, or load its weights.")
    if parametrize.is_parametrized(module):
        raise UnsupportedModelError(
            f"{name} has a parametrization. Make it permanent first: "
            "torch.nn.utils.parametrize.remove_parametrizations(module, 'weight')."
        )
    if module._forward_hooks or module._forward_pre_hooks:
        raise UnsupportedModelError(
            f"{name} has a forward hook, which may change what it computes. Remove the hook first (for "
            "pruning: torch.nn.utils.prune.remove; for weight norm: torch.nn.utils.remove_weight_norm)."
        )
    if "forward" in vars(module):
        raise UnsupportedModelError(f"{name} has a forward of its own, which is not read; undo the change first.")


def add_linear(module: torch.nn.Linear, name: str, chain: Chain) -> None:
    """Add a Linear; without a bias it gets zeros."""
    bias = None if module.bias is None else tensor_values(module.bias, f"{name}: bias")
    chain.dense(name, tensor_values(module.weight, f"{name}: weight"), bias)


def add_batch_norm(module: torch.nn.BatchNorm1d, name: str, chain: Chain) -> None:
    """Add a BatchNorm1d by its running statistics."""
    mean, variance = module.running_mean, module.running_var
    if mean is None or variance is None:
        raise UnsupportedModelError(
            f"{name} keeps no running statistics (track_running_stats=False), so its output depends on the "
            "batch and it is no fixed function. Train it with track_running_stats=True."
        )
    if module.training:
        chain.note(f"{name} was in training mode; its running statistics are used, as eval() would.")
    size = module.num_features
    gamma = np.ones(size) if module.weight is None else tensor_values(module.weight, f"{name}: weight")
    beta = np.zeros(size) if module.bias is None else tensor_values(module.bias, f"{name}: bias")
    means = tensor_values(mean, f"{name}: running_mean")
    variances = tensor_values(variance, f"{name}: running_var")
    chain.batch_norm(name, means, variances, gamma, beta, module.eps)


def check_flatten(module: torch.nn.Flatten, name: str, chain: Chain) -> None:
    """Flatten changes no number; one that would flatten the batch too, or only some axes, is refused."""
    if (module.start_dim, module.end_dim) != (1, -1):
        raise UnsupportedModelError(
            f"{name} has start_dim={module.start_dim}, end_dim={module.end_dim}; only Flatten(1, -1), which "
            "makes one vector of each input, is supported."
        )


def note_dropout(module: torch.nn.Dropout, name: str, chain: Chain) -> None:
    """Dropout does nothing in evaluation."""
    if module.training and module.p > 0:
        chain.note(f"{name} was in training mode; it is left out, as eval() would.")


def tensor_values(tensor: torch.Tensor, name: str) -> NDArray[np.float64]:
    """A floating-point tensor's numbers as float64, on the CPU; `name` goes into the error.

    Raises NetworkError if it holds no numbers (device "meta") or not real floats.
    """
    import torch

    if tensor.device.type == "meta":
        raise NetworkError(f"{name} holds no numbers yet. Load the model's weights first.")
    if not tensor.is_floating_point() or tensor.layout is not torch.strided or tensor.is_quantized:
        way = ".dequantize()" if tensor.is_quantized else ".to_dense()" if tensor.layout is not torch.strided else ""
        raise NetworkError(
            f"{name} is {tensor.dtype}, {tensor.layout}; it must be dense floating point numbers."
            f"{f' Convert it first: tensor{way}.' if way else ''}"
        )
    try:
        values: NDArray[np.float64] = tensor.detach().to(device="cpu", dtype=torch.float64).numpy().copy()
    except MemoryError as error:
        raise NotEnoughMemoryError(f"{name} has not room enough in memory: {error}") from error
    except (RuntimeError, TypeError, ValueError) as error:
        raise ModelFileError(f"{name} cannot be copied to the CPU: {error}") from error
    return values
