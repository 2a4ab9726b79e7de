"""A complex in a notebook: its numbers and, for few enough regions in two dimensions, a picture.

The picture is plain SVG and does not need matplotlib; `creases.plot.plot_complex` draws better ones. A colour depends
on the pattern alone; adjacent regions differ in one neuron, and therefore in lightness.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from creases.complex.clip import usual_window
from creases.complex.table import summary_of
from creases.notebooks import panel, table, text

if TYPE_CHECKING:
    from creases.complex.complex import Complex

__all__ = ["html_of", "svg_of"]

# The largest number of regions that are drawn, the largest number for which the table has a summary, and its largest
# dimension, because volumes take long in high dimensions.
MOST_DRAWN = 1500
MOST_SUMMARISED = 3
SIDE = 300.0


def html_of(complex: Complex) -> str:
    """`Complex._repr_html_`."""
    title = f"Complex of {len(complex):,} activation regions"
    small = len(complex) <= MOST_DRAWN and complex.dimension <= MOST_SUMMARISED
    picture = svg_of(complex) if small and complex.is_flat and complex.dimension == 2 else ""
    if small:
        numbers = f'<pre style="margin:0 0 0 12px;font-size:80%">{text(summary_of(complex))}</pre>'
    else:
        numbers = table(
            [
                ("after each layer", ", ".join(f"{value:,}" for value in complex.by_layer)),
                ("certified", "yes, every sign is proved" if complex.certified else "NO"),
                ("domain", repr(complex.domain)),
                ("network", repr(complex.network)),
                ("more", "complex.summary()"),
            ]
        )
    return panel(title, f'<div style="display:flex;align-items:flex-start">{picture}{numbers}</div>')


def svg_of(complex: Complex) -> str:
    """The regions of a two-dimensional complex as an inline picture; those of a whole plane are clipped."""
    # For a whole plane, only the part that contains most corners.
    unbounded = bool(complex.at_infinity.any())
    polygons = complex.polygons(usual_window(complex.corners[~complex.at_infinity]) if unbounded else None)
    corners = np.concatenate([polygon for polygon in polygons if len(polygon)] or [np.zeros((1, 2))])
    low, high = corners.min(axis=0), corners.max(axis=0)
    scale = SIDE / max(float((high - low).max()), np.finfo(float).tiny)
    width, height = (high - low) * scale
    shapes = []
    for polygon, pattern in zip(polygons, complex.patterns, strict=True):
        if len(polygon) < 3:
            continue
        x, y = ((polygon - low) * scale).T
        places = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, height - y, strict=True))
        shapes.append(f'<polygon points="{places}" fill="{colour_of(pattern.tobytes())}"/>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.1f} {height:.1f}" role="img" aria-label="regions" '
        f'stroke="#444" stroke-width="0.3" stroke-linejoin="round" style="flex:none">{"".join(shapes)}</svg>'
    )


def colour_of(pattern: bytes) -> str:
    """A pale colour for a pattern, light or dark by the parity of its number of active neurons."""
    hue = int.from_bytes(blake2b(pattern, digest_size=2).digest()) % 360
    odd = int.from_bytes(pattern).bit_count() % 2
    return f"hsl({hue},{45 if odd else 60}%,{72 if odd else 86}%)"
