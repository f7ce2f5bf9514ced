"""The services that a VPC endpoint can be made for, and the prefix lists that AWS keeps: those of gateway endpoints.

In a task all AWS APIs answer at 169.254.170.2, with or without an endpoint; so that is what a service's prefix list
holds.
"""

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

from longshore.api.ec2 import filters
from longshore.api.ec2.endpoints.integrated import INTERFACES
from longshore.api.ec2.endpoints.service_configurations import services_for, zones_of_service
from longshore.api.ec2.errors import paged
from longshore.api.ec2.regions import zones_of
from longshore.api.ec2.tags import shown
from longshore.api.operation import Call, Operation
from longshore.domain.ec2.endpoint import EndpointServiceConfiguration, EndpointType
from longshore.domain.ec2.network import derived_id
from longshore.wire.errors import ApiError

GATEWAYS = {"dynamodb": "pl-02cd2c6b", "s3": "pl-63a5400a"}
"""Services with gateway endpoints, and their prefix lists' ids in us-east-1."""
ADDRESS = "169.254.170.2/32"


class EndpointService(NamedTuple):
    """A service, with one kind of endpoint."""

    name: str
    """Such as `com.amazonaws.us-east-1.s3`."""
    short_name: str
    type: EndpointType


@functools.cache
def services(region: str) -> tuple[EndpointService, ...]:
    """What endpoints can be made for in a region, by name."""
    found = [EndpointService(f"com.amazonaws.{region}.{name}", name, "Gateway") for name in GATEWAYS]
    found += [EndpointService(f"com.amazonaws.{region}.{name}", name, "Interface") for name in INTERFACES]
    return tuple(sorted(found))


def prefix_list_of(region: str, short_name: str) -> str:
    """The id of the prefix list of a gateway's service."""
    if region == "us-east-1":
        return GATEWAYS[short_name]
    return derived_id("pl-", f"{region}.{short_name}")[:11]


@functools.cache
def aws_prefix_lists(region: str) -> Mapping[str, str]:
    """The names of AWS's own prefix lists by their ids."""
    return {prefix_list_of(region, name): f"com.amazonaws.{region}.{name}" for name in GATEWAYS}


SERVICE_FILTERS = {
    **filters.table(
        owner="Owner",
        service_name="ServiceName",
        service_region="ServiceRegion",
        supported_ip_address_types="SupportedIpAddressTypes",
    ),
    "service-type": filters.at("ServiceType.ServiceType"),
}


def describe_vpc_endpoint_services(call: Call) -> dict[str, Any]:
    """DescribeVpcEndpointServices."""
    region = call.scope.region
    views = [_service_view(region, service) for service in services(region)]
    views += [_own_view(call, service) for service in services_for(call)]
    views.sort(key=lambda view: str(view["ServiceId"]))
    asked = call.params.get("ServiceNames") or ()
    unknown = [name for name in asked if name not in {view["ServiceName"] for view in views}]
    if unknown:
        raise ApiError("InvalidServiceName", f"The Vpc Endpoint Service '{unknown[0][:128]}' does not exist")
    if asked:
        views = [view for view in views if view["ServiceName"] in asked]
    found = filters.apply(views, call.params.get("Filters"), SERVICE_FILTERS)
    name = "DescribeVpcEndpointServices"
    answer = paged(call, name, "ServiceDetails", found, lambda view: str(view["ServiceId"]), "ServiceNames")
    return {**answer, "ServiceNames": list(dict.fromkeys(view["ServiceName"] for view in answer["ServiceDetails"]))}


def _service_view(region: str, service: EndpointService) -> dict[str, Any]:
    view: dict[str, Any] = {
        "ServiceName": service.name,
        "ServiceId": derived_id("vpce-svc-", f"{service.name} {service.type}"),
        "ServiceType": [{"ServiceType": service.type}],
        "ServiceRegion": region,
        "AvailabilityZones": zones_of(region),
        "Owner": "amazon",
        "BaseEndpointDnsNames": [_base_name(region, service)],
        "VpcEndpointPolicySupported": True,
        "AcceptanceRequired": False,
        "ManagesVpcEndpoints": False,
        "SupportedIpAddressTypes": ["ipv4"],
        "Tags": [],
    }
    if service.type == "Interface":
        name = private_name(region, service.short_name)
        view |= {
            "PrivateDnsName": name,
            "PrivateDnsNames": [{"PrivateDnsName": name}],
            "PrivateDnsNameVerificationState": "verified",
        }
    return view


def _own_view(call: Call, service: EndpointServiceConfiguration) -> dict[str, Any]:
    """A user's service, as those see it who may make endpoints for it."""
    return {
        "ServiceName": service.name,
        "ServiceId": service.service_id,
        "ServiceType": [{"ServiceType": "Interface"}],
        "ServiceRegion": service.region,
        "AvailabilityZones": zones_of_service(call, service),
        "Owner": service.account,
        "BaseEndpointDnsNames": [service.base_name],
        "VpcEndpointPolicySupported": False,
        "AcceptanceRequired": service.acceptance_required,
        "ManagesVpcEndpoints": False,
        "SupportedIpAddressTypes": ["ipv4"],
        "Tags": shown(service.tags),
    }


def _base_name(region: str, service: EndpointService) -> str:
    if service.type == "Gateway":
        return f"{service.short_name}.{region}.amazonaws.com"
    return f"{service.short_name}.{region}.vpce.amazonaws.com"


def private_name(region: str, short_name: str) -> str:
    """The name that an endpoint with private DNS stands for."""
    name = NAMED_OTHERWISE.get(short_name) or ".".join(reversed(short_name.split(".")))
    return f"{name}.{region}.amazonaws.com"


NAMED_OTHERWISE = {
    "codeartifact.api": "codeartifact",
    "codeartifact.repositories": "*.d.codeartifact",
    "ecr.dkr": "*.dkr.ecr",
    "execute-api": "*.execute-api",
    "kinesis-firehose": "firehose",
    "kinesis-streams": "kinesis",
    "s3": "*.s3",
}


LIST_FILTERS = filters.table(tags=None, prefix_list_id="PrefixListId", prefix_list_name="PrefixListName")


def describe_prefix_lists(call: Call) -> dict[str, Any]:
    """DescribePrefixLists: AWS's own."""
    known = aws_prefix_lists(call.scope.region)
    asked = call.params.get("PrefixListIds") or ()
    for reference in asked:
        if reference not in known:
            raise ApiError("InvalidPrefixListId.NotFound", f"The prefix list ID '{reference[:64]}' does not exist")
    views = [
        {"PrefixListId": list_id, "PrefixListName": name, "Cidrs": [ADDRESS]}
        for list_id, name in sorted(known.items())
        if not asked or list_id in asked
    ]
    found = filters.apply(views, call.params.get("Filters"), LIST_FILTERS)
    return paged(
        call, "DescribePrefixLists", "PrefixLists", found, lambda view: str(view["PrefixListId"]), "PrefixListIds"
    )


OPERATIONS = {
    "DescribePrefixLists": Operation(describe_prefix_lists),
    "DescribeVpcEndpointServices": Operation(
        describe_vpc_endpoint_services,
        refuses={"ServiceRegions": "Services of other regions have no endpoints here: leave ServiceRegions out."},
    ),
}
