"""How long a service waits before it launches again what failed to start.

ECS grows the gap up to 15 minutes; so do we, but from one second on: a start takes AWS minutes and us a moment.
"""

FIRST_DELAY_S = 1.0
MAX_DELAY_S = 900.0
FREE_FAILURES = 1
"""The first failure is tried again at once: it may have been bad luck."""
IMPAIRED_AFTER = 3
"""Failures in a row after which the service says that it can't consistently start tasks."""


def launch_delay_s(failures: int) -> float:
    """Seconds to wait after so many failed launches in a row: 0, 1, 2, 4, … 900."""
    if failures <= FREE_FAILURES:
        return 0.0
    return float(min(MAX_DELAY_S, FIRST_DELAY_S * 2 ** min(failures - FREE_FAILURES - 1, 20)))


def passed(since: float, duration_s: float, now: float) -> bool:
    """Whether a duration is over. A clock that was set back to before `since` must not stretch it: then it is over."""
    return now < since or now >= since + duration_s
