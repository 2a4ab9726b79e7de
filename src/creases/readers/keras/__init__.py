"""`.keras` and `.h5` files: configuration and numbers, read without Keras; HDF5 in a process of its own."""
