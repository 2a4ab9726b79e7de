"""What the options of `creases train` name: tasks, laws of weights, optimisers, places to count."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from creases.paper.choices import DomainChoice, TaskChoice

__all__ = ["as_hidden", "as_optimiser", "domains", "task_choice", "weight_law"]


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
