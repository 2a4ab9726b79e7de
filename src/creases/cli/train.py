"""`creases train`: one experiment of one's own, trained and counted on the way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import pandas

    from creases.paper.choices import DomainChoice, TaskChoice
    from creases.paper.experiment import Experiment

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
    from creases.cli.show import writable
    from creases.cli.sweep_display import sweep_display
    from creases.compilation import compile_kernels, say_if_compiling
    from creases.errors import ComputationError
    from creases.paper.experiment import Experiment
    from creases.paper.measures import Regions
    from creases.paper.store import Store
    from creases.paper.sweep import crew_of, sweep
    from creases.plot.figure import check_name
    from creases.training import PAPER_EPOCHS, GaussianBiases, Initialisation, ZeroBiases

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
            f"{summary.done} runs done, {summary.there + summary.elsewhere} were in the store; experiment "
            f"{experiment.sha256[:12]} in {opened.place.text}, networks in {opened.networks}"
        )
    if summary.failed:
        raise ComputationError(
            f"{len(summary.failed):,} runs failed and are not in the store; the first: {summary.failed[0]}"
        )
    if csv is not None:
        save(table, csv)
        typer.echo(f"saved to {csv}")
    if picture is not None:
        draw(table, experiment, picture)
        typer.echo(f"drawn to {picture}")


def task_choice(
    name: str,
    data: Path | None,
    points: int,
    inputs: int,
    label_noise: float,
    noise_images: bool,
    components: int | None,
) -> TaskChoice:
    """The task that the options name."""
    from creases.paper.choices import Digits, IdxFiles, LabelNoise, Mnist, PixelNoise, Principal, RandomPoints

    kinds: dict[str, Callable[[], TaskChoice]] = {
        "mnist": Mnist,
        "digits": Digits,
        "points": lambda: RandomPoints(points, inputs),
    }
    if data is not None and name != "mnist":
        raise typer.BadParameter(f"give --data, which is a task of its own, or --task {name}")
    chosen = IdxFiles.of(data) if data is not None else one_of(kinds, name, "--task")()
    if components is not None:
        chosen = Principal(chosen, components)
    if noise_images:
        chosen = PixelNoise(chosen)
    return LabelNoise(chosen, label_noise) if label_noise > 0 else chosen


def weight_law(name: str, scale: float) -> Any:
    """The law of the weights that the options name."""
    from creases import training

    laws: dict[str, Callable[[], object]] = {
        "he": lambda: training.HeWeights(scale),
        "he-uniform": training.HeUniformWeights,
        "glorot": training.GlorotWeights,
        "lecun": training.LeCunWeights,
        "orthogonal": training.OrthogonalWeights,
    }
    law = one_of(laws, name, "--weights")
    if scale != 1.0 and name != "he":
        raise typer.BadParameter("--weight-scale is of --weights he only")
    return law()


def as_optimiser(name: str, rate: float | None, weight_decay: float) -> Any:
    """The optimiser that the options name."""
    from creases.training import SGD, Adam

    kinds: dict[str, Callable[..., object]] = {"adam": Adam, "sgd": SGD}
    rates = {} if rate is None else {"lr": rate}
    return one_of(kinds, name, "--optimiser")(weight_decay=weight_decay, **rates)


def domains(planes: int, example_planes: int, lines: int, space: bool) -> list[DomainChoice]:
    """Where to count."""
    from creases.paper.choices import ExamplePlanes, OriginLines, OriginPlanes, WholeSpace

    chosen: list[DomainChoice] = []
    chosen += [OriginPlanes(planes)] if planes else []
    chosen += [ExamplePlanes(example_planes)] if example_planes else []
    chosen += [OriginLines(lines)] if lines else []
    chosen += [WholeSpace()] if space else []
    return chosen or [OriginPlanes(5)]


def one_of(kinds: dict[str, Callable[..., Any]], name: str, option: str) -> Callable[..., Any]:
    """The one of this name."""
    if name not in kinds:
        raise typer.BadParameter(f"{option} must be one of {', '.join(kinds)}; got {name!r}")
    return kinds[name]


def as_hidden(text: str) -> tuple[int, ...]:
    """Widths such as 32,32,32."""
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"--hidden must be whole numbers with commas, like 32,32; got {text!r}") from None


def kinds_of(table: pandas.DataFrame) -> pandas.Series:
    """The kind of each row's domain: its name without a number at the end."""
    return table["domain"].str.replace(r" \d+$", "", regex=True)


def plural(kind: str) -> str:
    """The kind of many domains, for a heading; a whole space is one."""
    return kind if kind.startswith("R^") else f"{kind}s"


def show(table: pandas.DataFrame, experiment: Experiment) -> None:
    """A row a moment: accuracies, and the mean count of each kind of domain."""
    from creases.cli.show import out
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
    typer.echo(f"{len(counts):,} counts of {runs} runs, {'all certified' if proved else 'NOT all certified'}")
    for broken in table[table["measure"] == DIVERGED].itertuples():
        others = ", and the means are of the others" if runs > 1 else ""
        typer.echo(
            f"seed {broken.seed} diverged at epoch {broken.epoch:.3g}: its loss or a weight was no longer finite. "
            f"Its counts end there{others}"
        )


def save(table: pandas.DataFrame, path: Path) -> None:
    """The table as CSV, whole or not at all."""
    from creases.training.files import replace_file

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
