"""Which function a call in a kernel means, and what it gives.

Numba finds the type of a sum or of an attribute by trying every rule that it has. It is asked the same thousands of
times while a kernel is compiled, so answers are remembered.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from numba.core import types
from numba.core.typing import templates

__all__ = ["choose", "remembering"]

# Numba makes these at run time, so its type stubs do not know them.
numba: Any = templates


class Remembering:
    """Numba's typing context, with a memory. Only answers are kept: what it cannot type it is asked again."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self._known: dict[Any, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def resolve_function_type(self, func: Any, args: Any, kws: Any) -> Any:
        """The signature with which a function takes arguments of these types; None if there is none."""
        return self._remembered(
            (func, args, tuple(sorted(kws.items()))), self._context.resolve_function_type, func, args, kws
        )

    def resolve_getattr(self, typ: Any, attr: str) -> Any:
        """The type of an attribute; None if there is none."""
        return self._remembered((typ, attr), self._context.resolve_getattr, typ, attr)

    def _remembered(self, key: Any, ask: Callable[..., Any], *question: Any) -> Any:
        answer = self._known.get(key)
        if answer is None:
            answer = ask(*question)
            if answer is not None:
                self._known[key] = answer
        return answer


@cache
def remembering(context: Any) -> Remembering:
    """The memory of a typing context; there is one."""
    return Remembering(context)


def choose(function: Callable[..., Any], pick: Callable[[Any], Any]) -> None:
    """Let a function of Python's stand, in kernels, for one of several kernels, by the type of its first argument.

    pick : gives the kernel for that type. An overload of Numba's would put one more function around each.
    """

    def body(*arguments):  # type: ignore[no-untyped-def]
        """Numba wants one, and never uses it."""

    class Choice(numba.make_overload_template(function, body, {}, strict=False, inline="never")):  # type: ignore[misc]
        """What Numba asks for the kernel behind a call."""

        def _build_impl(self, cache_key: Any, args: Any, kws: Any) -> Any:
            chosen = pick(args[0])
            types.Dispatcher(chosen).get_call_type(self.context, args, kws)
            self._impl_cache[cache_key] = chosen, args
            return chosen, args

    numba.infer(Choice)
    numba.infer_global(function, types.Function(Choice))
