"""Weights without a graph: what the caller answers, in which order layers act, and what stands between them."""
