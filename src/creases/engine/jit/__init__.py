"""How functions of Python become kernels: what is done before, in and after Numba."""
