"""affinitree 0.23: distils a network into a decision tree; linear programs drop the branches that nothing reaches.

On [-1, 1]^2 the square is given as the precondition; its terminals are then the activation regions there. Floats, with
a tolerance; signs are not proved.
"""

from __future__ import annotations

import contextlib
import os
import sys
import warnings


@contextlib.contextmanager
def quiet():
    """Send to nowhere what compiled code prints on stdout."""
    sys.stdout.flush()
    kept = os.dup(1)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def count_on_square(hidden):
    """Terminals on [-1, 1]^2 of a network's hidden layers, a list of (weight, bias)."""
    return count_on_box(hidden, 2)


def count_in_cube(hidden):
    """Terminals in [-1, 1]^3."""
    return count_on_box(hidden, 3)


def count_on_box(hidden, d):
    """Terminals on [-1, 1]^d."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns that torch is missing, which it does not need here
        import affinitree

    chain = affinitree.Architecture(d)
    for weight, bias in hidden:
        chain.linear(affinitree.AffFunc.from_mats(weight, bias))
        chain.relu()
    box = affinitree.Polytope.hyperrectangle(d, [(-1.0, 1.0)] * d)
    start = affinitree.AffTree.from_poly(box, affinitree.AffFunc.identity(d))
    with quiet():
        return affinitree.builder.from_layers(chain, precondition=start).num_terminals()
