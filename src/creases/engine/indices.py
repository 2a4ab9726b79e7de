"""Kernels whose indices are never negative: Numba's wrap-around is left out of the machine code."""

from __future__ import annotations

from numba.core import ir, types
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.ir_utils import find_const, guard, mk_unique_var
from numba.core.untyped_passes import IRProcessing
from numba.extending import intrinsic


@intrinsic
def as_unsigned(typingctx, index):
    def convert(t):
        return types.uint64 if isinstance(t, types.Integer) and t.signed and t.bitwidth == 64 else t

    if isinstance(index, types.BaseTuple):
        result = types.Tuple([convert(t) for t in index.types])
    else:
        result = convert(index)

    def codegen(context, builder, signature, args):
        (value,) = args
        if not isinstance(index, types.BaseTuple):
            return value
        items = [builder.extract_value(value, i) for i in range(len(index.types))]
        return context.make_tuple(builder, signature.return_type, items)

    return result(index), codegen


@register_pass(mutates_CFG=False, analysis_only=False)
class UnsignedIndices(FunctionPass):
    _name = "creases_unsigned_indices"

    def __init__(self):
        FunctionPass.__init__(self)

    def run_pass(self, state):
        func_ir = state.func_ir
        changed = False
        for block in func_ir.blocks.values():
            body = []
            fn = None
            for inst in block.body:
                index = None
                if isinstance(inst, ir.Assign) and isinstance(inst.value, ir.Expr) and inst.value.op == "getitem":
                    index = inst.value.index
                elif isinstance(inst, ir.SetItem):
                    index = inst.index
                if index is not None and guard(find_const, func_ir, index) is None:
                    scope, loc = block.scope, inst.loc
                    fn = ir.Var(scope, mk_unique_var("$as_unsigned"), loc)
                    a = ir.Assign(ir.Global("as_unsigned", as_unsigned, loc), fn, loc)
                    new = ir.Var(scope, mk_unique_var("$index"), loc)
                    b = ir.Assign(ir.Expr.call(fn, (index,), (), loc), new, loc)
                    body += [a, b]
                    func_ir._definitions[fn.name] = [a.value]
                    func_ir._definitions[new.name] = [b.value]
                    if isinstance(inst, ir.SetItem):
                        inst.index = new
                    else:
                        inst.value.index = new
                    changed = True
                body.append(inst)
            block.body = body
        return changed


class KernelCompiler(CompilerBase):
    def define_pipelines(self):
        pm = DefaultPassBuilder.define_nopython_pipeline(self.state)
        pm.add_pass_after(UnsignedIndices, IRProcessing)
        pm.finalize()
        return [pm]
