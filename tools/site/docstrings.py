"""The house's docstrings as the site shows them: a line `name : text` becomes an item of a list.

In the sources, arguments and fields are described one a line, `weights, biases : one array a layer`, with what follows
indented by four. Markdown would run such lines together. Sections of numpydoc (Examples) are left as they are.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

ENTRY = re.compile(r"^(\*{0,2}[A-Za-z_][\w.]*(?:, \*{0,2}[A-Za-z_][\w.]*)*) : (\S.*)$")
# Several descriptions in one line, or one behind a sentence.
NEXT = re.compile(r"\. (?=[a-z_]\w*(?:, [a-z_]\w*)* : )")
# These begin a paragraph of their own.
OPENERS = ("Raises ", "Returns ", "Making one ")


def as_markdown(text: str) -> str:
    """The docstring with its descriptions of arguments as lists.

    >>> print(as_markdown("Cuts.\\n\\nlower, upper : the bounds,\\n    finite.\\nRaises DomainError."))
    Cuts.
    <BLANKLINE>
    - **`lower, upper`**: the bounds, finite.
    <BLANKLINE>
    Raises DomainError.
    """
    head, *rest = re.split(r"(?m)^(?=\S.*\n-{3,}$)", text, maxsplit=1)
    lines = [*NEXT.sub(".\n", head).splitlines(), *(rest[0].splitlines() if rest else [])]
    out: list[str] = []
    in_list = False
    for i, line in enumerate(lines):
        if i + 1 < len(lines) and line and re.fullmatch(r"-{3,}", lines[i + 1]):
            return "\n".join([*out, *([""] if out and out[-1] else []), *lines[i:]])
        entry = ENTRY.match(line)
        # A description goes on where it is indented, and where its sentence is not at its end.
        goes_on = in_list and (line.startswith("    ") or (line and out[-1][-1] not in ".:"))
        if entry:
            if out and out[-1] and not in_list:
                out.append("")
            out.append(f"- **`{entry[1]}`**: {entry[2]}")
            in_list = True
        elif goes_on:
            out[-1] += f" {line.strip()}"
        else:
            if line and out and out[-1] and (in_list or line.startswith(OPENERS)):
                out.append("")
            in_list = False
            out.append(line)
    return "\n".join(out)


class HouseDocstrings(griffe.Extension):
    """Rewrites every docstring before it is parsed."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of one object."""
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)
