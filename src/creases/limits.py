"""Limits that several subpackages use."""

__all__ = ["MOST_DIMENSIONS"]

# Of a domain: the number of regions grows like (#neurons)^dimensions.
MOST_DIMENSIONS = 8
