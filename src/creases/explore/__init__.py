"""The explorer: a web page, or a notebook widget, to browse the regions of a network in a plane like a map.

    creases.explore(network, plane)        a widget in Jupyter or marimo
    creases explore model.onnx             the same as a web page of a local server

Each view is subdivided exactly, in coordinates around its own centre (`View`), so zooming is not limited by float64.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from creases.explore.planes import Chosen, plane_of
    from creases.explore.session import Session
    from creases.explore.view import View
    from creases.explore.widget import explore

__all__ = ["Chosen", "Session", "View", "explore", "plane_of"]

HOME = {
    "Chosen": "creases.explore.planes",
    "Session": "creases.explore.session",
    "View": "creases.explore.view",
    "explore": "creases.explore.widget",
    "plane_of": "creases.explore.planes",
}


def __getattr__(name: str) -> Any:
    if name not in HOME:
        raise AttributeError(f"module 'creases.explore' has no attribute {name!r}")
    return getattr(import_module(HOME[name]), name)


class CallableModule(ModuleType):
    """The module `creases.explore`, which can also be called: `creases.explore(network, plane)`."""

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """`creases.explore.explore`."""
        return __getattr__("explore")(*arguments, **options)


sys.modules[__name__].__class__ = CallableModule
