"""Weights without a graph: the caller's arguments, the order of the layers, and the kinks between them."""
