"""A network with piecewise-linear parts, as levels that are evaluated, hashed, saved, and passed to the engine.

Conventions of Hanin and Rolnick (2019), section 2: a hidden neuron's pre-activation is z(x), it is active where z(x) >
0, and an activation region is a non-empty open set of inputs on which every hidden neuron has one strict sign. Levels
without neurons or switches are affine and cut nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.arrays import as_floats
from creases.errors import NetworkError
from creases.network.chain import DenseChain, DenseLayer, are_transposed, as_layer, chain_of, levels_of
from creases.network.evaluation import affine_map_of_levels, evaluate
from creases.network.kinks import Clip, Max, ReLU
from creases.network.levels import Level, check_levels
from creases.network.operators import Select
from creases.network.operators.operator import by, whole
from creases.network.saving import Normalisation, hash_of_chain, hash_of_levels, write_network
from creases.notebooks import panel, table
from creases.streams import stream

__all__ = ["Network"]

Floats = NDArray[np.float64]

# The number of widths in the repr of a graph.
SHOWN = 4
# The number of layers in a notebook's table.
LISTED = 12
# The note on arrays of a single layer, the output: it may have been meant as a hidden layer.
AFFINE = "It is one affine map: the only layer is the output. If a ReLU follows it, say output_layer=False."


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """A network: levels of units, connected to the input and to earlier levels. Its outputs are the values of the last
    level.

    Create one with `Network.from_arrays` (a chain of dense layers with ReLU), `creases.build`, `Network.from_levels` or
    `creases.load`. Networks are immutable.

    levels : the levels, number 1 first; the input is level 0.
    input_shape : the shape of one input, e.g. (1, 28, 28); points may be given in this shape or flat.
    normalisation : the normalisation of raw inputs stored in the file, or None.
    notes : sentences on what a reader assumed (ReLU between the layers of a weight file) or rounded (a BatchNorm's
        scale that is not a float64). They are copied to every Count and are not part of the hash.
    sha256 : hash of all numbers that determine the function, in hexadecimal.
    """

    levels: tuple[Level, ...]
    input_shape: tuple[int, ...]
    normalisation: Normalisation | None = None
    notes: tuple[str, ...] = ()
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", tuple(self.levels))
        if not self.levels:
            raise NetworkError("A network needs at least one level; got none.")
        first = self.levels[0]
        if not isinstance(first, Level):
            raise NetworkError(
                f"Level 1 must be a Level, got a {type(first).__name__}. Of weights and biases "
                "Network.from_arrays(weights, biases) makes a network."
            )
        n_in = math.prod(self.input_shape)
        if 0 in first.sources and first.sources[0].n_in != n_in:
            raise NetworkError(
                f"input_shape {self.input_shape} does not hold the {first.sources[0].n_in} inputs of layer 1."
            )
        check_levels(self.levels, n_in)
        digest = hash_of_levels(self.levels, n_in) if self._chain is None else hash_of_chain(self._chain)
        object.__setattr__(self, "sha256", digest)

    @classmethod
    def from_levels(
        cls,
        levels: Iterable[Level],
        *,
        n_in: int | None = None,
        input_shape: Sequence[int] | None = None,
        normalisation: Normalisation | None = None,
        notes: Sequence[str] = (),
    ) -> Network:
        """A network from its levels, number 1 first; the input is level 0, and the last level's values are the outputs.

        n_in, input_shape : number of inputs, or the shape of one input; by default as the first level needs.
        normalisation : stored as given. notes : sentences that are copied to every count of the network.
        Raises NetworkError if there is no level, one is connected to itself or to a later one, or sizes do not fit.

        Examples
        --------
        >>> from creases.network import Abs, Dense, Linear
        >>> Network.from_levels([Level({0: Dense([[1.0, 2.0]])}, [0.5], Abs())])
        Network(2 -> [1], 1 neuron, graph of 1 level)
        """
        kept = tuple(levels)
        if input_shape is not None:
            shape = as_shape(input_shape)
        elif n_in is not None:
            shape = (whole(n_in, "n_in", 1),)
        elif kept and isinstance(kept[0], Level) and 0 in kept[0].sources:
            shape = kept[0].sources[0].input_shape
        else:
            shape = (1,)
        if n_in is not None and math.prod(shape) != n_in:
            raise NetworkError(f"input_shape {shape} holds {math.prod(shape)} inputs, but n_in is {n_in}.")
        return cls(kept, shape, normalisation, tuple(notes))

    @classmethod
    def from_arrays(
        cls,
        weights: Iterable[ArrayLike],
        biases: Iterable[ArrayLike],
        *,
        output_layer: bool = True,
        input_shape: Sequence[int] | None = None,
        normalisation: Normalisation | None = None,
        notes: Sequence[str] = (),
    ) -> Network:
        """A network from its weights and biases, first layer first.

        weights : one array per layer, shape (n_out, n_in); float32 and float16 are converted without loss.
        biases : one array per layer, shape (n_out,).
        output_layer : True (default) if the last layer is the affine output, which has no ReLU;
            False if every layer is hidden.
        input_shape : the shape of one input; default (n_in,).
        normalisation : stored as given. notes : sentences that are copied to every count of the network.
        A single layer with output_layer=True is an affine map, with one region on every domain; a note says so.
        Raises NetworkError if the shapes do not fit, or a number is not finite.

        Examples
        --------
        >>> network = Network.from_arrays([[[1.0], [-1.0]], [[1.0, 1.0]]], [[0.0, 0.0], [0.0]])
        >>> network
        Network(1 -> [2] -> 1, 2 neurons)
        """
        if biases is None:
            raise NetworkError(
                "biases is None. Give one array a layer; for layers without biases zeros, np.zeros(n_out)."
            )
        weights, biases = list(weights), list(biases)
        if len(weights) != len(biases):
            raise NetworkError(f"Got {len(weights)} weights but {len(biases)} biases; each layer needs one of each.")
        if not weights:
            raise NetworkError("Got no layers: weights and biases are empty.")
        if are_transposed(weights, biases):
            shapes = ", ".join(str(np.shape(weight)) for weight in weights)
            raise NetworkError(
                f"All weights are transposed: of shapes {shapes} they fit one another and their biases only as "
                "(n_in, n_out), as Keras, JAX and scikit-learn keep them. Weights here are (n_out, n_in): give "
                "[np.transpose(w) for w in weights]."
            )
        last = len(weights)
        layers = [
            as_layer(weight, bias, f"layer {i} ({'output' if output_layer and i == last else 'hidden'})")
            for i, (weight, bias) in enumerate(zip(weights, biases, strict=True), start=1)
        ]
        n_in = layers[0].n_in
        output = layers.pop() if output_layer else None
        levels = levels_of(layers, output)
        shape = (n_in,) if input_shape is None else as_shape(input_shape)
        return cls(levels, shape, normalisation, (*notes, *([] if layers else [AFFINE])))

    @classmethod
    def he(cls, widths: Sequence[int], *, seed: int = 0, bias_std: float = 0.1) -> Network:
        """A random network at He initialisation; a seed gives the same network on every machine.

        widths : number of inputs, neurons of each hidden layer, number of outputs; [2, 64, 64, 1] has depth two.
        seed : of the generator. bias_std : standard deviation of the biases, not negative.
        Weights are drawn from N(0, 2 / fan-in) and biases from N(0, bias_std^2), layer by layer, weights first, by
        numpy.random.default_rng(seed) (He et al. 2015; Hanin and Rolnick 2019, section 3).
        Raises NetworkError if there is no hidden layer or a width is not positive.

        Examples
        --------
        >>> Network.he([2, 16, 16, 1])
        Network(2 -> [16, 16] -> 1, 32 neurons)
        """
        sizes = list(widths) if isinstance(widths, Iterable) else [widths]
        if len(sizes) < 3 or not all(isinstance(size, (int, np.integer)) and size >= 1 for size in sizes):
            raise NetworkError(
                f"widths must name the inputs, at least one hidden layer and the outputs, all positive; got {widths}."
            )
        if not (isinstance(seed, (int, np.integer)) and seed >= 0 and np.isfinite(bias_std) and bias_std >= 0):
            raise NetworkError(f"seed and bias_std must not be negative; got seed={seed!r} and bias_std={bias_std!r}.")
        rng = stream("network", seed)
        weights, biases = [], []
        for n_in, n_out in pairwise(sizes):
            weights.append(rng.standard_normal((n_out, n_in)) * np.sqrt(2 / n_in))
            biases.append(rng.standard_normal(n_out) * bias_std)
        return cls.from_arrays(weights, biases)

    @cached_property
    def _chain(self) -> DenseChain | None:
        return chain_of(self.levels)

    @property
    def is_chain(self) -> bool:
        """Whether it is a chain: dense levels with ReLU one after the other, and an optional affine output."""
        return self._chain is not None

    def _as_chain(self, what: str) -> DenseChain:
        if self._chain is None:
            raise NetworkError(
                f"{self!r} is no chain of dense layers with ReLU but a graph, and has no `{what}`; its levels are in "
                "`network.levels`."
            )
        return self._chain

    @property
    def hidden(self) -> tuple[DenseLayer, ...]:
        """The hidden layers of a chain, first to last. Raises NetworkError if the network is a graph."""
        return self._as_chain("hidden").hidden

    @property
    def output(self) -> DenseLayer | None:
        """The output layer of a chain, or None. Raises NetworkError if the network is a graph."""
        return self._as_chain("output").output

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return math.prod(self.input_shape)

    @property
    def n_out(self) -> int:
        """Number of outputs: the values of the last level."""
        return self.levels[-1].n_values

    @cached_property
    def layers(self) -> tuple[int, ...]:
        """The numbers of the levels that are counted as layers: those with neurons or switches."""
        return tuple(number for number, level in enumerate(self.levels, start=1) if level.is_layer)

    @property
    def layer_names(self) -> tuple[str, ...]:
        """The names of the layers; "layer 1", "layer 2", ... if their level has none."""
        return tuple(self.levels[number - 1].name or f"layer {i}" for i, number in enumerate(self.layers, start=1))

    @property
    def depth(self) -> int:
        """Number of layers: hidden layers of a chain, levels with neurons or switches of a graph."""
        return len(self.layers)

    @property
    def widths(self) -> tuple[int, ...]:
        """Neurons and switches of each layer; a clip is two neurons."""
        kept = (self.levels[number - 1] for number in self.layers)
        return tuple(level.neurons + level.switches for level in kept)

    @property
    def neurons(self) -> int:
        """Number of hidden neurons and switches, N in Hanin and Rolnick (2019)."""
        return sum(self.widths)

    def __reduce__(self) -> tuple[type[Network], tuple[Any, ...]]:
        # Unpickling creates it again, so that its arrays are read-only, and without cached values.
        return Network, (self.levels, self.input_shape, self.normalisation, self.notes)

    def __repr__(self) -> str:
        if self._chain is not None:
            widths = ", ".join(str(width) for width in self.widths)
            end = f" -> {self.output.n_out}" if self.output else ""
            shape = f", input_shape={self.input_shape}" if len(self.input_shape) > 1 else ""
            return f"Network({self.n_in} -> [{widths}]{end}, {self.neurons} neurons{shape})"
        widths = ", ".join([*(str(width) for width in self.widths[:SHOWN]), *([".."] if self.depth > SHOWN else [])])
        end = "" if len(self.levels) in self.layers else f" -> {self.n_out}"
        switches = sum(level.switches for level in self.levels)
        counts = [counted(self.neurons - switches, "neuron")] if self.neurons > switches or not switches else []
        counts += [counted(switches, "switch", "es")] if switches else []
        size = counted(len(self.levels), "level")
        return f"Network({by(self.input_shape)} -> [{widths}]{end}, {' and '.join(counts)}, graph of {size})"

    def _repr_html_(self) -> str:
        layers = [self.levels[number - 1] for number in self.layers]
        listed = [
            (name, type(level.kink).__name__, f"{level.neurons:,}", f"{level.switches:,}")
            for name, level in zip(self.layer_names[:LISTED], layers, strict=False)
        ]
        if self.depth > LISTED:
            listed.append((f"and {self.depth - LISTED} more", "", "", ""))
        rows = [
            ("inputs", by(self.input_shape)),
            ("outputs", f"{self.n_out:,}"),
            ("neurons and switches", f"{self.neurons:,}"),
            ("kind", "chain of dense layers with ReLU" if self.is_chain else f"graph of {len(self.levels):,} levels"),
            ("sha256", self.sha256[:12]),
            *(("note", note) for note in self.notes),
        ]
        shown = table(listed, ("layer", "kink", "neurons", "switches")) if listed else ""
        return panel("Network", table(rows), shown)

    def points(self, points: ArrayLike) -> Floats:
        """Points as a float64 array of shape (..., n_in), given flat or in `input_shape`.

        Raises NetworkError if the shape fits neither, or a coordinate is not finite.
        """
        array = as_floats(points, "Points", NetworkError)
        rank = len(self.input_shape)
        if array.ndim >= 1 and array.shape[-1] == self.n_in:
            flat = array
        elif array.ndim >= rank and array.shape[array.ndim - rank :] == self.input_shape:
            flat = array.reshape(*array.shape[: array.ndim - rank], self.n_in)
        else:
            own = f" or (..., {', '.join(map(str, self.input_shape))})" if rank > 1 else ""
            raise NetworkError(f"Points must have shape (..., {self.n_in}){own}, got shape {array.shape}.")
        if not np.isfinite(flat).all():
            raise NetworkError("A point has a coordinate that is not finite.")
        return flat

    def pre_activations(self, points: ArrayLike) -> list[Floats]:
        """Pre-activations z, one float64 array of shape (..., n_units) per layer.

        points : shape (..., n_in) or (..., *input_shape). Layers are the levels with neurons or switches.
        Raises NetworkError as `points` does.
        """
        return [z for level, z, _ in evaluate(self.levels, self.points(points)) if level.is_layer]

    def forward(self, points: ArrayLike) -> Floats:
        """The outputs of the network, float64 (..., n_out).

        points : shape (..., n_in) or (..., *input_shape). Raises NetworkError as `points` does.
        """
        values = np.zeros(0)
        for _, _, latest in evaluate(self.levels, self.points(points)):
            values = latest
        return np.asarray(values)

    def pattern(self, points: ArrayLike) -> list[NDArray[Any]]:
        """Activation patterns, one array per layer.

        points : shape (..., n_in) or (..., *input_shape). Raises NetworkError as `points` does.
        For neurons bool (..., neurons): True where z > 0 in float64; linear units are left out. For a clip bool (..., 2
        n_units): z > low for every unit, then z > high for every unit. For switches int64 (..., switches): the position
        of the winner in its group, the lowest among equal ones.
        Within rounding errors of a boundary the sign may be wrong. `count` and `subdivide` prove their signs.
        """
        return [level.kink.pattern(z) for level, z, _ in evaluate(self.levels, self.points(points)) if level.is_layer]

    def packed_pattern(self, points: ArrayLike) -> NDArray[np.uint8]:
        """`pattern` as bits, uint8 of shape (..., ceil(bits / 8)): bit i is bit i % 8 of byte i // 8.

        The neurons of all layers, in order, have one bit each. A switch has one bit for each candidate of its group, of
        which only the winner's is set.
        """
        kinks = (self.levels[number - 1].kink for number in self.layers)
        bits = [kink.bits(pattern) for kink, pattern in zip(kinks, self.pattern(points), strict=True)]
        if not bits:
            return np.zeros((*self.points(points).shape[:-1], 0), dtype=np.uint8)
        return np.packbits(np.concatenate(bits, axis=-1), axis=-1, bitorder="little")

    @cached_property
    def places(self) -> tuple[NDArray[np.int64], ...]:
        """Number of bits of each neuron or switch in a packed pattern: for each layer int64 (neurons + switches,).

        It is 1 for a neuron, and the number of candidates for a switch.
        """
        kept = (self.levels[number - 1] for number in self.layers)
        return tuple(level.kink.places(level.n_units) for level in kept)

    @property
    def bits(self) -> int:
        """Number of bits of a packed pattern; without switches this is the number of neurons."""
        return sum(int(places.sum()) for places in self.places)

    def unpacked_pattern(self, packed: ArrayLike) -> list[NDArray[Any]]:
        """The pattern of one row of `packed_pattern`, one array per layer, as `pattern` gives it for one point.

        packed : uint8, shape (ceil(bits / 8),). Raises NetworkError if the row is too short, or a switch does not have
            one winner.
        """
        row = np.asarray(packed, dtype=np.uint8)
        if row.shape != ((self.bits + 7) // 8,):
            raise NetworkError(f"A packed pattern has shape ({(self.bits + 7) // 8},), got {row.shape}.")
        bits = np.unpackbits(row, bitorder="little", count=self.bits).astype(np.bool_)
        ends = np.cumsum([int(places.sum()) for places in self.places], dtype=np.int64)
        kinks = (self.levels[number - 1].kink for number in self.layers)
        return [kink.of_bits(part) for kink, part in zip(kinks, np.split(bits, ends[:-1]), strict=False)]

    def affine_map(self, point: ArrayLike) -> tuple[Floats, Floats]:
        """The affine map x -> matrix @ x + offset of the network on the region of a point.

        point : shape (n_in,) or input_shape.
        Returns (matrix of shape (n_out, n_in), offset of shape (n_out,)), both float64.
        """
        flat = self.points(point)
        if flat.ndim != 1:
            raise NetworkError(f"affine_map takes one point, got an array of shape {np.shape(point)}.")
        return self.affine_map_of(self.pattern(flat))

    def affine_map_of(self, pattern: Sequence[ArrayLike]) -> tuple[Floats, Floats]:
        """The affine map of an activation pattern (one array per layer, as `pattern` gives it for one point).

        Returns (matrix of shape (n_out, n_in), offset of shape (n_out,)), both float64.
        Raises NetworkError if the pattern does not fit the layers.
        """
        if len(pattern) != self.depth:
            raise NetworkError(f"A pattern has one array for each of the {self.depth} layers, got {len(pattern)}.")
        return affine_map_of_levels(self.levels, pattern, self.n_in)

    def without_biases(self) -> Network:
        """The network with all biases set to zero, also those of the output. It is scale equivariant: N(c x) = c N(x)
        for c > 0.

        Its regions are open cones (Hanin and Rolnick 2019, appendix D); counts of this network on `Directions` count
        them.
        Raises NetworkError if a level has a Clip, whose bounds are biases and cannot both be zero.
        """
        for number, level in enumerate(self.levels, start=1):
            if isinstance(level.kink, Clip):
                named = f" ({level.name})" if level.name else ""
                raise NetworkError(
                    f"Level {number}{named} has a clip, {level.kink!r}, whose bounds are "
                    "not zero: no network with it is scale equivariant, and its regions are not cones."
                )
        bare = tuple(Level(level.sources, None, level.kink, level.name) for level in self.levels)
        return Network(bare, self.input_shape, notes=self.notes)

    def with_argmax(self) -> Network:
        """The network with an additional level, "argmax", a switch over all outputs.

        Its activation regions are those of the network cut by the decision boundaries, and the last entry of a pattern
        is the class, the lowest among equal outputs. Its single output is the largest output of the network.
        """
        n = self.n_out
        level = Level({len(self.levels): Select.all(n)}, None, Max((tuple(range(n)),)), "argmax")
        return Network((*self.levels, level), self.input_shape, self.normalisation, self.notes)

    def with_level_set(self, level: float = 0.0, output: int = 0) -> Network:
        """The network with an additional level, "level set", of one neuron with pre-activation output - level.

        level : a number, converted to float64; nothing else is rounded. output : index of the output, from 0.
        The level set is the bent hyperplane of this neuron. The last bit of a pattern is True where the output is
        larger.
        Raises NetworkError if the level is not finite or there is no such output.
        """
        n, place = self.n_out, whole(output, "output", 0)
        if place >= n:
            raise NetworkError(f"output must be from 0 to {n - 1}, as the network has {n}; got {output!r}.")
        value = as_floats(level, "level", NetworkError)
        if value.ndim or not np.isfinite(value):
            raise NetworkError(f"level must be one finite number, got {level!r}.")
        neuron = Level({len(self.levels): Select(np.array([place]), n)}, [-float(value)], ReLU(), "level set")
        return Network((*self.levels, neuron), self.input_shape, self.normalisation, self.notes)

    def save(self, path: str | Path) -> Path:
        """Write the network as `.npz` (plain arrays, no pickles), completely or not at all; `creases.load` reads it."""
        path = Path(path)
        write_network(self, path)
        return path


def counted(number: int, noun: str, plural: str = "s") -> str:
    """A number with its noun, in the plural if needed."""
    return f"{number:,} {noun}{'' if number == 1 else plural}"


def as_shape(input_shape: Sequence[int]) -> tuple[int, ...]:
    """An input shape as a tuple. Raises NetworkError unless it consists of positive integers."""
    sides = tuple(input_shape)
    if not all(int(side) == side and side > 0 for side in sides):
        raise NetworkError(f"input_shape must hold positive whole numbers, got {sides}.")
    return tuple(int(side) for side in sides)
