"""Time for tests that move it by hand."""

from __future__ import annotations


class HandClock:
    """Stands still until it is moved."""

    def __init__(self, time: float = 1_700_000_000.0) -> None:
        self.time = time

    def now(self) -> float:
        """What the test says."""
        return self.time
