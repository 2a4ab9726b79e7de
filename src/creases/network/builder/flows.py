"""Flows: the intermediate values of a network that is being built, and how they become levels.

A flow is a node of a graph to which nodes are only added, so there are no cycles. There are three kinds of nodes: the
input; a sum of operators of other nodes, with a bias; a kink of one node. `levels_of_graph` turns them into levels, and
never adds or multiplies two stored numbers if the result could be rounded:

* a kink shares its level with the sum below it, if that sum has no other use;
* a sum whose only use is in another sum becomes part of it, if they have different source levels and their biases add
  exactly;
* two operators of one level on the same source remain two: one of them takes a copy of the source.

Reshaping adds no node. Levels are in the order in which their flows were created, and flows that the output does not
need are left out.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from creases.errors import NetworkError
from creases.network.builder.exact import exact_sum
from creases.network.kinks import Kink, Linear
from creases.network.levels import Level
from creases.network.operators import Operator, Select
from creases.network.operators.operator import Floats, by

__all__ = ["Flow", "FlowNode", "bend", "checked", "input_of", "levels_of_graph", "several", "total"]

numbers = itertools.count()


@dataclass(frozen=True, eq=False, repr=False)
class FlowNode:
    """The input (no terms and no kink), a sum of terms, or a kink of its only term."""

    shape: tuple[int, ...]
    root: FlowNode | None  # the input on which it depends; None for an input itself
    terms: tuple[tuple[FlowNode, Operator], ...] = ()
    bias: Floats | None = None
    kink: Kink | None = None
    name: str = ""
    notes: tuple[str, ...] = ()
    # Larger than those of all its sources.
    number: int = field(default_factory=lambda: next(numbers))

    @property
    def size(self) -> int:
        """The number of values."""
        return math.prod(self.shape)

    @property
    def is_sum(self) -> bool:
        """Whether the node is a sum of terms."""
        return bool(self.terms) and self.kink is None


@dataclass(frozen=True, eq=False, repr=False)
class Flow:
    """Intermediate values of a network that is being built. The functions of `creases.build` take and return flows.

    shape : tuple of int, without a batch axis: (channels, height, width) of an image.
    """

    shape: tuple[int, ...]
    node: FlowNode

    @property
    def size(self) -> int:
        """Number of values."""
        return self.node.size

    def __repr__(self) -> str:
        return f"Flow({by(self.shape)})"


def checked(flow: Any, what: str) -> Flow:
    """The argument, if it is a flow. Raises NetworkError, with the name of the function, otherwise."""
    if not isinstance(flow, Flow):
        raise NetworkError(
            f"{what} takes a flow, as build.input(...) and the other functions of creases.build give it; got a "
            f"{type(flow).__name__}."
        )
    return flow


def several(flows: Any, what: str) -> list[Flow]:
    """The argument as a list, if it is a sequence of flows. Raises NetworkError, with the name of the function,
    otherwise."""
    if not isinstance(flows, (list, tuple)):
        raise NetworkError(f"{what} takes a list of flows, got a {type(flows).__name__}.")
    return [checked(flow, what) for flow in flows]


def input_of(shape: tuple[int, ...]) -> Flow:
    """A new input."""
    return Flow(shape, FlowNode(shape, None))


def total(
    terms: Sequence[tuple[Flow, Operator]],
    shape: tuple[int, ...],
    what: str,
    bias: Floats | None = None,
    name: str = "",
    notes: tuple[str, ...] = (),
) -> Flow:
    """The sum of operators applied to flows, plus a bias. Raises NetworkError if the flows have different inputs."""
    roots = {id(flow.node.root or flow.node): flow.node.root or flow.node for flow, _ in terms}
    if len(roots) > 1:
        raise NetworkError(
            f"{what} joins flows of two inputs, but a network has exactly one. Make one build.input(...) that holds "
            "both, and take its parts with build.slice or build.take."
        )
    root = next(iter(roots.values()))
    nodes = tuple((flow.node, operator) for flow, operator in terms)
    return Flow(shape, FlowNode(shape, root, nodes, bias, name=name, notes=notes))


def bend(flow: Flow, kink: Kink, shape: tuple[int, ...], name: str = "") -> Flow:
    """A kink of a flow. Raises NetworkError if the kink does not fit."""
    kink.check(flow.size)
    below = flow.node
    node = FlowNode(shape, below.root or below, ((below, Select.all(flow.size)),), None, kink, name)
    return Flow(shape, node)


def levels_of_graph(output: Flow) -> tuple[list[Level], tuple[str, ...]]:
    """The levels that the output needs, and the notes of their nodes, each once."""
    nodes = needed(output.node)
    uses = dict.fromkeys(nodes, 0)
    for node in nodes:
        for source, _ in node.terms:
            uses[source] += 1
    uses[output.node] += 1
    joined = join_all(nodes, uses)
    # Sums that have become part of another level.
    absorbed = {child for terms in joined.values() for child in terms.absorbed}
    absorbed |= {node.terms[0][0] for node in nodes if node.kink and shares_level(node, uses)}
    levels: list[Level] = []
    place: dict[FlowNode, int] = {}
    for node in nodes:
        if not node.terms:
            place[node] = 0
        elif node not in absorbed:
            below = node.terms[0][0]
            if node.kink is None:
                sums = joined[node]
            elif below in absorbed:
                sums = joined[below]
            else:
                sums = LevelSums(node.terms, None, node.name, frozenset())
            sources = sources_of(sums.terms, place, levels)
            name = node.name or sums.name
            levels.append(Level(sources, sums.bias, node.kink or Linear(), name))
            place[node] = len(levels)
    if not levels:
        levels.append(Level({0: Select.all(output.size)}, None, Linear()))
    notes = dict.fromkeys(note for node in nodes for note in node.notes)
    return levels, tuple(notes)


@dataclass(frozen=True, eq=False)
class LevelSums:
    """The content of one level: terms and bias, and the sums that became part of it."""

    terms: tuple[tuple[FlowNode, Operator], ...]
    bias: Floats | None
    name: str
    absorbed: frozenset[FlowNode]


def join_all(nodes: Sequence[FlowNode], uses: dict[FlowNode, int]) -> dict[FlowNode, LevelSums]:
    """The terms and bias of each sum, with the sums whose only use is in it merged into it, if that is exact."""
    joined: dict[FlowNode, LevelSums] = {}
    for node in nodes:  # the sources of a node come before it
        if not node.is_sum:
            continue
        # Sources of the remaining terms: a sum that joins must not use them.
        later = [source for source, _ in node.terms]
        terms: list[tuple[FlowNode, Operator]] = []
        bias, name, absorbed = node.bias, node.name, frozenset[FlowNode]()
        for source, operator in node.terms:
            later.remove(source)
            if source.is_sum and uses[source] == 1 and isinstance(operator, Select) and operator.is_identity:
                child = joined[source]
                added, exact = exact_sum(bias, child.bias)
                taken = {other for other, _ in terms} | set(later)
                if exact and taken.isdisjoint(other for other, _ in child.terms):
                    terms += child.terms
                    bias, name, absorbed = added, name or child.name, absorbed | {source} | child.absorbed
                    continue
            terms.append((source, operator))
        joined[node] = LevelSums(tuple(terms), bias, name, absorbed)
    return joined


def shares_level(node: FlowNode, uses: dict[FlowNode, int]) -> bool:
    """Whether a kink shares the level of the sum below it: the sum must have no other use."""
    below = node.terms[0][0]
    return below.is_sum and uses[below] == 1


def needed(output: FlowNode) -> list[FlowNode]:
    """The nodes on which the output depends, including itself, in the order in which they were created."""
    nodes, waiting = {output}, [output]
    while waiting:
        for source, _ in waiting.pop().terms:
            if source not in nodes:
                nodes.add(source)
                waiting.append(source)
    return sorted(nodes, key=lambda node: node.number)


def sources_of(
    terms: Iterable[tuple[FlowNode, Operator]], place: dict[FlowNode, int], levels: list[Level]
) -> dict[int, Operator]:
    """Operators by the number of their source level; for a level that occurs twice, a copy of it is inserted."""
    sources: dict[int, Operator] = {}
    for node, operator in terms:
        number = place[node]
        if number in sources:
            levels.append(Level({number: Select.all(node.size)}, None, Linear()))
            number = len(levels)
        sources[number] = operator
    return sources
