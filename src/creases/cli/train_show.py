"""What `creases train` shows of its runs: a table, a CSV file, a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import pandas

    from creases.paper.experiment import Experiment

__all__ = ["draw", "save", "show"]


def kinds_of(table: pandas.DataFrame) -> pandas.Series:
    """The kind of each row's domain: its name without a number at the end."""
    return table["domain"].str.replace(r" \d+$", "", regex=True)


def plural(kind: str) -> str:
    """The kind of many domains, for a heading; a whole space is one."""
    return kind if kind.startswith("R^") else f"{kind}s"


def show(table: pandas.DataFrame, experiment: Experiment) -> None:
    """A row a moment: accuracies, and the mean count of each kind of domain."""
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
    """The table as CSV, whole or not at all."""
    from creases.files import replace_file

    replace_file(path, lambda partial: table.to_csv(partial, index=False))


def draw(table: pandas.DataFrame, experiment: Experiment, path: Path) -> None:
    """Counts against epochs, a band over runs for each kind of domain."""
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
