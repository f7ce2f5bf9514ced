"""What HAProxy's own checks say of targets: what its rows mean, and the log that tells when to look at them.

HAProxy logs each change of a check's outcome. A log line only says which group to look at: the truth is what
`show stat` answers then. A line may be lost, so everything is looked at now and then.
"""

import asyncio
import re
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from longshore.drivers.haproxy.render.text import group_backend

SERVER = re.compile(rb"\b(g-[A-Za-z0-9-]+)/s\d+\b")
TIMEOUTS = frozenset({"L4TOUT", "L6TOUT", "L7TOUT"})
DATAGRAM_BYTES = 65536


class Verdict(NamedTuple):
    """A target's state, in ELBv2's words."""

    state: Literal["initial", "healthy", "unhealthy"]
    reason: str = ""
    description: str = ""


HEALTHY = Verdict("healthy")
REGISTERING = Verdict("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
CHECKING = Verdict("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
TIMED_OUT = Verdict("unhealthy", "Target.Timeout", "Request timed out")
FAILED = Verdict("unhealthy", "Target.FailedHealthChecks", "Health checks failed")


def mismatch(code: str) -> Verdict:
    """The target answered, but not with a code that counts as success."""
    description = f"Health checks failed with these codes: [{code}]"
    return Verdict("unhealthy", "Target.ResponseCodeMismatch", description)


def verdict(row: Mapping[str, str]) -> Verdict | None:
    """What a server's row of `show stat` says; None while it is in maintenance."""
    status = row.get("status", "")
    if status.startswith("MAINT"):
        return None
    if not status.startswith("DOWN"):
        return HEALTHY
    check = row.get("check_status", "").lstrip("* ")
    if check in TIMEOUTS:
        return TIMED_OUT
    code = row.get("check_code", "")
    return mismatch(code) if check == "L7STS" and code else FAILED


class HealthLog:
    """The socket that HAProxy logs to; `changed` is called with the backend a line is about."""

    def __init__(self, path: Path, changed: Callable[[str], None]) -> None:
        self._path = path
        self._changed = changed
        self._socket: socket.socket | None = None

    def open(self) -> None:
        """Begin to listen, in place of an earlier life."""
        self._path.unlink(missing_ok=True)
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        opened.setblocking(False)
        opened.bind(str(self._path))
        self._path.chmod(0o600)
        self._socket = opened
        asyncio.get_running_loop().add_reader(opened, self._read)

    def close(self) -> None:
        """Listen no more. HAProxy goes on without it."""
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _read(self) -> None:
        while self._socket is not None:
            try:
                line = self._socket.recv(DATAGRAM_BYTES)
            except BlockingIOError:
                return
            for found in SERVER.finditer(line):
                self._changed(found[1].decode())


def group_of(backend: str) -> str:
    """The group's id."""
    return backend.removeprefix(group_backend("x").removesuffix("x"))
