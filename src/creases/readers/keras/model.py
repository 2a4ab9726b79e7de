"""How the layers of a Keras model are connected: Sequential and Functional models, and models inside models.

The inputs of each layer are found in the configuration alone. A class of the user's own is refused, because the
configuration does not say what it computes; so is an argument of a layer that is not a tensor.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from creases.errors import CreasesError, ModelFileError, UnsupportedModelError
from creases.network import Network
from creases.network import builder as build
from creases.readers.keras.layers import Layer, Notes, Tensor, applied, settled

__all__ = ["WeightStore", "network_of"]

Floats = NDArray[np.float64]
Config = dict[str, Any]

DEEPEST = 16
MODELS = ("Sequential", "Functional", "Model")
PACKAGE = r"(tf_keras|(tensorflow\.(python\.)?)?keras)(\.src)?"
OURS = re.compile(PACKAGE + r"\.layers(\..*)?")
OUR_MODELS = re.compile(PACKAGE + r"(\.(models|engine)(\..*)?)?")
MAIN = "__main__"  # Keras 3 writes null for this module; Keras 2 wrote no modules
ONE_INPUT_AND_OUTPUT = "Creases counts networks of one input and one output."


class WeightStore(Protocol):
    """The weights of the layers.

    layers : class and name of all layers of a model. name : the name of one of them.
    """

    def within(self, layers: Sequence[tuple[str, str]], name: str) -> WeightStore:
        """The weights of an inner model."""

    def arrays(self, layers: Sequence[tuple[str, str]], name: str) -> list[Floats]:
        """The weights of a layer, in the order in which the layer created them."""


def network_of(config: Config, store: WeightStore, source: str) -> Network:
    """The network of a model from its configuration and weights.

    Raises ModelFileError, UnsupportedModelError, NetworkError.
    """
    notes = Notes(source)
    check_model(config, source)
    if "module" not in config:
        notes.add(f"{source} names classes without their modules; those named as Keras's are read as Keras's own.")
    x = build.input(*input_shape(config, source))
    try:
        result = settled(model(config, store, Tensor(x), notes, 0), notes)
    except (CreasesError, MemoryError):
        raise
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        # A configuration may be any JSON: a text instead of a number, a list instead of a dict.
        raise ModelFileError(f"{source}: its configuration is damaged ({type(error).__name__}: {error}).") from error
    return build.network(result, notes=notes.texts)


def model(config: Config, store: WeightStore, x: Tensor, notes: Notes, depth: int) -> Tensor:
    """The output of a model for an input."""
    if depth > DEEPEST:
        raise ModelFileError(f"{notes.source}: models are nested more than {DEEPEST} deep.")
    check_model(config, notes.source)
    kind, inner = config["class_name"], config["config"]
    entries = [entry for entry in inner["layers"] if isinstance(entry, dict)]
    named = [(str(entry.get("class_name")), name_of(entry, notes.source)) for entry in entries]
    if len({name for _, name in named}) < len(named):
        raise ModelFileError(f"{notes.source}: two layers have one name: it is damaged.")

    def layer(entry: Config, inputs: Sequence[Tensor]) -> Tensor:
        name = name_of(entry, notes.source)
        if entry.get("class_name") in MODELS:
            if len(inputs) != 1:
                raise UnsupportedModelError(
                    f"{notes.source}: the model {name!r} within takes {len(inputs)} inputs. {ONE_INPUT_AND_OUTPUT}"
                )
            return model(entry, store.within(named, name), inputs[0], notes, depth + 1)
        check_ours(entry, notes.source)
        settings = entry.get("config")
        made = Layer(str(entry["class_name"]), name, settings if isinstance(settings, dict) else {}, notes.source)
        return applied(made, list(inputs), lambda: store.arrays(named, name), notes)

    if kind == "Sequential":
        for entry in entries:
            if entry.get("class_name") != "InputLayer":
                x = layer(entry, [x])
        return x
    return functional(inner, entries, layer, x, notes.source)


def check_model(config: Config, source: str) -> None:
    """Refuse a model whose class is the user's own, whatever its name."""
    inner = config.get("config")
    others = is_registered(config) or not ("module" not in config or is_of(config, OUR_MODELS))
    if (
        others
        or config.get("class_name") not in MODELS
        or not isinstance(inner, dict)
        or not isinstance(inner.get("layers"), list)
    ):
        named = config.get("registered_name") if is_registered(config) else config.get("module")
        origin = f" of {str(named or MAIN)[:60]!r}" if others else ""
        raise UnsupportedModelError(
            f"{source} is a {str(config.get('class_name'))[:60]!r}{origin}, a class of its own, which does not say how "
            "its layers act. Make a keras.Sequential or keras.Model(inputs, outputs) of them and save that."
        )


def is_of(entry: Config, modules: re.Pattern[str]) -> bool:
    """Whether a class is from one of Keras's modules."""
    module = entry.get("module")
    return isinstance(module, str) and modules.fullmatch(module) is not None


def is_registered(entry: Config) -> bool:
    """Whether a class was registered by a user, under "package>name"."""
    name = entry.get("registered_name")
    return name is not None and (not isinstance(name, str) or ">" in name)


def functional(config: Config, entries: Sequence[Config], layer: Any, x: Tensor, source: str) -> Tensor:
    """The output of a Functional model: a node, in whatever order they are listed, is computed as soon as its inputs
    are."""
    (start,), (end,) = (ends_of(config.get(what), what, source) for what in ("input_layers", "output_layers"))
    known: dict[tuple[str, int], Tensor] = {(start[0], start[1]): x}
    waiting = []
    for entry in entries:
        name = name_of(entry, source)
        if name == start[0]:
            continue
        nodes = entry.get("inbound_nodes")
        for number, node in enumerate(nodes if isinstance(nodes, list) else []):
            waiting.append(((name, number), entry, taken(node, name, source)))
    while waiting:
        left = []
        for key, entry, sources in waiting:
            if all(one in known for one in sources):
                known[key] = layer(entry, [known[one] for one in sources])
            else:
                left.append((key, entry, sources))
        if len(left) == len(waiting):
            break
        waiting = left
    if end not in known:
        raise ModelFileError(f"{source}: its output, {end[0]!r}, does not follow from its input: it is damaged.")
    return known[end]


def taken(node: Any, name: str, source: str) -> list[tuple[str, int]]:
    """The inputs of a node, as (layer, number of its node), in the formats of Keras 3 and Keras 2."""
    sources: list[Any] = []
    if isinstance(node, dict):
        given = node.get("kwargs") or {}
        if any(value not in (None, False) for value in given.values()):
            raise UnsupportedModelError(f"{source}: layer {name!r} is called with {sorted(given)}, which is not read.")
        waiting = list(reversed(node.get("args") or []))
        while waiting:
            one = waiting.pop()
            if isinstance(one, list):
                waiting += reversed(one)
            elif isinstance(one, dict) and one.get("class_name") == "__keras_tensor__":
                sources.append(one["config"]["keras_history"])
            else:
                raise UnsupportedModelError(f"{source}: layer {name!r} takes {str(one)[:60]!r}, which is no tensor.")
    elif isinstance(node, list):
        sources = [node] if node and isinstance(node[0], str) else node
        if any(len(one) > 3 and any(value not in (None, False) for value in one[3].values()) for one in sources):
            raise UnsupportedModelError(f"{source}: layer {name!r} is called with arguments, which are not read.")
    return [checked_history(one, source) for one in sources]


def checked_history(history: Any, source: str) -> tuple[str, int]:
    """The layer and node number in one tensor's history, [layer, node, tensor]. Raises ModelFileError if it has another
    form, UnsupportedModelError if the tensor is a second output of its layer."""
    match history:
        case [str(name), int(node), 0, *_]:
            return name, node
        case [str(name), int(_), int(_), *_]:
            raise UnsupportedModelError(
                f"{source}: of layer {name!r} several outputs are taken. {ONE_INPUT_AND_OUTPUT}"
            )
    raise ModelFileError(f"{source}: {str(history)[:60]!r} is no connection of layers: it is damaged.")


def ends_of(told: Any, what: str, source: str) -> list[tuple[str, int]]:
    """The single input or output of a Functional model, which some versions store in one list or in two."""
    ends, waiting = [], [told]
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, list) and one and isinstance(one[0], str):
            ends.append(checked_history(one, source))
        else:
            waiting += one if isinstance(one, list) else one.values() if isinstance(one, dict) else []
    if len(ends) == 1:
        return ends
    if not ends:
        raise ModelFileError(f"{source} names no {what}: it is damaged.")
    way = f"Make a model of one: keras.Model(model.inputs, model.get_layer({ends[0][0]!r}).output)."
    names = " and ".join(repr(name) for name, _ in ends)
    raise UnsupportedModelError(
        f"{source} has {what} {names}. {ONE_INPUT_AND_OUTPUT} {way if what == 'output_layers' else ''}".strip()
    )


def name_of(entry: Config, source: str) -> str:
    """A layer's name."""
    settings = entry.get("config")
    name = entry.get("name") or (settings.get("name") if isinstance(settings, dict) else None)
    if not isinstance(name, str):
        raise ModelFileError(f"{source}: a layer has no name: it is damaged.")
    return name


def check_ours(entry: Config, source: str) -> None:
    """Refuse a class that is not one of Keras's layers, whatever its name: an operation, or a class of the user's
    own."""
    module, settings = entry.get("module"), entry.get("config") or {}
    label = f"{entry.get('class_name')} {name_of(entry, source)!r}"
    if "module" not in entry:
        plain = "trainable" in settings or entry.get("class_name") == "InputLayer"
    else:
        plain = is_of(entry, OURS)
    if not plain or is_registered(entry):
        registered = entry.get("registered_name") if is_registered(entry) else None
        module = module or (MAIN if "module" in entry and "trainable" in settings else None)
        raise UnsupportedModelError(
            f"{source}: {label} is no layer of Keras but {str(registered or module or 'an operation')[:60]}, which is "
            "not read. Write it with layers of Keras."
        )


def input_shape(config: Config, source: str) -> tuple[int, ...]:
    """The shape of one input, without the batch."""
    inner = config.get("config")
    inner = inner if isinstance(inner, dict) else {}
    for shape in shapes_told(config, inner):
        sides = shape[1:] if isinstance(shape, list) else []
        if sides and all(type(side) is int and side > 0 for side in sides):
            return tuple(sides)
        if sides:
            raise UnsupportedModelError(
                f"{source} takes inputs of shape {tuple(sides)}, which is not fixed. Make the model for one shape, "
                "keras.Input((28, 28, 1)), give it the weights, and save that."
            )
    raise UnsupportedModelError(
        f"{source} does not say the shape of its input. Begin it with keras.Input(shape) and save it."
    )


def shapes_told(config: Config, inner: Config) -> Iterator[Any]:
    """The entries of a configuration that may give the shape of the input, with the batch."""
    start = inner.get("input_layers")
    while isinstance(start, list) and start and isinstance(start[0], list):
        start = start[0]
    first = start[0] if isinstance(start, list) and start else None
    layers = inner.get("layers")
    for entry in layers if isinstance(layers, list) else []:
        settings = entry.get("config") if isinstance(entry, dict) else None
        if isinstance(settings, dict) and (first is None or settings.get("name") == first):
            yield settings.get("batch_shape") or settings.get("batch_input_shape")
            if isinstance(settings.get("layers"), list):
                yield from shapes_told(entry, settings)
            break
    yield inner.get("build_input_shape")
    built = config.get("build_config")
    yield built.get("input_shape") if isinstance(built, dict) else None
