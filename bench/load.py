"""Load on an HTTP server with wrk, and what it reports. The requests are written into a Lua script: one signed POST."""

import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bench.server import REGION, TARGETS
from longshore.api.callers.credentials import KeyPair

CONNECTIONS = 16
_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    errors: int


def signed(url: str, service: str, operation: str, params: object, keys: KeyPair) -> tuple[dict[str, str], str]:
    """`(headers, body)`: the same request may be sent again and again while its time is near enough."""
    body = json.dumps(params)
    target = {"X-Amz-Target": f"{TARGETS[service]}.{operation}", "Content-Type": "application/x-amz-json-1.1"}
    request = AWSRequest("POST", url + "/", headers=target, data=body.encode())
    SigV4Auth(Credentials(keys.access_key_id, keys.secret_access_key), service, REGION).add_auth(request)
    return dict(request.headers.items()), body


def run(
    url: str,
    headers: dict[str, str],
    body: str,
    *,
    duration_s: int,
    rate: float | None = None,
    connections: int = CONNECTIONS,
) -> Load:
    """Send the request as fast as answers come, or at about `rate` per second."""
    if shutil.which("wrk") is None:
        raise RuntimeError("wrk is missing: apt-get install wrk (`make setup` does it).")
    lines = [f"wrk.method = 'POST'\nwrk.body = {_lua(body)}"]
    lines += [f"wrk.headers[ {_lua(name)} ] = {_lua(value)}" for name, value in headers.items()]
    if rate is not None:
        # Each connection waits between answer and request; evenly spread, so that they don't march in step.
        lines.append(f"function delay() return math.random(0, {round(2000 * connections / rate)}) end")
    lines.append(
        "function done(s, l, r) io.write('BENCH ', s.errors.status + s.errors.connect + s.errors.read + "
        "s.errors.timeout, '\\n') end"
    )
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "request.lua"
        script.write_text("\n".join(lines))
        options = ["-t1", f"-c{connections}", f"-d{duration_s}s", "--latency", "-s", str(script)]
        ended = subprocess.run(
            ["wrk", *options, url + "/"], capture_output=True, text=True, check=True, timeout=duration_s + 60
        )
    return _parse(ended.stdout)


def _lua(text: str) -> str:
    return json.dumps(text)  # Lua reads these quotes and backslashes alike; what is sent is ASCII


def _parse(text: str) -> Load:
    def number(pattern: str) -> float:
        found = re.search(pattern, text)
        if found is None:
            raise RuntimeError(f"wrk said something else than usual:\n{text}")
        return float(found[1]) * (_MS[found[2]] if len(found.groups()) > 1 else 1.0)

    return Load(
        requests_per_s=number(r"Requests/sec:\s+([\d.]+)"),
        p50_ms=number(r"50%\s+([\d.]+)(us|ms|s)"),
        p99_ms=number(r"99%\s+([\d.]+)(us|ms|s)"),
        errors=int(number(r"BENCH (\d+)")),
    )
