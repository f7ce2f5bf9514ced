"""CreateService, UpdateService and DeleteService: write what a service is to be.

What runs follows: `control/ecs/services.py` starts and stops tasks. A new deployment begins here, in the transaction
that asks for it, so that the answer shows it.
"""

from typing import Any

from longshore.api.ecs import balancing, connecting, placing, registries, service_rules, service_view
from longshore.api.ecs.lookup import find_cluster, find_runnable
from longshore.api.ecs.references import service_named
from longshore.api.ecs.service_rules import refuse
from longshore.api.ecs.tags import checked_tags
from longshore.api.operation import Call
from longshore.decide.ecs.launch import resources_of
from longshore.decide.ecs.rollout.begin import begin
from longshore.domain.arn import Arn
from longshore.domain.ecs.cluster import Cluster
from longshore.domain.ecs.service import Deployment, DeploymentConfiguration, Service, ServiceEvent
from longshore.domain.ecs.task_definition import TaskDefinition, task_definition_key_of
from longshore.domain.names.connect import ServiceConnect
from longshore.domain.record import Scope
from longshore.wire.errors import ApiError

LINKED_ROLE = "role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"
REVISION_FIELDS = (
    "task_definition_arn",
    "network_configuration",
    "platform_version",
    "load_balancers",
    "service_connect",
    "service_registries",
)
"""What makes a new deployment when it changes."""
ROLE_WITHOUT_BALANCER = "IAM roles are only valid for services configured to use load balancers"
ROLE_REFUSED = "You cannot specify an IAM role for services that require a service linked role"


def create_service(call: Call) -> dict[str, Any]:
    """CreateService. A repeated call is answered with the service it made; a deleted service makes way."""
    cluster = find_cluster(call)
    service_rules.check_name(call.params["serviceName"])
    service_rules.check_client_token(call)
    existing = service_named(call, cluster, call.params["serviceName"])
    if existing is not None and existing.status == "DRAINING":
        raise refuse("Unable to Start a service that is still Draining.")
    request = _request(call, cluster)
    if existing is not None and existing.status == "ACTIVE":
        if existing.request != request:
            raise refuse("Creation of service was not idempotent.")
        return {"service": service_view.service(call.tx, existing, include_tags=True)}
    service = _new_service(call, cluster, request)
    if existing is not None:
        _forget(call, existing)
    _write(call, service, new_deployment=True)
    return {"service": service_view.service(call.tx, service, include_tags=True)}


def update_service(call: Call) -> dict[str, Any]:
    """UpdateService. Only what makes another revision, or `forceNewDeployment`, begins a deployment."""
    cluster = find_cluster(call)
    service = _existing(call, cluster)
    if service.status != "ACTIVE":
        raise ApiError("ServiceNotActiveException", "Service was not ACTIVE.")
    updated = _updated(call, cluster, service)
    changed = any(getattr(updated, field) != getattr(service, field) for field in REVISION_FIELDS)
    _write(call, updated, new_deployment=changed or bool(call.params.get("forceNewDeployment")))
    return {"service": service_view.service(call.tx, updated, include_tags=True)}


def delete_service(call: Call) -> dict[str, Any]:
    """DeleteService. The service drains; one that is deleted already is answered as it is."""
    cluster = find_cluster(call)
    service = _existing(call, cluster)
    if service.status == "ACTIVE":
        if service.desired_count > 0 and not call.params.get("force"):
            raise refuse("The service cannot be stopped while it is scaled above 0.")
        service = service.but(status="DRAINING", desired_count=0)
        call.tx.put(service)
        connecting.let_go(call, service)
    return {"service": service_view.service(call.tx, service, include_tags=True)}


def _existing(call: Call, cluster: Cluster) -> Service:
    service = service_named(call, cluster, call.params["service"])
    if service is None:
        raise ApiError("ServiceNotFoundException", "Service not found.")
    return service


def _request(call: Call, cluster: Cluster) -> dict[str, Any]:
    """The input less its token, with the cluster by name: what a repeated call must equal."""
    asked = {name: value for name, value in call.params.items() if name != "clientToken" and value is not None}
    return {**asked, "cluster": cluster.name}


def _new_service(call: Call, cluster: Cluster, request: dict[str, Any]) -> Service:
    params = call.params
    if not params.get("taskDefinition"):
        raise refuse("TaskDefinition can not be blank.")
    if params.get("desiredCount") is None:
        raise refuse("desiredCount is required if schedulingStrategy is REPLICA or isn't specified.")
    if params.get("role"):
        raise refuse(ROLE_REFUSED if params.get("loadBalancers") else ROLE_WITHOUT_BALANCER)
    definition = find_runnable(call, params["taskDefinition"])
    launch_type = placing.launch_type(definition, params.get("launchType"))
    placing.check_served(call, definition)
    network = placing.network_configuration(call, definition, params.get("networkConfiguration"))
    grace = params.get("healthCheckGracePeriodSeconds")
    return Service(
        account=cluster.account,
        region=cluster.region,
        cluster=cluster.name,
        name=params["serviceName"],
        uid=call.ids.uuid(),
        created_at=call.now,
        created_by=call.principal_arn,
        task_definition_arn=definition.arn,
        desired_count=service_rules.desired_count(params["desiredCount"]),
        deployment_configuration=service_rules.deployment_configuration(
            params.get("deploymentConfiguration"), DeploymentConfiguration()
        ),
        launch_type=launch_type,
        platform_version=_platform_version(definition, params.get("platformVersion")),
        network_configuration=network,
        load_balancers=balancing.load_balancers(call, definition, network, params.get("loadBalancers") or ()),
        service_connect=connecting.service_connect(
            call, cluster, definition, params.get("serviceConnectConfiguration")
        ),
        service_registries=registries.service_registries(call, definition, params.get("serviceRegistries") or ()),
        health_check_grace_s=None if grace is None else service_rules.grace_s(grace),
        enable_ecs_managed_tags=bool(params.get("enableECSManagedTags")),
        propagate_tags=params.get("propagateTags") or "NONE",
        availability_zone_rebalancing=params.get("availabilityZoneRebalancing") or "ENABLED",
        role_arn=_linked_role(cluster.scope),
        client_token=params.get("clientToken") or "",
        request=request,
        tags=checked_tags(params.get("tags")),
    )


def _updated(call: Call, cluster: Cluster, service: Service) -> Service:
    """The service with what the call gives put over what it is."""
    params = call.params
    definition = _definition(call, service)
    changes: dict[str, Any] = {
        "task_definition_arn": definition.arn,
        "platform_version": _platform_version(definition, params.get("platformVersion") or service.platform_version),
        "deployment_configuration": service_rules.deployment_configuration(
            params.get("deploymentConfiguration"), service.deployment_configuration
        ),
    }
    if params.get("networkConfiguration"):
        network = placing.network_configuration(call, definition, params["networkConfiguration"])
        changes["network_configuration"] = network
    if params.get("loadBalancers") is not None:
        network = changes.get("network_configuration", service.network_configuration)
        changes["load_balancers"] = balancing.load_balancers(call, definition, network, params["loadBalancers"])
    elif params.get("taskDefinition"):
        balancing.check_ports(definition, service.load_balancers)
    changes["service_connect"] = _service_connect(call, cluster, definition, service)
    if params.get("serviceRegistries") is not None:
        changes["service_registries"] = registries.service_registries(call, definition, params["serviceRegistries"])
    elif params.get("taskDefinition"):
        registries.check_ports(definition, service.service_registries)
    if params.get("desiredCount") is not None:
        changes["desired_count"] = service_rules.desired_count(params["desiredCount"])
    if params.get("healthCheckGracePeriodSeconds") is not None:
        changes["health_check_grace_s"] = service_rules.grace_s(params["healthCheckGracePeriodSeconds"])
    if params.get("enableECSManagedTags") is not None:
        changes["enable_ecs_managed_tags"] = params["enableECSManagedTags"]
    if params.get("propagateTags") is not None:
        changes["propagate_tags"] = params["propagateTags"]
    if params.get("availabilityZoneRebalancing") is not None:
        changes["availability_zone_rebalancing"] = params["availabilityZoneRebalancing"]
    return service.but(**changes)


def _service_connect(
    call: Call, cluster: Cluster, definition: TaskDefinition, service: Service
) -> ServiceConnect | None:
    given = call.params.get("serviceConnectConfiguration")
    if given is not None:
        return connecting.service_connect(call, cluster, definition, given, service.service_connect)
    if call.params.get("taskDefinition"):
        return connecting.renewed(call, definition, service.service_connect)
    return service.service_connect


def _definition(call: Call, service: Service) -> TaskDefinition:
    """The definition the service is to have. Its present one serves on even where it was deregistered since."""
    reference = call.params.get("taskDefinition")
    if reference is None:
        present = call.tx.get(TaskDefinition, task_definition_key_of(service.task_definition_arn))
        if present is None:
            raise LookupError(f"{service.task_definition_arn} is in use but not in the store")
        return present
    definition = find_runnable(call, reference)
    placing.launch_type(definition, service.launch_type)
    placing.check_served(call, definition)
    return definition


def _platform_version(definition: TaskDefinition, asked: str | None) -> str:
    cpu_units, _ = resources_of(definition, {})
    return placing.platform_version(definition, asked, cpu_units)


def _linked_role(scope: Scope) -> str:
    return str(Arn("iam", Scope(scope.account, ""), LINKED_ROLE))


def _write(call: Call, service: Service, *, new_deployment: bool) -> None:
    call.tx.put(service)
    if new_deployment:
        current = call.tx.select(Deployment, "current", (service.uid,))
        for deployment in begin(service, current, ids=call.ids, now=call.now):
            call.tx.put(deployment)


def _forget(call: Call, service: Service) -> None:
    """The history of a deleted service whose name is taken again: nobody could ask for it any more."""
    for deployment in call.tx.select(Deployment, "service", (service.uid,)):
        call.tx.delete(Deployment, deployment.key)
    for event in call.tx.select(ServiceEvent, "service", (service.uid,)):
        call.tx.delete(ServiceEvent, event.key)
