"""How the code of many small functions becomes one kernel.

Numba optimises each function together with all that it calls, and makes machine code of it, before it goes on to the
one that calls it. Here a function that kernels call is a part: read, but neither optimised with what it calls nor made
into machine code. The kernel that Python calls links every part once, and then all of it is optimised together. That
takes half as long, and half the memory. Where Python calls a function that has been a part only, it is compiled once
more (`EntryPoint`).
"""

from __future__ import annotations

from typing import Any

from numba.core import funcdesc
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import _LowerResult
from numba.core.compiler_lock import global_compiler_lock

__all__ = ["LOWEST_LEVEL", "KernelLibrary", "PartLibrary", "make_part", "with_entry_points"]

# LLVM's levels of optimisation: of kernels, and of those that a first count waits for (`quick`).
USUAL_LEVEL, LOWEST_LEVEL = 1, 0

# Numba makes these at run time, so its type stubs do not know them.
Library: Any = JITCodeLibrary
Description: Any = funcdesc.PythonFunctionDescriptor

# The dispatcher of each function: parts have no machine code for calls from Python until one is made.
dispatchers: dict[Any, Any] = {}


class PartLibrary(Library):  # type: ignore[misc]
    """The code of a function that only other kernels call."""

    def finalize(self) -> None:
        """Nothing is added any more. No code is generated."""
        self._finalized = True


class KernelLibrary(Library):  # type: ignore[misc]
    """The code of a kernel that Python calls, and of all its parts."""

    _linking_libraries: list[Any]
    # LLVM's level of optimisation. Functions to copy are marked, and the second and third level give nothing more, as
    # measured, and take a fifth of the time.
    level = USUAL_LEVEL

    def finalize(self) -> None:
        """Link all parts, optimise everything together, generate machine code."""
        self._linking_libraries = users_first(self._linking_libraries)
        super().finalize()

    def _optimize_final_module(self) -> None:
        """Optimise all the code together."""
        manager, builder = self._codegen._module_pass_manager(opt=self.level)
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
    entry_point = EntryPoint(state.func_id.func, tuple(state.args))
    context.insert_user_function(entry_point, description, [state.library])
    state["cr"] = _LowerResult(description, lower.call_helper, cfunc=entry_point, env=lower.env)


class EntryPoint:
    """The entry point of a part, for Python: compiles it once more, as a kernel, when it is first called."""

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


def with_entry_points(dispatcher: Any) -> Any:
    """A dispatcher of Numba's whose table of entry points leaves out parts, which have no machine code."""
    dispatchers[dispatcher.py_func] = dispatcher
    add = dispatcher.add_overload

    def add_overload(result: Any) -> None:
        if isinstance(result.library, PartLibrary):
            dispatcher.overloads[tuple(result.signature.args)] = result
        else:
            add(result)

    dispatcher.add_overload = add_overload
    return dispatcher
