"""The caller's arguments for a file that holds weights and no graph, and the errors that ask for missing ones.

A state dict names tensors. It does not contain the activations between its layers, the order in which the layers act,
or whether they are one network or two: a residual network, one with GELU and a plain chain look alike. Missing
information is asked for and never guessed; each error shows the call that supplies it, and the options of the command
line.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from creases.errors import ModelFileError
from creases.readers.weights.activations import RELU, activation_word

__all__ = ["Answers"]


@dataclass(frozen=True)
class Answers:
    """The arguments of `load`; None for those that were not given.

    target : the path as it was given, for the calls in errors; None for a state dict in memory.
    The other fields are the arguments of `load` with the same names.
    """

    target: str | None = None
    activation: str | tuple[str, ...] | None = None
    order: tuple[str, ...] | None = None
    prefix: str | None = None
    final_kink: bool = False
    batch_norm_eps: float | None = None

    @classmethod
    def checked(
        cls,
        target: str | None,
        activation: str | Sequence[str] | None,
        order: Sequence[str] | None,
        prefix: str | None,
        final_kink: bool,
        batch_norm_eps: float | None,
    ) -> Answers:
        """The arguments of `load`. Raises ModelFileError or UnsupportedModelError if one is not valid."""
        several = isinstance(activation, list | tuple) and len(activation) > 0
        words = tuple(map(activation_word, activation)) if several and activation is not None else None
        if words is not None and final_kink is True:
            raise ModelFileError(
                "activation= as a list says what follows the last layer; leave final_kink (--final-kink) out."
            )
        told = isinstance(order, Iterable) and not isinstance(order, str | Mapping)
        order = tuple(order) if told and order is not None else order
        if order is not None and not (told and all(isinstance(name, str) for name in order)):
            raise ModelFileError(f'order must be a list of the layers\' names, such as ["0", "2"]; got {order!r}.')
        if not (prefix is None or isinstance(prefix, str)):
            raise ModelFileError(f"prefix must be the beginning of the layers' names, got {prefix!r}.")
        if not isinstance(final_kink, bool):
            raise ModelFileError(f"final_kink must be True or False, got {final_kink!r}.")
        if batch_norm_eps is not None:
            try:
                batch_norm_eps = float(batch_norm_eps)
            except (TypeError, ValueError):
                batch_norm_eps = -1.0
            if not 0 <= batch_norm_eps < float("inf"):
                raise ModelFileError("batch_norm_eps must be a finite number of at least 0, as BatchNorm's eps is.")
        names = None if order is None else tuple(order)
        word = None if activation is None else activation_word(activation) if words is None else words
        return cls(target, word, names, prefix, final_kink, batch_norm_eps)

    def told(self) -> dict[str, Any]:
        """The arguments that were given, by name."""
        values = {name: value for name, value in vars(self).items() if name != "target"}
        return {name: value for name, value in values.items() if value is not None and value is not False}

    def question(self, source: str, problem: str = "", **suggested: Any) -> ModelFileError:
        """The error to raise if an argument is missing: what is not known, and the call that supplies it.

        problem : what is not known besides the activation. suggested : the arguments that would supply it.
        """
        calls = self.calls({"activation": RELU, **self.told(), **suggested})
        if self.activation is not None:
            return ModelFileError(f"{source}: {problem} Say so: {calls}.")
        return ModelFileError(
            f"{source} holds weights and no graph: what stands between its layers is not in it. "
            f"{problem + ' ' if problem else ''}If it is a chain with ReLU between its layers and nothing else, say "
            f'so: {calls}. If not, activation= may be "leaky:0.01" (with its slope), "abs", "linear" or a list of '
            "these; else load the torch module itself or an .onnx file, which say what they compute."
        )

    def python(self, **suggested: Any) -> str:
        """The call of `load` with the given and the suggested arguments; None leaves an argument out."""
        target = "state_dict" if self.target is None else json.dumps(self.target, ensure_ascii=False)
        options = {"activation": RELU, **self.told(), **suggested}
        options = {name: value for name, value in options.items() if value is not None}
        return f"creases.load({target}, {', '.join(f'{name}={as_python(v)}' for name, v in options.items())})"

    def calls(self, options: dict[str, Any]) -> str:
        """The call of `load` with these arguments, and for a file also the command line that was typed, with the same
        options."""
        python = self.python(**options)
        if self.target is None:
            return python
        words = []
        for name, value in options.items():
            words.append("--" + name.replace("_", "-"))
            if value is not True:
                words.append(",".join(value) if isinstance(value, list | tuple) else str(value))
        return f"{python} (on the command line add: {' '.join(map(shlex.quote, words))})"


def as_python(value: Any) -> str:
    """A value as it is written in a call, with double quotes as in the documentation."""
    if isinstance(value, bool | float | int):
        return repr(value)
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
