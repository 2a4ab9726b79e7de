"""How the code of many small functions becomes one kernel.

Numba optimises each function together with all that it calls, and makes machine code of it, before it goes on to the
one that calls it. Here a function that kernels call is a part: read, but neither optimised with what it calls nor made
into machine code. The kernel that Python calls links every part once, and then all of it is optimised together. That
takes half as long, and half the memory. Where Python calls a function that has been a part only, it is compiled once
more.
"""

from __future__ import annotations

from typing import Any

from numba.core import funcdesc
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import _LowerResult
from numba.core.compiler_lock import global_compiler_lock

from creases.engine.jit.haste import haste

__all__ = ["KernelLibrary", "PartLibrary", "make_part", "with_doors"]

# Numba makes these at run time, so its type stubs do not know them.
Library: Any = JITCodeLibrary
Description: Any = funcdesc.PythonFunctionDescriptor

# The dispatchers of functions, for those that have no door yet.
dispatchers: dict[Any, Any] = {}


class PartLibrary(Library):  # type: ignore[misc]
    """The code of a function that only other kernels call."""

    def finalize(self) -> None:
        """Nothing is added any more. No code is generated."""
        self._finalized = True


class KernelLibrary(Library):  # type: ignore[misc]
    """The code of a kernel that Python calls, and of all its parts."""

    _linking_libraries: list[Any]

    def finalize(self) -> None:
        """Link all parts, optimise everything together, generate machine code."""
        self._linking_libraries = users_first(self._linking_libraries)
        super().finalize()

    def _optimize_final_module(self) -> None:
        """LLVM's first level, or its lowest in haste. The functions to copy are marked, and the second and third level
        give nothing more, as measured, and take a fifth of the time."""
        manager, builder = self._codegen._module_pass_manager(opt=0 if haste.wanted else 1)
        manager.run(self._final_module, builder)


def users_first(libraries: list[Any]) -> list[Any]:
    """These libraries and those that parts among them link, each once, and each behind all that link it.

    LLVM leaves out a function that nothing calls yet, so what calls it must come first.
    """
    order: list[Any] = []
    seen: set[int] = set()

    def visit(library: Any) -> None:
        if id(library) in seen:
            return
        seen.add(id(library))
        if isinstance(library, PartLibrary):
            for used in library._linking_libraries:
                visit(used)
        order.append(library)

    for library in libraries:
        visit(library)
    return order[::-1]


def make_part(state: Any, lower_class: Any) -> None:
    """Generate the code of a part.

    state : of Numba's compiler. lower_class : what generates code.
    """
    context = state.targetctx
    description = Description.from_specialized_function(
        state.func_ir,
        state.typemap,
        state.return_type,
        state.calltypes,
        mangler=context.mangler,
        inline=state.flags.forceinline,
        noalias=state.flags.noalias,
        abi_tags=[state.flags.get_mangle_string()],
    )
    with context.push_code_library(state.library):
        lower = lower_class(context, state.library, description, state.func_ir, metadata=state.metadata)
        lower.lower()
    door = Door(state.func_id.func, tuple(state.args))
    context.insert_user_function(door, description, [state.library])
    state["cr"] = _LowerResult(description, lower.call_helper, cfunc=door, env=lower.env)


class Door:
    """What stands for a part where Numba keeps a kernel's way in from Python: compiles it once more, as a kernel."""

    def __init__(self, function: Any, types: tuple[Any, ...]) -> None:
        self._function, self._types = function, types

    def __call__(self, *arguments: Any) -> Any:
        """Call the function, from Python."""
        dispatcher = dispatchers[self._function]
        with global_compiler_lock:
            known = dispatcher.overloads[self._types]
            if known.entry_point is self:
                del dispatcher.overloads[self._types]
                try:
                    dispatcher.compile(self._types)
                except BaseException:
                    dispatcher.overloads[self._types] = known
                    raise
        return dispatcher.overloads[self._types].entry_point(*arguments)


def with_doors(dispatcher: Any) -> Any:
    """A dispatcher of Numba's, taught what parts are: only what has machine code is in its table of ways in."""
    dispatchers[dispatcher.py_func] = dispatcher
    add = dispatcher.add_overload

    def add_overload(result: Any) -> None:
        if isinstance(result.library, PartLibrary):
            dispatcher.overloads[tuple(result.signature.args)] = result
        else:
            add(result)

    dispatcher.add_overload = add_overload
    return dispatcher
