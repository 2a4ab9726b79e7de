"""What torch writes and holds: modules by the operators that they call, programs, files of weights, policies."""
