"""Limits that more than one room knows."""

__all__ = ["MOST_DIMENSIONS"]

# Of a domain: regions grow as (#neurons)^dimensions.
MOST_DIMENSIONS = 8
