"""torch's models and files: modules read by the operators that they call, programs, files of weights, policies."""
