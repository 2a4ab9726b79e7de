"""The engine's house rules: how kernels are compiled, where they are kept, and what the engine must not import."""

import ast
import importlib
import json
import os
import pkgutil
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core.errors import NumbaError
from numba.extending import is_jitted

import creases.engine
from children import LONGEST
from creases.engine import kernel as kernel_room
from creases.engine.jit.compiler import KernelCompiler, QuickFirstCompiler, as_unsigned
from creases.engine.loop.cut import cut
from creases.engine.proof.bounds import meeting_point
from engine_twins import COMPILED

ENGINE = Path(creases.engine.__file__).parent
SOURCES = sorted(ENGINE.rglob("*.py"))
FOLDERS = sorted({path.parent.name for path in SOURCES} - {"engine"})
MODULES = sorted(
    name.removeprefix("creases.engine.") for _, name, _ in pkgutil.walk_packages([str(ENGINE)], "creases.engine.")
)
CHECKED = bool(numba.config.BOUNDSCHECK)
compiled_only = pytest.mark.skipif(not COMPILED, reason="kernels are plain Python")

# Counts of both dimensions, bounded and whole, written out and not, with ties and without, from arrays of every make.
COUNTS = """
import json, sys
import numpy as np
from creases import Box, Line, Network, Plane, Polygon, Segment, Space, count, subdivide
rng = np.random.default_rng(0)
for n_in in (1, 2):
    weights = [rng.standard_normal((6, n_in)), rng.standard_normal((5, 6)), rng.standard_normal((4, 5))]
    biases = [rng.standard_normal(len(weight)) for weight in weights]
    whole = [np.rint(2 * weight) for weight in weights]
    for makes in (
        (weights, biases),
        ([np.asfortranarray(weight) for weight in whole], [0 * bias for bias in biases]),
        ([weight.astype(np.float32) for weight in weights], [bias.astype(np.float32) for bias in biases]),
        ([weight.tolist() for weight in whole], [np.repeat(np.rint(bias), 2)[::2] for bias in biases]),
    ):
        network = Network.from_arrays(*makes, output_layer=False)
        low, high = [-1] * n_in, [1] * n_in
        domains = [Box(low, high), Space(n_in), Segment(low, high), Line(low, high)]
        if n_in == 2:
            domains += [Polygon([[0, 0], [1, 0], [0, 1]]), Plane(np.zeros(2, np.float32), np.eye(2)[:, ::-1])]
        for domain in domains:
            count(network, domain, by_neuron=True)
            subdivide(network, domain)
# Corners that floats do not find.
near = Network.from_arrays([[[1, 0], [0, 1]], [[0.7, 0.2], [0.7000000000000001, 0.2]]], [[2, 2], [-1.8, -1.8]])
subdivide(near, Box([-1, -1], [1, 1]))
# Convolutions that are not written out.
import creases.lowering
from creases import build
creases.lowering.MOST_ENTRIES = -1
h = build.conv(build.input(1, 3, 3), rng.standard_normal((2, 1, 3, 3)), rng.standard_normal(2), padding=1)
h = build.leaky_relu(build.average_pool(build.relu(h), 2), 0.3)
large = build.network(build.relu(build.dense(build.flatten(h), rng.standard_normal((3, 2)), rng.standard_normal(3))))
for domain in (Segment(np.zeros(9), np.ones(9)), Plane.through(*rng.standard_normal((3, 9))).square(1.0)):
    count(large, domain)
subdivide(Network.from_arrays([[[1.0]], [[1.0]]], [[1.0], [-1e16]], output_layer=False), Space(1))
"""
SIGNATURES = """
import re
from numba.extending import is_jitted
found = {}
for name, module in sys.modules.items():
    if name.startswith("creases.engine."):
        for thing in vars(module).values():
            if is_jitted(thing):
                # A constant in a call, such as a slot's number, is a type of its own; that is no second compilation.
                kinds = {re.sub(r"Literal\\[int\\]\\(-?\\d+\\)", "int64", str(s)) for s in thing.signatures}
                found[f"{thing.py_func.__module__}.{thing.py_func.__name__}"] = sorted(kinds)
print(json.dumps(found))
"""

# Kernels whose sums may be added in any order: plain sums, and nothing else.
IN_ANY_ORDER = {
    "creases.engine.rows.relax.combine",
    "creases.engine.rows.rows_in_space.along",
    "creases.engine.rows.rows_in_space.sizes_along",
    "creases.engine.rows.substitution.add_active",
    "creases.engine.rows.substitution.keep_open",
    "creases.engine.rows.substitution.size_of",
}
# Those that write many sums at a time, or go on with one: they add and multiply, and take no difference or quotient.
SUMS_AND_MORE = {
    "creases.engine.lines.sweep.norm",
    "creases.engine.lines.walk.add_four",
    "creases.engine.lines.walk.look",
    "creases.engine.lines.walk.pass_four",
}


def kernels():
    """Every kernel of the engine by its name."""
    found = {}
    for module in MODULES:
        for thing in vars(importlib.import_module(f"creases.engine.{module}")).values():
            if is_jitted(thing):
                found[f"{thing.py_func.__module__}.{thing.py_func.__name__}"] = thing
    return found


def fresh(program, **environment):
    """A program run in a new interpreter."""
    return subprocess.run(
        [sys.executable, "-W", "always", "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        timeout=LONGEST,
    )


def test_house_these_tests_see_the_sources():
    """Tests that read files pass where there are none: here are the rooms, and more than fifty files in them."""
    assert FOLDERS == ["answers", "cells", "columns", "jit", "lines", "loop", "proof", "rows", "starts", "state"]
    assert len(SOURCES) > 50
    assert {"warm", "loop", "loop.cut", "proof.bounds"} <= set(MODULES)


# How kernels are compiled.


@compiled_only
def test_house_kernels_have_the_engines_options():
    found = kernels()
    assert len(found) > 30
    for name, dispatcher in found.items():
        options = dispatcher.targetoptions
        assert name.startswith("creases.engine."), "a kernel that is not the engine's own"
        assert options["nopython"] is True
        assert options["nogil"] is True, f"{name} holds the GIL"
        assert options["error_model"] == "numpy", f"{name} raises on 0 / 0"
        assert options["_nrt"] is False, f"{name} may allocate"
        expected = QuickFirstCompiler if dispatcher is cut else KernelCompiler
        assert dispatcher._compiler.pipeline_class is expected, f"{name} asks of every index whether it is negative"
        allowed = {"reassoc", "contract"} if name in IN_ANY_ORDER | SUMS_AND_MORE else False
        assert options.get("fastmath", False) == allowed, f"{name} may lose its compensation terms"
        assert name not in IN_ANY_ORDER or options["forceinline"]
        assert not options.get("parallel")
        assert dispatcher.py_func.__doc__, f"{name} says nothing"


def test_house_one_decorator():
    """Nothing but kernel.py asks Numba to compile; in jit/ stands what is done before, in and after its compiler."""
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        if path != ENGINE / "kernel.py" and path.parent != ENGINE / "jit":
            assert not re.search(r"\bnumba\b.*\bimport\b|\bimport numba\b", text), path.name
        if path != ENGINE / "kernel.py":
            assert not re.search(r"njit|fastmath", text), path.name


def decorated(decorator):
    """The functions of the engine under this decorator: {name: syntax tree}."""
    found = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and decorator in [ast.unparse(item) for item in node.decorator_list]:
                place = ".".join(path.relative_to(ENGINE).with_suffix("").parts)
                found[f"creases.engine.{place}.{node.name}"] = node
    return found


def test_house_what_is_added_in_any_order_is_a_plain_sum():
    """No comparison, no quotient, no difference, no call but abs: nothing that an order or a fused product changes.

    A number is zero, a sum that grows by products of what is read and of sizes, or what is read; or it is written as
    it was read.
    """
    found = decorated("reordered")
    assert set(found) == IN_ANY_ORDER | SUMS_AND_MORE
    for name in SUMS_AND_MORE:
        body = [line for line in ast.walk(found.pop(name)) if isinstance(line, ast.For)]
        steps = [node.op for loop in body for node in ast.walk(loop) if isinstance(node, ast.BinOp | ast.AugAssign)]
        assert steps, name
        assert all(isinstance(step, ast.Add | ast.Mult | ast.BitAnd) for step in steps), name
    for name, function in found.items():
        _, *lines = function.body  # without the docstring
        start, loop, end = lines
        assert isinstance(start, ast.Assign), name
        assert ast.unparse(start.value) == "0.0", name
        totals = {target.id for target in start.targets}
        assert isinstance(end, ast.Return), name
        assert {node.id for node in ast.walk(end.value) if isinstance(node, ast.Name)} == totals, name
        assert isinstance(loop, ast.For), name
        assert ast.unparse(loop.iter.func) == "range", name
        for line in loop.body:
            if isinstance(line, ast.AugAssign):
                assert isinstance(line.op, ast.Add), name
                assert line.target.id in totals, name
            else:
                assert isinstance(line, ast.Assign), name
                assert isinstance(line.value, ast.Name | ast.Subscript), name
            assert not totals & {node.id for node in ast.walk(line.value) if isinstance(node, ast.Name)}, name
            check_product(line.value, name)


def check_product(value, name):
    """A factor, its size, something read, or a product of such."""
    if isinstance(value, ast.BinOp):
        assert isinstance(value.op, ast.Mult), name
        check_product(value.left, name)
        check_product(value.right, name)
    elif isinstance(value, ast.Call):
        assert ast.unparse(value.func) == "abs", name
        check_product(value.args[0], name)
    else:
        assert isinstance(value, ast.Name | ast.Subscript), name


@compiled_only
def test_house_sums_in_any_order_take_nothing_else_on_trust():
    """NaN, infinities and signed zeros are what they are; what is not inside such a sum is not touched."""

    def total(values):
        result = 0.0
        for i in range(values.size):
            result += values[i]
        return result

    def outside(values, a):
        return (total_kernel(values) + a) - a

    total_kernel = kernel_room.reordered(total)
    outside_kernel = kernel_room.kernel(outside)
    for bad in (np.nan, np.inf, -np.inf):
        values = np.ones(37)
        values[[5, 36]] = bad
        assert np.isnan(total_kernel(values)) if np.isnan(bad) else total_kernel(values) == bad
    assert np.isnan(total_kernel(np.array([np.inf, 1.0, -np.inf])))
    assert outside_kernel(np.ones(37), 1e17) == (37.0 + 1e17) - 1e17 == 32.0


@compiled_only
def test_house_a_kernel_cannot_allocate():
    def allocates(n):
        return np.zeros(n)

    with pytest.raises(NumbaError):
        kernel_room.kernel(allocates)(3)


@compiled_only
def test_house_kernels_keep_compensation_and_do_not_raise():
    def lost(a, b):
        return (a + b) - a

    for decorator in (kernel_room.kernel, kernel_room.inlined):
        assert decorator(lost)(1e17, 1.0) == 0.0
        assert np.isnan(decorator(lambda a, b: a / b)(0.0, 0.0))


# Indices.


@compiled_only
def test_known_as_unsigned():
    """The bits stay as they are, alone or in a tuple; what is no 64-bit whole number stays what it is."""
    one = numba.njit(lambda i: as_unsigned(i))
    two = numba.njit(lambda i, j: as_unsigned((i, j)))
    for i in (0, 1, 2**62, -1, -(2**63)):
        assert one(i) == i % 2**64
        assert two(i, 7) == (i % 2**64, 7)
        assert two(7, i) == (7, i % 2**64)
    assert one.nopython_signatures[0].return_type == numba.types.uint64
    assert one(np.uint64(2**64 - 1)) == 2**64 - 1
    assert (one(True), one(1.5)) == (True, 1.5)
    assert two(3, True) == (3, True)
    assert two.nopython_signatures[-1].return_type == numba.types.Tuple([numba.types.uint64, numba.types.boolean])


def reads(array, i):
    return array[i]


def reads_two(array, i, j):
    return array[i, j]


def writes(array, i, j, value):
    array[i] = value
    array[i, j] += 1.0
    array[i, -1] = 7.0
    return array[-1, 0]


def test_laws_indices_of_kernels_are_plain():
    """Kernels read and write what Python does where no index is negative, or a constant is."""
    array = np.arange(12.0).reshape(3, 4)
    two, write = kernel_room.kernel(reads_two), kernel_room.inlined(writes)
    assert [[two(array, i, j) for j in range(4)] for i in range(3)] == array.tolist()
    assert [kernel_room.kernel(reads)(array.ravel(), i) for i in range(12)] == array.ravel().tolist()
    found, expected = array.copy(), array.copy()
    for i, j in ((0, 0), (2, 1), (1, 3), (2, 2)):
        assert write(found, i, j, -2.0 * i) == writes(expected, i, j, -2.0 * i)
    assert (found == expected).all()


def test_known_a_negative_index_in_every_mode():
    """Python's rule without the JIT; no index with bounds checked; no second look at it otherwise."""
    array = np.arange(10.0)
    part = array[4:]
    read = kernel_room.kernel(reads)
    if not COMPILED:
        assert read(part, -1) == 9.0
    elif CHECKED:
        with pytest.raises(IndexError):
            read(part, -1)
        with pytest.raises(IndexError):
            read(part, 6)
    else:
        assert read(part, -1) == 3.0  # the number before the part, in the same array


@compiled_only
def test_house_no_index_of_a_kernel_is_compared_with_zero():
    """As Numba has compiled it. With indices checked they are unsigned, but for constants that are negative; otherwise
    an entry's place is worked out without a look at the index."""

    def many(array, i, j):
        array[i] = 1.0
        array[i, j] += array[0, 1]
        return array[i, -1] + array[-1, 0]

    def plain(array, i, j):
        array[i, j] += array[0, 1]
        return array[j, i]

    kernels = [numba.njit(pipeline_class=KernelCompiler)(one) for one in (many, plain)]  # not from a cache
    for kernel in kernels:
        kernel(np.zeros((3, 4)), 1, 1)
    typed = next(iter(kernels[0].overloads.values())).type_annotation
    indices = {str(kind) for name, kind in typed.typemap.items() if name.startswith("$index")}
    assert indices == ({"uint64", "UniTuple(uint64 x 2)"} if CHECKED else set())
    (code,) = kernels[1].inspect_llvm().values()
    body = code[code.index("define") : code.index("}")]
    assert CHECKED or "getelementptr" in body  # the function that reads and writes entries, and none around it
    assert CHECKED or not re.search(r"icmp|select|br ", body)


# Signatures.


@pytest.mark.jit
@compiled_only
def test_house_one_signature():
    """What is called from Python has one signature, whatever the arrays that a user gives."""
    done = fresh(COUNTS + SIGNATURES)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert len(found["creases.engine.loop.cut.cut"]) == 1
    for name, signatures in found.items():
        assert len(signatures) <= 1, f"{name} is compiled more than once: {signatures}"


@pytest.mark.jit
@pytest.mark.long
@compiled_only
def test_house_one_signature_of_every_kernel(tmp_path):
    """The same with an empty cache, where the kernels that kernels call are compiled, too."""
    done = fresh(COUNTS + SIGNATURES, CREASES_CACHE_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert {name: len(signatures) for name, signatures in found.items() if len(signatures) > 1} == {}
    assert sum(len(signatures) for signatures in found.values()) > 30


# Where kernels are kept.


def test_house_the_cache_folder_knows_all_sources(tmp_path, monkeypatch):
    copy = tmp_path / "engine"
    shutil.copytree(ENGINE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    here = kernel_room.source_hash()
    monkeypatch.setattr(kernel_room, "__file__", str(copy / "kernel.py"))
    assert kernel_room.source_hash() == here
    seen = {here}
    files = sorted(copy.rglob("*.py"))
    for path in files:
        before = path.read_bytes()
        path.write_bytes(before + b"\n")
        seen.add(kernel_room.source_hash())
        path.write_bytes(before)
    assert len(seen) == 1 + len(files) == 1 + len(SOURCES)
    assert {path.parent.name for path in files} == {"engine", *FOLDERS}, "a file of each room was changed"
    assert kernel_room.source_hash() == here
    (copy / "a" / "room").mkdir(parents=True)
    for new in (copy / "new.py", copy / "a" / "new.py", copy / "a" / "room" / "new.py", copy / "b.py"):
        for text in ("", "x = 1\n"):
            new.write_text(text)
            assert kernel_room.source_hash() not in seen
            seen.add(kernel_room.source_hash())
        new.unlink()
    assert kernel_room.source_hash() == here
    monkeypatch.setattr(kernel_room.settings, "BOUNDSCHECK", 1 - (kernel_room.settings.BOUNDSCHECK or 0))
    assert kernel_room.source_hash() not in seen
    monkeypatch.undo()
    monkeypatch.setattr(numba, "__version__", "0.0")
    assert kernel_room.source_hash() != here


posix_only = pytest.mark.skipif(not hasattr(os, "getuid"), reason="needs permission bits")


@posix_only
def test_house_the_cache_folder_is_the_users_own(tmp_path, monkeypatch):
    monkeypatch.setenv("CREASES_CACHE_DIR", str(tmp_path / "a" / "b"))
    before = os.umask(0)
    try:
        folder = kernel_room.private_folder(kernel_room.SOURCES)
    finally:
        os.umask(before)
    assert folder.parent == tmp_path / "a" / "b"
    assert kernel_room.source_hash() in folder.name
    assert folder.stat().st_mode & 0o777 == 0o700
    assert kernel_room.private_folder(kernel_room.SOURCES) == folder


@posix_only
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o720, 0o702])
def test_bad_input_a_cache_folder_that_others_can_write_to(mode, tmp_path, monkeypatch):
    monkeypatch.setenv("CREASES_CACHE_DIR", str(tmp_path))
    folder = kernel_room.private_folder(kernel_room.SOURCES)
    folder.chmod(mode)
    with pytest.warns(UserWarning, match=r"can be written to by others\); each process compiles them afresh"):
        assert kernel_room.private_folder(kernel_room.SOURCES) is None


@posix_only
def test_bad_input_a_cache_folder_of_someone_else(tmp_path, monkeypatch):
    monkeypatch.setenv("CREASES_CACHE_DIR", str(tmp_path))
    kernel_room.private_folder(kernel_room.SOURCES)
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.warns(UserWarning, match="can be written to by others"):
        assert kernel_room.private_folder(kernel_room.SOURCES) is None


def test_bad_input_a_cache_home_where_nothing_can_be_written(tmp_path, monkeypatch):
    """Below a regular file there is no folder, for root neither."""
    (tmp_path / "file").write_text("")
    home = str(tmp_path / "file" / "below")
    monkeypatch.setenv("CREASES_CACHE_DIR", home)
    with pytest.warns(UserWarning, match=r"Set CREASES_CACHE_DIR to a folder of your own"):
        assert kernel_room.private_folder(kernel_room.SOURCES) is None
    # A kernel compiles without a cache, and the plain engine counts; each says the warning once.
    program = "from creases.engine.proof.bounds import gamma; print(gamma(2) > 0)"
    plain = "from creases import Box, Network, count; "
    plain += "print(count(Network.from_arrays([[[1.0]]], [[0.0]], output_layer=False), Box([-1], [1])).regions == 2)"
    for run in (fresh(program, CREASES_CACHE_DIR=home), fresh(plain, CREASES_CACHE_DIR=home, NUMBA_DISABLE_JIT="1")):
        assert run.stdout == "True\n", run.stderr
        assert run.stderr.count("cannot keep compiled kernels") == 1


def test_house_decorating_leaves_numbas_settings_alone():
    before = kernel_room.settings.CACHE_DIR
    kernel_room.kernel(lambda x: x)
    assert before == kernel_room.settings.CACHE_DIR
    if COMPILED and kernel_room.CACHE_FOLDER is not None:
        assert before != str(kernel_room.CACHE_FOLDER)
        assert Path(meeting_point.stats.cache_path).is_relative_to(kernel_room.CACHE_FOLDER)


# What the engine imports.


def test_house_the_engine_knows_arrays_only():
    imports = "; ".join(f"import creases.engine.{module}" for module in MODULES)
    done = fresh(f"import sys; {imports}; print(*sorted(sys.modules))")
    assert done.returncode == 0, done.stderr
    modules = set(done.stdout.split())
    assert "creases.engine.loop.cut" in modules
    roots = {name.split(".")[0] for name in modules}
    assert roots.isdisjoint({"torch", "matplotlib", "dask", "onnx", "sklearn", "mlxtend", "pandas", "rich", "typer"})
    ours = {name for name in modules if name.startswith("creases.") and not name.startswith("creases.engine")}
    assert ours <= {
        "creases.errors",
        "creases.version",
        "creases.double_description",
        "creases.instructions",
        "creases.limits",
        "creases.lists",
        "creases.memory",
        "creases.rationals",
        "creases.streams",
    }


def test_house_python_calls_no_kernel_without_an_entry_point():
    """An inlined kernel that takes a workspace cannot be called from Python by users: only kernels name it."""
    without, outside = set(), []
    for path in SOURCES:
        tree = ast.parse(path.read_text())
        for node in tree.body:
            if isinstance(node, ast.FunctionDef):
                marks = {mark.id for mark in node.decorator_list if isinstance(mark, ast.Name)}
                if marks & {"inlined", "reordered"} and "work" in {argument.arg for argument in node.args.args}:
                    without.add(node.name)
        bodies = [node for node in tree.body if not (isinstance(node, ast.FunctionDef) and node.decorator_list)]
        outside += [
            (path.name, call.func.id)
            for body in bodies
            for call in ast.walk(body)
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
        ]
    assert {"scan_neurons", "localise", "write_row"} <= without
    assert [(room, name) for room, name in outside if name in without] == []
