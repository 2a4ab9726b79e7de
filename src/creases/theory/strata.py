"""Measured strata of a complex compared with the bounds of the theory."""

from __future__ import annotations

import numpy as np

from creases.complex import Complex
from creases.errors import NetworkError
from creases.theory.average import strata_bound
from creases.theory.constants import bias_constant, largest_gradient
from creases.theory.graphs import has_switches
from creases.theory.table import Row, Table

__all__ = ["compare_strata"]


def compare_strata(complex: Complex, *, seed: int = 0) -> Table:
    """A table of the volumes of the strata k = 1 ... d of a complex, per unit of volume, with `strata_bound` for the
    network's constants.

    The bound is on a mean over a distribution of networks. With the constants of one network (C_grad is the largest
    gradient norm on the domain, along its slice) it is for orientation only. It is left out, with a note, for networks
    with switches and if no layer has biases with a density.
    seed : of the bootstrap for the standard error of C_bias.
    Returns a `Table`. Raises NetworkError if the domain is unbounded, or its volume is zero or infinite in float64.
    """
    measured = complex.strata()
    if not 0.0 < measured.volume < np.inf:
        raise NetworkError(
            f"{complex.domain!r} is unbounded, or floats do not hold its volume, so its strata have no volume a unit. "
            "Cut a bounded one."
        )
    network, notes, product = complex.network, list[str](), 0.0
    if has_switches(network):
        notes.append("Left out, as switches have no threshold: bounds on means.")
    else:
        try:
            c_grad, c_bias = largest_gradient(network, complex.domain).value, bias_constant(network, seed=seed).value
            product = c_grad * c_bias
        except NetworkError as error:
            notes.append(f"Left out: bounds on means. {error}")
    rows = []
    for k in range(1, len(measured.numbers)):
        rows.append(Row(f"stratum {k}", float(measured.per_volume[k]), "measured, a unit of volume", "Creases"))
        if product > 0.0:
            bound = float(strata_bound(network.neurons, k, c_grad, c_bias))
            rows.append(Row(f"stratum {k}", bound, "bound on a mean", "Hanin and Rolnick 2019"))
    return Table(f"strata of {complex.domain!r}, N = {network.neurons}", rows, notes)
