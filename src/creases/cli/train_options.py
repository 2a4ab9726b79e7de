"""The options of `creases train`: the task, the network, its training, and the domains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from creases.paper.choices import DomainChoice, TaskChoice
    from creases.training import Initialisation

__all__ = ["NetworkOptions", "PlaceOptions", "TaskOptions", "TrainingOptions"]

# A panel of its own on the help page.
task_option = partial(typer.Option, rich_help_panel="Task")
network_option = partial(typer.Option, rich_help_panel="Network")
training_option = partial(typer.Option, rich_help_panel="Training")
place_option = partial(typer.Option, rich_help_panel="Where to count (any of; five planes if none)")


@dataclass(frozen=True)
class TaskOptions:
    """The options for the task."""

    task: Annotated[str, task_option("--task", help="mnist (5,000 real images), digits, or points.")] = "mnist"
    data: Annotated[
        Path | None,
        task_option(
            "--data",
            metavar="DIR",
            help="Use the four idx files of MNIST or Fashion-MNIST in this folder, plain or .gz.",
            show_default=False,
        ),
    ] = None
    points: Annotated[int, task_option("--points", min=1, help="With --task points: the number of points.")] = 100
    inputs: Annotated[int, task_option("--inputs", min=1, help="With --task points: the number of inputs.")] = 2
    label_noise: Annotated[
        float,
        task_option("--label-noise", min=0.0, max=1.0, help="Fraction of the labels that are replaced by random ones."),
    ] = 0.0
    noise_images: Annotated[bool, task_option("--noise-images", help="Replace the inputs by noise.")] = False
    components: Annotated[
        int | None,
        task_option(
            "--components",
            min=1,
            metavar="N",
            help="Use N principal components of the inputs.",
            show_default=False,
        ),
    ] = None

    def as_task(self) -> TaskChoice:
        """The task that the options name."""
        from creases.paper.choices import Digits, IdxFiles, LabelNoise, Mnist, PixelNoise, Principal, RandomPoints

        kinds: dict[str, Callable[[], TaskChoice]] = {
            "mnist": Mnist,
            "digits": Digits,
            "points": lambda: RandomPoints(self.points, self.inputs),
        }
        if self.data is not None and self.task != "mnist":
            raise typer.BadParameter(f"give --data, which is a task of its own, or --task {self.task}")
        chosen = IdxFiles.of(self.data) if self.data is not None else one_of(kinds, self.task, "--task")()
        if self.components is not None:
            chosen = Principal(chosen, self.components)
        if self.noise_images:
            chosen = PixelNoise(chosen)
        return LabelNoise(chosen, self.label_noise) if self.label_noise > 0 else chosen


@dataclass(frozen=True)
class NetworkOptions:
    """The options for the initial network."""

    hidden: Annotated[str, network_option("--hidden", metavar="WIDTHS", help="Neurons of each layer.")] = "32,32,32"
    weights: Annotated[str, network_option("--weights", help="he, he-uniform, glorot, lecun or orthogonal.")] = "he"
    weight_scale: Annotated[float, network_option("--weight-scale", min=0.0, help="A factor on the weights of he.")] = (
        1.0
    )
    bias_std: Annotated[float, network_option("--bias-std", min=0.0, help="Standard deviation of the biases.")] = 1e-3
    zero_bias: Annotated[bool, network_option("--zero-bias", help="Biases zero, and not trained.")] = False
    batch_norm: Annotated[bool, network_option("--batch-norm", help="A BatchNorm before each ReLU.")] = False

    def as_hidden(self) -> tuple[int, ...]:
        """The widths of the hidden layers."""
        try:
            return tuple(int(part) for part in self.hidden.split(","))
        except ValueError:
            raise typer.BadParameter(
                f"--hidden must be whole numbers with commas, like 32,32; got {self.hidden!r}"
            ) from None

    def as_initialisation(self) -> Initialisation:
        """The distributions of weights and biases that the options name."""
        from creases.training import GaussianBiases, Initialisation, ZeroBiases

        return Initialisation(
            self.as_weight_law(),
            ZeroBiases() if self.zero_bias else GaussianBiases(self.bias_std),
            trained_biases=not self.zero_bias,
            batch_norm=self.batch_norm,
        )

    def as_weight_law(self) -> Any:
        """The distribution of the weights that the options name."""
        from creases import training

        laws: dict[str, Callable[[], object]] = {
            "he": lambda: training.HeWeights(self.weight_scale),
            "he-uniform": training.HeUniformWeights,
            "glorot": training.GlorotWeights,
            "lecun": training.LeCunWeights,
            "orthogonal": training.OrthogonalWeights,
        }
        law = one_of(laws, self.weights, "--weights")
        if self.weight_scale != 1.0 and self.weights != "he":
            raise typer.BadParameter("--weight-scale is of --weights he only")
        return law()


@dataclass(frozen=True)
class TrainingOptions:
    """The options for the training, and the number of runs."""

    epochs: Annotated[
        int,
        training_option("--epochs", min=0, help="Number of epochs; regions are counted at the epochs of the papers."),
    ] = 20
    optimiser: Annotated[str, training_option("--optimiser", help="adam or sgd.")] = "adam"
    rate: Annotated[
        float | None,
        training_option("--learning-rate", help="1e-3 for adam and 0.1 for sgd, if not given.", show_default=False),
    ] = None
    weight_decay: Annotated[
        float, training_option("--weight-decay", min=0.0, help="Weight decay of the optimiser.")
    ] = 0.0
    batch_size: Annotated[int, training_option("--batch-size", min=1, help="Examples per step.")] = 128
    seeds: Annotated[int, training_option("--seeds", min=1, help="Number of runs, with seeds 0, 1, ...")] = 1

    def as_moments(self) -> tuple[float, ...]:
        """The epochs at which regions are counted: those of the papers, and the last one."""
        from creases.training import PAPER_EPOCHS

        return tuple(sorted({*(at for at in PAPER_EPOCHS if at < self.epochs), float(self.epochs)}))

    def as_kept(self) -> tuple[float, ...]:
        """The epochs whose networks are saved: the first and the last."""
        return tuple(dict.fromkeys((0.0, float(self.epochs))))

    def as_optimiser(self) -> Any:
        """The optimiser that the options name."""
        from creases.training import SGD, Adam

        kinds: dict[str, Callable[..., object]] = {"adam": Adam, "sgd": SGD}
        rates = {} if self.rate is None else {"lr": self.rate}
        return one_of(kinds, self.optimiser, "--optimiser")(weight_decay=self.weight_decay, **rates)


@dataclass(frozen=True)
class PlaceOptions:
    """The options for the domains."""

    planes: Annotated[int, place_option("--planes", min=0, metavar="N", help="Planes through 0 and two examples.")] = 0
    example_planes: Annotated[
        int, place_option("--example-planes", min=0, metavar="N", help="Planes through three examples.")
    ] = 0
    lines: Annotated[int, place_option("--lines", min=0, metavar="N", help="Lines through 0 and an example.")] = 0
    space: Annotated[bool, place_option("--space", help="The whole input space, of few inputs.")] = False

    def as_domains(self) -> list[DomainChoice]:
        """The domains; planes through the origin by default."""
        from creases.paper.choices import ExamplePlanes, OriginLines, OriginPlanes, WholeSpace

        chosen: list[DomainChoice] = []
        chosen += [OriginPlanes(self.planes)] if self.planes else []
        chosen += [ExamplePlanes(self.example_planes)] if self.example_planes else []
        chosen += [OriginLines(self.lines)] if self.lines else []
        chosen += [WholeSpace()] if self.space else []
        return chosen or [OriginPlanes(5)]


def one_of(kinds: dict[str, Callable[..., Any]], name: str, option: str) -> Callable[..., Any]:
    """The entry with this name. Raises an error, with the option, if there is none."""
    if name not in kinds:
        raise typer.BadParameter(f"{option} must be one of {', '.join(kinds)}; got {name!r}")
    return kinds[name]
