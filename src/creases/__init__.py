"""Exact, certified counts of the activation regions of ReLU networks.

>>> import creases
>>> network = creases.Network.from_arrays([[[1.0], [-1.0]], [[1.0, 1.0]]], [[0.0, 0.0], [0.0]])
>>> creases.count(network, creases.Segment([-1.0], [1.0])).regions
2
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from creases.version import __version__

if TYPE_CHECKING:
    from creases import auditing as auditing
    from creases import complex as complex
    from creases import domain as domain
    from creases import errors as errors
    from creases import explore as explore
    from creases import network as network
    from creases import paper as paper
    from creases import plot as plot
    from creases import readers as readers
    from creases import scheduling as scheduling
    from creases import theory as theory
    from creases import training as training
    from creases.auditing import Audit, audit
    from creases.comparison import Comparison, compare, disagreement
    from creases.complex import Complex, Mesh, Polylines, boundary_of, decision_boundary, decision_regions
    from creases.counting import Count, count, count_many
    from creases.domain import (
        Ball,
        Box,
        Circle,
        Directions,
        Line,
        Plane,
        Polygon,
        Polyline,
        Polytope,
        Segment,
        Simplex,
        Slice,
        Space,
        Subspace,
    )
    from creases.errors import CreasesError, DomainError, JournalError, MissingExtraError, ModelFileError, NetworkError
    from creases.level_sets import level_set, level_topology, sliced
    from creases.linear_regions import LinearCount, count_linear_regions
    from creases.network import (
        Abs,
        AveragePool,
        Clip,
        Conv,
        ConvTranspose,
        Dense,
        Divide,
        LeakyReLU,
        Level,
        Linear,
        Max,
        Network,
        ReLU,
        Scale,
        Select,
        Slopes,
        Sparse,
    )
    from creases.network import builder as build
    from creases.readers import load
    from creases.scheduling import count_in_pieces
    from creases.streaming import subdivide_to_parquet
    from creases.subdivision import subdivide
    from creases.training import RegionTracker

# The module of each public name. Names are imported on first use, so that `import creases` stays fast and imports
# neither Numba nor any optional package.
_HOME = {
    "Audit": "creases.auditing",
    "audit": "creases.auditing",
    "Comparison": "creases.comparison",
    "compare": "creases.comparison",
    "disagreement": "creases.comparison",
    "Complex": "creases.complex",
    "Mesh": "creases.complex",
    "Polylines": "creases.complex",
    "boundary_of": "creases.complex",
    "decision_boundary": "creases.complex",
    "decision_regions": "creases.complex",
    "Count": "creases.counting",
    "count": "creases.counting",
    "count_many": "creases.counting",
    "Ball": "creases.domain",
    "Box": "creases.domain",
    "Circle": "creases.domain",
    "Directions": "creases.domain",
    "Line": "creases.domain",
    "Plane": "creases.domain",
    "Polygon": "creases.domain",
    "Polyline": "creases.domain",
    "Polytope": "creases.domain",
    "Segment": "creases.domain",
    "Simplex": "creases.domain",
    "Slice": "creases.domain",
    "Space": "creases.domain",
    "Subspace": "creases.domain",
    "CreasesError": "creases.errors",
    "DomainError": "creases.errors",
    "JournalError": "creases.errors",
    "MissingExtraError": "creases.errors",
    "ModelFileError": "creases.errors",
    "NetworkError": "creases.errors",
    "LinearCount": "creases.linear_regions",
    "count_linear_regions": "creases.linear_regions",
    "level_set": "creases.level_sets",
    "level_topology": "creases.level_sets",
    "sliced": "creases.level_sets",
    "Abs": "creases.network",
    "AveragePool": "creases.network",
    "Clip": "creases.network",
    "Conv": "creases.network",
    "ConvTranspose": "creases.network",
    "Dense": "creases.network",
    "Divide": "creases.network",
    "LeakyReLU": "creases.network",
    "Level": "creases.network",
    "Linear": "creases.network",
    "Max": "creases.network",
    "Network": "creases.network",
    "ReLU": "creases.network",
    "Scale": "creases.network",
    "Select": "creases.network",
    "Slopes": "creases.network",
    "Sparse": "creases.network",
    "load": "creases.readers",
    "count_in_pieces": "creases.scheduling",
    "subdivide": "creases.subdivision",
    "subdivide_to_parquet": "creases.streaming",
    "RegionTracker": "creases.training",
}

# Subpackages with public names, so that `creases.theory.bounds` works without a second import.
_ROOMS = (
    "auditing",
    "complex",
    "domain",
    "errors",
    "explore",
    "network",
    "paper",
    "plot",
    "readers",
    "scheduling",
    "theory",
    "training",
)

# Modules with another name here: `creases.build.relu(...)`.
_MODULES = {"build": "creases.network.builder"}

__all__ = [
    "Abs",
    "Audit",
    "AveragePool",
    "Ball",
    "Box",
    "Circle",
    "Clip",
    "Comparison",
    "Complex",
    "Conv",
    "ConvTranspose",
    "Count",
    "CreasesError",
    "Dense",
    "Directions",
    "Divide",
    "DomainError",
    "JournalError",
    "LeakyReLU",
    "Level",
    "Line",
    "Linear",
    "LinearCount",
    "Max",
    "Mesh",
    "MissingExtraError",
    "ModelFileError",
    "Network",
    "NetworkError",
    "Plane",
    "Polygon",
    "Polyline",
    "Polylines",
    "Polytope",
    "ReLU",
    "RegionTracker",
    "Scale",
    "Segment",
    "Select",
    "Simplex",
    "Slice",
    "Slopes",
    "Space",
    "Sparse",
    "Subspace",
    "__version__",
    "audit",
    "boundary_of",
    "build",
    "compare",
    "count",
    "count_in_pieces",
    "count_linear_regions",
    "count_many",
    "decision_boundary",
    "decision_regions",
    "disagreement",
    "level_set",
    "level_topology",
    "load",
    "sliced",
    "subdivide",
    "subdivide_to_parquet",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"creases.{name}")
    if name in _MODULES:
        return import_module(_MODULES[name])
    if name not in _HOME:
        raise AttributeError(f"module 'creases' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, *_ROOMS])
