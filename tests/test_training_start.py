"""Where a training starts: He initialisation and the planes to count on."""

import numpy as np
import pytest

import creases
from creases.errors import DomainError
from creases.theory import central, zaslavsky
from creases.training import (
    TrainingError,
    circumcentre_square,
    digits_task,
    he_network,
    picture_square,
    plane_through_origin_and,
    planes_through_examples,
    planes_through_origin,
    random_points_task,
)

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")


@pytest.fixture(scope="module")
def digits():
    return digits_task()


@pytest.mark.parametrize(("weight_scale", "bias_std"), [(1.0, 1e-3), (0.5, 0.2), (2.0, 0.0)])
def test_laws_he_moments(weight_scale, bias_std):
    model = he_network([300, 200, 400, 250], seed=7, weight_scale=weight_scale, bias_std=bias_std)
    biases = []
    for linear in model[::2]:  # the output layer as well
        weight = linear.weight.detach().numpy().astype(float)
        n_out, n_in = weight.shape
        scaled = weight / (weight_scale * np.sqrt(2 / n_in))
        # Of k draws of N(0, 1): the mean has deviation 1/sqrt(k), the variance sqrt(2/k), the kurtosis sqrt(24/k).
        k = n_out * n_in
        assert abs(scaled.mean()) < 4 / np.sqrt(k)
        assert abs(scaled.var() - 1) < 4 * np.sqrt(2 / k)
        assert abs((scaled**4).mean() - 3) < 4 * np.sqrt(96 / k)
        biases.append(linear.bias.detach().numpy().astype(float))
    values = np.concatenate(biases)
    if bias_std == 0:
        assert not values.any()
    else:
        assert abs(values.var() / bias_std**2 - 1) < 4 * np.sqrt(2 / values.size)


def test_known_he_draws_are_numpys():
    model = he_network([3, 4, 2], seed=11, bias_std=0.1)
    rng = np.random.default_rng(11)
    for linear, (n_in, n_out) in zip(model[::2], [(3, 4), (4, 2)], strict=True):
        weight = rng.standard_normal((n_out, n_in)) * np.sqrt(2 / n_in)
        bias = rng.standard_normal(n_out) * 0.1
        assert (linear.weight.detach().numpy() == weight.astype(np.float32)).all()
        assert (linear.bias.detach().numpy() == bias.astype(np.float32)).all()
        assert linear.weight.requires_grad


def test_laws_he_leaves_torchs_generator_alone():
    before = torch.get_rng_state()
    he_network([5, 6, 7], seed=1)
    assert torch.equal(before, torch.get_rng_state())


def test_known_counts_at_initialisation(digits):
    # One generic layer is an arrangement of lines on any generic plane; without biases, of lines through 0.
    on_examples = planes_through_examples(digits, 1)[0]
    at_origin = planes_through_origin(digits, 1)[0]
    biased = creases.load(he_network([64, 30, 10], seed=0))
    unbiased = creases.load(he_network([64, 30, 10], seed=0, bias_std=0.0))
    assert creases.count(biased, on_examples, threads=1).regions == zaslavsky(30, 2)
    assert creases.count(unbiased, at_origin, threads=1).regions == central(30, 2)


def test_known_plane_through_origin():
    plane = plane_through_origin_and([1.0, 1.0, 0.0], [0.0, 4.0, 0.0])
    assert plane.basis.tolist() == [[0.0, 5.0, 0.0], [5.0, 0.0, 0.0]]
    assert not plane.origin.any()


def test_laws_planes_through_origin(digits):
    planes = planes_through_origin(digits, 5, seed=2)
    examples = digits.train_inputs.astype(float)
    for plane in planes:
        first, second = plane.basis
        assert np.linalg.norm(first) == pytest.approx(np.linalg.norm(second), rel=1e-12)
        assert abs(first @ second) < 1e-12 * (first @ first)
        # The longer example is in the plane exactly, at u = (0.8, 0); another is in it to rounding.
        assert (np.abs(examples * 1.25 - first).max(axis=1) == 0).any()
        u = plane.slice.coordinates(examples)
        on_plane = np.abs(plane.slice.points(u) - examples).max(axis=1) < 1e-12
        assert on_plane.sum() >= 2
        assert (np.linalg.norm(u[on_plane], axis=1) <= 0.8 + 1e-12).all()
    again = planes_through_origin(digits, 3, seed=2)
    assert all((a.basis == b.basis).all() for a, b in zip(planes, again, strict=False))
    assert (planes_through_origin(digits, 1, seed=3)[0].basis != planes[0].basis).any()


def test_laws_planes_through_examples_hold_their_examples_exactly(digits):
    rows = {row.tobytes() for row in digits.train_inputs.astype(float)}
    for plane in planes_through_examples(digits, 4, seed=5):
        for u in ([0, 0], [1, 0], [0, 1]):
            assert plane.slice.points(np.array(u, float)).tobytes() in rows


def test_known_circumcentre():
    picture = circumcentre_square([0.0, 0.0, 7.0], [4.0, 0.0, 7.0], [0.0, 2.0, 7.0])
    assert picture.points.tolist() == [[-2.0, -1.0], [2.0, -1.0], [-2.0, 1.0]]
    assert picture.domain.plane.origin.tolist() == [2.0, 1.0, 7.0]
    assert picture.domain.vertices.max() == pytest.approx(1.25 * np.sqrt(5))


def test_laws_picture_of_three_digits(digits):
    picture = picture_square(digits)
    plane = picture.domain.plane
    assert np.allclose(plane.basis @ plane.basis.T, np.eye(2), atol=1e-14)
    radii = np.linalg.norm(picture.points, axis=1)
    assert radii == pytest.approx([radii[0]] * 3)
    assert picture.domain.vertices.max() == pytest.approx(1.25 * radii[0])
    firsts = [digits.train_inputs[digits.train_labels == label][0] for label in (0, 1, 2)]
    assert np.allclose(plane.slice.points(picture.points), firsts, atol=1e-13)
    network = creases.load(he_network([64, 6, 6, 10], seed=0))
    assert creases.count(network, picture.domain, threads=1).certified


@pytest.mark.parametrize("widths", [[2, 3], [2, 0, 1], [2, 2.5, 1], 7])
def test_bad_input_widths(widths):
    with pytest.raises(TrainingError, match=r"widths must be whole numbers of at least 1: the inputs, the neurons"):
        he_network(widths)


def test_bad_input_scales():
    with pytest.raises(TrainingError, match="weight_scale must be finite and at least 0, got -1"):
        he_network([2, 3, 1], weight_scale=-1)
    with pytest.raises(TrainingError, match="bias_std must be finite and at least 0, got inf"):
        he_network([2, 3, 1], bias_std=float("inf"))


def test_bad_input_planes(digits):
    with pytest.raises(DomainError, match="The points 0, a and b lie in a line"):
        plane_through_origin_and([1.0, 2.0], [2.0, 4.0])
    with pytest.raises(DomainError, match="The points 0, a and b lie in a line"):
        plane_through_origin_and([0.0, 0.0], [0.0, 0.0])
    with pytest.raises(DomainError, match="The points a, b and c lie in a line"):
        circumcentre_square([0.0, 0.0], [1.0, 1.0], [3.0, 3.0])
    with pytest.raises(DomainError, match="a and b are equal"):
        circumcentre_square([0.0, 0.0], [0.0, 0.0], [3.0, 3.0])
    with pytest.raises(DomainError, match=r"of one space, got 2, 3 coordinates"):
        plane_through_origin_and([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(TrainingError, match="count of at least one plane, got 0"):
        planes_through_origin(digits, 0)
    with pytest.raises(TrainingError, match="fewer than the 3 training examples"):
        planes_through_examples(random_points_task(2), 1)
    with pytest.raises(TrainingError, match=r"100 draws of 2 training examples .* spanned no plane"):
        planes_through_origin(random_points_task(5, n_in=1), 1)
    with pytest.raises(TrainingError, match=r"so three labels; got \[0, 1\]"):
        picture_square(digits, [0, 1])
    with pytest.raises(TrainingError, match="no training example with label 12"):
        picture_square(digits, [0, 1, 12])
