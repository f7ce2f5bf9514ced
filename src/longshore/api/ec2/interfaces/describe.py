"""DescribeNetworkInterfaces: those of running tasks, of load balancers, gateways and endpoints, and users' own."""

from datetime import UTC, datetime
from typing import Any

from longshore.api.ec2 import filters
from longshore.api.ec2.errors import listed
from longshore.api.ec2.regions import zone_id
from longshore.api.ec2.tags import shown
from longshore.api.operation import Call, Operation
from longshore.domain.ec2.network import NetworkInterface, SecurityGroup, private_dns_name
from longshore.domain.ec2.routing import Address, public_dns_name


def _attached(view: dict[str, Any]) -> list[str]:
    """`attachment.attach-time`, as filters write it."""
    times = filters.at("Attachment.AttachTime")(view)
    return [datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z") for at in times]


REQUESTERS = {"amazon-elb": "amazon-elb"}
"""Who asked for an interface, by the owner of what it is attached to, where that is not the account of ECS."""
_ADDRESS = "PrivateIpAddresses"
FILTERS = {
    **filters.table(
        tags="TagSet",
        availability_zone="AvailabilityZone",
        availability_zone_id="AvailabilityZoneId",
        description="Description",
        group_id="Groups.GroupId",
        group_name="Groups.GroupName",
        interface_type="InterfaceType",
        mac_address="MacAddress",
        network_interface_id="NetworkInterfaceId",
        owner_id="OwnerId",
        private_dns_name="PrivateDnsName",
        private_ip_address="PrivateIpAddress",
        requester_id="RequesterId",
        requester_managed="RequesterManaged",
        source_dest_check="SourceDestCheck",
        status="Status",
        subnet_id="SubnetId",
        vpc_id="VpcId",
    ),
    "addresses.private-ip-address": filters.at(f"{_ADDRESS}.PrivateIpAddress"),
    "addresses.primary": filters.at(f"{_ADDRESS}.Primary"),
    "addresses.association.owner-id": filters.at(f"{_ADDRESS}.Association.IpOwnerId"),
    "addresses.association.public-ip": filters.at(f"{_ADDRESS}.Association.PublicIp"),
    "association.allocation-id": filters.at("Association.AllocationId"),
    "association.association-id": filters.at("Association.AssociationId"),
    "association.ip-owner-id": filters.at("Association.IpOwnerId"),
    "association.public-ip": filters.at("Association.PublicIp"),
    "association.public-dns-name": filters.at("Association.PublicDnsName"),
    "attachment.attach-time": _attached,
    "attachment.attachment-id": filters.at("Attachment.AttachmentId"),
    "attachment.delete-on-termination": filters.at("Attachment.DeleteOnTermination"),
    "attachment.device-index": filters.at("Attachment.DeviceIndex"),
    "attachment.instance-id": filters.at("Attachment.InstanceId"),
    "attachment.instance-owner-id": filters.at("Attachment.InstanceOwnerId"),
    "attachment.status": filters.at("Attachment.Status"),
    "ipv6-addresses.ipv6-address": filters.at("Ipv6Addresses.Ipv6Address"),
    "operator.managed": filters.at("Operator.Managed"),
    "operator.principal": filters.at("Operator.Principal"),
}


def describe_network_interfaces(call: Call) -> dict[str, Any]:
    """DescribeNetworkInterfaces; a task's is gone when its address can be used again."""
    asked = call.params.get("NetworkInterfaceIds") or ()
    looked_up = (call.tx.get(NetworkInterface, (*call.scope, reference)) for reference in asked)
    return listed(
        call,
        NetworkInterface,
        lambda interface: interface_view(call, interface),
        FILTERS,
        "NetworkInterfaces",
        operation="DescribeNetworkInterfaces",
        member="NetworkInterfaceId",
        records=[record for record in looked_up if record is not None] if asked else _narrowed(call),
    )


def _narrowed(call: Call) -> list[NetworkInterface]:
    """The interfaces that may pass the filters: with a subnet, group or VPC named exactly, an index finds them."""
    for name, index in (("subnet-id", "subnet"), ("group-id", "group"), ("vpc-id", "vpc")):
        for entry in call.params.get("Filters") or ():
            values = entry.get("Values") or ()
            if entry.get("Name") == name and values and not any(set(value) & set("*?\\") for value in values):
                return [
                    record
                    for value in dict.fromkeys(values)
                    for record in call.tx.select(NetworkInterface, index, (*call.scope, value))
                ]
    return call.tx.select(NetworkInterface, "scope", call.scope)


def interface_view(call: Call, interface: NetworkInterface) -> dict[str, Any]:
    """A network interface, as EC2 answers it. One that a user has made is attached to nothing."""
    name = private_dns_name(interface.private_ip, interface.region)
    address: dict[str, Any] = {"Primary": True, "PrivateIpAddress": interface.private_ip, "PrivateDnsName": name}
    association = _association(call, interface)
    view = {
        "NetworkInterfaceId": interface.interface_id,
        "OwnerId": interface.account,
        "VpcId": interface.vpc_id,
        "SubnetId": interface.subnet_id,
        "AvailabilityZone": interface.availability_zone,
        "AvailabilityZoneId": zone_id(interface.availability_zone),
        "Description": interface.description,
        "InterfaceType": interface.interface_type,
        "MacAddress": interface.mac_address,
        "PrivateIpAddress": interface.private_ip,
        "PrivateDnsName": name,
        "PrivateIpAddresses": [address | association],
        "Ipv6Addresses": [],
        "Groups": groups_view(call, interface),
        "RequesterManaged": managed(interface),
        "SourceDestCheck": interface.source_dest_check,
        "Status": "in-use" if interface.attachment_id else "available",
        "TagSet": shown(interface.tags),
        **association,
    }
    if managed(interface):
        view["Attachment"] = attachment_view(interface)
        view["RequesterId"] = REQUESTERS.get(interface.instance_owner_id, "578734482556")
    return view


def managed(interface: NetworkInterface) -> bool:
    """Whether it is a task's, a load balancer's, a gateway's or an endpoint's, and not a user's to change."""
    return bool(interface.attachment_id)


def attachment_view(interface: NetworkInterface) -> dict[str, Any]:
    """What an interface is attached to."""
    return {
        "AttachmentId": interface.attachment_id,
        "AttachTime": interface.created_at,
        "DeleteOnTermination": False,
        "DeviceIndex": 1,
        "NetworkCardIndex": 0,
        "InstanceOwnerId": interface.instance_owner_id,
        "Status": "attached",
    }


def _association(call: Call, interface: NetworkInterface) -> dict[str, Any]:
    """The elastic IP address of an interface, where it has one."""
    for address in call.tx.select(Address, "interface", interface.key):
        found = {
            "AllocationId": address.allocation_id,
            "AssociationId": address.association_id,
            "IpOwnerId": address.account,
            "PublicDnsName": public_dns_name(address),
            "PublicIp": address.public_ip,
        }
        return {"Association": found}
    return {}


def groups_view(call: Call, interface: NetworkInterface) -> list[dict[str, str]]:
    """The security groups of an interface."""
    found = ((group_id, call.tx.get(SecurityGroup, (*call.scope, group_id))) for group_id in interface.security_groups)
    return [{"GroupId": group_id, "GroupName": group.name if group else group_id} for group_id, group in found]


OPERATIONS = {
    "DescribeNetworkInterfaces": Operation(
        describe_network_interfaces,
        inert={"IncludeManagedResources": "Interfaces that AWS hides by default are of services that are not served."},
    )
}
