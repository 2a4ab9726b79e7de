"""A level's units as columns of numbers, one for each coordinate and each open unit, in double-double.

Large networks are multiplied here operator by operator, so that no matrix is ever written out.
"""
