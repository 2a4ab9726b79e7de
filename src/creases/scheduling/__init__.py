"""A count in pieces: planned, spread over threads or a cluster, journalled, resumed."""

from creases.scheduling.front import count_in_pieces
from creases.scheduling.journal import Journal

__all__ = ["Journal", "count_in_pieces"]
