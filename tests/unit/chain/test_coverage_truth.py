"""Nothing is accepted and ignored: each member of a served operation's input is read, refused, or listed as inert.

Every operation is called with inputs that note which of their members the handler looks at. Of task definitions, which
are kept whole, each member must change what the Docker Engine is told of a task, or what the task's runner reads.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from typing import Any

import pytest

from longshore.api import ecs
from longshore.api.ecs.log_options import AWSLOGS_OPTIONS
from longshore.api.ecs.task_definitions.register import checked
from longshore.api.services import SERVICES
from longshore.decide.ecs.launch import launch_of
from longshore.decide.ecs.launching import TaskRequest, new_task
from longshore.decide.ecs.served import INERT, UNSERVED
from longshore.domain.ec2.network import Subnet
from longshore.domain.ecs.cluster import Cluster
from longshore.domain.ecs.launch import TaskLaunch
from longshore.domain.ecs.task import Attachment
from longshore.domain.ecs.task_definition import TaskDefinition
from longshore.drivers.docker.names import Names
from longshore.drivers.docker.translate import EngineFacts, container_payload, pause_payload, volume_payloads
from longshore.store.events import EventLog
from longshore.wire.errors import ApiError
from tests.support.api import ROOT, SCOPE, Api, awsvpc
from tests.support.balancers import group_in_use
from tests.support.certificates import make
from tests.support.names import registry
from tests.support.play_around import play_autoscaling, play_cloudwatch, play_logs_around, play_tagging
from tests.support.play_ec2 import play_ec2
from tests.support.play_ecr import play_ecr
from tests.support.play_iam import play_iam, play_sts
from tests.support.play_listeners import play_listeners
from tests.support.play_names import play_route53, play_servicediscovery
from tests.support.play_secrets import play_kms, play_secretsmanager, play_ssm
from tests.support.wire_samples import service_model
from tests.support.world import SeededIds

PROXY_LOGS = {
    "serviceConnectConfiguration.accessLogConfiguration": (
        "Kept whole, and read when a task's proxy begins: see tests/unit/names/test_connect.py."
    ),
}
EXCEPTIONS: dict[tuple[str, str], dict[str, str]] = {
    ("ecs", "CreateService"): PROXY_LOGS,
    ("ecs", "UpdateService"): PROXY_LOGS,
    ("ecs", "RegisterTaskDefinition"): {
        "*": "The document is kept whole: the second half of this file looks at each of its members.",
    },
    ("cloudwatch", "PutMetricAlarm"): {"Dimensions": "Kept whole, and compared by DescribeAlarmsForMetric."},
    ("ecs", "RunTask"): {
        "overrides": "Kept whole; below, each changes what is launched.",
    },
}
"""Members that a handler takes without looking at them by name, and why that is right."""


# ---------------------------------------------------------------------------------------- what handlers look at


class Noting(dict[str, Any]):
    """An input that notes the paths of the members that were asked for. Copying it as a whole is not asking."""

    def __init__(self, values: Mapping[str, Any], seen: set[str], path: str = "") -> None:
        super().__init__({name: _noting(value, seen, f"{path}{name}") for name, value in values.items()})
        self._seen, self._path = seen, path

    def get(self, name: str, default: Any = None) -> Any:
        self._seen.add(self._path + name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> Any:
        self._seen.add(self._path + name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self._seen.add(f"{self._path}{name}")
        return super().__contains__(name)


def _noting(value: Any, seen: set[str], path: str) -> Any:
    if isinstance(value, dict):
        return Noting(value, seen, f"{path}.")
    if isinstance(value, list):
        return [_noting(item, seen, f"{path}[]") for item in value]
    return value


def play_ecs(call: Callable[..., dict[str, Any]], api: Api) -> None:
    """Each operation of ECS at least once, with what it serves."""
    tags = [{"key": "k", "value": "v"}]
    names = {"serviceConnectDefaults": {"namespace": "shop"}}
    insights = [{"name": "containerInsights", "value": "enabled"}]
    call("CreateCluster", clusterName="c", tags=tags, settings=insights, **names)
    call("DescribeClusters", clusters=["c"], include=["TAGS"])
    call("ListClusters")
    call("UpdateCluster", cluster="c", **names)
    call("UpdateClusterSettings", cluster="c", settings=[{"name": "containerInsights", "value": "disabled"}])
    call("DeleteCluster", cluster="c")
    call("PutAccountSetting", name="containerInsights", value="enabled")
    call("PutAccountSettingDefault", name="containerInsights", value="enabled")
    call("ListAccountSettings")
    call("DeleteAccountSetting", name="containerInsights")
    api.define(ports=[{"containerPort": 80, "name": "web", "appProtocol": "http"}])
    use = {"targetGroupArn": group_in_use(api).arn, "containerName": "app", "containerPort": 80}
    named = registry("SRV")
    api.put(named)
    network = awsvpc(groups=("sg-default",), public="ENABLED")
    ran = call("RunTask", taskDefinition="web", networkConfiguration=network, tags=tags, clientToken="t")
    task = ran["tasks"][0]["taskArn"]
    call("DescribeTasks", tasks=[task], include=["TAGS"])
    call("ListTasks", startedBy="me")
    call("ListTasks", family="web")
    call("StopTask", task=task)
    deployment = {
        "minimumHealthyPercent": 50,
        "maximumPercent": 200,
        "deploymentCircuitBreaker": {
            "enable": True,
            "rollback": True,
            "resetOnHealthyTask": False,
            "thresholdConfiguration": {"type": "COUNT", "value": 3},
        },
    }
    common = {
        "taskDefinition": "web",
        "networkConfiguration": network,
        "deploymentConfiguration": deployment,
        "loadBalancers": [use],
        "serviceConnectConfiguration": {
            "enabled": True,
            "namespace": "shop",
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": "g", "awslogs-region": "r", "awslogs-stream-prefix": "p"},
            },
            "services": [
                {
                    "portName": "web",
                    "discoveryName": "w",
                    "clientAliases": [{"port": 80, "dnsName": "w"}],
                    "ingressPortOverride": 9000,
                    "timeout": {"idleTimeoutSeconds": 9, "perRequestTimeoutSeconds": 9},
                }
            ],
        },
        "serviceRegistries": [{"registryArn": named.arn, "containerName": "app", "containerPort": 80}],
    }
    made = call("CreateService", serviceName="s", desiredCount=1, tags=tags, **common)["service"]
    call("UpdateService", service="s", **common)
    call("DescribeServices", services=["s"])
    call("ListServices")
    call("ListServicesByNamespace", namespace="shop")
    call("ListServiceDeployments", service="s", createdAt={"before": 2e9, "after": 1.0})
    arn = made["currentServiceDeployment"]
    call("DescribeServiceDeployments", serviceDeploymentArns=[arn])
    call("DescribeServiceRevisions", serviceRevisionArns=[made["currentServiceRevisions"][0]["arn"]])
    call("StopServiceDeployment", serviceDeploymentArn=arn)
    call("TagResource", resourceArn=made["serviceArn"], tags=tags)
    call("ListTagsForResource", resourceArn=made["serviceArn"])
    call("UntagResource", resourceArn=made["serviceArn"], tagKeys=["k"])
    call("DeleteService", service="s", force=True)
    call("RegisterTaskDefinition", family="f", containerDefinitions=[{"name": "a", "image": "b", "memory": 64}])
    call("DescribeTaskDefinition", taskDefinition="f", include=["TAGS"])
    call("ListTaskDefinitions")
    call("ListTaskDefinitionFamilies")
    call("DeregisterTaskDefinition", taskDefinition="f:1")
    call("DeleteTaskDefinitions", taskDefinitions=["f:1"])


def play_logs(call: Callable[..., dict[str, Any]], api: Api) -> None:
    """Each served operation of CloudWatch Logs."""
    play_logs_around(call, api)
    group = {"logGroupName": "g"}
    stream = {**group, "logStreamName": "s"}
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:g"
    call("CreateLogGroup", **group, tags={"a": "b"})
    call("CreateLogStream", **stream)
    call("PutLogEvents", **stream, logEvents=[{"timestamp": int(api.now * 1000), "message": "m"}])
    call("PutRetentionPolicy", **group, retentionInDays=7)
    call("DeleteRetentionPolicy", **group)
    call("DescribeLogGroups")
    call("DescribeLogStreams", **group)
    call("FilterLogEvents", **group)
    call("GetLogEvents", **stream)
    call("TagResource", resourceArn=arn, tags={"a": "b"})
    call("ListTagsForResource", resourceArn=arn)
    call("UntagResource", resourceArn=arn, tagKeys=["a"])
    call("TagLogGroup", **group, tags={"a": "b"})
    call("ListTagsLogGroup", **group)
    call("UntagLogGroup", **group, tags=["a"])
    call("DeleteLogStream", **stream)
    call("DeleteLogGroup", **group)


def play_acm(call: Callable[..., dict[str, Any]], _api: Api) -> None:
    """Each served operation of ACM."""
    tags = [{"Key": "k", "Value": "v"}]
    root = make("root", ca=True)
    leaf = make("a.example.com", issuer=root)
    pems = {"Certificate": leaf.pem, "PrivateKey": leaf.key_pem, "CertificateChain": root.pem}
    arn = call("ImportCertificate", **pems, Tags=tags)["CertificateArn"]
    call("ImportCertificate", **pems, CertificateArn=arn)
    validation = [{"DomainName": "b.example.com", "ValidationDomain": "example.com"}]
    call(
        "RequestCertificate",
        DomainName="b.example.com",
        SubjectAlternativeNames=["c.example.com"],
        KeyAlgorithm="EC_prime256v1",
        ValidationMethod="DNS",
        DomainValidationOptions=validation,
        IdempotencyToken="t",
        Tags=tags,
    )
    includes = {"keyTypes": ["EC_prime256v1"], "keyUsage": ["ANY"], "extendedKeyUsage": ["NONE"]}
    call("ListCertificates", Includes=includes)
    call("DescribeCertificate", CertificateArn=arn)
    call("GetCertificate", CertificateArn=arn)
    call("AddTagsToCertificate", CertificateArn=arn, Tags=tags)
    call("ListTagsForCertificate", CertificateArn=arn)
    call("RemoveTagsFromCertificate", CertificateArn=arn, Tags=tags)
    call("DeleteCertificate", CertificateArn=arn)


def play_elbv2(call: Callable[..., dict[str, Any]], api: Api) -> None:
    """Load balancers, target groups, targets and what is said of them."""
    tags = [{"Key": "k", "Value": "v"}]
    address = {"SubnetId": "subnet-b", "PrivateIPv4Address": "172.31.16.9"}
    network = {"Type": "network", "Scheme": "internal", "SecurityGroups": ["sg-default"], "Tags": tags}
    made = call("CreateLoadBalancer", Name="n", SubnetMappings=[{"SubnetId": "subnet-a"}, address], **network)
    call("CreateLoadBalancer", Name="a", Subnets=["subnet-a", "subnet-b"], IpAddressType="ipv4")
    arn = {"LoadBalancerArn": made["LoadBalancers"][0]["LoadBalancerArn"]}
    call("DescribeLoadBalancers", Names=["n"])
    call("DescribeLoadBalancers", LoadBalancerArns=[arn["LoadBalancerArn"]])
    call("SetSubnets", **arn, Subnets=["subnet-a"])
    call("SetSubnets", **arn, SubnetMappings=[{"SubnetId": "subnet-a"}, address])
    call("SetSecurityGroups", **arn, SecurityGroups=["sg-default"])
    call("SetIpAddressType", **arn, IpAddressType="ipv4")
    call("DescribeCapacityReservation", **arn)
    call("DescribeLoadBalancerAttributes", **arn)
    call("ModifyLoadBalancerAttributes", **arn, Attributes=[{"Key": "access_logs.s3.prefix", "Value": "p"}])
    check = {"HealthCheckProtocol": "HTTP", "HealthCheckPath": "/", "Matcher": {"HttpCode": "200", "GrpcCode": ""}}
    basic = {"Name": "g", "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-1", "TargetType": "ip"}
    made = call("CreateTargetGroup", **basic, **check, Tags=tags)
    group = {"TargetGroupArn": made["TargetGroups"][0]["TargetGroupArn"]}
    call("DescribeTargetGroups", Names=["g"])
    call("DescribeTargetGroups", TargetGroupArns=[group["TargetGroupArn"]])
    call("DescribeTargetGroups", **arn)
    call("ModifyTargetGroup", **group, **check)
    call("DescribeTargetGroupAttributes", **group)
    call("ModifyTargetGroupAttributes", **group, Attributes=[{"Key": "slow_start.duration_seconds", "Value": "30"}])
    targets = {"Targets": [{"Id": "172.31.0.9", "Port": 80, "AvailabilityZone": "us-east-1a"}]}
    call("RegisterTargets", **group, **targets)
    call("DescribeTargetHealth", **group, **targets)
    call("DeregisterTargets", **group, **targets)
    call("AddTags", ResourceArns=list(group.values()), Tags=tags)
    call("DescribeTags", ResourceArns=list(group.values()))
    call("RemoveTags", ResourceArns=list(group.values()), TagKeys=["k"])
    call("DescribeAccountLimits")
    call("DescribeSSLPolicies")
    call("DeleteTargetGroup", **group)
    call("DeleteLoadBalancer", **arn)
    play_listeners(call, api)


PLAYS = {
    "acm": play_acm,
    "ecr": play_ecr,
    "application-autoscaling": play_autoscaling,
    "cloudwatch": play_cloudwatch,
    "ecs": play_ecs,
    "ec2": play_ec2,
    "elbv2": play_elbv2,
    "iam": play_iam,
    "kms": play_kms,
    "logs": play_logs,
    "resourcegroupstaggingapi": play_tagging,
    "route53": play_route53,
    "secretsmanager": play_secretsmanager,
    "servicediscovery": play_servicediscovery,
    "ssm": play_ssm,
    "sts": play_sts,
}


@pytest.fixture(scope="module")
def seen() -> dict[tuple[str, str], set[str]]:
    """By operation, the paths of the members that its handler asked for."""
    noted: dict[tuple[str, str], set[str]] = {}
    for service in SERVICES:
        api = Api(service.operations, service=service.name)
        api.events = EventLog(None)
        if service.name in {"kms", "secretsmanager"}:
            api.principal = ROOT  # their handlers themselves ask what the caller may
        PLAYS[service.name](noting(api, noted), api)
    return noted


def noting(api: Api, noted: dict[tuple[str, str], set[str]]) -> Callable[..., dict[str, Any]]:
    """A function that calls an operation, and notes what its handler asked for."""

    def call(operation: str, /, **params: Any) -> dict[str, Any]:
        asked = noted.setdefault((api.service, operation), set())
        with api.transaction() as tx:
            return api.operations[operation].handler(api.call(tx, Noting(params, asked)))

    return call


def members(shape: Any, path: str = "", above: tuple[str, ...] = ()) -> Iterator[str]:
    """The paths of all members of a shape; one that holds itself is not entered again."""
    if shape.type_name == "list":
        yield from members(shape.member, f"{path}[]", above)
    elif shape.type_name == "structure" and shape.name not in above:
        for name, member in shape.members.items():
            below = f"{path}.{name}" if path else name
            yield below
            yield from members(member, below, (*above, shape.name))


def covers(path: str, named: str) -> bool:
    """Whether what is said of `named` holds for `path`: it is the same, or within it."""
    return named in {path, "*"} or path.startswith((f"{named}.", f"{named}[]"))


@pytest.mark.parametrize(
    ("service", "operation"), [(service.name, name) for service in SERVICES for name in service.operations]
)
def test_each_member_of_an_input_is_read_refused_or_listed_as_inert(
    seen: dict[tuple[str, str], set[str]], service: str, operation: str
) -> None:
    assert (service, operation) in seen, f"{operation} is served, but no play above calls it"
    table = next(each for each in SERVICES if each.name == service).operations[operation]
    listed = (*table.refuses, *table.inert, *EXCEPTIONS.get((service, operation), {}))
    shape = service_model(service).operation_model(operation).input_shape
    ignored = [
        path
        for path in (members(shape) if shape else ())
        if path not in seen[service, operation]
        and not any(covers(path, name) for name in listed)
        and not any(covers(name, path) for name in listed)  # what is within it is looked at on its own
    ]
    assert ignored == []


# ------------------------------------------------------------------------- what a task definition makes of a task


FARGATE: dict[str, Any] = {
    "family": "f",
    "networkMode": "awsvpc",
    "cpu": "512",
    "memory": "1024",
    "pidMode": "task",
    "requiresCompatibilities": ["FARGATE"],
    "executionRoleArn": "arn:aws:iam::123456789012:role/r",
    "volumes": [{"name": "v"}, {"name": "w"}],
    "containerDefinitions": [
        {
            "name": "app",
            "image": "busybox",
            "cpu": 64,
            "memory": 256,
            "memoryReservation": 128,
            "essential": True,
            "entryPoint": ["sh"],
            "command": ["-c", "x"],
            "environment": [{"name": "A", "value": "1"}],
            "user": "1000",
            "workingDirectory": "/srv",
            "readonlyRootFilesystem": True,
            "interactive": True,
            "pseudoTerminal": True,
            "startTimeout": 10,
            "stopTimeout": 20,
            "dockerLabels": {"a": "b"},
            "ulimits": [{"name": "nproc", "softLimit": 5, "hardLimit": 10}],
            "systemControls": [{"namespace": "net.core.somaxconn", "value": "10"}],
            "mountPoints": [{"sourceVolume": "v", "containerPath": "/v", "readOnly": True}],
            "volumesFrom": [{"sourceContainer": "side", "readOnly": True}],
            "dependsOn": [{"containerName": "side", "condition": "START"}],
            "restartPolicy": {"enabled": True, "ignoredExitCodes": [3], "restartAttemptPeriod": 60},
            "healthCheck": {"command": ["CMD", "a"], "interval": 10, "timeout": 9, "retries": 2, "startPeriod": 4},
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": "g", "awslogs-region": "r", "awslogs-stream-prefix": "p"},
            },
            "linuxParameters": {
                "initProcessEnabled": True,
                "capabilities": {"add": ["SYS_PTRACE"], "drop": ["CHOWN"]},
                "tmpfs": [{"containerPath": "/t", "size": 8, "mountOptions": ["ro"]}],
            },
        },
        {"name": "side", "image": "busybox", "essential": False, "healthCheck": {"command": ["CMD", "b"]}},
        {"name": "last", "image": "busybox"},
    ],
}
BRIDGE: dict[str, Any] = {
    "family": "f",
    "networkMode": "bridge",
    "pidMode": "host",
    "ipcMode": "host",
    "volumes": [
        {"name": "h", "host": {"sourcePath": "/srv"}},
        {
            "name": "d",
            "dockerVolumeConfiguration": {
                "scope": "shared",
                "autoprovision": True,
                "driver": "local",
                "driverOpts": {"o": "x"},
                "labels": {"a": "b"},
            },
        },
    ],
    "containerDefinitions": [
        {
            "name": "app",
            "image": "busybox",
            "memory": 256,
            "hostname": "h",
            "links": ["side:s"],
            "privileged": True,
            "dnsServers": ["10.0.0.1"],
            "dnsSearchDomains": ["example.com"],
            "dockerSecurityOptions": ["no-new-privileges"],
            "extraHosts": [{"hostname": "x", "ipAddress": "10.0.0.2"}],
            "portMappings": [
                {"containerPort": 80, "hostPort": 8080, "protocol": "tcp"},
                {"containerPortRange": "90-92"},
            ],
            "mountPoints": [
                {"sourceVolume": "h", "containerPath": "/h"},
                {"sourceVolume": "d", "containerPath": "/d"},
            ],
            "linuxParameters": {
                "devices": [{"hostPath": "/dev/null", "containerPath": "/dev/x", "permissions": ["read"]}],
                "maxSwap": 64,
                "swappiness": 10,
            },
        },
        {"name": "side", "image": "busybox", "memory": 64, "disableNetworking": True},
    ],
}
# What excludes something of the others: a size of shared memory, a volume of the task's own, another network mode.
APART: dict[str, Any] = {
    "family": "f",
    "networkMode": "bridge",
    "volumes": [{"name": "own", "dockerVolumeConfiguration": {"scope": "task"}}],
    "containerDefinitions": [
        {"name": "app", "image": "busybox", "memory": 64, "linuxParameters": {"sharedMemorySize": 32}}
    ],
}
DOCUMENTS = (FARGATE, BRIDGE, APART)

OUTSIDE_DOCKER = {
    "taskRoleArn": "The task's credentials: tests/unit/chain/test_task_endpoint_answers.py.",
    "runtimePlatform.cpuArchitecture": "Another one than the machine's is refused: tests/unit/ecs/test_launch.py.",
    "family": "The name of the revision.",
    "containerDefinitions[].secrets": "Read when a task starts: tests/unit/secrets/test_task_secrets.py.",
    "containerDefinitions[].secrets[].name": "As above.",
    "containerDefinitions[].secrets[].valueFrom": "As above.",
    "containerDefinitions[].portMappings[].name": "How Service Connect finds a port: tests/unit/names/test_connect.py.",
    "containerDefinitions[].portMappings[].appProtocol": "How its proxies balance: tests/unit/names/test_connect.py.",
    "tags": "The tags of the revision, and of its tasks where they propagate: tests/unit/ecs/test_ecs_tasks.py.",
}
"""Members that are served, but not by what an engine is told."""
BY_THE_RUNNER = ("essential", "depends_on", "start_timeout_s", "restart_policy", "log")
"""What of a container the engine acts on while the task runs; Docker is not told of it."""
OTHERS = {
    "START": "HEALTHY",
    "bridge": "host",
    "nproc": "core",
    "task": "shared",
    "tcp": "udp",
    "512": "256",
    "1024": "2048",
    "90-92": "90-91",
    "net.core.somaxconn": "net.ipv4.ip_forward",
    "read": "write",
    "v": "w",
    "h": "d",
    "side": "last",
    "SYS_PTRACE": "CHOWN",
}
"""Other values of texts of which not just any would be valid."""


def described(document: dict[str, Any], overrides: dict[str, Any] | None = None) -> Any:
    """Everything that Docker is told of a task, and what its runner reads besides."""
    kept = checked(deepcopy(document), SCOPE.account)
    place: dict[str, Any] = {"account": SCOPE.account, "region": SCOPE.region}
    definition = TaskDefinition(**place, family="f", revision=1, document=kept, registered_at=0.0, registered_by="me")
    cluster = Cluster(**place, name="c", created_at=0.0)
    subnet = Subnet(**place, subnet_id="subnet-a", vpc_id="vpc-1", cidr="172.31.0.0/20", availability_zone="a")
    request = TaskRequest(cluster=cluster, definition=definition, overrides=overrides or {})
    task = new_task(request, subnet=subnet, ids=SeededIds(1), now=5.0)
    attachment = Attachment(
        attachment_id="a", subnet_id="s", interface_id="eni-1", private_ip="172.31.0.9", mac_address="02:42:ac:1f:00:09"
    )
    launch = launch_of(
        task.but(attachment=attachment), definition, vpc_cidr="172.31.0.0/16", subnet_cidr="172.31.0.0/20", vpc_id="v"
    )
    return told_to_docker(launch)


def told_to_docker(launch: TaskLaunch) -> Any:
    names = Names("inst")
    facts = EngineFacts(pause_image="pause", task_cgroups=False)
    containers = [
        container_payload(launch, each, facts, names, environment={}, pause="pause") for each in launch.containers
    ]
    runner = [[getattr(each, field) for field in BY_THE_RUNNER] for each in launch.containers]
    return pause_payload(launch, facts, names), containers, volume_payloads(launch, names), runner


def places(value: Any, path: str = "") -> Iterator[tuple[str, Callable[[Any], tuple[Any, Any]]]]:
    """`(path, how to find it in a copy)` of every member of a document, lists and their items included."""
    steps: list[tuple[str, list[Any]]] = []

    def walk(value: Any, path: str, keys: list[Any]) -> None:
        if isinstance(value, dict):
            for name, below in value.items():
                here = f"{path}.{name}" if path else name
                steps.append((here, [*keys, name]))
                walk(below, here, [*keys, name])
        elif isinstance(value, list):
            for position, below in enumerate(value):
                walk(below, f"{path}[]", [*keys, position])

    walk(value, path, [])
    for found, keys in steps:

        def at(copy: Any, keys: list[Any] = keys) -> tuple[Any, Any]:
            for key in keys[:-1]:
                copy = copy[key]
            return copy, keys[-1]

        yield found, at


def alternatives(value: Any) -> Iterator[Any]:
    """Other values that the member might have."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
        yield value - 1
    elif isinstance(value, str):
        yield OTHERS.get(value, f"{value}x")
    elif isinstance(value, list) and value and isinstance(value[0], str):
        yield [*value[:-1], OTHERS.get(value[-1], f"{value[-1]}x")]


def makes_a_difference(document: dict[str, Any], at: Callable[[Any], tuple[Any, Any]]) -> bool:
    """Whether some valid document with another value, or without the member, makes another task."""
    before = described(document)
    holder, name = at(document)
    for other in (None, *alternatives(holder[name])):
        copy = deepcopy(document)
        changed, _ = at(copy)
        if other is None:
            del changed[name]
        else:
            changed[name] = other
        try:
            if described(copy) != before:
                return True
        except (ApiError, KeyError):
            continue
    return False


def differing() -> set[str]:
    """The paths of a task definition whose values change a task."""
    return {path for document in DOCUMENTS for path, at in places(document) if makes_a_difference(document, at)}


def test_each_member_of_a_task_definition_changes_the_task_or_is_listed() -> None:
    served = differing()
    shape = service_model("ecs").operation_model("RegisterTaskDefinition").input_shape
    listed = (*UNSERVED, *INERT, *OUTSIDE_DOCKER)
    ignored = [
        path
        for path in members(shape)
        if path not in served
        and not any(covers(path, name) or covers(name, path) for name in listed if name != path)
        and path not in listed
    ]
    assert ignored == []


LOG_OPTIONS = {
    "awslogs-group": "other",
    "awslogs-region": "eu-west-1",
    "awslogs-stream-prefix": "other",
    "awslogs-create-group": "true",
    "awslogs-datetime-format": "%Y",
    "awslogs-multiline-pattern": "^x",
}


def test_each_option_of_awslogs_changes_where_the_log_goes_or_is_listed() -> None:
    inert = {path.rpartition(".options.")[2] for path in INERT if ".options." in path}
    assert set(LOG_OPTIONS) | inert == AWSLOGS_OPTIONS
    before = described(FARGATE)
    for name, value in LOG_OPTIONS.items():
        document = deepcopy(FARGATE)
        document["containerDefinitions"][0]["logConfiguration"]["options"][name] = value
        assert described(document) != before, name


OVERRIDES: dict[str, Any] = {
    "cpu": "1024",
    "memory": "2048",
    "containerOverrides[].name": [{"name": "side", "command": ["c"]}],
    "containerOverrides[].command": [{"name": "app", "command": ["c"]}],
    "containerOverrides[].environment[].name": [{"name": "app", "environment": [{"name": "B", "value": ""}]}],
    "containerOverrides[].environment[].value": [{"name": "app", "environment": [{"name": "A", "value": "2"}]}],
    "containerOverrides[].cpu": [{"name": "app", "cpu": 100}],
    "containerOverrides[].memory": [{"name": "app", "memory": 300}],
    "containerOverrides[].memoryReservation": [{"name": "app", "memoryReservation": 200}],
}


def test_each_override_changes_the_task_or_is_listed() -> None:
    before = described(FARGATE)
    for path, value in OVERRIDES.items():
        assert described(FARGATE, {path.partition("[")[0]: value}) != before, path
    table = ecs.SERVICE.operations["RunTask"]
    listed = {
        *(path.removeprefix("overrides.") for path in (*table.refuses, *table.inert)),
        *OVERRIDES,
        "taskRoleArn",  # for credentials: OUTSIDE_DOCKER
    }
    shape = service_model("ecs").operation_model("RunTask").input_shape.members["overrides"]
    ignored = [p for p in members(shape) if not any(covers(p, name) or covers(name, p) for name in listed)]
    assert ignored == []
