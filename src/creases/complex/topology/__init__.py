"""Topology of sets of cells: Betti numbers, persistence diagrams, critical points."""

from creases.complex.topology.persistence import (
    CriticalPoints,
    Persistence,
    critical_points,
    exact_values,
    persistence,
)
from creases.complex.topology.sets import (
    Topology,
    boundary_topology,
    decision_topology,
    topology_of,
    topology_without,
)

__all__ = [
    "CriticalPoints",
    "Persistence",
    "Topology",
    "boundary_topology",
    "critical_points",
    "decision_topology",
    "exact_values",
    "persistence",
    "topology_of",
    "topology_without",
]
