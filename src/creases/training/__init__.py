"""Train networks on small tasks and count their regions during training.

Nothing here imports torch, scikit-learn, mlxtend or pandas before it is used.

>>> from creases.training import RegionTracker, Settings, digits_task, fit, he_network, planes_through_origin
>>> task = digits_task()
>>> model = he_network([64, 8, 8, 10], seed=0)
>>> tracker = RegionTracker(model, planes_through_origin(task, 1), every=[0, 11])
>>> history = fit(model, task, Settings(epochs=1), tracker)
>>> [row["step"] for row in tracker.table()]
[0, 11]
"""

from __future__ import annotations

from creases.training.errors import DivergedError, TrainingError
from creases.training.fitting import Tracker, fit
from creases.training.history import History
from creases.training.idx import idx_task, read_idx
from creases.training.initialisations import (
    BandBiases,
    CorrelatedBiases,
    GaussianBiases,
    GlorotWeights,
    HeUniformWeights,
    HeWeights,
    Initialisation,
    LeCunWeights,
    OneSidedBiases,
    OrthogonalWeights,
    UniformBiases,
    ZeroBiases,
)
from creases.training.journal import read_rows
from creases.training.networks import he_network
from creases.training.planes import (
    Picture,
    circumcentre_square,
    picture_square,
    plane_through_origin_and,
    planes_through_examples,
    planes_through_origin,
)
from creases.training.settings import PAPER_EPOCHS, SGD, Adam, Optimiser, Settings
from creases.training.tasks import (
    Task,
    digits_task,
    fewer_examples,
    mnist_task,
    principal_task,
    random_points_task,
    with_label_noise,
    with_pixel_noise,
)
from creases.training.tracker import RegionTracker

__all__ = [
    "PAPER_EPOCHS",
    "SGD",
    "Adam",
    "BandBiases",
    "CorrelatedBiases",
    "DivergedError",
    "GaussianBiases",
    "GlorotWeights",
    "HeUniformWeights",
    "HeWeights",
    "History",
    "Initialisation",
    "LeCunWeights",
    "OneSidedBiases",
    "Optimiser",
    "OrthogonalWeights",
    "Picture",
    "RegionTracker",
    "Settings",
    "Task",
    "Tracker",
    "TrainingError",
    "UniformBiases",
    "ZeroBiases",
    "circumcentre_square",
    "digits_task",
    "fewer_examples",
    "fit",
    "he_network",
    "idx_task",
    "mnist_task",
    "picture_square",
    "plane_through_origin_and",
    "planes_through_examples",
    "planes_through_origin",
    "principal_task",
    "random_points_task",
    "read_idx",
    "read_rows",
    "with_label_noise",
    "with_pixel_noise",
]
