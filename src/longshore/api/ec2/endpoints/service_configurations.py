"""Endpoint services of users' own (PrivateLink), in front of network load balancers: kept and answered.

Endpoints can be made for them, by their account and by whom they allow. No traffic goes that way: nothing answers at
an endpoint's own addresses.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from longshore.api.ec2 import filters
from longshore.api.ec2.errors import bad_value, listed, paged
from longshore.api.ec2.regions import zone_id
from longshore.api.ec2.resources import RESOURCES, find, missing, place_of
from longshore.api.ec2.tags import new_tags, shown
from longshore.api.ec2.tokens import repeated, token_fields
from longshore.api.operation import Call, Operation
from longshore.domain.arn import Arn
from longshore.domain.ec2.endpoint import AVAILABLE, PENDING, REJECTED, EndpointServiceConfiguration, VpcEndpoint
from longshore.domain.ec2.network import derived_id
from longshore.domain.elbv2.balancer import LoadBalancer
from longshore.wire.errors import ApiError

Answer = dict[str, Any]
MAX_BALANCERS = 10
DOMAIN = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.IGNORECASE)
PRINCIPAL = re.compile(r"arn:aws:iam::([0-9]{12}):(root|user/.+|role/.+)")
FILTERS = {
    **filters.table(
        service_id="ServiceId",
        service_name="ServiceName",
        service_state="ServiceState",
        supported_ip_address_types="SupportedIpAddressTypes",
    ),
}
PERMISSION_FILTERS = filters.table(tags=None, principal="Principal", principal_type="PrincipalType")
CONNECTION_FILTERS = filters.table(
    tags=None,
    ip_address_type="IpAddressType",
    service_id="ServiceId",
    vpc_endpoint_id="VpcEndpointId",
    vpc_endpoint_owner="VpcEndpointOwner",
    vpc_endpoint_state="VpcEndpointState",
)


def create_vpc_endpoint_service_configuration(call: Call) -> Answer:
    """CreateVpcEndpointServiceConfiguration."""
    made = repeated(call, EndpointServiceConfiguration)
    if made is None:
        params = call.params
        accepts = params.get("AcceptanceRequired")
        made = EndpointServiceConfiguration(
            **place_of(call),
            **token_fields(call),
            service_id=f"vpce-svc-{call.ids.hex(17)}",
            load_balancers=_balancers(call, (), params.get("NetworkLoadBalancerArns") or ()),
            acceptance_required=accepts is None or accepts,
            private_name=_private_name(params.get("PrivateDnsName") or ""),
            tags=new_tags(call, "vpc-endpoint-service"),
        )
        call.tx.put(made)
    return {"ServiceConfiguration": view(call, made), "ClientToken": call.params.get("ClientToken")}


def _balancers(call: Call, before: Iterable[str], added: Iterable[str]) -> tuple[str, ...]:
    """Those of before and these: network load balancers of the account. Raises InvalidParameter."""
    found = tuple(dict.fromkeys([*before, *added]))
    if not 1 <= len(found) <= MAX_BALANCERS:
        raise ApiError("InvalidParameter", f"An endpoint service has 1 to {MAX_BALANCERS} network load balancers.")
    for text in added:
        arn = Arn.parse(text)
        balancer = _balancer(call, text) if arn is not None and arn.scope == call.scope else None
        if balancer is None:
            raise ApiError("InvalidParameter", f"The load balancer '{text[:256]}' does not exist")
        if balancer.type != "network":
            raise ApiError("InvalidParameter", f"The load balancer '{text[:256]}' is not a network load balancer")
    return found


def _balancer(call: Call, arn: str) -> LoadBalancer | None:
    found = call.tx.get(LoadBalancer, (*call.scope, arn.rpartition("/")[2]))
    return found if found is not None and found.arn == arn else None


def _private_name(name: str) -> str:
    if name and not DOMAIN.fullmatch(name):
        raise bad_value(name, "PrivateDnsName", "It is the name of a domain.")
    return name.lower()


def modify_vpc_endpoint_service_configuration(call: Call) -> Answer:
    """ModifyVpcEndpointServiceConfiguration."""
    params = call.params
    service = find(call, EndpointServiceConfiguration, params["ServiceId"])
    removed, added = params.get("RemoveNetworkLoadBalancerArns") or (), params.get("AddNetworkLoadBalancerArns") or ()
    for arn in removed:
        if arn not in service.load_balancers:
            raise ApiError("InvalidParameter", f"The load balancer '{arn[:256]}' is not one of the service")
    if removed or added:
        left = [each for each in service.load_balancers if each not in removed]
        service = service.but(load_balancers=_balancers(call, left, added))
    accepts, name = params.get("AcceptanceRequired"), params.get("PrivateDnsName")
    if accepts is not None:
        service = service.but(acceptance_required=accepts)
    if name or params.get("RemovePrivateDnsName"):
        service = service.but(private_name=_private_name(name or ""))
    call.tx.put(service)
    return {"Return": True}


def delete_vpc_endpoint_service_configurations(call: Call) -> Answer:
    """DeleteVpcEndpointServiceConfigurations. Those that do not exist or have endpoints are named in the answer."""
    unsuccessful = []
    for reference in dict.fromkeys(call.params["ServiceIds"]):
        service = call.tx.get(EndpointServiceConfiguration, (*call.scope, reference))
        if service is None:
            error = missing(RESOURCES[EndpointServiceConfiguration], reference)
            unsuccessful.append(_unsuccessful(reference, error.code, error.message))
        elif any(endpoint.acceptance != REJECTED for endpoint in _endpoints(call, service)):
            text = f"Service {reference} has existing active VPC Endpoint connections!"
            unsuccessful.append(_unsuccessful(reference, "ExistingVpcEndpointConnections", text))
        else:
            call.tx.delete(EndpointServiceConfiguration, service.key)
    return {"Unsuccessful": unsuccessful}


def _unsuccessful(reference: str, code: str, text: str) -> Answer:
    return {"ResourceId": reference, "Error": {"Code": code, "Message": text}}


def describe_vpc_endpoint_service_configurations(call: Call) -> Answer:
    """DescribeVpcEndpointServiceConfigurations."""
    return listed(
        call,
        EndpointServiceConfiguration,
        lambda service: view(call, service),
        FILTERS,
        "ServiceConfigurations",
        operation="DescribeVpcEndpointServiceConfigurations",
        member="ServiceId",
    )


def view(call: Call, service: EndpointServiceConfiguration) -> Answer:
    """A service, as its account sees it."""
    zones = zones_of_service(call, service)
    found: Answer = {
        "ServiceType": [{"ServiceType": "Interface"}],
        "ServiceId": service.service_id,
        "ServiceName": service.name,
        "ServiceState": "Available",
        "AvailabilityZones": zones,
        "AvailabilityZoneIds": [zone_id(zone) for zone in zones],
        "AcceptanceRequired": service.acceptance_required,
        "ManagesVpcEndpoints": False,
        "NetworkLoadBalancerArns": list(service.load_balancers),
        "SupportedIpAddressTypes": ["ipv4"],
        "BaseEndpointDnsNames": [service.base_name],
        "Tags": shown(service.tags),
    }
    if service.private_name:
        value = derived_id("vpce:", f"{service.service_id} {service.private_name}")
        found["PrivateDnsName"] = service.private_name
        found["PrivateDnsNameConfiguration"] = {
            "State": "pendingVerification",
            "Type": "TXT",
            "Name": f"_{derived_id('', service.service_id)}",
            "Value": value,
        }
    return found


def zones_of_service(call: Call, service: EndpointServiceConfiguration) -> list[str]:
    """The availability zones of its load balancers. `service` may be another account's."""
    found = (call.tx.get(LoadBalancer, (*service.scope, arn.rpartition("/")[2])) for arn in service.load_balancers)
    return sorted({zone.name for balancer in found if balancer is not None for zone in balancer.zones})


# ----------------------------------------------------------------------------------------------------- who may use it


def services_for(call: Call) -> list[EndpointServiceConfiguration]:
    """Those of the region that the caller may make endpoints for."""
    found = call.tx.select(EndpointServiceConfiguration, "region", (call.scope.region,))
    return [service for service in found if _allows(call, service)]


def _allows(call: Call, service: EndpointServiceConfiguration) -> bool:
    principal = call.caller.principal
    callers = {"*", f"arn:aws:iam::{call.scope.account}:root", principal.arn, principal.source}
    return service.account == call.scope.account or not callers.isdisjoint(service.principals)


def modify_vpc_endpoint_service_permissions(call: Call) -> Answer:
    """ModifyVpcEndpointServicePermissions."""
    service = find(call, EndpointServiceConfiguration, call.params["ServiceId"])
    added, removed = call.params.get("AddAllowedPrincipals") or (), call.params.get("RemoveAllowedPrincipals") or ()
    for principal in [*added, *removed]:
        if principal != "*" and not PRINCIPAL.fullmatch(principal):
            text = f"Invalid Principal: '{principal[:256]}'. It is the ARN of an account, a user or a role, or *."
            raise ApiError("InvalidPrincipal", text)
    new = [each for each in dict.fromkeys(added) if each not in service.principals]
    left = [each for each in service.principals if each not in removed]
    call.tx.put(service.but(principals=(*left, *new)))
    return {"AddedPrincipals": [_permission(service, each) for each in new], "ReturnValue": True}


def describe_vpc_endpoint_service_permissions(call: Call) -> Answer:
    """DescribeVpcEndpointServicePermissions."""
    service = find(call, EndpointServiceConfiguration, call.params["ServiceId"])
    views = [{**_permission(service, each), "Tags": []} for each in sorted(service.principals)]
    found = filters.apply(views, call.params.get("Filters"), PERMISSION_FILTERS)
    name = "DescribeVpcEndpointServicePermissions"
    return paged(call, name, "AllowedPrincipals", found, lambda each: str(each["Principal"]), "Principals")


def _permission(service: EndpointServiceConfiguration, principal: str) -> Answer:
    kinds = {"root": "Account", "user": "User", "role": "Role"}
    named = PRINCIPAL.fullmatch(principal)
    return {
        "PrincipalType": kinds[named[2].partition("/")[0]] if named else "All",
        "Principal": principal,
        "ServicePermissionId": derived_id("vpce-svc-perm-", f"{service.service_id} {principal}"),
        "ServiceId": service.service_id,
    }


# -------------------------------------------------------------------------------------------------------- connections


def _endpoints(call: Call, service: EndpointServiceConfiguration) -> list[VpcEndpoint]:
    """The endpoints that were made for it, of whatever account."""
    return list(call.tx.select(VpcEndpoint, "service", (service.name,)))


def describe_vpc_endpoint_connections(call: Call) -> Answer:
    """DescribeVpcEndpointConnections: the endpoints of all of the account's services."""
    services = call.tx.select(EndpointServiceConfiguration, "scope", call.scope)
    views = [_connection(service, endpoint) for service in services for endpoint in _endpoints(call, service)]
    views.sort(key=lambda each: str(each["VpcEndpointId"]))
    found = filters.apply(views, call.params.get("Filters"), CONNECTION_FILTERS)
    name = "DescribeVpcEndpointConnections"
    return paged(call, name, "VpcEndpointConnections", found, lambda each: str(each["VpcEndpointId"]), "Endpoints")


def _connection(service: EndpointServiceConfiguration, endpoint: VpcEndpoint) -> Answer:
    return {
        "ServiceId": service.service_id,
        "VpcEndpointId": endpoint.endpoint_id,
        "VpcEndpointOwner": endpoint.account,
        "VpcEndpointState": endpoint.acceptance,
        "CreationTimestamp": endpoint.created_at,
        "NetworkLoadBalancerArns": list(service.load_balancers),
        "IpAddressType": "ipv4",
        "VpcEndpointConnectionId": derived_id("vpce-con-", f"{service.service_id} {endpoint.endpoint_id}"),
        "VpcEndpointRegion": endpoint.region,
        "Tags": [],
    }


def accept_vpc_endpoint_connections(call: Call) -> Answer:
    """AcceptVpcEndpointConnections: of those that wait for it."""
    return _decide(call, lambda endpoint: endpoint.acceptance == PENDING, AVAILABLE)


def reject_vpc_endpoint_connections(call: Call) -> Answer:
    """RejectVpcEndpointConnections: of those that wait for it, or were accepted."""
    return _decide(call, lambda endpoint: endpoint.acceptance != REJECTED, REJECTED)


def _decide(call: Call, may: Callable[[VpcEndpoint], bool], state: str) -> Answer:
    service = find(call, EndpointServiceConfiguration, call.params["ServiceId"])
    known = {endpoint.endpoint_id: endpoint for endpoint in _endpoints(call, service)}
    unsuccessful = []
    for reference in dict.fromkeys(call.params["VpcEndpointIds"]):
        endpoint = known.get(reference)
        if endpoint is None:
            error = missing(RESOURCES[VpcEndpoint], reference)
            unsuccessful.append(_unsuccessful(reference, error.code, error.message))
        elif not may(endpoint):
            text = f"The endpoint {reference} is {endpoint.acceptance}."
            unsuccessful.append(_unsuccessful(reference, "InvalidState", text))
        else:
            call.tx.put(endpoint.but(acceptance=state))
    return {"Unsuccessful": unsuccessful}


_KEPT = "Kept and answered; no traffic reaches it through endpoints."
_NO_GATEWAYS = "Gateway load balancers are not served: use network ones."
_REGIONS = "Services of other regions have no endpoints here."
_ATTACHMENTS = "There are no transit gateways."
_NO_IPV6 = "Load balancers have IPv4 addresses alone."
_UNVERIFIED = "Kept, and never verified: tasks don't resolve it."

OPERATIONS = {
    "AcceptVpcEndpointConnections": Operation(
        accept_vpc_endpoint_connections, refuses={"TransitGatewayAttachmentIds": _ATTACHMENTS}
    ),
    "CreateVpcEndpointServiceConfiguration": Operation(
        create_vpc_endpoint_service_configuration,
        refuses={
            "GatewayLoadBalancerArns": _NO_GATEWAYS,
            "SupportedIpAddressTypes": _NO_IPV6,
            "SupportedRegions": _REGIONS,
        },
        allowed={"SupportedIpAddressTypes": (["ipv4"],)},
        inert={"NetworkLoadBalancerArns": _KEPT, "PrivateDnsName": _UNVERIFIED},
    ),
    "DeleteVpcEndpointServiceConfigurations": Operation(delete_vpc_endpoint_service_configurations),
    "DescribeVpcEndpointConnections": Operation(describe_vpc_endpoint_connections),
    "DescribeVpcEndpointServiceConfigurations": Operation(describe_vpc_endpoint_service_configurations),
    "DescribeVpcEndpointServicePermissions": Operation(describe_vpc_endpoint_service_permissions),
    "ModifyVpcEndpointServiceConfiguration": Operation(
        modify_vpc_endpoint_service_configuration,
        refuses={
            "AddGatewayLoadBalancerArns": _NO_GATEWAYS,
            "RemoveGatewayLoadBalancerArns": _NO_GATEWAYS,
            "AddSupportedIpAddressTypes": _NO_IPV6,
            "RemoveSupportedIpAddressTypes": _NO_IPV6,
            "AddSupportedRegions": _REGIONS,
            "RemoveSupportedRegions": _REGIONS,
        },
        allowed={"AddSupportedIpAddressTypes": (["ipv4"],)},
        inert={"AddNetworkLoadBalancerArns": _KEPT, "PrivateDnsName": _UNVERIFIED},
    ),
    "ModifyVpcEndpointServicePermissions": Operation(
        modify_vpc_endpoint_service_permissions,
        refuses={"PermissionType": _ATTACHMENTS},
        allowed={"PermissionType": ("vpc-endpoint",)},
    ),
    "RejectVpcEndpointConnections": Operation(
        reject_vpc_endpoint_connections, refuses={"TransitGatewayAttachmentIds": _ATTACHMENTS}
    ),
}
