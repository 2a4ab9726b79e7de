"""The beginning of a cut: starting cells, their charts, tiles and walls, and the root network."""
