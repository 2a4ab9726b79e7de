"""How a workspace is passed from kernel to kernel: as a pointer.

Numba passes a tuple of arrays as all its numbers, some two hundred for a workspace, at each of some five hundred
calls; two thirds of what it wrote for LLVM was that. Here a kernel holds a pointer to them, and reads an array's own
numbers where it uses the array. They never change while a kernel runs, and LLVM is told so, so that it reads them once.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import extending
from numba.core import boxing, cgutils, types
from numba.core.datamodel import models
from numba.core.typing import typeof as typing

__all__ = ["mark_constant", "passed_by_pointer"]

# Numba is without types itself.
numba: Any = extending
code: Any = cgutils
kinds: Any = typing
unbox_tuple: Any = boxing.unbox_tuple
Model: Any = models.PrimitiveModel
NamedTuple: Any = types.NamedTuple


class WorkspaceType(NamedTuple):  # type: ignore[misc]
    """The type of a workspace in kernels."""


@numba.register_model(WorkspaceType)
class WorkspaceModel(Model):  # type: ignore[misc]
    """A pointer to the numbers of all arrays."""

    def __init__(self, manager: Any, kind: Any) -> None:
        numbers = ir.LiteralStructType([manager.lookup(part).get_value_type() for part in kind.types])
        super().__init__(manager, kind, numbers.as_pointer())


@numba.unbox(WorkspaceType)
def unbox_workspace(kind: Any, value: Any, context: Any) -> Any:
    """From Python: read the numbers of all arrays, and write them down."""
    as_tuple = NamedTuple(kind.types, kind.instance_class)
    numbers = unbox_tuple(as_tuple, value, context)
    place = code.alloca_once(context.builder, context.context.get_value_type(as_tuple))
    context.builder.store(numbers.value, place)
    # Who reads the numbers takes them for constants, so LLVM must not see that they were written here: the pointer
    # goes through a piece of assembly that does nothing.
    kind_of_place = ir.FunctionType(place.type, [place.type])
    place = context.builder.asm(kind_of_place, "", "=r,0,~{memory}", [place], True)
    return numba.NativeValue(place, is_error=numbers.is_error, cleanup=numbers.cleanup)


@numba.lower_getattr_generic(WorkspaceType)
def array_of(context: Any, builder: Any, kind: Any, value: Any, name: str) -> Any:
    """One of the arrays."""
    return mark_constant(builder, builder.load(code.gep_inbounds(builder, value, 0, kind.fields.index(name))))


def mark_constant(builder: Any, read: Any) -> Any:
    """Tell LLVM that what is read there never changes."""
    read.set_metadata("invariant.load", builder.module.add_metadata([]))
    return read


def passed_by_pointer(workspace: Any) -> None:
    """Have kernels take workspaces of a class of named tuples as pointers."""

    @kinds.typeof_impl.register(workspace)
    def type_of(value: Any, context: Any) -> Any:
        return WorkspaceType([kinds.typeof(part, context.purpose) for part in value], type(value))
