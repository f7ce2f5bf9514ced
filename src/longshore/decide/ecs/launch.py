"""From a task and its definition to what an engine runs: overrides merged, defaults filled in, ranges expanded.

Pure. Called by `control/ecs/tasks.py` (`launch_of`), by whatever makes tasks (`resources_of`, `container_records`), and
by the service controller (`counts_health`). What is not translated here is refused before, by `decide/ecs/served.py`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, cast

import msgspec

from longshore.decide.ecs import sizes
from longshore.decide.ecs.log_target import log_target
from longshore.decide.ecs.task import was_started
from longshore.domain.arn import ecs_arn
from longshore.domain.ecs.launch import (
    ContainerLaunch,
    ContainerObservation,
    Dependency,
    HealthCheck,
    Hidden,
    Mount,
    PortMapping,
    RestartPolicy,
    TaskLaunch,
    TaskNetwork,
    Volume,
)
from longshore.domain.ecs.task import Container, Task
from longshore.domain.ecs.task_definition import TaskDefinition
from longshore.domain.names.connect import ConnectPlan
from longshore.domain.remembered import Remembered

Document = Mapping[str, Any]


def launch_of(
    task: Task,
    definition: TaskDefinition,
    *,
    vpc_cidr: str,
    subnet_cidr: str,
    vpc_id: str,
    connect: ConnectPlan | None = None,
    secrets: Mapping[str, Mapping[str, Hidden]] | None = None,
) -> TaskLaunch:
    """What the engine is told of a task. The three of the network count for awsvpc tasks alone.

    `secrets` are by container, and by the name of the variable: see `task_secrets.py`.
    """
    document = definition.document
    plain = _plain_of(definition, task.overrides)
    attachment = task.attachment
    network = None
    if definition.network_mode == "awsvpc" and attachment is not None:
        network = TaskNetwork(
            vpc_id=vpc_id,
            vpc_cidr=vpc_cidr,
            subnet_cidr=subnet_cidr,
            interface_id=attachment.interface_id,
            address=attachment.private_ip,
            mac_address=attachment.mac_address,
        )
    return TaskLaunch(
        task_id=task.task_id,
        task_arn=task.arn,
        account=task.account,
        region=task.region,
        cluster=task.cluster,
        cluster_arn=ecs_arn(task.scope, "cluster", task.cluster),
        family=definition.family,
        revision=definition.revision,
        launch_type=task.launch_type,
        observed=task.observed,
        known=tuple(_known(container) for container in task.containers) if was_started(task) else (),
        connect=connect,
        service_name=task.service_name,
        network_mode=cast("Literal['awsvpc', 'bridge', 'host', 'none']", definition.network_mode),
        network=network,
        cpu_units=plain.cpu_units,
        memory_mib=plain.memory_mib,
        pid_mode=document.get("pidMode", ""),
        ipc_mode=document.get("ipcMode", ""),
        containers=tuple(
            _of_task(task, container, given, (secrets or {}).get(container.name))
            for container, given in plain.containers
        ),
        volumes=plain.volumes,
    )


class _Plain(NamedTuple):
    """What is the same for all tasks of a definition that override it alike."""

    cpu_units: int | None
    memory_mib: int | None
    containers: tuple[tuple[ContainerLaunch, Document], ...]
    """Each but for where its output goes, with the definition that it is made of."""
    volumes: tuple[Volume, ...]


def _plain(definition: TaskDefinition, overrides: Document) -> _Plain:
    document = definition.document
    cpu_units, memory_mib = task_limits(document, overrides)
    return _Plain(
        cpu_units,
        memory_mib,
        tuple((_container(definition, given), given) for given in merged_containers(definition, overrides)),
        tuple(_volume(given) for given in document.get("volumes", ())),
    )


def _plain_of(definition: TaskDefinition, overrides: Document) -> _Plain:
    return _plain(definition, overrides) if overrides else _of_definition(definition)


_of_definition = Remembered(lambda definition: _plain(definition, {}), most=256)
"""Most tasks override nothing: for each of them the same would be made of the definition."""


def _of_task(
    task: Task, container: ContainerLaunch, given: Document, secrets: Mapping[str, Hidden] | None
) -> ContainerLaunch:
    """The container with its output going where this task's goes, and with the task's secrets."""
    own: dict[str, Any] = {"secrets": dict(secrets)} if secrets else {}
    if "logConfiguration" in given:
        container_id = next((c.container_id for c in task.containers if c.name == container.name), "")
        own["log"] = log_target(given, task_id=task.task_id, region=task.region, container_id=container_id)
    return msgspec.structs.replace(container, **own) if own else container


def _known(container: Container) -> ContainerObservation:
    return ContainerObservation(
        name=container.name,
        status=container.last_status,
        runtime_id=container.runtime_id,
        image_digest=container.image_digest,
        exit_code=container.exit_code,
        reason=container.reason,
        health=container.health,
        network_bindings=container.network_bindings,
        created_at=container.created_at,
        started_at=container.started_at,
        finished_at=container.finished_at,
        restart_count=container.restart_count,
    )


def resources_of(definition: TaskDefinition, overrides: Document) -> tuple[int, int]:
    """`(cpu units, memory in MiB)` that a task reserves of its machine.

    The task's own where it has them; else the sum over its containers: of `cpu`, and of `memoryReservation` or, where
    there is none, `memory`.
    """
    return _reserved(definition, overrides) if overrides else _reserved_by(definition)


def _reserved(definition: TaskDefinition, overrides: Document) -> tuple[int, int]:
    cpu_units, memory_mib = task_limits(definition.document, overrides)
    containers = merged_containers(definition, overrides)
    if cpu_units is None:
        cpu_units = sum(container.get("cpu") or 0 for container in containers)
    if memory_mib is None:
        memory_mib = sum(c.get("memoryReservation") or c.get("memory") or 0 for c in containers)
    return cpu_units, memory_mib


_reserved_by = Remembered(lambda definition: _reserved(definition, {}), most=256)


def task_limits(document: Document, overrides: Document) -> tuple[int | None, int | None]:
    """The limits of the task as a whole, overrides first."""
    cpu = overrides.get("cpu") or document.get("cpu")
    memory = overrides.get("memory") or document.get("memory")
    return sizes.cpu_units(cpu) if cpu else None, sizes.memory_mib(memory) if memory else None


def container_records(definition: TaskDefinition, overrides: Document, ids: Callable[[], str]) -> tuple[Container, ...]:
    """The containers of a new task, in the definition's order. `ids` gives the UUIDs in their ARNs."""
    return tuple(
        Container(
            name=container["name"],
            image=container["image"],
            container_id=ids(),
            essential=container.get("essential", True),
            has_health_check="healthCheck" in container,
        )
        for container in merged_containers(definition, overrides)
    )


def counts_health(definition: TaskDefinition) -> bool:
    """Whether container health checks say if a task is healthy: an essential container has one."""
    return any(c.get("essential", True) and "healthCheck" in c for c in definition.containers)


def merged_containers(definition: TaskDefinition, overrides: Document) -> Sequence[Document]:
    """The container definitions with their overrides in them."""
    if not overrides.get("containerOverrides"):
        return definition.containers
    given = {override["name"]: override for override in overrides.get("containerOverrides") or () if "name" in override}
    return [_merged(container, given.get(container["name"], {})) for container in definition.containers]


def _merged(container: Document, override: Document) -> dict[str, Any]:
    merged = dict(container)
    for field in ("command", "cpu", "memory", "memoryReservation"):
        if override.get(field) is not None:
            merged[field] = override[field]
    environment = {**_environment(container), **_environment(override)}
    merged["environment"] = [{"name": name, "value": value} for name, value in environment.items()]
    return merged


def _environment(given: Document) -> dict[str, str]:
    return {pair["name"]: pair.get("value", "") for pair in given.get("environment") or () if pair.get("name")}


def _container(definition: TaskDefinition, given: Document) -> ContainerLaunch:
    linux = given.get("linuxParameters") or {}
    return ContainerLaunch(
        name=given["name"],
        image=given["image"],
        essential=given.get("essential", True),
        command=_strings(given, "command"),
        entry_point=_strings(given, "entryPoint"),
        environment=_environment(given),
        user=given.get("user", ""),
        working_directory=given.get("workingDirectory", ""),
        cpu_units=given.get("cpu") or 0,
        memory_mib=given.get("memory") or None,
        memory_reservation_mib=given.get("memoryReservation") or None,
        ports=tuple(_ports(given, definition.network_mode)),
        mounts=tuple(_mount(mount) for mount in given.get("mountPoints") or ()),
        volumes_from=tuple((v["sourceContainer"], v.get("readOnly", False)) for v in given.get("volumesFrom") or ()),
        links=tuple(given.get("links") or ()),
        depends_on=tuple(
            Dependency(container=d["containerName"], condition=d["condition"]) for d in given.get("dependsOn") or ()
        ),
        health_check=_health_check(given.get("healthCheck")),
        restart_policy=_restart_policy(given.get("restartPolicy")),
        start_timeout_s=given.get("startTimeout"),
        stop_timeout_s=given.get("stopTimeout", 30),
        ulimits=tuple(_ulimits(given)),
        labels=dict(given.get("dockerLabels") or {}),
        hostname=given.get("hostname", ""),
        dns_servers=tuple(given.get("dnsServers") or ()),
        dns_search_domains=tuple(given.get("dnsSearchDomains") or ()),
        extra_hosts=tuple((h["hostname"], h["ipAddress"]) for h in given.get("extraHosts") or ()),
        docker_security_options=tuple(given.get("dockerSecurityOptions") or ()),
        system_controls={c["namespace"]: c["value"] for c in given.get("systemControls") or ()},
        capabilities_add=tuple((linux.get("capabilities") or {}).get("add") or ()),
        capabilities_drop=tuple((linux.get("capabilities") or {}).get("drop") or ()),
        devices=tuple(_device(device) for device in linux.get("devices") or ()),
        tmpfs=tuple(
            (t["containerPath"], t["size"], tuple(t.get("mountOptions") or ())) for t in linux.get("tmpfs") or ()
        ),
        shared_memory_mib=linux.get("sharedMemorySize"),
        max_swap_mib=linux.get("maxSwap"),
        # ECS ignores swappiness where maxSwap is not set.
        swappiness=linux.get("swappiness") if linux.get("maxSwap") is not None else None,
        privileged=given.get("privileged", False),
        read_only_root=given.get("readonlyRootFilesystem", False),
        init_process=linux.get("initProcessEnabled", False),
        interactive=given.get("interactive", False),
        pseudo_terminal=given.get("pseudoTerminal", False),
        disable_networking=given.get("disableNetworking", False),
    )


def _strings(given: Document, field: str) -> tuple[str, ...] | None:
    """None where there are none: an empty list leaves the image's own."""
    return tuple(given[field]) if given.get(field) else None


def _ports(given: Document, network_mode: str) -> Iterator[PortMapping]:
    for mapping in given.get("portMappings") or ():
        protocol = mapping.get("protocol", "tcp")
        for port in port_numbers(mapping):
            same = network_mode in {"awsvpc", "host"}
            host_port = port if same else mapping.get("hostPort") or 0
            yield PortMapping(container_port=port, host_port=host_port, protocol=protocol)


def port_numbers(mapping: Document) -> range:
    """The container ports of a mapping: one, or those of its range."""
    if mapping.get("containerPortRange"):
        first, _, last = mapping["containerPortRange"].partition("-")
        return range(int(first), int(last) + 1)
    port: int | None = mapping.get("containerPort")
    return range(port, port + 1) if port is not None else range(0)


def _mount(mount: Document) -> Mount:
    return Mount(volume=mount["sourceVolume"], path=mount["containerPath"], read_only=mount.get("readOnly", False))


def _health_check(check: Document | None) -> HealthCheck | None:
    if check is None:
        return None
    return HealthCheck(
        command=tuple(check["command"]),
        interval_s=check.get("interval", 30),
        timeout_s=check.get("timeout", 5),
        retries=check.get("retries", 3),
        start_period_s=check.get("startPeriod", 0),
    )


def _restart_policy(policy: Document | None) -> RestartPolicy | None:
    if policy is None or not policy["enabled"]:
        return None
    return RestartPolicy(
        attempt_period_s=policy.get("restartAttemptPeriod", 300),
        ignored_exit_codes=tuple(policy.get("ignoredExitCodes") or ()),
    )


def _ulimits(given: Document) -> Iterator[tuple[str, int, int]]:
    """Those asked for; a platform's defaults are the engine's, which knows what its machine can give."""
    for limit in given.get("ulimits") or ():
        yield limit["name"], limit["softLimit"], limit["hardLimit"]


def _device(device: Document) -> tuple[str, str, str]:
    letters = {"read": "r", "write": "w", "mknod": "m"}
    permissions = "".join(letters[permission] for permission in device.get("permissions") or letters)
    return device["hostPath"], device.get("containerPath") or device["hostPath"], permissions


def _volume(given: Document) -> Volume:
    docker = given.get("dockerVolumeConfiguration")
    if docker is not None:
        return Volume(
            name=given["name"],
            type="docker",
            docker_scope=docker.get("scope", "task"),
            docker_driver=docker.get("driver", "local"),
            docker_autoprovision=docker.get("autoprovision", False),
            docker_driver_options=dict(docker.get("driverOpts") or {}),
            docker_labels=dict(docker.get("labels") or {}),
        )
    path = (given.get("host") or {}).get("sourcePath")
    return Volume(name=given["name"], type="host", host_path=path) if path else Volume(name=given["name"])
