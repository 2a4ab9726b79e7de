"""`creases explore`: a page that shows a network's regions like a map."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from creases.cli.options import FlatDomainOptions, Model, Threads, WeightOptions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from creases.explore.session import Entry, Session
    from creases.network import Network

STEP = re.compile(r"(?P<before>.*?)(?P<step>\d+)\.npz")


@dataclass(frozen=True)
class DataOptions:
    """The options for data points and their classes."""

    points: Annotated[
        str | None,
        typer.Argument(
            metavar="[POINTS]", help="Data points: a .npy or .csv file with one input per row.", show_default=False
        ),
    ] = None
    labels: Annotated[
        str | None,
        typer.Option("--labels", metavar="LABELS", help="The class of each point: words, or a .npy or .csv file."),
    ] = None

    def read(self, n_in: int) -> tuple[NDArray[np.float64] | None, list[str] | NDArray[np.generic] | None]:
        """The points, float64 (points, n_in), and the class of each; None if they were not given.

        Raises DomainError if the files do not fit the network, or classes are given without points.
        """
        from creases.cli.points import read_labels, read_points
        from creases.errors import DomainError

        if self.points is None:
            if self.labels is not None:
                raise DomainError("--labels says of which class each of the POINTS is; give these too.")
            return None, None
        data = read_points(self.points, n_in, "POINTS")
        return data, None if self.labels is None else read_labels(self.labels, len(data), "--labels")

    @property
    def code(self) -> str:
        """The Python code that reads the points."""
        if self.points is None:
            return "..."
        if self.points.lower().endswith(".csv"):
            return f"np.loadtxt({self.points!r}, delimiter=',')"
        return f"np.load({self.points!r})"


@dataclass(frozen=True)
class PageOptions:
    """The options for further networks on the page, and its address."""

    checkpoints: Annotated[
        Path | None,
        typer.Option(
            "--checkpoints",
            metavar="FOLDER",
            help="A folder with the networks of a training, as 'creases train' saves them, shown as a film.",
        ),
    ] = None
    beside: Annotated[
        Path | None,
        typer.Option(
            "--beside", metavar="MODEL", help="A second network with the same inputs, shown beside the first."
        ),
    ] = None
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="The port of the page's address; 0 chooses a free one.")
    ] = 0
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser, or only print its address.")
    ] = True

    def entries(self, model: Path, network: Network, weights: WeightOptions) -> list[Entry]:
        """The networks that the page can show: the model, the one beside it, and the steps of the training."""
        from creases.explore.session import Entry

        entries = [Entry(model.name, lambda: network, code=code_of(model, weights))]
        if self.beside is not None:
            entries.append(
                Entry(self.beside.name, partial(weights.load, self.beside), code=code_of(self.beside, weights))
            )
        return entries if self.checkpoints is None else entries + steps_in(self.checkpoints)

    def serve(self, session: Session, name: str) -> None:
        """Serve the page of a model until Ctrl-C."""
        from creases.explore.server import serve

        def ready(address: str) -> None:
            typer.echo(f"{name}: look at it at {address}")
            typer.echo("The page is for this machine alone. Ctrl-C ends it.")
            if self.browser:
                import webbrowser

                webbrowser.open(address)

        serve(session, self.port, ready)


def explore(
    model: Model,
    domain: FlatDomainOptions,
    weights: WeightOptions,
    points: DataOptions,
    page: PageOptions,
    threads: Threads = None,
) -> None:
    """Explore the regions of a network with the mouse, on a page in the browser that works like a map.

    \b
    [bold]Examples[/bold]
    creases explore net.onnx
    creases explore net.onnx digits.npy --labels classes.npy
    creases explore net.pt --activation relu --plane a.npy b.npy c.npy
    creases explore trained.npz points.npy --checkpoints run/
    creases explore before.npz --beside after.npz

    Each view is computed and counted exactly, however far you zoom in. The page is served to this machine only, at an
    address with a random token; Ctrl-C ends it. Points and domains are given as in 'creases count'.
    """
    from creases.errors import need_modules
    from creases.explore.planes import plane_of_domain
    from creases.explore.session import Session

    need_modules("explore", "The explorer's page", "starlette", "uvicorn", "matplotlib")
    network = weights.load(model)
    data, classes = points.read(network.n_in)
    given = any(value not in (None, False) for value in vars(domain).values())
    chosen = plane_of_domain(network, domain.as_domain(network)) if given else None
    entries = page.entries(model, network, weights)
    page.serve(Session(entries, data, classes, chosen, points_code=points.code, threads=threads), model.name)


def code_of(model: Path, weights: WeightOptions) -> str:
    """The Python code that opens a model with these options."""
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
