"""Single steps on one container that may be repeated after an uncertain call. Called by runners and the engine.

Names make them idempotent: a container is called the same at every attempt.
"""

from collections.abc import Mapping
from typing import Any

from longshore.drivers.docker.client import DockerClient, DockerError
from longshore.drivers.docker.resolv_file import ask_first
from longshore.drivers.docker.translate import EngineFacts

JOINS = "container:"


async def create_container(client: DockerClient, name: str, body: dict[str, Any]) -> tuple[str, dict[str, Any] | None]:
    """Create a container; its id, and None if it is new, else the document of what an earlier attempt made."""
    try:
        made = await client.post("/containers/create", body, name=name)
    except DockerError as error:
        if error.status != 409:
            raise
        document: dict[str, Any] = await client.get(f"/containers/{name}/json")
        return document["Id"], document
    return made["Id"], None


async def start_pause(client: DockerClient, container_id: str, facts: EngineFacts, *, own_network: bool) -> None:
    """Start a pause container; where it has a network of its own, whoever joins it asks our name server first."""
    await client.post(f"/containers/{container_id}/start")
    if own_network and facts.name_servers and facts.containers_folder:
        ask_first(facts.containers_folder, container_id, facts.name_servers[0])


def joined(host: Mapping[str, Any]) -> str:
    """The container whose namespaces a container with this `HostConfig` joins; empty: no other's."""
    modes = (str(host.get(name) or "") for name in ("NetworkMode", "PidMode", "IpcMode"))
    return next((mode.removeprefix(JOINS) for mode in modes if mode.startswith(JOINS)), "")


async def inspect_container(client: DockerClient, container: str) -> dict[str, Any] | None:
    """Its inspect document; None for one that is not there."""
    try:
        document: dict[str, Any] = await client.get(f"/containers/{container}/json")
    except DockerError as error:
        if error.status != 404:
            raise
        return None
    return document


async def delete_container(client: DockerClient, container: str) -> None:
    """Remove a container, running or not; one that is gone or is being removed already is no error."""
    try:
        await client.delete(f"/containers/{container}", force=True, v=True)
    except DockerError as error:
        if error.status != 409 or "already in progress" not in error.message:
            raise
