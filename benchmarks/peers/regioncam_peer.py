"""regioncam 0.5.2: splits a half-edge mesh in the plane by one layer after the other, in float32.

It keeps every face with its corners and values, so it is compared both with `count` and with `subdivide`. Signs are
not proved.
"""

from __future__ import annotations

import numpy as np


def count_on_square(hidden):
    """Faces on [-1, 1]^2 of a network's hidden layers, a list of (weight, bias)."""
    import regioncam

    camera = regioncam.Regioncam(size=1)
    for weight, bias in hidden:
        layer = regioncam.nn.Linear(weight=weight.T.astype(np.float32), bias=bias.astype(np.float32))
        camera.add(layer)
        camera.relu()
    return camera.num_faces
