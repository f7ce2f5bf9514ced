"""Entries of network ACLs: created, replaced, deleted."""

import ipaddress
from typing import Any

from longshore.api.ec2.errors import bad_value, invalid, required
from longshore.api.ec2.resources import find
from longshore.api.ec2.vpcs.ranges import block
from longshore.api.operation import Call, Operation
from longshore.domain.ec2.network_acl import LAST, AclEntry, NetworkAcl
from longshore.wire.errors import ApiError

MAX_ENTRIES = 40
"""Of each direction: what AWS raises its quota to at most."""
NUMBERS = {"tcp": "6", "udp": "17", "icmp": "1", "icmpv6": "58", "all": "-1"}
WITH_PORTS = ("6", "17")
WITH_TYPES = ("1", "58")
LARGEST_PORT, LARGEST_TYPE = 65535, 255


def create_network_acl_entry(call: Call) -> dict[str, Any]:
    """CreateNetworkAclEntry, with a number that no other of its direction has."""
    acl, entry = find(call, NetworkAcl, call.params["NetworkAclId"]), _entry(call)
    same = [each for each in acl.entries if each.egress == entry.egress]
    if any(each.number == entry.number for each in same):
        text = f"The network acl entry identified by {entry.number} already exists."
        raise ApiError("NetworkAclEntryAlreadyExists", text)
    if len(same) >= MAX_ENTRIES:
        text = f"The maximum number of network ACL entries has been reached: {MAX_ENTRIES} of each direction."
        raise ApiError("NetworkAclEntryLimitExceeded", text)
    call.tx.put(acl.but(entries=(*acl.entries, entry)))
    return {}


def replace_network_acl_entry(call: Call) -> dict[str, Any]:
    """ReplaceNetworkAclEntry."""
    acl, entry = find(call, NetworkAcl, call.params["NetworkAclId"]), _entry(call)
    others = _without(acl, entry.number, egress=entry.egress)
    call.tx.put(acl.but(entries=(*others, entry)))
    return {}


def delete_network_acl_entry(call: Call) -> dict[str, Any]:
    """DeleteNetworkAclEntry."""
    number, egress = call.params["RuleNumber"], call.params["Egress"]
    acl = find(call, NetworkAcl, call.params["NetworkAclId"])
    if number == LAST:
        raise bad_value(number, "ruleNumber", "The last entry can't be deleted.")
    call.tx.put(acl.but(entries=_without(acl, number, egress=egress)))
    return {}


def _without(acl: NetworkAcl, number: int, *, egress: bool) -> tuple[AclEntry, ...]:
    left = tuple(each for each in acl.entries if (each.number, each.egress) != (number, egress))
    if len(left) == len(acl.entries):
        direction = "egress" if egress else "ingress"
        text = f"no {direction} entry with rule number {number} in network ACL {acl.acl_id}"
        raise ApiError("InvalidNetworkAclEntry.NotFound", text)
    return left


def _entry(call: Call) -> AclEntry:
    """The entry that a call gives, after EC2's rules."""
    params = call.params
    number, ports, icmp = params["RuleNumber"], params.get("PortRange"), params.get("IcmpTypeCode")
    ipv4, ipv6 = params.get("CidrBlock") or "", params.get("Ipv6CidrBlock") or ""
    if not 1 <= number < LAST:
        raise bad_value(number, "ruleNumber", f"It is 1 to {LAST - 1}.")
    if bool(ipv4) == bool(ipv6):
        raise required("cidrBlock") if not ipv4 else invalid("Only one of cidrBlock and ipv6CidrBlock can be given")
    protocol = _protocol(params["Protocol"])
    return AclEntry(
        number=number,
        egress=params["Egress"],
        action=params["RuleAction"],
        protocol=protocol,
        cidr_ipv4=_ipv4(ipv4) if ipv4 else "",
        cidr_ipv6=_ipv6(ipv6) if ipv6 else "",
        ports=_ports(ports or {}) if protocol in WITH_PORTS else None,
        icmp=_icmp(icmp or {}) if protocol in WITH_TYPES else None,
    )


def _protocol(text: str) -> str:
    number = NUMBERS.get(text.lower(), text)
    if number != "-1" and not (number.isascii() and number.isdecimal() and int(number) <= LARGEST_TYPE):
        raise invalid(f"Invalid value '{text[:64]}' for IP protocol. Unknown protocol.")
    return number if number == "-1" else str(int(number))


def _ports(given: dict[str, Any]) -> tuple[int, int]:
    first, last = given.get("From"), given.get("To")
    if first is None or last is None:
        raise required("portRange")
    if not 0 <= first <= last <= LARGEST_PORT:
        raise invalid(f"Invalid TCP/UDP port range ({first}:{last})")
    return first, last


def _icmp(given: dict[str, Any]) -> tuple[int, int]:
    kind, code = given.get("Type"), given.get("Code")
    if kind is None or code is None:
        raise required("icmpTypeCode")
    if not (-1 <= kind <= LARGEST_TYPE and -1 <= code <= LARGEST_TYPE):
        raise invalid(f"ICMP type ({kind}) or code ({code}) out of range")
    return kind, code


def _ipv4(cidr: str) -> str:
    network = block(cidr)
    if network is None:
        raise bad_value(cidr, "cidrBlock", "This is not a valid CIDR block.")
    return str(network)


def _ipv6(cidr: str) -> str:
    try:
        return str(ipaddress.IPv6Network(cidr, strict=False))
    except ValueError:
        raise bad_value(cidr, "ipv6CidrBlock", "This is not a valid CIDR block.") from None


OPERATIONS = {
    "CreateNetworkAclEntry": Operation(create_network_acl_entry),
    "DeleteNetworkAclEntry": Operation(delete_network_acl_entry),
    "ReplaceNetworkAclEntry": Operation(replace_network_acl_entry),
}
