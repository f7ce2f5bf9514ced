"""Elastic IP addresses: allocated, associated with network interfaces, described, released.

They are of 198.18.0.0/15 (RFC 2544), which is nobody's on the internet: nothing is reached by them.
"""

import ipaddress
from typing import Any

from longshore.api.ec2 import filters
from longshore.api.ec2.errors import bad_value, listed, paged
from longshore.api.ec2.resources import RESOURCES, find, missing, place_of
from longshore.api.ec2.tags import new_tags, shown
from longshore.api.operation import Call, Operation
from longshore.domain.ec2.network import NetworkInterface
from longshore.domain.ec2.routing import Address, NatGateway
from longshore.wire.errors import ApiError

POOL = ipaddress.IPv4Network("198.18.0.0/15")
MAX_ADDRESSES = 1000
"""Per account and region: so that no one takes all that there are."""
FILTERS = filters.table(
    allocation_id="AllocationId",
    association_id="AssociationId",
    domain="Domain",
    instance_id="InstanceId",
    network_border_group="NetworkBorderGroup",
    network_interface_id="NetworkInterfaceId",
    network_interface_owner_id="NetworkInterfaceOwnerId",
    private_ip_address="PrivateIpAddress",
    public_ip="PublicIp",
)


def allocate_address(call: Call) -> dict[str, Any]:
    """AllocateAddress: one that nobody has."""
    tags = new_tags(call, "elastic-ip")
    if call.tx.count(Address, "scope", call.scope) >= MAX_ADDRESSES:
        raise ApiError("AddressLimitExceeded", "The maximum number of addresses has been reached.")
    address = Address(
        **place_of(call), allocation_id=f"eipalloc-{call.ids.hex(17)}", public_ip=_free_address(call), tags=tags
    )
    call.tx.put(address)
    return {
        "AllocationId": address.allocation_id,
        "PublicIp": address.public_ip,
        "PublicIpv4Pool": "amazon",
        "NetworkBorderGroup": address.region,
        "Domain": "vpc",
    }


def _free_address(call: Call) -> str:
    first = call.ids.choice(POOL.num_addresses)
    for step in range(POOL.num_addresses):
        text = str(POOL[(first + step) % POOL.num_addresses])
        if not text.endswith((".0", ".255")) and not call.tx.count(Address, "public_ip", (text,)):
            return text
    raise ApiError("InsufficientAddressCapacity", "Not enough addresses available to satisfy the request.")


def associate_address(call: Call) -> dict[str, Any]:
    """AssociateAddress, with a network interface."""
    address = _asked(call)
    reference, private = call.params.get("NetworkInterfaceId"), call.params.get("PrivateIpAddress")
    again = call.params.get("AllowReassociation")
    if not reference:
        raise ApiError("MissingParameter", "Either 'InstanceId' or 'NetworkInterfaceId' must be provided")
    interface = find(call, NetworkInterface, reference)
    if private and private != interface.private_ip:
        raise bad_value(private, "PrivateIpAddress", f"It is not an address of {interface.interface_id}.")
    if address.interface_id == interface.interface_id:
        return {"AssociationId": address.association_id}
    if address.interface_id and again is False:
        raise already_associated(address)
    if address.interface_id:
        _check_own(call, address)
    for other in call.tx.select(Address, "interface", interface.key):
        if not again:
            text = f"resource {interface.interface_id} is already associated with address {other.public_ip}"
            raise ApiError("Resource.AlreadyAssociated", text)
        _check_own(call, other)
        call.tx.put(other.but(association_id="", interface_id=""))
    return {"AssociationId": associate(call, address, interface).association_id}


def associate(call: Call, address: Address, interface: NetworkInterface) -> Address:
    """The address, of the interface from now on."""
    made = address.but(association_id=f"eipassoc-{call.ids.hex(17)}", interface_id=interface.interface_id)
    call.tx.put(made)
    return made


def already_associated(address: Address) -> ApiError:
    """That an address is somebody's."""
    text = f"resource {address.allocation_id} is already associated with associate-id {address.association_id}"
    return ApiError("Resource.AlreadyAssociated", text)


def disassociate_address(call: Call) -> dict[str, Any]:
    """DisassociateAddress."""
    reference, public = call.params.get("AssociationId"), call.params.get("PublicIp")
    if reference:
        found = call.tx.select(Address, "association", (*call.scope, reference))
        if not found:
            text = f"The association ID '{reference[:64]}' does not exist"
            raise ApiError("InvalidAssociationID.NotFound", text)
        address = found[0]
    elif public:
        address = _by_public_ip(call, public)
    else:
        raise ApiError("MissingParameter", "Either public IP or association id must be specified")
    if address.interface_id:
        _check_own(call, address)
    call.tx.put(address.but(association_id="", interface_id=""))
    return {}


def release_address(call: Call) -> dict[str, Any]:
    """ReleaseAddress, once it is of no interface."""
    address = _asked(call)
    if address.interface_id:
        raise ApiError("InvalidIPAddress.InUse", f"Address {address.allocation_id} is in use.")
    call.tx.delete(Address, address.key)
    return {}


def describe_addresses(call: Call) -> dict[str, Any]:
    """DescribeAddresses."""
    wanted = call.params.get("PublicIps") or ()
    records = call.tx.select(Address, "scope", call.scope)
    if wanted:
        chosen = {_by_public_ip(call, public).allocation_id for public in wanted}
        records = [each for each in records if each.allocation_id in chosen]
    return listed(
        call,
        Address,
        lambda address: view(call, address),
        FILTERS,
        "Addresses",
        operation="DescribeAddresses",
        member="AllocationId",
        records=records,
    )


def describe_addresses_attribute(call: Call) -> dict[str, Any]:
    """DescribeAddressesAttribute: none has a domain name."""
    asked = call.params.get("AllocationIds") or ()
    attribute = call.params.get("Attribute")
    records = [find(call, Address, reference) for reference in asked]
    found = records or sorted(call.tx.select(Address, "scope", call.scope), key=lambda each: each.allocation_id)
    views = [
        {"PublicIp": address.public_ip, "AllocationId": address.allocation_id}
        for address in found
        if attribute in {None, "domain-name"}
    ]
    return paged(
        call,
        "DescribeAddressesAttribute",
        "Addresses",
        views,
        lambda each: str(each["AllocationId"]),
        "AllocationIds",
    )


def view(call: Call, address: Address) -> dict[str, Any]:
    """An address, as EC2 answers it."""
    shown_address: dict[str, Any] = {
        "AllocationId": address.allocation_id,
        "PublicIp": address.public_ip,
        "PublicIpv4Pool": "amazon",
        "NetworkBorderGroup": address.region,
        "Domain": "vpc",
        "Tags": shown(address.tags),
    }
    interface = call.tx.get(NetworkInterface, (*call.scope, address.interface_id)) if address.interface_id else None
    if interface is not None:
        shown_address |= {
            "AssociationId": address.association_id,
            "NetworkInterfaceId": interface.interface_id,
            "NetworkInterfaceOwnerId": interface.account,
            "PrivateIpAddress": interface.private_ip,
        }
    return shown_address


def _asked(call: Call) -> Address:
    """The address that a call names by its allocation or by itself."""
    reference, public = call.params.get("AllocationId"), call.params.get("PublicIp")
    if reference:
        return find(call, Address, reference)
    if public:
        return _by_public_ip(call, public)
    raise ApiError("MissingParameter", "Either public IP or allocation id must be specified")


def _by_public_ip(call: Call, public: str) -> Address:
    for address in call.tx.select(Address, "public_ip", (public,)):
        if address.scope == call.scope:
            return address
    raise ApiError("InvalidAddress.NotFound", f"Address '{public[:64]}' not found.")


def _check_own(call: Call, address: Address) -> None:
    """Raise where the address is a NAT gateway's: those keep theirs as long as they live."""
    gateways = call.tx.select(NatGateway, "scope", call.scope)
    if any(gateway.live and gateway.allocation_id == address.allocation_id for gateway in gateways):
        raise ApiError("AuthFailure", "You do not have permission to access the specified resource.", status=403)


def find_allocation(call: Call, reference: str) -> Address:
    """An address by its allocation, which is of no interface."""
    address = call.tx.get(Address, (*call.scope, reference))
    if address is None:
        raise missing(RESOURCES[Address], reference)
    if address.interface_id:
        raise already_associated(address)
    return address


_POOLS = "There is one pool of addresses, and it gives out what is free."
OPERATIONS = {
    "AllocateAddress": Operation(
        allocate_address,
        refuses={
            "Address": _POOLS,
            "PublicIpv4Pool": _POOLS,
            "CustomerOwnedIpv4Pool": "There are no Outposts.",
            "IpamPoolId": "There is no IP address manager.",
            "Domain": "EC2-Classic is no more: use vpc.",
        },
        allowed={"PublicIpv4Pool": ("amazon",), "Domain": ("vpc",)},
        inert={"NetworkBorderGroup": "A region has one: its own."},
    ),
    "AssociateAddress": Operation(associate_address, refuses={"InstanceId": "There are no instances."}),
    "DescribeAddresses": Operation(describe_addresses),
    "DescribeAddressesAttribute": Operation(describe_addresses_attribute),
    "DisassociateAddress": Operation(disassociate_address),
    "ReleaseAddress": Operation(release_address, inert={"NetworkBorderGroup": "A region has one: its own."}),
}
