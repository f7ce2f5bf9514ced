"""Docker payloads against golden files; UPDATE_GOLDEN=1 writes them anew: read the difference before committing."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from longshore.domain.ecs.launch import (
    ContainerLaunch,
    HealthCheck,
    Mount,
    PortMapping,
    TaskLaunch,
    TaskNetwork,
    Volume,
)
from longshore.domain.log import LogTarget
from longshore.drivers.docker.names import Names
from longshore.drivers.docker.translate import (
    EngineFacts,
    container_payload,
    needs_pause,
    pause_payload,
    suits_warm,
    volume_payloads,
)

FOLDER = Path(__file__).parent / "docker"
NAMES = Names("inst")
CGROUPS = EngineFacts(pause_image="longshore/pause:1", nofile_limit=65535, task_cgroups=True)
NO_CGROUPS = EngineFacts(pause_image="longshore/pause:1", nofile_limit=None, task_cgroups=False)
NAMED = CGROUPS._replace(name_servers=("169.254.170.2", "10.0.0.2"), host_name_servers=("169.254.170.2", "127.0.0.53"))

PLAIN = ContainerLaunch(name="app", image="nginx:1")
EVERYTHING = ContainerLaunch(
    name="app",
    image="nginx:1",
    command=("-c", "x"),
    entry_point=("sh",),
    environment={"A": "1", "AWS_REGION": "mine"},
    user="1000:1000",
    working_directory="/srv",
    cpu_units=512,
    memory_mib=256,
    memory_reservation_mib=128,
    ports=(
        PortMapping(container_port=80),
        PortMapping(container_port=53, host_port=5353, protocol="udp"),
        PortMapping(container_port=80, host_port=8080),
    ),
    mounts=(
        Mount(volume="scratch", path="/scratch"),
        Mount(volume="files", path="/files", read_only=True),
        Mount(volume="everyones", path="/everyones"),
        Mount(volume="own", path="/own"),
    ),
    volumes_from=(("side", True), ("other", False)),
    links=("side", "other:alias"),
    health_check=HealthCheck(command=("CMD-SHELL", "true"), interval_s=5, timeout_s=2, retries=1, start_period_s=10),
    log=LogTarget(group="g", stream="s", region="r"),
    stop_timeout_s=7,
    ulimits=(("nofile", 10, 20), ("core", 0, 0)),
    labels={"mine": "yes", "longshore.task": "not mine to set"},
    hostname="box",
    dns_servers=("10.0.0.2",),
    dns_search_domains=("example.test",),
    extra_hosts=(("db", "10.0.0.3"),),
    docker_security_options=("no-new-privileges",),
    system_controls={"net.core.somaxconn": "5", "kernel.msgmax": "9"},
    capabilities_add=("SYS_PTRACE",),
    capabilities_drop=("NET_RAW",),
    devices=(("/dev/fuse", "", ""), ("/dev/null", "/dev/x", "r")),
    tmpfs=(("/t", 5, ("noexec",)),),
    shared_memory_mib=64,
    max_swap_mib=10,
    swappiness=20,
    privileged=True,
    read_only_root=True,
    init_process=True,
    interactive=True,
    pseudo_terminal=True,
)
VOLUMES = (
    Volume(name="scratch"),
    Volume(name="files", type="host", host_path="/srv/files"),
    Volume(name="everyones", type="docker", docker_scope="shared", docker_labels={"l": "1"}),
    Volume(name="own", type="docker", docker_autoprovision=True, docker_driver_options={"type": "tmpfs"}),
)
NETWORK = TaskNetwork(
    vpc_id="vpc-1",
    vpc_cidr="172.31.0.0/16",
    subnet_cidr="172.31.0.0/20",
    interface_id="eni-1",
    address="172.31.0.9",
    mac_address="0a:00:00:00:00:09",
)


def task(*containers: ContainerLaunch, **fields: Any) -> TaskLaunch:
    fields = {"launch_type": "FARGATE", "network_mode": "bridge", "region": "us-east-1", **fields}
    return TaskLaunch(
        task_id="0123",
        task_arn="arn:aws:ecs:us-east-1:1:task/c/0123",
        account="1",
        cluster="c",
        cluster_arn="arn",
        family="fam",
        revision=4,
        containers=containers,
        **fields,
    )


CASES = {
    "awsvpc_plain": (task(PLAIN, network_mode="awsvpc", network=NETWORK, cpu_units=256, memory_mib=512), CGROUPS),
    "awsvpc_without_cgroups": (
        task(PLAIN, network_mode="awsvpc", network=NETWORK, cpu_units=256, memory_mib=512, region="eu-west-1"),
        NO_CGROUPS,
    ),
    "awsvpc_sysctls_and_shared_namespaces": (
        task(
            ContainerLaunch(
                name="app", image="i", shared_memory_mib=8, system_controls=dict(EVERYTHING.system_controls)
            ),
            network_mode="awsvpc",
            network=NETWORK,
            pid_mode="task",
            ipc_mode="task",
        ),
        NO_CGROUPS,
    ),
    "bridge_everything": (task(EVERYTHING, volumes=VOLUMES, launch_type="EC2"), CGROUPS),
    "awsvpc_names": (task(PLAIN, network_mode="awsvpc", network=NETWORK), NAMED),
    "bridge_names": (task(PLAIN, ContainerLaunch(name="own", image="i", dns_servers=("10.0.0.9",))), NAMED),
    "host_names": (task(PLAIN, network_mode="host"), NAMED),
    "none_names": (task(PLAIN, network_mode="none"), NAMED),
    "host_namespaces": (task(PLAIN, network_mode="host", pid_mode="host", ipc_mode="host"), CGROUPS),
    "none": (task(PLAIN, network_mode="none", ipc_mode="none"), NO_CGROUPS),
    "networking_disabled": (task(ContainerLaunch(name="a", image="i", disable_networking=True)), NO_CGROUPS),
    "empty_command": (task(ContainerLaunch(name="a", image="i", command=(), entry_point=())), NO_CGROUPS),
}


@pytest.mark.parametrize("case", CASES)
def test_payloads_are_as_in_the_golden_file(case: str) -> None:
    launch, facts = CASES[case]
    environment = {"AWS_REGION": "us-east-1", "ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4/1"}
    made: dict[str, Any] = {
        "containers": {
            container.name: container_payload(
                launch, container, facts, NAMES, environment=environment, pause="PAUSE" if needs_pause(launch) else ""
            )
            for container in launch.containers
        }
    }
    if needs_pause(launch):
        made["pause"] = pause_payload(launch, facts, NAMES)
        made["may be warm"] = suits_warm(launch, facts, NAMES)
    if launch.volumes:
        made["volumes"] = [[body, make] for body, make in volume_payloads(launch, NAMES)]
    golden = FOLDER / f"{case}.json"
    text = json.dumps(made, indent=2, sort_keys=True) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text()
