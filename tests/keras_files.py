"""Models as Keras writes them into files, by the rules of its formats; Keras itself is not needed, h5py is.

A layer is its entry in a configuration and its weights; of a model within, the weights are its layers.
"""

import io
import json
import zipfile

import numpy as np

from creases.readers.keras.file import snake_case

__all__ = ["after", "begin", "dense", "functional", "h5_bytes", "keras_bytes", "layer", "put", "sequential"]


def layer(kind, name, *weights, **config):
    """An entry of a configuration, with its weights beside it."""
    settings = {"name": name, "trainable": True, **config}
    return {"module": "keras.layers", "class_name": kind, "config": settings, "registered_name": None}, weights


def begin(*shape):
    entry, weights = layer("InputLayer", "input_layer", batch_shape=[None, *shape])
    return entry, weights


def dense(name, kernel, bias=None, activation="linear"):
    return layer(
        "Dense", name, *([kernel] if bias is None else [kernel, bias]), use_bias=bias is not None, activation=activation
    )


def sequential(*layers, name="sequential"):
    entries = [entry for entry, _ in layers]
    return {"module": "keras", "class_name": "Sequential", "config": {"name": name, "layers": entries}}


def after(entry, *names):
    """The entry of a Functional model that takes these layers."""
    args = [
        {"class_name": "__keras_tensor__", "config": {"shape": [], "keras_history": [name, 0, 0]}} for name in names
    ]
    node = {"args": args if len(args) == 1 else [args], "kwargs": {}}
    return {**entry, "name": entry["config"]["name"], "inbound_nodes": [node] if names else []}


def functional(layers, taken, output):
    """taken : names that each layer takes, by its name."""
    entries = [after(entry, *taken.get(entry["config"]["name"], ())) for entry, _ in layers]
    ends = {"input_layers": ["input_layer", 0, 0], "output_layers": [output, 0, 0]}
    return {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": {"name": "functional", "layers": entries, **ends},
    }


def put(group, layers, *, named=True):
    """The weights of layers side by side, as Keras 3 stores them."""
    seen = {}
    for entry, weights in layers:
        stem = snake_case(entry["class_name"])
        seen[stem] = seen.get(stem, -1) + 1
        member = group.create_group(f"{stem}_{seen[stem]}" if seen[stem] else stem)
        if isinstance(weights, list):  # a model within
            put(member.create_group("layers"), weights, named=named)
        held = member.create_group("vars")
        if named:
            held.attrs["name"] = entry["config"]["name"]
        for i, weight in enumerate([] if isinstance(weights, list) else weights):
            held.create_dataset(str(i), data=weight)


def keras_bytes(config, layers, *, top="layers", named=True, tamper=None):
    """A .keras file. top, named : as versions differ. tamper : a function of the weights' file."""
    import h5py

    stream, weights = io.BytesIO(), io.BytesIO()
    with h5py.File(weights, "w") as file:
        put(file.create_group(top), layers, named=named)
        if tamper:
            tamper(file)
    with zipfile.ZipFile(stream, "w") as archive:
        # Without the time of day, so that a seed says which bytes a test damages.
        for name, member in (
            ("metadata.json", json.dumps({"keras_version": "3.15.1"})),
            ("config.json", config if isinstance(config, str) else json.dumps(config)),
            ("model.weights.h5", weights.getvalue()),
        ):
            archive.writestr(zipfile.ZipInfo(name), member)
    return stream.getvalue()


def h5_bytes(config, layers, names):
    """The older format. names : of each layer's weights."""
    import h5py

    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        group = file.create_group("model_weights")
        for entry, weights in layers:
            held = group.create_group(entry["config"]["name"])
            paths = [f"{entry['config']['name']}/{name}:0" for name in names.get(entry["config"]["name"], ())]
            held.attrs["weight_names"] = np.array(paths, dtype="S")
            for path, weight in zip(paths, weights, strict=True):
                held.create_dataset(path, data=weight)
    return stream.getvalue()
