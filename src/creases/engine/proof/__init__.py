"""What proves a sign: bounds on rounding, double-double, rationals, and floats that do not round."""
