"""early"""
from __future__ import annotations
from typing import Any, NamedTuple
from collections.abc import Callable
import numpy as np
from creases.engine.exact import ExactForms, ExactTally, cone_cells, count_below, vertex_cell
from creases.engine.problem import Problem

class Tally(NamedTuple):
    by_layer: list[int]
    by_neuron: list[list[int]] | None
    unbounded: int | None
    exact_cells: int
    certified: bool

def tally(problem: Problem, *, threads: int | None, by_neuron: bool, report: Callable[[int], None]) -> Tally:
    forms = ExactForms(problem.weights, problem.biases, problem.origin, problem.basis, problem.basis_tail)
    out = ExactTally(forms.widths)
    if problem.vertices is not None:
        count_below(forms, vertex_cell(problem.vertices), 0, {}, [], out)
        unb = None
    else:
        rows = forms.forms(0, [])
        d = problem.dimension
        ind = next(((i, j) for i in range(len(rows)) for j in range(i) if rows[i][0]*rows[j][1] != rows[i][1]*rows[j][0])) if d == 2 else (next(i for i in range(len(rows)) if rows[i][0] != 0),)
        for c, s in cone_cells([rows[i] for i in ind]):
            count_below(forms, c, 0, dict(zip(ind, s)), [], out)
        unb = out.unbounded
    report(out.by_layer[-1])
    return Tally(out.by_layer, out.by_neuron, unb, out.by_layer[-1], True)
