"""Services of Cloud Map: made in a namespace, described, changed, deleted; and attributes of their own."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from longshore.api.operation import Call, Operation
from longshore.api.servicediscovery.filters import Filter, chosen
from longshore.api.servicediscovery.listing import listed
from longshore.api.servicediscovery.lookup import Answer, find_namespace, find_service, invalid, namespace_id, present
from longshore.api.servicediscovery.operations import done
from longshore.api.servicediscovery.tags import checked_tags
from longshore.domain.names.dns_name import absolute
from longshore.domain.names.naming import (
    DiscoveryService,
    HealthCheckConfig,
    Namespace,
    RecordSetting,
    RoutingPolicy,
    ServiceInstance,
    ServiceType,
)
from longshore.wire.errors import ApiError

MAX_ATTRIBUTES = 30


def create_service(call: Call) -> Answer:
    """CreateService. A repeated call, as its CreatorRequestId tells, is answered with the service it made."""
    params = call.params
    given_dns = params.get("DnsConfig") or {}
    reference = params.get("NamespaceId") or given_dns.get("NamespaceId")
    if not reference:
        raise invalid("A service needs a namespace: give NamespaceId")
    namespace = find_namespace(call, reference)
    kind, routing, records = _kind(namespace, params.get("Type"), given_dns)
    service = DiscoveryService(
        account=call.scope.account,
        region=call.scope.region,
        service_id=f"srv-{call.ids.token(16).lower()}",
        namespace_id=namespace.namespace_id,
        name=params["Name"],
        type=kind,
        description=params.get("Description") or "",
        hosted_zone_id=namespace.hosted_zone_id if records else "",
        routing_policy=routing,
        records=records,
        health_check=_health_check(namespace, params.get("HealthCheckConfig")),
        custom_health=_custom_health(params.get("HealthCheckCustomConfig")),
        created_at=call.now,
        creator_request_id=params.get("CreatorRequestId") or call.request_id,
        tags=checked_tags(call, params.get("Tags")),
    )
    _check_health(service.health_check, custom=service.custom_health, records=records)
    if records:
        _check_dns_name(namespace, service.name)
    other = named(call, service)
    if other is not None:
        return {"Service": service_view(call, _same(other, service))}
    call.tx.put(service)
    return {"Service": service_view(call, service)}


def named(call: Call, service: DiscoveryService) -> DiscoveryService | None:
    """The service of its namespace that has its name already."""
    for name in dict.fromkeys((service.name, service.name.lower())):
        for other in call.tx.select(DiscoveryService, "name", (*service.scope, service.namespace_id, name)):
            both_dns = service.records and other.records
            if other.name == service.name or (both_dns and other.unique_name == service.unique_name):
                return other
    return None


def _same(other: DiscoveryService, service: DiscoveryService) -> DiscoveryService:
    """The one that is there, if the request that made it is repeated. Raises ServiceAlreadyExists."""
    own = service.but(service_id=other.service_id, created_at=other.created_at)
    if own == other.but(revision=0, attributes={}):
        return other
    raise ApiError(
        "ServiceAlreadyExists",
        f"Service {other.name} already exists.",
        members={
            "CreatorRequestId": other.creator_request_id,
            "ServiceId": other.service_id,
            "ServiceArn": other.arn,
        },
    )


def _kind(
    namespace: Namespace, asked: str | None, given: Mapping[str, Any]
) -> tuple[ServiceType, RoutingPolicy, tuple[RecordSetting, ...]]:
    """How a service is found, and the records it has."""
    records = _records(given.get("DnsRecords") or ())
    if not records:
        return "HTTP", "MULTIVALUE", ()
    if namespace.type == "HTTP":
        raise invalid("DnsConfig is for services in DNS namespaces: in an HTTP namespace leave it out")
    if asked == "HTTP":
        raise invalid("A service of Type HTTP has no DnsConfig: leave out one of the two")
    only_name = records[0].type == "CNAME"
    policy: RoutingPolicy = given.get("RoutingPolicy") or ("WEIGHTED" if only_name else "MULTIVALUE")
    if only_name and policy != "WEIGHTED":
        raise invalid("A service with CNAME records needs the routing policy WEIGHTED")
    return "DNS_HTTP", policy, records


def _records(given: Sequence[Mapping[str, Any]]) -> tuple[RecordSetting, ...]:
    records = tuple(RecordSetting(type=each["Type"], ttl_s=each["TTL"]) for each in given)
    types = [record.type for record in records]
    if len(set(types)) < len(types):
        raise invalid("DnsRecords can have each type once")
    if "CNAME" in types and len(types) > 1:
        raise invalid("A CNAME record stands alone: leave out the other DnsRecords")
    return records


def _check_dns_name(namespace: Namespace, name: str) -> None:
    if absolute(f"{name}.{namespace.name}") is None:
        raise invalid(f"{name}.{namespace.name} is not a DNS name: labels of 1 to 63 characters, 253 in all")


def _health_check(namespace: Namespace, given: Mapping[str, Any] | None) -> HealthCheckConfig | None:
    if given is None:
        return None
    if namespace.type == "DNS_PRIVATE":
        raise invalid("HealthCheckConfig can't be used in a private namespace: use HealthCheckCustomConfig")
    kind, path = given["Type"], given.get("ResourcePath") or ""
    if kind == "TCP" and path:
        raise invalid("A TCP health check has no ResourcePath")
    threshold = given.get("FailureThreshold") or 1
    return HealthCheckConfig(type=kind, path=path or ("" if kind == "TCP" else "/"), failure_threshold=threshold)


def _check_health(check: HealthCheckConfig | None, *, custom: bool, records: Sequence[RecordSetting]) -> None:
    """What a health check can't stand beside."""
    if check is not None and custom:
        raise invalid("A service has either HealthCheckConfig or HealthCheckCustomConfig, not both")
    if check is not None and any(record.type == "CNAME" for record in records):
        raise invalid("HealthCheckConfig can't be used with CNAME records: leave out one of the two")


def _custom_health(given: Mapping[str, Any] | None) -> bool:
    if given is None:
        return False
    given.get("FailureThreshold")  # always 1, as AWS says of this deprecated member
    return True


def get_service(call: Call) -> Answer:
    """GetService."""
    return {"Service": service_view(call, find_service(call, call.params["Id"]))}


FILTERS: dict[str, Filter[DiscoveryService]] = {
    "NAMESPACE_ID": Filter(lambda service: service.namespace_id, ("EQ", "IN")),
    "RESOURCE_OWNER": Filter(lambda _service: "SELF", ("EQ",)),
}


def list_services(call: Call) -> Answer:
    """ListServices."""
    by_namespace = FILTERS["NAMESPACE_ID"]._replace(read=partial(namespace_id, call))  # by id or ARN
    filters = {**FILTERS, "NAMESPACE_ID": by_namespace}
    found = chosen(call.tx.select(DiscoveryService, "scope", call.scope), call.params.get("Filters") or (), filters)
    shown, more = listed(call, "ListServices", found, lambda each: f"{each.name} {each.service_id}")
    summaries = [service_view(call, each) for each in shown]
    for summary in summaries:
        for member in ("NamespaceId", "CreatorRequestId"):
            summary.pop(member, None)
    return {"Services": summaries, "NextToken": more}


def update_service(call: Call) -> Answer:
    """UpdateService. A HealthCheckConfig that is left out goes; DnsConfig, if given, is the whole of it."""
    service, given = find_service(call, call.params["Id"]), call.params["Service"]
    namespace = find_namespace(call, service.namespace_id)
    if namespace.type == "HTTP":
        raise invalid("A service in an HTTP namespace can't be updated: make another one")
    check = _health_check(namespace, given.get("HealthCheckConfig"))
    _check_health(check, custom=service.custom_health, records=service.records)
    if check is not None and service.health_check is not None and check.type != service.health_check.type:
        raise invalid("The Type of a HealthCheckConfig can't be changed: take it away first")
    changes: dict[str, Any] = {"health_check": check}
    if given.get("Description") is not None:
        changes["description"] = given["Description"]
    if given.get("DnsConfig") is not None:
        changes["records"] = _changed_records(service, given["DnsConfig"]["DnsRecords"])
    call.tx.put(service.but(**changes))
    return done(call, "UPDATE_SERVICE", SERVICE=service.service_id)


def _changed_records(service: DiscoveryService, given: Sequence[Mapping[str, Any]]) -> tuple[RecordSetting, ...]:
    records = _records(given)
    if not service.records or not records:
        raise invalid("A service can't change between DNS and HTTP: make another one")
    if not {record.type for record in records} <= {record.type for record in service.records}:
        raise invalid("The types of a service's records can't be changed, only their TTL: make another service")
    return records


def delete_service(call: Call) -> Answer:
    """DeleteService, once it has no instances."""
    service = find_service(call, call.params["Id"])
    if call.tx.count(ServiceInstance, "service", (*service.scope, service.service_id)):
        raise ApiError("ResourceInUse", "Service contains registered instances; delete the instances before it.")
    call.tx.delete(DiscoveryService, service.key)
    return {}


def service_view(call: Call, service: DiscoveryService) -> Answer:
    """A service as Cloud Map answers it."""
    check = service.health_check
    view: Answer = {
        "Id": service.service_id,
        "Arn": service.arn,
        "ResourceOwner": service.account,
        "Name": service.name,
        "NamespaceId": service.namespace_id,
        "Description": service.description or None,
        "InstanceCount": call.tx.count(ServiceInstance, "service", (*service.scope, service.service_id)),
        "Type": service.type,
        "CreateDate": service.created_at,
        "CreatorRequestId": service.creator_request_id,
        "CreatedByAccount": service.account,
    }
    if service.records:
        view["DnsConfig"] = {
            "NamespaceId": service.namespace_id,
            "RoutingPolicy": service.routing_policy,
            "DnsRecords": [{"Type": each.type, "TTL": each.ttl_s} for each in service.records],
        }
    if check is not None:
        shown = {"Type": check.type, "ResourcePath": check.path or None, "FailureThreshold": check.failure_threshold}
        view["HealthCheckConfig"] = present(shown)
    if service.custom_health:
        view["HealthCheckCustomConfig"] = {"FailureThreshold": 1}
    return present(view)


# ------------------------------------------------------------------------------------- attributes of the service itself


def get_service_attributes(call: Call) -> Answer:
    """GetServiceAttributes."""
    service = find_service(call, call.params["ServiceId"])
    attributes = {"ServiceArn": service.arn, "ResourceOwner": service.account, "Attributes": service.attributes}
    return {"ServiceAttributes": attributes}


def update_service_attributes(call: Call) -> Answer:
    """UpdateServiceAttributes: adds attributes, and replaces values."""
    service = find_service(call, call.params["ServiceId"])
    attributes = {**service.attributes, **dict(call.params["Attributes"])}
    if len(attributes) > MAX_ATTRIBUTES:
        text = f"A service can have at most {MAX_ATTRIBUTES} attributes"
        raise ApiError("ServiceAttributesLimitExceededException", text)
    call.tx.put(service.but(attributes=attributes))
    return {}


def delete_service_attributes(call: Call) -> Answer:
    """DeleteServiceAttributes. Names that are not there are passed over."""
    service, gone = find_service(call, call.params["ServiceId"]), set(call.params["Attributes"])
    kept = {name: value for name, value in service.attributes.items() if name not in gone}
    call.tx.put(service.but(attributes=kept))
    return {}


OPERATIONS: dict[str, Operation] = {
    "CreateService": Operation(create_service),
    "DeleteService": Operation(delete_service),
    "DeleteServiceAttributes": Operation(delete_service_attributes),
    "GetService": Operation(get_service),
    "GetServiceAttributes": Operation(get_service_attributes),
    "ListServices": Operation(list_services),
    "UpdateService": Operation(update_service),
    "UpdateServiceAttributes": Operation(update_service_attributes),
}
