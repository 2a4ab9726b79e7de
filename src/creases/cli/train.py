"""`creases train`: one experiment of one's own, trained and counted on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

# What the store and the runs take.
TRAIN_MODULES = ("torch", "sqlalchemy", "pandas", "safetensors", "psutil")

__all__ = ["train"]

TASK, NETWORK, TRAINING, COUNTING = "Task", "Network", "Training", "Where to count (any of; five planes if none)"


def train(
    task: Annotated[
        str, typer.Option("--task", help="mnist (5,000 real images), digits, or points.", rich_help_panel=TASK)
    ] = "mnist",
    data: Annotated[
        Path | None,
        typer.Option(
            "--data",
            metavar="DIR",
            help="The four idx files of MNIST or Fashion-MNIST, plain or .gz, instead.",
            show_default=False,
            rich_help_panel=TASK,
        ),
    ] = None,
    points: Annotated[
        int, typer.Option("--points", min=1, help="With --task points: how many.", rich_help_panel=TASK)
    ] = 100,
    inputs: Annotated[
        int, typer.Option("--inputs", min=1, help="With --task points: of how many inputs.", rich_help_panel=TASK)
    ] = 2,
    label_noise: Annotated[
        float,
        typer.Option("--label-noise", min=0.0, max=1.0, help="Part of labels made random.", rich_help_panel=TASK),
    ] = 0.0,
    noise_images: Annotated[
        bool, typer.Option("--noise-images", help="Put noise in the place of the inputs.", rich_help_panel=TASK)
    ] = False,
    components: Annotated[
        int | None,
        typer.Option(
            "--components",
            min=1,
            metavar="N",
            help="See the inputs through N principal components.",
            show_default=False,
            rich_help_panel=TASK,
        ),
    ] = None,
    hidden: Annotated[
        str, typer.Option("--hidden", metavar="WIDTHS", help="Neurons of each layer.", rich_help_panel=NETWORK)
    ] = "32,32,32",
    weights: Annotated[
        str,
        typer.Option("--weights", help="he, he-uniform, glorot, lecun or orthogonal.", rich_help_panel=NETWORK),
    ] = "he",
    weight_scale: Annotated[
        float, typer.Option("--weight-scale", min=0.0, help="He's weights times this.", rich_help_panel=NETWORK)
    ] = 1.0,
    bias_std: Annotated[
        float,
        typer.Option("--bias-std", min=0.0, help="Standard deviation of the biases.", rich_help_panel=NETWORK),
    ] = 1e-3,
    zero_bias: Annotated[
        bool, typer.Option("--zero-bias", help="Biases zero, and not trained.", rich_help_panel=NETWORK)
    ] = False,
    batch_norm: Annotated[
        bool, typer.Option("--batch-norm", help="A BatchNorm before each ReLU.", rich_help_panel=NETWORK)
    ] = False,
    epochs: Annotated[
        int, typer.Option("--epochs", min=0, help="How long; counted at the papers' epochs.", rich_help_panel=TRAINING)
    ] = 20,
    optimiser: Annotated[str, typer.Option("--optimiser", help="adam or sgd.", rich_help_panel=TRAINING)] = "adam",
    rate: Annotated[
        float | None,
        typer.Option(
            "--learning-rate",
            help="1e-3 for adam and 0.1 for sgd, if not given.",
            show_default=False,
            rich_help_panel=TRAINING,
        ),
    ] = None,
    weight_decay: Annotated[
        float, typer.Option("--weight-decay", min=0.0, help="Of the optimiser.", rich_help_panel=TRAINING)
    ] = 0.0,
    batch_size: Annotated[
        int, typer.Option("--batch-size", min=1, help="Examples a step.", rich_help_panel=TRAINING)
    ] = 128,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="Runs, seeds 0 ...", rich_help_panel=TRAINING)] = 1,
    planes: Annotated[
        int,
        typer.Option(
            "--planes", min=0, metavar="N", help="Planes through 0 and two examples.", rich_help_panel=COUNTING
        ),
    ] = 0,
    example_planes: Annotated[
        int,
        typer.Option(
            "--example-planes", min=0, metavar="N", help="Planes through three examples.", rich_help_panel=COUNTING
        ),
    ] = 0,
    lines: Annotated[
        int,
        typer.Option("--lines", min=0, metavar="N", help="Lines through 0 and an example.", rich_help_panel=COUNTING),
    ] = 0,
    space: Annotated[
        bool, typer.Option("--space", help="The whole input space, of few inputs.", rich_help_panel=COUNTING)
    ] = False,
    store: Annotated[
        str, typer.Option("--store", metavar="PLACE", help="Where the runs are kept: a SQLite file or a database URL.")
    ] = "creases-train.db",
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write the table too.", show_default=False)
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option("--picture", metavar="FILE", help="Draw it: .png, .svg or .pdf.", show_default=False),
    ] = None,
) -> None:
    """Train a network and count its regions as it learns; the runs are kept and not done again.

    Every number goes into the store before it is shown; the same command shows it again, and more --seeds do only what
    is missing. Networks are kept at the start and at the end, beside the store.

    \b
    [bold]Examples[/bold]
    creases train --hidden 64,64 --epochs 10 --seeds 3
    creases train --label-noise 1 --epochs 60 --csv noise.csv --picture noise.png
    creases train --task points --points 200 --space --epochs 500
    """
    from creases.cli.show import several, writable
    from creases.cli.sweep_display import sweep_display
    from creases.cli.train_choices import as_hidden, as_optimiser, domains, task_choice, weight_law
    from creases.cli.train_show import draw, save, show
    from creases.compilation import compile_kernels, say_if_compiling
    from creases.errors import ComputationError, need_modules
    from creases.paper.experiment import Experiment
    from creases.paper.measures import Regions
    from creases.paper.store import Store
    from creases.paper.sweep import crew_of, sweep
    from creases.plot.figure import check_name
    from creases.training import PAPER_EPOCHS, GaussianBiases, Initialisation, ZeroBiases

    # Said before a store is made and anything is trained.
    need_modules("paper", "Training", *TRAIN_MODULES, *(("matplotlib",) if picture is not None else ()))
    if csv is not None:
        writable(csv)
    if picture is not None:
        writable(check_name(picture))
    where = domains(planes, example_planes, lines, space)
    moments = tuple(sorted({*(at for at in PAPER_EPOCHS if at < epochs), float(epochs)}))
    experiment = Experiment(
        task_choice(task, data, points, inputs, label_noise, noise_images, components),
        as_hidden(hidden),
        tuple(Regions(one) for one in where),
        moments,
        Initialisation(
            weight_law(weights, weight_scale),
            ZeroBiases() if zero_bias else GaussianBiases(bias_std),
            trained_biases=not zero_bias,
            batch_norm=batch_norm,
        ),
        as_optimiser(optimiser, rate, weight_decay),
        batch_size,
        kept=tuple(dict.fromkeys((0.0, float(epochs)))),
        seeds=tuple(range(seeds)),
    )
    with Store(store) as opened:
        say_if_compiling(None)
        compile_kernels()
        with crew_of(threads=1) as crew, sweep_display() as display:
            summary = sweep([experiment], opened, crew, display)
        table = opened.table([experiment.sha256])
        table = table[table["seed"].isin(experiment.seeds)]  # another command may have asked for more
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
    if csv is not None:
        save(table, csv)
        typer.echo(f"saved to {csv}")
    if picture is not None:
        draw(table, experiment, picture)
        typer.echo(f"drawn to {picture}")
