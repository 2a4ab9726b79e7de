"""All bounds of a network beside each other, and a count beside its theory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from creases.counting import Count
from creases.domain import Box, Polyline
from creases.domain.volume import volume_of
from creases.errors import NetworkError, require_extra
from creases.network import Network
from creases.theory.arguments import as_layers, whole
from creases.theory.attained import montufar_2014_lower, pascanu_lower, serra_lower
from creases.theory.average import smallest_t, t_of, theorem5_bound
from creases.theory.constants import empirical_bias_density, gradient_constant
from creases.theory.maximum import (
    central,
    hanin_rolnick_estimate,
    montufar_2017_upper,
    serra_upper,
    trivial,
    zaslavsky,
)

if TYPE_CHECKING:
    import pandas

__all__ = ["Row", "Table", "bounds", "compare"]


@dataclass(frozen=True)
class Row:
    """One line. name : of what. value : a number of any size. kind : what it is to a count. source : who proved it."""

    name: str
    value: float
    kind: str
    source: str


class Table:
    """Lines that print well; `rows` holds them, `to_pandas` gives a frame."""

    def __init__(self, title: str, rows: Iterable[Row]) -> None:
        self.title, self.rows = title, list(rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> float:
        """The value of the line of this name."""
        for row in self.rows:
            if row.name == name:
                return row.value
        raise KeyError(f"no line {name!r}; there are {', '.join(row.name for row in self.rows)}")

    def __repr__(self) -> str:
        cells = [(row.name, readable(row.value), row.kind, row.source) for row in self.rows]
        widths = [max(len(cell[i]) for cell in cells) for i in range(3)]
        lines = [
            f"{name:<{widths[0]}}  {value:>{widths[1]}}  {kind:<{widths[2]}}  {source}".rstrip()
            for name, value, kind, source in cells
        ]
        return "\n".join([self.title, *lines])

    def to_pandas(self) -> pandas.DataFrame:
        """A frame with a row a line. Raises MissingExtraError if pandas is not installed."""
        try:
            import pandas
        except ImportError as error:
            raise require_extra("pandas", "pandas", "A table as a frame") from error
        return pandas.DataFrame([vars(row) for row in self.rows])


def readable(value: Any) -> str:
    """A number in full up to twelve digits, and about its size beyond."""
    if isinstance(value, float) and value != int(value):
        return f"{value:.4g}"
    whole_number = int(value)
    if abs(whole_number) < 10**12:
        return f"{whole_number:,}"
    digits = str(whole_number)
    return f"{digits[0]}.{digits[1:3]}e{len(digits) - 1}"


def bounds(network_or_widths: Network | Iterable[int], input_dim: int | None = None) -> Table:
    """Maximum counts, estimates and constructions for hidden layers of these widths.

    network_or_widths : a Network, or the neurons of each hidden layer. input_dim : n; for a Network None means its own
    inputs, and the dimension of a slice that is cut may be given.
    Raises NetworkError if an argument is out of its range.

    Examples
    --------
    >>> print(bounds([20, 20, 20], 2))
    3 hidden layers (20, 20, 20), N = 60, n = 2
    hyperplanes, general position    1,831  estimate             Zaslavsky 1975
    N^n / n!                         1,800  estimate             Hanin and Rolnick 2019
    central hyperplanes                120  estimate, no biases  Zaslavsky 1975
    some network has             3,089,251  reached              Serra et al. 2018
    some network has             2,110,000  reached              Montufar et al. 2014
    some network has                21,100  reached              Pascanu et al. 2013
    no network has more          9,393,931  upper bound          Serra et al. 2018
    no network has more          9,393,931  upper bound          Montufar 2017
    patterns                       1.15e18  upper bound          2^N
    """
    if isinstance(network_or_widths, Network):
        widths, n = list(network_or_widths.widths), input_dim if input_dim is not None else network_or_widths.n_in
    else:
        widths = as_layers(network_or_widths)
        if input_dim is None:
            raise NetworkError("Give input_dim beside widths: the number of inputs, or of dimensions of a slice.")
        n = input_dim
    n, neurons = whole(n, "input_dim", 1), sum(widths)
    random, without = "estimate", "estimate, no biases"
    lower, upper = "reached", "upper bound"
    rows = [
        Row("hyperplanes, general position", zaslavsky(neurons, n), random, "Zaslavsky 1975"),
        Row("N^n / n!", round(hanin_rolnick_estimate(neurons, n)), random, "Hanin and Rolnick 2019"),
        Row("central hyperplanes", central(neurons, n), without, "Zaslavsky 1975"),
        Row("some network has", serra_lower(widths, n), lower, "Serra et al. 2018"),
        Row("some network has", montufar_2014_lower(widths, n), lower, "Montufar et al. 2014"),
        Row("some network has", pascanu_lower(widths, n), lower, "Pascanu et al. 2013"),
        Row("no network has more", serra_upper(widths, n), upper, "Serra et al. 2018"),
        Row("no network has more", montufar_2017_upper(widths, n), upper, "Montufar 2017"),
        Row("patterns", trivial(neurons), upper, "2^N"),
    ]
    layers = f"{len(widths)} hidden layer{'s' * (len(widths) > 1)}"
    title = f"{layers} ({', '.join(map(str, widths))}), N = {neurons}, n = {n}"
    return Table(title, [row for row in rows if row.kind != lower or row.value > 0])


def compare(count: Count, network: Network, *, samples: int = 1000, seed: int = 0) -> Table:
    """A count beside its theory: N^n / n!, hyperplanes, the maximum, T-hat, and theorem 5 with the network's constants.

    count : of this network (its hash is checked). samples : points at which C_grad is looked for: on bounded domains in
    the box around the corners, else standard normal coordinates. seed : of these points.
    Theorem 5 speaks of a law of networks and of large cubes; with the constants of one network it is a yardstick, and
    where biases are all equal or the domain is infinite it is left out.
    Raises NetworkError if the count is of another network.
    """
    if count.network != network.sha256:
        raise NetworkError("The count is of another network (the hashes differ). Give the network that was counted.")
    n, neurons = count.domain.slice.dimension, network.neurons
    rows = [
        Row("regions", count.regions, "counted" if count.certified else "counted, NOT certified", "Creases"),
        *(row for row in bounds(network, n) if row.kind == "estimate"),
        Row("no network has more", serra_upper(network.widths, n), "upper bound", "Serra et al. 2018"),
    ]
    volume = volume_of(count.domain)
    if volume is not None and neurons >= n:
        t_hat = smallest_t(count.regions, neurons, n, volume=volume)
        rows.append(Row("T-hat", t_hat, "smallest T of theorem 5", "Hanin and Rolnick 2019"))
        biases = np.concatenate([layer.bias for layer in network.hidden])
        if np.unique(biases).size > 1:
            c_grad = gradient_constant(network, sample_points(count, samples, seed))
            c_bias = empirical_bias_density(biases, seed=seed)
            rows += [
                Row("C_grad", c_grad.value, "of this network", c_grad.rests_on),
                Row("C_bias", c_bias.value, f"± {c_bias.error:.2g}", c_bias.rests_on),
            ]
            if c_grad.value > 0:
                bound = theorem5_bound(neurons, n, t_of(c_grad.value, c_bias.value), volume=volume)
                rows.append(Row("theorem 5, T = 32 C_grad C_bias", round(bound), "bound on a mean", "Tseran, Montufar"))
    return Table(f"{count.domain!r}, N = {neurons}", rows)


def sample_points(count: Count, samples: int, seed: int) -> Any:
    """Inputs in the box around a domain's corners in its own coordinates, or about the origin of an infinite one."""
    rng, sliced = np.random.default_rng(seed), count.domain.slice
    domain = count.domain
    if isinstance(domain, Box):
        return rng.uniform(domain.lower, domain.upper, (samples, sliced.n_in))
    if isinstance(domain, Polyline):
        return domain.points[rng.integers(len(domain.points), size=samples)]
    if domain.vertices is None:
        return sliced.points(rng.standard_normal((samples, sliced.dimension)))
    vertices = domain.vertices
    return sliced.points(rng.uniform(vertices.min(axis=0), vertices.max(axis=0), (samples, sliced.dimension)))
