"""Finds out at open what containers can be given: the pause image, how many open files, and whom to ask for names.

Called by the engine. Fargate gives every container 65,535 open files; an Engine without CAP_SYS_RESOURCE refuses more
than its own hard limit, which only trying tells.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from longshore.drivers.dns.resolv_conf import MAX_SERVERS, for_containers, resolvers
from longshore.drivers.docker.client import DockerClient, DockerError
from longshore.drivers.docker.names import INSTANCE, Names
from longshore.drivers.docker.pause import ensure_pause_image
from longshore.drivers.docker.resolv_file import folder_of
from longshore.drivers.docker.translate import EngineFacts

log = logging.getLogger(__name__)

FARGATE_NOFILE = 65535
CPU_ARCHITECTURES = {"x86_64": "X86_64", "amd64": "X86_64", "aarch64": "ARM64", "arm64": "ARM64"}


def cpu_architecture(machine: str) -> str:
    """An Engine's `Architecture` as a task definition's `cpuArchitecture` has it; others stay as they are."""
    return CPU_ARCHITECTURES.get(machine, machine)


async def probe(
    client: DockerClient, names: Names, info: Mapping[str, Any], *, task_cgroups: bool, name_server: str | None = None
) -> EngineFacts:
    """The facts of this Engine, which says `info` of itself; `name_server` is ours.

    Raises UnreachableError, DockerError, Permanent.
    """
    image = await ensure_pause_image(client, str(info["Architecture"]))
    limit = await _nofile_limit(client, names, image)
    facts = EngineFacts(pause_image=image, nofile_limit=limit, task_cgroups=task_cgroups)
    if name_server is None or not client.local:
        return facts
    servers = (name_server, *for_containers(without={name_server}))
    host_servers = (name_server, *resolvers(without={name_server})())
    return facts._replace(
        name_servers=servers[:MAX_SERVERS],
        host_name_servers=host_servers[:MAX_SERVERS],
        containers_folder=folder_of(str(info.get("DockerRootDir") or "")),
    )


async def _nofile_limit(client: DockerClient, names: Names, image: str) -> int | None:
    """65,535, or what a container gets by itself where that is refused (None where it can't be read)."""
    asked = {"Ulimits": [{"Name": "nofile", "Soft": FARGATE_NOFILE, "Hard": FARGATE_NOFILE}]}
    try:
        await _run(client, names, image, asked)
    except DockerError as error:
        if "rlimit" not in error.message:
            raise
    else:
        return FARGATE_NOFILE
    limit = await _run(client, names, image, {})
    log.info("the Docker Engine can't give containers %d open files; they get %s", FARGATE_NOFILE, limit or "its own")
    return limit


async def _run(client: DockerClient, names: Names, image: str, limits: dict[str, Any]) -> int | None:
    """Run the pause program for a moment; the hard limit of open files that it has. Raises DockerError if it can't."""
    host = {"NetworkMode": "none", "LogConfig": {"Type": "none", "Config": {}}, **limits}
    body = {"Image": image, "Labels": {INSTANCE: names.instance_id}, "HostConfig": host}
    container = (await client.post("/containers/create", body))["Id"]
    try:
        await client.post(f"/containers/{container}/start")
        state = (await client.get(f"/containers/{container}/json"))["State"]
        return hard_limit(Path(f"/proc/{state['Pid']}/limits")) if client.local else None
    finally:
        await client.delete(f"/containers/{container}", force=True)


def hard_limit(limits: Path) -> int | None:
    """The hard limit of open files in a `/proc/PID/limits`; None where it can't be read."""
    try:
        line = next(line for line in limits.read_text().splitlines() if line.startswith("Max open files"))
        return int(line.split()[4])
    except (OSError, StopIteration, ValueError):
        return None
