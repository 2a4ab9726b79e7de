"""The Complex: all cells of a domain as plain arrays, and functions over it."""

from creases.complex.blocks import CellBlock
from creases.complex.complex import Cell, Complex
from creases.complex.skeleton import Facets

__all__ = ["Cell", "CellBlock", "Complex", "Facets"]
