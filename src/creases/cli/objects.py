"""Commands whose parameters are objects: `flattened` shows typer an option for each field.

Typer makes the options of a command from its signature, one a parameter, so a command of many options would be a
function of many parameters. Ours take a few frozen dataclasses instead, one a subject. A field is written as typer's
parameters are (`name: Annotated[kind, typer.Option(...)] = default`), and the class has the methods that check and use
what was typed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from typing import Any, TypeVar, get_type_hints

__all__ = ["flattened"]

Answer = TypeVar("Answer")


def flattened(command: Callable[..., Answer]) -> Callable[..., Answer]:
    """The command with each parameter that is a dataclass replaced by the fields of that class, in their order.

    command : a function. A parameter whose annotation is a dataclass stands for its fields; any other stays.

    Returns a function of keywords alone, which is how typer calls; name and help are the command's. A field without
    default is required. What a class raises when it is made is raised to the caller.
    Raises TypeError if typer could not tell two options apart, or a default stands where typer does not look.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Size:
    ...     width: int
    ...     height: int = 2
    >>> def area(size: Size, unit: str = "m") -> str:
    ...     return f"{size.width * size.height} {unit}^2"
    >>> inspect.signature(flattened(area))
    <Signature (*, width: int, height: int = 2, unit: str = 'm')>
    >>> flattened(area)(width=3)
    '6 m^2'
    """
    options: dict[str, inspect.Parameter] = {}
    objects: dict[str, tuple[type, list[str]]] = {}
    for parameter in inspect.signature(command, eval_str=True).parameters.values():
        kind, own = parameter.annotation, [parameter]
        if isinstance(kind, type) and is_dataclass(kind):
            own = options_of(parameter)
            objects[parameter.name] = (kind, [option.name for option in own])
        for option in own:
            if option.name in options:
                raise TypeError(f"{command.__name__}: two options are named {option.name!r}. Rename one of the fields.")
            # By keyword, a required option may follow one that is not: the order is that of the help page.
            options[option.name] = option.replace(kind=inspect.Parameter.KEYWORD_ONLY)
    signature = inspect.Signature(list(options.values()))

    @wraps(command)
    def with_options(**typed: Any) -> Answer:
        bound = signature.bind(**typed)
        bound.apply_defaults()
        values = bound.arguments
        made = {name: kind(**{field: values.pop(field) for field in own}) for name, (kind, own) in objects.items()}
        return command(**made, **values)

    with_options.__signature__ = signature  # type: ignore[attr-defined]
    with_options.__annotations__ = {name: option.annotation for name, option in options.items()}
    return with_options


def options_of(parameter: inspect.Parameter) -> list[inspect.Parameter]:
    """The fields of the parameter's class as parameters."""
    kind = parameter.annotation
    if parameter.default is not parameter.empty:
        raise TypeError(f"{parameter.name} has a default; give defaults to the fields of {kind.__name__} instead.")
    hints = get_type_hints(kind, include_extras=True)
    parameters = []
    for field in fields(kind):
        if field.default_factory is not MISSING:
            raise TypeError(f"{kind.__name__}.{field.name} has a default_factory; give it a plain default.")
        if field.init:
            default = parameter.empty if field.default is MISSING else field.default
            parameters.append(parameter.replace(name=field.name, annotation=hints[field.name], default=default))
    return parameters
