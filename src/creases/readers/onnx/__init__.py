"""`.onnx` files: constants are computed first, then each operator becomes a linear level or a kink
(`graph.read_onnx`).
"""
