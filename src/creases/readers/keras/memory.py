"""A model of Keras in memory: it writes itself into a `.keras` file, and that is read as any other.

So nothing is decided here twice, and a class of one's own is refused by the reader of files, by its name. What Keras 3
makes with torch as its backend are torch modules as well; they are read here all the same, since Keras's layers are
known by what they say of themselves.
"""

from __future__ import annotations

import sys
import tempfile
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
