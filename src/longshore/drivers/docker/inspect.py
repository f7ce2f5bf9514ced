"""What Docker says of a container, as an observation. Pure.

Called by the task's runner with the answer of `GET /containers/ID/json`.
"""

from datetime import datetime
from typing import Any

import msgspec

from longshore.domain.ecs.launch import ContainerLaunch, ContainerObservation, TaskLaunch
from longshore.domain.ecs.task import HealthStatus, NetworkBinding

OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
HEALTH: dict[str, HealthStatus] = {"healthy": "HEALTHY", "unhealthy": "UNHEALTHY"}


def observe(
    launch: TaskLaunch, container: ContainerLaunch, known: ContainerObservation, document: dict[str, Any]
) -> ContainerObservation:
    """`known`, brought up to date."""
    state = document["State"]
    seen = msgspec.structs.replace(
        known,
        runtime_id=document["Id"],
        created_at=seconds(document.get("Created")),
        started_at=seconds(state.get("StartedAt")),
        network_bindings=bindings(launch, container, document),
    )
    status = state["Status"]
    if status in {"running", "paused", "restarting"}:
        health = HEALTH.get((state.get("Health") or {}).get("Status", ""), "UNKNOWN")
        return msgspec.structs.replace(seen, status="RUNNING", health=health, exit_code=None, finished_at=None)
    if status == "created":
        return msgspec.structs.replace(seen, status="CREATED")
    return msgspec.structs.replace(
        seen,
        status="STOPPED",
        exit_code=state.get("ExitCode"),
        finished_at=seconds(state.get("FinishedAt")),
        reason=OUT_OF_MEMORY if state.get("OOMKilled") else known.reason,
        network_bindings=known.network_bindings,
    )


def bindings(launch: TaskLaunch, container: ContainerLaunch, document: dict[str, Any]) -> tuple[NetworkBinding, ...]:
    """The host ports at which a container's ports answer (bridge and host modes)."""
    if launch.network_mode == "host":
        return tuple(
            NetworkBinding(container_port=p.container_port, host_port=p.container_port, protocol=p.protocol)
            for p in container.ports
        )
    if launch.network_mode != "bridge":
        return ()
    published = (document.get("NetworkSettings") or {}).get("Ports") or {}
    found: list[NetworkBinding] = []
    for port in container.ports:
        for binding in published.get(f"{port.container_port}/{port.protocol}") or ():
            if ":" in binding["HostIp"]:  # Docker binds IPv6 beside IPv4; ECS reports the port once
                continue
            if port.host_port and int(binding["HostPort"]) != port.host_port:
                continue
            found.append(
                NetworkBinding(
                    container_port=port.container_port,
                    host_port=int(binding["HostPort"]),
                    protocol=port.protocol,
                    bind_ip=binding["HostIp"],
                )
            )
    return tuple(dict.fromkeys(found))


def seconds(text: str | None) -> float | None:
    """A Docker timestamp in seconds since the epoch; its zero time (`0001-…`) is None."""
    if not text or text.startswith("0001-"):
        return None
    head, _, rest = text.partition(".")
    if not rest:
        return datetime.fromisoformat(text).timestamp()
    digits = len(rest) - len(rest.lstrip("0123456789"))
    zone = rest[digits:]
    return datetime.fromisoformat(head + zone).timestamp() + float("0." + rest[:digits])


def failed_start(message: str, container: ContainerLaunch) -> str:
    """The reason of a container that Docker could not start, with advice where we know some."""
    if "rlimit" in message and container.ulimits:
        limits = ", ".join(f"{name} {soft}:{hard}" for name, soft, hard in container.ulimits)
        message += (
            f". The ulimits of the task definition ({limits}) are above what this Docker Engine may give: "
            "lower them, or raise the limits of dockerd."
        )
    return f"CannotStartContainerError: {message}"
