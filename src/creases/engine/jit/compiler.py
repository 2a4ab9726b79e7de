"""A compiler for kernels whose indices are never negative, and which are copied into their callers always or never.

Numba lets a[-1] mean the last entry, as Python does, and so asks at every access whether the index is below zero; in
kernels that are nothing but accesses this cost a fifth of the time. Here every index that is not a constant is taken
as an unsigned number, which cannot be. With the JIT off Python's own rule holds, and with bounds checked
(NUMBA_BOUNDSCHECK=1) a negative index is out of bounds: `make test-all` runs the engine's tests both ways.

The rest makes compiling short. A function that only kernels call is a part of theirs and no kernel of its own
(`linking`), what Numba is asked again and again it remembers (`signatures`), and steps for what no kernel has are left
out.
"""

from __future__ import annotations

import gc
import threading
from typing import Any

from numba.core import config, ir, types
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.ir_utils import find_const, guard, mk_unique_var
from numba.core.lowering import Lower
from numba.core.typed_passes import BaseNativeLowering, NativeLowering
from numba.core.untyped_passes import IRProcessing
from numba.extending import intrinsic

from creases.engine.jit.entries import counts_from_the_end, read_entry, write_entry
from creases.engine.jit.linking import LOWEST_LEVEL, KernelLibrary, PartLibrary, make_part
from creases.engine.jit.quick import quick
from creases.engine.jit.signatures import remembering

__all__ = ["KernelCompiler", "QuickFirstCompiler"]

# Numba makes these at run time, so its type stubs do not know them.
settings: Any = config

# Steps of Numba's for what no kernel has: closures, context managers, exceptions, expressions of whole arrays.
NOT_NEEDED = (
    "with_lifting",
    "inline_closure_likes",
    "Rewrite dynamic raises",
    "make_function_op_code_to_jit_function",
    "inline_inlinables",
    "find_literally",
    "literal_unroll",
    "inline_overloads",
    "nopython_rewrites",
    "dump_parfor_diagnostics",
)


def unsigned(kind: Any) -> Any:
    """The unsigned type of the same size for a 64-bit index; any other type as it is."""
    return types.uint64 if kind == types.int64 else kind


@intrinsic
def as_unsigned(typing_context: Any, index: Any) -> Any:
    """An index, or a tuple of them, taken as unsigned: the bits stay as they are."""
    parts: Any = getattr(index, "types", None)  # a tuple's
    result = unsigned(index) if parts is None else types.Tuple([unsigned(part) for part in parts])

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if parts is None:
            return arguments[0]
        values = [builder.extract_value(arguments[0], i) for i in range(len(parts))]
        return context.make_tuple(builder, signature.return_type, values)

    return result(index), code


@register_pass(mutates_CFG=False, analysis_only=False)
class UnsignedIndices(FunctionPass):
    """Put `as_unsigned` between every index and its use, in a kernel that Numba has just read."""

    _name = "creases_unsigned_indices"

    def __init__(self) -> None:
        FunctionPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        """Rewrite the kernel; True, because it has changed."""
        for block in state.func_ir.blocks.values():
            block.body = [line for statement in block.body for line in self.rewritten(statement, block, state.func_ir)]
        return True

    def rewritten(self, statement: Any, block: Any, function: Any) -> list[Any]:
        """The statement, with what must stand before it where it reads or writes an array."""
        access: Any = statement.value if isinstance(statement, ir.Assign) else statement
        reads = isinstance(access, ir.Expr) and access.op == "getitem"
        if not (reads or isinstance(access, ir.SetItem)):
            return [statement]
        if guard(find_const, function, access.index) is not None or counts_from_the_end(function, access.index):
            return [statement]
        convert = ir.Global("as_unsigned", as_unsigned, statement.loc)
        name = ir.Var(block.scope, mk_unique_var("$as_unsigned"), statement.loc)
        call = ir.Expr.call(name, (access.index,), (), statement.loc)
        access.index = ir.Var(block.scope, mk_unique_var("$index"), statement.loc)
        function._definitions[name.name] = [convert]
        function._definitions[access.index.name] = [call]
        return [ir.Assign(convert, name, statement.loc), ir.Assign(call, access.index, statement.loc), statement]


class KernelLower(Lower):
    """Numba's code generator, for functions that are copied into all their callers or into none.

    LLVM would copy rare and long kernels (`ties`) into every place that calls them, and then optimise that for minutes.
    """

    def setup_function(self, description: Any) -> None:
        """Called when the function is begun."""
        super().setup_function(description)
        if not description.inline:
            self.function.attributes.add("noinline")

    def lower_getitem(self, resty: Any, expr: Any, value: Any, index: Any, signature: Any) -> Any:
        """Generate the code of value[index]."""
        entry = None if settings.BOUNDSCHECK else read_entry(self, value, index)
        if entry is None:
            return super().lower_getitem(resty, expr, value, index, signature)
        return self.context.cast(self.builder, *entry, resty)

    def lower_setitem(self, target_var: Any, index_var: Any, value_var: Any, signature: Any) -> Any:
        """Generate the code of target[index] = value."""
        if settings.BOUNDSCHECK or not write_entry(self, target_var, index_var, value_var):
            return super().lower_setitem(target_var, index_var, value_var, signature)
        return None


@register_pass(mutates_CFG=True, analysis_only=False)
class KernelLowering(BaseNativeLowering):
    """The step that uses it: makes a part where a kernel is being compiled that calls the function, else a kernel."""

    _name: Any = "creases_native_lowering"

    @property
    def lowering_class(self) -> Any:
        """What generates the code."""
        return KernelLower

    def run_pass(self, state: Any) -> bool:
        """Generate the code of a function."""
        is_part = under_way.functions > 1
        state.library = (PartLibrary if is_part else KernelLibrary)(
            state.targetctx.codegen(), state.func_id.func_qualname
        )
        state.library.enable_object_caching()
        state.flags.no_cfunc_wrapper = True
        if state.pipeline.quick_first and quick.allowed:
            state.library.level = LOWEST_LEVEL
        if is_part:
            make_part(state, KernelLower)
            return True
        return bool(super().run_pass(state))


class UnderWay(threading.local):
    """How many functions this thread is compiling, each of them for the one before."""

    functions = 0


under_way = UnderWay()


class KernelCompiler(CompilerBase):
    """Numba's own pipeline with indices unsigned, its own code generator, and fewer steps."""

    quick_first = False

    def __init__(self, typing_context: Any, *others: Any) -> None:
        super().__init__(remembering(typing_context), *others)

    def compile_extra(self, func: Any) -> Any:
        """Compile a function; those that it calls are compiled meanwhile.

        What Numba makes lives until the end. Looking through all of it again and again took Python a fifth of the time.
        """
        outermost = under_way.functions == 0
        collects = outermost and gc.isenabled()
        under_way.functions += 1
        if collects:
            gc.disable()
        try:
            return super().compile_extra(func)
        finally:
            under_way.functions -= 1
            if collects:
                gc.enable()

    def define_pipelines(self) -> list[Any]:
        """Numba asks for these once for each compilation."""
        pipeline = DefaultPassBuilder.define_nopython_pipeline(self.state)
        if settings.BOUNDSCHECK:
            pipeline.add_pass_after(UnsignedIndices, IRProcessing)
        pipeline.passes = [
            (KernelLowering if step is NativeLowering else step, name)
            for step, name in pipeline.passes
            if step.name() not in NOT_NEEDED
        ]
        pipeline.finalize()
        return [pipeline]


class QuickFirstCompiler(KernelCompiler):
    """The same for a kernel that is compiled at the lowest level first (`quick`)."""

    quick_first = True
