"""DescribeServices and the lists of services; what changes services is in `service_changes.py`."""

from typing import Any

from longshore.api.ecs import connecting, placing, service_changes, service_rules, service_view
from longshore.api.ecs.listing import listed
from longshore.api.ecs.lookup import find_cluster
from longshore.api.ecs.references import name_in, service_named
from longshore.api.operation import Call, Operation
from longshore.domain.arn import ecs_arn
from longshore.domain.ecs.service import Deployment, Service
from longshore.wire.errors import ApiError

MAX_DESCRIBED = 10


def describe_services(call: Call) -> dict[str, Any]:
    """DescribeServices."""
    cluster = find_cluster(call)
    references = call.params["services"]
    if not references:
        raise ApiError("InvalidParameterException", "Services cannot be empty.")
    if len(references) > MAX_DESCRIBED:
        raise ApiError("InvalidParameterException", f"Services can have at most {MAX_DESCRIBED} items.")
    include_tags = "TAGS" in (call.params.get("include") or ())
    services, failures = [], []
    for reference in dict.fromkeys(references):
        service = service_named(call, cluster, reference)
        if service is None:
            missing = ecs_arn(cluster.scope, "service", cluster.name, name_in(reference, "service", cluster))
            failures.append({"arn": missing, "reason": "MISSING"})
        else:
            services.append(service_view.service(call.tx, service, include_tags=include_tags))
    return {"services": services, "failures": failures}


def list_services(call: Call) -> dict[str, Any]:
    """ListServices: the ACTIVE ones, by name."""
    cluster = find_cluster(call)
    wanted = {
        "launch_type": call.params.get("launchType"),
        "scheduling_strategy": call.params.get("schedulingStrategy"),
    }
    found = [
        service
        for service in call.tx.select(Service, "cluster", (*cluster.scope, cluster.name))
        if service.status == "ACTIVE"
        and all(value is None or getattr(service, field) == value for field, value in wanted.items())
    ]
    if call.params.get("resourceManagementType") == "ECS":  # Express services, of which there are none here
        found = []
    found.sort(key=_name)
    shown, token = listed(call, "ListServices", found, _name, default=10)
    return {"serviceArns": [service.arn for service in shown], "nextToken": token}


def list_services_by_namespace(call: Call) -> dict[str, Any]:
    """ListServicesByNamespace: those that Service Connect has in it, by name, over all clusters."""
    namespace = call.params["namespace"]
    if not 1 <= len(namespace) <= 1024:
        raise ApiError("InvalidParameterException", "namespace should be the name or ARN of a Cloud Map namespace.")
    known = connecting.find_namespace(call, namespace)
    if known is None:
        raise ApiError("NamespaceNotFoundException", f"The specified namespace was not found: {namespace}")
    namespace_id = known.namespace_id
    uids = {each.service_uid for each in call.tx.select(Deployment, "namespace", (*call.scope, namespace_id))}
    found = [service for uid in uids for service in call.tx.select(Service, "uid", (uid,))]
    found = [each for each in found if each.service_connect and each.service_connect.namespace == namespace_id]
    found.sort(key=_place)
    shown, token = listed(call, "ListServicesByNamespace", found, _place, default=10)
    return {"serviceArns": [service.arn for service in shown], "nextToken": token}


def _place(service: Service) -> str:
    return f"{service.cluster}/{service.name}"


def _name(service: Service) -> str:
    return service.name


OPERATIONS: dict[str, Operation] = {
    "CreateService": Operation(
        service_changes.create_service,
        refuses={
            **service_rules.REFUSES,
            "launchType": placing.NOT_SERVED["launchType"],
            "schedulingStrategy": "Only the scheduling strategy REPLICA is served yet.",
        },
        allowed={**service_rules.ALLOWED, **placing.ALLOWED, "schedulingStrategy": ("REPLICA",)},
        inert=service_rules.INERT,
    ),
    "UpdateService": Operation(
        service_changes.update_service,
        refuses=service_rules.REFUSES,
        allowed=service_rules.ALLOWED,
        inert=service_rules.INERT,
    ),
    "DescribeServices": Operation(describe_services),
    "ListServices": Operation(list_services),
    "ListServicesByNamespace": Operation(list_services_by_namespace),
    "DeleteService": Operation(service_changes.delete_service),
}
