"""Adversarial networks without end, counted by creases and by `reference.py`: `make fuzz`.

Read `floats` (how a number is moved a little), `domains` and `layers` (what is cut, and by which rows), `cases`
(one question, reproducible and on file), `checking` (are both answers the same), `running` (processes, time
limits, the table at the end), `shrinking` (a failing case made small), `__main__` (the command).
"""
