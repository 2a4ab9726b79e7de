"""How a count is divided into pieces; this depends only on the network, the domain, the starting cells and the depth.

The starting cells are chosen by the plan, or were chosen on another machine whose count is continued. The way in which
a processor adds floats can change this choice, so the starting cells are part of the key, are sent with every piece,
and are returned with every result.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from functools import cached_property

from creases.domain import Ball, Domain, Polyline
from creases.engine.answers.pieces import Divided, Piece
from creases.engine.problem import Problem
from creases.engine.starts.roots import Roots, choose_roots
from creases.errors import DomainError
from creases.network import Network
from creases.packing import as_problem, check_fit, check_size
from creases.scheduling.sources import shaping_hash

__all__ = ["Plan", "halvings"]

# The intended number of regions in a piece: some seconds of work. Regions that meet walls are counted three times,
# which adds a fifth of the time at a million regions per piece in four dimensions, and less with larger pieces.
A_PIECE = 16_000_000
# The largest number of halvings of a domain, unless more pieces are asked for; and the smallest, so that two workers
# finish at about the same time.
MOST_HALVINGS, FEWEST_HALVINGS = 12, 4
# The largest number of pieces that may be asked for. With their walls they are two to ten times as many. Each takes
# half a kilobyte of memory for its name and result, and a quarter of a millisecond of planning in three dimensions,
# more in higher ones: 65,536 take 80 to 400 MB, and one or two minutes before the counting begins.
MOST_PIECES = 1 << 16


@dataclass(frozen=True)
class Plan:
    """The pieces of one count.

    network, domain : what is counted. depth : the number of times that each starting cell is halved.
    drop : the number by which a wall is halved less often. taken : starting cells that were chosen before, perhaps on
        another machine; None to choose them here.
    """

    network: Network
    domain: Domain
    depth: int
    drop: int
    taken: Roots | None = None

    @classmethod
    def of(cls, network: Network, domain: Domain, pieces: int | None) -> Plan:
        """A plan of at least `pieces` pieces; None chooses a number by the expected count.

        Raises DomainError if the domain does not fit the network, is a Polyline or a Ball, or `pieces` is not an
        integer in its range.
        """
        check_fit(network, domain)
        if isinstance(domain, Polyline):
            raise DomainError("A Polyline is not counted in pieces; give its segments to count_many.")
        if isinstance(domain, Ball):
            raise DomainError("A Ball is not counted in pieces, whose walls would part it. Use count, or count a Box.")
        check_size(network, domain)
        check_pieces(pieces)
        neurons, d = network.neurons, domain.slice.dimension
        depth = halvings(neurons, d, pieces)
        if as_problem(network, domain).vertices is None:
            depth = max(depth - d, 0)  # a whole space starts as 2^d cones, if the first layer has full rank
        return cls(network, domain, depth, max(neurons // d, 2).bit_length() - 1)

    @cached_property
    def problem(self) -> Problem:
        """The arrays on which the engine works; they can be sent to another process."""
        return as_problem(self.network, self.domain)

    @cached_property
    def roots(self) -> Roots:
        """The problem's starting cells, as they are sent with its pieces."""
        return choose_roots(self.problem) if self.taken is None else self.taken

    @cached_property
    def divided(self) -> Divided:
        """The problem divided into its starting cells, to be counted piece by piece."""
        return Divided(self.problem, self.roots)

    @cached_property
    def pieces(self) -> list[Piece]:
        """The pieces, the largest first, so that the last ones to finish are small."""
        return sorted(self.divided.pieces(self.depth, self.drop), key=lambda piece: (piece.path.count("0"), piece))

    @cached_property
    def key(self) -> dict[str, str | int]:
        """What determines the results: the network, the domain, the hash of the sources, and how the domain is
        divided."""
        return {**self.known, "roots": self.roots.sha256}

    @cached_property
    def known(self) -> dict[str, str | int]:
        """The `key` without the starting cells: the part that is known before they are chosen."""
        return {
            "network": self.network.sha256,
            "domain": hashlib.sha256(self.domain_text.encode()).hexdigest(),
            "engine": shaping_hash(),
            "depth": self.depth,
            "drop": self.drop,
        }

    @property
    def domain_text(self) -> str:
        """The domain as JSON."""
        return json.dumps(self.domain.to_dict(), sort_keys=True)


def check_pieces(pieces: int | None) -> None:
    """Raise DomainError unless `pieces` is None or an integer in its range."""
    if pieces is None:
        return
    if isinstance(pieces, bool) or not isinstance(pieces, int) or pieces < 1:
        raise DomainError(f"pieces must be a whole number of at least 1, or None; got {pieces!r}.")
    if pieces > MOST_PIECES:
        raise DomainError(
            f"pieces must be a whole number of at most {MOST_PIECES:,}, or None; got {pieces:,}: every piece takes "
            "memory and time to plan. A few for each worker are enough; with None their number is chosen."
        )


def halvings(neurons: int, dimension: int, pieces: int | None) -> int:
    """The number of times that a domain is halved: the logarithm of the number of pieces, rounded up, in integers."""
    if pieces is not None:
        return (pieces - 1).bit_length()
    expected = sum(math.comb(neurons, k) for k in range(dimension + 1))
    return min(max((max(expected // A_PIECE, 1) - 1).bit_length(), FEWEST_HALVINGS), MOST_HALVINGS)
