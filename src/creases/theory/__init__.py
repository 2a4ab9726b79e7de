"""What the theory says about the number of regions: classical maximum counts and the paper's estimate."""

from __future__ import annotations

from creases.theory.maximum import central, hanin_rolnick_estimate, serra_upper, zaslavsky

__all__ = ["central", "hanin_rolnick_estimate", "serra_upper", "zaslavsky"]
