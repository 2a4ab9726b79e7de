"""The cells of a plane as GeoJSON: a FeatureCollection of polygons, which maps and notebooks can display.

Coordinates are those of the slice, not longitudes and latitudes; rings are counter-clockwise, as RFC 7946 requires. A
cell has its number, its layer of birth and whether it is bounded; the collection has the facts of the complex under
`creases`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.complex.births import layers_of_birth
from creases.complex.exports.facts import check_dimension, check_form, facts_of, pieces_of, result_of
from creases.complex.skeleton import sides_of
from creases.files import replace_file

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["to_geojson"]


def to_geojson(complex: Complex, path: str | Path, window: ArrayLike | None = None) -> Path:
    """`Complex.to_geojson`."""
    path = Path(path)
    check_form(path, ".geojson")
    check_dimension(complex.domain, (2,), "A .geojson file")
    polygons = pieces_of(complex, window)
    facts = {**facts_of(complex.network, complex.domain), **result_of(complex)}

    def write(partial: Path) -> None:
        features = features_of(complex, polygons)
        with partial.open("w", encoding="utf-8") as file:
            file.write(f'{{"type": "FeatureCollection", "creases": {json.dumps(facts)}, "features": [\n')
            file.write(next(features, ""))
            file.writelines(f",\n{feature}" for feature in features)
            file.write("\n]}\n")

    replace_file(path, write)
    return path


def features_of(complex: Complex, polygons: Sequence[NDArray[np.float64]]) -> Iterator[str]:
    """The cells with non-empty polygons as JSON texts, in order."""
    sides, _ = sides_of(complex)
    born = layers_of_birth(complex.network, sides.first, sides.walls).tolist()
    bounded = complex.is_bounded.tolist()
    for cell, polygon in enumerate(polygons):
        if len(polygon):
            ring = polygon.tolist()
            feature = {
                "type": "Feature",
                "id": cell,
                "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
                "properties": {"cell": cell, "layer_of_birth": born[cell], "bounded": bounded[cell]},
            }
            yield json.dumps(feature)
