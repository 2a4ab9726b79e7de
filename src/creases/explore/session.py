"""The requests of a page or widget, and their answers: networks, data, planes, and the views that were cut last.

A request is a word and a dictionary from JSON. Everything in it is checked here, because a page can send anything.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from creases.errors import ComputationError, DomainError
from creases.explore.answers import Answer, Superseded
from creases.explore.cells import COLOURS, Cut, picture_of
from creases.explore.files import FORMS, file_of, python_of
from creases.explore.images import image_of, image_shape
from creases.explore.planes import KINDS, Chosen, plane_of, usual_plane, whole
from creases.explore.view import View
from creases.network import Network

__all__ = ["Entry", "Session", "at_hand"]

Floats = NDArray[np.float64]

# With more cells in view than this, the server draws a picture, because they cannot be distinguished.
MOST_CELLS = 200_000
# The largest numbers of cached views and planes, and of cells in all cached views; requests are about views on the
# screen.
MOST_VIEWS, MOST_PLANES, MOST_KEPT = 6, 64, MOST_CELLS
# The largest number of bytes of their patterns: with 40,000 neurons and switches a cell takes five thousand.
MOST_PATTERNS = 1 << 28
# The largest number of panes whose latest request is stored.
MOST_PANES = 64
# Pixels of a picture of too many cells.
LARGEST_PICTURE = 1024
# The largest numbers of data points that are shown, and of outputs and breakpoints along a line.
MOST_POINTS, MOST_OUTPUTS, MOST_BREAKS = 5_000, 12, 100_000
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#882255", "#000000", "#332288")


@dataclass
class Entry:
    """A network that can be shown.

    name : its name. load : a function that creates it when it is first needed. step : the step of a training, or None.
        code : the Python code that creates it.
    """

    name: str
    load: Callable[[], Network]
    step: int | None = None
    code: str = "creases.load(...)"
    _network: Network | None = field(default=None, repr=False)

    @property
    def network(self) -> Network:
        """The network."""
        if self._network is None:
            self._network = self.load()
        return self._network


def at_hand(network: Network) -> Callable[[], Network]:
    """A function for an Entry that returns an existing network."""
    return lambda: network


class Session:
    """The state of an explorer: networks with the same inputs, data, and planes in their input space.

    networks : at least one Network or Entry; the first is shown first, and those with a step are the frames of the
        animation.
    points : data, shape (m, n_in) or (m, *input_shape), or None. labels : one string or number per point, or None.
    plane : the initial plane; None for `usual_plane`. points_code : Python code that makes `points`.
    threads : as for `creases.count`.
    Raises DomainError if the networks have different inputs, points or labels do not fit, or there is no plane.
    """

    def __init__(
        self,
        networks: Sequence[Network | Entry],
        points: ArrayLike | None = None,
        labels: Sequence[Any] | NDArray[Any] | None = None,
        plane: Chosen | None = None,
        *,
        points_code: str = "...",
        threads: int | None = None,
    ) -> None:
        self.entries = [one if isinstance(one, Entry) else Entry("network", at_hand(one)) for one in networks]
        if not self.entries:
            raise DomainError("The explorer needs at least one network, got none.")
        first = self.entries[0].network
        self.points = None if points is None else first.points(points).reshape(-1, first.n_in)
        if labels is not None and len(labels) != (0 if self.points is None else len(self.points)):
            raise DomainError(f"One label is needed for each point; got {len(labels)} labels.")
        self.labels = None if labels is None else [str(label) for label in labels]
        self.points_code, self.threads = points_code, threads
        self.planes: OrderedDict[int, Chosen] = OrderedDict()
        self.views: OrderedDict[int, Cut] = OrderedDict()
        self._numbers = self.first_plane = 0
        self._stopped = False
        self._latest: OrderedDict[str, int] = OrderedDict()
        self._cutting, self._keeping = threading.Lock(), threading.Lock()
        self.first_plane = self._keep_plane(plane if plane is not None else usual_plane(first, self.points))

    def answer(self, question: str, given: dict[str, Any]) -> Answer:
        """Answer a request of the front end: hello, plane, view, cell, line, image, file or python.

        Raises CreasesError with a message for the user; Superseded if a newer request has arrived.
        """
        questions: dict[str, Callable[[dict[str, Any]], Answer]] = {
            "hello": self._hello,
            "plane": self._plane,
            "view": self._view,
            "cell": self._cell,
            "line": self._line,
            "image": self._image,
            "file": self._file,
            "python": self._python,
        }
        if question not in questions:
            raise DomainError(f"A question is one of {', '.join(questions)}; got {question!r}.")
        if not isinstance(given, dict):
            raise DomainError("What a question gives is an object with names.")
        return questions[question](given)

    def announce(self, question: str, given: Any) -> None:
        """Register a request before it is answered. A request for a view cancels older computations for the same
        pane.
        """
        if question == "view" and isinstance(given, dict):
            pane, turn = str(given.get("pane", "")), given.get("turn")
            if isinstance(turn, int) and turn > self._latest.get(pane, 0):
                self._latest[pane] = turn

    def stop(self) -> None:
        """Cancel the views that are being computed, and all later ones: Superseded is raised."""
        self._stopped = True

    def network(self, number: Any) -> Network:
        """One of the networks, by its index. Raises DomainError if its inputs differ from those of the first."""
        network = self.entries[whole(number, "network", 0, len(self.entries))].network
        if network.n_in != self.entries[0].network.n_in:
            raise DomainError(
                f"{self.entries[number].name} takes {network.n_in} inputs, and {self.entries[0].name} takes "
                f"{self.entries[0].network.n_in}: only networks of the same inputs are shown in one plane."
            )
        return network

    def _hello(self, given: dict[str, Any]) -> Answer:
        """The initial state of the page."""
        network = self.entries[0].network
        shape = image_shape(network, self.points)
        facts = {
            "networks": [{"name": entry.name, "step": entry.step} for entry in self.entries],
            "inputs": network.n_in,
            "outputs": network.n_out,
            "layers": [
                {"name": name, "width": width} for name, width in zip(network.layer_names, network.widths, strict=True)
            ],
            "bits": [int(places.sum()) for places in network.places],
            "notes": list(network.notes),
            "labels": self.labels[:MOST_POINTS] if self.labels else None,
            "points": 0 if self.points is None else len(self.points),
            "image": shape,
            "kinds": [kind for kind in KINDS if self._has_kind(kind, network)],
            "colours": list(COLOURS),
            "palette": list(PALETTE),
            "most_cells": MOST_CELLS,
            "forms": list(FORMS),
        }
        answer = self._of_plane(self.first_plane)
        return Answer({**facts, "plane": answer.facts}, answer.arrays)

    def _has_kind(self, kind: str, network: Network) -> bool:
        """Whether a kind of plane is possible for a network."""
        if kind == "inputs":
            return network.n_in == 2
        if kind in ("points", "origin"):
            return self.points is not None and len(self.points) >= 2 and network.n_in > 2
        return network.n_in > 2

    def _plane(self, given: dict[str, Any]) -> Answer:
        """A new plane."""
        return self._of_plane(self._keep_plane(plane_of(self.entries[0].network, self.points, given)))

    def _keep_plane(self, chosen: Chosen) -> int:
        """Store a plane; returns its number."""
        with self._keeping:
            self._numbers += 1
            self.planes[self._numbers] = chosen
            # The first one is never removed, because a page that is opened again begins with it.
            while len(self.planes) > MOST_PLANES:
                del self.planes[next(number for number in self.planes if number != self.first_plane)]
            return self._numbers

    def _of_plane(self, number: int) -> Answer:
        """The facts about a plane: positions of the data, float64 (m, 2), and their distances from the plane."""
        chosen = self.planes[number]
        facts = {
            "plane": number,
            "kind": chosen.kind,
            "says": chosen.says,
            "centre": list(chosen.centre),
            "half": chosen.half,
            "anchors": chosen.anchors.tolist(),
            "rows": list(chosen.rows),
        }
        if self.points is None:
            return Answer(facts)
        shown = self.points[:MOST_POINTS]
        places = chosen.plane.slice.coordinates(shown)
        distances = np.linalg.norm(shown - chosen.plane.slice.points(places), axis=1)
        return Answer(facts, {"places": places, "distances": distances})

    def _view(self, given: dict[str, Any]) -> Answer:
        """A view: cells to draw, or a picture if there are too many, and in both cases the count."""
        pane, turn = str(given.get("pane", "")), whole(given.get("turn", 0), "turn", 0, 2**53)
        if turn < self._latest.get(pane, 0):
            raise Superseded("A newer view has been asked for.")
        self._latest[pane] = turn
        while len(self._latest) > MOST_PANES:
            self._latest.popitem(last=False)
        network, view = self.network(given.get("network", 0)), self.view_of(given)
        color_by, boundary = given.get("color_by", "pattern"), given.get("boundary") is True
        if color_by not in COLOURS:
            raise DomainError(f"Colours tell one of {', '.join(COLOURS)}; got {color_by!r}.")

        def look_up(_: int) -> None:
            if self._stopped:
                raise Superseded("The explorer is being stopped.")
            if self._latest.get(pane, 0) > turn:
                raise Superseded("A newer view has been asked for.")

        with self._cutting:
            look_up(0)
            found = self._again(network, view) or self._cut(network, view, look_up)
            bits: dict[str, Any] = {"bits": [int(places.sum()) for places in network.places]}
            if isinstance(found, Cut):
                arrays, legend = found.arrays(color_by, boundary)
                if found.is_coarse and (color_by == "class" or boundary):
                    bits["why"] = "so many cells: classes are those of their middles; zoom in for the exact boundary"
                own = {**bits, "cells": len(found.complex), "legend": legend, "view": self._keep(found)}
                return Answer({**self._facts(found.complex, found.complex.regions), **own}, arrays)
            count = view.count(network, threads=self.threads, progress=look_up)
            size = picture_size(given.get("pixels"), view)
            picture = picture_of(network, view, color_by, size, look_up)
            facts = {**self._facts(count, count.regions), **bits, "cells": 0, "legend": None, "why": found}
            return Answer({**facts, "picture": [picture.shape[1], picture.shape[0]]}, {"pixels": picture})

    def _cut(self, network: Network, view: View, look_up: Callable[[int], None]) -> Cut | str:
        """The cells in view, or the reason why they are not drawn one by one."""

        def watch(regions: int) -> None:
            look_up(regions)
            if regions > MOST_CELLS:
                raise TooManyCells

        try:
            return Cut.of(network, view, self.threads, watch)
        except TooManyCells:
            return f"more than {MOST_CELLS:,} regions in view: a picture with the region at each pixel's middle"
        except ComputationError:
            return "too large a network to list its regions: a picture with the region at each pixel's middle"

    def _again(self, network: Network, view: View) -> Cut | None:
        """The same view of the same network, if it is cached."""
        for cut in reversed(self.views.values()):
            same = cut.network is network and cut.view.plane is view.plane
            if same and cut.view.centre == view.centre and cut.view.half == view.half:
                return cut
        return None

    def _keep(self, cut: Cut) -> int:
        """Cache a view; returns its number."""
        with self._keeping:
            for number, kept in self.views.items():
                if kept is cut:
                    self.views.move_to_end(number)
                    return number
            self._numbers += 1
            self.views[self._numbers] = cut
            while len(self.views) > 2 and self._keeps_much():
                self.views.popitem(last=False)
            return self._numbers

    def _keeps_much(self) -> bool:
        """Whether there are more views, cells or patterns than are cached."""
        kept = [cut.complex for cut in self.views.values()]
        patterns = sum(complex.patterns.nbytes for complex in kept)
        return len(kept) > MOST_VIEWS or sum(map(len, kept)) > MOST_KEPT or patterns > MOST_PATTERNS

    def _facts(self, found: Any, regions: int) -> dict[str, Any]:
        """The facts of a Count or a Complex."""
        return {
            "regions": regions,
            "by_layer": list(found.by_layer),
            "certified": found.certified,
            "exact_cells": found.exact_cells,
            "milliseconds": 1000 * found.seconds,
        }

    def view_of(self, given: dict[str, Any]) -> View:
        """The view of a request, from "plane", "centre" and "half". Raises DomainError if it is invalid."""
        number = given.get("plane")
        if not isinstance(number, int) or number not in self.planes:
            raise DomainError("This plane is not kept any more; choose it again.")
        centre, half = given.get("centre"), given.get("half")
        if not (isinstance(centre, list) and isinstance(half, list) and len(centre) == len(half) == 2):
            raise DomainError("A view has a centre and a half, two numbers each.")
        if not all(is_number(value) for value in half):
            raise DomainError(f"A view's half is two finite numbers, got {half}.")
        return View.of(self.planes[number].plane, [rational(value) for value in centre], half)

    def _cut_of(self, given: dict[str, Any]) -> Cut:
        """The view with the number in a request."""
        cut = self.views.get(given.get("view", -1)) if isinstance(given.get("view"), int) else None
        if cut is None:
            raise DomainError("This view is not kept any more; move a little, and ask again.")
        return cut

    def _cell(self, given: dict[str, Any]) -> Answer:
        """All facts about one cell of a view."""
        cut = self._cut_of(given)
        with self._cutting:
            return Answer(cut.cell(given.get("cell", -1), given.get("neighbours") is not False))

    def _line(self, given: dict[str, Any]) -> Answer:
        """The function along a segment of a view.

        t : float64 (k,), with 0 and 1 and the breakpoints between them. values : float64 (k, outputs). layers : int32
            (k,), those of the neurons that vanish there, 0 at the ends.
        """
        from creases.complex.births import layers_of_walls
        from creases.domain import Segment
        from creases.subdivision import subdivide

        network, view = self.network(given.get("network", 0)), self.view_of(given)
        ends = []
        for name in ("from", "to"):
            place = given.get(name)
            if not (isinstance(place, list) and len(place) == 2 and all(is_number(value) for value in place)):
                raise DomainError(f"{name} is a place in view, two finite numbers; got {place!r}.")
            ends.append(np.array(place, dtype=np.float64))
        seen = view.network(network)
        with self._cutting:
            pieces = subdivide(seen, Segment(*ends), threads=self.threads, progress=False)
        if len(pieces) > MOST_BREAKS:
            raise DomainError(f"{len(pieces):,} pieces along this line are too many to draw; choose a shorter one.")
        t = np.append(pieces.intervals()[:, 0], 1.0)
        places = (1 - t)[:, None] * ends[0] + t[:, None] * ends[1]
        walls = np.append(pieces.edges.reshape(-1, 2)[:, 0], -1)
        layers = layers_of_walls(seen, walls)
        values = seen.forward(places)[:, :MOST_OUTPUTS]
        facts = {**self._facts(pieces, pieces.regions), "outputs": values.shape[1]}
        return Answer(facts, {"t": t, "values": values, "layers": layers.astype(np.int32)})

    def _image(self, given: dict[str, Any]) -> Answer:
        """An input as an image: a row of the data, or the input at a position in view. uint8 (rows, columns, 3)."""
        network = self.entries[0].network
        shape = image_shape(network, self.points)
        if shape is None:
            raise DomainError(f"The inputs of {network!r} are no pictures.")
        if given.get("row") is not None:
            number = whole(given["row"], "a row of the data", 0, 0 if self.points is None else len(self.points))
            values = self.points[number]  # type: ignore[index]
        else:
            place = given.get("at")
            if not (isinstance(place, list) and len(place) == 2 and all(is_number(value) for value in place)):
                raise DomainError(f"at is a place in view, two finite numbers; got {place!r}.")
            values = self.view_of(given).inputs(np.array(place, dtype=np.float64))
        return Answer({"shape": shape}, {"pixels": image_of(values, shape, self.points)})

    def _look(self, given: dict[str, Any]) -> tuple[Entry, Chosen, View, dict[str, Any]]:
        """What a file or the Python code for it shows."""
        number = whole(given.get("network", 0), "network", 0, len(self.entries))
        view = self.view_of(given)
        color_by = given.get("color_by", "pattern")
        if color_by not in COLOURS:
            raise DomainError(f"Colours tell one of {', '.join(COLOURS)}; got {color_by!r}.")
        look = {"color_by": color_by, **{name: given.get(name) is True for name in ("kinks", "boundary", "marks")}}
        return self.entries[number], self.planes[given["plane"]], view, look

    def _file(self, given: dict[str, Any]) -> Answer:
        """The view as a file: its name and bytes."""
        entry, _, view, look = self._look(given)
        with self._cutting:
            name, content = file_of(
                self.network(given.get("network", 0)),
                view,
                given.get("form"),
                look,
                self.points if look["marks"] else None,
                self.labels,
                entry.name,
                MOST_CELLS,
            )
        return Answer({"name": name}, content=content)

    def _python(self, given: dict[str, Any]) -> Answer:
        """The Python code that makes the same picture."""
        entry, chosen, view, look = self._look(given)
        points = self.points_code if self.points is not None else None
        return Answer({"python": python_of(entry.code, chosen, view, look, points, self.labels)})


class TooManyCells(Exception):
    """Raised inside a cut with more cells than are drawn."""


def is_number(value: Any) -> bool:
    """Whether a value is a finite number, and not a bool."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e300 and isfinite(value)


def rational(value: Any) -> Fraction:
    """A coordinate: a number, or [digits, e] for digits times 2^e. Raises DomainError on anything else."""
    if is_number(value):
        return Fraction(value)
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and len(value[0]) < 1000:
        digits = value[0].removeprefix("-")
        if digits.isascii() and digits.isdigit():
            return Fraction(int(value[0])) * Fraction(2) ** whole(value[1], "an exponent", -1000, 1001)
    raise DomainError('A coordinate is a finite number, or ["digits", e] for digits times 2^e.')


def picture_size(pixels: Any, view: View) -> tuple[int, int]:
    """Columns and rows of a picture: the requested number, within limits, in the proportions of the view."""
    wanted = whole(pixels, "pixels", 1, 2**31) if pixels is not None else LARGEST_PICTURE
    w, h = view.half
    longest = min(wanted, LARGEST_PICTURE)
    return max(1, round(longest * w / max(w, h))), max(1, round(longest * h / max(w, h)))
