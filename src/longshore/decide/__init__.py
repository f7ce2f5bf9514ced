"""Decisions as values: pure functions of a snapshot and the time. No I/O, async, clock, chance or logging."""
