"""The order of named layers, and whether they are one network, from their names and shapes.

Numbers in names are compared as numbers ('net.10' after 'net.9'), and a torch file keeps the order in which the layers
were created. The order of names without numbers means nothing: it is used only if no other order fits the shapes.
Groups of layers with different prefixes ('actor.', 'critic.') may be two networks, whatever their shapes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from creases.readers.weights.answers import Answers

__all__ = ["Named", "abreast", "in_order", "listed", "natural_order", "side_by_side", "suggestion"]

# The search for orders stops after this many steps, each counted as the number of names.
WORK = 1_000_000
SHOWN = 12
# The suggestion if no order is more likely than another.
ORDER_TO_GIVE = ["FIRST", "NEXT", "..."]


@dataclass(frozen=True)
class Named:
    """One layer: its name, its numbers of inputs and outputs, and whether it is a BatchNorm."""

    name: str
    n_in: int
    n_out: int
    is_norm: bool


def natural_order(name: str) -> list[tuple[int, int, str]]:
    """A sort key by which 'net.10.weight' comes after 'net.9.weight'.

    Examples
    --------
    >>> sorted(["net.10.bias", "net.9.bias", "net.9.weight"], key=natural_order)
    ['net.9.bias', 'net.9.weight', 'net.10.bias']
    """
    parts = [part for part in re.split(r"([0-9]+)", name) if part]
    # Numbers compare by length first and are never converted: a name may hold thousands of digits.
    bare = [part.lstrip("0") if "0" <= part[0] <= "9" else None for part in parts]
    return [(1, 0, part) if n is None else (0, len(n), n) for part, n in zip(parts, bare, strict=True)]


def words_of(name: str) -> str:
    """A name with '#' in place of its numbers: 'net.#' for 'net.10'."""
    return re.sub(r"[0-9]+", "#", name)


def numbers_of(name: str) -> list[tuple[int, int, str]]:
    """Only the numbers in a name, as a sort key."""
    return [part for part in natural_order(name) if part[0] == 0]


def side_by_side(layers: Sequence[Named]) -> list[str]:
    """The prefixes at the first fork at which two or more have Linear layers; [] if there is no fork.

    Prefixes with one Linear each that differ only in a number, 'layers.0.' and 'layers.1.', are blocks of one network.
    Two or more Linears at the fork itself, 'fc1' and 'fc2' beside 'critic.0' and 'critic.2', may be a network too, and
    come first; a single one, beside 'body.0' and 'body.2', is the head of a body.
    """
    waiting = [("", list(layers))]
    while waiting:  # no recursion: a name may have thousands of dots
        at, group = waiting.pop()
        below: dict[str, list[Named]] = {}
        here: list[Named] = []
        for layer in group:
            head, dot, _rest = layer.name[len(at) :].partition(".")
            if dot:
                below.setdefault(f"{at}{head}.", []).append(layer)
            else:
                here.append(layer)
        linears = {prefix: sum(not layer.is_norm for layer in inner) for prefix, inner in below.items()}
        several = [prefix for prefix, count in linears.items() if count]
        blocks = len(set(map(words_of, several))) == 1 and all(linears[prefix] == 1 for prefix in several)
        heads = sum(not layer.is_norm for layer in here) > 1 and max(linears.values(), default=0) > 1
        if (len(several) > 1 and not blocks) or heads:
            return [*(names(here) if heads else []), *several]
        waiting += [(prefix, inner) for prefix, inner in reversed(below.items()) if len(inner) > 1]
    return []


def abreast(layers: Sequence[Named]) -> list[list[Named]]:
    """Groups of at least two Linears that may be separate networks although no dot separates their names; [] if there
    are none.

    For example 'actor_fc1' and 'actor_fc2' beside 'critic_fc1' and 'critic_fc2': the names in a group agree up to the
    last underscore, or except for their numbers, and two groups begin with the same number of inputs.
    """
    linears = [layer for layer in layers if not layer.is_norm]
    if len({layer.name.rpartition(".")[0] for layer in linears}) != 1:
        return []
    groups: dict[str, list[Named]] = {}
    for layer in linears:
        head, _, _ = layer.name.rpartition(".")[2].rpartition("_")
        groups.setdefault(head or words_of(layer.name), []).append(layer)
    several = [group for group in groups.values() if len(group) > 1]
    taken = [min(group, key=lambda layer: natural_order(layer.name)).n_in for group in several]
    return [group for group, n_in in zip(several, taken, strict=True) if taken.count(n_in) > 1]


def in_order(layers: Sequence[Named], stored: bool, source: str, answers: Answers) -> tuple[list[str], str]:
    """The layers' names in the order in which they act, and a phrase that says what determined it.

    stored : whether the order of `layers` is the file's own. Raises ModelFileError, with the call that gives the order,
        if more than one is possible.
    """
    runs: dict[str, list[Named]] = {}
    for layer in layers:
        runs.setdefault(words_of(layer.name), []).append(layer)
    by_number = [sorted(run, key=lambda layer: natural_order(layer.name)) for run in runs.values()]
    if len(runs) == 1:
        (taken,) = by_number
        how = "by the numbers in their names"
    elif not stored:
        return told_by_shapes(by_number, layers, source, answers)
    else:
        taken, how = list(layers), "as the file stores them"
        if list(runs.values()) != by_number or misplaced(layers, by_number):
            raise answers.question(
                source,
                f"Its layers are stored as {listed(layers)}, which their numbers or the places of its BatchNorms "
                "contradict; order= names them in the order in which they act.",
                order=suggestion(layers),
            )
    if not chains(taken):
        others, _settled = fitting(by_number)
        if not others and stored:
            others, _settled = fitting([list(layers)])
        if others:
            raise answers.question(
                source,
                f"In the order {listed(taken)} ({how}) its layers do not fit one another; order= names them in the "
                f"order in which they act, perhaps {listed(others[0])}.",
                order=names(others[0]),
            )
    return names(taken), how


def told_by_shapes(
    by_number: list[list[Named]], layers: Sequence[Named], source: str, answers: Answers
) -> tuple[list[str], str]:
    """The only order in which shapes fit and numbers increase. Raises ModelFileError, which asks for it, if there are
    several."""
    orders, settled = fitting(by_number)
    if settled and len(orders) == 1:
        return names(orders[0]), "the only one in which their shapes fit"
    if settled and not orders:  # the chain raises the error that names the layer
        return names(by_numbers_first(layers)), "by the numbers in their names"
    fit = ", and so do ".join(listed(order) for order in orders) or "several orders"
    likely = suggestion(layers)
    if len(orders) > 1 and likely == ORDER_TO_GIVE:
        # Both are equally likely: the error shows both calls, and the last one is not a recommendation.
        likely, other = names(orders[1]), answers.python(order=names(orders[0]))
        fit, asked = f"{fit} fit one another", f"order= names them as they act: as in the call that follows, or {other}"
    else:
        fit, asked = f"{fit} fit one another", "order= names them as they act"
    raise answers.question(
        source, f"Such a file lists its layers by name, not as they act: {fit}. {asked}.", order=likely
    )


def misplaced(layers: Sequence[Named], by_number: list[list[Named]]) -> bool:
    """Whether BatchNorms follow one another or come last, as they do if they were created together and used elsewhere.

    False if their numbers, or the shapes, confirm this order.
    """
    norms = [layer.is_norm for layer in layers]
    if not (norms[-1] or any(below and above for below, above in pairwise(norms))):
        return False
    if suggestion(layers) == names(layers):
        return False
    found, settled = fitting(by_number)
    return len(found) > 1 or not settled


def by_numbers_first(layers: Sequence[Named]) -> list[Named]:
    """A likely order: by number, with a Linear before the BatchNorm of the same number, otherwise as they are."""
    return sorted(layers, key=lambda layer: (numbers_of(layer.name), layer.is_norm))


def suggestion(layers: Sequence[Named]) -> list[str]:
    """The order that the numbers make likely, or ORDER_TO_GIVE: names without numbers give no likely order, and users
    would copy a guess."""
    likely = by_numbers_first(layers)
    sure = all(numbers_of(layer.name) for layer in layers) and chains(likely)
    return names(likely) if sure else ORDER_TO_GIVE


def chains(layers: Sequence[Named]) -> bool:
    """Whether each layer has as many inputs as the one before it has outputs."""
    return all(below.n_out == above.n_in for below, above in pairwise(layers))


def fitting(runs: list[list[Named]]) -> tuple[list[list[Named]], bool]:
    """Up to two orders in which all layers fit one another and each run keeps its order, and whether these are all.

    The second is False if the search was stopped.
    """
    total = sum(map(len, runs))
    orders: list[list[Named]] = []
    work = 0
    # Depth first. Each entry: the number of layers used from each run, and the layers so far.
    waiting: list[tuple[tuple[int, ...], list[Named]]] = [((0,) * len(runs), [])]
    while waiting and len(orders) < 2 and work < WORK:
        places, taken = waiting.pop()
        if len(taken) == total:
            orders.append(taken)
            continue
        for i in reversed(range(len(runs))):
            if places[i] < len(runs[i]):
                layer = runs[i][places[i]]
                if work < WORK and (not taken or taken[-1].n_out == layer.n_in):
                    work += total
                    waiting.append(((*places[:i], places[i] + 1, *places[i + 1 :]), [*taken, layer]))
    return orders, not waiting and work < WORK


def names(layers: Sequence[Named]) -> list[str]:
    """The layers' names."""
    return [layer.name for layer in layers]


def listed(layers: Sequence[Named] | Sequence[str], whole: bool = False) -> str:
    """Names for a sentence; in a long list the middle is left out, except in notes (`whole`), which have to be
    complete."""
    words = [repr(layer.name if isinstance(layer, Named) else layer) for layer in layers]
    return ", ".join(words if whole or len(words) <= SHOWN else [*words[: SHOWN - 2], "...", words[-1]])
