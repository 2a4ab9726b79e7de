"""A level's units as columns of numbers, one for each coordinate and each open unit, in double-double.

Here large networks are multiplied: operator by operator, so that no matrix is ever written out.
"""
