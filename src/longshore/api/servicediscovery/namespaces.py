"""Namespaces: made, described, changed and deleted, each DNS namespace with its hosted zone."""

from functools import partial
from typing import Any

from longshore.api.common.zones import conflicting, make_zone, remove_zone, set_soa_ttl, soa_ttl_s
from longshore.api.operation import Call, Operation
from longshore.api.servicediscovery.filters import Filter, chosen
from longshore.api.servicediscovery.listing import listed
from longshore.api.servicediscovery.lookup import Answer, find_namespace, invalid, present
from longshore.api.servicediscovery.operations import done, repeated
from longshore.api.servicediscovery.tags import checked_tags
from longshore.domain.ec2.network import Vpc
from longshore.domain.names.dns_name import absolute
from longshore.domain.names.naming import DiscoveryService, Namespace, NamespaceType
from longshore.domain.names.zone import ZoneVpc
from longshore.wire.errors import ApiError

SOA_TTL_S = 15
"""Of a namespace made without one."""
COMMENT = "Created by AWS Cloud Map"


def create_private_dns_namespace(call: Call) -> Answer:
    """CreatePrivateDnsNamespace: the names in it are known in one VPC."""
    vpc_id = call.params["Vpc"]
    if call.tx.get(Vpc, (*call.scope, vpc_id)) is None:
        raise invalid(f"The VPC {vpc_id} does not exist in {call.scope.region}")
    return _create(call, "DNS_PRIVATE", vpc_id)


def create_public_dns_namespace(call: Call) -> Answer:
    """CreatePublicDnsNamespace: the names in it are known to everybody who asks Longshore."""
    return _create(call, "DNS_PUBLIC")


def create_http_namespace(call: Call) -> Answer:
    """CreateHttpNamespace: what is in it is found by DiscoverInstances alone."""
    return _create(call, "HTTP")


def _create(call: Call, kind: NamespaceType, vpc_id: str = "") -> Answer:
    params = call.params
    before = repeated(call, "CREATE_NAMESPACE", params.get("CreatorRequestId"))
    if before is not None and call.tx.get(Namespace, (*call.scope, before.targets["NAMESPACE"])):
        return {"OperationId": before.operation_id}
    name, dns_name = params["Name"], ""
    if kind != "HTTP":
        dns_name = absolute(name) or ""
        if not dns_name:
            raise invalid(f"{name} is not a DNS name: labels of 1 to 63 characters, 253 in all")
    _check_free(call, name, kind, vpc_id)
    namespace = Namespace(
        account=call.scope.account,
        region=call.scope.region,
        namespace_id=f"ns-{call.ids.token(16).lower()}",
        name=name,
        type=kind,
        description=params.get("Description") or "",
        vpc_id=vpc_id,
        created_at=call.now,
        creator_request_id=params.get("CreatorRequestId") or call.request_id,
        tags=checked_tags(call, params.get("Tags")),
    )
    vpcs = (ZoneVpc(region=call.scope.region, vpc_id=vpc_id),) if vpc_id else ()
    for vpc in vpcs:
        conflict = conflicting(call, dns_name, vpc)
        if conflict is not None:  # a user's zone of that name: the request was right, and its operation fails
            error = ("CANNOT_CREATE_HOSTED_ZONE", conflict)
            return done(call, "CREATE_NAMESPACE", error=error, NAMESPACE=namespace.namespace_id)
    if dns_name:
        zone = make_zone(
            call,
            name=dns_name,
            private=kind == "DNS_PRIVATE",
            vpcs=vpcs,
            comment=COMMENT,
            caller_reference=namespace.namespace_id,
            namespace=namespace,
            soa_ttl_s=_soa_ttl(params.get("Properties"), SOA_TTL_S),
        )
        namespace = namespace.but(hosted_zone_id=zone.zone_id)
    call.tx.put(namespace)
    return done(call, "CREATE_NAMESPACE", token=params.get("CreatorRequestId"), NAMESPACE=namespace.namespace_id)


def _check_free(call: Call, name: str, kind: str, vpc_id: str) -> None:
    """Names are taken per type; those of private namespaces per VPC."""
    for other in call.tx.select(Namespace, "name", (*call.scope, name.lower())):
        same_name = other.name == name if kind == "HTTP" else True
        if same_name and other.type == kind and other.vpc_id == vpc_id:
            raise ApiError(
                "NamespaceAlreadyExists",
                "The namespace that you're trying to create already exists.",
                members={"NamespaceId": other.namespace_id, "CreatorRequestId": other.creator_request_id},
            )


def get_namespace(call: Call) -> Answer:
    """GetNamespace."""
    namespace = find_namespace(call, call.params["Id"])
    view = {**_view(call, namespace), "CreatorRequestId": namespace.creator_request_id}
    return {"Namespace": view}


FILTERS: dict[str, Filter[Namespace]] = {
    "TYPE": Filter(lambda namespace: namespace.type, ("EQ", "IN")),
    "NAME": Filter(lambda namespace: namespace.name, ("EQ", "BEGINS_WITH")),
    "HTTP_NAME": Filter(lambda namespace: namespace.name, ("EQ", "BEGINS_WITH")),
    "RESOURCE_OWNER": Filter(lambda _namespace: "SELF", ("EQ",)),
}


def list_namespaces(call: Call) -> Answer:
    """ListNamespaces."""
    found = chosen(call.tx.select(Namespace, "scope", call.scope), call.params.get("Filters") or (), FILTERS)
    shown, more = listed(call, "ListNamespaces", found, lambda each: f"{each.name} {each.namespace_id}")
    return {"Namespaces": [_view(call, each) for each in shown], "NextToken": more}


def update_dns_namespace(kind: NamespaceType, call: Call) -> Answer:
    """UpdatePrivateDnsNamespace and UpdatePublicDnsNamespace."""
    namespace, given = _to_update(call, kind), call.params["Namespace"]
    properties = given.get("Properties")
    if properties is not None:
        set_soa_ttl(call, namespace.hosted_zone_id, _soa_ttl(properties, SOA_TTL_S))
    return _updated(call, namespace, given.get("Description"))


def update_http_namespace(call: Call) -> Answer:
    """UpdateHttpNamespace."""
    return _updated(call, _to_update(call, "HTTP"), call.params["Namespace"]["Description"])


def _to_update(call: Call, kind: NamespaceType) -> Namespace:
    namespace = find_namespace(call, call.params["Id"])
    if namespace.type != kind:
        raise invalid(f"{namespace.namespace_id} is of type {namespace.type}, not {kind}")
    return namespace


def _updated(call: Call, namespace: Namespace, description: str | None) -> Answer:
    token = call.params.get("UpdaterRequestId")
    if description is not None:
        call.tx.put(namespace.but(description=description))
    return done(call, "UPDATE_NAMESPACE", token=token, NAMESPACE=namespace.namespace_id)


def delete_namespace(call: Call) -> Answer:
    """DeleteNamespace, once it has no services; its hosted zone goes with it."""
    namespace = find_namespace(call, call.params["Id"])
    if call.tx.count(DiscoveryService, "namespace", (*call.scope, namespace.namespace_id)):
        text = "The namespace contains services: delete them before it."
        raise ApiError("ResourceInUse", text)
    if namespace.hosted_zone_id:
        remove_zone(call, namespace.hosted_zone_id)
    call.tx.delete(Namespace, namespace.key)
    return done(call, "DELETE_NAMESPACE", NAMESPACE=namespace.namespace_id)


def _soa_ttl(properties: dict[str, Any] | None, default: int) -> int:
    return int(properties["DnsProperties"]["SOA"]["TTL"]) if properties else default


def _view(call: Call, namespace: Namespace) -> Answer:
    properties: Answer = {"HttpProperties": {"HttpName": namespace.name}}
    if namespace.hosted_zone_id:
        properties["DnsProperties"] = {
            "HostedZoneId": namespace.hosted_zone_id,
            "SOA": {"TTL": soa_ttl_s(call, namespace.hosted_zone_id)},
        }
    view = {
        "Id": namespace.namespace_id,
        "Arn": namespace.arn,
        "ResourceOwner": namespace.account,
        "Name": namespace.name,
        "Type": namespace.type,
        "Description": namespace.description or None,
        "ServiceCount": call.tx.count(DiscoveryService, "namespace", (*namespace.scope, namespace.namespace_id)),
        "Properties": properties,
        "CreateDate": namespace.created_at,
    }
    return present(view)


OPERATIONS: dict[str, Operation] = {
    "CreateHttpNamespace": Operation(create_http_namespace),
    "CreatePrivateDnsNamespace": Operation(create_private_dns_namespace),
    "CreatePublicDnsNamespace": Operation(create_public_dns_namespace),
    "DeleteNamespace": Operation(delete_namespace),
    "GetNamespace": Operation(get_namespace),
    "ListNamespaces": Operation(list_namespaces),
    "UpdateHttpNamespace": Operation(update_http_namespace),
    "UpdatePrivateDnsNamespace": Operation(partial(update_dns_namespace, "DNS_PRIVATE")),
    "UpdatePublicDnsNamespace": Operation(partial(update_dns_namespace, "DNS_PUBLIC")),
}
