"""Commands whose parameters are objects: `flattened` gives typer an option for each field.

Typer makes the options of a command from its signature, one per parameter, so a command with many options would be a
function with many parameters. Commands here take a few frozen dataclasses instead, one per subject. A field is written
like a parameter for typer (`name: Annotated[kind, typer.Option(...)] = default`), and the class has the methods that
check and use the values.
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

    command : a function. A parameter whose annotation is a dataclass is replaced by its fields; others remain. Returns
        a function with keyword arguments only, as typer calls it, with the command's name and help. A field without a
        default is required. Errors of a class's constructor are raised to the caller. Raises TypeError if two options
        would have the same name, or a default is given where typer ignores it.

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
            # With keywords, a required option may follow an optional one; the order is that of the help page.
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
    """The fields of a parameter's class, as parameters."""
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
