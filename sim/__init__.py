"""A seeded world in which the production control plane runs: simulated time, a simulated machine, faults, and checkers.

`python -m sim --seeds 1000` runs that many worlds; a failure prints its seed and its timeline, and
`python -m sim --seed N` runs it again, step by step the same.
"""
