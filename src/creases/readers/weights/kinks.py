"""The positions of the kinks in a weight file: between its layers, as the caller says, or where numbered names have
gaps.

Among a Linear, BatchNorms and the next Linear, this module decides on which side of the BatchNorms the kink is. Modules
without weights leave gaps in the numbers of a Sequential. One gap is the kink's position; two gaps are ambiguous; and
if some neighbours have a gap and others have none, the latter are one affine map, whatever the caller says about the
whole network.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from creases.errors import ModelFileError, UnsupportedModelError
from creases.readers.chain import Chain
from creases.readers.weights.activations import LINEAR, RELU, after, is_activation
from creases.readers.weights.answers import Answers
from creases.readers.weights.layer_order import Named, abreast, in_order, listed, side_by_side, suggestion

__all__ = ["Kinks", "note_place", "placed", "reading"]


@dataclass(frozen=True)
class Kinks:
    """The activations by the index of the layer that they follow; -1 is before the first layer.

    told : whether `order` determined the positions.
    """

    places: Mapping[int, str]
    told: bool = False


def placed(
    layers: Mapping[str, Named], entries: Sequence[str] | None, stored: bool, source: str, answers: Answers
) -> tuple[list[str], str, Kinks]:
    """The layers' names in their order, a phrase that says what determined it, and the positions of the kinks.

    Raises ModelFileError, which asks for an argument, if neither the file nor the arguments determine them.
    """
    if entries is None:
        known = list(layers.values())
        if several := side_by_side(known):
            raise ask_which(several, layers, source, answers)
        if groups := abreast(known):
            raise answers.question(
                source,
                f"{' and '.join(map(listed, groups))} stand side by side in it, each with as many inputs: networks of "
                "their own, or parts of one. order= chooses one of them, as in the call that follows, or names the "
                "layers of a chain that runs through several.",
                order=suggestion(groups[0]),
            )
        names, how = in_order(known, stored, source, answers)
    else:
        names, how = [name for name in entries if name in layers], "as order= gives them"
        if any(entry not in layers for entry in entries):
            return names, how, Kinks(kinks_told(entries, layers, answers), told=True)
    linears = [i for i, name in enumerate(names) if not layers[name].is_norm]
    spans = list(pairwise(linears))
    words = words_for(names, linears, source, answers)
    if isinstance(answers.activation, str | None) and words[0] != LINEAR:
        check_room(names, spans, words[0], source, answers)
    places = {
        relu_place(names[first : last + 1], first, source, answers): word
        for (first, last), word in zip(spans, words, strict=False)
        if word != LINEAR
    }
    return names, how, Kinks({**places, len(names) - 1: words[-1]})


def words_for(names: Sequence[str], linears: Sequence[int], source: str, answers: Answers) -> list[str]:
    """The activation after each Linear, "linear" if there is none.

    Raises ModelFileError on a list that does not have one entry per Linear.
    """
    told = answers.activation
    if not isinstance(told, tuple):
        word = told or RELU
        return [word] * (len(linears) - 1) + [word if answers.final_kink else LINEAR]
    if len(told) == len(linears):
        return list(told)
    known = [names[i] for i in linears]
    right = [*told, *[LINEAR] * len(linears)][: len(linears)]
    raise ModelFileError(
        f"{source}: activation= has {len(told)} entries for {len(known)} Linear layers, {listed(known)}. Give one for "
        f'each, "linear" where nothing follows: {answers.python(activation=right)}.'
    )


def ask_which(several: list[str], layers: Mapping[str, Named], source: str, answers: Answers) -> ModelFileError:
    """The error that asks which of several networks is meant; no prefix chooses layers at the fork itself."""
    heads = [name for name in several if name in layers]
    prefixes = [name for name in several if name not in layers]
    what = " and ".join([*([listed(heads)] if heads else []), *map(repr, prefixes)])
    problem = f"{what} stand side by side in it: networks of their own, or parts of one."
    chain = "order= names the layers of a chain that runs through several."
    if not heads:
        return answers.question(source, f"{problem} prefix= chooses one of them; {chain}", prefix=several[0])
    return answers.question(
        source,
        f"{problem} order= chooses {listed(heads)}, as in the call that follows, and prefix= another, "
        f"{answers.python(prefix=prefixes[0])}; {chain}",
        order=suggestion([layers[name] for name in heads]),
    )


def kinks_told(entries: Sequence[str], layers: Mapping[str, Named], answers: Answers) -> dict[int, str]:
    """The activations at the positions that `order` gives. Raises ModelFileError if it contradicts itself or
    `activation`."""
    places: dict[int, str] = {}
    at = -1
    for entry in entries:
        if entry in layers:
            at += 1
        elif places.setdefault(at, entry) != entry:
            raise ModelFileError(f"order= places {entry!r} directly behind {places[at]!r}. Name one of them.")
    words = list(dict.fromkeys(places.values()))
    told = answers.activation
    if told is not None and words != [told]:
        raise ModelFileError(
            f"order= places {listed(words)}, but activation= says {as_said(told)}. Where order= places activations, "
            f"leave activation= out: {answers.python(activation=None)}."
        )
    if answers.final_kink:
        if len(words) > 1 and at not in places:
            raise ModelFileError(f"final_kink= does not say which of {listed(words)} it is: place it in order=.")
        places.setdefault(at, words[0])
    return places


def as_said(told: str | Sequence[str]) -> str:
    """An activation, or a list of them, as in a call."""
    return json.dumps(told if isinstance(told, str) else list(told))


def module_number(name: str) -> tuple[str, int] | None:
    """The part of a name before its last number, and that number, if the last part is one: 'net.', 3."""
    match = re.fullmatch(r"(|.*\.)([0-9]{1,9})", name)
    return None if match is None else (match[1], int(match[2]))


def check_room(
    names: Sequence[str], spans: Sequence[tuple[int, int]], word: str, source: str, answers: Answers
) -> None:
    """Refuse numbers with gaps for kinks between some Linears and none between others: 0, 1, 3.

    Numbers without any gap are those of a list of layers, whose kinks have no number.
    """
    room: dict[str, dict[int, bool]] = {}
    for first, last in spans:
        numbers = [module_number(name) for name in names[first : last + 1]]
        stems = {number[0] for number in numbers if number}
        if None not in numbers and len(stems) == 1:
            steps = [above[1] - below[1] for below, above in pairwise(number for number in numbers if number)]
            if min(steps) > 0:  # otherwise the caller's order is not that of the numbers, which then say nothing
                room.setdefault(stems.pop(), {})[first] = max(steps) > 1
    full = {first for places in room.values() if any(places.values()) for first, free in places.items() if not free}
    if not full:
        return
    ends = dict(spans)
    first = min(full)
    with_kinks, without = (
        [entry for i, name in enumerate(names) for entry in ((name, word) if i in kinks else (name,))]
        for kinks in (
            {last - 1 for last in ends.values()},
            {last - 1 for first, last in spans if first not in full},
        )
    )
    raise answers.question(
        source,
        f"The numbers of '{names[first]}' and '{names[ends[first]]}' leave no place for a ReLU between them, while "
        "others do: as numbered they are one affine map. order= says where each ReLU stands: either as in the call "
        f"that follows, which makes them one layer, or {answers.python(order=with_kinks)}.",
        order=without,
    )


def relu_place(prefixes: Sequence[str], first: int, source: str, answers: Answers) -> int:
    """The index of the layer that the ReLU follows, among a Linear, BatchNorms and the next Linear.

    prefixes : the names of these layers; the first of them has the index `first`.
    """
    last = first + len(prefixes) - 2
    if last == first:
        return first
    numbers = [re.fullmatch(r"(.*?)([0-9]{1,9})", prefix) for prefix in prefixes]
    if any(number is None for number in numbers) or len({number[1] for number in numbers if number}) > 1:
        return last
    at = [int(number[2]) for number in numbers if number]
    gaps = [i for i, (below, above) in enumerate(pairwise(at)) if above - below > 1]
    if len(gaps) > 1:
        raise UnsupportedModelError(
            f"{source}: modules without weights stand on more than one side of the BatchNorm between "
            f"'{prefixes[0]}' and '{prefixes[-1]}', so the place of the ReLU is not known. Load the torch "
            'module itself, creases.load(model), or write "relu" among the names of order= where it stands.'
        )
    return first + gaps[0] if gaps else last


def reading(names: Sequence[str], how: str, kinks: Kinks, source: str, answers: Answers) -> str:
    """The sentence that says how the file is read."""
    told = answers.activation
    if kinks.told:
        order = answers.order or ()
        last = kinks.places[max(kinks.places)]
        ends = answers.final_kink and not is_activation(order[-1])
        end = f", and {a_kink(last)} after the last, as final_kink= says" if ends else ""
        return f"{source} holds weights and no graph: it is read as {listed(order, whole=True)}, as order= says{end}."
    begin = f"{source} holds weights and no graph: it is read as the layers {listed(names, whole=True)}, {how}, "
    if isinstance(told, tuple):
        return f"{begin}and behind them {', '.join(map(after, told))}, as activation={as_said(told)} says."
    end = "and after the last" if answers.final_kink else "none after the last"
    if told == LINEAR:
        return f'{begin}and nothing between them, as activation="{LINEAR}" says.'
    return f'{begin}{after(told or RELU)} between them, {end}, and nothing else, as activation="{told}" says.'


def a_kink(word: str) -> str:
    """An activation with its article."""
    return "a ReLU" if word == RELU else after(word)


def note_place(layers: Sequence[Named], i: int, kinks: Kinks, chain: Chain) -> None:
    """Note on which side of a BatchNorm the kink was assumed."""
    if kinks.told:
        return
    what = "The ReLU" if kinks.places[i] == RELU else f"The activation, {after(kinks.places[i])},"
    if layers[i].is_norm:
        chain.note(f"{what} is assumed to follow BatchNorm '{layers[i].name}'.")
    elif i + 1 < len(layers) and layers[i + 1].is_norm:
        chain.note(f"{what} is assumed to stand before BatchNorm '{layers[i + 1].name}', by their numbers.")
