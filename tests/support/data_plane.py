"""The HAProxy of a Longshore that a test or the demo started: it outlives its Longshore, so somebody must end it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from pathlib import Path


def folder_of(instance: str) -> Path:
    """Where an instance run as root keeps it."""
    return Path("/run/longshore") / instance


def running(instance: str) -> int | None:
    """The id of its process, if it runs."""
    try:
        pid = int((folder_of(instance) / "haproxy.pid").read_text().split()[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError, IndexError):
        return None
    return pid if str(folder_of(instance)).encode() in command else None


def end(instance: str) -> None:
    """End it, and remove its folder."""
    pid = running(instance)
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 10
        while running(instance) is not None and time.monotonic() < deadline:
            time.sleep(0.05)
    shutil.rmtree(folder_of(instance), ignore_errors=True)
