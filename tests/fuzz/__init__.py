"""Adversarial networks without end, counted by creases and by `reference.py`: `make fuzz`.

Read `floats` (how a number is moved a little), `domains`, `solids` and `layers` (what is cut, and by which rows),
`limits` (sums at 2^53 units, and one beside), `extremes` (sizes that overflow), `facets` (many corners, many walls),
`cases` (one question, reproducible and on file), `checking` (are both answers the same) and `flat` (a second reference,
for polygons of many corners), `running` (processes, time limits, the table at the end), `shrinking` (a failing case
made small), `__main__` (the command).
"""
