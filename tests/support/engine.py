"""The Docker Engine that tests run against: where it is, whether it answers, and what a test left behind.

Called by the fixtures of tests/conftest.py, by tests, and by `python -m tests.support.images`. It speaks plain HTTP
and imports nothing of longshore, so that a fault in our own driver cannot hide what that driver left behind.
"""

from __future__ import annotations

import ipaddress
import json
import os
import random
import subprocess
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

DEFAULT_URL = "unix:///var/run/docker.sock"


def docker_url() -> str:
    """The Engine's address as the `docker` client finds it: $DOCKER_HOST, else the default socket."""
    return os.environ.get("DOCKER_HOST") or DEFAULT_URL


def client(url: str, timeout_s: float = 60.0) -> httpx.Client:
    """An HTTP client for the Engine at `url` (unix://, tcp:// or http://); paths need no version prefix."""
    if url.startswith("unix://"):
        transport = httpx.HTTPTransport(uds=url.removeprefix("unix://"))
        return httpx.Client(transport=transport, base_url="http://docker", timeout=timeout_s)
    base = "http://" + url.split("://", 1)[-1]
    return httpx.Client(base_url=base, timeout=timeout_s, trust_env=False)


def why_unavailable(url: str) -> str | None:
    """None if an Engine answers at `url`, else a sentence that says why not and what to do."""
    try:
        with client(url, timeout_s=10.0) as http:
            answer = http.get("/_ping")
    except (httpx.HTTPError, OSError) as error:
        return f"No Docker Engine answers at {url} ({error}); run the tests with `make test`, which starts one."
    if answer.status_code != httpx.codes.OK:
        return f"The Docker Engine at {url} answered /_ping with {answer.status_code}: {answer.text.strip()}"
    return None


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something with a longshore label: kind is containers, networks or volumes; instance is the label's value."""

    kind: str
    id: str
    name: str
    instance: str


def labelled(url: str, label: str) -> frozenset[Leftover]:
    """All containers (running or not), networks and volumes of the Engine that carry `label`, whatever its value."""
    filters = json.dumps({"label": [label]})
    with client(url) as http:
        containers = _get(http, "/containers/json", {"all": "true", "filters": filters})
        networks = _get(http, "/networks", {"filters": filters})
        volumes = _get(http, "/volumes", {"filters": filters})["Volumes"] or []
    found = [
        Leftover("containers", c["Id"], c["Names"][0].lstrip("/") if c["Names"] else c["Id"][:12], c["Labels"][label])
        for c in containers
    ]
    found += [Leftover("networks", n["Id"], n["Name"], n["Labels"][label]) for n in networks]
    found += [Leftover("volumes", v["Name"], v["Name"], v["Labels"][label]) for v in volumes]
    return frozenset(found)


def remove(url: str, things: frozenset[Leftover]) -> None:
    """Remove them, containers first (a network in use cannot go); what has gone meanwhile is no error."""
    order = ("containers", "networks", "volumes")
    with client(url) as http:
        for thing in sorted(things, key=lambda t: order.index(t.kind)):
            params = {"force": "true", "v": "true"} if thing.kind == "containers" else {}
            answer = http.delete(f"/{thing.kind}/{quote(thing.id, safe='')}", params=params)
            if answer.status_code not in {200, 204, 404, 409}:  # 409: someone else is removing it at this moment
                raise RuntimeError(f"Cannot remove {thing}: {answer.status_code} {answer.text.strip()}")


def free_cidr(url: str, prefix: int) -> str:
    """A random range of 10.128.0.0/9 that no Docker network and no route here overlaps: others test here, too."""
    with client(url) as http:
        networks = _get(http, "/networks", {})
    used = [c["Subnet"] for n in networks for c in (n["IPAM"].get("Config") or []) if ":" not in c.get("Subnet", ":")]
    routes = subprocess.run(["ip", "-4", "-json", "route"], check=True, capture_output=True, text=True)
    used += [r["dst"] for r in json.loads(routes.stdout) if r["dst"] != "default"]
    taken = [ipaddress.IPv4Network(cidr, strict=False) for cidr in used]
    for _ in range(1000):
        address = int(ipaddress.IPv4Address("10.128.0.0")) + random.getrandbits(23)
        candidate = ipaddress.IPv4Network((address, prefix), strict=False)
        if not any(candidate.overlaps(other) for other in taken):
            return str(candidate)
    raise RuntimeError(f"No free /{prefix} in 10.128.0.0/9: remove Docker networks that nobody uses.")


def host_of(cidr: str, number: int) -> ipaddress.IPv4Address:
    """The address at that place in the range: host_of("10.0.0.0/24", 5) is 10.0.0.5."""
    return ipaddress.IPv4Network(cidr)[number]


def wait_http(url: str, limit_s: float = 20.0) -> str:
    """The body that `url` answers with status 200, asked again until it does; AssertionError after `limit_s`."""
    deadline = time.monotonic() + limit_s
    seen = "no answer"
    with httpx.Client(timeout=2.0, trust_env=False) as http:
        while time.monotonic() < deadline:
            try:
                answer = http.get(url)
            except httpx.HTTPError as error:
                seen = repr(error)
            else:
                if answer.status_code == httpx.codes.OK:
                    return answer.text
                seen = f"{answer.status_code} {answer.text}"
            time.sleep(0.1)
    raise AssertionError(f"{url} did not answer 200 within {limit_s:.0f} s; the last attempt: {seen}")


def _get(http: httpx.Client, path: str, params: dict[str, str]) -> Any:
    answer = http.get(path, params=params)
    answer.raise_for_status()
    return answer.json()
