"""The results that the public functions need: a tally, a table of cells, a list of regions, pieces, a path."""
