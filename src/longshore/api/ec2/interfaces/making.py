"""Network interfaces that the API itself makes: an address taken in a subnet, in the transaction that asks for it."""

import ipaddress
from typing import Any

from longshore.api.ec2.errors import bad_value
from longshore.api.ec2.resources import find, place_of
from longshore.api.operation import Call
from longshore.decide.ecs.launching import free_address
from longshore.domain.ec2.network import RESERVED_HEAD, NetworkInterface, SecurityGroup, Subnet, mac_of
from longshore.wire.errors import ApiError

MAX_GROUPS = 16
"""What AWS raises its quota of security groups per network interface to at most."""
EVERYWHERE = 1 << 28
"""More than any subnet has addresses."""


def take_interface(call: Call, subnet: Subnet, *, address: str = "", **fields: Any) -> NetworkInterface:
    """A new network interface in a subnet, with this address or any free one. Raises EC2's errors."""
    if address:
        check_address(call, subnet, address)
    else:
        address = _any_address(call, subnet)
    interface = NetworkInterface(
        **place_of(call),
        interface_id=fields.pop("interface_id", "") or f"eni-{call.ids.hex(17)}",
        vpc_id=subnet.vpc_id,
        subnet_id=subnet.subnet_id,
        availability_zone=subnet.availability_zone,
        private_ip=address,
        mac_address=mac_of(address),
        created_at=call.now,
        **fields,
    )
    call.tx.put(interface)
    return interface


def check_address(call: Call, subnet: Subnet, address: str) -> None:
    """Raise unless a subnet has the address, and it is free."""
    network = ipaddress.IPv4Network(subnet.range)
    try:
        offset = int(ipaddress.IPv4Address(address)) - int(network.network_address)
    except ValueError:
        raise bad_value(address, "PrivateIpAddress", "It is not an IPv4 address.") from None
    if not 0 <= offset < network.num_addresses:
        why = f"Address does not fall within the subnet's address range {network}"
        raise bad_value(address, "PrivateIpAddress", f"{why}.")
    if not RESERVED_HEAD <= offset < network.num_addresses - 1:
        raise bad_value(address, "PrivateIpAddress", "Address is in subnet's reserved address range.")
    if _taken(call, subnet, address):
        raise ApiError("InvalidIPAddress.InUse", f"Address {address} is in use.")


def groups_of(call: Call, asked: list[str] | None, vpc_id: str, parameter: str = "groupId") -> tuple[str, ...]:
    """The ids of security groups of a VPC that are asked for; its default one where none are."""
    if not asked:
        found = call.tx.select(SecurityGroup, "vpc", (*call.scope, vpc_id))
        return tuple(group.group_id for group in found if group.name == "default")
    groups = [find(call, SecurityGroup, reference) for reference in dict.fromkeys(asked)]
    if any(group.vpc_id != vpc_id for group in groups):
        text = "You have specified two resources that belong to different networks."
        raise ApiError("InvalidGroup.NotFound" if parameter == "SecurityGroupId" else "InvalidParameterValue", text)
    if len(groups) > MAX_GROUPS:
        text = f"The maximum number of security groups per interface has been reached: {MAX_GROUPS}."
        raise ApiError("SecurityGroupsPerInterfaceLimitExceeded", text)
    return tuple(group.group_id for group in groups)


def _any_address(call: Call, subnet: Subnet) -> str:
    """A free address, anywhere in the subnet: those next in line are the tasks', and may be made ready for them."""
    anywhere = subnet.but(next_offset=call.ids.choice(EVERYWHERE))
    found = free_address(anywhere, lambda address: _taken(call, subnet, address))
    if found is None:
        text = "The specified subnet does not have enough free addresses to satisfy the request."
        raise ApiError("InsufficientFreeAddressesInSubnet", text)
    return found[0]


def _taken(call: Call, subnet: Subnet, address: str) -> bool:
    return call.tx.count(NetworkInterface, "address", (*subnet.scope, subnet.vpc_id, address)) > 0
