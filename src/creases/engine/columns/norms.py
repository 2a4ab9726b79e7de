"""Bounds on the spectral norm of a level's matrix: |A x| <= norm |x| in the Euclidean length.

Error bounds that are propagated from level to level by |A| grow tenfold or more per level; by Euclidean lengths they
grow only as much as the network itself stretches vectors.
"""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import numpy as np

from creases.engine.convolution import Convolution
from creases.engine.graph import Floats, Matrix
from creases.engine.proof.bounds import ROUND_UP, UNDERFLOW

__all__ = ["norm_of", "norm_of_scaled", "schur", "spectral"]

# The number of frequencies along each side of a kernel, per tap on one side of its centre.
SAMPLES = 6
# Eigenvalues of a symmetric matrix G of n rows are computed up to a small multiple of n u |G| (LAPACK). The error of G
# = A A^T is at most c u trace(G) for c columns of A. Single precision, u = 2^-24, is as good here.
EIGENVALUES, SINGLE = 2.0**-8, 2.0**-24
MOST_IN_SINGLE = 1 << 10


def norm_of(matrix: Matrix) -> float:
    """An upper bound of the spectral norm of a matrix: an array, a csr_array or a Convolution."""
    if isinstance(matrix, Convolution):
        return norm_of_convolution(matrix)
    bound = schur(matrix)
    if isinstance(matrix, np.ndarray):
        bound = min(bound, spectral(matrix))
    return bound


def norm_of_scaled(factors: Floats, matrix: Floats | Convolution) -> float:
    """An upper bound of the norm of a matrix whose rows are multiplied by factors, float64 (n,), as after a batch norm.
    It is much smaller than the largest factor times the matrix's own norm if the matrix has a few long directions.

    For a channel of a convolution the largest of its factors is used: with the others its rows are shorter.
    A scaled number is rounded by at most 2^-53 of itself, which changes the matrix, or a convolution's symbol at any
    frequency, by 2^-53 of the root of the sum of all squares at most. As in `symbol`, that root is at most the root of
    rank and taps, below 2^13, times the norm.
    """
    sizes = np.abs(factors)
    if isinstance(matrix, Convolution):
        channels = matrix.kernel.shape[:2]
        of_channels = sizes.reshape(*channels, -1).max(axis=2)
        kernel = matrix.kernel * of_channels.reshape(*channels, *(1,) * (matrix.kernel.ndim - 2))
        norm = norm_of_convolution(replace(matrix, kernel=kernel))
    else:
        norm = norm_of(sizes[:, None] * matrix)
    return norm * (1.0 + 2.0**-40) * ROUND_UP + UNDERFLOW


def schur(matrix: Matrix) -> float:
    """The root of the largest sum of a row times the largest sum of a column, of absolute values (Schur's test).

    It bounds the norm of the matrix of absolute values too.
    """
    sizes = abs(matrix)
    across, down = (float(np.asarray(sizes.sum(axis=axis)).max(initial=0.0)) for axis in (1, 0))
    return math.sqrt(across * ROUND_UP) * math.sqrt(down * ROUND_UP) * ROUND_UP + UNDERFLOW


def spectral(matrix: Floats) -> float:
    """The norm of a real or complex matrix: the square root of the largest eigenvalue of its Gram matrix, rounded
    up."""
    if matrix.shape[0] > matrix.shape[1]:
        matrix = matrix.conj().T
    size = float(np.abs(matrix).max(initial=0.0))
    if not 0.0 < size < np.inf:
        return 0.0 if size == 0.0 else math.inf
    power = math.frexp(size)[1]
    scaled, unit = np.ldexp(matrix.real, -power), 2.0**-53
    if np.iscomplexobj(matrix):
        scaled = scaled + 1j * np.ldexp(matrix.imag, -power)
    if len(scaled) <= MOST_IN_SINGLE:
        unit, scaled = SINGLE, scaled.astype(np.complex64 if np.iscomplexobj(scaled) else np.float32)
    gram = scaled @ scaled.conj().T
    # Numbers that single precision flushes to zero are below 2^-126 of the largest entry, far less than the margin
    # added here.
    largest = float(np.linalg.eigvalsh(gram)[-1]) * (1.0 + 2.0 * EIGENVALUES)
    largest += 8.0 * (scaled.shape[1] + 8.0) * unit * float(np.trace(gram).real)
    if not math.isfinite(largest):
        return math.inf
    return float(np.ldexp(math.sqrt(largest) * ROUND_UP, power)) * ROUND_UP + UNDERFLOW


def norm_of_convolution(convolution: Convolution) -> float:
    """The smaller of two bounds, over the groups, each of which has its own inputs and outputs.

    1. Each value is in at most `overlap` windows, so the windows have at most sqrt(overlap) times the length of the
       values.
    2. With zeros around the image, and windows left out by a stride, it is a part of the convolution on an infinite
       image, whose norm is the maximum over frequencies w of the norm of the kernel's symbol, sum over taps of
       W_tap exp(i tap w).
    """
    groups = range(len(convolution.weight))
    by_windows = math.sqrt(convolution.overlap) * max(spectral(convolution.weight[group]) for group in groups)
    return min(by_windows * ROUND_UP, max(symbol(convolution.kernel[group]) for group in groups))


def symbol(kernel: Floats) -> float:
    """An upper bound of the norm of a kernel's symbol at all frequencies. kernel : (outputs, inputs, *taps).

    Between two unit vectors it is a trigonometric polynomial of degree m = ceil((taps - 1) / 2) along each side,
    relative to the kernel's centre. Its maximum is at most its largest value at N > 2 m equidistant points, divided by
    cos(pi m / N) (Ehlich and Zeller 1964). The kernel is real, so opposite frequencies have the same norm.
    """
    taps = kernel.shape[2:]
    degrees = [-(-(side - 1) // 2) for side in taps]
    counts = [SAMPLES * degree if degree else 1 for degree in degrees]
    flat = kernel.reshape(math.prod(kernel.shape[:2]), -1)
    places = np.array(list(product(*map(range, taps))))
    largest = 0.0
    for at in product(*map(range, counts)):
        opposite = tuple(-place % count for place, count in zip(at, counts, strict=True))
        if at > opposite:
            continue
        angles = 2.0 * np.pi * (places @ (np.array(at) / np.array(counts)))
        there = flat @ np.cos(angles) + 1j * (flat @ np.sin(angles))
        largest = max(largest, spectral(there.reshape(kernel.shape[:2])))
    between = math.prod(math.cos(math.pi * degree / count) for degree, count in zip(degrees, counts, strict=True))
    # A phase is rounded by a few units, and the sum over taps by one per tap: an error of norm 2^-49 taps^2 times the
    # root of the sum of all squared weights. That sum is the mean over the frequencies of the symbol's own, which is at
    # most the rank of a symbol times the square of its norm; so the error is relative to the largest norm.
    rounding = 1.0 + 2.0**-40 * len(places) ** 2 * math.sqrt(math.prod(kernel.shape[:2]))
    return largest * rounding * ROUND_UP / (between / ROUND_UP)
