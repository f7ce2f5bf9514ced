"""`longshore doctor`: whether this machine has what Longshore needs, and what to do about each thing it lacks."""

import os
import platform
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx

from longshore.drivers.program import find

OLDEST_API = (1, 40)
"""Docker 19.03: the first with what we use."""
SMALL_DISK_GIB = 2.0


class Finding(NamedTuple):
    """One thing that was looked at."""

    what: str
    ok: bool
    found: str
    advice: str = ""


def examine(*, port: int, state: Path, docker_url: str) -> Iterator[Finding]:
    """Everything, one after the other."""
    yield _python()
    yield _rights()
    yield from _docker(docker_url)
    yield _program("ip", "iproute2", "gives tasks the address 169.254.170.2 (metadata, credentials)")
    yield _program("haproxy", "haproxy", "is the data plane of load balancers; without them nothing needs it")
    yield _program("docker-registry", "docker-registry", "keeps the images of ECR; without them nothing needs it")
    yield _program("nft", "nftables", "enforces security groups; without it everything may connect to everything")
    yield _bridge_filter()
    yield _port(port)
    yield _disk(state)


def _python() -> Finding:
    return Finding("Python", True, platform.python_version())


def _rights() -> Finding:
    if os.geteuid() == 0:
        return Finding("rights", True, "root")
    return Finding(
        "rights",
        False,
        f"user {os.geteuid()}",
        "Run `longshore up` as root (sudo): task networks and 169.254.170.2 need it. "
        "`longshore up --engine sim` needs no rights.",
    )


def _docker(url: str) -> Iterator[Finding]:
    path = url.removeprefix("unix://")
    advice = (
        "Start one (`systemctl start docker`, or `dockerd` by hand), or name it with --docker-url or DOCKER_HOST. "
        f"Looked at {url}."
    )
    try:
        transport = httpx.HTTPTransport(uds=path) if url.startswith("unix://") else None
        base = "http://docker" if transport else url.replace("tcp://", "http://")
        with httpx.Client(transport=transport, timeout=5) as client:
            version = client.get(f"{base}/version").json()
            info = client.get(f"{base}/info").json()
    except (httpx.HTTPError, OSError, ValueError) as error:
        yield Finding("Docker Engine", False, f"no answer ({error})", advice)
        return
    api = tuple(int(part) for part in version["ApiVersion"].split("."))
    old = f"Longshore needs API {'.'.join(map(str, OLDEST_API))} (Docker 19.03) or newer."
    yield Finding("Docker Engine", api >= OLDEST_API, f"{version['Version']}, API {version['ApiVersion']}", old)
    memory_gib = info["MemTotal"] / 2**30
    yield Finding(
        "machine", True, f"{info['NCPU']} CPUs, {memory_gib:.1f} GiB, cgroup v{info.get('CgroupVersion', '1')}"
    )
    linux = info.get("OSType") == "linux"
    yield Finding("containers", linux, info.get("OSType", "?"), "Longshore runs Linux containers.")


def _program(name: str, package: str, purpose: str) -> Finding:
    path = find(name)
    advice = f"Install it: apt-get install {package}. It {purpose}."
    return Finding(f"program `{name}`", path is not None, path or "missing", advice)


def _bridge_filter() -> Finding:
    """Whether security groups can see what crosses a bridge."""
    loaded = Path("/proc/sys/net/bridge").exists()
    known = any(Path("/lib/modules", platform.release()).glob("kernel/net/bridge/br_netfilter.ko*"))
    advice = (
        "Load it: modprobe br_netfilter (Longshore does so itself, as root). Without this module of the kernel "
        "security groups are not enforced."
    )
    return Finding("br_netfilter", loaded or known, "loaded" if loaded else "present" if known else "missing", advice)


def _port(port: int) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return _taken(port)
    return Finding(f"port {port}", True, "free")


def _taken(port: int) -> Finding:
    try:
        health = httpx.get(f"http://127.0.0.1:{port}/_longshore/health", timeout=2).json()
    except (httpx.HTTPError, ValueError):
        advice = f"Another program listens there (`ss -ltnp 'sport = :{port}'` names it). Stop it, or use --port."
        return Finding(f"port {port}", False, "taken", advice)
    return Finding(f"port {port}", True, f"Longshore {health.get('version', '')} is running")


def _disk(state: Path) -> Finding:
    folder = next(parent for parent in (state, *state.parents) if parent.exists())
    free_gib = shutil.disk_usage(folder).free / 2**30
    advice = f"Free some space, or put the state elsewhere with --state. Looked at {folder}."
    writable = os.access(folder, os.W_OK)
    found = f"{free_gib:.1f} GiB free" if writable else "not writable"
    return Finding("state folder", writable and free_gib >= SMALL_DISK_GIB, found, advice)
