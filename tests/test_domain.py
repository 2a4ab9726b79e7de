"""Domains: the set that is cut is exactly the one that was asked for."""

import dataclasses
import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from creases import Box, DomainError, Line, Network, Plane, Polygon, Polyline, Segment, Slice, Space, count
from creases.domain import domain_from_dict
from networks import random_network

finite = st.floats(-1e300, 1e300)
vectors = st.lists(finite, min_size=3, max_size=3)


def exactly(head, tail):
    return [Fraction(h) + Fraction(t) for h, t in zip(head.tolist(), tail.tolist(), strict=True)]


def difference(a, b):
    return [Fraction(x) - Fraction(y) for x, y in zip(a, b, strict=True)]


# Differences of points are kept without rounding.


@given(vectors, vectors)
def test_against_exact_segment(a, b):
    assume(a != b)
    segment = Segment(a, b)
    assert exactly(segment.slice.basis[0], segment.slice.basis_tail[0]) == difference(b, a)
    assert segment.slice.origin.tolist() == a
    assert segment.vertices.tolist() == [[0.0], [1.0]]


@given(vectors, vectors, vectors)
def test_against_exact_plane_through(a, b, c):
    p, q = difference(b, a), difference(c, a)
    minors = [p[i] * q[j] - p[j] * q[i] for i in range(3) for j in range(i)]
    if not any(minors):
        with pytest.raises(DomainError, match="collinear"):
            Plane.through(a, b, c)
        return
    plane = Plane.through(a, b, c)
    assert plane.origin.tolist() == a
    assert [exactly(*rows) for rows in zip(plane.basis, plane.basis_tail, strict=True)] == [p, q]


def test_known_plane_through_keeps_what_rounding_takes():
    """0.1 - 1e17 has no float; the head and the tail together are the number."""
    plane = Plane.through([1e17, 0.3], [0.1, 0.3], [1e17, 0.7])
    assert plane.basis_tail.any()
    assert exactly(plane.basis[0], plane.basis_tail[0]) == [Fraction(0.1) - Fraction(1e17), 0]
    # Collinear but for the last bit: still a plane.
    assert isinstance(Plane.through([0.1, 0.1], [0.2, 0.2], [0.7, np.nextafter(0.7, 1)]), Plane)


def test_against_exact_count_sees_the_tail():
    """A line at x = 2^-60 is inside a segment from 1 to 2^-61, whose difference rounds to -1."""
    network = Network.from_arrays([[[1.0]]], [[-(2.0**-60)]], output_layer=False)
    assert count(network, Segment([1.0], [2.0**-61])).regions == 2
    assert count(network, Segment([1.0], [2.0**-60])).regions == 1
    assert count(network, Segment([1.0], [2.0**-59])).regions == 1


# Coordinates.


def test_known_slice_points_and_coordinates():
    plane = Plane([1, 2, 3], [[2, 0, 0], [1, 1, 0]])
    sliced = plane.slice
    assert (sliced.dimension, sliced.n_in) == (2, 3)
    assert sliced.points([0.5, -1]).tolist() == [1.0, 1.0, 3.0]
    assert sliced.points(np.zeros((4, 5, 2))).shape == (4, 5, 3)
    assert sliced.coordinates([1, 1, 3]).tolist() == pytest.approx([0.5, -1])
    # Off the plane: the coordinates of the nearest point.
    assert sliced.coordinates([1, 1, 99]).tolist() == pytest.approx([0.5, -1])
    assert sliced.coordinates(np.zeros((4, 5, 3))).shape == (4, 5, 2)


@pytest.mark.parametrize(
    "domain",
    [
        Plane.through(*np.random.default_rng(0).standard_normal((3, 7))),
        Segment(*np.random.default_rng(1).standard_normal((2, 7))),
        Line(*np.random.default_rng(2).standard_normal((2, 7))),
        Space(2),
        Box([-1, 0.5, 3], [1, 0.5, 4]),
    ],
    ids=repr,
)
def test_laws_coordinates_of_points(domain):
    u = np.random.default_rng(3).uniform(-2, 2, (11, domain.slice.dimension))
    np.testing.assert_allclose(domain.slice.coordinates(domain.slice.points(u)), u, atol=1e-12)


def test_known_three_points_are_the_corners():
    a, b, c = np.random.default_rng(4).standard_normal((3, 5))
    sliced = Plane.through(a, b, c).slice
    np.testing.assert_allclose(sliced.points([0, 0]), a, rtol=1e-14)
    np.testing.assert_allclose(sliced.points([[1, 0], [0, 1]]), [b, c], rtol=1e-14)
    segment = Segment(a, b).slice
    np.testing.assert_allclose(segment.points([[0], [1]]), [a, b], rtol=1e-14)
    line = Line.through(a, b)
    np.testing.assert_array_equal(line.point, a)
    np.testing.assert_array_equal(line.direction, b - a)


def test_known_box():
    """Sides of no width are held fixed; the others are the coordinates, in order."""
    box = Box([-1, 0.5, 3], [1, 0.5, 4])
    assert box.dimension == 2
    assert box.vertices.tolist() == [[-1, 3], [1, 3], [1, 4], [-1, 4]]
    assert box.slice.points([0.25, 3.5]).tolist() == [0.25, 0.5, 3.5]
    assert Box([0, 0], [0, 2]).vertices.tolist() == [[0], [2]]
    assert (Box([0] * 5, [1] * 5).dimension, Box([2], [3]).dimension) == (5, 1)


def shoelace(polygon):
    x, y = np.asarray(polygon).T
    return float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2)


def test_known_polygon_is_kept_counter_clockwise():
    square = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
    assert Polygon(square).vertices.tolist() == square
    assert Polygon(square[::-1]).vertices.tolist() == square
    turned = Polygon([square[i] for i in (2, 1, 0, 3)]).vertices
    assert shoelace(turned) == 1.0
    assert Plane([0, 0], [[1, 0], [0, 1]]).square(2).vertices.tolist() == [[-2, -2], [2, -2], [2, 2], [-2, 2]]


def test_known_polygons_of_many_corners_are_looked_at_once():
    """Every turn of a star is to the left too, but it goes round twice."""
    angles = 2 * np.pi * np.arange(10_000) / 10_000
    circle = np.column_stack([np.cos(angles), np.sin(angles)])
    assert np.array_equal(Polygon(circle).vertices, circle)
    assert np.array_equal(Polygon(circle[::-1]).vertices, circle)
    for corners, step in ((5, 2), (7, 2), (7, 3), (8, 3)):
        star = circle[:: 10_000 // corners][:corners][np.arange(corners) * step % corners]
        for vertices in (star, star[::-1]):
            with pytest.raises(DomainError, match="not strictly convex: vertex"):
                Polygon(vertices)
    with pytest.raises(DomainError, match="not strictly convex"):
        Polygon(np.vstack([circle[::100], circle[::100]]))  # twice round


def test_known_polygon_convexity_is_decided_in_rationals():
    """One unit in the last place decides; floats could not tell."""
    tip = 1.0 + 2.0**-52
    assert Polygon([[0, 0], [1, 0], [tip, 1], [1, 2], [0, 2]]).vertices.shape == (5, 2)
    with pytest.raises(DomainError, match="not strictly convex"):
        Polygon([[0, 0], [1, 0], [1, 1], [1, 2], [0, 2]])
    with pytest.raises(DomainError, match="not strictly convex"):
        Polygon([[0, 0], [1, 0], [1.0 - 2.0**-53, 1], [1, 2], [0, 2]])


def test_known_polyline():
    path = Polyline([[0, 0], [3, 4], [3, 0]])
    assert [segment.end.tolist() for segment in path.segments] == [[3.0, 4.0], [3.0, 0.0]]
    assert path.segments[1].start.tolist() == [3.0, 4.0]
    closed = Polyline([[0, 0], [1, 0], [0, 1], [0, 0]])
    assert len(closed.segments) == 3


def test_known_basis_is_kept_as_given():
    basis = [[3.0, 1.0, 0.0], [2.0, 2.0, -7.5]]
    assert Plane([0, 0, 1], basis).basis.tolist() == basis
    assert not Plane([0, 0, 1], basis).basis_tail.any()
    assert Line([0, 0], [5, 0]).direction.tolist() == [5.0, 0.0]


def test_known_input_shape():
    """Points come flat or in any shape that holds them, such as an image's."""
    a, b, c = np.random.default_rng(0).standard_normal((3, 2, 3))
    flat = [p.ravel() for p in (a, b, c)]
    assert np.array_equal(Plane.through(a, b, c).slice.basis, Plane.through(*flat).slice.basis)
    assert np.array_equal(Plane(a, [b, c]).basis, Plane(flat[0], flat[1:]).basis)
    assert np.array_equal(Segment(a, b).slice.basis, Segment(*flat[:2]).slice.basis)
    assert np.array_equal(Line(a, b).direction, flat[1])
    assert np.array_equal(Polyline([a, b, c]).points, flat)
    assert np.array_equal(Polyline(np.array([a, b, c])).points, flat)
    assert Box(a, a + np.array([[1, 0, 0], [0, 2, 0]])).dimension == 2
    network = Network.from_arrays(*random_network([6, 8, 1], 0, 0.1), input_shape=(2, 3))
    images = count(network, Plane.through(a, b, c).square(3))
    assert images.regions == count(network, Plane.through(*flat).square(3)).regions > 1


# Words and numbers.

EXAMPLES = [
    (Segment([0, 0], [3, 4]), "Segment(n_in=2, length=5)"),
    (Segment([0.1, 1e17], [0.3, 0.7]), "Segment(n_in=2, length=1e+17)"),
    (Polyline([[0, 0], [3, 4], [3, 0]]), "Polyline(n_in=2, segments=2, length=9)"),
    (Line([0.1, 0.2, 0.3], [1, 0, 0]), "Line(n_in=3)"),
    (Plane([0.1] * 4, [[1, 0, 0, 0], [0, 1, 0, 0.3]]), "Plane(n_in=4)"),
    (Plane.through([0.1] * 4, [1, 0.7, 0, 0], [0, 1, 0, 1e9]), "Plane(n_in=4)"),
    (Polygon([[0, 0], [1, 0], [0.1, 0.7]]), "Polygon(3 vertices)"),
    (Plane.through([0.1, 1, 2], [1e9, 0, 0], [0, 1, 0]).square(0.3), "Polygon(4 vertices, n_in=3)"),
    (Box([-1, -1, 0.1], [1, 0.7, 0.1]), "Box(n_in=3, dimension=2)"),
    (Space(2), "Space(2)"),
]


@pytest.mark.parametrize(("domain", "text"), EXAMPLES)
def test_known_repr(domain, text):
    assert repr(domain) == text


def arrays_of(domain):
    parts = [domain.slice.origin, domain.slice.basis, domain.slice.basis_tail]
    if isinstance(domain, Polyline):
        return [*parts, domain.points]
    return parts if domain.vertices is None else [*parts, domain.vertices]


@pytest.mark.parametrize("domain", [domain for domain, _ in EXAMPLES], ids=repr)
def test_laws_to_dict_and_back(domain):
    """Through JSON text, to the last bit."""
    data = json.loads(json.dumps(domain.to_dict()))
    again = domain_from_dict(data)
    assert type(again) is type(domain)
    assert again.to_dict() == data
    for ours, theirs in zip(arrays_of(again), arrays_of(domain), strict=True):
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("domain", [domain for domain, _ in EXAMPLES], ids=repr)
def test_laws_nothing_can_change(domain):
    arrays = [domain.slice.origin, domain.slice.basis, domain.slice.basis_tail]
    for name in ("start", "end", "points", "point", "direction", "origin", "basis", "lower", "upper"):
        arrays += [getattr(domain, name)] if hasattr(domain, name) else []
    arrays += [domain.vertices] if isinstance(domain, Polygon) else []
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 7.0
    with pytest.raises(dataclasses.FrozenInstanceError):
        domain.slice = None


def test_laws_given_arrays_are_copied():
    start, end, corners = np.zeros(2), np.ones(2), np.array([[0.0, 0], [1, 0], [0, 1]])
    segment, polygon, plane = Segment(start, end), Polygon(corners), Plane(start, corners[1:])
    start[:], end[:], corners[:] = 9, 9, 9
    assert (segment.start.tolist(), segment.end.tolist()) == ([0, 0], [1, 1])
    assert polygon.vertices.tolist() == [[0, 0], [1, 0], [0, 1]]
    assert (plane.origin.tolist(), plane.basis.tolist()) == ([0, 0], [[1, 0], [0, 1]])


def test_known_space():
    assert Space(2).n == 2
    assert isinstance(Space(np.int64(3)).n, int)
    assert Space(3).slice.points([1, 2, 3]).tolist() == [1, 2, 3]
    assert Slice.identity(2).coordinates([4, 5]).tolist() == pytest.approx([4, 5])
