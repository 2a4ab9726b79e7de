"""Theory: maximal and average numbers of regions, networks that attain the maximum, distances to boundaries, local
complexity, networks without biases.
"""

from __future__ import annotations

from creases.theory.along_a_line import NeuronOnLine, SwitchOnLine, neurons_along, switches_along
from creases.theory.attained import (
    arora_lower,
    montufar_2014_lower,
    one_dimensional_maximum,
    pascanu_lower,
    serra_lower,
)
from creases.theory.average import (
    distance_lower,
    explicit_bound,
    line_bound,
    petersen_zech_bound,
    smallest_side,
    smallest_t,
    strata_bound,
    t_of,
    theorem5_bound,
    zero_bias_bound,
)
from creases.theory.constants import (
    Estimate,
    bias_constant,
    bias_constant_excess,
    empirical_bias_density,
    gaussian_bias_density,
    gradient_constant,
    largest_gradient,
    mean_gradient_constant,
    uniform_bias_density,
)
from creases.theory.constructions import folding, perturb, sawtooth, zigzag, zonotope
from creases.theory.convolutional import xiong_one_layer
from creases.theory.decision_distances import DecisionDistances, decision_distance
from creases.theory.distances import boundary_distance, gradient_norms
from creases.theory.facets import region_facets
from creases.theory.gradient_laws import (
    first_layer_moment,
    gaussian_gradient_constant,
    gaussian_gradient_moments,
)
from creases.theory.graphs import network_patterns, network_upper
from creases.theory.kac_rice import expected_stratum, gaussian_density, uniform_density
from creases.theory.local_complexity import LocalComplexity, humayun_local_complexity, patel_local_complexity
from creases.theory.maximum import (
    central,
    faces,
    hanin_rolnick_estimate,
    hinz_upper,
    maxout_upper,
    montufar_2017_upper,
    raghu_order,
    serra_upper,
    trivial,
    zaslavsky,
)
from creases.theory.strata import compare_strata
from creases.theory.table import Row, Table, bounds, compare
from creases.theory.zero_bias import Pair, has_full_recession_cone, unbounded_cones, zero_bias_map

__all__ = [
    "DecisionDistances",
    "Estimate",
    "LocalComplexity",
    "NeuronOnLine",
    "Pair",
    "Row",
    "SwitchOnLine",
    "Table",
    "arora_lower",
    "bias_constant",
    "bias_constant_excess",
    "boundary_distance",
    "bounds",
    "central",
    "compare",
    "compare_strata",
    "decision_distance",
    "distance_lower",
    "empirical_bias_density",
    "expected_stratum",
    "explicit_bound",
    "faces",
    "first_layer_moment",
    "folding",
    "gaussian_bias_density",
    "gaussian_density",
    "gaussian_gradient_constant",
    "gaussian_gradient_moments",
    "gradient_constant",
    "gradient_norms",
    "hanin_rolnick_estimate",
    "has_full_recession_cone",
    "hinz_upper",
    "humayun_local_complexity",
    "largest_gradient",
    "line_bound",
    "maxout_upper",
    "mean_gradient_constant",
    "montufar_2014_lower",
    "montufar_2017_upper",
    "network_patterns",
    "network_upper",
    "neurons_along",
    "one_dimensional_maximum",
    "pascanu_lower",
    "patel_local_complexity",
    "perturb",
    "petersen_zech_bound",
    "raghu_order",
    "region_facets",
    "sawtooth",
    "serra_lower",
    "serra_upper",
    "smallest_side",
    "smallest_t",
    "strata_bound",
    "switches_along",
    "t_of",
    "theorem5_bound",
    "trivial",
    "unbounded_cones",
    "uniform_bias_density",
    "uniform_density",
    "xiong_one_layer",
    "zaslavsky",
    "zero_bias_bound",
    "zero_bias_map",
    "zigzag",
    "zonotope",
]
