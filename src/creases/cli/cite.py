"""`creases cite`: the papers behind a result."""

from __future__ import annotations

from typing import Annotated

import typer


def cite(
    bibtex: Annotated[bool, typer.Option("--bibtex", help="Print BibTeX entries instead of text.")] = False,
) -> None:
    """Print the papers behind a result, and how to cite Creases itself.

    \b
    [bold]Examples[/bold]
    creases cite
    creases cite --bibtex > creases.bib
    """
    from creases.cli.references import REFERENCES

    if bibtex:
        typer.echo("\n\n".join(reference.bibtex() for reference in REFERENCES))
        return
    for reference in REFERENCES:
        typer.echo(f"For {reference.behind}:\n  {reference.text()}\n")
    typer.echo("As BibTeX: creases cite --bibtex")
