"""Build a network in a few lines: each function takes flows and returns one, and `network` makes the network.

    from creases import build

    x = build.input(3, 32, 32)
    h = build.relu(build.conv(x, weight_1, bias_1, padding=1))
    h = build.relu(build.add(h, build.conv(h, weight_2, bias_2, padding=1)))
    network = build.network(build.dense(h, weight_3, bias_3))

Shapes have no batch axis. Weights are neither multiplied nor folded: the network contains every number as given.

`flows` has the graph and how it becomes levels, `linear`, `bends` and `shapes` the functions, `numbers` and `exact`
what they do with numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

from creases.errors import NetworkError
from creases.network.builder.bends import (
    abs,
    clip,
    hard_sigmoid,
    hard_tanh,
    leaky_relu,
    max_pool,
    maximum,
    maxout,
    prelu,
    relu,
    relu6,
)
from creases.network.builder.flows import Flow, checked, input_of, levels_of_graph
from creases.network.builder.linear import (
    add,
    average_pool,
    batch_norm,
    conv,
    conv_transpose,
    dense,
    divide,
    global_average_pool,
    linear_combination,
    scale,
    shift,
    sparse,
    subtract,
)
from creases.network.builder.shapes import concatenate, flatten, pad, reshape, slice, take, transpose, upsample
from creases.network.network import Network
from creases.network.operators.operator import whole
from creases.network.saving import Normalisation

__all__ = [
    "Flow",
    "abs",
    "add",
    "average_pool",
    "batch_norm",
    "clip",
    "concatenate",
    "conv",
    "conv_transpose",
    "dense",
    "divide",
    "flatten",
    "global_average_pool",
    "hard_sigmoid",
    "hard_tanh",
    "input",
    "leaky_relu",
    "linear_combination",
    "max_pool",
    "maximum",
    "maxout",
    "network",
    "pad",
    "prelu",
    "relu",
    "relu6",
    "reshape",
    "scale",
    "shift",
    "slice",
    "sparse",
    "subtract",
    "take",
    "transpose",
    "upsample",
]


def input(*shape: int) -> Flow:
    """The input of a network, with the shape of one input: input(2), input(3, 32, 32). A network has exactly one input.

    Raises NetworkError unless every side is a positive integer.
    """
    sides = shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    if not sides:
        raise NetworkError("build.input needs the shape of one input: input(2), or input(3, 32, 32).")
    return input_of(tuple(whole(side, "build.input: a side", 1) for side in sides))


def network(output: Flow, *, normalisation: Normalisation | None = None, notes: Sequence[str] = ()) -> Network:
    """The network whose outputs are the values of a flow, flat in C order. Levels that are not needed are left out.

    normalisation, notes : as for `Network.from_levels`; notes on rounding during building are added.

    Examples
    --------
    >>> x = input(2)
    >>> h = relu(dense(x, [[1.0, 2.0], [3.0, 4.0]]))
    >>> network(add(h, dense(h, [[1.0, 0.0], [0.0, 1.0]])))
    Network(2 -> [2] -> 2, 2 neurons, graph of 3 levels)
    """
    flow = checked(output, "build.network")
    levels, told = levels_of_graph(flow)
    shape = (flow.node.root or flow.node).shape
    return Network.from_levels(levels, input_shape=shape, normalisation=normalisation, notes=(*notes, *told))
