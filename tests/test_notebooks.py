"""What notebooks show of counts, networks, domains and complexes; and that no text of a file becomes markup there."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

import creases
from creases import theory
from creases.complex import notebook
from creases.network import Level

EVIL = "<script>alert('creases')</script>\"><img src=x onerror=alert(1)>"
HARMLESS = {"div", "strong", "table", "thead", "tbody", "tr", "td", "th", "pre", "svg", "polygon", "p"}


class Tags(HTMLParser):
    """The tags of a page, its attributes, its text; tags that are not closed in order are an error."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.attributes, self.words = [], set(), set(), []

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def parsed(thing):
    """The text of what a notebook shows; fails on tags or attributes that could do something."""
    tags = Tags()
    tags.feed(thing._repr_html_())
    tags.close()
    assert not tags.open
    assert tags.seen <= HARMLESS
    assert not {name for name in tags.attributes if name.startswith("on") or name in ("href", "src")}
    return " ".join(tags.words)


@pytest.fixture
def evil():
    """A network whose layer, and whose reader's note, are markup."""
    levels = [Level({0: creases.Dense(np.eye(2))}, [0.0, 0.0], creases.ReLU(), name=EVIL)]
    return creases.Network.from_levels(levels, notes=(EVIL,))


def test_known_count_as_a_table():
    network = creases.Network.he([2, 8, 8, 1])
    count = creases.count(network, creases.Space(2))
    words = parsed(count)
    assert f"{count.regions:,} activation regions" in words
    assert f"{count.bounded:,} bounded, {count.unbounded:,} unbounded" in words
    assert "every sign is proved" in words
    assert count.network[:12] in words


def test_known_count_of_a_path_says_pieces():
    count = creases.count(creases.Network.he([2, 8, 1]), creases.Polyline([[0, 0], [1, 0], [1, 1]]))
    assert f"{count.regions:,} pieces along the path" in parsed(count)


def test_known_network_as_a_table():
    words = parsed(creases.Network.he([784, 32, 16, 10]))
    for said in ("784", "10", "layer 1", "layer 2", "32", "16", "ReLU", "48", "chain"):
        assert said in words
    deep = creases.Network.he([2, *[3] * 20, 1])
    assert "and 8 more" in parsed(deep)


def test_known_linear_count_and_theory_tables():
    network = creases.Network.he([2, 8, 1])
    found = creases.count_linear_regions(network, creases.Box([-1, -1], [1, 1]))
    assert f"{found.linear_regions:,} linear regions" in parsed(found)
    assert "Zaslavsky" in parsed(theory.bounds([8, 8], 2))


@pytest.mark.parametrize(
    ("domain", "said"),
    [
        (creases.Box([-1, 0, 2], [1, 3, 2]), ["Box", "dimension 2", "inputs 3", "area 6", "lower (-1, 0, 2)"]),
        (creases.Segment([0, 0], [3, 4]), ["Segment", "dimension 1", "length 5"]),
        (creases.Polyline([[0, 0], [1, 0]]), ["Polyline", "length 1", "closed False"]),
        (creases.Circle([0, 0], 1), ["Circle", "length 6.28319", "radius 1"]),
        (creases.Polygon([[0, 0], [1, 0], [0, 1]]), ["Polygon", "area 0.5"]),
        (creases.Ball([0, 0, 0], 1), ["Ball", "dimension 3", "volume 4.18879"]),
        (creases.Line([0, 0], [1, 1]), ["Line", "infinite"]),
        (creases.Plane.through([0] * 9, [1] * 9, [*[1] * 8, 2]), ["Plane", "inputs 9", "infinite"]),
        (creases.Space(4), ["Space", "dimension 4", "infinite"]),
        (creases.Subspace(np.zeros(5), np.eye(5)[:3]), ["Subspace", "dimension 3", "inputs 5"]),
        (creases.Directions(3), ["Directions", "dimension 2", "inputs 3"]),
        (creases.Simplex([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]), ["Simplex", "volume 0.166667"]),
        (creases.Polytope(np.random.default_rng(0).random((9, 3))), ["Polytope", "dimension 3", "volume"]),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, list) else "",
)
def test_known_domains_as_what_they_are(domain, said):
    words = parsed(domain)
    for one in said:
        assert one in words


def test_known_complex_is_a_picture_where_it_is_flat():
    network = creases.Network.he([2, 12, 1])
    cells = creases.subdivide(network, creases.Box([-1, -1], [1, 1]))
    html = cells._repr_html_()
    assert html.count("<polygon") == len(cells)
    words = parsed(cells)
    assert f"Complex of {len(cells):,} activation regions" in words
    assert "facets" in words  # the summary
    # As large as the square, and inside of it.
    lists = re.findall(r'<polygon points="([^"]*)"', html)
    places = np.array([[float(x) for x in place.split(",")] for points in lists for place in points.split()])
    assert places.min() == 0.0
    assert places.max() == notebook.SIDE


def test_known_complexes_without_a_picture(monkeypatch):
    line = creases.subdivide(creases.Network.he([2, 12, 1]), creases.Segment([-1, -1], [1, 1]))
    cube = creases.subdivide(creases.Network.he([3, 6, 1]), creases.Box([-1] * 3, [1] * 3))
    for cells in (line, cube):
        assert "<svg" not in cells._repr_html_()
        assert "facets" in parsed(cells)
    many = creases.subdivide(creases.Network.he([4, 6, 1]), creases.Space(4))
    assert "complex.summary()" in parsed(many)  # whose volumes would take long
    monkeypatch.setattr(notebook, "MOST_DRAWN", 5)
    large = creases.subdivide(creases.Network.he([2, 12, 1]), creases.Space(2))
    assert len(large) > 5
    assert "<svg" not in large._repr_html_()
    assert "complex.summary()" in parsed(large)


@pytest.mark.parametrize("n_hidden", [0, 1, 2, 9])
def test_known_whole_planes_are_clipped(n_hidden):
    """Regions without a corner too: of no neuron, of one, of parallel ones."""
    weights = [np.eye(2)[[0] * n_hidden]] if n_hidden < 9 else [np.random.default_rng(0).normal(size=(9, 2))]
    if not n_hidden:
        weights = [np.zeros((1, 2))]
    network = creases.Network.from_arrays(weights, [np.arange(len(weights[0]))], output_layer=False)
    cells = creases.subdivide(network, creases.Space(2))
    words = parsed(cells)
    assert "nan" not in cells._repr_html_().split("<pre")[0]
    assert "activation regions" in words
    inside = re.findall(r'<polygon points="([^"]*)"', cells._repr_html_())
    places = np.array([[float(x) for x in place.split(",")] for points in inside for place in points.split()])
    assert places.min() >= 0.0
    assert places.max() <= notebook.SIDE
    assert len(inside) > len(cells) // 2


def test_bad_input_names_and_notes_are_no_markup(evil):
    square = creases.Box([-1, -1], [1, 1])
    count, cells = creases.count(evil, square), creases.subdivide(evil, square)
    for thing in (evil, count, cells, creases.count_linear_regions(evil, square), theory.compare(count, evil)):
        parsed(thing)  # fails where a tag of theirs opens
        assert "<script" not in thing._repr_html_()
        assert "<img" not in thing._repr_html_()
    assert "alert('creases')" in parsed(evil)
    assert "alert('creases')" in parsed(count)
    shown = parsed(creases.subdivide(evil, creases.Segment([-1, -1], [1, 1])))
    assert "alert('creases')" in shown  # the summary names the layers
