"""Every rule on task definitions, by the text that ECS answers."""

from typing import Any

import pytest

from longshore.api.ecs.task_definitions.register import checked
from longshore.wire.errors import ApiError

Document = dict[str, Any]
CHECK = {"command": ["CMD-SHELL", "true"]}
FARGATE = {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "256", "memory": "512"}
AWSLOGS: Document = {"logDriver": "awslogs", "options": {"awslogs-group": "g", "awslogs-region": "r"}}
WITH_PREFIX: Document = {**AWSLOGS, "options": {**AWSLOGS["options"], "awslogs-stream-prefix": "p"}}


def container(name: str = "app", **changes: Any) -> Document:
    return {"name": name, "image": "busybox", "memory": 64, **changes}


def document(*containers: Document, **changes: Any) -> Document:
    return {"family": "web", "containerDefinitions": list(containers or (container(),)), **changes}


def fargate(*containers: Document, **changes: Any) -> Document:
    return document(*containers, **{**FARGATE, **changes})


def error_of(bad: Document) -> ApiError:
    with pytest.raises(ApiError) as caught:
        checked(bad, "123456789012")
    assert caught.value.code == "ClientException"
    return caught.value


NO_AWSVPC = "are not supported on container when networkMode=awsvpc"
MISMATCH = "the host ports and container ports in port mappings must match."

CASES: dict[str, tuple[Document, str]] = {
    "own label": (document(container(dockerLabels={"longshore.task": "x"})), "is Longshore's own"),
    "create-group unclear": (
        document(
            container(logConfiguration={**AWSLOGS, "options": {**AWSLOGS["options"], "awslogs-create-group": "yes"}})
        ),
        "takes true or false for awslogs-create-group, not 'yes'",
    ),
    "log mode unknown": (
        document(container(logConfiguration={**AWSLOGS, "options": {**AWSLOGS["options"], "mode": "fast"}})),
        "takes blocking or non-blocking for mode",
    ),
    # The task.
    "family blank": (document(family=""), "Family can not be blank."),
    "family with a dot": (document(family="a.b"), "Family contains invalid characters."),
    "family too long": (document(family="a" * 256), "Family name can have up to 255 characters."),
    "no containers": ({"family": "web", "containerDefinitions": []}, "Container list cannot be empty."),
    "eleven containers": (document(*(container(f"c{n}") for n in range(11))), "can have at most 10 containers"),
    "none essential": (document(container(essential=False)), "Task definition doesn't have any essential container"),
    "role": (document(taskRoleArn="not a role"), "Role is not valid"),
    "too long": (document(container(command=["x" * 65536])), "Max allowed length is '65536' bytes."),
    "cpu no number": (document(cpu="much"), "Invalid 'cpu' setting for task."),
    "cpu too small for EC2": (document(cpu="64"), "Invalid 'cpu' setting for task."),
    "memory no number": (document(memory="1TB"), "Invalid 'memory' setting for task."),
    "memory zero": (document(memory="0"), "Invalid 'memory' setting for task."),
    "storage small": (fargate(ephemeralStorage={"sizeInGiB": 20}), "EphemeralStorage size should be at least 21"),
    "storage large": (fargate(ephemeralStorage={"sizeInGiB": 201}), "EphemeralStorage size should be at most 200"),
    "storage on EC2": (
        document(ephemeralStorage={"sizeInGiB": 30}, requiresCompatibilities=["EC2"]),
        "Tasks using the EC2 launch type do not support EphemeralStorage",
    ),
    "storage on bridge": (
        document(ephemeralStorage={"sizeInGiB": 30}),
        "Tasks using the EC2 launch type do not support EphemeralStorage",
    ),
    "constraints": (
        document(placementConstraints=[{"type": "memberOf", "expression": "a"}] * 11),
        "at most 10 placement constraints",
    ),
    "constraint without expression": (document(placementConstraints=[{"type": "memberOf"}]), "needs the type memberOf"),
    "elastic inference": (
        document(inferenceAccelerators=[{"deviceName": "a", "deviceType": "b"}]),
        "inferenceAccelerators are not supported",
    ),
    "attestation": (
        document(trustedExecutionConfiguration={"isolationMode": "CONFIDENTIAL_SANDBOX"}),
        "attestationPolicy is required",
    ),
    "proxy container": (document(proxyConfiguration={"containerName": "envoy"}), "envoy does not exist"),
    "EXTERNAL with awsvpc": (
        document(networkMode="awsvpc", requiresCompatibilities=["EXTERNAL"]),
        "not compatible with EXTERNAL",
    ),
    # Containers.
    "name missing": (document({"image": "busybox", "memory": 6}), "Container.name should not be null or empty."),
    "name with a dot": (document(container("a.b")), "Container.name contains invalid characters."),
    "image missing": (document({"name": "a", "memory": 6}), "Container.image should not be null or empty."),
    "image with a space": (document(container(image="a b")), "Container.image contains invalid characters."),
    "same name": (document(container(), container()), "Container names must be unique within a task definition"),
    "no memory": (
        document({"name": "app", "image": "busybox"}),
        "Invalid setting for container 'app'. At least one of 'memory' or 'memoryReservation' must be specified.",
    ),
    "little memory": (document(container(memory=5)), "'memory' must be at least 6 MiB."),
    "memory below reservation": (
        document(container(memory=64, memoryReservation=65)),
        "'memory' must be greater than or equal to 'memoryReservation'",
    ),
    "memory above the task's": (
        document(container(memory=1025), memory="1 GB"),
        "The 'memory' setting for container 'app' is greater than for the task",
    ),
    "cpu negative": (document(container(cpu=-1)), "Invalid 'cpu' setting for container 'app'."),
    "variable without name": (document(container(environment=[{"value": "x"}])), "has no name"),
    "secret named as a variable": (
        document(container(environment=[{"name": "A"}], secrets=[{"name": "A", "valueFrom": "p"}])),
        "The secret name must be unique and not shared with any new or existing environment variables",
    ),
    "environment file": (
        document(container(environmentFiles=[{"type": "s3", "value": "file"}])),
        "must be the ARN of an S3 object ending in .env",
    ),
    "check without CMD": (document(container(healthCheck={"command": ["true"]})), "must begin with CMD or CMD-SHELL"),
    "check interval": (document(container(healthCheck={**CHECK, "interval": 4})), "interval of the health check"),
    "check timeout": (document(container(healthCheck={**CHECK, "timeout": 61})), "timeout of the health check"),
    "check retries": (document(container(healthCheck={**CHECK, "retries": 11})), "retries of the health check"),
    "check start": (document(container(healthCheck={**CHECK, "startPeriod": 301})), "startPeriod of the health check"),
    "restart period": (
        document(container(restartPolicy={"enabled": True, "restartAttemptPeriod": 59})),
        "restartAttemptPeriod of the restart policy of container 'app' must be between 60 and 1800",
    ),
    "restart codes": (
        document(container(restartPolicy={"enabled": True, "ignoredExitCodes": list(range(51))})),
        "at most 50 items",
    ),
    "awslogs without options": (
        document(container(logConfiguration={"logDriver": "awslogs"})),
        "Log driver awslogs requires options: awslogs-group, awslogs-region",
    ),
    "awslogs with another option": (
        document(container(logConfiguration={**AWSLOGS, "options": {**AWSLOGS["options"], "tag": "x"}})),
        "Log driver awslogs disallows options: tag",
    ),
    "ulimit": (
        document(container(ulimits=[{"name": "nofile", "softLimit": 2, "hardLimit": 1}])),
        "softLimit must not exceed hardLimit",
    ),
    "swappiness": (document(container(linuxParameters={"swappiness": 101})), "swappiness of container 'app'"),
    # Order.
    "depends on nobody": (
        document(container(dependsOn=[{"containerName": "x", "condition": "START"}])),
        "Cannot depend on container x because it does not exist",
    ),
    "SUCCESS of an essential one": (
        document(container(dependsOn=[{"containerName": "x", "condition": "SUCCESS"}]), container("x")),
        "A dependency container with SUCCESS or COMPLETE condition cannot be an essential container",
    ),
    "HEALTHY without a check": (
        document(container(dependsOn=[{"containerName": "x", "condition": "HEALTHY"}]), container("x")),
        "A dependency container with HEALTHY condition must have health check configured",
    ),
    "a cycle": (
        document(
            container("a", dependsOn=[{"containerName": "b", "condition": "START"}]), container("b", links=["a:alias"])
        ),
        "in a cycle: a -> b -> a",
    ),
    "depends on itself": (
        document(container("a", dependsOn=[{"containerName": "a", "condition": "START"}])),
        "in a cycle: a -> a",
    ),
    "volumes from nobody": (document(container(volumesFrom=[{"sourceContainer": "x"}])), "it does not exist"),
    # Network.
    "links in awsvpc": (
        document(container(links=["b"]), container("b"), networkMode="awsvpc"),
        "Links are not supported when networkMode=awsvpc",
    ),
    "links in host": (
        document(container(links=["b"]), container("b"), networkMode="host"),
        "Links are not supported when networkMode=host",
    ),
    "extra hosts": (
        document(container(extraHosts=[{"hostname": "a", "ipAddress": "1.2.3.4"}]), networkMode="awsvpc"),
        f"Extra hosts {NO_AWSVPC}",
    ),
    "DNS servers": (document(container(dnsServers=["1.1.1.1"]), networkMode="awsvpc"), f"DNS servers {NO_AWSVPC}"),
    "DNS domains": (document(container(dnsSearchDomains=["a"]), networkMode="awsvpc"), NO_AWSVPC),
    "hostname": (document(container(hostname="a"), networkMode="awsvpc"), "networkMode=awsvpc"),
    "no networking": (document(container(disableNetworking=True), networkMode="awsvpc"), "networkMode=awsvpc"),
    "ports in none": (
        document(container(portMappings=[{"containerPort": 80}]), networkMode="none"),
        "Port mappings are not supported when networkMode=none",
    ),
    "other host port in awsvpc": (
        document(container(portMappings=[{"containerPort": 80, "hostPort": 81}]), networkMode="awsvpc"),
        f"When networkMode=awsvpc, {MISMATCH}",
    ),
    "other host port in host": (
        document(container(portMappings=[{"containerPort": 80, "hostPort": 81}]), networkMode="host"),
        f"When networkMode=host, {MISMATCH}",
    ),
    "no port": (document(container(portMappings=[{"hostPort": 80}])), "Invalid container port"),
    "port too high": (document(container(portMappings=[{"containerPort": 65536}])), "Invalid container port"),
    "host port too high": (
        document(container(portMappings=[{"containerPort": 1, "hostPort": 65536}])),
        "Invalid host port",
    ),
    "two protocols": (
        document(container(portMappings=[{"containerPort": 53}, {"containerPort": 53, "protocol": "udp"}])),
        "exposes port 53 by several protocols",
    ),
    "port name": (document(container(portMappings=[{"containerPort": 80, "name": "-A"}])), "Invalid port mapping name"),
    "port name twice": (
        document(
            container(portMappings=[{"containerPort": 80, "name": "a"}]),
            container("b", portMappings=[{"containerPort": 81, "name": "a"}]),
        ),
        "port mapping name is already used",
    ),
    "port and range": (
        document(container(portMappings=[{"containerPort": 80, "containerPortRange": "80-81"}])),
        "cannot specify both single port and port range",
    ),
    "falling range": (document(container(portMappings=[{"containerPortRange": "9-8"}])), "Invalid containerPortRange"),
    "no range": (document(container(portMappings=[{"containerPortRange": "all"}])), "Invalid containerPortRange"),
    "overlapping ranges": (
        document(container(portMappings=[{"containerPortRange": "1-5"}, {"containerPortRange": "5-6"}])),
        "overlaps another port mapping",
    ),
    "range over a port": (
        document(container(portMappings=[{"containerPortRange": "1-5"}, {"containerPort": 3}])),
        "overlaps another port mapping",
    ),
    "range in host": (
        document(container(portMappings=[{"containerPortRange": "1-5"}]), networkMode="host"),
        "containerPortRange is not supported when networkMode=host",
    ),
    "many ranges": (
        document(container(portMappings=[{"containerPortRange": f"{n * 4 + 1}-{n * 4 + 2}"} for n in range(101)])),
        "at most 100 port ranges",
    ),
    # Volumes.
    "unknown volume": (
        document(container(mountPoints=[{"sourceVolume": "v", "containerPath": "/v"}])),
        "Unknown volume 'v'",
    ),
    "mount without a path": (
        document(container(mountPoints=[{"sourceVolume": "v"}]), volumes=[{"name": "v"}]),
        "needs a containerPath",
    ),
    "volume twice": (document(volumes=[{"name": "v"}, {"name": "v"}]), "Volume names must be unique"),
    "volume name": (document(volumes=[{"name": "a b"}]), "Volume names must have"),
    "two kinds": (
        document(volumes=[{"name": "v", "host": {}, "dockerVolumeConfiguration": {}}]),
        "can have only one of host and dockerVolumeConfiguration",
    ),
    "autoprovision": (
        document(volumes=[{"name": "v", "dockerVolumeConfiguration": {"autoprovision": True}}]),
        "autoprovision is only for volumes with the scope shared",
    ),
    "EFS IAM in clear": (
        document(
            volumes=[
                {
                    "name": "v",
                    "efsVolumeConfiguration": {"fileSystemId": "f", "authorizationConfig": {"iam": "ENABLED"}},
                }
            ]
        ),
        "transitEncryption must be ENABLED",
    ),
    "EBS unmounted": (document(volumes=[{"name": "v", "configuredAtLaunch": True}]), "must be mounted"),
    "two EBS": (
        document(volumes=[{"name": name, "configuredAtLaunch": True} for name in "ab"]),
        "only one volume that is configuredAtLaunch",
    ),
    # Fargate.
    "Fargate in bridge": (fargate(networkMode="bridge"), "Fargate only supports network mode"),
    "Fargate without cpu": (fargate(cpu=None), "Fargate requires that 'cpu' be defined at the task level"),
    "Fargate without memory": (fargate(memory=None), "Fargate requires that 'memory' be defined at the task level"),
    "no such pair": (fargate(memory="4096"), "No Fargate configuration exists for given values."),
    "no such cpu": (fargate(cpu="32768", memory="122880"), "No Fargate configuration exists for given values."),
    "small Windows": (
        fargate(runtimePlatform={"operatingSystemFamily": "WINDOWS_SERVER_2022_CORE"}),
        "No Fargate configuration exists for given values.",
    ),
    "cpu above the task's": (
        fargate(container(cpu=200), container("b", cpu=57)),
        "The sum of all container 'cpu' values cannot be greater than the task-level 'cpu' value",
    ),
    "Fargate privileged": (
        fargate(container(privileged=True)),
        "Fargate requires that the 'privileged' setting be 'false'",
    ),
    "Fargate stop timeout": (fargate(container(stopTimeout=121)), "must be between 2 and 120"),
    "Fargate pid": (fargate(pidMode="host"), "do not support pidMode other than 'task'"),
    "Fargate capability": (
        fargate(container(linuxParameters={"capabilities": {"add": ["NET_ADMIN"]}})),
        "other than SYS_PTRACE",
    ),
    "Fargate log driver": (
        fargate(container(logConfiguration={"logDriver": "syslog"})),
        "do not support log driver syslog",
    ),
    "Fargate awslogs without role": (
        fargate(container(logConfiguration=WITH_PREFIX)),
        "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
    ),
    "Fargate awslogs without prefix": (
        fargate(container(logConfiguration=AWSLOGS), executionRoleArn="e"),
        "Log driver awslogs requires options: awslogs-stream-prefix",
    ),
    "Fargate ECR without role": (
        fargate(container(image="123456789012.dkr.ecr.us-east-1.amazonaws.com/a")),
        "execution role ARN to support ECR images.",
    ),
    "Fargate secrets without role": (
        fargate(container(secrets=[{"name": "A", "valueFrom": "p"}])),
        "execution role ARN to support secrets.",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_bad_definition_is_refused_in_awss_words(case: str) -> None:
    bad, text = CASES[case]
    assert text in error_of(bad).message


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("devices", fargate(container(linuxParameters={"devices": [{"hostPath": "/dev/x"}]}))),
        ("sharedMemorySize", fargate(container(linuxParameters={"sharedMemorySize": 64}))),
        ("maxSwap", fargate(container(linuxParameters={"maxSwap": 0}))),
        ("swappiness", fargate(container(linuxParameters={"swappiness": 0}))),
        ("dockerVolumeConfiguration", fargate(volumes=[{"name": "v", "dockerVolumeConfiguration": {}}])),
        ("host.sourcePath", fargate(volumes=[{"name": "v", "host": {"sourcePath": "/x"}}])),
        ("ipcMode", fargate(ipcMode="task")),
        ("placementConstraints", fargate(placementConstraints=[{"type": "memberOf", "expression": "a"}])),
        ("resourceRequirements", fargate(container(resourceRequirements=[{"type": "GPU", "value": "1"}]))),
    ],
)
def test_fields_that_fargate_does_not_have(field: str, bad: Document) -> None:
    assert error_of(bad).message == f"Fargate compatible task definitions do not support {field}"


@pytest.mark.parametrize(
    "good",
    [
        document(container(memory=64, memoryReservation=64)),
        document(container(memory=1024), memory="1 GB"),
        document({"name": "app", "image": "busybox"}, memory="512"),
        document(container(healthCheck={**CHECK, "startPeriod": 0})),
        document(container(portMappings=[{"containerPort": 53}, {"containerPort": 54, "protocol": "udp"}])),
        document(container(links=[], hostname=""), networkMode="awsvpc"),
        document(container(portMappings=[{"containerPort": 80, "hostPort": 0}]), networkMode="awsvpc"),
        document(volumes=[{"name": "v", "configuredAtLaunch": False, "host": {}}]),
        fargate(container(logConfiguration=WITH_PREFIX), executionRoleArn="exec"),
        fargate(container(linuxParameters={"capabilities": {"add": ["SYS_PTRACE"], "drop": ["ALL"]}})),
        fargate(pidMode="task", ephemeralStorage={"sizeInGiB": 200}),
    ],
)
def test_a_good_definition_is_kept(good: Document) -> None:
    assert checked(good, "123456789012")["family"] == "web"


def test_fargate_has_74_sizes() -> None:
    pairs = [(cpu, memory) for cpu in range(128, 33000, 128) for memory in range(512, 131072, 512)]
    fits = 0
    for cpu, memory in pairs:
        if cpu not in {256, 512, 1024, 2048, 4096, 8192, 16384, 32768} and memory % 8192:
            continue  # the rest of the grid is covered coarsely
        definition = document(container(), networkMode="awsvpc", cpu=str(cpu), memory=str(memory))
        fits += "FARGATE" in checked(definition, "1")["compatibilities"]
    assert fits == 74
