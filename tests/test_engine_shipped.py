"""The kernels as users have them; those of the other tests have entry points for Python (`CREASES_CALLABLE`)."""

import json
import os
from pathlib import Path

import pytest

from children import python
from creases import Box, Network, Segment, Space, count, subdivide
from engine_twins import COMPILED, LONG

# At the usual level of compiling, as the tests' own kernels are: at the lowest the last bits of corners are others.
PROGRAM = """
import json
from creases.engine import kernel
from creases.engine.jit.quick import at_usual_level
from test_engine_shipped import results
with at_usual_level():
    print(json.dumps([kernel.CALLABLE, results()]))
"""


def results():
    """Counts by neuron in the plane and along a line, and subdivisions."""
    domains = [Box([-1, -1], [1, 1]), Space(2), Segment([-1, 0.5], [1, -0.25])]
    found = []
    for network in (Network.he([2, 12, 10, 1], bias_std=0.1), Network.he([2, 12, 10, 1])):
        for domain in domains:
            counted = count(network, domain, by_neuron=True, progress=False)
            found.append([counted.certified, counted.by_layer, counted.by_neuron])
        cells = subdivide(network, domains[0], progress=False)
        found.append([len(cells), cells.patterns.sum(axis=0).tolist(), repr(float(cells.corners.sum()))])
    return found


@pytest.mark.jit
@pytest.mark.skipif(not COMPILED, reason="kernels are plain Python")
def test_known_the_shipped_kernels_say_the_same(tmp_path):
    """A user's process opens what the tests have compiled; with the long tables it compiles all of it anew."""
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    environment = {"CREASES_CALLABLE": None, "PYTHONPATH": path}
    if LONG:
        environment["CREASES_CACHE_DIR"] = str(tmp_path)
    done = python(PROGRAM, check=False, **environment)
    assert done.returncode == 0, done.stderr
    callable_, found = json.loads(done.stdout)
    assert callable_ is False, "the build under test is not the shipped one"
    assert found == json.loads(json.dumps(results()))
    assert sum(row[0] is True for row in found if len(row) == 3 and isinstance(row[0], bool)) >= 6
