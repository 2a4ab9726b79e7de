"""Complexes: all activation regions on a domain as plain arrays, and functions of them."""

from creases.complex import half_spaces, integrals, maps, ranges, topology
from creases.complex.blocks import CellBlock
from creases.complex.complex import Cell, Complex
from creases.complex.decisions import DecisionRegions, decision_boundary, decision_regions
from creases.complex.outlines import boundary_of
from creases.complex.skeleton import Facets
from creases.complex.strata import BentHyperplanes, Strata
from creases.complex.surfaces import Mesh, Polylines

__all__ = [
    "BentHyperplanes",
    "Cell",
    "CellBlock",
    "Complex",
    "DecisionRegions",
    "Facets",
    "Mesh",
    "Polylines",
    "Strata",
    "boundary_of",
    "decision_boundary",
    "decision_regions",
    "half_spaces",
    "integrals",
    "maps",
    "ranges",
    "topology",
]
