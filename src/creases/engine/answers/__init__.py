"""What the front doors ask for: a tally, a table of cells, a list of regions, pieces, a path."""
