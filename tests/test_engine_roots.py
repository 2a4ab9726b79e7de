"""Starting cells as a value: any choice counts the same, and what is no choice for a domain is refused."""

import numpy as np
import pytest

from counts_in_pieces import CUBE, known
from creases import Box, Directions, Line, Network, Segment, Space, Subspace, count
from creases.engine.answers.pieces import Divided
from creases.engine.starts.first_layer import first_layer_forms, rational_first, steady_product
from creases.engine.starts.roots import Cone, Roots, choose_roots, starting_cells
from creases.errors import ComputationError
from creases.packing import as_problem
from creases.scheduling.piece import count_piece
from other_roots import CASES, elsewhere, network_of, whole_spaces


@pytest.mark.jit
@pytest.mark.parametrize(("d", "rank", "seed"), CASES)
def test_laws_any_roots_add_up(d, rank, seed):
    """Which cells a count starts from changes no count, and one that is sent them chooses nothing."""
    network = network_of(d, rank, seed)
    for domain in whole_spaces(d):
        problem, truth = as_problem(network, domain), count(network, domain)
        with elsewhere():
            chosen = choose_roots(problem)
        assert chosen != choose_roots(problem) or rank == 1  # both may take the same one row
        sent = Roots.read(chosen.text)
        assert sent == chosen
        divided, by_layer = Divided(problem, sent), np.zeros(2, np.int64)
        for part in divided.pieces(2, 1):
            result = count_piece(divided, part)
            by_layer += part.sign * np.array(result.by_layer)
            assert result.roots == chosen.sha256
        assert tuple(by_layer) == truth.by_layer


@pytest.mark.parametrize("near", [2.0**-30, 2.0**-45])
def test_laws_cones_that_are_not_halved(near):
    """Those that floats hold no chart of, or one that does not bear to be rounded, go out without one."""
    weights = [[[1.0, 1.0], [1.0, 1.0 + near]], [[1.0, -1.0], [1.0, 2.0]]]
    network = Network.from_arrays(weights, [[1.0, 2.0], [-1.0, -3.0]], output_layer=False)
    for domain in (Space(2), Directions(2)):
        problem = as_problem(network, domain)
        chosen = choose_roots(problem)
        divided = Divided(problem, Roots.read(chosen.text))
        by_layer = sum(part.sign * np.array(count_piece(divided, part).by_layer) for part in divided.pieces(2, 0))
        assert tuple(by_layer) == count(network, domain).by_layer
        assert all(cone.chart is None for cone in chosen.cones) == (domain == Space(2) or near == 2.0**-45)


def test_known_roots_of_bounded_and_constant_domains():
    for network, domain, axes in (
        (known(), CUBE, (0, 1, 2)),
        (known((2, 4, 1)), Box([-1, -1], [1, 1]), (0, 1)),
        (known((1, 4, 1)), Segment([0.0], [1.0]), (0,)),
        (Network.from_arrays([np.zeros((3, 2))], [np.ones(3)], output_layer=False), Space(2), ()),
    ):
        problem = as_problem(network, domain)
        roots = choose_roots(problem)
        assert roots == Roots(axes, (), ())
        assert len(starting_cells(problem, roots)) == bool(axes)
    across = as_problem(network_of(3, 2, 0), Space(3))
    assert len(choose_roots(across).axes) == len(choose_roots(across).rows) == 2


@pytest.mark.parametrize("d", [1, 2, 3])
def test_against_exact_steady_forms(d):
    """Sums in a fixed order obey the bound that stands beside them, as those of BLAS do."""
    rng = np.random.default_rng(d)
    network = Network.from_arrays([rng.standard_normal((9, 40))], [rng.standard_normal(9)], output_layer=False)
    problem = as_problem(network, Subspace(rng.standard_normal(40), rng.standard_normal((d, 40))))
    exact = rational_first(problem, range(9))
    scale = 2.0**0
    for product in (np.matmul, steady_product):
        forms, bounds = first_layer_forms(problem, product)
        # Exact forms are on a common power of two: that of the entry which is largest tells it.
        row, column = np.unravel_index(np.argmax(np.abs(forms)), forms.shape)
        scale = 2.0 ** round(np.log2(float(int(exact[row][column])) / forms[row, column]))
        for near, lost, true in zip(forms.ravel(), bounds.ravel(), (x for row in exact for x in row), strict=True):
            assert abs(int(true) - int(near * scale)) <= int(lost * scale) + 1


# What is sent and stored.


def test_bad_input_no_roots():
    text = choose_roots(as_problem(known((2, 4, 1)), Space(2))).text
    assert Roots.read(text).text == text
    for bad in (
        None,
        7,
        "",
        "{}",
        "[1, 2]",
        text[:-1],
        text.replace(" ", ""),
        text.replace("true", "1"),
        text.replace('"rows": [', '"rows": [true, '),
        text.replace('"rows": [', '"rows": [0.0, '),
        text.replace("-1.0", "NaN"),
        text.replace("-1.0", "1e999"),
        text.replace("-1.0, ", "", 1),
        "[" * 100_000,
    ):
        with pytest.raises(ValueError, match="these are no starting cells"):
            Roots.read(bad)


@pytest.mark.parametrize("domain", [Line([0.0], [1.0]), Space(2), Directions(2), Space(3), Directions(3)], ids=repr)
def test_bad_input_roots_of_another_problem(domain):
    """That cones are the domain's, each part of it once, is proved by whoever takes them."""
    d = domain.slice.dimension
    problem = as_problem(known((d, 6, 1)), domain)
    roots = choose_roots(problem)
    assert len(starting_cells(problem, roots)) == 2**d
    first, chart = roots.cones[0], [list(row) for row in roots.cones[0].chart]
    turned = tuple(tuple(-x for x in row) for row in chart)
    flat = tuple(tuple(0.0 * x for x in row) for row in chart)
    finite = (*map(tuple, chart[:-1]), tuple(x + 1.0 for x in chart[-1]))
    charts = (turned, flat, finite, turned[1:])
    for bad in (
        roots._replace(rows=(*roots.rows[:-1], 6)),
        roots._replace(rows=(*roots.rows[:-1], -1)),
        roots._replace(rows=roots.rows[:-1]),
        roots._replace(cones=roots.cones[1:]),
        roots._replace(cones=(*roots.cones, first)),
        roots._replace(cones=(roots.cones[1], *roots.cones[1:])),
        roots._replace(cones=(Cone((*first.signs, True), first.chart), *roots.cones[1:])),
        *(roots._replace(cones=(Cone(first.signs, other), *roots.cones[1:])) for other in charts),
        *([roots._replace(rows=roots.rows[:1] * d)] if d > 1 else []),
        Roots(tuple(range(d)), (), ()),
        Roots((), (), ()),
        roots._replace(axes=tuple(range(1, d))),
        roots._replace(axes=tuple(range(d + 1))),
    ):
        with pytest.raises(ComputationError, match="are none of this network and domain"):
            starting_cells(problem, bad)
    box = as_problem(known((d, 6, 1)), Box([-1] * d, [1] * d))
    for bad in (roots, Roots((), (), ())):
        with pytest.raises(ComputationError, match="are none of this network and domain"):
            starting_cells(box, bad)
