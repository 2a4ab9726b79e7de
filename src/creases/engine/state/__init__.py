"""The workspace of a cut and every layout in it: cells, rows, the stack, the output."""
