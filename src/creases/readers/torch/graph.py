"""What a torch module computes, as calls of torch's own operators, and the values in such a program.

`export` makes a `Program` from a module, and `archive` from a file. `interpreter` reads its calls in order; a call that
takes a flow is read by a handler in `linear`, `windows`, `kinks` or `shapes`, written with `creases.build`. The program
is that of a batch of one. Each value keeps the axis of the batch, although its length is one, because operators that
would mix the inputs of a larger batch (a mean over it, a reshape into it) are not functions of one input, and are
refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from creases.errors import NetworkError, UnsupportedModelError
from creases.network.builder.flows import Flow, total
from creases.network.operators import Select
from creases.network.operators.operator import Floats, Integers
from creases.readers.torch.tensor import tensor_values

if TYPE_CHECKING:
    import torch

__all__ = [
    "Arguments",
    "Call",
    "Floats",
    "Handler",
    "Integers",
    "Name",
    "Program",
    "Shape",
    "TorchValue",
    "Trace",
    "aligned",
]

Shape = tuple[int, ...]
Arguments = Mapping[str, Any]

# Not every larger integer is a float64.
LARGEST_EXACT = 2**53
# Operators whose numeric arguments may themselves become results.
REPLACING = frozenset(
    {
        *("clamp", "clip", "clamp_min", "clamp_max", "hardtanh", "maximum", "minimum", "fmax", "fmin"),
        *("threshold", "where", "masked_fill", "fill", "constant_pad_nd", "pad", "full_like", "new_full"),
    }
)


@dataclass(frozen=True)
class Name:
    """The result of an earlier call, an input or a tensor, among the arguments of a call."""

    text: str


@dataclass(frozen=True, eq=False)
class Call:
    """One operator and its arguments.

    operator : a torch operator such as torch.ops.aten.relu.default; None for part `index` of an earlier result.
    arguments : all arguments, by the names in the operator's schema; a `Name` for an earlier result.
    results : the names of its results; a single name for a tuple, whose parts are taken by other calls.
    path, kind : path and type of the module in which it was called; '' and the type of the whole module if not known.
    line : its line in the user's source, or ''.
    dtype : the dtype of its (first) result; None if it is not known or not a tensor.
    """

    operator: Any
    arguments: Mapping[str, Any]
    results: tuple[str, ...]
    path: str = ""
    kind: str = ""
    line: str = ""
    dtype: torch.dtype | None = None

    @property
    def name(self) -> str:
        """The operator's name without its overload: conv2d."""
        return "getitem" if self.operator is None else str(self.operator._schema.name).rpartition("::")[2]

    @property
    def told(self) -> str:
        """The operator, its module and its line, for messages."""
        module = f" of {self.kind} '{self.path}'" if self.path else ""
        return f"{self.name}{module}{f' ({self.line})' if self.line else ''}"


@dataclass(frozen=True, eq=False)
class Program:
    """Calls in order. Every message begins with `source`; `tensors` are parameters, buffers and constants by name.

    sequential : whether the whole module is an nn.Sequential, so that model[:k] is a part of it.
    trusted : whether the program is of a module in memory; only some operators are run on the constants of a file.
    notes : the notes on the program so far.
    """

    source: str
    input: str
    shape: Shape
    tensors: Mapping[str, torch.Tensor]
    calls: Sequence[Call]
    outputs: Sequence[Any]
    sequential: bool = False
    trusted: bool = True
    notes: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class TorchValue:
    """A flow, in the shape that it has in torch.

    batch : the axis of the batch, or the axis into which it was merged if that is longer than one; None if the program
        itself removed the batch axis from its one input.
    tail : the calls of smooth functions at the end that were left out.
    ordered : whether the values are in the same order as those after the tail.
    """

    flow: Flow
    shape: Shape
    batch: int | None
    tail: tuple[Call, ...] = ()
    ordered: bool = True


class Trace:
    """What the handlers share: the input, the notes, and the current call.

    made : the total number of entries of the input and of the results of a file's calls so far.
    """

    def __init__(self, program: Program, root: Flow) -> None:
        self.program = program
        self.root = root
        self.notes: dict[str, None] = {}
        self.made = math.prod(program.shape)
        self.call: Call = Call(None, {}, ())

    def note(self, text: str) -> None:
        """Add a sentence to the network's notes, once."""
        self.notes[text] = None

    def refuse(self, why: str, remedy: str = "", call: Call | None = None) -> UnsupportedModelError:
        """The error for a call: why it is not supported, and what to do."""
        said = (call or self.call).told
        return UnsupportedModelError(f"{self.program.source}: {said} {why}{f' {remedy}' if remedy else ''}")

    @property
    def label(self) -> str:
        """A name for the level that this call makes: its module's path, or its own."""
        return self.call.path or (self.call.results[0] if self.call.results else "")

    def axis(self, axis: int, rank: int) -> int:
        """An axis, counted from the beginning."""
        return axis % max(rank, 1)

    def mixes(self, what: str = "mixes the inputs of a batch") -> UnsupportedModelError:
        """The error for a call that is not a function of one input."""
        return self.refuse(
            f"{what}: a network is a function of one input, so the first axis, the batch, must stay apart. Flatten "
            "from axis 1 on, x.flatten(1), and reduce over other axes only."
        )

    def sum_of(
        self, terms: Sequence[tuple[Flow, Any]], shape: Shape, batch: int | None, bias: Floats | None = None
    ) -> TorchValue:
        """The sum of operators applied to flows, as a value; a sum without terms is constant."""
        size = math.prod(shape)
        kept = list(terms) or [(self.root, Select(np.full(size, -1), self.root.size))]
        biases = None if bias is None or not bias.any() else np.ascontiguousarray(bias, dtype=np.float64).reshape(-1)
        return TorchValue(total(kept, (size,), self.call.name, biases, self.label), shape, batch)

    def numbers(self, given: Any, name: str = "") -> Floats:
        """The exact values of a tensor or a number as float64."""
        import torch

        if isinstance(given, torch.Tensor):
            if given.is_floating_point():
                return tensor_values(given, f"{self.program.source}: {self.call.told}{f': {name}' if name else ''}")
            given = given.detach().cpu().numpy()
        array = np.asarray(given)
        if array.dtype.kind not in "fiub":
            raise NetworkError(f"{self.program.source}: {self.call.told} takes {array.dtype}; it must be real numbers.")
        if array.dtype.kind in "iu" and array.size and max(abs(int(array.min())), int(array.max())) > LARGEST_EXACT:
            raise NetworkError(f"{self.program.source}: {self.call.told} takes a number that no float64 is.")
        return array.astype(np.float64)

    def computed_with(self, given: Any) -> Any:
        """A number, a tensor without axes or a tensor of integers, rounded as torch rounds it before computing.

        It gets the dtype of the other argument; with float16 and bfloat16, torch computes in float32. Numbers that may
        replace a value (bounds and fill values), and integer tensors with axes, get the value's own dtype.
        """
        import torch

        kind = self.call.dtype
        has_axes = isinstance(given, torch.Tensor) and given.ndim > 0
        if (
            kind in (torch.float16, torch.bfloat16)
            and not has_axes
            and self.call.name.removesuffix("_") not in REPLACING
        ):
            kind = torch.float32
        if kind not in (torch.float32, torch.float16, torch.bfloat16):
            return given
        if isinstance(given, torch.Tensor):
            return given if has_axes and (given.is_floating_point() or given.dtype == torch.bool) else given.to(kind)
        if isinstance(given, bool) or not isinstance(given, int | float):
            return given
        rounded = torch.tensor(given, dtype=torch.float64).to(kind).item()
        return given if rounded == given else rounded

    def number(self, given: Any, name: str) -> float:
        """One number."""
        array = self.numbers(given, name)
        if array.size != 1:
            raise self.refuse(f"has {array.size} numbers for {name}; one is read.")
        return float(array.reshape(-1)[0])


# A function that reads one operator. It returns a value, a constant or a list of them. It raises UnsupportedModelError
# (`refuse`, `mixes`) if the call is not a piecewise-linear function of one input or not supported, NetworkError if
# numbers do not fit.
Handler: TypeAlias = Callable[[Trace, Arguments], Any]


def aligned(trace: Trace, first: TorchValue, shape: Shape, second: TorchValue | None = None) -> int | None:
    """The axis of the batch after values are broadcast to one shape. Raises UnsupportedModelError if inputs are
    mixed."""
    axes = set()
    for value in (first, second):
        if value is not None and value.batch is not None:
            axes.add(axis := value.batch + len(shape) - len(value.shape))
            if shape[axis] != value.shape[value.batch]:
                raise trace.mixes()
    if len(axes) > 1:
        raise trace.mixes()
    return axes.pop() if axes else None
