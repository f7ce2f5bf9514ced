"""Service-linked roles: made for a service, which alone may assume and change them."""

import json
import re

from longshore.api.iam.lookup import PREFIXES, Answer, find, global_scope, new_id
from longshore.api.iam.roles import SERVICE_PATH, role_view
from longshore.api.operation import Call, Operation
from longshore.decide.policy.managed import MANAGED
from longshore.domain.iam import AWS_ACCOUNT, Role, iam_arn
from longshore.wire.errors import ApiError

SERVICE = re.compile(r"([a-z0-9-]+\.)+amazonaws\.com")
NAMES = {
    "autoscaling.amazonaws.com": "AutoScaling",
    "ecs.amazonaws.com": "ECS",
    "ecs.application-autoscaling.amazonaws.com": "ApplicationAutoScaling_ECSService",
    "eks-fargate.amazonaws.com": "AmazonEKSForFargate",
    "eks-nodegroup.amazonaws.com": "AmazonEKSNodegroup",
    "eks.amazonaws.com": "AmazonEKS",
    "elasticache.amazonaws.com": "ElastiCache",
    "elasticloadbalancing.amazonaws.com": "ElasticLoadBalancing",
    "rds.amazonaws.com": "RDS",
    "replication.ecr.amazonaws.com": "ECRReplication",
    "route53resolver.amazonaws.com": "Route53Resolver",
    "spot.amazonaws.com": "EC2Spot",
    "spotfleet.amazonaws.com": "EC2SpotFleet",
    "ssm.amazonaws.com": "AmazonSSM",
}
"""What follows `AWSServiceRoleFor`; for others, the service's own name."""
POLICIES = {
    "ecs.amazonaws.com": "AmazonECSServiceRolePolicy",
    "ecs.application-autoscaling.amazonaws.com": "AWSApplicationAutoscalingECSServicePolicy",
}
SUFFIXED = frozenset({"autoscaling.amazonaws.com"})
"""Services that take a custom suffix, so that they can have several roles."""


def create_service_linked_role(call: Call) -> Answer:
    """CreateServiceLinkedRole."""
    service, suffix = call.params["AWSServiceName"], call.params.get("CustomSuffix")
    if not SERVICE.fullmatch(service):
        raise ApiError("InvalidInput", f"Service principal {service} is not valid: use one such as ecs.amazonaws.com.")
    if suffix and service not in SUFFIXED:
        raise ApiError("InvalidInput", f"Custom suffix is not allowed for {service}")
    name = linked_name(service) + (f"_{suffix}" if suffix else "")
    if call.tx.count(Role, "name", (call.scope.account, name.lower())):
        text = f"Service role name {name} has been taken in this account, please try a different suffix."
        raise ApiError("InvalidInput", text)
    policy = iam_arn(AWS_ACCOUNT, f"policy{SERVICE_PATH}{POLICIES.get(service, '')}")
    role = Role(
        account=call.scope.account,
        region=global_scope(call).region,
        name=name,
        path=f"{SERVICE_PATH}{service}/",
        unique_id=new_id(call, PREFIXES[Role]),
        created_at=call.now,
        trust=_trust(service),
        description=call.params.get("Description") or "",
        attached=(policy,) if policy in MANAGED else (),
        service=service,
    )
    call.tx.put(role)
    return {"Role": role_view(role)}


def delete_service_linked_role(call: Call) -> Answer:
    """DeleteServiceLinkedRole: it is gone at once; the task's id tells nothing but its name."""
    role = find(call, Role, call.params["RoleName"])
    if not role.service:
        raise ApiError("NoSuchEntity", f"The service-linked role with name {role.name} cannot be found.")
    call.tx.delete(Role, role.key)
    return {"DeletionTaskId": f"task{role.path}{role.name}/{call.ids.uuid()}"}


def get_service_linked_role_deletion_status(call: Call) -> Answer:
    """GetServiceLinkedRoleDeletionStatus: what was told to be deleted, is."""
    task_id = call.params["DeletionTaskId"]
    if not task_id.startswith(f"task{SERVICE_PATH}") or task_id.count("/") != 4:
        raise ApiError("NoSuchEntity", f"Deletion Task Id: {task_id[:128]} was not found.")
    return {"Status": "SUCCEEDED"}


def linked_name(service: str) -> str:
    """The name of a service's role, without a suffix."""
    head = service.removesuffix(".amazonaws.com")
    own = "".join(part.capitalize() for part in re.split(r"[.-]", head))
    return f"AWSServiceRoleFor{NAMES.get(service, own)}"


def _trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


OPERATIONS: dict[str, Operation] = {
    "CreateServiceLinkedRole": Operation(create_service_linked_role),
    "DeleteServiceLinkedRole": Operation(delete_service_linked_role),
    "GetServiceLinkedRoleDeletionStatus": Operation(get_service_linked_role_deletion_status),
}
