"""The geometry of one cell: cut it by a row, count what the last layer makes of it."""
