"""What the site has beside docs/*.md: API pages, tutorials from their notebooks, pages that live elsewhere, and links.

A hook of mkdocs (see mkdocs.yml). API pages are written from the `__all__` of each room, so that no public name can be
left out, and one without a docstring stops the build. Names in the running text, `creases.count` or
`theory.bounds(...)`, become links to them. Pictures of the gallery are those of docs/gallery, or of the folder that
CREASES_GALLERY names, where `make docs` has made them anew.
"""

from __future__ import annotations

import base64
import importlib
import inspect
import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
# Pages of the site that live elsewhere.
ELSEWHERE = {
    "benchmarks.md": "benchmarks/README.md",
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
}
# How pages of docs/ link to what the site has under another name.
LINKS = {
    "../benchmarks/README.md": "benchmarks.md",
    "../CHANGELOG.md": "changelog.md",
    "../CONTRIBUTING.md": "contributing.md",
}
# Page of the API: its title, and the modules whose `__all__` it shows.
ROOMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "creases": ("Counting and subdividing", ("creases",)),
    "domain": ("Domains", ("creases.domain",)),
    "network": ("Networks", ("creases.network",)),
    "build": ("Building networks", ("creases.network.builder",)),
    "readers": ("Readers", ("creases.readers",)),
    "complex": ("The complex", ("creases.complex", "creases.complex.maps", "creases.complex.half_spaces")),
    "topology": ("Topology", ("creases.complex.topology",)),
    "integrals": ("Integrals and extremes", ("creases.complex.integrals", "creases.complex.ranges")),
    "plot": ("Pictures", ("creases.plot",)),
    "theory": ("Theory", ("creases.theory",)),
    "training": ("Training", ("creases.training",)),
    "scheduling": ("Counts in pieces", ("creases.scheduling",)),
    "auditing": ("Audits", ("creases.auditing",)),
    "explore": ("The explorer", ("creases.explore",)),
    "paper": (
        "The papers",
        ("creases.paper.experiment", "creases.paper.choices", "creases.paper.measures", "creases.paper.runs"),
    ),
    "errors": ("Errors", ("creases.errors",)),
}
# How running text writes the modules: `build.relu`, `theory.bounds`.
SHORT = {
    "creases.build.": "creases.network.builder.",
    "build.": "creases.network.builder.",
    "theory.": "creases.theory.",
    "plot.": "creases.plot.",
    "Network.": "creases.network.Network.",
    "network.": "creases.network.Network.",
    "complex.": "creases.complex.Complex.",
    "cells.": "creases.complex.Complex.",
    "Count.": "creases.Count.",
    "count.": "creases.Count.",
    "Plane.": "creases.domain.Plane.",
    "plane.": "creases.domain.Plane.",
    "Line.": "creases.domain.Line.",
    "Polytope.": "creases.domain.Polytope.",
    "tracker.": "creases.training.RegionTracker.",
}
FENCED = re.compile(r"(^```.*?^```[^\n]*$|^ {4}[^\n]*$)", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(?<!\[)`([A-Za-z_][\w.]*)((?:\([^`]*\))?)`(?!\])")
COMMAND = re.compile(r"(?<!\[)`(creases [a-z][^`]*)`(?!\])")
BLOCK = re.compile(r"^```python\n.*?^```$", re.MULTILINE | re.DOTALL)
USED = re.compile(r"\b(creases|plot|theory|build)\.(\w+)\(")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are written here."""
    for uri, source in ELSEWHERE.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        text = re.sub(r"\]\((?:\.\./)?docs/", "](", text)
        files.append(File.generated(config, uri, content=text))
    files.append(File.generated(config, "api/index.md", content=api_index()))
    for room in ROOMS:
        files.append(File.generated(config, f"api/{room}.md", content=api_page(room)))
    for notebook in sorted((ROOT / "docs" / "tutorials").glob("*.ipynb")):
        text, pictures = as_page(notebook)
        files.append(File.generated(config, f"tutorials/{notebook.stem}.md", content=text))
        for name, data in pictures.items():
            files.append(File.generated(config, f"tutorials/{name}", content=data))
    fresh = os.environ.get("CREASES_GALLERY")
    for path in sorted((ROOT / fresh).iterdir()) if fresh else ():
        uri = f"gallery/{path.name}"
        if old := files.get_file_from_path(uri):
            files.remove(old)
        files.append(File.generated(config, uri, content=path.read_bytes()))
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Link the names of the page, and below each example of the gallery those that it uses."""
    if page.file.src_uri.startswith("api/"):
        return markdown
    for link, uri in LINKS.items():
        markdown = markdown.replace(f"]({link}", f"]({uri}")
    markdown = re.sub(r"\]\((\w+)\.ipynb\)", r"](\1.md)", markdown)
    # Sources are not on the site: their links are text there.
    markdown = re.sub(r"\[([^\]]+)\]\((?:\.\./)*(?:src|tests|tools)/[^)]*\)", r"\1", markdown)
    if page.file.src_uri in ("gallery.md", "definitions.md"):
        markdown = BLOCK.sub(lambda block: block[0] + uses(block[0]), markdown)
    parts = FENCED.split(markdown)
    for i in range(0, len(parts), 2):
        parts[i] = "\n".join(
            line if line.startswith("#") else COMMAND.sub(linked_command, CODE.sub(linked, line))
            for line in parts[i].split("\n")
        )
    return "".join(parts)


def linked(code: re.Match[str]) -> str:
    """Inline code as a link, if it names something of the API."""
    # A `count` is a variable as often as the function.
    target = None if code[0] == "`count`" else target_of(code[1])
    return code[0] if target is None else f"[{code[0]}][{target}]"


def linked_command(code: re.Match[str]) -> str:
    """Inline code of a command line as a link to its command."""
    words = code[1].split()
    for length in (3, 2):
        if (anchor := "-".join(words[:length])) in commands():
            return f"[{code[0]}][{anchor}]"
    return code[0]


@cache
def commands() -> frozenset[str]:
    """The anchors of all commands on their page."""
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    return frozenset(name.replace(" ", "-") for name in re.findall(r"^## (creases .*)$", page, re.MULTILINE))


def uses(block: str) -> str:
    """A line with links to the functions that an example calls."""
    names = dict.fromkeys(f"{room}.{name}" for room, name in USED.findall(block))
    targets = {name: target for name in names if (target := target_of(name))}
    if not targets:
        return ""
    return "\n\nUses " + ", ".join(f"[`{name}`][{target}]" for name, target in targets.items()) + "."


@cache
def target_of(name: str) -> str | None:
    """The identifier of the API under which a name of the running text stands, or None."""
    known = identifiers()
    for short, whole in SHORT.items():
        if name.startswith(short) and (found := known.get(whole + name.removeprefix(short))):
            return found
    if "." not in name and name in importlib.import_module("creases").__all__:
        return known.get(f"creases.{name}")
    return known.get(name)


@cache
def identifiers() -> dict[str, str]:
    """Every way to write a name of the API, and the identifier under which its page has it."""
    found: dict[str, str] = {}
    for room in ROOMS:
        for module, name in names_of(room):
            found[f"{module}.{name}"] = f"{module}.{name}"
            thing = getattr(importlib.import_module(module), name)
            if inspect.isclass(thing):
                for member in vars(thing):
                    if not member.startswith("_") and documented(vars(thing)[member]):
                        found[f"{module}.{name}.{member}"] = f"{module}.{name}.{member}"
    creases = importlib.import_module("creases")
    for name in creases.__all__:
        whole = f"{creases._HOME.get(name)}.{name}"
        if f"creases.{name}" not in found and whole in found:
            members = [key for key in found if f"{key}.".startswith(f"{whole}.")]
            found.update({key.replace(whole, f"creases.{name}", 1): key for key in members})
    return found


def documented(value: Any) -> bool:
    """Whether a member of a class is one of those that its page shows."""
    return (
        inspect.isfunction(value)
        or isinstance(value, (property, classmethod, staticmethod))
        or hasattr(value, "attrname")
    )


@cache
def names_of(room: str) -> tuple[tuple[str, str], ...]:
    """The module and name of all that a page of the API shows: `__all__`, without modules."""
    found = []
    # `creases` has the names of all rooms: its own page shows those that stand on no other.
    modules = [module for page, (_, modules) in ROOMS.items() if page != "creases" for module in modules]
    others = [getattr(here, name) for here in map(importlib.import_module, modules) for name in here.__all__]
    shown_elsewhere = {id(thing) for thing in others}
    for module in ROOMS[room][1]:
        here = importlib.import_module(module)
        for name in here.__all__:
            thing = getattr(here, name)
            if inspect.ismodule(thing) or name == "__version__":
                continue
            if module == "creases" and id(thing) in shown_elsewhere:
                continue
            found.append((module, name))
    return tuple(found)


def first_sentence(module: str, name: str) -> str:
    """What a name is, in a line. Raises PluginError if it has no docstring."""
    thing = getattr(importlib.import_module(module), name)
    if not (inspect.isclass(thing) or inspect.isroutine(thing)):
        return "A type or a constant."
    text = inspect.cleandoc(thing.__doc__ or "")  # its own, not one of a class above it
    # A dataclass without a docstring is given its signature.
    if not text or text.startswith(f"{name}("):
        raise PluginError(f"{module}.{name} has no docstring.")
    if inspect.isclass(thing):
        for member, value in vars(thing).items():
            if not member.startswith("_") and documented(value) and not inspect.getdoc(value):
                raise PluginError(f"{module}.{name}.{member} has no docstring.")
    paragraph = " ".join(text.split("\n\n")[0].split())
    sentence = re.split(r"(?<!\.\.\.)(?<=[.])\s(?=[A-Z`])", paragraph)[0]
    return sentence.replace("|", "\\|")


def api_index() -> str:
    """The page with all public names."""
    lines = [
        "# API",
        "",
        "Every public name, by module. `import creases` is enough for all of them; what needs an extra says so.",
        "",
    ]
    for room, (title, _) in ROOMS.items():
        lines += [f"## {title}", "", "| | |", "| --- | --- |"]
        for module, name in names_of(room):
            lines.append(f"| [`{shown(module, name)}`][{module}.{name}] | {first_sentence(module, name)} |")
        lines.append("")
    return "\n".join(lines)


def shown(module: str, name: str) -> str:
    """A name as its users write it: `creases.Box`, `creases.build.relu`."""
    creases = importlib.import_module("creases")
    if name in creases.__all__ and getattr(creases, name) is getattr(importlib.import_module(module), name):
        return f"creases.{name}"
    return f"{module.replace('creases.network.builder', 'creases.build')}.{name}"


def api_page(room: str) -> str:
    """One page of the API."""
    title, modules = ROOMS[room]
    lines = [f"# {title}", ""]
    if modules[0] != "creases":
        lines += [paragraphs(inspect.getdoc(importlib.import_module(modules[0])) or ""), ""]
    for module, name in names_of(room):
        first_sentence(module, name)
        lines += [f"::: {module}.{name}", ""]
    return "\n".join(lines)


def paragraphs(text: str) -> str:
    """The first paragraph of a module's docstring, and its code; what follows is about the sources."""
    first, *others = text.split("\n\n")
    return "\n\n".join([first, *(other for other in others if other.startswith("    "))])


def as_page(notebook: Path) -> tuple[str, dict[str, bytes]]:
    """A notebook as markdown, with what its cells printed; and its pictures by name."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    parts: list[str] = []
    pictures: dict[str, bytes] = {}
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        for output in cell.get("outputs", ()):
            parts.append(shown_output(output, notebook.stem, pictures))
    return "\n\n".join(part for part in parts if part), pictures


def shown_output(output: dict[str, Any], stem: str, pictures: dict[str, bytes]) -> str:
    """One output of a cell: a picture, a table, or text."""
    if output["output_type"] == "error":
        raise PluginError(f"{stem}.ipynb holds an error: {output['ename']}.")
    data = output.get("data", {})
    if "image/png" in data:
        name = f"{stem}-{len(pictures) + 1}.png"
        pictures[name] = base64.b64decode("".join(data["image/png"]))
        return f'<div class="output" markdown="1">\n\n![What this cell draws]({name})\n\n</div>'
    if "text/html" in data:
        html = "".join(data["text/html"])
        html = re.sub(r"<pre.*?</pre>", lambda text: text[0].replace("\n\n", "\n&nbsp;\n"), html, flags=re.DOTALL)
        html = re.sub(r"\n\s*\n", "\n", html)  # a blank line would end the block of HTML
        return f'<div class="output">\n{html}\n</div>'
    text = "".join(data.get("text/plain", output.get("text", "")))
    return f'<div class="output" markdown="1">\n\n```text\n{text.rstrip()}\n```\n\n</div>' if text.strip() else ""
