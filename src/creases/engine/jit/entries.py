"""Where an entry of an array lies in memory.

For each access Numba writes some forty instructions for LLVM, which takes most of them out again. Here it is the place
itself: rows are contiguous in every array of the engine. An index that is not a constant is taken as it is; that it is
neither negative nor too large `make test-all` sees, which has Numba's own way and every index checked.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir as code
from numba.core import ir_utils, types
from numba.np.arrayobj import load_item, store_item

from creases.engine.jit.workspace_type import mark_constant

__all__ = ["counts_from_the_end", "read_entry", "write_entry"]

# Of an array: its numbers as LLVM holds them.
DATA, SHAPE = 4, 5

# Numba is without types itself.
numba: Any = ir_utils
load: Any = load_item
store: Any = store_item


def read_entry(lower: Any, array: Any, index: Any) -> Any:
    """The value of array[index], and its type; None where that is not an entry of a contiguous array.

    lower : Numba's code generator. array, index : variables.
    """
    place = place_of(lower, array, index)
    if place is None:
        return None
    kind = lower.typeof(array.name)
    return load(lower.context, lower.builder, kind, place), kind.dtype


def write_entry(lower: Any, array: Any, index: Any, value: Any) -> bool:
    """Write array[index] = value; False where that is not an entry of a contiguous array."""
    place = place_of(lower, array, index)
    if place is None:
        return False
    kind, builder = lower.typeof(array.name), lower.builder
    number = lower.context.cast(builder, lower.loadvar(value.name), lower.typeof(value.name), kind.dtype)
    store(lower.context, builder, kind, number, place)
    return True


def place_of(lower: Any, array: Any, index: Any) -> Any:
    """A pointer to an entry."""
    kind, given = lower.typeof(array.name), lower.typeof(index.name)
    parts = list(getattr(given, "types", (given,)))
    if not (isinstance(kind, types.Array) and kind.layout == "C" and kind.aligned and len(parts) == kind.ndim):
        return None
    if not all(isinstance(part, types.Integer) for part in parts) or counts_from_the_end(lower.func_ir, index):
        return None
    builder, number = lower.builder, lower.loadvar(index.name)
    numbers = [number] if given is parts[0] else [builder.extract_value(number, i) for i in range(len(parts))]
    numbers = [lower.context.cast(builder, one, part, types.intp) for one, part in zip(numbers, parts, strict=True)]
    held = lower.loadvar(array.name)
    offset = numbers[0]
    for axis, one in enumerate(numbers[1:], 1):
        offset = builder.add(builder.mul(offset, member(builder, held, SHAPE, axis)), one)
    return builder.gep(member(builder, held, DATA), [offset], inbounds=True)


def member(builder: Any, array: Any, *path: int) -> Any:
    """One of the numbers of an array; of an array of a workspace it is read alone."""
    if isinstance(array, code.LoadInstr) and "invariant.load" in array.metadata:
        numbers = [code.Constant(code.IntType(32), i) for i in (0, *path)]
        return mark_constant(builder, builder.load(builder.gep(array.operands[0], numbers, inbounds=True)))
    return builder.extract_value(array, path)


def counts_from_the_end(function: Any, index: Any) -> bool:
    """Whether an index, or a part of it, is a negative constant, which means what it means in Python."""
    made = numba.guard(numba.get_definition, function, index)
    parts = made.items if getattr(made, "op", "") == "build_tuple" else [index]
    constants = [numba.guard(numba.find_const, function, part) for part in parts]
    return any(isinstance(value, int) and value < 0 for value in constants)
