"""`.onnx` files: constants folded first, then each operator as a linear level or a kink (`graph.read_onnx`)."""
