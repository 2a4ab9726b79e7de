"""`creases train`: an experiment of your own, trained and counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from creases.cli.train_options import NetworkOptions, PlaceOptions, TaskOptions, TrainingOptions
from creases.cli.train_show import TrainingOutputOptions

if TYPE_CHECKING:
    from creases.paper.experiment import Experiment

__all__ = ["train"]


def train(
    task: TaskOptions,
    network: NetworkOptions,
    training: TrainingOptions,
    places: PlaceOptions,
    output: TrainingOutputOptions,
) -> None:
    """Train a network and count its regions as it learns; runs are stored and not repeated.

    Every result is stored before it is shown; the same command shows it again, and with more --seeds only the missing
    runs are computed. The initial and final networks are saved beside the store.

    \b
    [bold]Examples[/bold]
    creases train --hidden 64,64 --epochs 10 --seeds 3
    creases train --label-noise 1 --epochs 60 --csv noise.csv --picture noise.png
    creases train --task points --points 200 --space --epochs 500
    """
    from creases.cli.show import several
    from creases.cli.sweep_display import sweep_display
    from creases.cli.train_show import show
    from creases.compilation import compile_kernels, say_if_compiling
    from creases.errors import ComputationError
    from creases.paper.store import Store
    from creases.paper.sweep import crew_of, sweep

    output.check()
    experiment = as_experiment(task, network, training, places)
    with Store(output.store) as opened:
        say_if_compiling(None)
        compile_kernels()
        with crew_of(threads=1) as crew, sweep_display() as display:
            summary = sweep([experiment], opened, crew, display)
        table = opened.table([experiment.sha256])
        table = table[table["seed"].isin(experiment.seeds)]  # another command may have run more seeds
        if table.empty:
            raise ComputationError(f"No run could be done; the first: {summary.failed[0]}")
        show(table, experiment)
        typer.echo(
            f"{several(summary.done, 'run')} done, {summary.there + summary.elsewhere:,} in the store before; "
            f"experiment {experiment.sha256[:12]} in {opened.place.text}, networks in {opened.networks}"
        )
    if summary.failed:
        raise ComputationError(
            f"{several(len(summary.failed), 'run')} failed and not in the store; the first: {summary.failed[0]}"
        )
    output.write(table, experiment)


def as_experiment(
    task: TaskOptions, network: NetworkOptions, training: TrainingOptions, places: PlaceOptions
) -> Experiment:
    """The experiment that the options describe."""
    from creases.paper.experiment import Experiment
    from creases.paper.measures import Regions

    return Experiment(
        task.as_task(),
        network.as_hidden(),
        tuple(Regions(domain) for domain in places.as_domains()),
        training.as_moments(),
        network.as_initialisation(),
        training.as_optimiser(),
        training.batch_size,
        kept=training.as_kept(),
        seeds=tuple(range(training.seeds)),
    )
