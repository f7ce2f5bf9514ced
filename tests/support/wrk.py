"""wrk as a client that counts what is lost: started beside a test, waited for at its end."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCRIPT = """
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init() bodies, known = '', {} end
function delay() return math.random(0, 2 * PAUSE_MS) end
function response(status, headers, body)
  if not known[body] then known[body] = true; bodies = bodies .. body end
end
function done(summary, latency, requests)
  local e = summary.errors
  print(string.format('COUNTED {"requests": %d, "connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}',
    summary.requests, e.connect, e.read, e.write, e.status, e.timeout))
  print('BODIES\\n' .. threads[1]:get('bodies'))
end
"""
SPARE_S = 60


@dataclass
class Wrk:
    """One run of it; what it counted is known at its end."""

    process: subprocess.Popen[str]
    duration_s: int
    requests: int = 0
    bodies: frozenset[str] = frozenset()
    """The different lines that were answered."""
    lost: dict[str, int] | None = None
    """What failed, by kind: connect, read, write, timeout, and `status` for answers that are no 2xx or 3xx."""

    def wait(self) -> None:
        """Until it has ended by itself."""
        printed, complaint = self.process.communicate(timeout=self.duration_s + SPARE_S)
        found = re.search(r"^COUNTED (.*)$", printed, re.MULTILINE)
        assert found, f"wrk ended with {self.process.returncode}: {printed}{complaint}"
        self.bodies = frozenset(printed.partition("BODIES\n")[2].split())
        counted: dict[str, int] = json.loads(found[1])
        self.requests = counted.pop("requests")
        self.lost = {kind: count for kind, count in counted.items() if count}


@contextlib.contextmanager
def wrk(folder: Path, url: str, *, duration_s: int, keep_alive: bool, pause_ms: int = 10) -> Iterator[Wrk]:
    """Eight connections that ask all the time, each pausing between an answer and its next request.

    pause_ms: the mean of the pauses; without any wrk takes a whole core.
    """
    script = folder / f"{'keep' if keep_alive else 'close'}.lua"
    script.write_text(SCRIPT.replace("PAUSE_MS", str(pause_ms)))
    headers = () if keep_alive else ("-H", "Connection: close")
    words = ["wrk", "-t1", "-c8", f"-d{duration_s}s", "--timeout", "10s", *headers, "-s", str(script), url]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield Wrk(process, duration_s)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
