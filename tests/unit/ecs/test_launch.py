"""What an engine is told of a task, and what stops a definition from running."""

from typing import Any

import pytest

from longshore.decide.ecs.launch import container_records, counts_health, launch_of, resources_of
from longshore.decide.ecs.launching import TaskRequest, new_task
from longshore.decide.ecs.log_target import datetime_pattern
from longshore.decide.ecs.served import unserved
from longshore.domain.ec2.network import Subnet
from longshore.domain.ecs.cluster import Cluster
from longshore.domain.ecs.launch import ContainerLaunch, Dependency, HealthCheck, TaskLaunch, Volume
from longshore.domain.ecs.task import Attachment
from longshore.domain.ecs.task_definition import TaskDefinition
from longshore.domain.log import LogTarget
from tests.support.world import ACCOUNT, REGION, SeededIds

APP = {"name": "app", "image": "busybox"}


def definition(*containers: dict[str, Any], **document: Any) -> TaskDefinition:
    return TaskDefinition(
        account=ACCOUNT,
        region=REGION,
        family="web",
        revision=3,
        document={"containerDefinitions": list(containers or (APP,)), **document},
        registered_at=0.0,
        registered_by="me",
    )


def launched(of: TaskDefinition, launch_type: str = "EC2", **overrides: Any) -> TaskLaunch:
    subnet = None
    if of.network_mode == "awsvpc":
        subnet = Subnet(
            account=ACCOUNT,
            region=REGION,
            subnet_id="subnet-a",
            vpc_id="vpc-1",
            cidr="172.31.0.0/20",
            availability_zone="us-east-1a",
        )
    cluster = Cluster(account=ACCOUNT, region=REGION, name="blue", created_at=0.0)
    request = TaskRequest(cluster=cluster, definition=of, launch_type=launch_type, overrides=overrides)
    task = new_task(request, subnet=subnet, ids=SeededIds(1), now=5.0)
    if subnet is not None:
        attachment = Attachment(
            attachment_id="a",
            subnet_id="subnet-a",
            interface_id="eni-1",
            private_ip="172.31.0.9",
            mac_address="02:42:ac:1f:00:09",
        )
        task = task.but(attachment=attachment)
    return launch_of(task, of, vpc_cidr="172.31.0.0/16", subnet_cidr="172.31.0.0/20", vpc_id="vpc-1")


def only(of: TaskDefinition, launch_type: str = "EC2", **overrides: Any) -> ContainerLaunch:
    (container,) = launched(of, launch_type, **overrides).containers
    return container


def test_an_awsvpc_task_knows_its_place() -> None:
    launch = launched(definition(networkMode="awsvpc", cpu="256", memory="512"), "FARGATE")
    assert launch.network is not None
    assert (launch.network.vpc_id, launch.network.address, launch.network.interface_id) == (
        "vpc-1",
        "172.31.0.9",
        "eni-1",
    )
    assert (launch.cpu_units, launch.memory_mib) == (256, 512)
    assert (launch.family, launch.revision, launch.cluster) == ("web", 3, "blue")
    assert launch.cluster_arn == f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/blue"


def test_a_bridge_task_has_no_interface_and_no_limits_of_its_own() -> None:
    launch = launched(definition())
    assert (launch.network_mode, launch.network) == ("bridge", None)
    assert (launch.cpu_units, launch.memory_mib) == (None, None)


def test_the_least_container_leaves_all_to_the_image() -> None:
    assert only(definition()) == ContainerLaunch(name="app", image="busybox")


def test_limits_are_those_asked_for_since_defaults_are_the_engines() -> None:
    assert only(definition(), "FARGATE").ulimits == ()
    own = {**APP, "ulimits": [{"name": "nofile", "softLimit": 10, "hardLimit": 20}]}
    assert only(definition(own), "FARGATE").ulimits == (("nofile", 10, 20),)


def test_overrides_are_merged_by_container_and_by_variable() -> None:
    container = {
        **APP,
        "command": ["a"],
        "cpu": 10,
        "memory": 64,
        "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
    }
    given = {
        "name": "app",
        "command": ["b", "c"],
        "environment": [{"name": "B", "value": "3"}, {"name": "C"}],
        "cpu": 20,
        "memory": 128,
        "memoryReservation": 32,
    }
    launch = launched(definition(container, {"name": "side", "image": "x"}), containerOverrides=[given])
    app, side = launch.containers
    assert app.command == ("b", "c")
    assert app.environment == {"A": "1", "B": "3", "C": ""}
    assert (app.cpu_units, app.memory_mib, app.memory_reservation_mib) == (20, 128, 32)
    assert side == ContainerLaunch(name="side", image="x")


def test_an_empty_override_keeps_the_definition() -> None:
    container = {**APP, "command": ["a"], "environment": [{"name": "A", "value": "1"}]}
    launch = only(definition(container), containerOverrides=[{"name": "app"}])
    assert (launch.command, launch.environment) == (("a",), {"A": "1"})


def test_the_tasks_size_is_overridden() -> None:
    launch = launched(definition(cpu="256", memory="512"), cpu="1 vCPU", memory="2 GB")
    assert (launch.cpu_units, launch.memory_mib) == (1024, 2048)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("bridge", [(80, 0, "tcp"), (81, 8081, "udp")]),
        ("host", [(80, 80, "tcp"), (81, 81, "udp")]),
    ],
)
def test_host_ports_follow_the_network_mode(mode: str, expected: list[tuple[int, int, str]]) -> None:
    mappings = [{"containerPort": 80, "hostPort": 0}, {"containerPort": 81, "hostPort": 8081, "protocol": "udp"}]
    ports = only(definition({**APP, "portMappings": mappings}, networkMode=mode)).ports
    assert [(port.container_port, port.host_port, port.protocol) for port in ports] == expected


def test_port_ranges_are_expanded() -> None:
    container = {**APP, "portMappings": [{"containerPortRange": "8000-8002"}]}
    assert [p.container_port for p in only(definition(container)).ports] == [8000, 8001, 8002]
    assert [p.host_port for p in only(definition(container)).ports] == [0, 0, 0]
    assert [p.host_port for p in only(definition(container, networkMode="awsvpc")).ports] == [8000, 8001, 8002]


def test_health_checks_restarts_and_timeouts() -> None:
    container = {
        **APP,
        "healthCheck": {"command": ["CMD", "true"]},
        "restartPolicy": {"enabled": True, "ignoredExitCodes": [0]},
        "dependsOn": [{"containerName": "db", "condition": "START"}],
        "startTimeout": 9,
        "stopTimeout": 2,
    }
    app = launched(definition(container, {"name": "db", "image": "x"})).containers[0]
    assert app.health_check == HealthCheck(command=("CMD", "true"), interval_s=30, timeout_s=5, retries=3)
    assert app.restart_policy is not None
    assert (app.restart_policy.attempt_period_s, app.restart_policy.ignored_exit_codes) == (300, (0,))
    assert app.depends_on == (Dependency(container="db", condition="START"),)
    assert (app.start_timeout_s, app.stop_timeout_s) == (9, 2)


def test_a_restart_policy_that_is_off_is_none() -> None:
    assert only(definition({**APP, "restartPolicy": {"enabled": False}})).restart_policy is None


def test_linux_parameters() -> None:
    linux = {
        "capabilities": {"add": ["SYS_PTRACE"], "drop": ["ALL"]},
        "devices": [{"hostPath": "/dev/x"}, {"hostPath": "/dev/y", "containerPath": "/z", "permissions": ["read"]}],
        "tmpfs": [{"containerPath": "/t", "size": 16, "mountOptions": ["noexec"]}],
        "initProcessEnabled": True,
        "sharedMemorySize": 64,
        "maxSwap": 0,
        "swappiness": 10,
    }
    app = only(definition({**APP, "linuxParameters": linux}))
    assert (app.capabilities_add, app.capabilities_drop) == (("SYS_PTRACE",), ("ALL",))
    assert app.devices == (("/dev/x", "/dev/x", "rwm"), ("/dev/y", "/z", "r"))
    assert app.tmpfs == (("/t", 16, ("noexec",)),)
    assert (app.init_process, app.shared_memory_mib, app.max_swap_mib, app.swappiness) == (True, 64, 0, 10)


def test_swappiness_without_swap_is_left_out() -> None:
    assert only(definition({**APP, "linuxParameters": {"swappiness": 10}})).swappiness is None


def test_volumes_by_kind() -> None:
    volumes = [
        {"name": "a", "host": {}},
        {"name": "b", "host": {"sourcePath": "/srv"}},
        {"name": "c", "dockerVolumeConfiguration": {"scope": "shared", "autoprovision": True, "labels": {"k": "v"}}},
    ]
    container = {**APP, "mountPoints": [{"sourceVolume": "a", "containerPath": "/a", "readOnly": True}]}
    launch = launched(definition(container, volumes=volumes))
    assert launch.volumes == (
        Volume(name="a"),
        Volume(name="b", type="host", host_path="/srv"),
        Volume(name="c", type="docker", docker_scope="shared", docker_autoprovision=True, docker_labels={"k": "v"}),
    )
    (mount,) = launch.containers[0].mounts
    assert (mount.volume, mount.path, mount.read_only) == ("a", "/a", True)


def awslogs(**options: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in options.items()}
    return {**APP, "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "g", **named}}}


def test_the_stream_is_prefix_container_task() -> None:
    launch = launched(definition(awslogs(awslogs_stream_prefix="p", awslogs_create_group="true")))
    assert launch.containers[0].log == LogTarget(
        group="g", stream=f"p/app/{launch.task_id}", region=REGION, create_group=True
    )


def test_without_a_prefix_the_stream_is_the_containers_id() -> None:
    log = only(definition(awslogs(awslogs_region="eu-west-1"))).log
    assert log is not None
    assert log.region == "eu-west-1"
    assert len(log.stream) == 36


def test_a_datetime_format_becomes_a_pattern() -> None:
    assert datetime_pattern("[%Y-%m-%d %%]") == r"\[\d{4}\-\d{2}\-\d{2}\ %\]"
    log = only(definition(awslogs(awslogs_datetime_format="%Y"))).log
    assert log is not None
    assert log.multiline_pattern == r"\d{4}"


@pytest.mark.parametrize(
    ("of", "overrides", "expected"),
    [
        (definition({**APP, "cpu": 100, "memory": 64}, cpu="256", memory="512"), {}, (256, 512)),
        (definition({**APP, "cpu": 100, "memory": 64}, cpu="256", memory="512"), {"cpu": "512"}, (512, 512)),
        (definition({**APP, "cpu": 100, "memory": 64}, {**APP, "name": "b", "memoryReservation": 32}), {}, (100, 96)),
        (definition({**APP, "memory": 64, "memoryReservation": 32}), {}, (0, 32)),
        (
            definition({**APP, "cpu": 100, "memory": 64}),
            {"containerOverrides": [{"name": "app", "cpu": 7, "memory": 128}]},
            (7, 128),
        ),
    ],
)
def test_what_a_task_reserves(of: TaskDefinition, overrides: dict[str, Any], expected: tuple[int, int]) -> None:
    assert resources_of(of, overrides) == expected


def test_container_records_say_what_is_asked() -> None:
    of = definition({**APP, "healthCheck": {"command": ["CMD", "x"]}}, {"name": "b", "image": "y", "essential": False})
    app, side = container_records(of, {}, SeededIds(3).uuid)
    assert (app.name, app.image, app.essential, app.has_health_check) == ("app", "busybox", True, True)
    assert (side.name, side.essential, side.has_health_check) == ("b", False, False)
    assert app.container_id != side.container_id


def test_only_an_essential_containers_check_counts() -> None:
    check = {"healthCheck": {"command": ["CMD", "x"]}}
    assert counts_health(definition({**APP, **check}))
    assert not counts_health(definition(APP, {"name": "b", "image": "y", "essential": False, **check}))


@pytest.mark.parametrize(
    ("document", "word"),
    [
        ({"containerDefinitions": [{**APP, "environmentFiles": [{"type": "s3", "value": "b"}]}]}, "Environment files"),
        ({"containerDefinitions": [{**APP, "logConfiguration": {"logDriver": "syslog"}}]}, "log driver"),
        ({"containerDefinitions": [{**APP, "firelensConfiguration": {"type": "fluentd"}}]}, "FireLens"),
        ({"containerDefinitions": [{**APP, "resourceRequirements": [{"type": "GPU", "value": "1"}]}]}, "GPUs"),
        ({"containerDefinitions": [{**APP, "portMappings": [{"containerPortRange": "1-1001"}]}]}, "at most 1000 ports"),
        ({"volumes": [{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "f"}}]}, "EFS"),
        ({"volumes": [{"name": "v", "configuredAtLaunch": True}]}, "EBS"),
        ({"runtimePlatform": {"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}}, "Windows"),
        ({"enableFaultInjection": True}, "Fault injection"),
        ({"proxyConfiguration": {"containerName": "a"}}, "App Mesh"),
        ({"trustedExecutionConfiguration": {"isolationMode": "SHARED"}}, "Managed Instances"),
    ],
)
def test_what_is_not_served_is_said(document: dict[str, Any], word: str) -> None:
    (sentence,) = unserved({"containerDefinitions": [APP], **document}, {})
    assert word in sentence


def test_overrides_can_ask_for_what_is_not_served() -> None:
    overrides = {"containerOverrides": [{"name": "app", "environmentFiles": [{"type": "s3", "value": "x"}]}]}
    (sentence,) = unserved({"containerDefinitions": [APP]}, overrides)
    assert "Environment files" in sentence


def test_a_sentence_is_said_once() -> None:
    files = {"environmentFiles": [{"type": "s3", "value": "b"}]}
    assert len(unserved({"containerDefinitions": [{**APP, **files}, {**APP, "name": "b", **files}]}, {})) == 1


def test_served_and_empty_values_pass() -> None:
    container = {
        **APP,
        "secrets": [],
        "environmentFiles": [],
        "resourceRequirements": [],
        "logConfiguration": {"logDriver": "awslogs", "options": {}, "secretOptions": []},
        "portMappings": [{"containerPort": 80}, {"containerPortRange": "100-200"}],
    }
    document = {
        "containerDefinitions": [container],
        "runtimePlatform": {"operatingSystemFamily": "LINUX", "cpuArchitecture": "X86_64"},
        "enableFaultInjection": False,
        "volumes": [{"name": "v", "host": {}, "configuredAtLaunch": False}],
        "placementConstraints": [],
    }
    assert unserved(document, {"containerOverrides": [{"name": "app"}]}) == []


def test_definition_for_another_architecture_than_the_machine_is_said() -> None:
    arm = {"containerDefinitions": [APP], "runtimePlatform": {"cpuArchitecture": "ARM64"}}
    (sentence,) = unserved(arm, {}, "X86_64")
    assert sentence.startswith("This machine is X86_64, and the task definition asks for ARM64.")
    assert unserved(arm, {}, "ARM64") == []
    assert unserved(arm, {}) == [], "while the machine is not known"
    assert unserved({"containerDefinitions": [APP]}, {}, "ARM64") == [], "no architecture is any"
