"""Corners that are placed on an edge between two known ones, against fractions; and that they are sharpened."""

from fractions import Fraction

import numpy as np
import pytest

from creases.engine.cells.on_edge import LARGEST_ERROR, SHARP, sharpen
from creases.engine.state.cell_layout import CELL
from creases.engine.state.slots import CORNERS, HAVE
from engine_states import Cut, corner_of_space, cube, problem_of
from engine_twins import amount
from networks import he


def errors_of(cut):
    """Of the current cell's corners the bounds on their errors; each is proved to hold."""
    work, d = cut.work, len(cut.start.chart) - 1
    forms = cut.twin.forms(cut.pattern())
    bounds = work.points[CELL, d, : int(work.state[CORNERS])].tolist()
    for v, (corner, bound) in enumerate(zip(cut.true_corners(forms), bounds, strict=True)):
        if bound < np.inf:
            place = work.points[CELL, :d, v].tolist()
            assert max(abs(Fraction(x) - y / corner[-1]) for x, y in zip(place, corner, strict=False)) <= Fraction(
                bound
            )
    return bounds


@pytest.mark.parametrize("d", [4, 5])
@pytest.mark.parametrize("blur", [0.0, 1e-13])
@pytest.mark.parametrize("domain", [cube, corner_of_space])
def test_against_exact_corners_on_edges(d, blur, domain):
    """All corners of all cells of two layers; rows that are blurred, and pay for it, move them as far as is said."""
    between = 0
    for seed in range(amount(4, 1)):
        rng = np.random.default_rng([seed, d])
        weights, biases = zip(*he(rng, d, [6, 3] if d == 4 else [5, 2]), strict=True)
        cut = Cut(problem_of(weights, biases, np.zeros(d), np.eye(d), domain(d)))
        cut.blur(rng, blur)
        for _ in cut.steps():
            if cut.work.state[HAVE]:
                between += sum(SHARP < error < LARGEST_ERROR for error in errors_of(cut))
    assert between > 0 or domain is corner_of_space  # where few cuts are one above the other


def test_laws_sharpened_corners_forget_the_cuts_before():
    """The facets of a generic cell place nearly all of its corners as sharply as they did at first; others stay."""
    rng = np.random.default_rng(3)
    weights, biases = zip(*he(rng, 4, [9, 2]), strict=True)
    cut = Cut(problem_of(weights, biases, np.zeros(4), np.eye(4), cube(4)))
    blurred = sharpened = 0
    for _ in cut.steps():
        if cut.work.state[HAVE]:
            before = errors_of(cut)
            said = sharpen(cut.work)
            after = errors_of(cut)
            assert all(new <= old if old > SHARP else new == old for new, old in zip(after, before, strict=True))
            assert said == (after != before)
            blurred += sum(error > SHARP for error in before)
            sharpened += sum(new < old for new, old in zip(after, before, strict=True))
            assert not sharpen(cut.work)
    assert sharpened > 0.9 * blurred > 0
