"""What determines a piece's result besides its network, domain and starting cells: the sources and packages.

There are two hashes. `engine.kernel.source_hash` identifies the compiled code, and thereby the folder of kernels; a new
NumPy does not change it. `shaping_hash` identifies everything that decides which points belong to a piece and how they
are counted: it includes the other hash, and results with different hashes are not combined.
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

# Files and folders of the package that turn a network and a domain into the engine's arrays and divide these by the
# plan.
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
    """The software that would count in a process: the version of Creases, the hash of everything that determines a
    piece, and other versions."""

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
    """The software that would count in this process."""
    import flint
    import numba
    import numpy

    python = ".".join(map(str, sys.version_info[:2]))
    return Maker(__version__, shaping_hash(), python, numba.__version__, numpy.__version__, flint.__version__)


@cache
def shaping_hash() -> str:
    """Hash of everything that determines a piece: sources, the packages used to compute it, and Python."""
    return hash_of(Path(__file__).parent.parent)


def hash_of(package: Path) -> str:
    """`shaping_hash` of the sources in a package's folder."""
    import flint
    import numpy

    paths: list[Path] = []
    for name in SHAPING:
        place = package / name
        paths += [place] if place.suffix else place.rglob("*.py")
    digest = hashlib.sha256()
    add_sources(digest, package, paths)
    # For the engine this includes the versions of Numba and Python, and the switches that change what is compiled.
    digest.update(f"{source_hash()}|{numpy.__version__}|{flint.__version__}|{flint.__FLINT_VERSION__}".encode())
    return digest.hexdigest()[:16]
