"""A ReLU network as plain arrays: what is evaluated, hashed, saved, and handed to the engine.

Conventions of Hanin and Rolnick (2019), section 2: a hidden neuron's pre-activation is z(x), it is
active where z(x) > 0, and an activation region is a non-empty open set of inputs on which every hidden
neuron keeps one strict sign. The output layer is affine and cuts nothing.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.arrays import as_floats
from creases.errors import ModelFileError, NetworkError
from creases.files import replace_file
from creases.streams import stream

__all__ = ["Dense", "Network", "Normalisation"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FORMAT = "creases-network-1"


@dataclass(frozen=True, eq=False, repr=False)
class Dense:
    """One fully connected layer, x -> weight @ x + bias.

    weight : float64, shape (n_out, n_in). Read-only.
    bias : float64, shape (n_out,). Read-only.
    """

    weight: Floats
    bias: Floats

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return int(self.weight.shape[1])

    @property
    def n_out(self) -> int:
        """Number of neurons."""
        return int(self.weight.shape[0])

    def __repr__(self) -> str:
        return f"Dense({self.n_in} -> {self.n_out})"


@dataclass(frozen=True, eq=False)
class Normalisation:
    """How a file's raw inputs and outputs map to the network's own: x = (clip(raw) - mean) / range.

    minimum, maximum, mean, range : float64, shape (n_in,). Clipping limits, shift and scale of the inputs.
    output_mean, output_range : floats; raw output = network output * output_range + output_mean.
    applied : True if the reader has folded shift and scale into the first and last layer, so that the
        network takes raw inputs and gives raw outputs; False if the network takes normalised inputs.
    """

    minimum: Floats
    maximum: Floats
    mean: Floats
    range: Floats
    output_mean: float
    output_range: float
    applied: bool = False


def as_layer(weight: ArrayLike, bias: ArrayLike, name: str) -> Dense:
    """Check one layer's arrays; `name` goes into the error ("layer 2 (hidden)")."""
    weights = as_floats(weight, f"{name}: weight", NetworkError)
    if bias is None:
        raise NetworkError(
            f"{name}: bias is None. For a layer without biases give zeros: np.zeros({len(np.atleast_1d(weights))})."
        )
    biases = as_floats(bias, f"{name}: bias", NetworkError)
    if weights.ndim != 2:
        raise NetworkError(f"{name}: weight must have shape (n_out, n_in), got shape {weights.shape}.")
    if 0 in weights.shape:
        raise NetworkError(
            f"{name}: weight has shape {weights.shape}; every layer needs at least one input and one neuron."
        )
    if biases.shape != (weights.shape[0],):
        turned = (
            f" With weight of shape {weights.shape} the weights seem to stand as (n_in, n_out), as Keras, JAX and "
            "scikit-learn keep them; transpose them: [w.T for w in weights]."
        )
        raise NetworkError(
            f"{name}: bias must have shape ({weights.shape[0]},), one number a neuron, got shape {biases.shape}."
            f"{turned if biases.shape == (weights.shape[1],) else ''}"
        )
    for values, what in ((weights, "weight"), (biases, "bias")):
        wrong = ~np.isfinite(values)
        if wrong.any():
            where = tuple(int(i) for i in np.argwhere(wrong)[0])
            raise NetworkError(
                f"{name}: {what}{list(where)} is {values[where]}; every weight must be finite. "
                "The network may have diverged in training."
            )
        values.setflags(write=False)
    return Dense(weights, biases)


def as_shape(input_shape: Sequence[int]) -> tuple[int, ...]:
    """An input shape, checked."""
    sides = tuple(input_shape)
    if not all(int(side) == side and side > 0 for side in sides):
        raise NetworkError(f"input_shape must hold positive whole numbers, got {sides}.")
    return tuple(int(side) for side in sides)


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """A chain of dense hidden layers, each followed by ReLU, and an optional affine output layer.

    Make one with `Network.from_arrays` or `creases.load`; nothing in it can change afterwards.

    hidden : the hidden layers, first to last.
    output : the output layer, or None.
    input_shape : the shape of one input as its users know it, e.g. (1, 28, 28); points may be given in it or flat.
    normalisation : what the file says about raw inputs, or None.
    notes : what a reader assumed (ReLU between the layers of a weight file) and did that is not a plain copy (a folded
        BatchNorm), one sentence each. They travel to every Count and are no part of the hash.
    """

    hidden: tuple[Dense, ...]
    output: Dense | None
    input_shape: tuple[int, ...]
    normalisation: Normalisation | None = None
    notes: tuple[str, ...] = ()
    sha256: str = field(init=False)

    def __post_init__(self) -> None:
        if not self.hidden:
            raise NetworkError(
                "A network needs at least one hidden layer with ReLU; got none. "
                "If your last layer is hidden too, pass output_layer=False."
            )
        chain = [*self.hidden, *([self.output] if self.output else [])]
        for number, (below, above) in enumerate(pairwise(chain), start=2):
            if above.n_in != below.n_out:
                raise NetworkError(
                    f"layer {number} takes {above.n_in} inputs but layer {number - 1} has {below.n_out} neurons. "
                    "Weights have shape (n_out, n_in); transpose them if yours are (n_in, n_out)."
                )
        if math.prod(self.input_shape) != self.n_in:
            raise NetworkError(f"input_shape {self.input_shape} does not hold the {self.n_in} inputs of layer 1.")
        object.__setattr__(self, "sha256", self._hash(chain, len(self.hidden)))

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

        weights : one array a layer, shape (n_out, n_in); float32 and float16 widen without loss.
        biases : one array a layer, shape (n_out,).
        output_layer : True (default) if the last layer is the affine output, which has no ReLU;
            False if every layer given is hidden.
        input_shape : the shape of one input; default (n_in,).
        notes : sentences that every count of the network repeats.
        Raises NetworkError on shapes that do not chain, numbers that are not finite, or no hidden layer.

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
        last = len(weights)
        layers = [
            as_layer(weight, bias, f"layer {i} ({'output' if output_layer and i == last else 'hidden'})")
            for i, (weight, bias) in enumerate(zip(weights, biases, strict=True), start=1)
        ]
        output = layers.pop() if output_layer else None
        n_in = [*layers, *([output] if output else [])][0].n_in
        shape = (n_in,) if input_shape is None else as_shape(input_shape)
        return cls(tuple(layers), output, shape, normalisation, tuple(notes))

    @classmethod
    def he(cls, widths: Sequence[int], *, seed: int = 0, bias_std: float = 0.1) -> Network:
        """A network at He initialisation, the same on every machine for one seed.

        widths : number of inputs, neurons of each hidden layer, number of outputs; [2, 64, 64, 1] has depth two.
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

    @staticmethod
    def _hash(chain: Sequence[Dense], depth: int) -> str:
        # Little-endian float64 bytes in C order: the same on every platform. Shapes first, so that no two
        # networks share a byte stream.
        digest = hashlib.sha256(f"{FORMAT}|{depth} hidden".encode())
        for layer in chain:
            digest.update(f"|{layer.n_out},{layer.n_in}|".encode())
            digest.update(layer.weight.astype("<f8").tobytes())
            digest.update(layer.bias.astype("<f8").tobytes())
        return digest.hexdigest()

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return self.hidden[0].n_in

    @property
    def n_out(self) -> int:
        """Number of outputs; of the last hidden layer's neurons where there is no output layer."""
        return (self.output or self.hidden[-1]).n_out

    @property
    def depth(self) -> int:
        """Number of hidden layers."""
        return len(self.hidden)

    @property
    def widths(self) -> tuple[int, ...]:
        """Neurons of each hidden layer."""
        return tuple(layer.n_out for layer in self.hidden)

    @property
    def neurons(self) -> int:
        """Number of hidden neurons, the N of the paper."""
        return sum(self.widths)

    def __repr__(self) -> str:
        widths = ", ".join(str(width) for width in self.widths)
        end = f" -> {self.output.n_out}" if self.output else ""
        shape = f", input_shape={self.input_shape}" if len(self.input_shape) > 1 else ""
        return f"Network({self.n_in} -> [{widths}]{end}, {self.neurons} neurons{shape})"

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
        """Pre-activations z of every hidden neuron, one array of shape (..., n_l) a layer, in float64."""
        values = self.points(points)
        result = []
        for layer in self.hidden:
            z = values @ layer.weight.T + layer.bias
            result.append(z)
            values = np.maximum(z, 0.0)
        return result

    def forward(self, points: ArrayLike) -> Floats:
        """The network's outputs, shape (..., n_out); of the last ReLU where there is no output layer."""
        values = np.maximum(self.pre_activations(points)[-1], 0.0)
        if self.output is not None:
            values = values @ self.output.weight.T + self.output.bias
        return np.asarray(values)

    def pattern(self, points: ArrayLike) -> list[Bools]:
        """Activation patterns, one bool array of shape (..., n_l) a layer: True where z > 0 in float64.

        Nearer to a boundary than rounding error the float sign may be wrong; `count` and `subdivide`
        prove theirs.
        """
        return [z > 0.0 for z in self.pre_activations(points)]

    def packed_pattern(self, points: ArrayLike) -> NDArray[np.uint8]:
        """`pattern` in bits, uint8 of shape (..., ceil(N / 8)): neuron i of the chain is bit i % 8 of byte i // 8."""
        return np.packbits(np.concatenate(self.pattern(points), axis=-1), axis=-1, bitorder="little")

    def affine_map(self, point: ArrayLike) -> tuple[Floats, Floats]:
        """The affine map x -> matrix @ x + offset that the network is on the region of one point.

        point : shape (n_in,) or input_shape.
        Returns (matrix of shape (n_out, n_in), offset of shape (n_out,)), both float64.
        """
        flat = self.points(point)
        if flat.ndim != 1:
            raise NetworkError(f"affine_map takes one point, got an array of shape {np.shape(point)}.")
        return self.affine_map_of(self.pattern(flat))

    def affine_map_of(self, pattern: Sequence[ArrayLike]) -> tuple[Floats, Floats]:
        """The affine map of an activation pattern (one bool array a layer, as `pattern` gives them)."""
        matrix, offset = np.eye(self.n_in), np.zeros(self.n_in)
        for layer, active in zip(self.hidden, pattern, strict=True):
            on = np.asarray(active, dtype=np.float64)
            matrix = on[:, None] * (layer.weight @ matrix)
            offset = on * (layer.weight @ offset + layer.bias)
        if self.output is not None:
            matrix, offset = self.output.weight @ matrix, self.output.weight @ offset + self.output.bias
        return matrix, offset

    def without_biases(self) -> Network:
        """The same weights with every bias zero, the output's too: scale equivariant, N(c x) = c N(x) for c > 0.

        Its regions are open cones (Hanin and Rolnick 2019, appendix D), as many as `Directions` has of this network.
        """
        chain = [*self.hidden, *([self.output] if self.output else [])]
        return Network.from_arrays(
            [layer.weight for layer in chain],
            [np.zeros_like(layer.bias) for layer in chain],
            output_layer=self.output is not None,
            input_shape=self.input_shape,
            notes=self.notes,
        )

    def save(self, path: str | Path) -> Path:
        """Write the network as `.npz` (plain arrays, no pickles), whole or not at all; `creases.load` opens it."""
        path = Path(path)
        if path.suffix != ".npz":
            raise ModelFileError(f"Networks are saved as .npz, got {path.name!r}. Rename it {path.stem}.npz.")
        arrays: dict[str, Any] = {}
        chain = [*self.hidden, *([self.output] if self.output else [])]
        for i, layer in enumerate(chain, start=1):
            arrays[f"weight_{i}"], arrays[f"bias_{i}"] = layer.weight, layer.bias
        header = {
            "format": FORMAT,
            "output_layer": self.output is not None,
            "input_shape": list(self.input_shape),
            "notes": list(self.notes),
            "sha256": self.sha256,
        }
        if self.normalisation is not None:
            norm = self.normalisation
            for name in ("minimum", "maximum", "mean", "range"):
                arrays[f"normalisation_{name}"] = getattr(norm, name)
            header["normalisation"] = {
                "output_mean": norm.output_mean,
                "output_range": norm.output_range,
                "applied": norm.applied,
            }
        arrays["header"] = np.array(json.dumps(header))

        def write(partial: Path) -> None:
            with partial.open("wb") as file:
                np.savez_compressed(file, **arrays)

        replace_file(path, write)
        return path
