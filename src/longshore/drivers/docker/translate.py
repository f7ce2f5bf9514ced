"""A task as documents of the Docker Engine API: what a container is created with. Pure; has golden files.

Called by the task's runner. Sends nothing, looks nothing up: what depends on the Engine comes in `EngineFacts`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from longshore.domain.ec2.network import private_dns_name
from longshore.domain.ecs.launch import (
    ContainerLaunch,
    HealthCheck,
    Mount,
    TaskLaunch,
    TaskNetwork,
    Volume,
    WarmNetwork,
)
from longshore.drivers.docker.names import CONTAINER, INSTANCE, PAUSE, Names

MIB = 1 << 20
SECOND_NS = 1_000_000_000
IPC_SYSCTLS = ("kernel.msg", "kernel.sem", "kernel.shm", "fs.mqueue.")
LOGGED = {"Type": "json-file", "Config": {"max-size": "16m", "max-file": "2"}}
"""Docker keeps what a container prints while Longshore is down; the rest of it is in the log stream."""
UNLOGGED = {"Type": "json-file", "Config": {"max-size": "2m", "max-file": "1"}}


class EngineFacts(NamedTuple):
    """What of the Engine and its machine a payload depends on."""

    pause_image: str
    nofile_limit: int | None = None
    """The default limit of open files, as high as the Engine can give; None sets none."""
    task_cgroups: bool = False
    """Whether a task has a cgroup of its own; without, its limits fall to each container."""
    name_servers: tuple[str, ...] = ()
    """Whom containers ask for names: ours, and for when it doesn't answer, those of the host that they can reach."""
    host_name_servers: tuple[str, ...] = ()
    """The same for tasks in host mode, which can reach all of the host's."""
    containers_folder: str = ""
    """Where the Engine keeps containers' files, if they can be written; empty otherwise."""


def pause_payload(launch: TaskLaunch, facts: EngineFacts, names: Names) -> dict[str, Any]:
    """The container that holds the task's namespaces."""
    body = _pause(facts, names.container_labels(launch, PAUSE))
    host = body["HostConfig"]
    sysctls: dict[str, str] = {}
    for container in launch.containers:
        sysctls.update({k: v for k, v in container.system_controls.items() if _belongs_to_pause(launch, k)})
    if launch.network is not None:
        _place(body, launch.network, launch.region, facts, names)
    if launch.ipc_mode == "task":
        host["IpcMode"] = "shareable"
        sizes = [c.shared_memory_mib for c in launch.containers if c.shared_memory_mib]
        if sizes:
            host["ShmSize"] = max(sizes) * MIB
    if sysctls:
        host["Sysctls"] = sysctls
    if has_own_cgroup(launch, facts):
        host["CgroupParent"] = names.cgroup(launch.task_id)
    return body


def warm_payload(warm: WarmNetwork, facts: EngineFacts, names: Names) -> dict[str, Any]:
    """The same container, made before its task is known."""
    body = _pause(facts, {INSTANCE: names.instance_id, CONTAINER: PAUSE})
    _place(body, warm.network, warm.region, facts, names)
    return body


def suits_warm(launch: TaskLaunch, facts: EngineFacts, names: Names) -> bool:
    """Whether the task's pause container would be no other than a warm one, but for labels and cgroup."""
    if launch.network is None:
        return False
    own = pause_payload(launch, facts, names)
    warm = warm_payload(WarmNetwork(region=launch.region, network=launch.network), facts, names)
    own["HostConfig"].pop("CgroupParent", None)  # it uses nothing that would count
    return own | {"Labels": {}} == warm | {"Labels": {}}


def _pause(facts: EngineFacts, labels: dict[str, str]) -> dict[str, Any]:
    return {
        "Image": facts.pause_image,
        "Labels": labels,
        "StopSignal": "SIGKILL",  # it has nothing to tidy up: `docker stop` by hand shall not wait for it
        "HostConfig": {"LogConfig": {"Type": "none", "Config": {}}, "NetworkMode": "none"},
    }


def _place(body: dict[str, Any], network: TaskNetwork, region: str, facts: EngineFacts, names: Names) -> None:
    """Name, address and MAC of an awsvpc task; the MAC in both places, since Engines differ in where they look."""
    docker_network = names.vpc_network(network.vpc_id)
    endpoint = {"IPAMConfig": {"IPv4Address": network.address}, "MacAddress": network.mac_address}
    body["HostConfig"]["NetworkMode"] = docker_network
    if facts.name_servers:
        body["HostConfig"]["Dns"] = list(facts.name_servers)
    body["Hostname"], _, body["Domainname"] = private_dns_name(network.address, region).partition(".")
    body["MacAddress"] = network.mac_address
    body["NetworkingConfig"] = {"EndpointsConfig": {docker_network: endpoint}}


def needs_pause(launch: TaskLaunch) -> bool:
    """Whether the task has namespaces that its containers share."""
    return launch.network_mode == "awsvpc" or launch.pid_mode == "task" or launch.ipc_mode == "task"


def has_own_cgroup(launch: TaskLaunch, facts: EngineFacts) -> bool:
    """Whether the task's limits are kept by a cgroup above its containers'."""
    return facts.task_cgroups and (launch.cpu_units is not None or launch.memory_mib is not None)


def container_payload(
    launch: TaskLaunch,
    container: ContainerLaunch,
    facts: EngineFacts,
    names: Names,
    *,
    environment: Mapping[str, str],
    pause: str,
) -> dict[str, Any]:
    """A container of the task. `pause` is the id of the container to join (empty without one).

    `environment` is Longshore's own; what the definition sets wins, and its secrets over that.
    """
    secrets = {name: hidden.text for name, hidden in container.secrets.items()}
    merged = {**environment, **container.environment, **secrets}
    body: dict[str, Any] = {
        "Image": container.image,
        "Env": [f"{name}={value}" for name, value in merged.items()],
        "Labels": {**container.labels, **names.container_labels(launch, container.name)},
        "Healthcheck": _health_check(container.health_check),
        "StopTimeout": container.stop_timeout_s,
    }
    optional = {
        "Cmd": None if container.command is None else list(container.command),
        "Entrypoint": None if container.entry_point is None else list(container.entry_point),
        "User": container.user or None,
        "WorkingDir": container.working_directory or None,
        "Hostname": container.hostname or None,
        "OpenStdin": container.interactive or None,
        "Tty": container.pseudo_terminal or None,
    }
    body |= {key: value for key, value in optional.items() if value is not None}
    host = {
        "LogConfig": LOGGED if container.log else UNLOGGED,
        **_resources(launch, container, facts, names),
        **_isolation(launch, container, pause),
        **_storage(launch, container, names),
        "Ulimits": _ulimits(container, facts),
    }
    network, extra = _network(launch, container, facts, names, pause)
    return body | extra | {"HostConfig": host | network}


def _health_check(check: HealthCheck | None) -> dict[str, Any]:
    """Run by Docker itself. Without one in the definition the image's own is switched off, as on ECS."""
    if check is None:
        return {"Test": ["NONE"]}
    return {
        "Test": list(check.command),
        "Interval": check.interval_s * SECOND_NS,
        "Timeout": check.timeout_s * SECOND_NS,
        "Retries": check.retries,
        "StartPeriod": check.start_period_s * SECOND_NS,
    }


def _resources(launch: TaskLaunch, container: ContainerLaunch, facts: EngineFacts, names: Names) -> dict[str, Any]:
    # 0 is 2 shares, as the ECS agent passes it: such a container gets what the others leave.
    limits: dict[str, Any] = {"CpuShares": max(container.cpu_units, 2)}
    memory_mib = container.memory_mib
    if has_own_cgroup(launch, facts):
        limits["CgroupParent"] = names.cgroup(launch.task_id)
    else:
        memory_mib = memory_mib or launch.memory_mib
        if launch.cpu_units:
            limits["NanoCpus"] = launch.cpu_units * SECOND_NS // 1024
    if container.max_swap_mib is not None:
        memory_mib = memory_mib or launch.memory_mib  # Docker limits swap together with memory only
    if memory_mib:
        limits["Memory"] = memory_mib * MIB
    if container.memory_reservation_mib:
        limits["MemoryReservation"] = container.memory_reservation_mib * MIB
    if container.max_swap_mib is not None and memory_mib:
        limits["MemorySwap"] = (memory_mib + container.max_swap_mib) * MIB
    if container.swappiness is not None:
        limits["MemorySwappiness"] = container.swappiness
    return limits


def _ulimits(container: ContainerLaunch, facts: EngineFacts) -> list[dict[str, Any]]:
    limits = [{"Name": name, "Soft": soft, "Hard": hard} for name, soft, hard in container.ulimits]
    if facts.nofile_limit and all(limit["Name"] != "nofile" for limit in limits):
        limits.append({"Name": "nofile", "Soft": facts.nofile_limit, "Hard": facts.nofile_limit})
    return limits


def _isolation(launch: TaskLaunch, container: ContainerLaunch, pause: str) -> dict[str, Any]:
    sysctls = {k: v for k, v in container.system_controls.items() if not _belongs_to_pause(launch, k)}
    joined = f"container:{pause}"
    optional = {
        "CapAdd": list(container.capabilities_add),
        "CapDrop": list(container.capabilities_drop),
        "SecurityOpt": list(container.docker_security_options),
        "Privileged": container.privileged,
        "ReadonlyRootfs": container.read_only_root,
        "Init": container.init_process,
        "Sysctls": sysctls,
        "PidMode": joined if launch.pid_mode == "task" else launch.pid_mode,
        "IpcMode": joined if launch.ipc_mode == "task" else launch.ipc_mode,
        "ShmSize": 0 if launch.ipc_mode == "task" else (container.shared_memory_mib or 0) * MIB,
    }
    return {key: value for key, value in optional.items() if value}


def _belongs_to_pause(launch: TaskLaunch, sysctl: str) -> bool:
    """A setting of a shared namespace can only be made by the container that made the namespace."""
    if sysctl.startswith("net."):
        return launch.network_mode == "awsvpc"
    return launch.ipc_mode == "task" and sysctl.startswith(IPC_SYSCTLS)


def _storage(launch: TaskLaunch, container: ContainerLaunch, names: Names) -> dict[str, Any]:
    volumes = {volume.name: volume for volume in launch.volumes}
    optional = {
        "Binds": [_bind(launch, volumes[mount.volume], mount, names) for mount in container.mounts],
        "VolumesFrom": [
            names.container(launch.task_id, source) + (":ro" if read_only else "")
            for source, read_only in container.volumes_from
        ],
        "Tmpfs": {path: ",".join([*options, f"size={size}m"]) for path, size, options in container.tmpfs},
        "Devices": [
            {"PathOnHost": host, "PathInContainer": path or host, "CgroupPermissions": permissions or "rwm"}
            for host, path, permissions in container.devices
        ],
    }
    return {key: value for key, value in optional.items() if value}


def _bind(launch: TaskLaunch, volume: Volume, mount: Mount, names: Names) -> str:
    source = volume.host_path if volume.type == "host" else names.volume(launch, volume)
    return f"{source}:{mount.path}:{'ro' if mount.read_only else 'rw'}"


def _network(
    launch: TaskLaunch, container: ContainerLaunch, facts: EngineFacts, names: Names, pause: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """`(part of HostConfig, part of the body)` for the task's network mode."""
    if launch.network_mode == "awsvpc":
        return {"NetworkMode": f"container:{pause}"}, {}
    usual = {"bridge": facts.name_servers, "host": facts.host_name_servers}.get(launch.network_mode, ())
    dns = {
        "Dns": list(container.dns_servers or (() if container.disable_networking else usual)),
        "DnsSearch": list(container.dns_search_domains),
        "ExtraHosts": [f"{name}:{address}" for name, address in container.extra_hosts],
    }
    host: dict[str, Any] = {key: value for key, value in dns.items() if value}
    if container.disable_networking or launch.network_mode == "none":
        return {**host, "NetworkMode": "none"}, {"NetworkDisabled": True} if container.disable_networking else {}
    if launch.network_mode == "host":
        return {**host, "NetworkMode": "host"}, {}
    network = names.bridge_network()
    host["NetworkMode"] = network
    body: dict[str, Any] = {}
    if container.ports:
        bindings: dict[str, list[dict[str, str]]] = {}
        for port in container.ports:
            key = f"{port.container_port}/{port.protocol}"
            bindings.setdefault(key, []).append({"HostIp": "", "HostPort": str(port.host_port or "")})
        host["PortBindings"] = bindings
        body["ExposedPorts"] = {key: {} for key in bindings}
    if container.links:
        # Aliases of this endpoint alone: other tasks on the same bridge see nothing of them.
        links = [_link(launch, link, names) for link in container.links]
        body["NetworkingConfig"] = {"EndpointsConfig": {network: {"Links": links}}}
    return host, body


def _link(launch: TaskLaunch, link: str, names: Names) -> str:
    target, _, alias = link.partition(":")
    return f"{names.container(launch.task_id, target)}:{alias or target}"


def volume_payloads(launch: TaskLaunch, names: Names) -> list[tuple[dict[str, Any], bool]]:
    """`(document of a volume create, whether Longshore makes it)`; one that it doesn't make must exist.

    A shared volume outlives tasks and Longshore, so it doesn't carry our labels.
    """
    payloads: list[tuple[dict[str, Any], bool]] = []
    for volume in launch.volumes:
        if volume.type == "host":
            continue
        shared = volume.type == "docker" and volume.docker_scope == "shared"
        body: dict[str, Any] = {
            "Name": names.volume(launch, volume),
            "Driver": volume.docker_driver,
            "DriverOpts": volume.docker_driver_options,
            "Labels": volume.docker_labels if shared else {**volume.docker_labels, **names.task_labels(launch)},
        }
        payloads.append((body, volume.docker_autoprovision if shared else True))
    return payloads
