"""Where a task may run: launch type, platform version and network, checked for RunTask and for services alike.

Reads subnets and security groups; changes nothing. Every rule raises the error that ECS answers with.
"""

from collections.abc import Mapping
from typing import Any

from longshore.api.operation import Call
from longshore.decide.ecs.served import unserved
from longshore.domain.ec2.network import SecurityGroup, Subnet
from longshore.domain.ecs.cluster import HOST_KEY, Host
from longshore.domain.ecs.task_definition import TaskDefinition
from longshore.domain.remembered import Remembered
from longshore.wire.errors import ApiError

PLATFORM_VERSIONS = ("LATEST", "1.4.0", "1.3.0")
MAX_SUBNETS = 16
MAX_SECURITY_GROUPS = 5
LARGE_CPU_UNITS = 8192
"""From 8 vCPU on, and for storage beyond the default, Fargate asks for platform version 1.4.0."""

EC2_NOT_SERVED = (
    "The launch type {launch_type} is not served yet: use FARGATE, with a task definition whose networkMode is awsvpc "
    "and whose task-level cpu and memory are a Fargate size."
)
NOT_SERVED = {
    "launchType": "Only the launch type FARGATE is served yet.",
    "capacityProviderStrategy": "Capacity providers are not served yet: use launchType FARGATE.",
    "placementConstraints": "Placement constraints are for container instances, which are not served yet.",
    "placementStrategy": "Placement strategies are for container instances, which are not served yet.",
    "volumeConfigurations": "EBS volumes are not served: declare host or Docker volumes in the task definition.",
    "enableExecuteCommand": "ECS Exec is not served yet: leave enableExecuteCommand out, or set it to false.",
}
"""What RunTask and CreateService refuse alike, and UpdateService but for the launch type, which it can't change."""
ALLOWED = {"launchType": ("FARGATE",), "enableExecuteCommand": (False,)}
INERT = {
    "networkConfiguration.awsvpcConfiguration.assignPublicIp": (
        "Kept and answered; tasks have an address of their VPC alone, and reach out through the machine's."
    ),
    "platformVersion": "Checked, kept and answered; tasks run in the same way on every one.",
}
"""What RunTask, CreateService and UpdateService keep without effect."""


def launch_type(definition: TaskDefinition, asked: str | None) -> str:
    """The launch type of a request.

    Without one ECS takes EC2. There are no container instances here yet, so a definition that Fargate can run is
    taken for FARGATE; one that it can't run is refused, as is everything else.
    """
    fits = "FARGATE" in definition.document.get("compatibilities", ())
    if asked not in {None, "FARGATE"} or (asked is None and not fits):
        raise ApiError("InvalidParameterException", EC2_NOT_SERVED.format(launch_type=asked or "EC2"))
    if not fits:
        raise ApiError("InvalidParameterException", "Task definition does not support launch_type FARGATE.")
    return "FARGATE"


def check_served(call: Call, definition: TaskDefinition) -> None:
    """A definition that the engine can run in full, on this machine: nothing of it is silently left out."""
    sentences = _unserved_here(definition, call.tx.get(Host, HOST_KEY))
    if sentences:
        raise ApiError("InvalidParameterException", " ".join(sentences))


_unserved_here = Remembered(
    lambda definition, host: unserved(definition.document, {}, host.architecture if host else ""), most=256
)


def platform_version(definition: TaskDefinition, asked: str | None, cpu_units: int) -> str:
    """The platform version of a request as it is kept: LATEST stays LATEST."""
    version = asked or "LATEST"
    if version not in PLATFORM_VERSIONS:
        text = f"The specified platform version does not exist. Use one of {', '.join(PLATFORM_VERSIONS)}."
        raise ApiError("PlatformUnknownException", text)
    large = cpu_units >= LARGE_CPU_UNITS or definition.document.get("ephemeralStorage")
    if version == "1.3.0" and large:
        text = "The specified platform version does not satisfy the task definition's required capabilities: use 1.4.0."
        raise ApiError("PlatformTaskDefinitionIncompatibilityException", text)
    return version


def network_configuration(call: Call, definition: TaskDefinition, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """`networkConfiguration` as ECS answers it, or `{}` where the definition's network mode takes none."""
    awsvpc = (given or {}).get("awsvpcConfiguration")
    if definition.network_mode != "awsvpc":
        if awsvpc:
            text = "Network Configuration is not valid for the given networkMode of this task definition."
            raise ApiError("InvalidParameterException", text)
        return {}
    if not awsvpc:
        text = "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        raise ApiError("InvalidParameterException", text)
    subnets, groups = list(awsvpc.get("subnets") or ()), list(awsvpc.get("securityGroups") or ())
    if not subnets:
        raise ApiError("InvalidParameterException", "subnets can not be empty.")
    _at_most(subnets, "subnets", MAX_SUBNETS)
    _at_most(groups, "securityGroups", MAX_SECURITY_GROUPS)
    vpc_id = _vpc_of(call, subnets)
    for group_id in groups:
        _check_group(call, group_id, vpc_id)
    public = awsvpc.get("assignPublicIp") or "DISABLED"
    return {"awsvpcConfiguration": {"subnets": subnets, "securityGroups": groups, "assignPublicIp": public}}


def with_default_group(call: Call, configuration: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a task: where no security group was named, its VPC's default one applies."""
    awsvpc = configuration.get("awsvpcConfiguration")
    if not awsvpc or awsvpc["securityGroups"]:
        return dict(configuration)
    subnet = subnets_of(call, configuration)[0]
    groups = call.tx.select(SecurityGroup, "vpc", (*call.scope, subnet.vpc_id))
    default = [group.group_id for group in groups if group.name == "default"]
    return {"awsvpcConfiguration": {**awsvpc, "securityGroups": default}}


def subnets_of(call: Call, configuration: Mapping[str, Any]) -> list[Subnet]:
    """The subnets of a checked configuration; none where the network mode has none."""
    names = configuration.get("awsvpcConfiguration", {}).get("subnets", ())
    found = (call.tx.get(Subnet, (*call.scope, name)) for name in names)
    return [subnet for subnet in found if subnet is not None]


def _at_most(values: list[str], name: str, limit: int) -> None:
    if len(values) > limit:
        raise ApiError("InvalidParameterException", f"{name} can have at most {limit} items.")


def _vpc_of(call: Call, names: list[str]) -> str:
    vpcs = set()
    for name in names:
        subnet = call.tx.get(Subnet, (*call.scope, name))
        if subnet is None:
            text = f"The subnet ID '{name}' does not exist {_from_ec2(call, 'InvalidSubnetID.NotFound')}"
            raise ApiError("InvalidParameterException", text)
        vpcs.add(subnet.vpc_id)
    if len(vpcs) > 1:
        raise ApiError("InvalidParameterException", "subnets must belong to the same VPC.")
    return vpcs.pop()


def _check_group(call: Call, group_id: str, vpc_id: str) -> None:
    group = call.tx.get(SecurityGroup, (*call.scope, group_id))
    if group is None:
        text = f"The security group '{group_id}' does not exist {_from_ec2(call, 'InvalidGroup.NotFound')}"
        raise ApiError("InvalidParameterException", text)
    if group.vpc_id != vpc_id:
        text = f"Security group {group_id} does not appear to belong to the same VPC as the input subnets."
        raise ApiError("InvalidParameterException", text)


def _from_ec2(call: Call, code: str) -> str:
    return f"(Service: AmazonEC2; Status Code: 400; Error Code: {code}; Request ID: {call.request_id})"
