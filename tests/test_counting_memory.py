"""A network whose first local network does not fit into memory is refused before it is made."""

import numpy as np
import pytest

from creases import Box, Network, build, count
from creases.engine.state import growth
from creases.errors import NotEnoughMemoryError

SQUARE = Box([-1, -1], [1, 1])


@pytest.fixture
def free(free_memory_of):
    return free_memory_of(growth)


def residual():
    """A graph of 30, 40 and 50 units."""
    rng = np.random.default_rng(0)
    first = build.relu(build.dense(build.input(2), rng.standard_normal((30, 2)), rng.standard_normal(30)))
    second = build.relu(build.dense(first, rng.standard_normal((40, 30))))
    third = build.add(build.dense(first, rng.standard_normal((50, 30))), build.dense(second, rng.random((50, 40))))
    return build.network(build.relu(third))


@pytest.mark.parametrize(
    ("network", "units"),
    [(residual(), r"109 units .* \(22, 37, 50,"), (Network.he([2, 30, 40, 50, 1]), r"120 units .* \(30, 40, 50,")],
    ids=["graph", "chain"],
)
def test_bad_input_a_first_local_network_that_does_not_fit(free, network, units):
    free(20_000)
    with pytest.raises(
        NotEnoughMemoryError,
        match=rf"^On the whole domain {units} layer by layer\), and to write down how each depends on those below takes"
        r" 0\.\d+ MB; 0\.02 MB of memory are free\. Count on a smaller domain, where fewer are undecided\.$",
    ):
        count(network, SQUARE)


def test_known_a_smaller_domain_fits(free):
    free(200_000)
    network = residual()
    small = Box([0.0, 0.0], [1e-4, 1e-4])
    assert count(network, small).certified


@pytest.mark.parametrize("size", [None, 10**9])
def test_known_what_fits_is_counted(free, size):
    free(size)
    assert count(residual(), SQUARE).certified
