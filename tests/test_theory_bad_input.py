"""Every public function of the theory says what is wrong with its arguments."""

import sys
from fractions import Fraction

import numpy as np
import pytest

from creases import Network, theory
from creases.errors import DomainError, NetworkError
from creases.theory import sawtooth

ONE, NAN, INF = [[1.0]], float("nan"), float("inf")
NETWORK = Network.from_arrays([ONE], [[0.5]], output_layer=False)
RNG = np.random.default_rng(0)
WIDTHS = (
    (([],), "widths is empty; give the neurons"),
    (([3, 0],), r"widths\[1\] must be a whole number, at least 1; got 0"),
    (([-2],), r"widths\[0\] must be a whole number, at least 1; got -2"),
    (([2.5],), r"widths\[0\] must be a whole number, at least 1; got 2\.5"),
    ((7,), "widths must list the neurons of each hidden layer"),
)
WIDTHS_OF_N = [((*given, 2), words) for given, words in WIDTHS] + [
    (([3], 0), "input_dim must be a whole number, at least 1; got 0"),
    (([3], 1.5), "input_dim must be a whole number, at least 1; got 1.5"),
]
NEURONS_OF_N = [
    ((-1, 2), "neurons must be a whole number, at least 0; got -1"),
    ((3, 0), "input_dim must be a whole number, at least 1; got 0"),
    ((3.5, 2), "neurons must be a whole number"),
]


def law(rng):
    return NETWORK


def uneven(rng):
    return sawtooth(int(rng.integers(1, 9)))


# For each name calls (args, options) or args, and the words of the error.
BAD = {
    "arora_lower": [
        ((0, 2, 2, 2), "directions must be"),
        ((2, 0, 2, 2), "width must be"),
        ((2, 2, 0, 2), "depth must be"),
        ((2, 2, 2, 0), "input_dim must be"),
    ],
    "bias_constant": [((NETWORK,), "No layer has biases with a density")],
    "bias_constant_excess": [
        *WIDTHS,
        (([3, 1],), r"widths must have two neurons at least in each layer, for a density; got \[3, 1\]"),
        (([3, 3], {"networks": 1}), "networks must be a whole number, at least 2"),
    ],
    "boundary_distance": [
        ((NETWORK, [[0.0, 1.0]]), "shape"),
        ((NETWORK, [[NAN]]), "not finite"),
        ((NETWORK, [[INF]]), "not finite"),
        ((NETWORK, "here"), "must hold real numbers"),
    ],
    "bounds": [*WIDTHS_OF_N, (([3],), "Give input_dim beside widths"), ((NETWORK, 0), "input_dim must be")],
    "central": NEURONS_OF_N,
    "distance_lower": [
        ((0, 2, 1.0, 1.0), "neurons must be a whole number, at least 1"),
        ((3, 0, 1.0, 1.0), "input_dim"),
        ((3, 2, 0.0, 1.0), "c_grad must be a finite number above 0"),
        ((3, 2, 1.0, INF), "c_bias must be a finite number above 0; got inf"),
        ((3, 2, 1e-200, 1e-200), "c_grad c_bias neurons.* must be a finite number"),
    ],
    "empirical_bias_density": [
        (([],), "two different finite biases"),
        (([1.0],), "two different finite biases"),
        (([0.0, 0.0],), "two different finite biases"),
        (([0.0, NAN],), "two different finite biases"),
        (([0.0, INF],), "two different finite biases"),
        (([0.0] * 30 + [1.0, 2.0],), "30 of 32 biases are equal"),
        (([0.0, 5e-324],), "floats hold no density"),
        (([-1.7e308, 1.7e308],), "floats hold no density"),
        ((["a", "b"],), "biases must hold real numbers"),
        (([0.0, 1.0], {"resamples": 1}), "resamples must be a whole number, at least 2"),
    ],
    "expected_stratum": [
        ((law, abs, [0.0], [INF], 1), "finite corners of a box"),
        ((law, abs, [NAN], [1.0], 1), "finite corners of a box"),
        ((law, abs, [1.0], [0.0], 1), "finite corners of a box"),
        ((law, abs, [], [], 1), "finite corners of a box"),
        ((law, abs, "a", "b", 1), "lower must hold real numbers"),
        ((law, abs, [0.0], [1.0], 0), "k must be 1 or 2"),
        ((law, abs, [0.0], [1.0], 2), "k must be 1 or 2, and at most the box's 1"),
        ((law, abs, [0.0, 0.0], [1.0, 1.0], 1), "box has 2 dimensions, but .* takes 1 inputs"),
        ((law, abs, [0.0], [1.0], 1, {"networks": 1}), "networks must be a whole number, at least 2"),
        ((law, abs, [0.0], [1.0], 1, {"points": 0}), "points must be a whole number, at least 1"),
    ],
    "explicit_bound": [
        ((-1, 2, 1.0, 1.0, 1.0), "neurons"),
        ((3, 0, 1.0, 1.0, 1.0), "input_dim"),
        ((3, 2, 0.0, 1.0, 1.0), "side must be a finite number above 0; got 0"),
        ((3, 2, INF, 1.0, 1.0), "side must be a finite number above 0; got inf"),
        ((3, 2, 10**400, 1.0, 1.0), "side must be a finite number above 0; got 1000.*[.][.][.]"),
        ((3, 2, 10**9999, 1.0, 1.0), "got a number of very many digits"),
        ((3, 2, 1.0, NAN, 1.0), "c_grad must be a finite number above 0; got nan"),
        ((3, 2, 1.0, 1.0, -1.0), "c_bias must be a finite number above 0; got -1"),
    ],
    "faces": [
        ((3, 2, 3), "k must be at most input_dim = 2"),
        ((3, 2, -1), "k must be"),
        ((-3, 2, 1), "neurons must be"),
    ],
    "first_layer_moment": [
        ((0, 2), "input_dim must be"),
        ((2, 0), "m must be a whole number, at least 1"),
        ((2, 2, {"variance": 0.0}), "variance must be a finite number above 0"),
    ],
    "folding": [
        (([1, 4], 2, RNG), r"widths\[0\] must be at least input_dim = 2"),
        (([], 2, RNG), "widths is empty"),
        (([4], 0, RNG), "input_dim must be"),
    ],
    "gaussian_bias_density": [((0.0,), "sigma"), ((INF,), "sigma"), ((NAN,), "sigma"), (("1",), "sigma")],
    "gaussian_density": [((0.0,), "sigma"), ((INF,), "sigma"), ((-1.0,), "sigma")],
    "gaussian_gradient_constant": [
        *[((2, *given), words) for given, words in WIDTHS],
        ((0, [3]), "input_dim must be"),
        ((2, [3], {"moments": 0}), "moments must be a whole number, at least 1"),
    ],
    "gaussian_gradient_moments": [
        ((2, [3], 0), "m must be a whole number, at least 1"),
        ((2, [3, 3], 2, {"variances": [1.0]}), "one number a hidden layer, 2; got 1"),
        ((2, [3, 3], 2, {"variances": [1.0, 0.0]}), r"variances\[1\] must be a finite number above 0"),
    ],
    "gradient_constant": [
        ((NETWORK, np.zeros((0, 1))), "points is empty"),
        ((NETWORK, [[0.0, 0.0]]), "shape"),
        ((NETWORK, ONE, {"along": [[1.0, 2.0]]}), r"along must hold finite directions, shape \(d, 1\)"),
    ],
    "gradient_norms": [
        ((NETWORK, [[NAN]]), "not finite"),
        ((NETWORK, ONE, {"along": [1.0]}), r"along must hold finite directions, shape \(d, 1\)"),
        ((NETWORK, ONE, {"along": [[INF]]}), "along must hold finite directions"),
    ],
    "hanin_rolnick_estimate": NEURONS_OF_N,
    "has_full_recession_cone": [((NETWORK, []), "one bool array a layer"), ((NETWORK, [[True] * 2]), "one bool array")],
    "hinz_upper": WIDTHS_OF_N,
    "line_bound": [
        ((-3, 1.0, 1.0, 1.0), "neurons"),
        ((3, -1.0, 1.0, 1.0), "length must be a finite number of at least 0; got -1"),
        ((3, INF, 1.0, 1.0), "length must be a finite number of at least 0; got inf"),
        ((3, 1.0, 0.0, 1.0), "c_grad"),
    ],
    "maxout_upper": [(([3], 0, 2), "pieces must be"), (([], 2, 2), "widths is empty"), (([3], 2, 0), "input_dim")],
    "mean_gradient_constant": [
        ((law, ONE, 0), "moments must be a whole number, at least 1"),
        ((law, ONE, 1, {"networks": 1}), "networks must be a whole number, at least 4"),
        ((law, [[1.0, 2.0]], 1), "shape"),
        ((law, np.zeros((0, 1)), 1), "points must hold one at least"),
        ((uneven, ONE, 1, {"networks": 20}), "networks of one number of neurons"),
    ],
    "montufar_2014_lower": WIDTHS_OF_N,
    "montufar_2017_upper": WIDTHS_OF_N,
    "network_patterns": [(([3, 3],), "network must be a Network, got .3, 3.")],
    "network_upper": [((7,), "network must be a Network, got 7"), ((NETWORK, 0), "input_dim must be")],
    "one_dimensional_maximum": WIDTHS,
    "pascanu_lower": WIDTHS_OF_N,
    "perturb": [((NETWORK, s, RNG), "scale must be a finite number of at least 0") for s in (-1.0, INF, NAN)],
    "petersen_zech_bound": [
        (([], 1.0, 1.0), "widths is empty"),
        (([3], INF, 1.0), "derivative must be"),
        (([3], 1.0, 0.0), "spread must be"),
    ],
    "raghu_order": [((0, 1, 1), "width must be"), ((1, 0, 1), "depth must be"), ((1, 1, 0), "input_dim must be")],
    "sawtooth": [((0,), "depth must be a whole number, at least 1; got 0"), ((2.0,), "depth")],
    "serra_lower": WIDTHS_OF_N,
    "serra_upper": [
        *WIDTHS_OF_N,
        (([3, 3], 2, {"ranks": [1]}), "ranks must hold one number a layer, 2; got 1"),
        (([3, 3], 2, {"ranks": [1, -1]}), r"ranks\[1\] must be a whole number, at least 0"),
    ],
    "smallest_side": [
        ((2.0, 1.0, 1.0), r"t must be above 2 c_grad c_bias = 2 for any side; got 2\.0"),
        ((INF, 1.0, 1.0), "t must be a finite number above 0"),
        ((1.0, 0.0, 1.0), "c_grad"),
    ],
    "smallest_t": [
        ((5, 1, 2), "at least input_dim"),
        ((0, 3, 2), "regions must be a whole number, at least 1"),
        ((5, 3, 0), "input_dim"),
        ((5, 3, 2, {"volume": INF}), "volume must be a finite number above 0"),
        ((10**9999, 3, 2), "beyond floats"),
    ],
    "strata_bound": [((3, -1, 1.0, 1.0), "k must be"), ((-1, 1, 1.0, 1.0), "neurons"), ((3, 1, 1.0, NAN), "c_bias")],
    "t_of": [
        ((INF, 1.0), "c_grad must be a finite number above 0; got inf"),
        ((1.0, 0.0), "c_bias must be a finite number above 0; got 0"),
        ((1e300, 1e300), "32 c_grad c_bias must be a finite number above 0; got Fraction"),
        (("a", 1.0), "c_grad"),
        ((np.ones(2), 1.0), "c_grad"),
    ],
    "theorem5_bound": [
        ((-1, 2, 1.0), "neurons"),
        ((3, 0, 1.0), "input_dim"),
        ((3, 2, -1.0), "t must be a finite number above 0; got -1"),
        ((1, 2, INF), "t must be a finite number above 0; got inf"),
        ((3, 2, 1.0, {"volume": NAN}), "volume must be"),
        ((3, 2, Fraction(1, 10**400)), "t must be a finite number above 0; got Fraction"),
    ],
    "trivial": [
        ((-1,), "neurons must be a whole number, at least 0"),
        ((2.0,), "neurons must be"),
        ((True,), "neurons"),
    ],
    "uniform_bias_density": [((INF,), "length"), ((0.0,), "length")],
    "uniform_density": [((0.0,), "length"), ((-1.0,), "length"), ((NAN,), "length")],
    "xiong_one_layer": [
        ((0, 1, 1, (1, 1), 1), "height must be a whole number, at least 1"),
        ((1, 1, 1, (2, 1), 1), "height must be a whole number, at least 2"),
        ((3, 3, 0, (2, 2), 1), "channels must be"),
        ((3, 3, 1, (2, 2), 0), "filters must be"),
        ((3, 3, 1, (2, 2), 1, 0), "stride must be"),
        ((3, 3, 1, 2, 1), r"kernel must be \(height, width\), as in"),
        ((3, 3, 1, (2, 2, 2), 1), r"kernel must be \(height, width\), two numbers"),
        ((9, 9, 1, (2, 2), 1), "64 positions; this sum is worked out for at most 12"),
    ],
    "zaslavsky": [*NEURONS_OF_N, ((3, 2, {"rank": -1}), "rank must be a whole number, at least 0; got -1")],
    "zero_bias_bound": [
        ((-1, 1, 1.0, 1.0), "neurons"),
        ((3, 0, 1.0, 1.0), "input_dim"),
        ((3, 1, INF, 1.0), "c_grad must be"),
        ((3, 2, 1.0, 0.0), "c_zero must be a finite number above 0"),
    ],
    "zigzag": [(([3, 2],), r"widths\[1\] must be at least 3"), *WIDTHS],
    "zonotope": [
        ((0, [3], 2, RNG), "directions must be"),
        ((2, [3, 2], 2, RNG), r"widths\[1\] must be at least 3"),
        ((2, [3], 0, RNG), "input_dim must be"),
    ],
}

# Classes, and functions whose errors are tested where they are: they need a count or a domain.
ELSEWHERE = {
    "DecisionDistances",
    "Estimate",
    "LocalComplexity",
    "NeuronOnLine",
    "Pair",
    "Row",
    "SwitchOnLine",
    "Table",
    "compare",
    "compare_strata",
    "decision_distance",
    "humayun_local_complexity",
    "largest_gradient",
    "neurons_along",
    "patel_local_complexity",
    "region_facets",
    "switches_along",
}
# With the number of inputs from which on they refuse: a sphere of directions has a dimension fewer.
OF_DOMAINS = {"unbounded_cones": 9, "zero_bias_map": 10}


@pytest.mark.parametrize(
    ("name", "args", "words"), [(name, args, words) for name, calls in BAD.items() for args, words in calls]
)
def test_bad_input(name, args, words):
    options = args[-1] if isinstance(args[-1], dict) else {}
    with pytest.raises(NetworkError, match=words):
        getattr(theory, name)(*args[: len(args) - bool(options)], **options)


@pytest.mark.parametrize("name", sorted(OF_DOMAINS))
def test_bad_input_of_many_dimensions(name):
    with pytest.raises(DomainError, match="9 dimensions"):
        getattr(theory, name)(Network.he([OF_DOMAINS[name], 3, 1], seed=0))


def test_house_every_public_function_is_asked():
    assert set(theory.__all__) == set(BAD) | ELSEWHERE | set(OF_DOMAINS)


def test_laws_large_numbers_are_no_bad_input():
    """Whole numbers too large for floats, gamma functions too; and a table of more digits than Python writes."""
    for n in (10, 784):
        hyperplanes = theory.zaslavsky(10_240, n)
        ratio = theory.theorem5_bound(10_240, n, theory.smallest_t(hyperplanes, 10_240, n)) / hyperplanes
        assert float(ratio) == pytest.approx(1, rel=1e-9)
        assert 0 < theory.distance_lower(10_240, n, 2.0, 1.0) < 1e-5
        assert theory.explicit_bound(10_240, n, 1e3, 1e3, 1e3) > hyperplanes
        assert theory.zero_bias_bound(10_240, n, 1.0, 1.0) > theory.central(10_240, n)
        assert theory.strata_bound(10_240, n, 2.0, 1.0) > 0
        assert theory.first_layer_moment(n, 2) == pytest.approx(np.sqrt(2))
    widths = [512] * 20
    assert theory.bounds(widths, 10)["patterns"] == 2**10_240
    assert all(0 < row.value <= 2**10_240 for row in theory.bounds(widths, 10))
    assert theory.faces(10_240, 10, 5) > 10**30
    assert theory.maxout_upper(widths, 5, 10) > theory.montufar_2017_upper(widths, 10)
    assert theory.hinz_upper(widths, 10) == theory.serra_upper(widths, 10)
    assert theory.arora_lower(256, 512, 20, 10) < theory.serra_upper(widths, 10)
    assert theory.petersen_zech_bound(widths, 1e3, 1e-3) > 1e9
    deep = theory.bounds([512] * 40, 10)
    assert deep["patterns"].bit_length() > 3.33 * sys.get_int_max_str_digits()
    assert "1.24e6165" in repr(deep)
