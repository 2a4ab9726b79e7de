"""Where a cut begins: starting cells, their charts, tiles and walls, and the root network."""
