"""All bounds for a network in one table, and a count compared with theory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING, Any

import numpy as np

from creases.domain import Ball, Box, Circle, Polyline, Segment
from creases.domain.volume import volume_of
from creases.errors import DomainError, NetworkError, require_extra
from creases.network import Network
from creases.notebooks import panel, table, text
from creases.result import Count
from creases.streams import stream
from creases.theory.arguments import as_layers, whole
from creases.theory.attained import arora_lower, montufar_2014_lower, pascanu_lower, serra_lower
from creases.theory.average import explicit_bound, smallest_side, smallest_t, t_of, theorem5_bound
from creases.theory.constants import Estimate, bias_constant, gradient_constant, largest_gradient
from creases.theory.graphs import has_clips, has_shared_weights, has_switches, network_patterns, network_upper
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

# The largest number of regions listed for their gradients; listing takes as long as counting, and memory.
MOST_LISTED = 100_000


@dataclass(frozen=True)
class Row:
    """A row of a `Table`. name : the quantity. value : a number of any size. kind : how it relates to a count.
    source : its source.
    """

    name: str
    value: float
    kind: str
    source: str


class Table:
    """A table of results, with `rows`. `to_pandas` converts it to a DataFrame, `to_dict` to plain data for JSON.

    notes : sentences on which results do not apply to this network, and why; printed below the rows.
    """

    def __init__(self, title: str, rows: Iterable[Row], notes: Iterable[str] = ()) -> None:
        self.title, self.rows, self.notes = title, list(rows), list(notes)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, name: str) -> float:
        """The value of the first line of this name; `rows` tells lines of one name apart by their sources."""
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
        return "\n".join([self.title, *lines, *self.notes])

    def _repr_html_(self) -> str:
        rows = [(row.name, readable(row.value), row.kind, row.source) for row in self.rows]
        notes = "".join(f"<p>{text(note)}</p>" for note in self.notes)
        return panel(self.title, table(rows, ("what", "value", "kind", "source")), notes)

    def to_dict(self) -> dict[str, Any]:
        """The title, the rows as dicts, and the notes, for JSON; values of more than 300 digits are strings."""
        rows = [{**vars(row), "value": row.value if row.value < 10**300 else readable(row.value)} for row in self.rows]
        return {"title": self.title, "rows": rows, "notes": self.notes}

    def to_pandas(self) -> pandas.DataFrame:
        """A pandas DataFrame with the same rows. Raises MissingExtraError if pandas is not installed."""
        try:
            import pandas
        except ImportError as error:
            raise require_extra("pandas", "pandas", "A table as a frame") from error
        return pandas.DataFrame([vars(row) for row in self.rows])


def readable(value: Any) -> str:
    """A number of at least 0: in full up to twelve digits, otherwise rounded."""
    if isinstance(value, float) and value != int(value):
        return f"{value:.4g}"
    whole_number = int(value)
    if whole_number < 10**12:
        return f"{whole_number:,}"
    # Not str(): Python converts at most 4,300 digits, and 15,000 neurons have 2^N patterns.
    power = int(log10(whole_number))
    while 10 ** (power + 1) <= whole_number:
        power += 1
    while 10**power > whole_number:
        power -= 1
    digits = whole_number // 10 ** (power - 2)
    return f"{digits // 100}.{digits % 100:02d}e{power}"


def bounds(network_or_widths: Network | Iterable[int], input_dim: int | None = None) -> Table:
    """A table of upper bounds, estimates and constructions for hidden layers of given widths, or for a network.

    network_or_widths : a Network, or the number of neurons in each hidden layer of a chain of dense layers with ReLU.
    input_dim : n. For a Network None means its number of inputs; give the dimension for counts on a slice.
    For a graph the table has an upper bound, and the estimates if no two neurons share a threshold; notes say what is
    left out, and why.
    Returns a `Table`. Raises NetworkError if an argument is out of its range.

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
    some network has                 8,000  reached              Arora et al. 2018
    no network has more          9,393,931  upper bound          Serra et al. 2018
    no network has more          9,393,931  upper bound          Montufar 2017
    patterns                       1.15e18  upper bound          2^N
    """
    if isinstance(network_or_widths, Network) and not network_or_widths.is_chain:
        return bounds_of_graph(network_or_widths, input_dim)
    if isinstance(network_or_widths, Network):
        widths, n = list(network_or_widths.widths), input_dim if input_dim is not None else network_or_widths.n_in
    else:
        widths = as_layers(network_or_widths)
        if input_dim is None:
            raise NetworkError("Give input_dim beside widths: the number of inputs, or of dimensions of a slice.")
        n = input_dim
    n, neurons = whole(n, "input_dim", 1), sum(widths)
    lower, upper = "reached", "upper bound"
    rows = [
        *estimates(neurons, n),
        Row("some network has", serra_lower(widths, n), lower, "Serra et al. 2018"),
        Row("some network has", montufar_2014_lower(widths, n), lower, "Montufar et al. 2014"),
        Row("some network has", pascanu_lower(widths, n), lower, "Pascanu et al. 2013"),
        Row("some network has", arora_of(widths, n), lower, "Arora et al. 2018"),
        Row("no network has more", serra_upper(widths, n), upper, "Serra et al. 2018"),
        Row("no network has more", montufar_2017_upper(widths, n), upper, "Montufar 2017"),
        Row("patterns", trivial(neurons), upper, "2^N"),
    ]
    layers = f"{len(widths)} hidden layer{'s' * (len(widths) > 1)}"
    title = f"{layers} ({', '.join(map(str, widths))}), N = {neurons}, n = {n}"
    return Table(title, [row for row in rows if row.kind != lower or row.value > 0])


def estimates(neurons: int, n: int) -> list[Row]:
    """The rows of estimates for random networks."""
    random, without = "estimate", "estimate, no biases"
    return [
        Row("hyperplanes, general position", zaslavsky(neurons, n), random, "Zaslavsky 1975"),
        Row("N^n / n!", round(hanin_rolnick_estimate(neurons, n)), random, "Hanin and Rolnick 2019"),
        Row("central hyperplanes", central(neurons, n), without, "Zaslavsky 1975"),
    ]


def bounds_of_graph(network: Network, input_dim: int | None) -> Table:
    """`bounds` for a network that is not a chain: the rows that hold for its levels, and notes on those that are left
    out."""
    n = network.n_in if input_dim is None else whole(input_dim, "input_dim", 1)
    rows = [
        *(estimates(network.neurons, n) if has_estimates(network) else []),
        Row("no network has more", network_upper(network, n), "upper bound", "Montufar 2017, level by level"),
        Row("patterns", network_patterns(network), "upper bound", "states of all neurons and switches"),
    ]
    chains = (
        "Left out, as they hold for chains of dense layers with ReLU only: what some networks reach (Serra, Montufar, "
        "Pascanu, Arora), and the upper bound of Serra et al. 2018."
    )
    return Table(f"{network!r}, n = {n}", rows, [chains, *notes_of(network)])


def has_estimates(network: Network) -> bool:
    """Whether every neuron has a threshold of its own, as the estimates for random networks assume."""
    return not has_switches(network) and not has_clips(network)


def notes_of(network: Network) -> list[str]:
    """Notes on what is not known about averages for a graph."""
    notes = []
    if has_switches(network):
        notes.append(
            "Left out, as switches have no threshold: estimates and bounds on means. A switch is a max pooling window, "
            "a maxout unit or an argmax; Tseran and Montufar 2021 have bounds for maxout."
        )
    elif has_clips(network):
        notes.append("Left out, as the two neurons of a clip never meet: N^n / n! and hyperplanes in general position.")
    if has_shared_weights(network):
        notes.append("What is said of random networks is for independent weights; those of a convolution are shared.")
    return notes


def arora_of(widths: list[int], n: int) -> int:
    """`arora_lower` for layers of different widths, using the smallest width above the first layer; 0 if the first
    layer has one neuron."""
    if widths[0] < 2:
        return 0
    return arora_lower(widths[0] // 2, min(widths[1:], default=1), len(widths), n)


def compare(count: Count, network: Network, *, samples: int = 1000, seed: int = 0) -> Table:
    """A table that compares a count with theory: N^n / n!, hyperplanes, the maximum, T-hat, and bounds with the
    network's constants.

    count : a Count of this network (its hash is checked).
    samples, seed : number and seed of random points in the box around the domain's corners at which C_grad is estimated
        if the domain has more than 100,000 regions or is a Polyline.
    The bounds on means hold for distributions of networks and for cubes (theorem 5 of Hanin and Rolnick 2019 for cubes
    of at least the side given in the table). With the constants of one network they are for orientation only. They are
    left out if no layer has biases with a density, and on infinite domains; the explicit bound is given for cubes and
    segments only.
    T-hat is informative about the network if the side in units of 1 / (C_grad C_bias N) is small. From about 10 N on, a
    random network has most of its regions in the domain, and T-hat is about 1 / side.
    For a graph the table has the rows of `bounds`; and T-hat and the bounds on means if it has no switches. Notes say
    what is left out.
    Returns a `Table`. Raises NetworkError if the count is of another network, or an argument is out of its range;
    DomainError if it is along a Circle.
    """
    if isinstance(count.domain, Circle):
        raise DomainError(
            f"{count.domain!r} is a curve, and the bounds are for straight domains. Count a Segment, or its ball."
        )
    if count.network != network.sha256:
        raise NetworkError("The count is of another network (the hashes differ). Give the network that was counted.")
    n, neurons = count.domain.slice.dimension, network.neurons
    known = bounds(network, n)
    rows = [
        Row("regions", count.regions, "counted" if count.certified else "counted, NOT certified", "Creases"),
        *(row for row in known if row.kind.startswith("estimate")),
        next(row for row in known if row.name == "no network has more"),
    ]
    volume = volume_of(count.domain)
    if volume is not None and neurons >= n and not has_switches(network):
        t_hat = smallest_t(count.regions, neurons, n, volume=volume)
        rows.append(Row("T-hat", t_hat, "smallest T of theorem 5", "Hanin and Rolnick 2019"))
        rows += with_constants(count, network, volume, sample_points(count, whole(samples, "samples", 1), seed), seed)
    return Table(f"{count.domain!r}, N = {neurons}", rows, known.notes)


def with_constants(count: Count, network: Network, volume: float, points: Any, seed: int) -> list[Row]:
    """The network's own constants, each with the kind of its error, and the bounds on means that follow."""
    try:
        c_bias = bias_constant(network, seed=seed)
    except NetworkError:  # zero biases, for example
        return []
    n, neurons, c_grad = count.domain.slice.dimension, network.neurons, steepness(count, network, points)
    rows = [
        Row("C_grad", c_grad.value, c_grad.kind, c_grad.rests_on),
        Row("C_bias", c_bias.value, f"± {c_bias.error:.2g} (standard error)", c_bias.rests_on),
    ]
    if c_grad.value == 0.0:
        return rows
    units = volume ** (1.0 / n) * c_grad.value * c_bias.value * neurons
    rows.append(Row("side in units", units, "volume^(1/n) C_grad C_bias N", "from about 10 N on T-hat is 1 / side"))
    t = t_of(c_grad.value, c_bias.value)
    bound, side = theorem5_bound(neurons, n, t, volume=volume), smallest_side(t, c_grad.value, c_bias.value)
    name = "theorem 5, T = 32 C_grad C_bias"
    rows.append(Row(name, round(bound), f"bound on a mean, side >= {side:.2g}", "Tseran and Montufar 2021"))
    if (own := side_of(count.domain)) is not None:
        explicit = round(explicit_bound(neurons, n, own, c_grad.value, c_bias.value))
        rows.append(Row("explicit bound", explicit, "bound on a mean, any side", "Kac and Rice's formula"))
    return rows


def steepness(count: Count, network: Network, points: Any) -> Estimate:
    """C_grad of the network on a domain: exact if its regions can be listed, otherwise a lower bound from the
    points."""
    if count.regions <= MOST_LISTED and not isinstance(count.domain, Polyline):
        return largest_gradient(network, count.domain)
    return gradient_constant(network, points, along=count.domain.slice.basis)


def side_of(domain: Any) -> float | None:
    """The side of a cube or the length of a segment; None for other domains."""
    if isinstance(domain, Segment):
        return volume_of(domain)
    if isinstance(domain, Box):
        sides = (domain.upper - domain.lower)[domain.upper > domain.lower]
        return float(sides[0]) if np.ptp(sides) <= 1e-12 * sides[0] else None
    return None


def sample_points(count: Count, samples: int, seed: int) -> Any:
    """Inputs in a ball; in the box around another domain's corners, in its own coordinates; or around the origin for an
    infinite domain."""
    rng, sliced = stream("points of a table", seed), count.domain.slice
    domain = count.domain
    if isinstance(domain, Box):
        return rng.uniform(domain.lower, domain.upper, (samples, sliced.n_in))
    if isinstance(domain, Ball):
        steps = rng.standard_normal((samples, domain.dimension))
        steps /= np.linalg.norm(steps, axis=1, keepdims=True)
        steps *= rng.uniform(size=(samples, 1)) ** (1.0 / domain.dimension)
        return sliced.points(domain.center + np.linalg.solve(domain.unit_map, steps.T).T)
    if isinstance(domain, Polyline):
        return domain.points[rng.integers(len(domain.points), size=samples)]
    if domain.vertices is None:
        return sliced.points(rng.standard_normal((samples, sliced.dimension)))
    vertices = domain.vertices
    return sliced.points(rng.uniform(vertices.min(axis=0), vertices.max(axis=0), (samples, sliced.dimension)))
