"""What a Longshore that a test or the demo started leaves on the host: its HAProxy, and its firewall's table.

Both outlive it while anything needs them, so somebody must end them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
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
    """End it, and remove its folder; and the firewall's table, if it is there."""
    if guarded(instance):
        _nft("delete", "table", "inet", f"longshore-{instance}")
    pid = running(instance)
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 10
        while running(instance) is not None and time.monotonic() < deadline:
            time.sleep(0.05)
    shutil.rmtree(folder_of(instance), ignore_errors=True)


def guarded(instance: str) -> bool:
    """Whether its security groups are in force."""
    return _nft("list", "table", "inet", f"longshore-{instance}").returncode == 0


def _nft(*words: str) -> subprocess.CompletedProcess[bytes]:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    if shutil.which("nft", path=path) is None:
        return subprocess.CompletedProcess(words, 127)
    return subprocess.run(["nft", *words], env={**os.environ, "PATH": path}, capture_output=True, check=False)
