"""Write docs/cli.md from the commands' own help; with --check, only say whether it is current.

The page is made from what the parser knows (names, forms, help texts), not from a printed screen, so it is
the same for every terminal and version of typer.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import typer.main

from creases.cli.app import app

PAGE = Path(__file__).parent.parent / "docs" / "cli.md"
HEAD = """# The command line

<!-- Written by tools/make_cli_docs.py from the commands' own help: edit that, then run `make docs`. -->

Results go to stdout, progress to stderr. Bad input is one sentence with its remedy and exit code 2; Ctrl-C
ends with "stopped" and exit code 130. `creases --version` prints the version.
"""


def page() -> str:
    """The whole page."""
    group: Any = typer.main.get_command(app)
    sections = [HEAD]
    for name, command in group.commands.items():
        # A group's own page would only say that it has commands.
        within = getattr(command, "commands", None)
        sections += (
            [section(name, command)] if within is None else [section(f"{name} {n}", c) for n, c in within.items()]
        )
    return "\n".join(sections)


def section(name: str, command: Any) -> str:
    """One command: what it does, its examples, its arguments and options."""
    usage = " ".join(["creases", name, *(parameter_form(p) for p in command.params if is_positional(p))])
    lines = [f"## creases {name}", "", "```", f"{usage} [OPTIONS]", "```", "", *text(command.help), ""]
    rows = [row(p) for p in command.params if p.name != "help"]
    if rows:
        lines += ["| | |", "| --- | --- |", *rows, ""]
    return "\n".join(lines)


def text(help_text: str) -> list[str]:
    """The help as markdown: paragraphs, and the parts that keep their line breaks as code."""
    lines: list[str] = []
    for paragraph in help_text.split("\n\n"):
        if not paragraph.strip().startswith("\b"):
            lines += [paragraph.strip(), ""]
            continue
        title, *code = paragraph.replace("\b", "").strip().splitlines()
        fence = "```console" if any(line.startswith("creases ") for line in code) else "```"
        lines += [title.replace("[bold]", "**").replace("[/bold]", "**"), "", fence]
        lines += [f"$ {line}" if line.startswith("creases ") else line for line in code]
        lines += ["```", ""]
    return lines[:-1]


def is_positional(parameter: Any) -> bool:
    """Whether the parameter is an argument and not an option."""
    return bool(parameter.param_type_name == "argument")


def parameter_form(parameter: Any) -> str:
    """What to type for one parameter."""
    metavar = parameter.metavar or ""
    if is_positional(parameter):
        return metavar or str(parameter.name).upper()
    return f"{', '.join([*parameter.opts, *parameter.secondary_opts])} {metavar}".strip()


def row(parameter: Any) -> str:
    """One line of the table of arguments and options."""
    required = " Required." if parameter.required and not is_positional(parameter) else ""
    return f"| `{parameter_form(parameter)}` | {parameter.help.replace('|', chr(92) + '|')}{required} |"


def main() -> int:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail if the page is not current")
    wanted = page()
    if parser.parse_args().check:
        current = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
        if current != wanted:
            print(f"{PAGE.name} is not current; run `make docs`.", file=sys.stderr)
            return 1
        return 0
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
