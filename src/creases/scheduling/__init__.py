"""Counts in independent pieces, on threads, processes or a cluster, with a journal from which they can be resumed."""

from creases.scheduling.front import count_in_pieces
from creases.scheduling.journal import Journal

__all__ = ["Journal", "count_in_pieces"]
