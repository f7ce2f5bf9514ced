"""What HAProxy's own checks say of targets: what its rows mean, and the log that tells when to look at them.

HAProxy logs each change of a check's outcome. A log line only says which group to look at: the truth is what
`show stat` answers then. A line may be lost, so everything is looked at now and then.
"""

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from longshore.domain.elbv2.balancer import REGISTERING
from longshore.drivers.haproxy.render.text import group_of

SERVER = re.compile(rb"(?<![\w-])([\w-]+)/s\d+\b")
TIMEOUTS = frozenset({"L4TOUT", "L6TOUT", "L7TOUT"})


class Verdict(NamedTuple):
    """A target's state, in ELBv2's words."""

    state: Literal["initial", "healthy", "unhealthy"]
    reason: str = ""
    description: str = ""


HEALTHY = Verdict("healthy")
REGISTERED = Verdict("initial", *REGISTERING)
CHECKING = Verdict("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
TIMED_OUT = Verdict("unhealthy", "Target.Timeout", "Request timed out")
FAILED = Verdict("unhealthy", "Target.FailedHealthChecks", "Health checks failed")
UNTOLD = Verdict("unhealthy")
"""Unhealthy for a reason of before: the worker has not checked it yet, or it succeeds, but not often enough so far."""
PASSES = frozenset({"L4OK", "L6OK", "L7OK", "L7OKC"})


def mismatch(code: str) -> Verdict:
    """The target answered, but not with a code that counts as success."""
    description = f"Health checks failed with these codes: [{code}]"
    return Verdict("unhealthy", "Target.ResponseCodeMismatch", description)


def in_maintenance(row: Mapping[str, str]) -> bool:
    """Whether a server's row of `show stat` says nothing about its health."""
    return row.get("status", "").startswith("MAINT")


def verdict(row: Mapping[str, str]) -> Verdict:
    """What it says otherwise."""
    if not row.get("status", "").startswith("DOWN"):
        return HEALTHY
    check = row.get("check_status", "").lstrip("* ")
    if check in TIMEOUTS:
        return TIMED_OUT
    code = row.get("check_code", "")
    if check in ("", "INI", *PASSES) or (check == "L7STS" and code in ("", "0")):  # a code is not carried over
        return UNTOLD
    return mismatch(code) if check == "L7STS" else FAILED


def groups_in(line: bytes) -> list[str]:
    """The ids of the groups that a line of HAProxy's log is about."""
    return [group_id for found in SERVER.finditer(line) if (group_id := group_of(found[1].decode())) is not None]
