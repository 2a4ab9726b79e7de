"""The demo: a network is trained on handwritten digits, and its activation regions are counted during the training.

It shows the result of Hanin and Rolnick (2019, figure 4): in planes through the data the count stays near (#neurons)^2
/ 2 during training, far below what the depth would allow (Serra et al. 2018). Every number is computed in the run, and
every count is certified.
"""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import numpy as np

from creases.counting import count
from creases.domain import Domain, Plane
from creases.errors import need_modules
from creases.files import replace_file
from creases.network import Network
from creases.paper.demo_figures import curve_figure, regions_figure
from creases.plot import Series, save_figure
from creases.readers import load
from creases.subdivision import subdivide_flat
from creases.theory import hanin_rolnick_estimate, serra_upper
from creases.training import (
    RegionTracker,
    Settings,
    Task,
    digits_task,
    fit,
    he_network,
    picture_square,
    planes_through_examples,
    planes_through_origin,
)
from creases.version import __version__

if TYPE_CHECKING:
    from torch import nn

    from creases.complex import Complex
    from creases.training.files import Row

__all__ = ["FULL_DEMO", "QUICK", "Demo", "DemoResult", "Moment", "run_demo"]

# The plane of the picture contains the first training example of each of these classes.
LABELS = (0, 1, 2)
ORIGIN, EXAMPLES = "origin and 2 examples", "3 examples"
# The moments of the paper and six more, twenty in total.
EPOCHS = (0, 1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12, 15, 17.5, 20)


@dataclass(frozen=True)
class Demo:
    """The settings of the demo, which determine all of its results.

    widths : the hidden layers. epochs : the moments at which to count, the last one an integer, where it ends.
    planes : number of planes of each kind, drawn once. batch_size : examples per step; small, so that an epoch of the
        few digits has 359 steps, compared with 468 in the paper.
    seed : seed of the split, the weights, the planes and the order of the examples.
    """

    widths: tuple[int, ...] = (32, 32, 32)
    epochs: tuple[float, ...] = EPOCHS
    planes: int = 5
    batch_size: int = 4
    seed: int = 0

    @property
    def neurons(self) -> int:
        """N, the number of hidden neurons."""
        return sum(self.widths)

    @property
    def estimate(self) -> int:
        """N^2 / 2 of the paper, rounded."""
        return round(hanin_rolnick_estimate(self.neurons, 2))

    @property
    def most(self) -> int:
        """The upper bound on the regions of such networks in a plane (Serra et al. 2018)."""
        return serra_upper(self.widths, 2)


FULL_DEMO = Demo()
QUICK = Demo(widths=(12, 12), epochs=(0, 1 / 4, 1), planes=2, batch_size=32)


@dataclass(frozen=True)
class Moment:
    """One row of the table: the mean number of regions over the planes of each kind, and the accuracies."""

    step: int
    epoch: float
    train_accuracy: float
    test_accuracy: float
    origin: float
    examples: float


@dataclass
class DemoResult:
    """The result of the demo.

    moments : the table. certified : True if every sign of every count and picture was proved.
    counts : number of counts. training, counting, drawing : seconds. files : the files that were written.
    """

    moments: list[Moment] = field(default_factory=list)
    certified: bool = True
    counts: int = 0
    training: float = 0.0
    counting: float = 0.0
    drawing: float = 0.0
    files: list[Path] = field(default_factory=list)


class TimedTracker(RegionTracker):
    """A tracker that measures the time of its counts, including reading the model."""

    seconds = 0.0

    def step(self, epoch: float | None = None) -> list[Row]:
        """As in `RegionTracker`."""
        start = time.perf_counter()
        rows = super().step(epoch)
        self.seconds += time.perf_counter() - start
        return rows


def run_demo(demo: Demo, folder: Path, say: Callable[[str], object], show: Callable[[Moment], object]) -> DemoResult:
    """Train, count, draw; write `results.json`, `curve.png` and `regions.png` to the folder.

    say : called with a description of the next step. show : called with each new row of the table.
    Raises MissingExtraError if torch, scikit-learn or matplotlib is missing.
    """
    from creases.plot import new_figure

    # What is missing is told now, not at the end, and leaves no folder behind.
    need_modules("plot", "Drawing", "matplotlib")
    new_figure(1, 1)
    need_modules("data", "The digits task", "sklearn")
    need_modules("torch", "Training", "torch")
    folder.mkdir(parents=True, exist_ok=True)
    result = DemoResult()
    task = digits_task(demo.seed)
    say("compiling the engine's kernels, if this is their first run on this machine")
    warm_up()
    planes = dict(named_planes(demo, task))
    model = he_network([task.n_in, *demo.widths, task.classes], demo.seed)
    say(
        f"training {list(demo.widths)} on {task.name} for {demo.epochs[-1]:g} epochs, "
        f"counting at {len(demo.epochs)} moments in {len(planes)} planes"
    )
    kept: dict[int, Network] = {}

    def on_count(rows: list[Row]) -> None:
        moment = as_moment(rows, model, task)
        kept[moment.step] = load(model)
        result.moments.append(moment)
        show(moment)

    settings = Settings(batch_size=demo.batch_size, epochs=int(demo.epochs[-1]), seed=demo.seed)
    start = time.perf_counter()
    tracker = TimedTracker(model, planes, settings.steps_at(demo.epochs, task), on_count=on_count)
    tracker.seconds = time.perf_counter() - start  # the count of step 0
    fit(model, task, settings, tracker)
    result.counting = tracker.seconds
    result.training = time.perf_counter() - start - result.counting

    say("drawing")
    start = time.perf_counter()
    complexes = picture_complexes(result.moments, kept, task)
    rows = tracker.table()
    result.counts = len(rows) + len(complexes)
    result.certified = all(row["certified"] for row in rows) and all(c.certified for _, c in complexes)
    result.files = [
        save_results(folder / "results.json", demo, task, planes, tracker, result, complexes),
        *save_pictures(folder, demo, task, rows, result.moments, complexes),
    ]
    result.drawing = time.perf_counter() - start
    return result


def warm_up() -> None:
    """Compile the kernels that the demo needs, or load them from the cache."""
    tiny = Network.from_arrays([np.eye(2), np.ones((3, 2))], [np.ones(2), np.arange(3.0)], output_layer=False)
    plane = Plane.through([0.0, 0.0], [1.0, 0.0], [0.0, 1.0])
    count(tiny, plane)
    subdivide_flat(tiny, plane.square(2.0))


def named_planes(demo: Demo, task: Task) -> Iterator[tuple[str, Domain]]:
    """The planes of both kinds, with names."""
    for kind, planes in (
        (ORIGIN, planes_through_origin(task, demo.planes, demo.seed)),
        (EXAMPLES, planes_through_examples(task, demo.planes, demo.seed)),
    ):
        for i, plane in enumerate(planes, start=1):
            yield f"{kind}, plane {i}", plane


def as_moment(rows: list[Row], model: nn.Module, task: Task) -> Moment:
    """The row of the table for one count."""
    return Moment(
        step=rows[0]["step"],
        epoch=rows[0]["epoch"],
        train_accuracy=accuracy(model, task.train_inputs, task.train_labels),
        test_accuracy=accuracy(model, task.test_inputs, task.test_labels),
        origin=fmean(row["regions"] for row in rows if row["name"].startswith(ORIGIN)),
        examples=fmean(row["regions"] for row in rows if row["name"].startswith(EXAMPLES)),
    )


def accuracy(model: nn.Module, inputs: np.ndarray, labels: np.ndarray) -> float:
    """The fraction of inputs whose highest score is that of the correct label."""
    import torch

    with torch.no_grad():
        return float((model(torch.tensor(inputs)).argmax(dim=1).numpy() == labels).mean())


def picture_complexes(moments: list[Moment], kept: dict[int, Network], task: Task) -> list[tuple[str, Complex]]:
    """The regions in a plane through three examples, at the start, in the middle and at the end."""
    domain = picture_square(task, LABELS).domain
    chosen = [moments[0], moments[len(moments) // 2], moments[-1]]
    pairs = []
    for moment in chosen:
        complex = subdivide_flat(kept[moment.step], domain)
        title = f"epoch {moment.epoch:.3g}: {len(complex):,} regions, test accuracy {moment.test_accuracy:.0%}"
        pairs.append((title, complex))
    return pairs


def save_pictures(
    folder: Path, demo: Demo, task: Task, rows: list[Row], moments: list[Moment], complexes: list[tuple[str, Complex]]
) -> list[Path]:
    """Draw the curve and the regions."""
    series = [
        Series(f"planes through {kind}", table_of(rows, kind, [moment.step for moment in moments]))
        for kind in (ORIGIN, EXAMPLES)
    ]
    curve = curve_figure([moment.epoch for moment in moments], series, demo.widths, demo.most)
    points, names = picture_square(task, LABELS).points, [f"digit {label}" for label in LABELS]
    return [
        save_figure(curve, folder / "curve.png", dpi=150),
        save_figure(regions_figure(complexes, points, names), folder / "regions.png", dpi=150),
    ]


def table_of(rows: list[Row], kind: str, steps: list[int]) -> np.ndarray:
    """Counts of one kind of plane, shape (moments, planes)."""
    return np.array(
        [[row["regions"] for row in rows if row["step"] == step and row["name"].startswith(kind)] for step in steps]
    )


def save_results(
    path: Path,
    demo: Demo,
    task: Task,
    planes: dict[str, Domain],
    tracker: TimedTracker,
    result: DemoResult,
    complexes: list[tuple[str, Complex]],
) -> Path:
    """Save all results, and the information needed to reproduce them, as JSON."""
    import torch

    everything: dict[str, Any] = {
        "demo": asdict(demo),
        "estimate": demo.estimate,
        "most": demo.most,
        "certified": result.certified,
        "versions": {
            "creases": __version__,
            "torch": torch.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "task": {"name": task.name, "sha256": task.sha256, "provenance": task.provenance},
        "seconds": {"training": result.training, "counting": result.counting},
        "moments": [asdict(moment) for moment in result.moments],
        "planes": {name: plane.to_dict() for name, plane in planes.items()},
        "counts": tracker.table(),
        "picture": [
            {
                "title": title,
                "regions": len(complex),
                "certified": complex.certified,
                "network": complex.network.sha256,
                "domain": complex.domain.to_dict(),
            }
            for title, complex in complexes
        ],
    }
    text = json.dumps(everything, indent=1) + "\n"
    replace_file(path, lambda partial: partial.write_text(text, encoding="utf-8"))
    return path
