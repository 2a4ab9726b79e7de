"""`.pt2` files: a program as torch.export.save writes it.

For safety the file is read without torch's own loader: `torch.export.load` unpickles sample inputs, custom objects and
some tensors, and evaluates expressions, and none of this is needed. The graph is JSON, and the numbers of ordinary
tensors are plain bytes; these two are read here. Pickled data are not read, and refused if the graph needs them. The
only operators that are run are those of torch that this package knows by name.

A saved program may contain operators that write in place. If a name might refer to an outdated value, it is refused
rather than guessed.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from creases.errors import CreasesError, ModelFileError, UnsupportedModelError
from creases.network import Network
from creases.readers.damage import damage_named
from creases.readers.torch.export import arguments_of, line_of_trace
from creases.readers.torch.file import checked_torch
from creases.readers.torch.graph import Call, Name, Program
from creases.readers.torch.interpreter import CASTS, KNOWN, NOTHING_IN_EVALUATION, network_of
from creases.readers.torch.shapes import SHAPES

__all__ = ["read_torch_archive"]

REMEDY = (
    "Save it again with torch.export.save(torch.export.export(model, (example,)), path), or load the module itself."
)
OPERATOR = re.compile(r"torch\.ops\.aten\.(?P<name>[A-Za-z_][A-Za-z0-9_]*)\.(?P<overload>[A-Za-z_][A-Za-z0-9_]*)")
BESIDE = re.compile(r"_assert\w*|sym_constrain\w*|sym_size")
KINDS = {1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32", 8: "float64"}
KINDS |= {12: "bool", 13: "bfloat16"}
STRIDED = 7
# Operators whose results may share memory with their input.
VIEWS = SHAPES | NOTHING_IN_EVALUATION | CASTS
NUMBERS_AS_TEXT = {"Infinity": float("inf"), "-Infinity": float("-inf"), "NaN": float("nan")}


def read_torch_archive(data: bytes, source: str) -> Network:
    """The network of a .pt2 program.

    data : the whole file. source : its name, for messages.
    Raises ModelFileError on a damaged file, and if the graph needs pickled data; UnsupportedModelError if the program
    is not piecewise linear, has more than one input, or a batch of more than one; NetworkError on numbers that are not
    finite; MissingExtraError without torch. Each message begins with `source`.
    """
    checked_torch(source)
    # What torch and zipfile raise on damaged files is not foreseeable: an EOFError, for example.
    with damage_named(source, REMEDY):
        try:
            return network_of(program_of_archive(data, source))
        except CreasesError as error:
            if str(error).startswith(source):
                raise
            raise type(error)(f"{source}: {error}") from error


def program_of_archive(data: bytes, source: str) -> Program:
    """The program in an archive, read without unpickling anything."""
    # Tensors use these bytes without copies, so a tensor takes memory once, however often the file names it.
    members = {name: bytearray(content) for name, content in members_of(data, source).items()}
    graphs = [name for name in members if re.fullmatch(r"models/[^/]+\.json", name)]
    if len(graphs) != 1:
        raise ModelFileError(
            f"{source} holds {len(graphs)} programs in the form that torch 2.8 and newer save; one is read. {REMEDY}"
        )
    title = graphs[0][len("models/") : -len(".json")]
    if members.get("byteorder", bytearray(b"little")).strip() != b"little":
        raise ModelFileError(f"{source} was written on a machine of the other byte order. {REMEDY}")
    module = json.loads(members[graphs[0]])["graph_module"]
    graph = module["graph"]
    weights = json.loads(members[f"data/weights/{title}_weights_config.json"])["config"]
    constants = json.loads(members[f"data/constants/{title}_constants_config.json"])["config"]
    tensors: dict[str, Any] = {}
    inputs = []
    for spec in module["signature"]["input_specs"]:
        ((kind, given),) = spec.items()
        if kind == "user_input":
            inputs.append(given["arg"])
            continue
        held = next(
            (given[key] for key in ("parameter_name", "buffer_name", "tensor_constant_name") if key in given), ""
        )
        if held in weights:
            tensors[given["arg"]["name"]] = tensor_of(members, "data/weights/", held, weights[held], source)
        elif held in constants:
            tensors[given["arg"]["name"]] = tensor_of(members, "data/constants/", held, constants[held], source)
        else:
            raise UnsupportedModelError(f"{source} takes a {kind} besides its input, which is not read. {REMEDY}")
    values = [argument["as_tensor"]["name"] for argument in inputs if "as_tensor" in argument]
    if len(values) != 1:
        raise UnsupportedModelError(f"{source} takes {len(values)} inputs; a network has one. {REMEDY}")
    shape = shape_of_input(graph["tensor_values"][values[0]]["sizes"], source)
    written = Written()
    calls = [written.call(call, source) for call in calls_of(graph)]
    outputs = [
        written.now(argument_of(spec["user_output"]["arg"]), source)
        for spec in module["signature"]["output_specs"]
        if "user_output" in spec
    ]
    return Program(source, values[0], shape, tensors, calls, outputs, trusted=False)


def members_of(data: bytes, source: str) -> dict[str, bytes]:
    """The members of the archive without the folder that they are in. Refuses members larger than the file."""
    with damage_named(source, REMEDY), zipfile.ZipFile(io.BytesIO(data)) as archive:
        listed = archive.infolist()
        if any(member.compress_type != zipfile.ZIP_STORED for member in listed):
            raise ModelFileError(f"{source} has compressed members, which torch.export.save never writes. {REMEDY}")
        if sum(member.file_size for member in listed) > len(data):
            raise ModelFileError(f"{source} has members that claim more bytes than the file has: it is damaged.")
        needed = re.compile(r"[^/]*/(models/[^/]+\.json|byteorder|data/(weights|constants)/[^/]+)")
        return {
            member.filename.partition("/")[2]: archive.read(member)
            for member in listed
            if needed.fullmatch(member.filename)
        }


def tensor_of(members: Mapping[str, bytearray], folder: str, name: str, entry: Mapping[str, Any], source: str) -> Any:
    """One tensor, from its bytes."""
    import torch

    described = entry["tensor_meta"]
    if entry["use_pickle"] or described is None:
        raise ModelFileError(
            f"{source}: tensor {name!r} is stored as a pickle, which is code; it was not run. Convert it to an ordinary"
            f" tensor first. {REMEDY}"
        )
    if described["dtype"] not in KINDS or described["layout"] != STRIDED:
        raise UnsupportedModelError(
            f"{source}: tensor {name!r} is of a kind that is not read; it must be real and dense."
        )
    stored = torch.frombuffer(members[folder + entry["path_name"]] or bytearray(8), dtype=kind_of(described["dtype"]))
    sizes, strides = ([plain_number(side) for side in described[key]] for key in ("sizes", "strides"))
    offset = plain_number(described["storage_offset"])
    last = offset + sum((side - 1) * stride for side, stride in zip(sizes, strides, strict=True))
    count = 1
    for side in sizes:
        count *= side
    if min([offset, *sizes, *strides], default=0) < 0 or count > stored.numel() or (count and last >= stored.numel()):
        raise ModelFileError(f"{source}: tensor {name!r} claims more numbers than the file holds: it is damaged.")
    return stored.as_strided(sizes, strides, offset)


def kind_of(number: int) -> Any:
    """torch's dtype with this number in the archive."""
    import torch

    return getattr(torch, KINDS[number])


def plain_number(given: Mapping[str, Any]) -> int:
    """A size that must be an integer."""
    number = given["as_int"]
    if type(number) is not int:
        raise ValueError(f"a size is {number!r}")
    return number


def shape_of_input(sizes: list[Mapping[str, Any]], source: str) -> tuple[int, ...]:
    """The shape of the input. The first axis must be a batch of one or of any size, and the others fixed."""
    if sizes and "as_int" not in sizes[0]:
        sizes = [{"as_int": 1}, *sizes[1:]]
    if not all("as_int" in side for side in sizes):
        raise UnsupportedModelError(
            f"{source} takes inputs of any size, and a network has a fixed number. Export it on an example, with no "
            f"dynamic axis but the batch. {REMEDY}"
        )
    shape = tuple(plain_number(side) for side in sizes)
    if not shape or shape[0] != 1 or min(shape) < 1:
        raise UnsupportedModelError(
            f"{source} was exported for inputs of shape {shape}, and what it does for one of them is not in it. Export "
            "it on a batch of one, or with the batch dynamic."
        )
    return shape


def calls_of(graph: Mapping[str, Any]) -> Iterator[Call]:
    """The calls of a graph in order."""
    import torch

    for node in graph["nodes"]:
        results = tuple(names_of(node["outputs"]))
        path, kind = module_of(node["metadata"].get("nn_module_stack", ""))
        line = line_of_trace(node["metadata"].get("stack_trace", ""))
        operator_name = OPERATOR.fullmatch(node["target"])
        given = {argument["name"]: argument_of(argument["arg"]) for argument in node["inputs"]}
        name = operator_name["name"].removesuffix("_") if operator_name else ""
        if not operator_name or not (name in KNOWN or BESIDE.fullmatch(name)):
            yield Call(node["target"].rpartition("torch.ops.")[2], given, results, path, kind, line)
            continue
        operator = getattr(getattr(torch.ops.aten, operator_name["name"]), operator_name["overload"])
        described: Mapping[str, Any] = next(
            (graph["tensor_values"][result] for result in results if result in graph["tensor_values"]), {}
        )
        dtype = kind_of(described["dtype"]) if described.get("dtype") in KINDS else None
        yield Call(operator, arguments_of(operator, [], given), results, path, kind, line, dtype)


def names_of(outputs: list[Mapping[str, Any]]) -> Iterator[str]:
    """The names of a call's results, in order."""
    for output in outputs:
        ((kind, value),) = output.items()
        if kind == "as_tensor":
            yield value["name"]
        elif kind == "as_tensors":
            yield from (part["name"] for part in value)
        elif kind in ("as_sym_int", "as_sym_bool", "as_sym_float"):
            yield value["as_name"]
        else:
            yield ""


def argument_of(argument: Mapping[str, Any]) -> Any:
    """An argument in the file as a Python value; a `Name` for the result of a call."""
    import torch

    ((kind, value),) = argument.items()
    match kind:
        case "as_none" | "as_memory_format":
            return None
        case "as_tensor" | "as_optional_tensor" if "name" in value:
            return Name(value["name"])
        case "as_optional_tensor":
            return argument_of(value)
        case "as_tensors":
            return [Name(part["name"]) for part in value]
        case "as_optional_tensors" | "as_sym_ints":
            return [argument_of(part) for part in value]
        case "as_sym_int":
            return argument_of(value)
        case "as_name":
            return Name(value)
        case "as_int" | "as_ints" | "as_bool" | "as_bools" | "as_string":
            return value
        case "as_float":
            return NUMBERS_AS_TEXT.get(value, value)
        case "as_floats":
            return [NUMBERS_AS_TEXT.get(part, part) for part in value]
        case "as_scalar_type":
            return kind_of(value)
        case "as_layout":
            return torch.strided
        case "as_device":
            return torch.device("cpu")
    raise ValueError(f"an argument is of kind {kind}")


def module_of(stack: str) -> tuple[str, str]:
    """The path and the type of the innermost module, from "L__self__relu,relu,torch.nn.modules.activation.ReLU"."""
    _name, _comma, rest = stack.rpartition(";")[2].partition(",")
    path, _comma, kind = rest.rpartition(",")
    return path, kind.rpartition(".")[2]


class Written:
    """The current value of each name in a program with operators that write in place.

    An in-place operator's result becomes the value of all names of the same tensor. Views of this tensor, and the
    tensor of which it is a view, change as well; this is not tracked, so their names may not be used afterwards.
    """

    def __init__(self) -> None:
        self.current: dict[str, str] = {}  # the next version of the tensor that a name refers to
        self.shares: dict[str, set[str]] = {}  # versions that share memory with a version, itself included
        self.stale: set[str] = set()

    def latest(self, name: str) -> str:
        """The latest version of a name."""
        while name in self.current:
            name = self.current[name]
        return name

    def now(self, argument: Any, source: str) -> Any:
        """An argument, with names replaced by their latest versions. Raises UnsupportedModelError if one is
        outdated."""
        if isinstance(argument, list):
            return [self.now(part, source) for part in argument]
        if not isinstance(argument, Name):
            return argument
        name = self.latest(argument.text)
        if name in self.stale:
            raise UnsupportedModelError(
                f"{source} uses {argument.text!r} after a part of it was written in place, which is not followed. Save "
                "the program without such writes: torch.export.save(program.run_decompositions({}), path)."
            )
        return Name(name)

    def call(self, call: Call, source: str) -> Call:
        """The call on the latest versions; records what it writes and which results share memory with its input."""
        arguments = {name: self.now(argument, source) for name, argument in call.arguments.items()}
        target = arguments.get("self", arguments.get("input"))
        if isinstance(target, Name) and not isinstance(call.operator, str):
            group = self.shares.setdefault(target.text, {target.text})
            if call.name.endswith("_"):
                self.stale |= group - {target.text}
                (result,) = call.results
                self.current[target.text] = result
            elif call.name in VIEWS:
                group.update(call.results)
                self.shares.update(dict.fromkeys(call.results, group))
        return replace(call, arguments=arguments)
