"""Clusters: created, described, changed and deleted. A deleted cluster stays describable as INACTIVE."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from longshore.api.ecs import connecting
from longshore.api.ecs.account_settings import effective_value
from longshore.api.ecs.listing import listed
from longshore.api.ecs.lookup import DEFAULT_CLUSTER, cluster_name, cluster_named, find_cluster, missing
from longshore.api.ecs.tags import checked_tags
from longshore.api.operation import Call, Operation
from longshore.domain.arn import Arn, ecs_arn
from longshore.domain.ecs.cluster import Cluster
from longshore.domain.ecs.service import Service
from longshore.domain.ecs.task import Task
from longshore.domain.tag import tags_list
from longshore.wire.errors import ApiError

NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
MAX_DESCRIBED = 100
INSIGHTS = ("enabled", "enhanced", "disabled")
ALL_PARTS = frozenset({"ATTACHMENTS", "CONFIGURATIONS", "SETTINGS", "STATISTICS", "TAGS"})

NO_PROVIDERS = {
    "capacityProviders": "Capacity providers are not served yet: use launchType FARGATE.",
    "defaultCapacityProviderStrategy": "Capacity providers are not served yet: use launchType FARGATE.",
}
INERT = {
    "settings": "Kept and answered; Container Insights metrics are not collected yet.",
    "configuration": "Kept and answered; ECS Exec and encrypted storage are not served yet.",
}


def create_cluster(call: Call) -> dict[str, Any]:
    """CreateCluster. A call for a cluster that exists answers with it, unless it asks for something else."""
    params = call.params
    name = params.get("clusterName") or DEFAULT_CLUSTER
    if not NAME.fullmatch(name):
        text = "Invalid cluster name: use 1 to 255 letters, digits, hyphens and underscores."
        raise ApiError("InvalidParameterException", text)
    settings = _settings(params.get("settings"))
    configuration = _configuration(params.get("configuration"))
    tags = checked_tags(params.get("tags"))
    namespace = connecting.defaults(call, params.get("serviceConnectDefaults"))
    known = call.tx.get(Cluster, (*call.scope, name))
    if known is not None and known.status == "ACTIVE":
        same = settings.items() <= known.settings.items() and configuration in ({}, known.configuration)
        same = same and namespace in (None, known.service_connect_namespace)
        if not same or (tags and tags != known.tags):
            text = "Arguments on this idempotent request are inconsistent with arguments used in previous request(s)."
            raise ApiError("InvalidParameterException", text)
        return {"cluster": view(call, known, ALL_PARTS)}
    cluster = Cluster(
        account=call.scope.account,
        region=call.scope.region,
        name=name,
        created_at=call.now,
        settings={"containerInsights": effective_value(call, "containerInsights"), **settings},
        configuration=configuration,
        service_connect_namespace=namespace or "",
        tags=tags,
    )
    call.tx.put(cluster)
    return {"cluster": view(call, cluster, ALL_PARTS)}


def describe_clusters(call: Call) -> dict[str, Any]:
    """DescribeClusters. INACTIVE clusters are described too; what never was is in `failures`."""
    references = call.params.get("clusters") or [DEFAULT_CLUSTER]
    if len(references) > MAX_DESCRIBED:
        text = f"Clusters can have at most {MAX_DESCRIBED} items: ask for them in several calls."
        raise ApiError("InvalidParameterException", text)
    include = frozenset(call.params.get("include") or ())
    clusters: dict[str, dict[str, Any]] = {}
    failures = []
    for reference in dict.fromkeys(references):
        cluster = cluster_named(call, reference)
        if cluster is not None:
            clusters[cluster.name] = view(call, cluster, include)
        else:
            failures.append(missing(_arn_of(call, reference)))
    return {"clusters": list(clusters.values()), "failures": failures}


def list_clusters(call: Call) -> dict[str, Any]:
    """ListClusters: the ACTIVE ones, by name."""
    clusters = [c for c in call.tx.select(Cluster, "scope", call.scope) if c.status == "ACTIVE"]
    clusters.sort(key=_name)
    shown, token = listed(call, "ListClusters", clusters, _name)
    return {"clusterArns": [cluster.arn for cluster in shown], "nextToken": token}


def update_cluster(call: Call) -> dict[str, Any]:
    """UpdateCluster: what is given replaces what was, setting by setting."""
    cluster = find_cluster(call)
    settings = {**cluster.settings, **_settings(call.params.get("settings"))}
    given = _configuration(call.params.get("configuration"))
    namespace = connecting.defaults(call, call.params.get("serviceConnectDefaults"))
    cluster = cluster.but(
        settings=settings,
        configuration={**cluster.configuration, **given},
        service_connect_namespace=cluster.service_connect_namespace if namespace is None else namespace,
    )
    call.tx.put(cluster)
    return {"cluster": view(call, cluster, ALL_PARTS)}


def delete_cluster(call: Call) -> dict[str, Any]:
    """DeleteCluster: refused while services or tasks are in it."""
    cluster = find_cluster(call)
    place = (*cluster.scope, cluster.name)
    if call.tx.count(Service, "cluster", place):
        text = "The Cluster cannot be deleted while Services are active."
        raise ApiError("ClusterContainsServicesException", text)
    if call.tx.count(Task, "live_cluster", place):
        raise ApiError("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
    cluster = cluster.but(status="INACTIVE", tags={})
    call.tx.put(cluster)
    return {"cluster": view(call, cluster, ALL_PARTS)}


def view(call: Call, cluster: Cluster, include: Collection[str]) -> dict[str, Any]:
    """A cluster as ECS answers it. Counts are the store's tallies."""
    place = (*cluster.scope, cluster.name)
    running = call.tx.tally(Task, "running", place)
    pending = call.tx.tally(Task, "pending", place)
    services = call.tx.tally(Service, "active", place)
    draining = call.tx.count(Service, "cluster", place) - services
    statistics = _statistics(running, pending, services, draining)
    return {
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": cluster.status,
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": running,
        "pendingTasksCount": pending,
        "activeServicesCount": services,
        "statistics": statistics if "STATISTICS" in include else [],
        "tags": tags_list(cluster.tags) if "TAGS" in include else [],
        "settings": [{"name": n, "value": v} for n, v in cluster.settings.items()] if "SETTINGS" in include else [],
        "capacityProviders": list(cluster.capacity_providers),
        "defaultCapacityProviderStrategy": list(cluster.default_capacity_provider_strategy),
        **connecting.defaults_view(cluster),
        **({"attachments": []} if "ATTACHMENTS" in include else {}),
        **({"configuration": cluster.configuration} if "CONFIGURATIONS" in include and cluster.configuration else {}),
    }


def _statistics(running: int, pending: int, services: int, draining: int) -> list[dict[str, str]]:
    """Every task and service is Fargate's until container instances are served."""
    fargate = {
        "runningFargateTasksCount": running,
        "pendingFargateTasksCount": pending,
        "activeFargateServiceCount": services,
        "drainingFargateServiceCount": draining,
    }
    names = [name.replace("Fargate", kind) for kind in ("EC2", "Fargate", "External") for name in fargate]
    return [{"name": name, "value": str(fargate.get(name, 0))} for name in names]


def _settings(given: Collection[Mapping[str, Any]] | None) -> dict[str, str]:
    settings: dict[str, str] = {}
    for setting in given or ():
        name, value = setting.get("name"), setting.get("value")
        if name is None or value not in INSIGHTS:
            text = f"Invalid cluster setting: containerInsights is one of {', '.join(INSIGHTS)}."
            raise ApiError("InvalidParameterException", text)
        settings[name] = value
    return settings


def _configuration(given: Mapping[str, Any] | None) -> dict[str, Any]:
    configuration = dict(given or {})
    execute = configuration.get("executeCommandConfiguration") or {}
    override = execute.get("logging") == "OVERRIDE"
    if override and not execute.get("logConfiguration"):
        raise ApiError("InvalidParameterException", "A logConfiguration must be given where logging is OVERRIDE.")
    if execute.get("logConfiguration") and not override:
        raise ApiError("InvalidParameterException", "A logConfiguration needs logging to be OVERRIDE.")
    return configuration


def _arn_of(call: Call, reference: str) -> str:
    if Arn.parse(reference) is not None:
        return reference
    return ecs_arn(call.scope, "cluster", cluster_name(call, reference) or reference)


def _name(cluster: Cluster) -> str:
    return cluster.name


OPERATIONS: dict[str, Operation] = {
    "CreateCluster": Operation(create_cluster, refuses=NO_PROVIDERS, inert=INERT),
    "DescribeClusters": Operation(describe_clusters),
    "ListClusters": Operation(list_clusters),
    "UpdateCluster": Operation(update_cluster, inert=INERT),
    "UpdateClusterSettings": Operation(update_cluster, inert={"settings": INERT["settings"]}),
    "DeleteCluster": Operation(delete_cluster),
}
