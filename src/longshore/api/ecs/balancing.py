"""The load balancers of a service: `loadBalancers` of CreateService and UpdateService, checked with ECS's texts.

Reads target groups; changes nothing. What is registered in them is `control/ecs/services.py`'s.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from longshore.api.ecs import placing
from longshore.api.elbv2.target_groups import in_use
from longshore.api.operation import Call
from longshore.decide.ecs.launch import port_numbers
from longshore.domain.ecs.service import ServiceLoadBalancer
from longshore.domain.ecs.task_definition import TaskDefinition
from longshore.domain.elbv2.balancer import TargetGroup, group_key_of
from longshore.wire.errors import ApiError

MOST = 5
REFUSES = {
    "loadBalancers[].loadBalancerName": "Classic load balancers are not served: name a target group.",
    "loadBalancers[].advancedConfiguration": "Blue/green deployments are not served yet.",
}


def load_balancers(
    call: Call,
    definition: TaskDefinition,
    network_configuration: Mapping[str, Any],
    given: Sequence[Mapping[str, Any]],
) -> tuple[ServiceLoadBalancer, ...]:
    """What a service is to be registered in."""
    if len(given) > MOST:
        raise _refuse(f"load balancers can have at most {MOST} items.")
    uses = tuple(_use(call, definition, network_configuration, each) for each in given)
    if len({(use.target_group_arn, use.container_port) for use in uses}) < len(uses):
        raise _refuse("A target group can be named only once for each container port.")
    return uses


def check_ports(definition: TaskDefinition, uses: Sequence[ServiceLoadBalancer]) -> None:
    """That a definition has the ports by which a service is registered already."""
    for use in uses:
        check_port(definition, use.container_name, use.container_port)


def view(uses: Sequence[ServiceLoadBalancer]) -> list[dict[str, Any]]:
    """`loadBalancers` as ECS answers it."""
    return [
        {
            "targetGroupArn": use.target_group_arn,
            "containerName": use.container_name,
            "containerPort": use.container_port,
        }
        for use in uses
    ]


def _use(
    call: Call, definition: TaskDefinition, network_configuration: Mapping[str, Any], given: Mapping[str, Any]
) -> ServiceLoadBalancer:
    arn, name, port = (given.get(member) for member in ("targetGroupArn", "containerName", "containerPort"))
    if not arn:
        raise _refuse("targetGroupArn must be specified for each load balancer.")
    if not name or port is None:
        raise _refuse("containerName and containerPort must be specified for each load balancer.")
    check_port(definition, name, port)
    _check_group(call, network_configuration, arn)
    return ServiceLoadBalancer(target_group_arn=arn, container_name=name, container_port=port)


def check_port(definition: TaskDefinition, name: str, port: int) -> None:
    """That a definition has a container with this port."""
    container = next((each for each in definition.containers if each["name"] == name), None)
    if container is None:
        raise _refuse(f"The container {name} does not exist in the task definition.")
    mappings = [each for each in container.get("portMappings") or () if each.get("protocol", "tcp") == "tcp"]
    if not any(port in port_numbers(mapping) for mapping in mappings):
        raise _refuse(f"The container {name} did not have a container port {port} defined.")


def _check_group(call: Call, network_configuration: Mapping[str, Any], arn: str) -> None:
    key = group_key_of(arn)
    group = call.tx.get(TargetGroup, key) if key is not None and key[:2] == tuple(call.scope) else None
    if group is None or group.arn != arn:
        raise _refuse("The specified target group does not exist.")
    if group.target_type != "ip":
        raise _refuse(
            f"The provided target group {arn} has target type {group.target_type}, which is incompatible with the "
            "awsvpc network mode specified in the task definition."
        )
    if not in_use(call, group):
        raise _refuse(f"The target group with targetGroupArn {arn} does not have an associated load balancer.")
    subnets = placing.subnets_of(call, network_configuration)
    if subnets and subnets[0].vpc_id != group.vpc_id:
        raise _refuse(
            f"The target group {arn} is in {group.vpc_id}, and the subnets of the service are in {subnets[0].vpc_id}."
        )


def _refuse(text: str) -> ApiError:
    return ApiError("InvalidParameterException", text)
