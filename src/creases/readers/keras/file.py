"""`.keras` and `.h5` files: a model's configuration as JSON and its weights, read without Keras.

This module finds the weights of each layer. A `.keras` file is a zip of `config.json` and `model.weights.h5`, in which
a layer's variables are in the order in which the layer created them; `.h5` files, the older format, list them by name.
No code is run: a Lambda layer, whose code is in the file, is refused (`layers`).
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from creases.errors import ModelFileError, UnsupportedModelError
from creases.network import Network
from creases.readers.damage import damage_named
from creases.readers.keras.hdf5 import Hdf5, opened
from creases.readers.keras.model import WeightStore, network_of

__all__ = ["read_keras", "read_keras_h5"]

Floats = NDArray[np.float64]

BLOWUP = 1032
LONGEST = 2**26  # bytes of a configuration
MEMBERS = ("config.json", "model.weights.h5")
LAYERS = ("layers", "_layer_checkpoint_dependencies")  # of Keras 3, and of the .keras files of TensorFlow 2.12 to 2.15
LARGEST_SEED = 2  # numbers
AGAIN = 'Save the whole model: model.save("net.keras").'


def read_keras(data: bytes, source: str) -> Network:
    """The network in a .keras file.

    data : the whole file. source : its name, for messages.
    Raises ModelFileError if the file is damaged; UnsupportedModelError, with class and name, on a layer that is not
    piecewise linear or not known; MissingExtraError without h5py; NetworkError if the weights are not a valid network.
    """
    with damage_named(source), zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {member.filename: member for member in archive.infolist()}
        if missing := [name for name in MEMBERS if name not in members]:
            raise ModelFileError(f"{source} lacks {missing[0]}, so it is no .keras file of Keras 3. {AGAIN}")
        for name in MEMBERS:
            claimed, stored = members[name].file_size, members[name].compress_size
            if claimed > BLOWUP * stored or stored > len(data) or (name == MEMBERS[0] and claimed > LONGEST):
                raise ModelFileError(f"{source}: {name} claims {claimed:,} bytes, which it cannot have.")
        text, weights = (archive.read(name) for name in MEMBERS)
    config = configuration(text.decode("utf-8", errors="replace"), source)
    return network_of(config, Numbered(opened(weights, source), ""), source)


def read_keras_h5(data: bytes, source: str) -> Network:
    """The network in a .h5 file that `model.save` of Keras wrote. Parameters and exceptions are those of
    `read_keras`."""
    file = opened(data, source)
    config = file.text("", "model_config")
    if config is None:
        raise ModelFileError(f"{source} holds weights alone, and not how its layers are connected. {AGAIN}")
    return network_of(configuration(config, source), NamedGroups(file), source)


def configuration(text: str, source: str) -> dict[str, Any]:
    """The JSON of a configuration."""
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{source}: its configuration is no JSON ({error}).") from error
    if not isinstance(config, dict):
        raise ModelFileError(f"{source}: its configuration is no JSON object.")
    return config


class Numbered(WeightStore):
    """Weights in `model.weights.h5`: layers/dense_1/vars/0, 1, ... of the model at a path, "" for the whole model."""

    def __init__(self, file: Hdf5, path: str) -> None:
        self.file, self.path = file, path

    def _member(self, layers: Sequence[tuple[str, str]], name: str) -> str:
        """The path of one of the layers (class, name) of a model."""
        inside = self.file.within(self.path)
        kept = next((part for part in LAYERS if part in inside), None)
        if kept is None:
            raise ModelFileError(f"{self.file.source}: its weights name no layers: it is damaged.")
        group = joined(self.path, kept)
        keys = self.file.within(group)
        told = {self.file.text(joined(group, key, "vars"), "name"): key for key in keys}
        told.pop(None, None)
        key = told.get(name)
        if not told:  # older files number the layers of each class
            seen: dict[str, int] = {}
            for kind, other in layers:
                stem = snake_case(kind)
                seen[stem] = seen.get(stem, -1) + 1
                if other == name:
                    key = f"{stem}_{seen[stem]}" if seen[stem] else stem
        if key not in keys:
            raise ModelFileError(f"{self.file.source}: its weights name no layer {name!r}: it is damaged.")
        return joined(group, key)

    def within(self, layers: Sequence[tuple[str, str]], name: str) -> WeightStore:
        """The weights of an inner model."""
        return Numbered(self.file, self._member(layers, name))

    def arrays(self, layers: Sequence[tuple[str, str]], name: str) -> list[Floats]:
        """The weights of a layer, in the order in which the layer created them."""
        held = joined(self._member(layers, name), "vars")
        return weights_of(self.file, [joined(held, str(i)) for i in range(len(self.file.within(held)))])


class NamedGroups(WeightStore):
    """Weights in a `.h5` file: each layer of the whole model has a group, which lists its weights and those of the
    models inside it.

    top : the outermost inner model that contains the layers, or "".
    """

    def __init__(self, file: Hdf5, top: str = "") -> None:
        self.file, self.top = file, top

    def within(self, layers: Sequence[tuple[str, str]], name: str) -> WeightStore:
        """The weights of an inner model: they are in the group of the outermost one."""
        return NamedGroups(self.file, self.top or name)

    def arrays(self, layers: Sequence[tuple[str, str]], name: str) -> list[Floats]:
        """The weights of a layer, in the order in which they are listed."""
        group = joined("model_weights", self.top or name)
        listed = self.file.texts(group, "weight_names")
        if self.top:
            listed = [path for path in listed if path.split("/")[-2:-1] == [name]]
        if len({path.rpartition("/")[0] for path in listed}) > 1:
            raise ModelFileError(f"{self.file.source}: several layers within {self.top!r} are named {name!r}. {AGAIN}")
        return weights_of(self.file, [joined(group, path) for path in listed])


def joined(*parts: str) -> str:
    """A path from its parts."""
    return "/".join(part for part in parts if part)


def weights_of(file: Hdf5, paths: Sequence[str]) -> list[Floats]:
    """The datasets of floats; single integers (counters and seeds) are left out."""
    weights = []
    for path in paths:
        array = file.array(path)
        if array.dtype.kind == "f":
            weights.append(array.astype(np.float64))
        elif array.size > LARGEST_SEED:
            raise UnsupportedModelError(f"{file.source}: {path!r} holds {array.dtype}, and weights are floats.")
    return weights


def snake_case(name: str) -> str:
    """A class's name as Keras writes it in paths: conv2d, batch_normalization, re_lu."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
