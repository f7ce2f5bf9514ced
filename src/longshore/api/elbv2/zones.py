"""Where a load balancer stands: its subnets, and an address with a network interface in each.

An address is taken in the transaction that asks for it, and free again when the zone goes.
"""

import ipaddress
from collections.abc import Iterable
from typing import NamedTuple

from longshore.api.elbv2.errors import conflict
from longshore.api.operation import Call
from longshore.decide.ecs.launching import free_address
from longshore.domain.ec2.network import RESERVED_HEAD, NetworkInterface, Subnet, mac_of
from longshore.domain.elbv2.balancer import LoadBalancer, LoadBalancerType, Scheme, Zone
from longshore.wire.errors import ApiError

MIN_ZONES = {"application": 2, "network": 1}
INTERFACE_TYPES = {"application": "interface", "network": "network_load_balancer"}
TOO_FEW = {
    "application": "At least two subnets in two different Availability Zones must be specified",
    "network": "At least one subnet must be specified",
}


class Place(NamedTuple):
    """A subnet that a load balancer is to be in, and the address it is to have there; empty: any."""

    subnet: Subnet
    address: str


def asked_places(call: Call, kind: LoadBalancerType, scheme: Scheme) -> list[Place]:
    """The places that `Subnets` or `SubnetMappings` of a call name, after AWS's rules, in the order of their zones."""
    subnets, mappings = call.params.get("Subnets"), call.params.get("SubnetMappings")
    if subnets and mappings:
        raise ApiError("ValidationError", "You can specify either subnets or subnet mappings, not both")
    asked = [(name, "") for name in subnets or ()]
    asked += [(each.get("SubnetId") or "", each.get("PrivateIPv4Address") or "") for each in mappings or ()]
    places = [Place(_subnet(call, name), address) for name, address in asked]
    zones = {place.subnet.availability_zone for place in places}
    if len(zones) < len(places):
        text = "A load balancer cannot be attached to multiple subnets in the same Availability Zone"
        raise conflict(text)
    if len(zones) < MIN_ZONES[kind]:
        raise ApiError("ValidationError", TOO_FEW[kind])
    if len({place.subnet.vpc_id for place in places}) > 1:
        raise conflict("All subnets must belong to the same VPC")
    for place in places:
        if place.address:
            _check_address(place, kind, scheme)
    return sorted(places, key=lambda place: place.subnet.availability_zone)


def attach(call: Call, balancer: LoadBalancer, place: Place) -> Zone:
    """Take an address for a load balancer. Raises InvalidSubnet where none is free, or ResourceInUse."""
    subnet, address = place
    if not address:
        address = _next_address(call, balancer, subnet)
    elif _taken(call, subnet, address):
        raise ApiError("ResourceInUse", f"The address '{address}' in subnet '{subnet.subnet_id}' is in use")
    interface = NetworkInterface(
        account=balancer.account,
        region=balancer.region,
        interface_id=f"eni-{call.ids.hex(17)}",
        vpc_id=subnet.vpc_id,
        subnet_id=subnet.subnet_id,
        availability_zone=subnet.availability_zone,
        private_ip=address,
        mac_address=mac_of(address),
        security_groups=balancer.security_groups,
        created_at=call.now,
        attachment_id=f"ela-attach-{call.ids.hex(17)}",
        description=f"ELB {balancer.path}",
        instance_owner_id="amazon-elb",
        interface_type=INTERFACE_TYPES[balancer.type],
    )
    call.tx.put(interface)
    return Zone(
        name=subnet.availability_zone,
        subnet_id=subnet.subnet_id,
        interface_id=interface.interface_id,
        address=address,
        chosen=bool(place.address),
    )


def detach(call: Call, zones: Iterable[Zone]) -> None:
    """Let addresses go."""
    for zone in zones:
        call.tx.delete(NetworkInterface, (*call.scope, zone.interface_id))


def moved(call: Call, balancer: LoadBalancer, places: Iterable[Place]) -> tuple[Zone, ...]:
    """The load balancer's zones once it stands in `places`: what stays keeps its address."""
    before = {zone.subnet_id: zone for zone in balancer.zones}
    zones = []
    for place in places:
        kept = before.pop(place.subnet.subnet_id, None)
        if kept is not None and place.address not in {"", kept.address}:
            text = f"The address of the load balancer in subnet '{kept.subnet_id}' cannot be changed"
            raise conflict(text)
        zones.append(kept or attach(call, balancer, place))
    detach(call, before.values())
    return tuple(zones)


def _next_address(call: Call, balancer: LoadBalancer, subnet: Subnet) -> str:
    """A free address, anywhere in the subnet: those next in line are the tasks', and may be made ready for them."""
    anywhere = subnet.but(next_offset=int(balancer.lb_id, 16))
    found = free_address(anywhere, lambda address: _taken(call, subnet, address))
    if found is None:
        raise ApiError("InvalidSubnet", f"Not enough IP space available in {subnet.subnet_id}: every address is taken")
    return found[0]


def _taken(call: Call, subnet: Subnet, address: str) -> bool:
    return call.tx.count(NetworkInterface, "address", (*subnet.scope, subnet.vpc_id, address)) > 0


def _subnet(call: Call, name: str) -> Subnet:
    if not name:
        raise ApiError("ValidationError", "A subnet ID must be specified in each subnet mapping")
    subnet = call.tx.get(Subnet, (*call.scope, name))
    if subnet is None:
        raise ApiError("SubnetNotFound", f"The subnet ID '{name}' does not exist")
    return subnet


def _check_address(place: Place, kind: LoadBalancerType, scheme: Scheme) -> None:
    if kind != "network" or scheme != "internal":
        text = "A private IPv4 address can be specified only for an internal load balancer of type 'network'"
        raise conflict(text)
    try:
        address = ipaddress.IPv4Address(place.address)
    except ValueError:
        text = f"The private IPv4 address '{place.address}' is not valid"
        raise ApiError("ValidationError", text) from None
    network = ipaddress.IPv4Network(place.subnet.range)
    offset = int(address) - int(network.network_address)
    if not RESERVED_HEAD <= offset < network.num_addresses - 1:
        text = f"The address '{address}' is not one that subnet '{place.subnet.subnet_id}' ({network}) can give out"
        raise conflict(text)
