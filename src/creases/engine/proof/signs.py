"""The four answers of a predicate. A sign decides everything, so it is never guessed."""

__all__ = ["NEGATIVE", "POSITIVE", "UNPROVED", "ZERO"]

NEGATIVE, ZERO, POSITIVE, UNPROVED = -1, 0, 1, 2
