"""The nonlinearities of units: `slopes` at zero, a `clip`, and a `maximum` over several units."""

from __future__ import annotations

from creases.network.kinks.clip import Clip
from creases.network.kinks.kink import Branch, Kink
from creases.network.kinks.maximum import Max
from creases.network.kinks.slopes import Abs, LeakyReLU, Linear, ReLU, Slopes

__all__ = ["KINKS", "Abs", "Branch", "Clip", "Kink", "LeakyReLU", "Linear", "Max", "ReLU", "Slopes"]

# By their names in files and hashes.
KINKS: dict[str, type[Kink]] = {kind.__name__: kind for kind in (Abs, Clip, LeakyReLU, Linear, Max, ReLU, Slopes)}
