"""VPC endpoints: created, changed, described, deleted.

A gateway endpoint has routes in tables, an interface endpoint an address in each of its subnets. Tasks reach the AWS
APIs at 169.254.170.2 whether there are endpoints or not; nothing answers at an interface endpoint's own addresses.
"""

import json
from collections.abc import Iterable
from typing import Any

from longshore.api.ec2 import filters
from longshore.api.ec2.endpoints.service_configurations import services_for
from longshore.api.ec2.endpoints.services import EndpointService, prefix_list_of, private_name, services
from longshore.api.ec2.errors import listed
from longshore.api.ec2.interfaces.making import groups_of, take_interface
from longshore.api.ec2.resources import RESOURCES, find, missing, place_of
from longshore.api.ec2.tags import new_tags, shown
from longshore.api.ec2.tokens import repeated, token_fields
from longshore.api.ec2.vpcs.vpcs import attributes_of
from longshore.api.operation import Call, Operation
from longshore.domain.ec2.endpoint import AVAILABLE, PENDING, VpcEndpoint
from longshore.domain.ec2.network import NetworkInterface, SecurityGroup, Subnet, Vpc, derived_id
from longshore.domain.ec2.routing import RouteTable
from longshore.wire.errors import ApiError

FULL_ACCESS = '{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}],"Version":"2008-10-17"}'
PRIVATE_LINK = "com.amazonaws.vpce."
"""How the names of users' own services begin."""
MAX_POLICY = 20480
FILTERS = filters.table(
    ip_address_type="IpAddressType",
    service_name="ServiceName",
    service_region="ServiceRegion",
    vpc_endpoint_id="VpcEndpointId",
    vpc_endpoint_state="State",
    vpc_endpoint_type="VpcEndpointType",
    vpc_id="VpcId",
)


def create_vpc_endpoint(call: Call) -> dict[str, Any]:
    """CreateVpcEndpoint."""
    token = call.params.get("ClientToken")
    made = repeated(call, VpcEndpoint)
    if made is None:
        made = _new(call)
        call.tx.put(made)
    return {"VpcEndpoint": {**view(call, made), "State": _state(made, "pending")}, "ClientToken": token}


def _new(call: Call) -> VpcEndpoint:
    params = call.params
    vpc = find(call, Vpc, params["VpcId"])
    service = _service(call)
    options, policy = params.get("DnsOptions") or {}, params.get("PolicyDocument")
    endpoint = VpcEndpoint(
        **place_of(call),
        **token_fields(call),
        endpoint_id=f"vpce-{call.ids.hex(17)}",
        vpc_id=vpc.vpc_id,
        service_name=service.name,
        type=service.type,
        acceptance=_acceptance(call, service),
        policy=_policy(policy) if policy else FULL_ACCESS,
        created_at=call.now,
        record_ip_type=options.get("DnsRecordIpType") or "",
        only_for_resolver=bool(options.get("PrivateDnsOnlyForInboundResolverEndpoint")),
        tags=new_tags(call, "vpc-endpoint"),
    )
    tables, subnets = params.get("RouteTableIds") or [], params.get("SubnetIds") or []
    groups, private = params.get("SecurityGroupIds") or [], bool(params.get("PrivateDnsEnabled"))
    addresses = {each.get("SubnetId"): each.get("Ipv4") for each in params.get("SubnetConfigurations") or ()}
    if service.type == "Gateway":
        if subnets or groups or private or addresses:
            text = "Gateway endpoints have route tables: no subnets, security groups or private DNS names"
            raise ApiError("InvalidParameter", text)
        endpoint = endpoint.but(prefix_list_id=prefix_list_of(call.scope.region, service.short_name))
        return _with_tables(call, endpoint, tables)
    if tables:
        raise ApiError("InvalidParameter", "Interface endpoints have subnets: no route tables")
    endpoint = endpoint.but(security_groups=groups_of(call, groups, vpc.vpc_id, "SecurityGroupId"))
    if private:
        endpoint = _with_private_dns(call, endpoint, vpc)
    wanted = list(dict.fromkeys([*subnets, *(each for each in addresses if each)]))
    return _with_subnets(call, endpoint, wanted, addresses)


def _service(call: Call) -> EndpointService:
    """The service that an endpoint of the asked type is for."""
    name, kind = call.params.get("ServiceName") or "", call.params.get("VpcEndpointType") or "Gateway"
    known = [service for service in services(call.scope.region) if service.name == name]
    known += [EndpointService(own.name, own.service_id, "Interface") for own in services_for(call) if own.name == name]
    if not known:
        text = f"The Vpc Endpoint Service '{name[:128]}' does not exist"
        raise ApiError("InvalidServiceName", text)
    for service in known:
        if service.type == kind:
            return service
    text = f"Endpoint type ({kind}) does not match available service types ([{known[0].type}])."
    raise ApiError("InvalidParameter", text)


def _acceptance(call: Call, service: EndpointService) -> str:
    """AWS's services take everybody, users' own as they say."""
    asks = any(own.acceptance_required for own in services_for(call) if own.name == service.name)
    return PENDING if asks else AVAILABLE


def _policy(text: str) -> str:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict) or len(text) > MAX_POLICY:
        raise ApiError("InvalidPolicyDocument", "Policy document is not valid JSON, or too long.")
    return text


def _with_tables(call: Call, endpoint: VpcEndpoint, references: Iterable[str]) -> VpcEndpoint:
    for reference in references:
        table = find(call, RouteTable, reference)
        if table.vpc_id != endpoint.vpc_id:
            text = f"Route table {table.table_id} and VPC {endpoint.vpc_id} belong to different networks"
            raise ApiError("InvalidParameter", text)
        others = call.tx.select(VpcEndpoint, "route_table", table.key)
        if any(other.prefix_list_id == endpoint.prefix_list_id for other in others) or (
            table.table_id in endpoint.route_table_ids
        ):
            text = f"route table {table.table_id} already has a route with destination-prefix-list-id "
            raise ApiError("RouteAlreadyExists", f"{text}{endpoint.prefix_list_id}")
        endpoint = endpoint.but(route_table_ids=(*endpoint.route_table_ids, table.table_id))
    return endpoint


def _with_private_dns(call: Call, endpoint: VpcEndpoint, vpc: Vpc) -> VpcEndpoint:
    if endpoint.service_name.startswith(PRIVATE_LINK):
        text = "Private DNS can't be enabled because the service does not have a verified private DNS name."
        raise ApiError("InvalidParameter", text)
    values = attributes_of(vpc)
    if not (values["EnableDnsSupport"] and values["EnableDnsHostnames"]):
        text = (
            "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for"
        )
        raise ApiError("InvalidParameter", f"{text} {vpc.vpc_id}")
    for other in call.tx.select(VpcEndpoint, "vpc", vpc.key):
        same = other.service_name == endpoint.service_name and other.endpoint_id != endpoint.endpoint_id
        if same and other.private_dns:
            text = "private-dns-enabled cannot be set because there is already a conflicting DNS domain for"
            short = endpoint.service_name.removeprefix(f"com.amazonaws.{endpoint.region}.")
            raise ApiError("InvalidParameter", f"{text} {private_name(endpoint.region, short)} in the VPC {vpc.vpc_id}")
    return endpoint.but(private_dns=True)


def _with_subnets(
    call: Call, endpoint: VpcEndpoint, references: Iterable[str], addresses: dict[Any, Any]
) -> VpcEndpoint:
    """The endpoint with an interface in each of these subnets: one per availability zone."""
    for reference in references:
        subnet = find(call, Subnet, reference)
        if subnet.vpc_id != endpoint.vpc_id:
            text = f"Subnet {subnet.subnet_id} and VPC {endpoint.vpc_id} belong to different networks"
            raise ApiError("InvalidParameter", text)
        known = [call.tx.get(Subnet, (*call.scope, each)) for each in endpoint.subnet_ids]
        if any(other is not None and other.availability_zone == subnet.availability_zone for other in known):
            text = f"Found another VPC endpoint subnet in the availability zone of {subnet.subnet_id}"
            raise ApiError("DuplicateSubnetsInSameZone", text)
        interface = take_interface(
            call,
            subnet,
            address=addresses.get(reference) or "",
            attachment_id=f"ela-attach-{call.ids.hex(17)}",
            description=f"VPC Endpoint Interface {endpoint.endpoint_id}",
            interface_type="vpc_endpoint",
            security_groups=endpoint.security_groups,
        )
        endpoint = endpoint.but(
            subnet_ids=(*endpoint.subnet_ids, subnet.subnet_id),
            interface_ids=(*endpoint.interface_ids, interface.interface_id),
        )
    return endpoint


def _without_subnets(call: Call, endpoint: VpcEndpoint, references: Iterable[str]) -> VpcEndpoint:
    for reference in references:
        if reference not in endpoint.subnet_ids:
            raise missing(RESOURCES[Subnet], reference)
        at = endpoint.subnet_ids.index(reference)
        call.tx.delete(NetworkInterface, (*call.scope, endpoint.interface_ids[at]))
        endpoint = endpoint.but(
            subnet_ids=(*endpoint.subnet_ids[:at], *endpoint.subnet_ids[at + 1 :]),
            interface_ids=(*endpoint.interface_ids[:at], *endpoint.interface_ids[at + 1 :]),
        )
    return endpoint


def modify_vpc_endpoint(call: Call) -> dict[str, Any]:
    """ModifyVpcEndpoint."""
    params = call.params
    endpoint = find(call, VpcEndpoint, params["VpcEndpointId"])
    policy, private, options = params.get("PolicyDocument"), params.get("PrivateDnsEnabled"), params.get("DnsOptions")
    if params.get("ResetPolicy"):
        endpoint = endpoint.but(policy=FULL_ACCESS)
    if policy:
        endpoint = endpoint.but(policy=_policy(policy))
    if options:
        endpoint = endpoint.but(
            record_ip_type=options.get("DnsRecordIpType") or endpoint.record_ip_type,
            only_for_resolver=bool(options.get("PrivateDnsOnlyForInboundResolverEndpoint")),
        )
    if private is not None and endpoint.type == "Interface":
        vpc = find(call, Vpc, endpoint.vpc_id)
        endpoint = _with_private_dns(call, endpoint, vpc) if private else endpoint.but(private_dns=False)
    endpoint = _with_other_tables(call, endpoint)
    endpoint = _with_other_groups(call, endpoint)
    addresses = {each.get("SubnetId"): each.get("Ipv4") for each in params.get("SubnetConfigurations") or ()}
    more, less = params.get("AddSubnetIds") or (), params.get("RemoveSubnetIds") or ()
    if (more or less or addresses) and endpoint.type == "Gateway":
        raise ApiError("InvalidParameter", "Gateway endpoints have route tables, no subnets")
    endpoint = _without_subnets(call, endpoint, less)
    new = [each for each in dict.fromkeys([*more, *addresses]) if each and each not in endpoint.subnet_ids]
    call.tx.put(_with_subnets(call, endpoint, new, addresses))
    return {"Return": True}


def _with_other_tables(call: Call, endpoint: VpcEndpoint) -> VpcEndpoint:
    added, removed = call.params.get("AddRouteTableIds") or (), call.params.get("RemoveRouteTableIds") or ()
    if (added or removed) and endpoint.type == "Interface":
        raise ApiError("InvalidParameter", "Interface endpoints have subnets, no route tables")
    for reference in removed:
        if reference not in endpoint.route_table_ids:
            raise missing(RESOURCES[RouteTable], reference)
    left = tuple(each for each in endpoint.route_table_ids if each not in removed)
    return _with_tables(call, endpoint.but(route_table_ids=left), added)


def _with_other_groups(call: Call, endpoint: VpcEndpoint) -> VpcEndpoint:
    added, removed = call.params.get("AddSecurityGroupIds") or (), call.params.get("RemoveSecurityGroupIds") or ()
    if not added and not removed:
        return endpoint
    if endpoint.type == "Gateway":
        raise ApiError("InvalidParameter", "Gateway endpoints have no security groups")
    left = [each for each in endpoint.security_groups if each not in removed]
    groups = groups_of(call, [*left, *added], endpoint.vpc_id, "SecurityGroupId")
    for interface_id in endpoint.interface_ids:
        interface = call.tx.get(NetworkInterface, (*call.scope, interface_id))
        if interface is not None:
            call.tx.put(interface.but(security_groups=groups))
    return endpoint.but(security_groups=groups)


def delete_vpc_endpoints(call: Call) -> dict[str, Any]:
    """DeleteVpcEndpoints. Those that do not exist are named in the answer."""
    unsuccessful = []
    for reference in dict.fromkeys(call.params["VpcEndpointIds"]):
        endpoint = call.tx.get(VpcEndpoint, (*call.scope, reference))
        if endpoint is None:
            error = missing(RESOURCES[VpcEndpoint], reference)
            unsuccessful.append({"ResourceId": reference, "Error": {"Code": error.code, "Message": error.message}})
            continue
        for interface_id in endpoint.interface_ids:
            call.tx.delete(NetworkInterface, (*call.scope, interface_id))
        call.tx.delete(VpcEndpoint, endpoint.key)
    return {"Unsuccessful": unsuccessful}


def describe_vpc_endpoints(call: Call) -> dict[str, Any]:
    """DescribeVpcEndpoints."""
    return listed(
        call,
        VpcEndpoint,
        lambda endpoint: view(call, endpoint),
        FILTERS,
        "VpcEndpoints",
        operation="DescribeVpcEndpoints",
        member="VpcEndpointId",
    )


def view(call: Call, endpoint: VpcEndpoint) -> dict[str, Any]:
    """An endpoint, as EC2 answers it."""
    found: dict[str, Any] = {
        "VpcEndpointId": endpoint.endpoint_id,
        "VpcEndpointType": endpoint.type,
        "VpcId": endpoint.vpc_id,
        "ServiceName": endpoint.service_name,
        "ServiceRegion": endpoint.region,
        "State": endpoint.acceptance,
        "PolicyDocument": endpoint.policy,
        "RouteTableIds": list(endpoint.route_table_ids),
        "SubnetIds": list(endpoint.subnet_ids),
        "Groups": [_group(call, group_id) for group_id in endpoint.security_groups],
        "PrivateDnsEnabled": endpoint.private_dns,
        "RequesterManaged": False,
        "NetworkInterfaceIds": list(endpoint.interface_ids),
        "DnsEntries": _dns_entries(call, endpoint),
        "CreationTimestamp": endpoint.created_at,
        "OwnerId": endpoint.account,
        "Tags": shown(endpoint.tags),
    }
    if endpoint.type == "Interface":
        found["IpAddressType"] = "ipv4"
        found["DnsOptions"] = {"DnsRecordIpType": endpoint.record_ip_type or "ipv4"}
        if endpoint.only_for_resolver:
            found["DnsOptions"]["PrivateDnsOnlyForInboundResolverEndpoint"] = True
    return found


def _state(endpoint: VpcEndpoint, new: str) -> str:
    """Gateways are there at once."""
    return new if endpoint.type == "Interface" and endpoint.acceptance == AVAILABLE else endpoint.acceptance


def _dns_entries(call: Call, endpoint: VpcEndpoint) -> list[dict[str, str]]:
    if endpoint.type == "Gateway":
        return []
    short = endpoint.service_name.removeprefix(f"com.amazonaws.{endpoint.region}.")
    short = short.removeprefix(f"{PRIVATE_LINK}{endpoint.region}.")
    head = f"{endpoint.endpoint_id}-{derived_id('', endpoint.endpoint_id)[:8]}"
    tail = f"{short}.{endpoint.region}.vpce.amazonaws.com"
    zone = {"HostedZoneId": derived_id("Z", tail).upper()}
    subnets = [call.tx.get(Subnet, (*call.scope, each)) for each in endpoint.subnet_ids]
    names = [f"{head}.{tail}", *(f"{head}-{each.availability_zone}.{tail}" for each in subnets if each is not None)]
    entries = [{"DnsName": name, **zone} for name in names]
    if endpoint.private_dns:
        entries.append({"DnsName": private_name(endpoint.region, short), **zone})
    return entries


def _group(call: Call, group_id: str) -> dict[str, str]:
    group = call.tx.get(SecurityGroup, (*call.scope, group_id))
    return {"GroupId": group_id, "GroupName": group.name if group else group_id}


_NO_IPV6 = "Endpoints have IPv4 addresses alone."
_NO_LATTICE = "There is no VPC Lattice."
_REFUSED = {
    "IpAddressType": _NO_IPV6,
    "SubnetConfigurations[].Ipv6": _NO_IPV6,
    "DnsOptions.PrivateDnsPreference": _NO_LATTICE,
    "DnsOptions.PrivateDnsSpecifiedDomains": _NO_LATTICE,
}
_INERT = {
    "PolicyDocument": "Kept and answered: requests are not judged by the endpoint that they come through.",
    "DnsOptions": "Kept and answered: the names of endpoints are not in the name server.",
    "PrivateDnsEnabled": "Kept and answered: tasks are told where the AWS APIs are (AWS_ENDPOINT_URL).",
}
OPERATIONS = {
    "CreateVpcEndpoint": Operation(
        create_vpc_endpoint,
        refuses={
            **_REFUSED,
            "VpcEndpointType": "Endpoints are of type Gateway or Interface.",
            "ServiceNetworkArn": _NO_LATTICE,
            "ResourceConfigurationArn": _NO_LATTICE,
            "ServiceRegion": "Services of other regions have no endpoints here: leave ServiceRegion out.",
        },
        allowed={"IpAddressType": ("ipv4",), "VpcEndpointType": ("Gateway", "Interface")},
        inert=_INERT,
    ),
    "DeleteVpcEndpoints": Operation(delete_vpc_endpoints),
    "DescribeVpcEndpoints": Operation(describe_vpc_endpoints),
    "ModifyVpcEndpoint": Operation(
        modify_vpc_endpoint, refuses=_REFUSED, allowed={"IpAddressType": ("ipv4",)}, inert=_INERT
    ),
}
