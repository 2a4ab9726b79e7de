"""How much is measured: all of it, or what fits into a minute."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """quick : leave out what takes long. runs : measurements of each work. budget : seconds for one work."""

    quick: bool
    runs: int
    budget: float


FULL = Settings(quick=False, runs=5, budget=60.0)
QUICK = Settings(quick=True, runs=3, budget=2.5)
