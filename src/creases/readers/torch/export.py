"""The program of a torch module with a forward of its own: by torch.export, or by torch.fx if that fails.

Both run the module's Python code once, with an input that has a shape but no values, so that a forward with branches
that depend on values fails, rather than only one of its branches being read. They run a copy of the module in
evaluation mode: the module's mode, attributes and numbers do not change, and the numbers are not copied.
"""

from __future__ import annotations

import copy
import inspect
import logging
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from creases.errors import NetworkError, NotEnoughMemoryError, UnsupportedModelError
from creases.readers.torch.graph import Call, Name, Program, Shape

if TYPE_CHECKING:
    import torch

__all__ = ["arguments_of", "line_of_trace", "program_of", "unwrapped"]

# Higher-order operators that only set a mode around a part of the program, and the position of this part among their
# arguments.
WRAPPERS = {"wrap_with_set_grad_enabled": 1, "wrap_with_autocast": 4}
DEEPEST_PARTS = 4  # depth to which operators are decomposed into others
FRAME = re.compile(r'File "(?P<file>[^"]*)", line (?P<line>\d+), in \S+\n\s*(?P<code>[^\n]*)')


def program_of(
    module: torch.nn.Module, source: str, shape: Shape, notes: Sequence[str], known: frozenset[str]
) -> Program:
    """The program of a module on one input of this shape.

    source : the module's name in messages. notes : the notes on it so far.
    known : the names of operators that need not be decomposed.
    Raises UnsupportedModelError if its forward takes more than one input, branches on values, or fails.
    """
    import torch

    check_inputs(module, source)
    working = copied(module, source)
    example = torch.zeros((1, *shape), dtype=kind_of(module), device=device_of(module))
    try:
        with quiet(), torch.no_grad():
            graph, tensors, given = exported(working, example, known)
    except MemoryError as error:
        raise NotEnoughMemoryError(f"{source} has not room enough in memory to be exported: {error}") from error
    except Exception as failure:  # whatever its forward raises
        try:
            with quiet(), torch.no_grad():
                graph, tensors, given = traced(copied(module, source), example)
        except Exception:
            raise not_exported(source, shape, failure) from failure
    calls, outputs = calls_of(graph, example.dtype)
    return Program(
        source,
        given,
        tuple(example.shape),
        {name: tensor.detach() for name, tensor in tensors.items()},
        calls,
        outputs,
        sequential=type(module) is torch.nn.Sequential,
        notes=notes,
    )


def check_inputs(module: torch.nn.Module, source: str) -> None:
    """Raise UnsupportedModelError if a forward needs more than one input."""
    try:
        parameters = list(inspect.signature(module.forward).parameters.values())
    except (TypeError, ValueError):
        return
    needed = [
        parameter.name
        for parameter in parameters
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    if len(needed) > 1:
        raise UnsupportedModelError(
            f"{source} takes {len(needed)} inputs ({', '.join(needed)}); a network has one. Load a module whose "
            "forward takes one and gives the others a value, or takes both side by side and cuts them apart."
        )


def copied(module: torch.nn.Module, source: str) -> torch.nn.Module:
    """A copy in evaluation mode that shares the module's tensors, without wrappers for several devices."""
    import torch

    shared: dict[int, Any] = {}
    for part in module.modules():
        for holder in (part._parameters, part._buffers, vars(part)):
            shared.update({id(tensor): tensor for tensor in holder.values() if isinstance(tensor, torch.Tensor)})
    try:
        result = copy.deepcopy(module, shared)
    except Exception as error:  # locks, files, handles: deepcopy documents none
        raise UnsupportedModelError(
            f"{source} cannot be copied, and reading must not change it; copy.deepcopy says: {error}. Take away the "
            "attribute that cannot be copied (a file, a lock, a logger) and load it again."
        ) from error
    for part in list(result.modules()):
        for name, child in part._modules.items():
            if child is not None:
                part._modules[name] = unwrapped(child)
    return result.eval()


def unwrapped(module: torch.nn.Module) -> torch.nn.Module:
    """The module inside DataParallel, DistributedDataParallel and torch.compile."""
    import torch

    wrappers = (torch.nn.DataParallel, torch.nn.parallel.DistributedDataParallel)
    while True:
        if isinstance(module, wrappers):
            module = module.module
        elif type(module).__name__ == "OptimizedModule" and "_orig_mod" in module._modules:
            module = module._modules["_orig_mod"]  # type: ignore[assignment]
        else:
            return module


def kind_of(module: torch.nn.Module) -> torch.dtype:
    """The dtype of the module's numbers, and so of its inputs."""
    import torch

    tensors = (*module.parameters(), *module.buffers())
    return next((tensor.dtype for tensor in tensors if tensor.is_floating_point()), torch.get_default_dtype())


def device_of(module: torch.nn.Module) -> torch.device:
    """The device of the module's numbers."""
    import torch

    return next((tensor.device for tensor in (*module.parameters(), *module.buffers())), torch.device("cpu"))


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress torch's logs and warnings during an export: the error says what is needed."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


Exported = tuple["torch.fx.GraphModule", dict[str, Any], str]


def exported(module: torch.nn.Module, example: torch.Tensor, known: frozenset[str]) -> Exported:
    """The graph that torch.export makes, without in-place operators; its tensors, and the name of the input."""
    import torch

    program = torch.export.export(module, (example,), strict=False).run_decompositions({})
    for _ in range(DEEPEST_PARTS):
        called = {node.target for node in program.graph.nodes if isinstance(node.target, torch._ops.OpOverload)}
        parts = torch.export.default_decompositions()  # the parts of a tensordot, for example
        unknown = [operator for operator in called if operator._schema.name.rpartition("::")[2] not in known]
        taken_apart = {operator: parts[operator] for operator in unknown if operator in parts}
        if not taken_apart:
            break
        program = program.run_decompositions(taken_apart)
    signature = program.graph_signature
    tensors: dict[str, Any] = {}
    for name, target in {**signature.inputs_to_parameters, **signature.inputs_to_buffers}.items():
        tensors[name] = program.state_dict[target] if target in program.state_dict else program.constants[target]
    for name, target in signature.inputs_to_lifted_tensor_constants.items():
        tensors[name] = program.constants[target]
    # If a forward writes into buffers, their new values come before its own results.
    written = len(signature.buffers_to_mutate) + len(signature.user_inputs_to_mutate)
    output = next(node for node in program.graph.nodes if node.op == "output")
    output.args = (tuple(output.args[0])[written:],)
    return program.graph_module, tensors, str(signature.user_inputs[0])


def traced(module: torch.nn.Module, example: torch.Tensor) -> Exported:
    """The graph that torch.fx traces, operator by operator."""
    import torch
    from torch.fx.experimental.proxy_tensor import make_fx

    named = {**dict(module.named_parameters()), **dict(module.named_buffers())}

    def run(tensors: dict[str, torch.Tensor], x: torch.Tensor) -> Any:
        return torch.func.functional_call(module, tensors, (x,))

    made = make_fx(torch.func.functionalize(run), tracing_mode="fake", _allow_non_fake_inputs=True)(named, example)
    names = [str(node.name) for node in made.graph.nodes if node.op == "placeholder"]
    return made, dict(zip(names[:-1], named.values(), strict=True)), names[-1]


def not_exported(source: str, shape: Shape, failure: Exception) -> UnsupportedModelError:
    """The error if both the export and the trace fail."""
    text = str(failure).strip()
    if "data-dependent" in text or type(failure).__name__ in (
        "DataDependentOutputException",
        "GuardOnDataDependentSymNode",
    ):
        return UnsupportedModelError(
            f"{source} decides by the numbers in its input what it computes (an if, a loop, .item()), so it is no "
            "fixed graph. Write the choice with relu, clamp or maximum, or load a module without it."
        )
    reason = (text or type(failure).__name__).splitlines()[0]
    return UnsupportedModelError(
        f"{source} cannot be exported on one input of shape {shape}; torch says: {type(failure).__name__}: {reason}. "
        "If its inputs have another shape, say it, without the batch: "
        f"creases.load(model, input_shape={shape if len(shape) > 1 else (1, 28, 28)})."
    )


# From a graph of torch.fx to calls.


def calls_of(graph: torch.fx.GraphModule, dtype: torch.dtype) -> tuple[list[Call], list[Any]]:
    """The calls of a graph in order, and what it returns.

    dtype : the type of its numbers, if the graph does not say it.
    """
    calls: list[Call] = []
    return calls, add_calls(graph, dtype, calls, {}, "")


def add_calls(
    graph: torch.fx.GraphModule, dtype: torch.dtype, calls: list[Call], names: dict[str, Any], prefix: str
) -> list[Any]:
    """Add the calls of a graph to `calls`, and return what the graph returns.

    names : the meaning of the graph's inputs outside of it. prefix : makes its own names unique.
    """
    import torch

    def named(argument: Any) -> Any:
        if isinstance(argument, torch.fx.Node):
            return names.get(argument.name, Name(prefix + argument.name))
        if isinstance(argument, list | tuple):
            return [named(part) for part in argument]
        return argument

    outputs: list[Any] = []
    for node in graph.graph.nodes:
        if node.op == "output":
            gather(named(node.args[0]), outputs)
        elif node.op == "get_attr":
            held = getattr(graph, str(node.target), None)
            if isinstance(held, torch.Tensor):
                names[node.name] = held.detach()
        elif node.op == "call_function":
            given, kind = named(node.args), getattr(node.target, "__name__", str(node.target))
            operator: Any = None
            if isinstance(node.target, torch._ops.OpOverload):
                operator = node.target
                arguments = arguments_of(operator, given, {key: named(value) for key, value in node.kwargs.items()})
            elif kind == "getitem":
                arguments = {"self": given[0], "index": given[1]}
            elif kind in WRAPPERS:
                inner = getattr(graph, str(node.args[WRAPPERS[kind]].target))
                holders = [part.name for part in inner.graph.nodes if part.op == "placeholder"]
                inside = dict(zip(holders, given[WRAPPERS[kind] + 1 :], strict=True))
                arguments = {"self": [add_calls(inner, dtype, calls, inside, f"{prefix}{node.name}/")], "index": 0}
            else:
                operator, arguments = str(kind), {"self": given}
            where = line_of_trace(node.meta.get("stack_trace") or "")
            kind_of_result = dtype_of(node, dtype)
            calls.append(Call(operator, arguments, (prefix + node.name,), *module_of(node), where, kind_of_result))
    return outputs


def dtype_of(node: torch.fx.Node, otherwise: torch.dtype) -> torch.dtype | None:
    """The dtype of a node's first result; None if it is not a tensor."""
    import torch

    if "val" not in node.meta:
        return otherwise
    made = node.meta["val"]
    first = made[0] if isinstance(made, list | tuple) and made else made
    return first.dtype if isinstance(first, torch.Tensor) else None


def gather(result: Any, flat: list[Any]) -> None:
    """Append all parts of a result, however it is nested, to `flat`."""
    if isinstance(result, list | tuple):
        for part in result:
            gather(part, flat)
    elif isinstance(result, Mapping):
        for part in result.values():
            gather(part, flat)
    else:
        flat.append(result)


def arguments_of(operator: Any, positional: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """All arguments of an operator by the names of its schema, with its defaults.

    Raises NetworkError if one is missing or there are too many.
    """
    schema = operator._schema
    known = [argument.name for argument in schema.arguments]
    if len(positional) > len(known) or not set(named) <= set(known):
        raise NetworkError(f"{schema.name} has arguments that its schema does not know.")
    given = {**dict(zip(known, positional, strict=False)), **named}
    for argument in schema.arguments:
        if argument.name not in given:
            if not argument.has_default_value():
                raise NetworkError(f"{schema.name} lacks its argument {argument.name!r}.")
            given[argument.name] = argument.default_value
    return given


def module_of(node: torch.fx.Node) -> tuple[str, str]:
    """The path and the type of the innermost module in which a node was called, if they are known."""
    stack = node.meta.get("nn_module_stack")
    if not stack:
        return "", ""
    path, kind = list(stack.values())[-1]
    return str(path), str(kind if isinstance(kind, str) else kind.__name__).rpartition(".")[2]


def line_of_trace(trace: str) -> str:
    """The last line of the user's source in a stack trace, "line 20 of model.py: return F.gelu(x)", or ''."""
    frames = list(FRAME.finditer(trace))
    own = [frame for frame in frames if not re.search(r"[/\\]torch[/\\]", frame["file"])]
    if not own:
        return ""
    file = re.split(r"[/\\]", own[-1]["file"])[-1]
    return f"line {own[-1]['line']} of {file}: {own[-1]['code'].strip()}"
