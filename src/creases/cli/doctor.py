"""`creases doctor`: the content of a bug report."""

from __future__ import annotations

from typing import Annotated

import typer


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead.")] = False,
) -> None:
    """Print versions, machine, kernels and extras, to paste into a bug report.

    Nothing is compiled, and nothing is sent anywhere.

    \b
    [bold]Examples[/bold]
    creases doctor
    creases doctor --json
    """
    from creases.diagnosis import diagnosis

    sections = diagnosis()
    if as_json:
        import json

        typer.echo(json.dumps(sections, indent=2))
        return
    width = max(len(name) for section in sections.values() for name in section)
    for number, (title, section) in enumerate(sections.items()):
        typer.echo(f"{title}:" if number == 0 else f"\n{title}:")
        for name, value in section.items():
            typer.echo(f"  {name:<{width}}  {value}")
