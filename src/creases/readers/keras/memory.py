"""Keras models in memory: the model writes itself into a `.keras` file, which is then read like any other.

So no rule is implemented twice, and the reader of files refuses the user's own classes by name. Code that a file only
names, or does not mention, is refused here: an activation that is the user's own function is stored by its name, which
may also be the name of one of Keras's. With torch as its backend, the models of Keras 3 are torch modules too; they are
still read here, because the configurations of Keras's layers say what the layers are.
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
    """The network of a built `keras.Model`, with its present weights.

    Raises NetworkError if the model is not built, UnsupportedModelError if Keras cannot write it into a file, and the
    exceptions of `read_keras`.
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
    """A layer or model and all layers inside it, at any depth: the layers of a model, and the layer in a wrapper."""
    yield layer
    inner = [*getattr(layer, "layers", ()), getattr(layer, "layer", None)]
    for each in inner:
        if each is not None:
            yield from layers_of(each)


def refuse_own_code(layer: Any) -> None:
    """Raise UnsupportedModelError if a layer runs code that its file would not contain.

    Examples are a `call` that replaces the one of its class, and an activation that is a function from outside Keras,
    of which the file has only the name.
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
    # An activation may also be a layer; then its class says what it is.
    code = activation if hasattr(activation, "__qualname__") else type(activation)
    if (getattr(code, "__module__", None) or "").partition(".")[0] not in PACKAGES:
        own = getattr(code, "__qualname__", repr(activation))
        raise UnsupportedModelError(
            f"{name} has the activation {own} of {getattr(code, '__module__', 'no module')}, which is not Keras's: "
            "what it computes is not known. Use one of keras.activations by its name, as 'relu'."
        )
