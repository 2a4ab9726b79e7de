"""`.keras` and `.h5` files: configuration and weights, read without Keras; a separate process reads HDF5."""
