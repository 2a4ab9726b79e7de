"""Small HTML tables, which Jupyter and marimo show for the value of a cell.

All text is escaped in this module: names and notes come from files, and must not be interpreted as markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["panel", "table", "text"]

STYLE = "border-collapse:collapse;font-size:90%;text-align:left"
CELL = "text-align:left;padding:2px 10px 2px 0;vertical-align:top"


def text(value: object) -> str:
    """A value as escaped HTML text."""
    return escape(str(value), quote=True)


def table(rows: Iterable[Sequence[object]], head: Sequence[object] = ()) -> str:
    """A table; of a table without a head the first column has the names.

    >>> table([("notes", "a < b")]).endswith(">a &lt; b</td></tr></tbody></table>")
    True
    """
    names = "".join(f'<th style="{CELL}">{text(name)}</th>' for name in head)
    lines = []
    for row in rows:
        cells = [f'<td style="{CELL}">{text(value)}</td>' for value in row]
        if not head:
            cells[0] = f'<th style="{CELL};font-weight:normal;opacity:0.7">{text(row[0])}</th>'
        lines.append(f"<tr>{''.join(cells)}</tr>")
    top = f"<thead><tr>{names}</tr></thead>" if head else ""
    return f'<table style="{STYLE}">{top}<tbody>{"".join(lines)}</tbody></table>'


def panel(title: object, *parts: str) -> str:
    """A title above parts that are already HTML."""
    return f'<div class="creases"><strong>{text(title)}</strong>{"".join(parts)}</div>'
