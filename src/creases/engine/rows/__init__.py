"""The local network of a cell: scan its rows, relax them into bounds, substitute what is stable."""
