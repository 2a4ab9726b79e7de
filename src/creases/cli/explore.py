"""`creases explore`: a page on which a network's regions are looked at like a map."""

from __future__ import annotations

import re
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from creases.cli.options import FlatDomainOptions, Model, Threads, WeightOptions

if TYPE_CHECKING:
    from creases.explore.session import Entry

STEP = re.compile(r"(?P<before>.*?)(?P<step>\d+)\.npz")


def explore(
    model: Model,
    domain: FlatDomainOptions,
    weights: WeightOptions,
    points: Annotated[
        str | None,
        typer.Argument(metavar="[POINTS]", help="Data: a .npy or .csv file, one input a row.", show_default=False),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option("--labels", metavar="LABELS", help="The class of each point: words, or a .npy or .csv file."),
    ] = None,
    checkpoints: Annotated[
        Path | None,
        typer.Option(
            "--checkpoints", metavar="FOLDER", help="Networks of a training, as 'creases train' keeps them: a film."
        ),
    ] = None,
    beside: Annotated[
        Path | None,
        typer.Option("--beside", metavar="MODEL", help="A second network of the same inputs, to be shown beside it."),
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes one that is free.")] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")] = True,
    threads: Threads = None,
) -> None:
    """Look into a network with the mouse: a page on this machine, on which its regions move like a map.

    \b
    [bold]Examples[/bold]
    creases explore net.onnx
    creases explore net.onnx digits.npy --labels classes.npy
    creases explore net.pt --activation relu --plane a.npy b.npy c.npy
    creases explore trained.npz points.npy --checkpoints run/
    creases explore before.npz --beside after.npz

    Each view is counted and cut anew, exactly, however far one zooms in. The page is served to this machine alone, at
    an address with a random token; Ctrl-C ends it. Points and domains are given as in 'creases count'.
    """
    from creases.cli.points import read_labels, read_points
    from creases.errors import need_modules
    from creases.explore.planes import plane_of_domain
    from creases.explore.server import serve
    from creases.explore.session import Entry, Session

    need_modules("explore", "The explorer's page", "starlette", "uvicorn", "matplotlib")
    network = weights.load(model)
    data = None if points is None else read_points(points, network.n_in, "POINTS")
    if labels is not None and data is None:
        from creases.errors import DomainError

        raise DomainError("--labels says of which class each of the POINTS is; give these too.")
    classes = None if labels is None or data is None else read_labels(labels, len(data), "--labels")
    given = any(value not in (None, False) for value in vars(domain).values())
    chosen = plane_of_domain(network, domain.as_domain(network)) if given else None
    entries = [Entry(model.name, lambda: network, code=code_of(model, weights))]
    if beside is not None:
        entries.append(Entry(beside.name, lambda: weights.load(beside), code=code_of(beside, weights)))
    if checkpoints is not None:
        entries += steps_in(checkpoints)
    code = "..." if points is None else f"np.load({points!r})"
    if points is not None and points.lower().endswith(".csv"):
        code = f"np.loadtxt({points!r}, delimiter=',')"
    session = Session(entries, data, classes, chosen, points_code=code, threads=threads)

    def ready(address: str) -> None:
        typer.echo(f"{model.name}: look at it at {address}")
        typer.echo("The page is for this machine alone. Ctrl-C ends it.")
        if browser:
            import webbrowser

            webbrowser.open(address)

    serve(session, port, ready)


def code_of(model: Path, weights: WeightOptions) -> str:
    """The Python that opens a model as these options do."""
    names = {"output_name": "output", "fix_input": "inputs"}
    options = []
    for field in fields(weights):
        value = getattr(weights, field.name)
        if value in (None, False, []):
            continue
        said = repr(value)
        if field.name in ("activation", "order") and "," in value:
            said = repr([name.strip() for name in value.split(",")])
        elif field.name == "order":
            said = repr([value])
        elif field.name == "fix_input":
            parts = (text.rpartition("=") for text in value)
            said = "{" + ", ".join(f"{name!r}: np.load({file!r})" for name, _, file in parts) + "}"
        options.append(f", {names.get(field.name, field.name)}={said}")
    return f"creases.load({str(model)!r}{''.join(options)})"


def steps_in(folder: Path) -> list[Entry]:
    """The networks of a training, in the order of their steps. Raises ModelFileError if there are none."""
    from creases.errors import ModelFileError
    from creases.explore.session import Entry
    from creases.readers import load

    if not folder.is_dir():
        raise ModelFileError(f"--checkpoints: there is no folder {folder}. Check the name.")
    found = [(int(match["step"]), path) for path in folder.iterdir() if (match := STEP.fullmatch(path.name))]
    if not found:
        raise ModelFileError(
            f"--checkpoints: {folder} holds no step_000123.npz or the like, as 'creases train' keeps them."
        )
    return [
        Entry(f"step {step:,}", partial(load, path), step=step, code=f"creases.load({str(path)!r})")
        for step, path in sorted(found)
    ]
