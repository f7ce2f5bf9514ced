"""Service deployments and service revisions: list, describe, and ask for a stop.

A stop is only a wish here: `control/ecs/services.py` rolls the service back.
"""

from typing import Any

from longshore.api.ecs import deployment_view
from longshore.api.ecs.listing import listed
from longshore.api.ecs.lookup import find_cluster
from longshore.api.ecs.references import deployment_of, revision_of, service_named
from longshore.api.operation import Call, Operation
from longshore.domain.ecs.service import Deployment, Service
from longshore.wire.errors import ApiError

MAX_DESCRIBED = 20
STOPPABLE = {"PENDING", "IN_PROGRESS"}
ASKED_TO_STOP = {"STOP_REQUESTED", "ROLLBACK_REQUESTED"}


def list_service_deployments(call: Call) -> dict[str, Any]:
    """ListServiceDeployments: newest first."""
    cluster = find_cluster(call)
    service = service_named(call, cluster, call.params["service"])
    if service is None:
        raise ApiError("ServiceNotFoundException", "Service not found.")
    statuses = call.params.get("status") or ()
    created = call.params.get("createdAt") or {}
    before, after = created.get("before"), created.get("after")
    found = [
        deployment
        for deployment in call.tx.select(Deployment, "service", (service.uid,))
        if (not statuses or deployment.service_deployment_status in statuses)
        and (before is None or deployment.created_at < before)
        and (after is None or deployment.created_at > after)
    ]
    found.sort(key=_order, reverse=True)
    shown, token = listed(call, "ListServiceDeployments", found, _order, default=20, descending=True)
    return {"serviceDeployments": [deployment_view.brief(each) for each in shown], "nextToken": token}


def describe_service_deployments(call: Call) -> dict[str, Any]:
    """DescribeServiceDeployments."""
    views, failures = [], []
    for arn in _asked(call, "serviceDeploymentArns"):
        deployment = deployment_of(call, arn)
        service = _service_of(call, deployment) if deployment else None
        if deployment is None or service is None:
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            views.append(deployment_view.service_deployment(call.tx, deployment, service))
    return {"serviceDeployments": views, "failures": failures}


def describe_service_revisions(call: Call) -> dict[str, Any]:
    """DescribeServiceRevisions."""
    views, failures = [], []
    for arn in _asked(call, "serviceRevisionArns"):
        deployment = revision_of(call, arn)
        if deployment is None:
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            views.append(deployment_view.service_revision(call.tx, deployment))
    return {"serviceRevisions": views, "failures": failures}


def stop_service_deployment(call: Call) -> dict[str, Any]:
    """StopServiceDeployment: ask that the service go back to the deployment that last completed."""
    arn = call.params["serviceDeploymentArn"]
    deployment = deployment_of(call, arn)
    if deployment is None:
        raise ApiError("ServiceDeploymentNotFoundException", "Service deployment not found.")
    status = deployment.service_deployment_status
    if status in STOPPABLE:
        call.tx.put(deployment.but(service_deployment_status="ROLLBACK_REQUESTED", updated_at=call.now))
    elif status not in ASKED_TO_STOP:
        text = f"The service deployment cannot be stopped: its status is {status}, and only one that goes on can be."
        raise ApiError("ConflictException", text, members={"resourceIds": [arn]})
    return {"serviceDeploymentArn": arn}


def _asked(call: Call, name: str) -> list[str]:
    arns = call.params[name]
    if not 1 <= len(arns) <= MAX_DESCRIBED:
        raise ApiError("InvalidParameterException", f"{name} should have between 1 and {MAX_DESCRIBED} items.")
    return list(dict.fromkeys(arns))


def _service_of(call: Call, deployment: Deployment) -> Service | None:
    return next(iter(call.tx.select(Service, "uid", (deployment.service_uid,))), None)


def _order(deployment: Deployment) -> str:
    return f"{deployment.created_at:020.6f}-{deployment.number}"


OPERATIONS: dict[str, Operation] = {
    "ListServiceDeployments": Operation(list_service_deployments),
    "DescribeServiceDeployments": Operation(describe_service_deployments),
    "DescribeServiceRevisions": Operation(describe_service_revisions),
    "StopServiceDeployment": Operation(
        stop_service_deployment,
        refuses={"stopType": "ECS has only ROLLBACK so far: ABORT is in its model but not supported."},
        allowed={"stopType": ("ROLLBACK",)},
    ),
}
