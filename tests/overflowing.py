"""Networks with a neuron too large for any bound, and with a sum that floats lose in whatever order they add it.

Nothing is coupled to the large neuron: 0 * inf is what it leaves in bounds. The sum moves the zeros of the last layer
by more than their distance, so that a bound that is lost is seen in the count.
"""

from fractions import Fraction

import numpy as np

LARGEST = float(np.finfo(np.float64).max)
SPLIT = 2.0**53


def cancelling(rng, constants):
    """(weights, rest): weights of about 2^53 whose products with these floats add up to a small rest, exactly."""
    weights = rng.uniform(-SPLIT, SPLIT, size=len(constants))
    values = [Fraction(value) for value in constants]
    weights[-2:] = 0.0
    for last in (-2, -1):  # each makes up for what the ones before have left
        total = sum(Fraction(w) * value for w, value in zip(weights.tolist(), values, strict=True))
        weights[last] = float(-total / values[last])
    return weights, sum(Fraction(w) * value for w, value in zip(weights.tolist(), values, strict=True))


def overflowing(rng, n_in, depth, large=LARGEST):
    """(weights, biases) of `depth` >= 3 layers.

    The last layer's neurons vanish where x_1 + ... + x_n is -1/2, 0 and 1/2, but for one, which is a constant; in all
    layers between the second and the last there is one that does at -1/4.
    """
    constants = rng.uniform(0.5, 2.0, size=8)
    weights, rest = cancelling(rng, constants)
    many = len(constants)
    # Inputs plus 2, the constants, the large one, and one that cuts.
    first = np.zeros((n_in + many + 2, n_in))
    first[:n_in] = np.eye(n_in)
    first[-1] = rng.integers(1, 3, size=n_in)
    bias = np.array([*[2.0] * n_in, *constants, float(rng.choice([-1, 1])) * large, 0.25])
    layers = [(first, bias)]
    lifted = 1.0 + float(abs(round(rest)))
    level = 2.0 * n_in + lifted + float(rest)
    for layer in range(1, depth - 1):
        weight, bias = np.zeros((4, len(layers[-1][1]))), np.array([lifted, rng.choice([-1, 1]) * large, 0.5, 0.25])
        if layer == 1:
            weight[0, :n_in], weight[0, n_in : n_in + many] = 1.0, weights
        else:
            weight[[0, 3], 0], bias[0], bias[3] = 1.0, 0.0, 0.25 - level
        layers.append((weight, bias))
    weight, bias = np.zeros((4, 4)), np.array([0.5 - level, -level, -0.5 - level, 1.0])
    weight[:3, 0] = 1.0
    layers.append((weight, bias))
    return [weight for weight, _ in layers], [bias for _, bias in layers]


def overflowing_couplings(rng, n_in, large=LARGEST):
    """(weights, biases) of four layers, of which the first has a neuron whose gradient overflows.

    The last is coupled to the second, of which one neuron is not decided, through a third that is active everywhere.
    The coupling is a sum that floats lose; what is paid for its rounding is the size of the second layer. The last
    layer's neurons vanish where x_1 + ... + x_n is 0.7, 0.8 and 0.9.
    """
    slopes = rng.uniform(0.5, 2.0, size=8)
    weights, rest = cancelling(rng, slopes)
    first = np.vstack([np.eye(n_in), np.full((1, n_in), large)])
    second = np.zeros((2, n_in + 1))
    second[0, :n_in] = 1.0
    third = np.array([[*slopes, 1.0], [0.0] * 9]).T
    last = np.tile([*weights, 1.0], (3, 1))
    small = 2.0**-40  # enough to keep the third layer active, too little to matter in the last
    biases = [
        np.array([*[2.0] * n_in, float(rng.choice([-1, 1])) * large]),
        np.array([-2.0 * n_in, 1.0]),
        np.array([*(small * slopes), 1.0]),
        np.array([-1.7, -1.8, -1.9]) * (1.0 + float(rest)),
    ]
    return [first, second, third, last], biases
