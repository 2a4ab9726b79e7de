"""Programs that print ratios; `python -m benchmarks` runs them. See README.md in this folder."""
