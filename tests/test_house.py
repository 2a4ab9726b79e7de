"""The house: what importing costs, what the documents say, and what must not stand in a tracked file."""

import ast
import importlib
import inspect
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

import creases
from children import LONGEST, python
from creases.cli.app import app

ROOT = Path(__file__).parent.parent
HEAVY = ("numba", "torch", "matplotlib", "dask", "onnx", "scipy", "flint", "sklearn", "pandas", "rich", "typer")
COMMANDS = {
    " ".join([name, *inner]): one
    for name, command in typer.main.get_command(app).commands.items()
    for inner, one in (
        [([n], c) for n, c in command.commands.items()] if hasattr(command, "commands") else [([], command)]
    )
}
FENCE = re.compile(r"^```(?P<kind>[^\n]*)\n(?P<code>.*?)^```", re.MULTILINE | re.DOTALL)


def fresh(program):
    """The stdout of a program run in a new interpreter."""
    return python(program).stdout.strip()


def documents():
    return [path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))) if path.exists()]


def blocks(path, kind):
    return [match["code"] for match in FENCE.finditer(path.read_text(encoding="utf-8")) if match["kind"] == kind]


def tracked_files():
    """Files that git tracks or would; all but what is ignored where there is no git."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def test_house_import_is_fast():
    program = "import time; t = time.perf_counter(); import creases; print(time.perf_counter() - t)"
    assert min(float(fresh(program)) for _ in range(3)) < 0.5


@pytest.mark.parametrize(
    "module", ["creases", "creases.network, creases.domain, creases.counting, creases.subdivision"]
)
def test_house_import_brings_in_nothing_heavy(module):
    found = fresh(f"import sys, {module}; print(*sorted({{m.split('.')[0] for m in sys.modules}}))").split()
    assert set(found).isdisjoint(HEAVY)


def test_house_help_is_light():
    program = (
        "import sys; from creases.cli import run; run(['count', '--help']);"
        "print(*sorted({'numpy', 'numba', 'torch', 'pandas', 'matplotlib'} & set(sys.modules)), 'done')"
    )
    assert fresh(program).splitlines()[-1] == "done"  # what takes the time of a start is left alone


@pytest.mark.parametrize("name", sorted(set(creases.__all__) - {"__version__"}))
def test_house_public_names_have_a_docstring(name):
    thing = getattr(creases, name)
    assert inspect.getdoc(thing), name
    if inspect.isclass(thing):
        # A dataclass without one gets its signature for a docstring.
        assert not inspect.getdoc(thing).startswith(f"{name}(")
        for method, value in vars(thing).items():
            if not method.startswith("_") and (inspect.isfunction(value) or isinstance(value, property | classmethod)):
                assert inspect.getdoc(value), f"{name}.{method}"


def test_house_all_names_are_where_init_says():
    for name, home in creases._HOME.items():
        assert name in creases.__all__
        assert name in importlib.import_module(home).__all__, f"{home}.__all__ lacks {name}"
    with pytest.raises(AttributeError, match="no attribute 'fold'"):
        creases.fold  # noqa: B018


@pytest.mark.parametrize("room", creases._ROOMS)
def test_house_rooms_are_attributes(room):
    """`creases.theory` after `import creases`, in a process that has imported nothing else, and no torch or matplotlib.

    Audits compute in rationals (flint), and pieces are planned by the engine (numba).
    """
    program = f"import sys, creases; print(creases.{room}.__name__, *sorted({{m.split('.')[0] for m in sys.modules}}))"
    name, *found = fresh(program).split()
    assert name == f"creases.{room}"
    assert set(found).isdisjoint(HEAVY) or room in ("auditing", "scheduling")
    assert room in dir(creases)


def test_house_names_in_the_documents_are_there():
    """`creases.complex.maps.affine_maps(complex)` in the running text works after `import creases` alone."""
    pages = (path for path in documents() if path.name != "how-it-works.md")  # that one names modules
    names = sorted({name for page in pages for name in re.findall(r"`(creases\.[\w.]*\w)", page.read_text("utf-8"))})
    assert "creases.complex.maps.affine_maps" in names
    assert fresh(f"import creases; print(*({', '.join(names)},), sep='\\n')").count("\n") == len(names) - 1


def test_house_calls_in_the_documents_are_there():
    """`Box(lower, upper)` and `plane.square(h)` in the tables and the running text."""
    for page in ("README.md", "docs/domains.md", "docs/which.md", "docs/counting.md"):
        text = FENCE.sub("", (ROOT / page).read_text("utf-8"))
        for name in set(re.findall(r"`([A-Z]\w+)\(", text)):
            assert name in creases.__all__, f"{page}: {name}"
        for outer, name in set(re.findall(r"`(?:creases\.)?([A-Za-z]\w+)\.(\w+)\(", text)):
            kinds = {"plane": creases.Plane, "network": creases.Network, "complex": creases.Complex}
            kinds |= {"tracker": creases.RegionTracker, "creases": creases, "count": creases.Count}
            outer = kinds[outer] if outer in kinds else getattr(creases, outer, None)
            if outer is not None:  # `torch.export.save` is not ours
                assert hasattr(outer, name), f"{page}: {outer} has no {name}"


def test_house_numbers_in_the_readme_are_those_of_the_sources():
    """Speeds are compared in test_benchmarks; numbers behind `print` by running the page."""
    from creases.readers.onnx.operators import OPERATORS

    page = (ROOT / "README.md").read_text("utf-8")
    assert int(re.search(r"`\.onnx` \((\d+) operators", page)[1]) == len(OPERATORS)
    table = (ROOT / "docs" / "formats-onnx.md").read_text("utf-8").split("**Read, opset")[1].split("Everything else")[0]
    assert set(re.findall(r"\b[A-Z][A-Za-z]+\b", table)) == set(OPERATORS)
    scale = re.search(
        r"^\| regions, certified \| ([\d,]+)", (ROOT / "benchmarks" / "README.md").read_text("utf-8"), re.M
    )
    for name in ("README.md", "docs/pieces.md"):
        assert f"{scale[1]} regions of" in (ROOT / name).read_text("utf-8")
    most = re.search(r"of one to (\w+) dimensions", page)[1]
    assert most == {8: "eight"}[creases.domain.slice.MOST_DIMENSIONS]


def test_house_every_room_is_listed():
    """All that a user may import; the engine, the command line and single files are not."""
    folders = {path.parent.name for path in Path(creases.__file__).parent.glob("*/__init__.py")}
    assert folders - set(creases._ROOMS) == {"engine", "cli"}


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_house_every_command_is_documented_and_teaches(command):
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert f"## creases {command}\n" in page
    assert f"creases {command}" in COMMANDS[command].help, "its --help needs examples"
    for parameter in COMMANDS[command].params:
        assert parameter.name == "help" or parameter.help, f"{command} {parameter.name} needs a help text"


def test_house_docs_are_current():
    finished = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "make_cli_docs.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
        timeout=LONGEST,
    )
    assert finished.returncode == 0, finished.stderr


def test_house_one_version():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.*)$", citation, re.MULTILINE)[1] == creases.__version__
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {creases.__version__}" in changes


# Written in pieces, so that this file passes its own test.
FORBIDDEN = (
    r"https?://(?!example\.)[\w.-]*(?:py" + r"pi|pythonhosted|pytorch\.org/whl|registry|npm" + r"js)",
    r"(?:--|\b)(?:extra-)?index-" + r"url\b",
    r"(?<![\w.])/(?:home|root|Users|wo" + r"rk)/\w",
)


def test_house_no_machine_paths_or_registry_hosts():
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for pattern in FORBIDDEN:
            assert not (found := re.search(pattern, text)), f"{path.relative_to(ROOT)} holds {found[0]!r}"


OF_SUBPROCESS = ("subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output")


def waits_without_end(code):
    """The lines of a program that wait for a process or a thread without a limit."""
    found = []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            # Methods take their limit as an argument, too; what joins strings has one.
            is_method = node.func.attr in ("wait", "join", "communicate") and not node.args
            is_limited = any(option.arg == "timeout" for option in node.keywords)
            if (is_method or ast.unparse(node.func) in OF_SUBPROCESS) and not is_limited:
                found.append(node.lineno)
    return sorted(found)


def test_house_no_test_waits_without_end():
    tools = [ROOT / "tools" / name for name in ("chromium.py", "explorer_page.py")]
    for path in [*sorted((ROOT / "tests").rglob("*.py")), *tools]:
        assert waits_without_end(path.read_text("utf-8")) == [], path.relative_to(ROOT)
    lines = (
        "subprocess.run(a)",
        "one.wait()",
        "','.join(b)",
        "subprocess.run(a, timeout=1)",
        "thread.join()",
        "e.wait(3)",
    )
    assert waits_without_end("\n".join(lines)) == [1, 2, 5]


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_house_python_in_the_documents_runs(path, tmp_path, monkeypatch, capsys):
    """Each ```python block, in the order of the page, in one namespace and an empty folder; a comment behind a
    `print(...)` that begins with a number, a bracket, a quote, True or False says what is printed."""
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "__main__"}
    for i, code in enumerate(blocks(path, "python")):
        exec(compile(code, f"{path.name}, block {i}", "exec"), namespace)
        printed = capsys.readouterr().out.splitlines()
        for said in re.findall(r"^print\(.*\)  # ((?:\d|[\[('-]|True|False).*)$", code, re.MULTILINE):
            assert any(said == line or said.startswith(f"{line}, ") for line in printed), (said, printed)


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_house_commands_in_the_documents_parse(path):
    """Each `$ creases ...` line of a ```console block names a command and options that exist."""
    for line in "\n".join(blocks(path, "console")).splitlines():
        if not line.startswith("$ creases "):
            continue
        words = shlex.split(line.removeprefix("$ creases ").split(" > ")[0].split(" | ")[0], comments=True)
        if words[0].startswith("-"):
            continue
        length = 1 if words[0] in COMMANDS else 2  # `creases paper spaces`
        command = COMMANDS[" ".join(words[:length])]
        command.make_context(words[length - 1], words[length:]).close()


def test_house_parsing_check_refuses_what_does_not_exist():
    with pytest.raises(Exception, match="No such option"):
        COMMANDS["count"].make_context("count", ["net.pt", "--spiral", "0,0"])
