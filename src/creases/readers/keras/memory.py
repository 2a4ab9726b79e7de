"""A model of Keras in memory: it writes itself into a `.keras` file, and that is read as any other.

So nothing is decided here twice, and a class of one's own is refused by the reader of files, by its name. Code that a
file only names, or does not tell of, is refused here: a function of one's own as an activation is written by its name,
which may be that of one of Keras's. What Keras 3 makes with torch as its backend are torch modules as well; they are
read here all the same, since Keras's layers are known by what they say of themselves.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from creases.errors import NetworkError, UnsupportedModelError
from creases.network import Network

__all__ = ["is_keras_model", "read_keras_model"]

# Keras 3, and Keras 2 as a package of its own; `tensorflow.keras` is one of the two.
PACKAGES = ("keras", "tf_keras")


def is_keras_model(source: object) -> bool:
    """True if `source` is a model of Keras; the package is not imported to find out."""
    classes = (getattr(sys.modules.get(package), "Model", None) for package in PACKAGES)
    return any(isinstance(each, type) and isinstance(source, each) for each in classes)


def read_keras_model(model: Any) -> Network:
    """The network of a `keras.Model` that is built, with the numbers that it has now.

    Raises NetworkError if it is not built, UnsupportedModelError if Keras cannot write it into a file, and what
    `read_keras` raises.
    """
    from creases.readers.keras.file import read_keras

    name = type(model).__name__
    if not model.built:
        raise NetworkError(
            f"{name} is not built: it has no weights yet. Call model.build(input_shape), or the model on one input."
        )
    for layer in layers_of(model):
        refuse_own_code(layer)
    with tempfile.TemporaryDirectory(prefix="creases-") as folder:
        path = Path(folder) / "model.keras"
        try:
            model.save(path)
        except Exception as error:  # whatever the model's own methods raise
            raise UnsupportedModelError(
                f"Keras cannot write {name} into a file, so what it computes is not known; "
                f"{type(error).__name__}: {error}"
            ) from error
        return read_keras(path.read_bytes(), name)


def layers_of(layer: Any) -> Iterator[Any]:
    """A layer or model and all that is in it, at any depth: a model's layers, and the layer that a wrapper holds."""
    yield layer
    inner = [*getattr(layer, "layers", ()), getattr(layer, "layer", None)]
    for each in inner:
        if each is not None:
            yield from layers_of(each)


def refuse_own_code(layer: Any) -> None:
    """Raise UnsupportedModelError if a layer runs code that its file would not tell of.

    That is a `call` that was put in the place of its class's own, and an activation that is a function of no package
    of Keras: the file has only its name.
    """
    name = f"{type(layer).__name__} {layer.name!r}"
    if "call" in vars(layer):
        raise UnsupportedModelError(
            f"{name} has a call of its own, set on the layer, which no file tells of; use a layer of Keras that "
            "computes it, or Network.from_arrays."
        )
    activation = getattr(layer, "activation", None)
    if activation is None or isinstance(activation, str):
        return
    # An activation may be a layer, too: its class then says what it is.
    code = activation if hasattr(activation, "__qualname__") else type(activation)
    if (getattr(code, "__module__", None) or "").partition(".")[0] not in PACKAGES:
        own = getattr(code, "__qualname__", repr(activation))
        raise UnsupportedModelError(
            f"{name} has the activation {own} of {getattr(code, '__module__', 'no module')}, which is not Keras's: "
            "what it computes is not known. Use one of keras.activations by its name, as 'relu'."
        )
