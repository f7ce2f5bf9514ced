"""Network interfaces of users: made, changed, deleted. There is nothing to attach them to: they hold an address."""

from typing import Any

from longshore.api.ec2.errors import invalid, required
from longshore.api.ec2.interfaces.describe import attachment_view, groups_view, interface_view, managed
from longshore.api.ec2.interfaces.making import groups_of, take_interface
from longshore.api.ec2.resources import find
from longshore.api.ec2.tags import new_tags
from longshore.api.ec2.tokens import repeated, token_fields
from longshore.api.operation import Call, Operation
from longshore.domain.ec2.network import NetworkInterface, Subnet
from longshore.domain.ec2.routing import Address
from longshore.wire.errors import ApiError

MAX_DESCRIPTION = 255
_NO_IPV6 = "Network interfaces have an IPv4 address alone."
_ONE = "A network interface has one address."


def create_network_interface(call: Call) -> dict[str, Any]:
    """CreateNetworkInterface: an address in a subnet, taken until it is deleted."""
    token, asked = call.params.get("ClientToken"), call.params.get("Groups")
    description, address = call.params.get("Description") or "", _address(call)
    made = repeated(call, NetworkInterface)
    if made is None:
        _check_description(description)
        subnet = find(call, Subnet, call.params["SubnetId"])
        groups = groups_of(call, asked, subnet.vpc_id)
        tags = new_tags(call, "network-interface")
        made = take_interface(
            call,
            subnet,
            address=address,
            attachment_id="",
            instance_owner_id="",
            description=description,
            security_groups=groups,
            tags=tags,
            **token_fields(call),
        )
    return {"NetworkInterface": {**interface_view(call, made), "Status": "pending"}, "ClientToken": token}


def _address(call: Call) -> str:
    """The address that is asked for; empty: any."""
    single, several = call.params.get("PrivateIpAddress"), call.params.get("PrivateIpAddresses") or ()
    asked = [each.get("PrivateIpAddress") or "" for each in several]
    if several and several[0].get("Primary") is False:
        raise invalid("A network interface has one primary private IP address: say Primary of it")
    if single and several:
        text = "Only one of PrivateIpAddress and PrivateIpAddresses can be given"
        raise ApiError("InvalidParameterCombination", text)
    if len(asked) > 1:
        raise ApiError("UnsupportedOperation", f"PrivateIpAddresses: {_ONE}")
    return single or (asked[0] if asked else "")


def delete_network_interface(call: Call) -> dict[str, Any]:
    """DeleteNetworkInterface: of a user's own alone."""
    interface = find(call, NetworkInterface, call.params["NetworkInterfaceId"])
    if managed(interface):
        raise invalid(f"Network interface '{interface.interface_id}' is currently in use.")
    for address in call.tx.select(Address, "interface", interface.key):
        call.tx.put(address.but(association_id="", interface_id=""))
    call.tx.delete(NetworkInterface, interface.key)
    return {}


def modify_network_interface_attribute(call: Call) -> dict[str, Any]:
    """ModifyNetworkInterfaceAttribute: one at a time, of a user's own alone."""
    interface = find(call, NetworkInterface, call.params["NetworkInterfaceId"])
    description, check = call.params.get("Description"), call.params.get("SourceDestCheck")
    groups = call.params.get("Groups")
    changes: dict[str, Any] = {}
    if description is not None:
        changes["description"] = description.get("Value") or ""
        _check_description(changes["description"])
    if check is not None:
        changes["source_dest_check"] = bool(check.get("Value"))
    if groups:
        changes["security_groups"] = groups_of(call, groups, interface.vpc_id)
    if not changes:
        raise required("attribute")
    if len(changes) > 1:
        text = "Fields for multiple attribute types specified; only one attribute can be changed at a time"
        raise ApiError("InvalidParameterCombination", text)
    if managed(interface):
        text = f"The network interface '{interface.interface_id}' is managed by a service: change it there."
        raise ApiError("OperationNotPermitted", text)
    call.tx.put(interface.but(**changes))
    return {}


def describe_network_interface_attribute(call: Call) -> dict[str, Any]:
    """DescribeNetworkInterfaceAttribute: one of them."""
    interface = find(call, NetworkInterface, call.params["NetworkInterfaceId"])
    attribute = call.params.get("Attribute")
    values: dict[str, dict[str, Any]] = {
        "attachment": {"Attachment": attachment_view(interface)} if managed(interface) else {},
        "associatePublicIpAddress": {"AssociatePublicIpAddress": False},
        "description": {"Description": {"Value": interface.description}},
        "groupSet": {"Groups": groups_view(call, interface)},
        "sourceDestCheck": {"SourceDestCheck": {"Value": interface.source_dest_check}},
    }
    if not attribute:
        raise required("attribute")
    return {"NetworkInterfaceId": interface.interface_id, **values[attribute]}


def _check_description(text: str) -> None:
    if len(text) > MAX_DESCRIPTION:
        raise invalid(f"The description has more than {MAX_DESCRIPTION} characters")


_TRACKING = "Kept by nobody: connections are tracked with the kernel's own times."
OPERATIONS = {
    "CreateNetworkInterface": Operation(
        create_network_interface,
        refuses={
            "EnablePrimaryIpv6": _NO_IPV6,
            "InterfaceType": "There is one type of network interface.",
            "Ipv4PrefixCount": _ONE,
            "Ipv4Prefixes": _ONE,
            "Ipv6AddressCount": _NO_IPV6,
            "Ipv6Addresses": _NO_IPV6,
            "Ipv6PrefixCount": _NO_IPV6,
            "Ipv6Prefixes": _NO_IPV6,
            "Operator": "No operator is known that could manage it.",
            "SecondaryPrivateIpAddressCount": _ONE,
            "ConnectionTrackingSpecification": _TRACKING,
        },
        allowed={
            "EnablePrimaryIpv6": (False,),
            "InterfaceType": ("interface",),
            "Ipv4PrefixCount": (0,),
            "Ipv6AddressCount": (0,),
            "Ipv6PrefixCount": (0,),
            "SecondaryPrivateIpAddressCount": (0,),
        },
    ),
    "DeleteNetworkInterface": Operation(delete_network_interface),
    "DescribeNetworkInterfaceAttribute": Operation(describe_network_interface_attribute),
    "ModifyNetworkInterfaceAttribute": Operation(
        modify_network_interface_attribute,
        refuses={
            "AssociatePublicIpAddress": "There are no public addresses but elastic ones: use AssociateAddress.",
            "AssociatedSubnetIds": "A network interface is in one subnet.",
            "Attachment": "There are no instances that it could be attached to.",
            "ConnectionTrackingSpecification": _TRACKING,
            "EnaSrdSpecification": "There is no ENA Express.",
            "EnablePrimaryIpv6": _NO_IPV6,
        },
        allowed={"AssociatePublicIpAddress": (False,), "EnablePrimaryIpv6": (False,)},
        inert={"SourceDestCheck": "Kept and answered: nothing is attached to the interface."},
    ),
}
