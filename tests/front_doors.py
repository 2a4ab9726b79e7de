"""Every way to ask for the regions of a network on a domain, against the specification."""

import numpy as np

import reference
from creases import Box, Network, Segment, count, count_in_pieces, count_many, subdivide


def check_all_doors(weights, biases, domain, specification):
    """Every front door that takes the domain says what the reference says."""
    network = Network.from_arrays(weights, biases, output_layer=False)
    true = tuple(reference.by_layer(*([np.array(x).tolist() for x in xs] for xs in (weights, biases)), specification))
    found = {
        "count": count(network, domain, threads=1),
        "by neuron": count(network, domain, threads=1, by_neuron=True),
        "pieces": count_in_pieces(network, domain, pieces=3, threads=1),
        "complex": subdivide(network, domain, threads=1),
    }
    if isinstance(domain, Box) and domain.dimension == 1:
        segment = Segment(domain.lower, domain.upper)
        found["segment"] = count(network, segment, threads=1)
        found["segments"] = count_many(network, [segment, segment])[1]
    assert {name: answer.by_layer for name, answer in found.items()} == dict.fromkeys(found, true)
    assert all(answer.certified for answer in found.values())


def cube(d):
    return Box([-1] * d, [1] * d), reference.box([-1] * d, [1] * d)
