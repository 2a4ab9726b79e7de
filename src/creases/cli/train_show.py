"""The output of `creases train`: a table, a CSV file, a picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import pandas

    from creases.paper.experiment import Experiment

__all__ = ["TrainingOutputOptions", "show"]

# The extras that the store and the runs need.
TRAIN_MODULES = ("torch", "sqlalchemy", "pandas", "safetensors", "psutil")


@dataclass(frozen=True)
class TrainingOutputOptions:
    """The options for the store and the output."""

    store: Annotated[
        str,
        typer.Option("--store", metavar="PLACE", help="Where the runs are stored: a SQLite file or a database URL."),
    ] = "creases-train.db"
    csv: Annotated[
        Path | None,
        typer.Option("--csv", metavar="FILE", help="Also write the table to this CSV file.", show_default=False),
    ] = None
    picture: Annotated[
        Path | None,
        typer.Option("--picture", metavar="FILE", help="Draw the counts: .png, .svg or .pdf.", show_default=False),
    ] = None

    def check(self) -> None:
        """Raise an error, before a store is created and anything is trained, if a package is missing or a file cannot
        be written."""
        from creases.cli.show import writable
        from creases.errors import need_modules
        from creases.plot.figure import check_name

        need_modules("paper", "Training", *TRAIN_MODULES, *(("matplotlib",) if self.picture is not None else ()))
        if self.csv is not None:
            writable(self.csv)
        if self.picture is not None:
            writable(check_name(self.picture))

    def write(self, table: pandas.DataFrame, experiment: Experiment) -> None:
        """Write the CSV file and the picture, if they were asked for."""
        if self.csv is not None:
            save(table, self.csv)
            typer.echo(f"saved to {self.csv}")
        if self.picture is not None:
            draw(table, experiment, self.picture)
            typer.echo(f"saved to {self.picture}")


def kinds_of(table: pandas.DataFrame) -> pandas.Series:
    """The kind of each row's domain: its name without a number at the end."""
    return table["domain"].str.replace(r" \d+$", "", regex=True)


def plural(kind: str) -> str:
    """The name of several domains of a kind, for a heading; there is only one whole space."""
    return kind if kind.startswith("R^") else f"{kind}s"


def show(table: pandas.DataFrame, experiment: Experiment) -> None:
    """Print a row per moment: accuracies, and the mean count for each kind of domain."""
    from creases.cli.show import out, several
    from creases.cli.show import table as columns
    from creases.paper.runs import DIVERGED

    counts = table[table["measure"] == "regions"]
    kinds = kinds_of(counts)
    names = list(dict.fromkeys(kinds))
    rows = []
    for epoch, some in counts.groupby("epoch"):
        accuracies = [
            "" if some[name].isna().all() else f"{some[name].mean():.1%}"
            for name in ("train_accuracy", "test_accuracy")
        ]
        means = [some.loc[kinds[some.index] == name, "value"].mean() for name in names]
        rows.append([f"{epoch:.3g}", *accuracies, *(f"{mean:,.1f}" for mean in means)])
    out().print(columns(["epoch", "train", "test", *map(plural, names)], rows))
    runs, proved = table["seed"].nunique(), bool(counts["certified"].astype(bool).all())
    proof = "all certified" if proved else "NOT all certified"
    typer.echo(f"{several(len(counts), 'count')} of {several(runs, 'run')}, {proof}")
    for broken in table[table["measure"] == DIVERGED].itertuples():
        others = ", and the means are of the others" if runs > 1 else ""
        typer.echo(
            f"seed {broken.seed} diverged at epoch {broken.epoch:.3g}: its loss or a weight was no longer finite. "
            f"Its counts end there{others}"
        )


def save(table: pandas.DataFrame, path: Path) -> None:
    """Write the table as CSV, completely or not at all."""
    from creases.files import replace_file

    replace_file(path, lambda partial: table.to_csv(partial, index=False))


def draw(table: pandas.DataFrame, experiment: Experiment, path: Path) -> None:
    """Draw counts against epochs, with a band over runs for each kind of domain."""
    from creases.plot import new_figure, plot_band, save_figure
    from creases.plot.figure import COLOURS, tidy

    counts = table[table["measure"] == "regions"]
    kinds = kinds_of(counts)
    figure = new_figure(7.0, 4.2)
    ax = figure.add_subplot()
    for i, name in enumerate(dict.fromkeys(kinds)):
        means = counts[kinds == name].groupby(["seed", "epoch"])["value"].mean().reset_index()
        plot_band(ax, means["epoch"], means["value"], label=plural(name), colour=COLOURS[i % len(COLOURS)])
    ax.set(xlabel="epoch", ylabel="regions", ylim=(0, None), title=f"hidden layers {list(experiment.widths)}")
    ax.legend(frameon=False)
    tidy(ax)
    save_figure(figure, path)
