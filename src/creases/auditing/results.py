"""Saved results are read: a count from the JSON of `Count.to_json`, a subdivision from the `.npz` of `Complex.save`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from creases.errors import CreasesError, ModelFileError

if TYPE_CHECKING:
    from creases.complex import Complex
    from creases.result import Count

__all__ = ["read_result"]

HOW = "Counts are saved by 'creases count --save FILE.json', subdivisions by Complex.save('FILE.npz')."


def read_result(path: str | Path) -> tuple[Count | Complex, bool | None]:
    """The count or the subdivision in a file, and whether its digest matches (None if it has no digest).

    A count is read even if its digest does not match, because an audit verifies each number. Raises ModelFileError if
    the file is neither.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelFileError(f"There is no file {path}. {HOW}")
    if path.suffix.lower() == ".npz":
        from creases.complex import Complex

        return Complex.load(path), True
    if path.suffix.lower() == ".json":
        return read_count(path)
    raise ModelFileError(f"{path.name} is neither .json nor .npz. {HOW}")


def read_count(path: Path) -> tuple[Count, bool | None]:
    """The count in a JSON file, with every number of the right type, and whether its digest matches (None if it has
    none)."""
    from creases.result import Count, has_its_digest

    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        count = Count.from_fields(data)
        sealed = has_its_digest(data) if "digest" in data else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, CreasesError):
            raise ModelFileError(f"{path.name} does not hold the domain of a count: {error}") from error
        said = f"{type(error).__name__}: {error}"
        raise ModelFileError(f"{path.name} is not a count as Count.to_json writes it ({said}). {HOW}") from error
    rows = [count.by_layer, *(count.by_neuron or ())]
    loose = [value for value in (count.bounded, count.unbounded, count.distinct) if value is not None]
    wrong = next((value for value in (count.regions, *loose, *sum(rows, ())) if not is_count(value)), None)
    if wrong is not None or not isinstance(count.network, str) or not count.by_layer:
        raise ModelFileError(f"{path.name} is not a count: {wrong!r} stands where a whole number must be. {HOW}")
    return count, sealed


def is_count(value: Any) -> bool:
    """Whether a value from JSON is an integer of at least zero."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
