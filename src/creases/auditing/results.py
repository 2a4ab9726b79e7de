"""Saved results, opened: a count from the JSON of `Count.to_json`, a subdivision from the `.npz` of `Complex.save`."""

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
    """The count or the subdivision in a file, and whether it agrees with its digest, None if it has none.

    A count is read whatever its digest is: an audit decides each number anew. Raises ModelFileError if there is none.
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
    """The count in a JSON file, each number of the right kind, and whether it agrees with its digest."""
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
    """Whether a value from JSON is a whole number of something."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
