"""Upper bounds on the number of regions of networks with given levels, for any weights: chains and graphs.

On one region of the levels below, the sums of a level are affine functions of its sources. So its walls are hyperplanes
there: one for a neuron, two for a clip, one for each pair of a switch's candidates. They cut in at most as many
dimensions as the level's sources have together, and h hyperplanes make at most sum_{j <= d} C(h, j) pieces of d
dimensions (Zaslavsky 1975); there are also at most as many pieces as the level has states. For chains of ReLU this is
Montúfar's bound of 2017.
"""

from __future__ import annotations

from math import prod

from creases.errors import NetworkError
from creases.network import Clip, Conv, ConvTranspose, Level, Max, Network
from creases.theory.arguments import shown, whole

__all__ = ["has_clips", "has_shared_weights", "has_switches", "network_patterns", "network_upper"]


def network_upper(network: Network, input_dim: int | None = None) -> int:
    """An upper bound on the number of regions of any network with the same levels: a product over its layers.

    network : any network, a chain or a graph. Only the sizes, sources and kinks of its levels matter; units with equal
        slopes are not neurons.
    input_dim : n; None means the network's number of inputs. For the regions on a slice, give its dimension.
    Returns an int of any size: the product over layers of min(sum_{j <= d} C(h, j), states), where h is the number of
    hyperplanes of the layer, and d the minimum of n and of the total dimension of its sources.
    Raises NetworkError if the argument is not a Network, or input_dim is not a positive integer.
    Source: Montúfar 2017 for chains of ReLU and of maxout, whose proof only uses hyperplanes.

    See Also
    --------
    montufar_2017_upper : the same bound for chains with ReLU, from their widths. serra_upper : a smaller bound, for
        such chains only.

    Examples
    --------
    >>> network_upper(Network.he([3, 4, 4, 1])) == 225  # montufar_2017_upper([4, 4], 3)
    True
    >>> from creases import build
    >>> x = build.input(2)
    >>> network_upper(build.network(build.maxout(build.dense(x, [[1.0, 0.0]] * 3), 3)))  # three states
    3
    """
    check(network)
    n = network.n_in if input_dim is None else whole(input_dim, "input_dim", 1)
    total, dimensions = 1, [n]
    for level in network.levels:
        d = min(n, sum(dimensions[source] for source in level.sources))
        total *= min(pieces(level.hyperplanes, d), states_of(level))
        dimensions.append(min(d, level.n_values))
    return total


def network_patterns(network: Network) -> int:
    """The trivial upper bound on the number of patterns: a product of 2 per neuron, 3 per clip, and k per switch of k
    candidates.

    Raises NetworkError if the argument is not a Network.

    Examples
    --------
    >>> network_patterns(Network.he([3, 4, 4, 1]))
    256
    """
    check(network)
    return prod(map(states_of, network.levels))


def check(network: Network) -> None:
    """Raise NetworkError unless the argument is a Network."""
    if not isinstance(network, Network):
        raise NetworkError(
            f"network must be a Network, got {shown(network)}. Of widths there are montufar_2017_upper and serra_upper."
        )


def pieces(h: int, d: int) -> int:
    """sum_{j <= d} C(h, j): `zaslavsky`, also for d = 0, with each term computed from the one before, because there may
    be thousands."""
    total = term = 1
    for j in range(min(d, h)):
        term = term * (h - j) // (j + 1)
        total += term
    return total


def states_of(level: Level) -> int:
    """The number of patterns of a level."""
    if isinstance(level.kink, Max):
        return prod(level.kink.sizes.tolist())
    return int(3**level.n_units) if isinstance(level.kink, Clip) else int(2**level.neurons)


def has_switches(network: Network) -> bool:
    """Whether the network has switches, which have no threshold."""
    return any(level.switches for level in network.levels)


def has_clips(network: Network) -> bool:
    """Whether the network has clips, whose two neurons share a sum."""
    return any(isinstance(level.kink, Clip) for level in network.levels)


def has_shared_weights(network: Network) -> bool:
    """Whether the network has convolutions."""
    operators = (operator for level in network.levels for operator in level.sources.values())
    return any(isinstance(operator, (Conv, ConvTranspose)) for operator in operators)
