"""Benchmarks: each measures Longshore and, in the same run, something to compare it with. `make bench` runs them."""
