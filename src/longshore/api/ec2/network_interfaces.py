"""DescribeNetworkInterfaces: the interfaces of running tasks and of load balancers."""

from datetime import UTC, datetime
from typing import Any

from longshore.api.ec2 import filters
from longshore.api.ec2.errors import Resource, chosen, end_dry_run, paged
from longshore.api.ec2.regions import zone_id
from longshore.api.operation import Call
from longshore.domain.network import NetworkInterface, SecurityGroup, private_dns_name
from longshore.domain.tag import tags_list

INTERFACE = Resource(
    "NetworkInterfaceIds",
    "eni-",
    "InvalidNetworkInterfaceId.Malformed",
    "InvalidNetworkInterfaceID.NotFound",
    "networkInterface ID",
)


def _attached(view: dict[str, Any]) -> list[str]:
    """`attachment.attach-time`, as filters write it."""
    at = view["Attachment"]["AttachTime"]
    return [datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")]


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
    """The network interfaces of a region; a task's is gone when its address can be used again."""
    end_dry_run(call)
    asked = call.params.get("NetworkInterfaceIds") or ()
    if asked:
        looked_up = (call.tx.get(NetworkInterface, (*call.scope, reference)) for reference in asked)
        found = {record.interface_id: record for record in looked_up if record is not None}
    else:
        found = {record.interface_id: record for record in _narrowed(call)}
    views = (interface_view(call, record) for record in chosen(found, asked, INTERFACE))
    shown = filters.apply(views, call.params.get("Filters"), FILTERS)
    return paged(
        call,
        "DescribeNetworkInterfaces",
        "NetworkInterfaces",
        shown,
        lambda view: str(view["NetworkInterfaceId"]),
        "NetworkInterfaceIds",
    )


def _narrowed(call: Call) -> list[NetworkInterface]:
    """The interfaces that may pass the filters: with a subnet or VPC named exactly, an index finds them."""
    for name, index in (("subnet-id", "subnet"), ("vpc-id", "vpc")):
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
    """A network interface, as EC2 answers it."""
    name = private_dns_name(interface.private_ip, interface.region)
    address = interface.private_ip
    return {
        "NetworkInterfaceId": interface.interface_id,
        "OwnerId": interface.account,
        "VpcId": interface.vpc_id,
        "SubnetId": interface.subnet_id,
        "AvailabilityZone": interface.availability_zone,
        "AvailabilityZoneId": zone_id(interface.availability_zone),
        "Description": interface.description,
        "InterfaceType": interface.interface_type,
        "MacAddress": interface.mac_address,
        "PrivateIpAddress": address,
        "PrivateDnsName": name,
        "PrivateIpAddresses": [{"Primary": True, "PrivateIpAddress": address, "PrivateDnsName": name}],
        "Ipv6Addresses": [],
        "Groups": [_group(call, group_id) for group_id in interface.security_groups],
        "Attachment": {
            "AttachmentId": interface.attachment_id,
            "AttachTime": interface.created_at,
            "DeleteOnTermination": False,
            "DeviceIndex": 1,
            "NetworkCardIndex": 0,
            "InstanceOwnerId": interface.instance_owner_id,
            "Status": "attached",
        },
        "RequesterId": REQUESTERS.get(interface.instance_owner_id, "578734482556"),
        "RequesterManaged": True,
        "SourceDestCheck": True,
        "Status": "in-use",
        "TagSet": tags_list(interface.tags, "Key", "Value"),
    }


def _group(call: Call, group_id: str) -> dict[str, str]:
    group = call.tx.get(SecurityGroup, (*call.scope, group_id))
    return {"GroupId": group_id, "GroupName": group.name if group else group_id}
