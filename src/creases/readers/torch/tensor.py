"""The numbers of a torch tensor, unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from creases.errors import ModelFileError, NetworkError, NotEnoughMemoryError

if TYPE_CHECKING:
    import torch

__all__ = ["eps_beside", "tensor_values"]


def tensor_values(tensor: torch.Tensor, name: str) -> NDArray[np.float64]:
    """A floating-point tensor's numbers as float64, on the CPU; errors quote `name`.

    Raises NetworkError if it holds no numbers (device "meta") or numbers other than real floats.
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


def eps_beside(variance: torch.Tensor, eps: float) -> float:
    """A batch norm's eps as torch adds it to a variance: rounded to float32, unless the variance is float64."""
    import torch

    if variance.dtype == torch.float64:
        return eps
    with np.errstate(over="ignore"):
        return float(np.float32(eps))
