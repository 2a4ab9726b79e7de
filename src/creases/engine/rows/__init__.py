"""The local network of a cell: scan its rows, relax them into bounds, substitute the stable ones."""
