"""The geometry of one cell: cut it by a row, count the pieces that the last layer cuts it into."""
