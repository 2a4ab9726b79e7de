"""What a piece's result rests on beside its network, domain and roots: the sources and packages that shape it.

Two hashes stand apart. `engine.kernel.source_hash` names what is compiled, and with it the folder of kernels; a new
NumPy leaves that folder as it is. `shaping_hash` names all that decides which points a piece holds and how they are
counted: it holds the other, and results of two are not put together.
"""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

from creases.engine.kernel import add_sources, source_hash
from creases.version import __version__

__all__ = ["SHAPING", "Maker", "maker", "shaping_hash"]

# Files and folders of the package. A network and a domain become the engine's arrays, and these are cut by the plan.
SHAPING = (
    "arrays.py",
    "domain",
    "double_description.py",
    "engine",
    "limits.py",
    "lists.py",
    "lowering.py",
    "network",
    "packing.py",
    "rationals.py",
    "scheduling/piece.py",
    "scheduling/plan.py",
    "scheduling/sources.py",
    "streams.py",
)


class Maker(NamedTuple):
    """Who would count in a process: the version of Creases, the hash of what shapes a piece, and other versions."""

    version: str
    engine: str
    python: str
    numba: str
    numpy: str
    flint: str

    def __str__(self) -> str:
        return (
            f"Creases {self.version}, sources {self.engine}, Python {self.python}, Numba {self.numba}, NumPy "
            f"{self.numpy}, python-flint {self.flint}"
        )


def maker() -> Maker:
    """Who would count in this process."""
    import flint
    import numba
    import numpy

    python = ".".join(map(str, sys.version_info[:2]))
    return Maker(__version__, shaping_hash(), python, numba.__version__, numpy.__version__, flint.__version__)


@cache
def shaping_hash() -> str:
    """Hash of all that shapes a piece: sources, the packages it is computed with, and Python."""
    return hash_of(Path(__file__).parent.parent)


def hash_of(package: Path) -> str:
    """`shaping_hash` of the sources of a package that lies there."""
    import flint
    import numpy

    paths: list[Path] = []
    for name in SHAPING:
        place = package / name
        paths += [place] if place.suffix else place.rglob("*.py")
    digest = hashlib.sha256()
    add_sources(digest, package, paths)
    # Of the engine also Numba's version, Python's, and the switches that change what is compiled.
    digest.update(f"{source_hash()}|{numpy.__version__}|{flint.__version__}|{flint.__FLINT_VERSION__}".encode())
    return digest.hexdigest()[:16]
