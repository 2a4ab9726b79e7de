"""Laws of weights and biases: each has the moments that its name promises, and the papers' is `he_network`."""

import copy

import numpy as np
import pytest
import torch

from creases import load
from creases.paper.runs import folded
from creases.streams import stream
from creases.training import (
    BandBiases,
    CorrelatedBiases,
    GaussianBiases,
    GlorotWeights,
    HeUniformWeights,
    HeWeights,
    Initialisation,
    LeCunWeights,
    OneSidedBiases,
    OrthogonalWeights,
    TrainingError,
    UniformBiases,
    ZeroBiases,
    digits_task,
    fewer_examples,
    he_network,
    principal_task,
    with_pixel_noise,
)
from creases.training.networks import NORM_EPS


def test_known_the_default_is_he_network():
    ours, papers = Initialisation().build([5, 4, 3, 2], 7), he_network([5, 4, 3, 2], 7)
    assert load(ours).sha256 == load(papers).sha256


@pytest.mark.parametrize(
    ("law", "variance"),
    [
        (HeWeights(), 2 / 50),
        (HeWeights(0.5), 0.5 / 50),
        (HeUniformWeights(), 2 / 50),
        (GlorotWeights(), 2 / 450),
        (LeCunWeights(), 1 / 50),
        (OrthogonalWeights(), 2 / 400),
    ],
)
def test_laws_variance_of_weights(law, variance):
    drawn = law.draw(np.random.default_rng(0), 400, 50)
    assert drawn.shape == (400, 50)
    assert drawn.var() == pytest.approx(variance, rel=0.05)
    assert abs(drawn.mean()) < 4 * np.sqrt(variance / drawn.size)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5)])
def test_laws_orthogonal(shape):
    drawn = OrthogonalWeights().draw(np.random.default_rng(0), *shape) / np.sqrt(2)
    small = drawn.T @ drawn if shape[0] >= shape[1] else drawn @ drawn.T
    assert np.allclose(small, np.eye(min(shape)))


def test_laws_biases():
    rng, reached = np.random.default_rng(0), np.random.default_rng(1).standard_normal((300, 2000)) + 5.0
    assert GaussianBiases(0.3).draw(rng, reached).std() == pytest.approx(0.3, rel=0.1)
    uniform = UniformBiases(2.0).draw(rng, reached)
    assert 1.9 < uniform.max() <= 2.0
    assert (ZeroBiases().draw(rng, reached) == 0).all()
    assert (OneSidedBiases(1.0).draw(rng, reached) > 0).all()
    assert (OneSidedBiases(-1.0).draw(rng, reached) < 0).all()
    band = BandBiases(0.01).draw(rng, reached)
    assert np.abs(band + np.median(reached, axis=0)).max() < 0.01 * 6
    means = [CorrelatedBiases(1.0, 0.81).draw(rng, reached[:, :50]).mean() for _ in range(400)]
    assert np.std(means) == pytest.approx(0.9, rel=0.15)  # they rise and fall together


def test_known_what_is_trained():
    model = Initialisation(biases=ZeroBiases(), trained_biases=False).build([3, 4, 2], 0)
    assert [parameter.requires_grad for parameter in model.parameters()] == [True, False, True, False]
    network = load(Initialisation(batch_norm=True).build([3, 4, 4, 2], 0))
    assert network.widths == (4, 4)
    assert not network.is_chain


@pytest.mark.parametrize("inputs", [np.random.default_rng(3).uniform(1.0, 3.0, (40, 3)).astype(np.float32), None])
def test_laws_batch_norm_begins_as_it_is_used(inputs):
    """In use it gives what it gives in training on those inputs as one batch; without inputs, on the 256 of its own."""
    model = Initialisation(batch_norm=True).build([3, 6, 5, 2], 1, inputs)
    seen = stream("inputs for a law of biases", 0).standard_normal((256, 3)) if inputs is None else inputs
    seen = torch.from_numpy(seen.astype(np.float32))
    with torch.no_grad():
        used = model.eval()(seen)
        assert torch.allclose(used, copy.deepcopy(model).train()(seen), atol=1e-5)
        plain = Initialisation().build([3, 6, 5, 2], 1, inputs)
        assert not torch.allclose(used, plain(seen), atol=1e-2)
    norms = [module for module in model if isinstance(module, torch.nn.BatchNorm1d)]
    assert [len(norm.running_mean) for norm in norms] == [6, 5]
    points = seen.numpy().astype(np.float64)
    assert np.allclose(load(model).forward(points), used.numpy(), atol=1e-5)
    chain = folded(load(model))
    assert chain.is_chain
    assert np.allclose(chain.forward(points), load(model).forward(points), rtol=1e-12, atol=1e-12)


def test_known_batch_norm_of_one_layer():
    """Of what a first layer gives on the inputs: its mean and its variance, by the formula; scale 1 and shift 0."""
    inputs = np.random.default_rng(5).standard_normal((30, 4)).astype(np.float32)
    model = Initialisation(batch_norm=True).build([4, 3, 2], 2, inputs)
    reached = inputs @ model[0].weight.detach().numpy().T + model[0].bias.detach().numpy()
    assert np.allclose(model[1].running_mean, reached.mean(axis=0), atol=1e-6)
    assert np.allclose(model[1].running_var, reached.var(axis=0), rtol=1e-5)
    assert (model[1].weight == 1).all()
    assert (model[1].bias == 0).all()
    assert model[1].eps == NORM_EPS == torch.nn.BatchNorm1d(1).eps


def test_known_tasks():
    noise = with_pixel_noise(digits_task(), 3)
    assert noise.train_inputs.mean() == pytest.approx(digits_task().train_inputs.mean(), rel=0.02)
    assert np.array_equal(noise.train_labels, digits_task().train_labels)
    assert not np.array_equal(noise.train_inputs, with_pixel_noise(digits_task(), 4).train_inputs)
    fewer = fewer_examples(digits_task(), 7)
    assert np.array_equal(fewer.train_inputs, digits_task().train_inputs[:7])
    with pytest.raises(TrainingError, match="has 1 to 1,438 examples to learn, not 1,439"):
        fewer_examples(digits_task(), 1439)
    seen = principal_task(digits_task(), 3)
    covariance = seen.train_inputs.T.astype(np.float64) @ seen.train_inputs / len(seen.train_inputs)
    assert np.allclose(covariance, np.eye(3), atol=1e-4)
    with pytest.raises(TrainingError, match="Give 1 to 64 principal components, got 65"):
        principal_task(digits_task(), 65)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HeWeights(-1.0), "scale must be finite and at least 0"),
        (lambda: GaussianBiases(float("nan")), "std must be finite"),
        (lambda: UniformBiases(float("inf")), "half_width must be finite"),
        (lambda: CorrelatedBiases(1.0, 1.0), "correlation must be at least 0 and less than 1"),
        (lambda: BandBiases(-0.1), "noise must be finite and at least 0"),
        (lambda: Initialisation().build([3, 2], 0), "widths must be whole numbers"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(TrainingError, match=message):
        make()
